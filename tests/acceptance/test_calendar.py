"""The calendar through Slack's wire: lists come round in their channel, people tick them, none is lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.cli.sandbox import populated
from bot.domain.months import Kept, Stands
from bot.domain.proof import Proof, ProofKind
from bot.domain.run import Run, RunState
from bot.runs.calendars import Calendars
from bot.sandbox.postgres import Postgres
from bot.sandbox.slack import membership
from bot.sandbox.slack.records import Channel
from bot.sandbox.slack.screen import Seen
from bot.slack.verbs import Verb
from bot.store import proofs
from tests.acceptance.conftest import Scene
from tests.builders import tree
from tests.conftest import ManualClock

pytestmark = pytest.mark.runbooks

RUNBOOK = """
id: RB-902
title: A round
severity: P3
resolve_within: 1d
inputs:
  which: {type: choice, label: Round, choices: [daily, weekly], default: daily}
checks:
  round:
    title: The round
    checklist:
      seen: {title: "{{ which }} numbers add up", done: 1 + 1 == 2}
      report: {title: Read the report}
      alerts: {title: Go through the alerts}
findings:
  whole: {when: round.ok and round.all, say: Everything is done.}
  left: {when: round.ok and not round.all, say: "Left: {{ round.left|join(', ') }}."}
"""
CALENDAR = """
zone: America/Toronto
appointments:
  daily: {title: The daily round, every: day, at: "09:00", runbook: RB-902, remind_after: 4h}
  weekly:
    title: The weekly round
    every: week
    day: monday
    at: "09:30"
    runbook: RB-902
    inputs: {which: weekly}
    remind_after: 1d
