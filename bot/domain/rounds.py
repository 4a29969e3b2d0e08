"""When something comes round: the moments of a turn by the clocks of its zone, summer and winter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.operations import Every, Turn

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PLACES = ("first", "second", "third", "fourth")
_FIRST_OF_QUARTER = (1, 4, 7, 10)
_LONGEST = timedelta(days=400)


def rounds(turn: Turn, zone: str, since: datetime, until: datetime) -> Iterator[datetime]:
    """The moments, in UTC, at which it comes round from `since` on and before `until`.

    A local time that the clocks leave out comes as much later as they are put forward; one that they show twice is
    taken the first time.
    """
    place = ZoneInfo(zone)
    day = since.astimezone(place).date() - timedelta(days=1)
    last = until.astimezone(place).date()
    while day <= last:
        if falls_on(turn, day):
            at = datetime.combine(day, turn.at, tzinfo=place).astimezone(UTC)
            if since <= at < until:
                yield at
        day += timedelta(days=1)


def coming(turn: Turn, zone: str, since: datetime) -> datetime:
    """When it comes round first from `since` on."""
    return next(rounds(turn, zone, since, since + _LONGEST))


def falls_on(turn: Turn, day: date) -> bool:
    """Whether it comes round on this day; that of a quarter does so in the quarter's first month."""
    match turn.every:
        case Every.DAY:
            return True
        case Every.WEEKDAY:
            return day.weekday() < _DAYS.index("saturday")
        case Every.WEEK:
            return _DAYS[day.weekday()] == turn.day
        case Every.MONTH:
            return _in_month(turn.day, day)
        case Every.QUARTER:
            return day.month in _FIRST_OF_QUARTER and _in_month(turn.day, day)
        case Every.YEAR:
            return f"{day:%m-%d}" == turn.day


def _in_month(said: str, day: date) -> bool:
    """Whether a day is the one that is said: "first sunday", "last friday" or "24"."""
    if said.isdecimal():
        return day.day == int(said)
    which, _, name = said.partition(" ")
    if _DAYS[day.weekday()] != name:
        return False
    if which == "last":
        return (day + timedelta(days=7)).month != day.month
    return (day.day - 1) // 7 == _PLACES.index(which)
