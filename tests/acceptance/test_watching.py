"""Monitors on their schedule and maintenance windows, in a sandbox whose clock the test moves."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from bot.cli.sandbox import ROOT, populated
from bot.cli.watched import data_of, line_of
from bot.domain.incident import Incident
from bot.domain.monitoring import Standing, State
from bot.sandbox.postgres import Postgres
from bot.sandbox.services import Switch
from bot.slack.views.monitors import standing_word
from bot.timers.watching import LEASE, Watcher
from commands.support import HANDS_OFF
from tests.acceptance.conftest import Scene
from tests.builders import tree
from tests.conftest import ManualClock

SYSTEM = "alacarte"
STATUS = "/status/twilio/api/v2/status.json"
MINUTE = timedelta(minutes=1)
RUNBOOK = """
id: RB-900
title: Businesses are frozen
severity: P2
resolve_within: 1h
inputs:
  business_id: {type: uuid, label: Business}
"""
MONITORS = """
checks:
  frozen:
    sql: SELECT count(*) AS n, (array_agg(id ORDER BY id))[1] AS first FROM businesses WHERE frozen_reason = 'watched'
    expect: one_row
  provider: {http: {get: /api/v2/status.json, service: twilio_status}}
monitors:
  frozen:
    title: Businesses that are frozen
    severity: P2
    every: 1m
    value: frozen.row.n
    unit: businesses
    warn: value > 0
    page: value > 2
    hold: 3m
    say: "{{ value }} businesses are frozen."
    runbook: RB-900
    inputs: {business_id: frozen.row.first}
  provider:
    title: The provider's own word
    severity: P3
    every: 1m
    value: provider.json.status.indicator
    page: value == 'critical'
  frozen_by_hour:
    title: Frozen, looked at once an hour
    severity: P3
    every: 1h
    value: frozen.row.n
    page: value > 2
  cpu: {title: CPU of the database, severity: P1, alert: DatabaseCpuHigh}
"""
CALENDAR = """
zone: America/Toronto
windows:
  upkeep:
    title: Monthly upkeep
    every: month
    day: first sunday
    at: "02:00"
    lasts: 2h
    announce_before: 48h
    announce: upkeep_coming
  deploy: {title: A deployment, lasts: 1h, mutes: [frozen, frozen_by_hour]}
  emergency: {title: An emergency}
"""
TEMPLATE = "\n  upkeep_coming: {subject: Upkeep, body: 'Users of {{ system }} see a page instead.'}\n"


@pytest.fixture
async def scene(postgres: Postgres, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Scene]:
    """A sandbox with monitors and windows of the test's own."""
    folder = tree(tmp_path, RB_900=RUNBOOK, monitors=MONITORS, calendar=CALENDAR)
    system = folder / SYSTEM / "system.yaml"
    system.write_text(system.read_text().replace("\ntemplates:\n", f"\ntemplates:{TEMPLATE}", 1))
    async with populated(postgres, rate_limits=False, clock=clock, runbooks=folder) as sandbox:
        await sandbox.world.plant(SYSTEM, "in_step")
        yield Scene(sandbox)


def watcher(scene: Scene) -> Watcher:
    """Whoever watches in this sandbox."""
    return scene.sandbox.bot.watcher


async def freeze(scene: Scene, businesses: int) -> None:
    """So many businesses are frozen now."""
    await scene.change(
        "UPDATE businesses SET frozen_reason = CASE WHEN id IN (SELECT id FROM businesses ORDER BY id LIMIT $1)"
        " THEN 'watched' ELSE NULL END",
        businesses,
    )


async def minutes(scene: Scene, clock: ManualClock, count: int) -> None:
    """So many minutes pass, each with its round, and what is due is looked at."""
    for _ in range(count):
        clock.pass_(minutes=1)
        await watcher(scene).round()
        await watcher(scene).look(SYSTEM)


async def shown(scene: Scene, key: str = "frozen") -> Standing:
    """How a monitor stands."""
    return await watcher(scene).monitors.one(SYSTEM, key)


async def incidents(scene: Scene, origin: str = "") -> Sequence[Incident]:
    """The open incidents, or those of one origin, the oldest first."""
    found = await scene.sandbox.bot.desk.incidents.open_ones()
    return sorted((each for each in found if origin in ("", each.origin)), key=lambda each: each.number)


async def said(scene: Scene, incident: Incident) -> list[str]:
    """What the timeline says of monitors."""
    lines = await scene.sandbox.bot.desk.reads.audit(incident_id=incident.id)
    wanted = {"incident.reported": "reported", "monitor.changed": "change"}
    return [str(line.data.get("change") or "reported") for line in lines if line.kind in wanted]