"""
# In winter Toronto's nine o'clock is 14:00 UTC.
NINE = datetime(2026, 11, 21, 14, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def scene(postgres: Postgres, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Scene]:
    """A sandbox with one list and a calendar, and a clock that the test moves; the calendar is kept since the night."""
    runbooks = tree(tmp_path, RB_902=RUNBOOK, calendar=CALENDAR)
    async with populated(
        postgres, rate_limits=False, runbooks=runbooks, clock=clock, overrides={"RUNBOOK_CALENDARS": "true"}
    ) as sandbox:
        yield Scene(sandbox)


async def at(scene: Scene, clock: ManualClock, moment: datetime) -> None:
    """So late it is; the calendars have been looked at."""
    clock.time = moment
    await scene.sandbox.bot.calendars.look()


async def runs(scene: Scene) -> list[Run]:
    """What was started, oldest first."""
    return list(reversed(await scene.sandbox.bot.desk.reads.recent(50)))


async def asking(scene: Scene, count: int) -> Run:
    """The newest run, once there are so many and it asks for ticks."""

    async def probe() -> Run | None:
        found = await runs(scene)
        return found[-1] if len(found) == count and found[-1].questions else None

    return await scene.until(probe, f"run {count} asking")


async def ended(scene: Scene, run: Run) -> Run:
    """The run, once it has ended."""

    async def probe() -> Run | None:
        now = await scene.sandbox.bot.desk.reads.run(run.id)
        return now if now.state.final else None

    return await scene.until(probe, "the end of the run")


async def month(scene: Scene, year: int = 2026, number: int = 11) -> list[Kept]:
    """What the record says of a month."""
    return list(await scene.sandbox.bot.desk.months.month("alacarte", year, number))


def channel(scene: Scene, name: str) -> Channel:
    """A channel of the workspace."""
    found = scene.sandbox.world.slack.space.find_channel(name)
    assert found is not None
    return found


def within(scene: Scene, name: str, *words: str) -> object:
    """Whether something was said in this channel with all these words."""
    place = channel(scene, name).id
    return lambda seen: isinstance(seen, Seen) and seen.channel == place and all(each in seen.text for each in words)


async def test_a_list_comes_round_and_people_tick_it(scene: Scene, clock: ManualClock) -> None:
    """At nine by Toronto's clocks, and not before, the list stands in the channel of the calendar; what a check can
    tell is ticked, people who are there tick the rest, and the run ends with that and says who did it."""
    ana, ben = scene.person("ana"), scene.person("ben")
    await at(scene, clock, NINE - timedelta(minutes=1))
    assert await runs(scene) == []
    await at(scene, clock, NINE)
    run = await asking(scene, 1)
    card = await ana.sees("RB-902 The daily round")
    assert card.channel == channel(scene, "operations").id
    assert (run.requested_by, run.incident, run.inputs) == ("bot", None, {"which": "daily"})
    await ana.sees("☑ daily numbers add up – seen by the bot")
    await ana.clicks(Verb.TICK, card)
    await ana.submits(open_0=["report"])
    await ana.sees("2 of 3 done")
    await ben.clicks(Verb.TICK, card)
    await ben.submits(open_0=["alerts"])
    await ben.sees("Everything is done.")
    await at(scene, clock, NINE + HOUR)
    assert (await ended(scene, run)).state is RunState.DONE
    said = await ben.sees(
        lambda seen: "The daily round: done after 1 h" in seen.text and "3 of 3 items done" in seen.text
    )
    assert said.raw["thread_ts"] == card.ts
    (kept,) = [each for each in await month(scene) if each.stands is Stands.DONE]
    assert [(item.title, item.by, item.at) for item in kept.items] == [
        ("daily numbers add up", "", None),
        ("Read the report", "U0ANA", NINE),
        ("Go through the alerts", "U0BEN", NINE),
    ]


async def test_a_week_passes_with_several_replicas(scene: Scene, clock: ManualClock) -> None:
    """Three replicas look at every minute that counts: each day has one daily list, Monday its weekly one too; a list
    that nobody finished ends when the next one comes, and what was left is said there."""
    others = [Calendars(scene.sandbox.bot.store, scene.sandbox.bot.desk.library) for _ in range(2)]
    replicas = [scene.sandbox.bot.calendars, *others]
    for day in range(7):
        for late in (timedelta(0), timedelta(minutes=30), timedelta(hours=3)):
            clock.time = NINE + day * DAY + late
            await asyncio.gather(*(each.look() for each in replicas))
    found = await runs(scene)
    assert [run.title for run in found] == ["The daily round"] * 3 + ["The weekly round"] + ["The daily round"] * 4
    await asking(scene, 8)
    dailies = [run for run in found if run.title == "The daily round"]
    old = [await ended(scene, run) for run in dailies[:-1]]
    assert {(run.state, run.reason) for run in old} == {(RunState.CANCELLED, "not finished before it came round again")}
    kept = await month(scene)
    assert [each.stands for each in kept if each.key == "daily"][:8] == [Stands.UNFINISHED] * 6 + [
        Stands.OPEN,
        Stands.PLANNED,
    ]
    said = await scene.person("ana").sees(f"Last time (run {dailies[-2].number}) was not finished.")
    assert "Read the report" in said.text
    assert "Go through the alerts" in said.text
    lines = await scene.sandbox.bot.desk.reads.audit()
    assert [line.kind for line in lines].count("calendar.started") == 8
    assert [line.kind for line in lines].count("calendar.unfinished") == 6


async def test_what_came_round_while_nobody_ran(scene: Scene, clock: ManualClock) -> None:
    """Twelve hours late a daily list is started no more, an hour less it is; of several that were missed only the last
    one is made up for, and the month says that the others were not started. What came round before the calendar was
    kept never was missed."""
    await at(scene, clock, NINE + 12 * HOUR)
    assert await runs(scene) == []
    await at(scene, clock, NINE + 3 * DAY + 11 * HOUR)
    found = [(run.title, run.requested_at) for run in await runs(scene)]
    # Sunday's and Monday's are lost; the weekly one of Monday is two days old.
    assert found == [("The weekly round", clock.time), ("The daily round", clock.time)]
    kept = await month(scene)
    stands = [each.stands for each in kept if each.key == "daily"]
    assert stands[:5] == [Stands.NOT_STARTED] * 3 + [Stands.OPEN, Stands.PLANNED]
    assert kept[0].at == NINE
    late = [
        line.data["late_seconds"] for line in await scene.sandbox.bot.desk.reads.audit() if "late_seconds" in line.data
    ]
    assert late == [round((DAY + 10.5 * HOUR).total_seconds()), round((11 * HOUR).total_seconds())]


@pytest.mark.parametrize(
    ("first", "hours"),
    [(datetime(2027, 11, 6, 13, tzinfo=UTC), (25, 24)), (datetime(2027, 3, 13, 14, tzinfo=UTC), (23, 24))],
    ids=["autumn", "spring"],
)
async def test_the_clocks_change(scene: Scene, clock: ManualClock, first: datetime, hours: tuple[int, int]) -> None:
    """Nine o'clock stays nine o'clock on the wall in Toronto over both changes of the clocks: one list a day, 25 or 23
    hours after the one before."""
    await at(scene, clock, first - HOUR)
    for minutes in range(0, 70 * 60, 30):
        await at(scene, clock, first + timedelta(minutes=minutes))
    times = [run.requested_at for run in await runs(scene) if run.title == "The daily round"]
    assert [(later - before) / HOUR for before, later in pairwise(times)] == list(hours)
    assert times[0] == first


async def test_people_are_reminded(scene: Scene, clock: ManualClock) -> None:
    """Four hours on, those on call are named in the thread with what is open; once, and the weekly list's again a day
    later, three times at most. A list that is ticked reminds nobody."""
    ana = scene.person("ana")
    await at(scene, clock, NINE)
    await asking(scene, 1)
    await at(scene, clock, NINE + 4 * HOUR - timedelta(minutes=1))
    await at(scene, clock, NINE + 4 * HOUR)
    said = await ana.sees(lambda seen: "The daily round is not finished after 4 h. Still open:" in seen.text)
    assert "'usergroup_id': 'S0ONCALL'" in str(said.raw["blocks"]) or "usergroup" in str(said.raw["blocks"])
    assert "Read the report" in said.text
    assert "numbers add up" not in said.text
    for minutes in (1, 2, 60):
        await at(scene, clock, NINE + 4 * HOUR + timedelta(minutes=minutes))
    assert await reminders(scene) == {"The daily round": 1}
    monday = NINE + 2 * DAY + timedelta(minutes=30)
    for hour in range(24 * 6):
        await at(scene, clock, monday + hour * HOUR)
    assert (await reminders(scene))["The weekly round"] == 3


async def test_a_ticked_list_reminds_nobody(scene: Scene, clock: ManualClock) -> None:
    """Everything is ticked in time; four hours on nothing is said."""
    ana = scene.person("ana")
    await at(scene, clock, NINE)
    run = await asking(scene, 1)
    await ana.clicks(Verb.TICK)
    await ana.submits(open_0=["report", "alerts"])
    await ana.sees("Everything is done.")
    await at(scene, clock, NINE + 4 * HOUR)
    await ended(scene, run)
    await at(scene, clock, NINE + 5 * HOUR)
    assert await reminders(scene) == {}


async def reminders(scene: Scene) -> dict[str, int]:
    """How often people were reminded, by title."""
    lines = [line for line in await scene.sandbox.bot.desk.reads.audit() if line.kind == "calendar.reminded"]
    return {line.data["title"]: sum(each.data["title"] == line.data["title"] for each in lines) for line in lines}


# -- channels that people change ---------------------------------------------------------------------------------------


async def card_in(scene: Scene, name: str, title: str = "RB-902 The daily round") -> Seen:
    """The list, once it stands in this channel."""
    place = channel(scene, name).id
    return await scene.person("ana").sees(
        lambda seen: seen.channel == place and title in seen.text and "☐" in seen.text
    )


async def test_a_channel_that_is_renamed_goes_on(scene: Scene, clock: ManualClock) -> None:
    """The channel was found by its name once; under its new name it has the next list too, and another channel that
    takes the old name has none."""
    space = scene.sandbox.world.slack.space
    await at(scene, clock, NINE)
    first = await card_in(scene, "operations")
    membership.rename(space, channel(scene, "operations"), "daily-work", "U0ANA")
    membership.create(space, "operations", "U0ANA", is_private=False)
    await at(scene, clock, NINE + DAY)
    second = await scene.person("ana").sees(
        lambda seen: seen.ts != first.ts and "RB-902 The daily round" in seen.text and "☐" in seen.text
    )
    assert second.channel == first.channel == channel(scene, "daily-work").id
    assert not [
        seen
        for seen in scene.person("ana").screen()
        if seen.channel == channel(scene, "operations").id and "RB-" in seen.text
    ]


async def test_an_archived_channel_is_told_elsewhere(scene: Scene, clock: ManualClock) -> None:
    """What belongs in a channel that was archived comes to the announcements with a sentence that says why, once; a
    list that stood in it goes on there too, and can be ticked there."""
    ana = scene.person("ana")
    await at(scene, clock, NINE)
    await card_in(scene, "operations")
    await ana.archives("operations")
    await at(scene, clock, NINE + 4 * HOUR)
    card = await card_in(scene, "status")
    await ana.sees(
        lambda seen: "belongs in #operations, which is archived." in seen.text and seen.channel == card.channel
    )
    reminder = await ana.sees("Still open:")
    assert (reminder.channel, reminder.raw["thread_ts"]) == (card.channel, card.ts)
    await ana.clicks(Verb.TICK, card)
    await ana.submits(open_0=["report", "alerts"])
    await ana.sees(lambda seen: seen.channel == card.channel and "Everything is done." in seen.text)
    told = [seen for seen in ana.screen() if "which is archived" in seen.text]
    assert len(told) == 1


async def test_without_any_channel_those_on_call_are_told(scene: Scene, clock: ManualClock) -> None:
    """Both channels are gone: the list comes as a direct message to who is on call, who can tick it there; who else is
    on call is told who has it."""
    space = scene.sandbox.world.slack.space
    for name in ("operations", "status"):
        del space.channels[channel(scene, name).id]
    membership.regroup(space, "on-call", ["U0ANA", "U0BEN"])
    await at(scene, clock, NINE)
    ana, ben = scene.person("ana"), scene.person("ben")
    card = await ana.sees(lambda seen: "RB-902 The daily round" in seen.text and "☐" in seen.text)
    assert space.channels[str(card.channel)].is_direct
    await ana.sees("which does not exist, or I cannot see it.")
    told = await ben.sees("It goes on in a direct message with")
    assert "U0ANA" in str(told.raw["blocks"])
    await ana.clicks(Verb.TICK, card)
    await ana.submits(open_0=["report", "alerts"])
    await ana.sees("Everything is done.")


async def test_removed_from_its_channel_the_bot_comes_back(scene: Scene, clock: ManualClock) -> None:
    """The system's file says that the list belongs there: the bot joins a public channel again."""
    space = scene.sandbox.world.slack.space
    membership.leave(space, channel(scene, "operations"), space.bot_user)
    await at(scene, clock, NINE)
    await card_in(scene, "operations")
    assert space.bot_user in channel(scene, "operations").members


