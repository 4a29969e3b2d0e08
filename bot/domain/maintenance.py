"""Maintenance windows: each time one comes round or is opened, what it mutes, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.operations import Calendar, Window
from bot.domain.rounds import rounds

USUAL = timedelta(hours=2)
LONGEST = timedelta(hours=24)


class Stage(StrEnum):
    """What is said of a window."""

    ANNOUNCED = "announced"
    STARTED = "started"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One stretch of time of a window. `mutes` are the monitors that page nobody while it is open, all where it names
    none. `opened_by` is whoever opened it by hand, or the bot when its turn had come."""

    id: str
    system: str
    key: str
    title: str
    mutes: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    announced_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    opened_by: str = ""
    ended_by: str = ""

    def open(self, now: datetime) -> bool:
        """Whether it is held now: from its beginning until its end, or until somebody ends it."""
        return self.starts_at <= now < self.ends_at and self.ended_at is None

    def mutes_monitor(self, key: str, now: datetime) -> bool:
        """Whether it keeps a monitor from telling anybody now."""
        return self.open(now) and (not self.mutes or key in self.mutes)

    def owed(self, now: datetime) -> tuple[Stage, ...]:
        """What has come to pass by now and is not said yet. Of one that was over before anybody looked, only its end is
        said."""
        if self.ended_at is not None:
            return ()
        if now >= self.ends_at:
            return (Stage.ENDED,)
        return (Stage.STARTED,) if self.started_at is None and now >= self.starts_at else ()


def planned(calendar: Calendar, now: datetime) -> Iterator[tuple[Window, datetime, datetime]]:
    """The windows that are to be announced or held by now, each with its beginning and its end."""
    for window in calendar.windows.values():
        if window.turn is None:
            continue
        lasts = window.lasts or USUAL
        until = now + window.announce_before + timedelta(microseconds=1)
        for starts in rounds(window.turn, calendar.zone, now - lasts + timedelta(microseconds=1), until):
            yield window, starts, starts + lasts


def muting(windows: Iterable[Occurrence], key: str, now: datetime) -> Occurrence | None:
    """The window that keeps a monitor from telling anybody now, the one that is open longest; None while none does."""
    found = [each for each in windows if each.mutes_monitor(key, now)]
    return max(found, key=lambda each: each.ends_at, default=None)