async def changes(scene: Scene, key: str = "frozen") -> list[str]:
    """What the trail says of a monitor."""
    lines = await scene.sandbox.bot.desk.reads.audit()
    mine = [line.data for line in lines if line.kind == "monitor.changed" and line.data["monitor"] == key]
    return [str(data["change"]) for data in mine]


async def channels(scene: Scene, person: str = "ana") -> list[str]:
    """What was posted to #operations of maintenance, the oldest first."""
    heads = ("Maintenance ", "Maintenance is")
    texts = [seen.text for seen in scene.person(person).screen() if seen.surface == "message"]
    return [text.split("\n")[0] for text in reversed(texts) if text.startswith(heads)]


async def test_it_pages_after_its_hold_and_is_over_after_a_calm_while(scene: Scene, clock: ManualClock) -> None:
    """From calm to a warning, to one incident with the runbook that is suggested and what it would be started with, and
    back: the incident is told, and not resolved. Looks without a change leave no line in the trail."""
    ana = scene.person("ana")
    await minutes(scene, clock, 2)
    assert (await shown(scene)).watched.state is State.OK
    assert await changes(scene) == []
    await freeze(scene, 3)
    await minutes(scene, clock, 3)
    standing = await shown(scene)
    assert (standing.watched.state, standing_word(standing), await incidents(scene)) == (State.WARNING, "pending", [])
    await minutes(scene, clock, 5)
    (incident,) = await incidents(scene)
    assert (incident.origin, incident.title, incident.severity) == (
        "monitor:frozen",
        "Businesses that are frozen",
        "P2",
    )
    first = await scene.sql("SELECT id FROM businesses ORDER BY id LIMIT 1")
    assert [(each.runbook, dict(each.inputs)) for each in incident.suggestions] == [
        ("RB-900", {"business_id": str(first["id"])})
    ]
    await ana.sees("Suggested  RB-900: 3 businesses are frozen.")
    picture = await ana.sees("Businesses that are frozen: the last")
    assert picture.channel == (await incidents(scene))[0].channel
    await freeze(scene, 0)
    await minutes(scene, clock, 3)
    assert (await shown(scene)).watched.state is State.PAGING
    await minutes(scene, clock, 1)
    assert (await shown(scene)).watched.state is State.OK
    assert await changes(scene) == ["warns", "pages", "over"]
    (incident,) = await incidents(scene)
    assert await said(scene, incident) == ["reported", "over"]
    await ana.types("/incident status", incident.channel)
    await ana.sees("Businesses that are frozen is back at 0 businesses.")


async def test_a_relapse_joins_the_incident(scene: Scene, clock: ManualClock) -> None:
    """While its incident is open, the monitor opens no other one."""
    await freeze(scene, 3)
    await minutes(scene, clock, 4)
    await freeze(scene, 0)
    await minutes(scene, clock, 5)
    await freeze(scene, 4)
    await minutes(scene, clock, 4)
    (incident,) = await incidents(scene, "monitor:frozen")
    assert await said(scene, incident) == ["reported", "over", "reported"]


async def test_a_monitor_that_cannot_be_read_is_an_alert(scene: Scene, clock: ManualClock) -> None:
    """Three looks in a row; said once, with what went wrong; over when it reads again."""
    await minutes(scene, clock, 1)
    scene.sandbox.world.services.switches[STATUS] = Switch(503)
    await minutes(scene, clock, 2)
    assert await incidents(scene) == []
    await minutes(scene, clock, 4)
    (incident,) = await incidents(scene)
    assert (incident.origin, incident.severity) == ("monitors:failed", "P3")
    standing = await shown(scene, "provider")
    assert standing_word(standing) == "failed"
    assert "503" in standing.watched.failed
    del scene.sandbox.world.services.switches[STATUS]
    await minutes(scene, clock, 1)
    assert await said(scene, incident) == ["reported", "reads"]
    assert standing_word(await shown(scene, "provider")) == "ok"