# -- what is kept ------------------------------------------------------------------------------------------------------


async def test_the_month_is_posted(scene: Scene, clock: ManualClock) -> None:
    """When the month is over in Toronto its table is posted into the channel, once; people are named in it, and what
    came round before the calendar was kept is not in it."""
    ana = scene.person("ana")
    last = datetime(2026, 11, 30, 14, tzinfo=UTC)
    await at(scene, clock, last)
    run = await asking(scene, 1)
    await ana.clicks(Verb.TICK)
    await ana.submits(open_0=["report"], because="No alerts came")
    await ana.sees("Left: Go through the alerts.")
    await at(scene, clock, last + timedelta(minutes=30))
    await ended(scene, run)
    await at(scene, clock, datetime(2026, 12, 1, 4, 59, tzinfo=UTC))
    assert not [seen for seen in ana.screen() if "2026-11" in seen.text]
    for minute in range(3):
        await at(scene, clock, datetime(2026, 12, 1, 5, minute, tzinfo=UTC))
    said = await ana.sees("2026-11:")
    assert said.channel == channel(scene, "operations").id
    file = next(each for each in scene.sandbox.world.slack.space.files.values() if each.name.startswith("calendar-"))
    rows = (file.data or b"").decode("utf-8-sig").splitlines()
    assert rows[0].startswith("system,appointment,planned,started,ended,state,run,item,done,by,at,why")
    assert [row for row in rows if "2026-11-30 09:00-05:00" in row] == [
        "alacarte,The daily round,2026-11-30 09:00-05:00,2026-11-30 09:00-05:00,2026-11-30 09:30-05:00,"
        f"closed with something left,1,{rest}"
        for rest in (
            "daily numbers add up,yes,bot,,No alerts came",
            "Read the report,yes,ana (U0ANA),2026-11-30 09:00-05:00,No alerts came",
            "Go through the alerts,no,,,No alerts came",
        )
    ]
    assert sum("calendar-" in each.name for each in scene.sandbox.world.slack.space.files.values()) == 1


