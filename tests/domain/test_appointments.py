"""What is due of a calendar, when people are reminded, and what a run leaves open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from bot.domain.appointments import (
    Occurrence,
    Taken,
    before,
    bounds,
    due,
    left_open,
    month_of,
    reminder_due,
    settled,
    to_drill,
)
from bot.domain.checklist import Checklist, Item
from bot.domain.facts import Fact, FactStatus
from bot.domain.operations import Appointment, Calendar, Every, Turn
from bot.domain.proof import Proven, Standing, Stands
from bot.domain.run import ActionRun, ActionStatus, CheckRun, CheckStatus, RunState
from tests import builders as b

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)  # a Monday
LONG_AGO = dict.fromkeys(("daily", "weekly", "monthly"), NINE - 400 * DAY)
DAILY = Appointment("daily", "Daily", Turn(Every.DAY, time(9)), "RB-1", remind_after=4 * HOUR)
CALENDAR = Calendar(
    "UTC",
    {
        "daily": DAILY,
        "weekly": Appointment("weekly", "Weekly", Turn(Every.WEEK, time(9), "monday"), "RB-1"),
        "monthly": Appointment("monthly", "Monthly", Turn(Every.MONTH, time(9), "first monday"), "RB-1"),
    },
)
STARTED = Occurrence("shop", "daily", NINE, Taken.STARTED, started_at=NINE)


def keys(now: datetime, since: dict[str, datetime] | None = None) -> list[tuple[str, datetime]]:
    """What is due."""
    return [(each.appointment.key, each.at) for each in due(CALENDAR, LONG_AGO if since is None else since, now)]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (NINE - timedelta(seconds=1), []),
        (NINE, [("daily", NINE), ("weekly", NINE)]),
        (NINE + 12 * HOUR - timedelta(seconds=1), [("daily", NINE), ("weekly", NINE)]),
        (NINE + 12 * HOUR, [("weekly", NINE)]),
        (NINE + DAY, [("weekly", NINE), ("daily", NINE + DAY)]),
        (NINE + 3 * DAY - timedelta(seconds=1), [("weekly", NINE)]),
        (NINE + 13 * DAY + 23 * HOUR, []),
        (NINE + 20 * DAY, [("monthly", NINE + 14 * DAY), ("daily", NINE + 20 * DAY)]),
    ],
)
def test_what_is_due(now: datetime, expected: list[tuple[str, datetime]]) -> None:
    """From its moment on, as long as there is use in it, the last time only."""
    assert keys(now) == expected


def test_what_came_round_before_it_was_kept_is_not_due() -> None:
    """An appointment is kept from when it was first seen; what is not known yet is not due."""
    assert keys(NINE + HOUR, {}) == []
    assert keys(NINE + HOUR, {**LONG_AGO, "weekly": NINE + timedelta(minutes=1)}) == [("daily", NINE)]
    assert keys(NINE + HOUR, {"daily": NINE}) == []
    assert keys(NINE + HOUR, {"daily": NINE - timedelta(microseconds=1)}) == [("daily", NINE)]


def test_reminders() -> None:
    """After its time, then a day later, three times at most; never for what reminds nobody."""
    assert not reminder_due(DAILY, STARTED, NINE + 4 * HOUR - timedelta(seconds=1))
    assert reminder_due(DAILY, STARTED, NINE + 4 * HOUR)
    once = replace(STARTED, reminders=1, reminded_at=NINE + 4 * HOUR)
    assert not reminder_due(DAILY, once, NINE + 4 * HOUR + DAY - timedelta(seconds=1))
    assert reminder_due(DAILY, once, NINE + 4 * HOUR + DAY)
    assert not reminder_due(DAILY, replace(once, reminders=3), NINE + 100 * DAY)
    assert not reminder_due(replace(DAILY, remind_after=None), STARTED, NINE + 100 * DAY)


def test_what_is_left_open() -> None:
    """Items that nobody ticked, questions, approvals and looks that failed; nothing of a run that has ended."""
    listed = Checklist((Item("a", "Seen", seen=True), Item("b", "Ticked", by="U0ANA"), Item("c", "Open"))).items
    asking = Fact(FactStatus.ASKING, {"items": [each.data() for each in listed]})
    checks = {
        "list": CheckRun("list", CheckStatus.ASKING),
        "why": CheckRun("why", CheckStatus.ASKING),
        "look": CheckRun("look", CheckStatus.FAILED),
    }
    waiting = ActionRun("freeze", ActionStatus.REQUESTED, request="r")
    run = replace(b.run(RunState.DECIDING, waiting), checks=checks)
    titles = {"why": "Why?", "look": "The report", "freeze": "Freeze it"}
    left = left_open(run, {"list": asking, "why": Fact(FactStatus.ASKING, {"text": "Why?"})}, titles)
    assert left == ("Open", "Why?", "approval of «Freeze it»", "«The report» could not be read")
    assert left_open(replace(run, state=RunState.CANCELLED), {"list": asking}, titles) == ()


def test_when_a_run_is_settled() -> None:
    """Nothing asks, nothing is proposed, no look failed; else somebody has to decide, and that is what is open."""
    quiet = b.run(RunState.DECIDING)
    assert settled(quiet)
    assert left_open(quiet, {}, {}) == ()
    denied = b.run(RunState.DECIDING, ActionRun("freeze", ActionStatus.DENIED))
    assert not settled(denied)
    assert left_open(denied, {}, {}) == ("a decision on what is done about it",)
    failed = replace(quiet, checks={"look": CheckRun("look", CheckStatus.FAILED)})
    asks = replace(quiet, checks={"ask": CheckRun("ask", CheckStatus.ASKING)})
    looking = replace(quiet, concluded=False)
    assert not any(map(settled, (failed, asks, looking, replace(quiet, state=RunState.DONE))))


def test_months_of_a_zone() -> None:
    """A month begins at midnight of its zone, whichever offset that has then."""
    assert bounds(2026, 11, "America/Toronto") == (
        datetime(2026, 11, 1, 4, tzinfo=UTC),
        datetime(2026, 12, 1, 5, tzinfo=UTC),
    )
    assert bounds(2026, 12, "Asia/Kolkata")[1] == datetime(2026, 12, 31, 18, 30, tzinfo=UTC)
    assert month_of(datetime(2026, 12, 1, 4, 59, tzinfo=UTC), "America/Toronto") == (2026, 11)
    assert (before(2026, 1), before(2026, 12)) == ((2025, 12), (2026, 11))


def test_whose_turn_the_fire_drill_is() -> None:
    """One that was never drilled, or else the one of longest ago; not the list itself, nor what repairs nothing."""

    def standing(days: int | None) -> Proven:
        last = None if days is None else NINE - days * DAY
        return Proven(Stands(Standing.GOOD, last, last), Stands(Standing.NEVER), NINE)

    names = ("RB-1", "RB-2", "RB-3", "RB-4")
    runbooks = [b.runbook(id=name) for name in names] + [b.runbook(id="RB-0", actions={})]
    ages = {"RB-0": None, "RB-1": 90, "RB-2": 40, "RB-3": 5, "RB-4": None}
    days = {name: standing(age) for name, age in ages.items()}
    assert to_drill(runbooks, days, "RB-1") == "RB-4"
    assert to_drill(runbooks, {**days, "RB-4": standing(1)}, "RB-1") == "RB-2"
    assert to_drill(runbooks, {**days, "RB-4": standing(1)}, "RB-9") == "RB-1"
    assert to_drill([], {}, "RB-1") == ""