async def test_two_replicas_and_a_worker_that_dies_report_once(scene: Scene, clock: ManualClock) -> None:
    """Ten look at the same moment; one more dies between its look and its store, and is made up for."""
    bot = scene.sandbox.bot
    await freeze(scene, 3)
    await minutes(scene, clock, 3)
    clock.pass_(minutes=1)

    async def dies(_name: str) -> None:
        raise asyncio.CancelledError

    doomed = Watcher(bot.store, bot.desk.library, bot.desk.triage._targets, clock, milestone=dies)
    await doomed.round()
    with pytest.raises(asyncio.CancelledError):
        await doomed.look(SYSTEM)
    replicas = [Watcher(bot.store, bot.desk.library, bot.desk.triage._targets, clock) for _ in range(10)]
    await asyncio.gather(*(each.look(SYSTEM) for each in replicas))
    (incident,) = await incidents(scene, "monitor:frozen")
    assert await said(scene, incident) == ["reported"]
    assert await changes(scene) == ["warns", "pages"]
    assert len((await shown(scene)).watched.history) == 4


async def test_a_worker_killed_between_look_and_store(postgres: Postgres, tmp_path: Path, clock: ManualClock) -> None:
    """Killed as `kill -9` would, with all that it saw: nothing is stored, nobody is told. The next worker comes when
    the dead one is not waited for any more, and tells of it once."""
    clock.time = datetime.now(UTC)
    folder = tree(tmp_path, RB_900=RUNBOOK, monitors=MONITORS)
    async with populated(postgres, rate_limits=False, clock=clock, runbooks=folder, work=False) as sandbox:
        scene = Scene(sandbox)
        await sandbox.world.plant(SYSTEM, "in_step")
        await freeze(scene, 3)
        told = {"RUNBOOKS_PATH": str(folder), "RUNBOOK_MONITORS": "true", "RUNBOOK_CANARY_AT": ""}
        env = {**os.environ, **sandbox.world.environment(), **told}
        words = ("-m", "tests.acceptance.doomed_worker", "looked")
        process = await asyncio.create_subprocess_exec(sys.executable, *words, env=env, cwd=ROOT)
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL
        assert (await shown(scene, "frozen_by_hour")).watched.last_at is None
        assert await incidents(scene) == []
        clock.time = datetime.now(UTC)
        assert await watcher(scene).round() == 0
        clock.pass_(seconds=LEASE.total_seconds())
        assert await watcher(scene).round() == 1
        await watcher(scene).look(SYSTEM)
        (incident,) = await incidents(scene)
        assert (incident.origin, await said(scene, incident)) == ("monitor:frozen_by_hour", ["reported"])


async def test_a_look_on_its_way_is_not_asked_for_again(scene: Scene, clock: ManualClock) -> None:
    """Rounds that come while a worker looks wake no other, until it has not come back for too long."""
    bot = scene.sandbox.bot
    going, begun = asyncio.Event(), asyncio.Event()

    async def waits(_name: str) -> None:
        begun.set()
        await going.wait()

    await minutes(scene, clock, 1)
    clock.pass_(minutes=1)
    bot.watcher._milestone = waits
    assert await bot.watcher.round() == 1
    assert await bot.watcher.round() == 0
    await begun.wait()
    clock.pass_(seconds=LEASE.total_seconds())
    assert await bot.watcher.round() == 1
    assert await bot.watcher.round() == 0
    going.set()


async def test_workers_that_never_come_back_are_an_alert(scene: Scene, clock: ManualClock) -> None:
    """A look that ends its worker each time leaves no reading: the round counts what is lost, and tells of it."""
    bot = scene.sandbox.bot

    async def dies(_name: str) -> None:
        raise OSError("the worker is gone")

    await minutes(scene, clock, 1)
    bot.watcher._milestone = dies
    clock.pass_(minutes=1)
    for _ in range(3):
        assert await bot.watcher.round() == 1
        assert await incidents(scene) == []
        clock.pass_(seconds=LEASE.total_seconds())
    await bot.watcher.round()
    (incident,) = await incidents(scene)
    assert incident.origin == "monitors:failed"
    assert standing_word(await shown(scene)) == "failed"
    assert "did not come back" in (await shown(scene)).watched.failed