async def test_what_comes_next_is_asked_for(scene: Scene, clock: ManualClock) -> None:
    """/runbook calendar says when each list comes next by the calendar's clocks and what is open; a system that there
    is not is said to be none."""
    ana = scene.person("ana")
    await at(scene, clock, NINE)
    run = await asking(scene, 1)
    await ana.types("/runbook calendar")
    said = await ana.sees("The daily round: Sun 2026-11-22 09:00 (RB-902)")
    assert f"open, run {run.number}: Read the report and Go through the alerts" in said.text
    assert "The weekly round: Mon 2026-11-23 09:30 (RB-902)" in said.text
    assert "America/Toronto" in said.text
    await ana.types("/runbook calendar nothing")
    await ana.sees("There is no system «nothing».")


# -- what is proposed, and what goes wrong -----------------------------------------------------------------------------

ACTING = """
id: RB-903
title: A round that acts
severity: P3
resolve_within: 1d
checks:
  frozen:
    title: Frozen without a reason
    sql: SELECT id, name, is_frozen FROM businesses WHERE id = '0a1aca27-0011-4000-8000-000000000001'
    expect: one_row
findings:
  look: {when: not frozen.row.is_frozen, say: "{{ frozen.row.name }} is not frozen.", propose: [freeze, look_on]}
actions:
  freeze:
    title: Freeze it
    sql: UPDATE businesses SET is_frozen = true WHERE id = '0a1aca27-0011-4000-8000-000000000001' AND NOT is_frozen
    expect_rows: 1
    approve: {group: billing}
    undo: {none: It is thawed by hand.}
  look_on:
    title: Look at the list
    runbook: RB-902
"""
ACTING_CALENDAR = """
zone: UTC
appointments:
  acting: {title: A round that acts, every: day, at: "14:00", runbook: RB-903, remind_after: 1h}
  drill: {title: A round with a drill, every: day, at: "16:00", runbook: RB-902, drill: true}
  wrong: {title: A round that cannot, every: day, at: "15:00", runbook: RB-902, inputs: {which: yearly}}
"""


