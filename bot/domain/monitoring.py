"""How a monitor stands: what one more look makes of what is stored, decided from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from typing import Any

from bot.domain.operations import Monitor
from bot.domain.runbook import Severity

KEPT = 60
GRAIN = timedelta(minutes=1)
LOOKS_TO_FAIL = 3
LOOKS_TO_CALM = 2
_LATE = timedelta(minutes=5)
# The schedule comes a little early or late; five minutes are five looks after the first, not six.
_SLACK = timedelta(seconds=5)
_SAID = 500


class State(StrEnum):
    """What a monitor shows. One that would page if it lasted is a warning."""

    NEW = "new"
    OK = "ok"
    WARNING = "warning"
    PAGING = "paging"


class Change(StrEnum):
    """What is to be said after a look."""

    PAGES = "pages"
    OVER = "over"
    WARNS = "warns"
    CALM = "calm"
    BROKE = "broke"
    READS = "reads"


@dataclass(frozen=True, slots=True)
class Reading:
    """One look of a monitor. `failed` says why there is none: then it neither warns nor pages, and is itself a matter
    for somebody. `inputs` are what the monitor's runbook would be started with."""

    value: Any = None
    warns: bool = False
    pages: bool = False
    said: str = ""
    failed: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Point:
    """A value and when it was seen; None where it could not be read, or is no figure."""

    at: datetime
    value: float | None


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of one monitor. `value` is the last one as text and `said` its sentence.

    `pending_since`: since when the page condition holds. `calm_since`: since when it has been calm, while it still
    counts as warning or paging. `failing_since` and `failures`: how long and how often in a row it could not be read;
    `broken_since` once that counts. `told` and `told_broken`: somebody was told of it; muted monitors tell nobody.
    """

    system: str
    key: str
    state: State = State.NEW
    since: datetime | None = None
    value: str = ""
    said: str = ""
    last_at: datetime | None = None
    next_at: datetime | None = None
    pending_since: datetime | None = None
    calm_since: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    failed: str = ""
    broken_since: datetime | None = None
    told: bool = False
    told_broken: bool = False
    incident: str = ""
    history: tuple[Point, ...] = ()

    @property
    def in_trouble(self) -> bool:
        """Whether somebody should look at what it shows, or at why it shows nothing."""
        return self.state in (State.WARNING, State.PAGING) or self.broken_since is not None


@dataclass(frozen=True, slots=True)
class Standing:
    """A monitor, what is known of it, and what is to be thought of that: `muted` by the window of that title, or not
    looked at for too long. One that another system watches has its `alert` and is not looked at here."""

    system: str
    monitor: Monitor
    watched: Watched
    muted: str = ""
    stale: bool = False


def every(monitor: Monitor) -> timedelta:
    """How often a monitor is looked at: the schedule comes once a minute, so not oftener."""
    return max(monitor.every, GRAIN)


def calm_for(monitor: Monitor) -> timedelta:
    """How long a monitor has to be calm before it counts as over: as long as it had to hold, and two looks at least."""
    return max(monitor.hold, LOOKS_TO_CALM * every(monitor))


def fails_for(monitor: Monitor) -> timedelta:
    """How long a monitor may be unreadable, from its first failure, before somebody is told: three looks or more."""
    return max(monitor.hold, (LOOKS_TO_FAIL - 1) * every(monitor))


def severity_of_failure(monitor: Monitor) -> Severity:
    """How bad it is that nobody sees this: P3, or as bad as what might be missed."""
    return min(Severity.P3, monitor.severity)


def due(watched: Watched, now: datetime) -> bool:
    """Whether its next look has come."""
    return watched.next_at is None or watched.next_at <= now


def stale(watched: Watched, monitor: Monitor, now: datetime) -> bool:
    """Whether it should have been looked at long ago."""
    return watched.next_at is not None and now - watched.next_at > 2 * every(monitor) + _LATE


def judged(
    before: Watched, monitor: Monitor, reading: Reading, now: datetime, *, muted: bool = False
) -> tuple[Watched, tuple[Change, ...]]:
    """The monitor after one more look, and what has changed. While it is `muted` nobody is told; of what still pages
    afterwards somebody is told then: `PAGES` comes again, and `told` is set."""
    step = every(monitor)
    points = (*before.history, Point(now, figure(reading.value)))[-KEPT:]
    next_at = now.replace(second=0, microsecond=0) + step
    after = replace(before, last_at=now, next_at=next_at, history=points)
    if reading.failed:
        after, changes = _unread(after, monitor, reading, now)
    else:
        back = (Change.READS,) if before.broken_since is not None else ()
        after = replace(after, failing_since=None, failures=0, failed="", broken_since=None)
        after, seen = _read(after, monitor, reading, now)
        changes = (*back, *seen)
    return _told(after, reading, changes, muted=muted)


def _unread(after: Watched, monitor: Monitor, reading: Reading, now: datetime) -> tuple[Watched, tuple[Change, ...]]:
    """A look without a reading neither confirms nor ends what was there: only what was calm is calm no more."""
    since, failures = after.failing_since or now, after.failures + 1
    after = replace(after, failing_since=since, failures=failures, failed=reading.failed[:_SAID], calm_since=None)
    if after.broken_since is None and failures >= LOOKS_TO_FAIL and _lasts(since, now, fails_for(monitor)):
        return replace(after, broken_since=now), (Change.BROKE,)
    return after, ()


def _read(after: Watched, monitor: Monitor, reading: Reading, now: datetime) -> tuple[Watched, tuple[Change, ...]]:
    seen = replace(after, value=as_text(reading.value), said=reading.said[:_SAID])
    if reading.pages:
        return _pages(seen, monitor, now)
    seen = replace(seen, pending_since=None)
    if seen.state is State.PAGING or (seen.state is State.WARNING and not reading.warns):
        since = seen.calm_since or now
        if not _lasts(since, now, calm_for(monitor)):
            return replace(seen, calm_since=since), ()
        over = Change.OVER if seen.state is State.PAGING else Change.CALM
        return _stands(seen, State.WARNING if reading.warns else State.OK, now), (over,)
    if seen.state is State.WARNING:
        return replace(seen, calm_since=None), ()
    if reading.warns:
        return _stands(seen, State.WARNING, now), (Change.WARNS,)
    return (_stands(seen, State.OK, now) if seen.state is State.NEW else seen), ()


def _pages(seen: Watched, monitor: Monitor, now: datetime) -> tuple[Watched, tuple[Change, ...]]:
    """The page condition holds: it counts once it has held for long enough, and is a warning until then."""
    since = seen.pending_since or now
    seen = replace(seen, pending_since=since, calm_since=None)
    if seen.state is State.PAGING:
        return seen, ()
    if _lasts(since, now, monitor.hold):
        return _stands(seen, State.PAGING, now), (Change.PAGES,)
    return (seen, ()) if seen.state is State.WARNING else (_stands(seen, State.WARNING, now), (Change.WARNS,))


def _stands(seen: Watched, state: State, now: datetime) -> Watched:
    return replace(seen, state=state, since=now, calm_since=None)


def _lasts(since: datetime, now: datetime, span: timedelta) -> bool:
    return now - since >= span - _SLACK


def _told(
    after: Watched, reading: Reading, changes: Sequence[Change], *, muted: bool
) -> tuple[Watched, tuple[Change, ...]]:
    """Somebody is told once of what pages or cannot be read, as soon as nothing mutes it; what is over may be told
    anew."""
    said = list(changes)
    paging, broken = after.state is State.PAGING, after.broken_since is not None
    after = replace(after, told=after.told and paging, told_broken=after.told_broken and broken)
    if paging and reading.pages and not after.told and not muted:
        after = replace(after, told=True)
        said += [] if Change.PAGES in said else [Change.PAGES]
    if broken and not after.told_broken and not muted:
        after = replace(after, told_broken=True)
        said += [] if Change.BROKE in said else [Change.BROKE]
    return after, tuple(said)


def figure(value: Any) -> float | None:
    """A value as a figure for a chart: a yes or no is 1 or 0."""
    if not isinstance(value, bool | int | float | Decimal):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return number if isfinite(number) else None


def as_text(value: Any) -> str:
    """A value in a few words: "yes", "12.5", or its text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        number = figure(value)
        return str(value)[:_SAID] if number is None else f"{number:,.2f}".rstrip("0").rstrip(".")
    return str(value)[:_SAID]