async def test_a_window_mutes_and_what_is_left_pages_when_it_ends(scene: Scene, clock: ManualClock) -> None:
    """Ana opens one by hand: its monitors go on and page nobody; the others do. She ends it early: what is still wrong
    pages at the next look, also what is looked at once an hour."""
    ana = scene.person("ana")
    await ana.types("/runbook maintenance alacarte deploy")
    await ana.sees("«A deployment» is open until")
    await ana.sees("Maintenance has begun: A deployment, A La Carte Chat")
    await ana.types("/runbook maintenance alacarte deploy for 2h")
    await ana.sees("«A deployment» is open already")
    await freeze(scene, 3)
    await minutes(scene, clock, 30)
    standing = await shown(scene)
    assert (standing.watched.state, standing.watched.told, standing.muted) == (State.PAGING, False, "A deployment")
    assert await incidents(scene) == []
    await ana.types("/runbook monitors alacarte")
    await ana.sees("muted by A deployment")
    await ana.types("/runbook maintenance alacarte deploy end")
    await ana.sees("«A deployment» is ended.")
    await ana.sees("Maintenance is over: A deployment, A La Carte Chat")
    await minutes(scene, clock, 1)
    assert [each.origin for each in await incidents(scene)] == ["monitor:frozen", "monitor:frozen_by_hour"]
    lines = await scene.sandbox.bot.desk.reads.audit()
    windows = [(line.kind, line.actor) for line in lines if line.kind.startswith("window.")]
    assert windows == [("window.started", "U0ANA"), ("window.ended", "U0ANA")]


async def test_a_window_by_hand_has_an_end(scene: Scene, clock: ManualClock) -> None:
    """One without a usual length needs one; it ends by itself; what was over before then never paged."""
    ana = scene.person("ana")
    await ana.types("/runbook maintenance alacarte emergency")
    await ana.sees("How long will «An emergency» take?")
    await ana.types("/runbook maintenance alacarte emergency for 3d")
    await ana.sees("at most 24 hours")
    await ana.types("/runbook maintenance alacarte nonsense")
    await ana.sees("has no maintenance window «nonsense»")
    await ana.types("/runbook maintenance alacarte emergency for 15m")
    await ana.sees("«An emergency» is open until")
    await ana.types("/runbook maintenance")
    await ana.sees("*An emergency* of alacarte: open until")
    await freeze(scene, 3)
    await minutes(scene, clock, 5)
    await freeze(scene, 0)
    await minutes(scene, clock, 12)
    await ana.sees("Maintenance is over: An emergency")
    assert await incidents(scene) == []
    assert await changes(scene) == ["warns", "pages", "over"]


async def test_support_mutes_nothing(scene: Scene) -> None:
    """Eve of the help desk may look at the monitors and open no window."""
    eve = scene.person("eve")
    await eve.types("/runbook maintenance alacarte deploy")
    await eve.sees(HANDS_OFF)
    assert await scene.sandbox.bot.desk.windows.unfinished() == []


async def test_a_window_of_the_calendar_in_the_night_the_clocks_go_back(scene: Scene, clock: ManualClock) -> None:
    """Announced 48 hours ahead with the system's words, begun at 02:00 of Toronto, an hour later in UTC than the week
    before, and ended: each said once, by however many replicas, and for the next month again."""
    ana = scene.person("ana")
    channels_there = scene.sandbox.world.slack.space.channels.values()
    await ana.joins(next(each.id for each in channels_there if each.name == "operations"))
    system = scene.sandbox.bot.desk.library.catalogue.systems[SYSTEM]
    starts = datetime(2026, 11, 1, 7, 0, tzinfo=UTC)
    clock.time = starts - timedelta(hours=48, minutes=1)
    await watcher(scene).round()
    assert await scene.sandbox.bot.desk.windows.unfinished() == []
    for moment in (starts - timedelta(hours=48), starts - MINUTE, starts, starts + timedelta(hours=2)):
        clock.time = moment
        await asyncio.gather(*(watcher(scene).windows.come_round(system) for _ in range(5)))
    await ana.sees("Maintenance is over: Monthly upkeep")
    lines = [line for line in await scene.sandbox.bot.desk.reads.audit() if line.kind.startswith("window.")]
    assert [(line.kind, line.at) for line in lines] == [
        ("window.announced", starts - timedelta(hours=48)),
        ("window.started", starts),
        ("window.ended", starts + timedelta(hours=2)),
    ]
    assert await channels(scene) == [
        "Maintenance ahead: Monthly upkeep, A La Carte Chat",
        "Maintenance has begun: Monthly upkeep, A La Carte Chat",
        "Maintenance is over: Monthly upkeep, A La Carte Chat",
    ]
    await ana.sees("Users of A La Carte Chat see a page instead.")
    clock.time = datetime(2026, 12, 6, 7, 0, tzinfo=UTC)
    await watcher(scene).round()
    (december,) = await scene.sandbox.bot.desk.windows.unfinished()
    assert december.started_at == clock.time


