"""People who are called outside Slack: PagerDuty, Opsgenie, a signed webhook and mail, with receivers on loopback."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.cli.sandbox import ROOT, populated
from bot.domain.events import Happened
from bot.domain.incident import Incident
from bot.domain.runbook import Severity
from bot.incidents.climbing import Climber
from bot.incidents.paging import Pages
from bot.sandbox.postgres import Postgres
from bot.store import pages
from bot.store.audit import AuditLine
from bot.store.session import Store, engine_of
from tests.acceptance.conftest import Scene
from tests.conftest import ManualClock
from tests.proof.lines import Line, Moment

PAGERS = """
pagers:
  leads: {pagerduty: PD_KEY, url: {env: PD_URL}}
  on_call: {opsgenie: OG_KEY, url: {env: OG_URL}}
  tech_lead: {webhook: HOOK_SECRET, url: {env: HOOK_URL}}
"""
LADDERS = """
ladders:
  everybody:
    title: Everybody
    severities: [P0]
    rungs: [{to: [leads, on_call, tech_lead, cto]}, {to: [engineering_manager], after: 15m}]
  empty_first:
    title: A group without anybody
    severities: [P1]
    rungs: [{to: [billing]}, {to: [engineering_manager], after: 15m}]
"""
SECRETS = {"PD_KEY": "pd-routing-key-1", "OG_KEY": "og-api-key-22", "HOOK_SECRET": "hook-secret-333"}


@dataclass
class Receiver:
    """Vendors' doors on loopback that keep what they are told and answer what they are asked to."""

    url: str = ""
    told: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Keep it; answer the next status that was asked for, or 202."""
        self.told.append((request.path_qs, dict(request.headers), await request.read()))
        return web.json_response({"status": "taken"}, status=self.answers.pop(0) if self.answers else 202)

    def of(self, path: str) -> list[dict[str, Any]]:
        """The bodies that came to a path."""
        return [json.loads(body) for at, _, body in self.told if at.startswith(path)]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A door for all three vendors."""
    made = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def scene(postgres: Postgres, clock: ManualClock, receiver: Receiver, tmp_path: Path) -> AsyncIterator[Scene]:
    """À La Carte Chat with pagers, and a clock that the test moves."""
    system = tmp_path / "alacarte"
    shutil.copytree(ROOT / "runbooks" / "alacarte", system, ignore=shutil.ignore_patterns("drills"))
    with (system / "system.yaml").open("a", encoding="utf-8") as stream:
        stream.write(PAGERS)
    (system / "escalation.yaml").write_text(LADDERS, encoding="utf-8")
    told = SECRETS | {
        "PD_URL": f"{receiver.url}/pd",
        "OG_URL": f"{receiver.url}/og",
        "HOOK_URL": f"{receiver.url}/hook",
    }
    async with populated(postgres, rate_limits=False, clock=clock, runbooks=tmp_path, overrides=told) as sandbox:
        yield Scene(sandbox)


async def opened(scene: Scene, severity: Severity = Severity.P0) -> Incident:
    """An incident that nobody has taken."""
    desk = scene.sandbox.bot.desk
    return await desk.incidents.open(desk.library.catalogue.systems["alacarte"], "Nothing arrives", severity, "U0ANA")


async def lines(scene: Scene, incident: Incident, kind: Happened) -> list[AuditLine]:
    """What is on record of a kind."""
    found = await scene.sandbox.bot.desk.reads.audit(incident_id=incident.id)
    return [line for line in found if line.kind == kind]


async def come(scene: Scene, probe: Callable[[], Awaitable[bool]], what: str) -> None:
    """Once it holds."""

    async def found() -> bool | None:
        return await probe() or None

    await scene.until(found, what)


