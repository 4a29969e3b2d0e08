"""A whole bot behind its two doors, signed HTTP and Socket Mode, and hands that can put anything into a payload."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from sqlalchemy import text

from bot.cli.sandbox import MANIFEST, ROOT, Sandbox, migrated, settings_in
from bot.domain.run import ActionStatus
from bot.main import running
from bot.sandbox.postgres import Postgres
from bot.sandbox.slack import payloads
from bot.sandbox.slack.blocks import elements
from bot.sandbox.slack.records import Message
from bot.sandbox.slack.requests import signature
from bot.sandbox.slack.server import LocalSlack
from bot.sandbox.slack.transport import Outcome
from bot.sandbox.world import World, opened
from bot.settings import SlackMode
from bot.slack.verbs import Ref
from bot.store.audit import AuditLine, verify_chain
from tests.acceptance.conftest import Scene

Json = dict[str, Any]
KEY = "copy_from_stripe"


class LeapingClock:
    """The machine's clock, moved by `ahead` as a test likes."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        """The time it pretends to be."""
        return datetime.now(UTC) + self.ahead


@dataclass
class Gate(Scene):
    """A scene whose deliveries to the bot a test makes by hand."""

    session: aiohttp.ClientSession
    clock: LeapingClock

    @property
    def slack(self) -> LocalSlack:
        """The workspace."""
        return self.sandbox.world.slack

    # -- what reaches the bot --------------------------------------------------------------------------------------

    def press(self, name: str, label: str, **ref: str) -> Json:
        """The payload of this person's click on the newest button of that name, its reference changed as told."""
        person, space = self.person(name), self.slack.space
        for seen in person.screen():
            found = next((each for each in elements(seen.raw.get("blocks") or []) if each.label == label), None)
            if found is None or seen.channel is None or seen.ts is None:
                continue
            channel = space.channels[seen.channel]
            if channel.is_direct:
                continue
            message = space.find_message(channel, seen.ts, person.id)
            assert message is not None
            action = payloads.action_json(space, found, {})
            payload = payloads.block_actions_message(space, person.id, channel, message, action)
            return carrying(payload, **{**json.loads(action["value"]), **ref}) if ref else payload
        raise AssertionError(f"{name} sees no button called {label!r}")

    def submission(self, name: str, **ref: str) -> Json:
        """The payload of the form this person has open, empty, its reference changed as told."""
        person = self.person(name)
        view = self.slack.space.views[self.slack.space.stacks[person.id][-1]]
        payload = deepcopy(payloads.view_submission(self.slack.space, view))
        if ref:
            carried = {**json.loads(payload["view"]["private_metadata"]), **ref}
            payload["view"]["private_metadata"] = json.dumps(carried)
        return payload

    async def deliver(self, payload: Json) -> Outcome:
        """Hand a click or a form to the bot through the door in use, signed or over the socket as Slack would."""
        return await self.slack.delivery.interaction(payload)

    async def answered(self, name: str, payload: Json) -> str:
        """Deliver, and what this person alone is told about it."""
        before = len(self.told(name))
        await self.deliver(payload)

        def probe() -> str | None:
            told = self.told(name)
            return told[-1] if len(told) > before else None

        try:
            return await self.slack.wait_for(probe)
        except TimeoutError:
            raise AssertionError(f"{name} was not answered: {payload.get('actions') or payload}") from None

    async def post(self, body: str, *, at: int | None = None, secret: str | None = None, **headers: str) -> int:
        """Post a raw body to the bot's address; the status it answers with. `headers` replace those of a signed one,
        an empty one is left out."""
        moment = str(int(time.time()) if at is None else at)
        signed = signature(self.slack.signing_secret if secret is None else secret, moment, body)
        given = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": moment,
            "X-Slack-Signature": signed,
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"http://127.0.0.1:{self.sandbox.bot.port}/slack/events"
        sent = {name: value for name, value in given.items() if value}
        async with self.session.post(url, data=body.encode(), headers=sent) as answer:
            await answer.read()
            return answer.status

    # -- what came of it -------------------------------------------------------------------------------------------

    def told(self, name: str) -> list[str]:
        """What the bot has told this person alone, oldest first."""
        user, space = self.person(name).id, self.slack.space
        found: dict[str, Message] = {}
        for channel in space.channels.values():
            # Who is brought into a channel late is told where it stands, whatever they do.
            own = ((ts, each) for ts, each in channel.ephemerals.items() if each.ephemeral_to == user)
            found |= {ts: each for ts, each in own if not each.text.startswith("Where we are")}
            if channel.is_direct and set(channel.members) == {user, space.bot_user}:
                # With blocks it is a request for approval that was brought to them, not an answer.
                direct = channel.messages.items()
                found |= {ts: each for ts, each in direct if each.user == space.bot_user and not each.blocks}
        return [found[ts].text for ts in sorted(found)]

    async def asked(self, fault: str = "webhook_missed") -> str:
        """A run of Ana's that waits for the approval of its fix, its card on the screen; the business's id."""
        planted = await self.plant(fault)
        await self.person("ana").types(f"/runbook RB-011 business_id={planted.business_id}")
        await self.action_is(KEY, ActionStatus.REQUESTED)
        shown = await self.shown()

        def probe() -> bool | None:
            values = (
                element.data.get("value", "")
                for seen in self.person("ben").screen()
                for element in elements(seen.raw.get("blocks") or [])
                if element.label == "Approve"
            )
            return True if any(shown.run.id in value for value in values) else None

        await self.slack.wait_for(probe)
        return str(planted.business_id)

    async def ref(self) -> Ref:
        """What the Approve button of the newest run carries."""
        shown = await self.shown()
        request = shown.approvals[KEY].request
        return Ref(run=shown.run.id, action=KEY, request=request.id, digest=request.digest)

    async def refusals(self, run: str | None = None) -> list[AuditLine]:
        """The refused votes on record for a run, the newest unless told otherwise."""
        lines = await self.sandbox.bot.desk.reads.audit(run_id=run or (await self.shown()).run.id)
        return [line for line in lines if line.kind == "vote.refused"]

    async def lines(self) -> int:
        """How long the audit trail is; it must hold together."""
        async with self.sandbox.bot.store.snapshot() as connection:
            report = await verify_chain(connection)
        assert report.broken_at is None
        return report.lines

    async def votes(self) -> int:
        """How many votes are on record, of all requests."""
        async with self.sandbox.bot.store.reading() as connection:
            return int((await connection.execute(text("SELECT count(*) FROM votes"))).scalar_one())

    async def untouched(self, business: str) -> None:
        """Nothing has changed in the target, and no vote was counted."""
        row = await self.sql("SELECT subscription_tier FROM businesses WHERE id = $1::uuid", business)
        assert row["subscription_tier"] == "free"
        assert await self.receipts() == 0
        assert await self.votes() == 0

    async def receipts(self) -> int:
        """How many changes took effect in the target."""
        return int(str((await self.sql("SELECT count(*) AS n FROM runbook_receipts"))["n"]))