async def test_an_announcement_with_a_missing_fact(postgres: Postgres, tmp_path: Path, clock: ManualClock) -> None:
    """The system's words cannot be filled in: the window is announced in the bot's own."""
    folder = tree(tmp_path, RB_900=RUNBOOK, monitors=MONITORS, calendar=CALENDAR)
    system = folder / SYSTEM / "system.yaml"
    broken = TEMPLATE.replace("{{ system }}", "{{ account.row.name }}")
    system.write_text(system.read_text().replace("\ntemplates:\n", f"\ntemplates:{broken}", 1))
    async with populated(postgres, rate_limits=False, clock=clock, runbooks=folder) as sandbox:
        clock.time = datetime(2026, 10, 30, 7, 0, tzinfo=UTC)
        await sandbox.bot.watcher.round()
        seen = await sandbox.world.slack.person("ana").sees("Maintenance ahead: Monthly upkeep")
        assert "see a page instead" not in seen.text


async def test_a_window_that_nobody_was_there_for(scene: Scene, clock: ManualClock) -> None:
    """The bot was down: a window that has begun meanwhile is held for what is left of it; one that is past is not."""
    clock.time = datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    await watcher(scene).round()
    (occurrence,) = await scene.sandbox.bot.desk.windows.unfinished()
    assert (occurrence.announced_at, occurrence.started_at) == (None, clock.time)
    clock.time = datetime(2027, 2, 7, 9, 30, tzinfo=UTC)
    await watcher(scene).round()
    assert await scene.sandbox.bot.desk.windows.unfinished() == []
    kinds = [line.kind for line in await scene.sandbox.bot.desk.reads.audit() if line.kind.startswith("window.")]
    assert kinds == ["window.started", "window.ended"]


async def test_a_channel_that_is_gone(scene: Scene, clock: ManualClock) -> None:
    """#operations was archived: the window is told where announcements go, and the people on call themselves when that
    is gone too."""
    ana = scene.person("ana")
    space = scene.sandbox.world.slack.space
    for name in ("operations", "status"):
        await ana.joins(next(each.id for each in space.channels.values() if each.name == name))
    await ana.archives(next(each.id for each in space.channels.values() if each.name == "operations"))
    await ana.types("/runbook maintenance alacarte deploy")
    told = await ana.sees("Maintenance has begun: A deployment")
    assert space.channels[str(told.channel)].name == "status"
    await ana.archives(str(told.channel))
    await ana.types("/runbook maintenance alacarte deploy end")
    told = await ana.sees("Maintenance is over: A deployment")
    assert str(told.channel).startswith("D")


async def test_lists_for_people_and_machines(scene: Scene, clock: ManualClock) -> None:
    """State, last values and next look, in Slack and on the command line; what another system watches is said so; one
    that nobody has looked at for long is stale."""
    ana = scene.person("ana")
    await minutes(scene, clock, 2)
    await freeze(scene, 1)
    await minutes(scene, clock, 1)
    await ana.types("/runbook monitors alacarte")
    seen = await ana.sees("*Businesses that are frozen*  1 businesses  ▁▁█ · warns since")
    assert "1 warning · 2 calm · 1 watched elsewhere" in seen.text
    assert "arrives as the alert «DatabaseCpuHigh»" in seen.text
    line = line_of(await shown(scene))
    assert line.startswith("alacarte     warning   frozen                 1 businesses         ▁▁█ ")
    data = data_of(await shown(scene))
    assert (data["state"], data["value"], data["next_at"], len(data["history"])) == (
        "warning",
        "1",
        (clock.now() + MINUTE).isoformat(),
        3,
    )
    clock.pass_(minutes=30)
    assert standing_word(await shown(scene)) == "stale"
    await ana.types("/runbook monitors nowhere")
    await ana.sees("There is no system «nowhere».")


async def test_the_bot_has_its_schedule(postgres: Postgres, tmp_path: Path) -> None:
    """A bot that is to watch looks at once when it starts, and has one schedule of every minute."""
    folder = tree(tmp_path, RB_900=RUNBOOK, monitors=MONITORS)
    told = {"RUNBOOK_MONITORS": "true"}
    async with populated(postgres, rate_limits=False, runbooks=folder, overrides=told) as sandbox:
        connection = await asyncpg.connect(sandbox.world.environment()["DATABASE_URL"])
        try:
            async with asyncio.timeout(20):
                while not await connection.fetchval("SELECT count(*) = 3 FROM monitors WHERE last_at IS NOT NULL"):
                    pass
                mine = "SELECT entrypoint, expression FROM pgqueuer_schedules WHERE entrypoint = 'monitors'"
                while not (found := await connection.fetch(mine)):
                    pass
            assert [tuple(row) for row in found] == [("monitors", "* * * * *")]
        finally:
            await connection.close()
