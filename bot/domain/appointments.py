"""What is to be done about a system's calendar at a moment: what is started, reminded of, closed, and what is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.checklist import checklist_of
from bot.domain.facts import Fact
from bot.domain.operations import Appointment, Calendar, Every
from bot.domain.proof import Proven
from bot.domain.rounds import rounds
from bot.domain.run import ActionStatus, CheckStatus, Run, RunState
from bot.domain.runbook import Runbook

_INSTANT = timedelta(microseconds=1)
REMIND_AGAIN = timedelta(days=1)
MOST_REMINDERS = 3
# What came round while no replica ran is made up for as long as there is use in it before it comes round again.
MADE_UP_FOR: Mapping[Every, timedelta] = {
    Every.DAY: timedelta(hours=12),
    Every.WEEKDAY: timedelta(hours=12),
    Every.WEEK: timedelta(days=3),
    Every.MONTH: timedelta(days=7),
    Every.QUARTER: timedelta(days=7),
    Every.YEAR: timedelta(days=7),
}


class Taken(StrEnum):
    """What a row of the calendar says: since when an appointment is kept, that an occurrence was started or could not
    be, or that a month was posted."""

    KEPT = "kept"
    STARTED = "started"
    FAILED = "failed"
    POSTED = "posted"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that an appointment came round: `at` is when it was planned, `run` what was started for it, `problem`
    why nothing was; `reminders` says how often people were reminded. `drill` is the runbook chosen for a fire drill."""

    system: str
    key: str
    at: datetime
    state: Taken
    title: str = ""
    run: str | None = None
    started_at: datetime | None = None
    reminders: int = 0
    reminded_at: datetime | None = None
    problem: str = ""
    drill: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """An appointment whose time has come."""

    appointment: Appointment
    at: datetime


def due(calendar: Calendar, kept_since: Mapping[str, datetime], now: datetime) -> tuple[Due, ...]:
    """What has come round and is not too late to be started: of each appointment the last time only, and none of before
    it was kept. What was taken already is among them."""
    found = []
    for key, each in calendar.appointments.items():
        since = kept_since.get(key)
        if since is None:
            continue
        begin = max(since, now - MADE_UP_FOR[each.turn.every]) + _INSTANT
        times = list(rounds(each.turn, calendar.zone, begin, now + _INSTANT))
        found += [Due(each, times[-1])] if times else []
    return tuple(sorted(found, key=lambda one: one.at))


def reminder_due(appointment: Appointment, taken: Occurrence, now: datetime) -> bool:
    """Whether people are to be reminded: once its time is over, then once a day, and not for ever."""
    if appointment.remind_after is None or taken.started_at is None or taken.reminders >= MOST_REMINDERS:
        return False
    if taken.reminded_at is None:
        return now >= taken.started_at + appointment.remind_after
    return now >= taken.reminded_at + REMIND_AGAIN


def left_open(run: Run, facts: Mapping[str, Fact], titles: Mapping[str, str]) -> tuple[str, ...]:
    """What a run still waits for, in a few words each: items that nobody ticked, questions, approvals, looks that
    failed. `titles` names checks and actions by their keys. Nothing once it has ended."""
    if run.state.final:
        return ()
    found: list[str] = []
    for check in run.questions:
        fact = facts.get(check.key)
        listed = None if fact is None else checklist_of(fact.value)
        found += [titles.get(check.key, check.key)] if listed is None else [item.title for item in listed.left]
    current = run.current
    if current is not None and current.status is ActionStatus.REQUESTED:
        found.append(f"approval of «{titles.get(current.key, current.key)}»")
    elif current is not None:
        found.append(f"«{titles.get(current.key, current.key)}» is {current.status}")
    if run.state is RunState.PARKED and current is None:
        found.append("it has stopped, and a person has to look")
    failed = [titles.get(each.key, each.key) for each in run.checks.values() if each.status is CheckStatus.FAILED]
    found += [f"«{title}» could not be read" for title in failed]
    return tuple(found) or (() if settled(run) else ("a decision on what is done about it",))


def settled(run: Run) -> bool:
    """Whether nothing of a run waits for anybody: all was seen, ticked and answered, and nothing is proposed."""
    return (
        run.state is RunState.DECIDING
        and run.concluded
        and not run.questions
        and run.current is None
        and not run.plan
        and all(check.status is not CheckStatus.FAILED for check in run.checks.values())
    )


def month_of(moment: datetime, zone: str) -> tuple[int, int]:
    """The year and the month of a moment in a zone."""
    local = moment.astimezone(ZoneInfo(zone))
    return local.year, local.month


def bounds(year: int, month: int, zone: str) -> tuple[datetime, datetime]:
    """When a month of a zone begins and when the one after it does, in UTC."""
    after = (year + 1, 1) if month == 12 else (year, month + 1)
    begins, ends = (datetime(*first, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC) for first in ((year, month), after))
    return begins, ends


def before(year: int, month: int) -> tuple[int, int]:
    """The month before."""
    return (year - 1, 12) if month == 1 else (year, month - 1)


def to_drill(runbooks: Iterable[Runbook], standing: Mapping[str, Proven], but: str) -> str:
    """The id of the runbook whose turn it is in a fire drill: of those that repair something the one that was drilled
    longest ago, never drilled ones first; never `but`. "" where there is none."""
    able = [each.id for each in runbooks if each.actions and each.id != but and each.id in standing]
    never = datetime.min.replace(tzinfo=UTC)
    return min(able, key=lambda id: (standing[id].drill.last_passed or never, id), default="")