async def test_everybody_is_told_in_their_own_way(scene: Scene, receiver: Receiver) -> None:
    """Each vendor gets its own shape with a key that stays, the mail the whole template; the answer and the end are
    told to those who keep calls open; no secret is on record."""
    incident = await opened(scene)
    await come(scene, lambda: _sent(scene, incident, 4), "four pages")
    (pager,) = receiver.of("/pd")
    assert (pager["routing_key"], pager["event_action"]) == ("pd-routing-key-1", "trigger")
    assert pager["payload"]["severity"] == "critical"
    assert pager["payload"]["summary"] == f"[P0] {incident.label} Nothing arrives"
    (alert,) = receiver.of("/og")
    assert (alert["priority"], alert["entity"]) == ("P1", "A La Carte Chat")
    assert next(head for at, head, _ in receiver.told if at == "/og")["Authorization"] == "GenieKey og-api-key-22"
    ((_, heads, body),) = [told for told in receiver.told if told[0] == "/hook"]
    signed = hmac.new(b"hook-secret-333", body, hashlib.sha256).hexdigest()
    assert heads["X-Signature-256"] == f"sha256={signed}"
    (mail,) = scene.sandbox.world.mail.mails
    assert mail.recipients == ("cto@alacartechat.com",)
    for said in (f"Incident: {incident.label}", "Why you: nobody is on it", "Cause: not known yet", "Go on in #inc-"):
        assert said in mail.text
    await scene.sandbox.bot.desk.incidents.acknowledge(incident.id, "U0BEN")
    await come(scene, lambda: _sent(scene, incident, 7), "three told that somebody is on it")
    await scene.sandbox.bot.desk.incidents.resolve(incident.id, "U0BEN")
    await come(scene, lambda: _sent(scene, incident, 10), "three told that it is over")
    assert [each["event_action"] for each in receiver.of("/pd")] == ["trigger", "acknowledge", "resolve"]
    assert {each["dedup_key"] for each in receiver.of("/pd")} == {pager["dedup_key"]}
    closed = [at for at, _, _ in receiver.told if at.startswith("/og/")]
    assert [at.split("/")[-1] for at in closed] == ["acknowledge?identifierType=alias", "close?identifierType=alias"]
    assert len(scene.sandbox.world.mail.mails) == 1
    record = str(await scene.sandbox.bot.desk.reads.audit(incident_id=incident.id))
    assert not [secret for secret in SECRETS.values() if secret in record]


async def _sent(scene: Scene, incident: Incident, count: int) -> bool:
    return len(await lines(scene, incident, Happened.PAGE_SENT)) == count


async def test_a_receiver_that_fails_is_tried_again_and_one_that_refuses_is_said(
    scene: Scene, receiver: Receiver, clock: ManualClock
) -> None:
    """500 is tried again at its time; 400 is not, and the channel says who does not know."""
    receiver.answers = [500, 500, 400]
    incident = await opened(scene)
    await come(scene, lambda: _ended(scene, incident, 2), "the mail sent and one page refused")
    (failed,) = await lines(scene, incident, Happened.PAGE_FAILED)
    assert failed.data["problem"] == "It refuses with status 400."
    await scene.person("ana").sees("could not be reached by")
    assert await scene.sandbox.bot.pages.sweep() == 0
    clock.pass_(seconds=5)
    assert await scene.sandbox.bot.pages.sweep() == 2
    await come(scene, lambda: _ended(scene, incident, 4), "both came through")


async def _ended(scene: Scene, incident: Incident, count: int) -> bool:
    ends = [*await lines(scene, incident, Happened.PAGE_SENT), *await lines(scene, incident, Happened.PAGE_FAILED)]
    return len(ends) == count


async def test_who_was_not_reached_yet_is_not_called_any_more(
    scene: Scene, receiver: Receiver, clock: ManualClock
) -> None:
    """Somebody is on it while a vendor does not answer: it is never told of a call that has been taken."""
    receiver.answers = [503, 503, 503]
    incident = await opened(scene)
    await come(scene, lambda: _sent(scene, incident, 1), "the mail")
    await come(scene, lambda: _tried(receiver, 3), "three attempts")
    await scene.sandbox.bot.desk.incidents.acknowledge(incident.id, "U0BEN")
    clock.pass_(minutes=10)
    assert await scene.sandbox.bot.pages.sweep() == 0
    assert len(receiver.told) == 3


