"""When somebody is reminded of an action item."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.items import AGAIN, Item, ItemState, wants_reminding

ADDED = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DUE = (ADDED + timedelta(days=10)).date()
OWNED = Item(1, "i", "Watch the disk", "bot", ADDED, "U0BEN", DUE)
NOBODYS = Item(2, "i", "Watch the disk", "bot", ADDED)


@pytest.mark.parametrize(
    ("item", "days", "wanted"),
    [
        (OWNED, 8.5, False),
        (OWNED, 9, True),
        (OWNED, 30, True),
        (NOBODYS, 1.9, False),
        (NOBODYS, 2, True),
        (Item(3, "i", "x", "bot", ADDED, "U0BEN"), 300, False),
        (Item(4, "i", "x", "bot", ADDED, "U0BEN", DUE, ItemState.DONE), 30, False),
        (Item(5, "i", "x", "bot", ADDED, "U0BEN", DUE, ItemState.DROPPED), 30, False),
    ],
)
def test_whom_it_is_time_for(item: Item, days: float, wanted: bool) -> None:
    """An owner from the day before it is due, nobody's after two days, what has ended or has no day never."""
    assert wants_reminding(item, ADDED + timedelta(days=days)) is wanted


def test_not_every_day() -> None:
    """Who was reminded is left alone for three days."""
    reminded = ADDED + timedelta(days=12)
    item = Item(1, "i", "x", "bot", ADDED, "U0BEN", DUE, reminded_at=reminded)
    assert not wants_reminding(item, reminded + AGAIN - timedelta(seconds=1))
    assert wants_reminding(item, reminded + AGAIN)


def test_late_is_after_its_day() -> None:
    """On its day it is not late yet; what is done is never late."""
    day = datetime(DUE.year, DUE.month, DUE.day, 23, 59, tzinfo=UTC)
    assert not OWNED.late(day)
    assert OWNED.late(day + timedelta(minutes=1))
    assert not Item(1, "i", "x", "bot", ADDED, "U0BEN", DUE, ItemState.DONE).late(day + timedelta(days=9))
