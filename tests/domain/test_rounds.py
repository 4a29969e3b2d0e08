"""When something comes round, by the clocks of its zone; and what becomes of a maintenance window then."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.maintenance import Occurrence, Stage, muting, planned
from bot.domain.operations import Calendar, Every, Turn, Window
from bot.domain.rounds import coming, falls_on, rounds

TORONTO = "America/Toronto"


def at(*parts: int) -> datetime:
    """A moment in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # year, month, day, hour, minute


@pytest.mark.parametrize(
    ("turn", "days"),
    [
        (Turn(Every.DAY, time(9)), [(2026, 11, 21), (2026, 11, 22)]),
        (Turn(Every.WEEKDAY, time(9)), [(2026, 11, 23), (2026, 11, 24)]),
        (Turn(Every.WEEK, time(9), "monday"), [(2026, 11, 23), (2026, 11, 30)]),
        (Turn(Every.MONTH, time(9), "24"), [(2026, 11, 24), (2026, 12, 24)]),
        (Turn(Every.MONTH, time(9), "first sunday"), [(2026, 12, 6), (2027, 1, 3)]),
        (Turn(Every.MONTH, time(9), "fourth saturday"), [(2026, 11, 28), (2026, 12, 26)]),
        (Turn(Every.MONTH, time(9), "last friday"), [(2026, 11, 27), (2026, 12, 25)]),
        (Turn(Every.QUARTER, time(9), "second tuesday"), [(2027, 1, 12), (2027, 4, 13)]),
        (Turn(Every.YEAR, time(9), "03-01"), [(2027, 3, 1), (2028, 3, 1)]),
    ],
)
def test_each_turn_falls_on_its_days(turn: Turn, days: list[tuple[int, int, int]]) -> None:
    """The first two from Saturday, 21 November 2026, on."""
    found = list(rounds(turn, "UTC", at(2026, 11, 21), at(2028, 6, 1)))[:2]
    assert [each.date() for each in found] == [date(*day) for day in days]
    assert coming(turn, "UTC", at(2026, 11, 21)) == found[0]
    assert falls_on(turn, found[0].date())


def test_the_moment_itself_counts_and_the_end_does_not() -> None:
    """Nothing comes twice when the time is looked at piece by piece."""
    turn = Turn(Every.DAY, time(9))
    assert list(rounds(turn, "UTC", at(2026, 11, 21, 9), at(2026, 11, 22, 9))) == [at(2026, 11, 21, 9)]


def test_the_clocks_go_back_and_forth() -> None:
    """Two in the morning in Toronto: an hour later in UTC in winter. In March, 02:30 is left out and comes at 03:30; in
    November 01:30 is shown twice and is taken the first time, and 02:00 comes after the hour that is repeated."""
    night = Turn(Every.DAY, time(2))
    november = list(rounds(night, TORONTO, at(2026, 10, 31), at(2026, 11, 3)))
    assert november == [at(2026, 10, 31, 6), at(2026, 11, 1, 7), at(2026, 11, 2, 7)]
    assert list(rounds(Turn(Every.DAY, time(1, 30)), TORONTO, at(2026, 11, 1), at(2026, 11, 2))) == [
        at(2026, 11, 1, 5, 30)
    ]
    (march,) = rounds(Turn(Every.DAY, time(2, 30)), TORONTO, at(2027, 3, 14), at(2027, 3, 15))
    assert march == at(2027, 3, 14, 7, 30)
    assert march.astimezone(ZoneInfo(TORONTO)).time() == time(3, 30)


WINDOW = Window(
    "upkeep",
    "Upkeep",
    timedelta(hours=2),
    Turn(Every.MONTH, time(2), "first sunday"),
    timedelta(hours=48),
)
CALENDAR = Calendar(TORONTO, {}, {"upkeep": WINDOW, "emergency": Window("emergency", "Emergency")})


def test_a_window_is_planned_from_its_announcement_to_its_end() -> None:
    """48 hours before the night in which the clocks go back, and until two hours after it has begun."""
    starts = at(2026, 11, 1, 7)

    def begin(now: datetime) -> list[datetime]:
        return [each for _, each, _ in planned(CALENDAR, now)]

    assert begin(starts - timedelta(hours=48, seconds=1)) == []
    assert begin(starts - timedelta(hours=48)) == [starts]
    assert begin(starts + timedelta(hours=1, minutes=59)) == [starts]
    assert begin(starts + timedelta(hours=2)) == []
    ((_, _, ends),) = planned(CALENDAR, starts)
    assert ends == at(2026, 11, 1, 9)


def test_what_is_open_mutes() -> None:
    """From its beginning to its end, what it names or everything; what was ended early mutes no more."""
    starts, ends = at(2026, 11, 1, 7), at(2026, 11, 1, 9)
    some = Occurrence("1", "aias", "upkeep", "Upkeep", ("pool",), starts, ends)
    everything = Occurrence("2", "aias", "all", "All", (), starts, ends)
    assert [some.open(each) for each in (starts - timedelta(seconds=1), starts, ends)] == [False, True, False]
    assert muting([some], "pool", starts) == some
    assert muting([some], "mail", starts) is None
    assert muting([everything], "mail", starts) == everything
    over = Occurrence("3", "aias", "all", "All", (), starts, ends, ended_at=starts)
    assert muting([over], "mail", starts) is None
    assert some.owed(starts) == (Stage.STARTED,)
    assert some.owed(ends) == (Stage.ENDED,)
    assert over.owed(ends) == ()