async def _tried(receiver: Receiver, count: int) -> bool:
    return len(receiver.told) >= count


async def test_a_rung_without_anybody_calls_the_next(scene: Scene) -> None:
    """The group of a rung has no member, or nobody who still works here: that is said, and the manager is called at
    once instead of after a quarter of an hour."""
    scene.sandbox.world.slack.regroup("billing-approvers")
    scene.sandbox.bot.desk.directory.invalidate()
    incident = await opened(scene, Severity.P1)
    await come(scene, lambda: _sent(scene, incident, 1), "the manager's mail")
    called = await lines(scene, incident, Happened.INCIDENT_ESCALATED)
    assert [line.data["to"] for line in called] == [["billing"], ["engineering_manager"]]
    assert called[1].data["waited_seconds"] == 0
    (mail,) = scene.sandbox.world.mail.mails
    assert "Nobody of those who were called before can be reached." in mail.text
    await scene.person("ana").sees("Nobody of them can be reached")


@pytest.mark.parametrize("moment", Moment)
async def test_a_replica_that_dies_in_the_middle_of_a_climb(
    scene: Scene, receiver: Receiver, clock: ManualClock, moment: Moment
) -> None:
    """Its line breaks before, during or after the COMMIT of a climb, another replica looks again: the rung is called
    once, and each of its people is told once."""
    bot = scene.sandbox.bot
    incident = await opened(scene)
    await come(scene, lambda: _sent(scene, incident, 4), "the first rung")
    clock.pass_(minutes=15)
    url = bot.store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with Line(scene.sandbox.world.postgres.port, 1, moment) as line:
        doomed = Store(engine_of(line.through(url)), clock)
        await Climber(doomed, bot.desk.library.catalogue).climb(incident.id)
        await doomed.close()
        assert line.broken
    await bot.climber.climb(incident.id)
    await bot.climber.climb(incident.id)
    await bot.pages.sweep()
    await come(scene, lambda: _sent(scene, incident, 5), "the manager's mail")
    called = await lines(scene, incident, Happened.INCIDENT_ESCALATED)
    assert [line.data["to"] for line in called][1:] == [["engineering_manager"]]
    assert [mail.recipients for mail in scene.sandbox.world.mail.mails].count(("manager@alacartechat.com",)) == 1


async def test_a_replica_that_dies_after_it_has_paged(scene: Scene, receiver: Receiver, clock: ManualClock) -> None:
    """It told PagerDuty and could not remember it: another one tells it again under the same key, which PagerDuty
    takes for the same call; on record it is once."""
    bot = scene.sandbox.bot
    receiver.answers = [500, 500, 500]
    incident = await opened(scene)
    await come(scene, lambda: _tried(receiver, 3), "three attempts")
    await come(scene, lambda: _sent(scene, incident, 1), "the mail")
    clock.pass_(seconds=5)
    url = bot.store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with bot.store.reading() as connection:
        due = await pages.overdue(connection, clock.now())
    async with Line(scene.sandbox.world.postgres.port, 2, Moment.BEFORE) as line:
        doomed = Store(engine_of(line.through(url)), clock)
        for page_id in due:
            try:
                await Pages(doomed, bot.desk.library.catalogue, bot.pages.targets).send(page_id)
            except Exception:
                assert line.broken
                break
        await doomed.close()
        assert line.broken
    clock.pass_(minutes=1)
    await bot.pages.sweep()
    await come(scene, lambda: _sent(scene, incident, 4), "everybody told")
    again = [json.loads(body).get("dedup_key") for at, _, body in receiver.told if at == "/pd"]
    assert len(set(again)) == 1
    assert len({line.data["to"] for line in await lines(scene, incident, Happened.PAGE_SENT)}) == 4