def carrying(payload: Json, **ref: str) -> Json:
    """The payload with another reference in its button, given by the one-letter keys of the wire."""
    return valued(payload, json.dumps(ref))


def valued(payload: Json, value: Any) -> Json:
    """The payload with anything at all as its button's value."""
    changed = deepcopy(payload)
    changed["actions"][0]["value"] = value
    return changed


def filled(payload: Json, name: str, value: str) -> Json:
    """The form with a text in one of its inputs."""
    changed = deepcopy(payload)
    for element in changed["view"]["state"]["values"][name].values():
        element["value"] = value
    return changed


def of_user(payload: Json, user: str, **fields: str) -> Json:
    """The payload as if this user had made it."""
    changed = deepcopy(payload)
    changed["user"] |= {"id": user, **fields}
    return changed


def body_of(payload: Json) -> str:
    """An interaction as Slack posts it."""
    return urlencode({"payload": json.dumps(payload)})


@asynccontextmanager
async def living(
    world: World, mode: SlackMode, clock: LeapingClock, runbooks: Path | None = None, *, work: bool = True
) -> AsyncIterator[Gate]:
    """A bot in this world behind one of its doors."""
    settings = settings_in(world, mode, runbooks)
    async with running(settings, world.environment(), clock=clock, work=work, rate_limits=False) as bot:
        if mode is SlackMode.HTTP:
            await world.slack.use_request_url(f"http://127.0.0.1:{bot.port}/slack/events")
        else:
            world.slack.delivery.transport = world.slack.sockets
        async with aiohttp.ClientSession(trust_env=False) as session:
            yield Gate(Sandbox(world, bot), session, clock)


@asynccontextmanager
async def empty_world(postgres: Postgres) -> AsyncIterator[World]:
    """A world without a bot, its database ready for one."""
    async with opened(postgres, MANIFEST, template=await migrated(postgres), rate_limits=False) as world:
        yield world


@pytest.fixture
async def world(postgres: Postgres) -> AsyncIterator[World]:
    """A world without a bot."""
    async with empty_world(postgres) as made:
        yield made


@pytest.fixture
def leaping() -> LeapingClock:
    """The bot's clock."""
    return LeapingClock()


@pytest.fixture
async def http(world: World, leaping: LeapingClock) -> AsyncIterator[Gate]:
    """A bot that Slack reaches by signed HTTP posts."""
    async with living(world, SlackMode.HTTP, leaping) as gate:
        yield gate


@pytest.fixture(params=[SlackMode.HTTP, SlackMode.SOCKET])
async def gate(request: pytest.FixtureRequest, world: World, leaping: LeapingClock) -> AsyncIterator[Gate]:
    """A bot behind each of its doors in turn."""
    async with living(world, request.param, leaping) as made:
        yield made


Runbooks = Callable[[str, str], Path]


@pytest.fixture
def runbooks(tmp_path: Path) -> Runbooks:
    """The shipped runbooks with one passage of RB-011 replaced, in a folder of the test's own."""

    def changed(old: str, new: str) -> Path:
        folder = tmp_path / f"runbooks-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(ROOT / "runbooks", folder)
        file = folder / "alacarte" / "RB-011.yaml"
        said = file.read_text(encoding="utf-8")
        assert old in said
        file.write_text(said.replace(old, new, 1), encoding="utf-8")
        return folder

    return changed


TWO_VOTES = ("approve: {group: billing}", "approve: {group: leads, votes: 2, vote_lifetime: 5m}")


@pytest.fixture
async def pair(world: World, leaping: LeapingClock, runbooks: Runbooks) -> AsyncIterator[Gate]:
    """A bot, reached by HTTP, whose fix needs two of the leads, each vote good for five minutes."""
    async with living(world, SlackMode.HTTP, leaping, runbooks(*TWO_VOTES)) as made:
        yield made