@pytest.fixture
async def acting(postgres: Postgres, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Scene]:
    """A sandbox with a calendar that starts a runbook with an action, and one whose inputs do not fit."""
    runbooks = tree(tmp_path, RB_902=RUNBOOK, RB_903=ACTING, calendar=ACTING_CALENDAR)
    async with populated(
        postgres, rate_limits=False, runbooks=runbooks, clock=clock, overrides={"RUNBOOK_CALENDARS": "true"}
    ) as sandbox:
        scene = Scene(sandbox)
        await scene.plant("in_step")
        yield scene


async def test_what_the_calendar_starts_is_gated_like_anything_else(acting: Scene, clock: ManualClock) -> None:
    """What a round proposes waits for an approver in its channel, reminds of itself, and changes something only after
    the yes; what it leads to is in the same channel, and is led to once."""
    ana, ben = acting.person("ana"), acting.person("ben")
    await at(acting, clock, NINE)
    run = await acting.run_is(RunState.AWAITING_APPROVAL)
    operations = channel(acting, "operations").id
    await ana.sees(lambda seen: seen.channel == operations and "Waiting for 1 vote" in seen.text)
    assert (await acting.sql("SELECT is_frozen FROM businesses WHERE id::text LIKE '0a1aca27-0011%'"))[
        "is_frozen"
    ] is False
    await at(acting, clock, NINE + timedelta(minutes=20))
    await ben.clicks(Verb.APPROVE)

    async def listed() -> Run | None:
        found = [each for each in await runs(acting) if each.runbook == "RB-902" and each.questions]
        return found[0] if found else None

    led = await acting.until(listed, "the list that the round leads to")
    assert (led.channel, led.incident, led.origin) == ("operations", None, run.id)
    assert (await acting.sql("SELECT is_frozen FROM businesses WHERE id::text LIKE '0a1aca27-0011%'"))[
        "is_frozen"
    ] is True
    await ana.sees(lambda seen: seen.channel == operations and "RB-902 A round" in seen.text)
    await ana.sees(lambda seen: seen.channel == operations and "A round that acts: done after 20 min" in seen.text)


