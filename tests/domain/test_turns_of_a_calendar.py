"""What comes round, by the clocks of its zone."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from bot.domain.operations import Every, Turn
from bot.domain.rounds import rounds

TORONTO = "America/Toronto"


def utc(*parts: int) -> datetime:
    """A moment in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]  # year, month, day and the time of day


@pytest.mark.parametrize(
    ("turn", "zone", "expected"),
    [
        (Turn(Every.DAY, time(9)), "UTC", [utc(2026, 11, day, 9) for day in range(1, 8)]),
        (Turn(Every.WEEKDAY, time(9)), "UTC", [utc(2026, 11, day, 9) for day in range(2, 7)]),
        (Turn(Every.WEEK, time(9, 30), "monday"), "UTC", [utc(2026, 11, 2, 9, 30)]),
        (Turn(Every.WEEK, time(23, 30), "sunday"), TORONTO, [utc(2026, 11, 2, 4, 30)]),
        (Turn(Every.DAY, time(0, 30), ""), "Asia/Kolkata", [utc(2026, 11, day, 19) for day in range(1, 8)]),
    ],
)
def test_a_week(turn: Turn, zone: str, expected: list[datetime]) -> None:
    """The first week of November 2026, which began on a Sunday, in local time."""
    assert list(rounds(turn, zone, utc(2026, 11, 1), utc(2026, 11, 7, 23, 59))) == expected


@pytest.mark.parametrize(
    ("turn", "days"),
    [
        (Turn(Every.MONTH, time(2), "first sunday"), ["2026-09-06", "2026-10-04", "2026-11-01", "2026-12-06"]),
        (Turn(Every.MONTH, time(2), "last friday"), ["2026-09-25", "2026-10-30", "2026-11-27", "2026-12-25"]),
        (Turn(Every.MONTH, time(2), "second tuesday"), ["2026-09-08", "2026-10-13", "2026-11-10", "2026-12-08"]),
        (Turn(Every.MONTH, time(2), "24"), ["2026-09-24", "2026-10-24", "2026-11-24", "2026-12-24"]),
        (Turn(Every.QUARTER, time(2), "second tuesday"), ["2026-10-13", "2027-01-12"]),
        (Turn(Every.YEAR, time(2), "03-01"), ["2027-03-01"]),
    ],
)
def test_longer_turns(turn: Turn, days: list[str]) -> None:
    """Months by weekday and by number, quarters in their first month, years."""
    found = [f"{at:%Y-%m-%d}" for at in rounds(turn, "UTC", utc(2026, 9, 1), utc(2027, 3, 2))]
    assert found[: len(days)] == days


def test_the_clocks_go_forward() -> None:
    """On 14 March 2027 Toronto has no time between two and three: what is due then comes an hour later by the clock,
    once, and what is due at other times keeps its place on the wall."""
    around = (utc(2027, 3, 13), utc(2027, 3, 16))
    half_past_two = list(rounds(Turn(Every.DAY, time(2, 30)), TORONTO, *around))
    assert half_past_two == [utc(2027, 3, 13, 7, 30), utc(2027, 3, 14, 7, 30), utc(2027, 3, 15, 6, 30)]
    nine = list(rounds(Turn(Every.DAY, time(9)), TORONTO, *around))
    assert nine == [utc(2027, 3, 13, 14), utc(2027, 3, 14, 13), utc(2027, 3, 15, 13)]


def test_the_clocks_go_back() -> None:
    """On 1 November 2026 half past one comes twice in Toronto: what is due then comes at the first one only.
    Two o'clock comes once, after the repeated hour."""
    around = (utc(2026, 10, 31, 12), utc(2026, 11, 2, 12))
    half_past_one = list(rounds(Turn(Every.DAY, time(1, 30)), TORONTO, *around))
    assert half_past_one == [utc(2026, 11, 1, 5, 30), utc(2026, 11, 2, 6, 30)]
    window = Turn(Every.MONTH, time(2), "first sunday")
    assert list(rounds(window, TORONTO, *around)) == [utc(2026, 11, 1, 7)]