async def test_what_cannot_be_started_is_said(acting: Scene, clock: ManualClock) -> None:
    """An input that is not on the list: that is said in the channel once, and stands in the month; the other
    appointment is none the worse."""
    await at(acting, clock, NINE + HOUR)
    await at(acting, clock, NINE + HOUR)
    said = await acting.person("ana").sees("A round that cannot came round at Sat 2026-11-21 15:00 (UTC)")
    assert said.channel == channel(acting, "operations").id
    kept = [each for each in await month(acting) if each.key == "wrong"]
    assert kept[0].stands is Stands.NOT_STARTED
    assert "which" in kept[0].why
    assert [run.title for run in await runs(acting)] == ["A round that acts"]


async def test_a_fire_drill_is_offered_with_its_score(acting: Scene, clock: ManualClock) -> None:
    """Beside the round that asks for one stands the runbook that was drilled longest ago, how to play it, and, once
    somebody has played and recorded it, how it went; drills of before it was offered do not count."""
    ana, store = acting.person("ana"), acting.sandbox.bot.store
    known = acting.sandbox.bot.desk.library.known("RB-903")

    async def record(moment: datetime, said: str) -> None:
        async with store.transaction() as tx:
            proof = Proof(known.id, known.system, known.version, ProofKind.DRILL, passed=True, at=moment, detail=said)
            await proofs.record(tx, ProofKind.DRILL, [proof], "terminal:ana")

    await record(NINE - 40 * DAY, "of before")
    await at(acting, clock, NINE + 2 * HOUR)
    offer = await ana.sees("Fire drill: RB-903 A round that acts, last drilled 40 days ago.")
    assert "runbook drill RB-903 --record" in offer.text
    await at(acting, clock, NINE + 3 * HOUR)
    await record(NINE + 4 * HOUR, "3 of 3 branches as expected")
    for minutes in range(2):
        await at(acting, clock, NINE + 4 * HOUR + timedelta(minutes=minutes))
    said = await ana.sees("Fire drill of RB-903: passed, 3 of 3 branches as expected.")
    assert said.raw["thread_ts"] == offer.raw["thread_ts"]
    kinds = [line.kind for line in await acting.sandbox.bot.desk.reads.audit()]
    assert kinds.count("calendar.drilled") == 1


async def test_a_channel_that_is_shared_hears_nothing(scene: Scene, clock: ManualClock) -> None:
    """What is looked at stays in the house: a calendar's channel that another organisation reads is passed over."""
    channel(scene, "operations").sharing = "shared"
    await at(scene, clock, NINE)
    await card_in(scene, "status")
    await scene.person("ana").sees("which is shared with another organisation.")


async def test_one_replica_looks_every_minute(scene: Scene) -> None:
    """The look is on the schedule that all replicas share, once."""
    async with scene.sandbox.bot.store.reading() as connection:
        query = text("SELECT expression FROM pgqueuer_schedules WHERE entrypoint = 'calendars'")

        async def there() -> list[str] | None:
            return list((await connection.execute(query)).scalars()) or None

        assert await scene.until(there, "the schedule") == ["* * * * *"]
