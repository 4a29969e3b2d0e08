"""Action items of a post-incident review: what is to be done, by whom, until when, and when somebody is reminded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

AHEAD = timedelta(days=1)
"""An owner is reminded from this long before the day on which it is due."""
AGAIN = timedelta(days=3)
"""What is late, or has nobody, is asked about again after this long: daily would be muted, weekly forgotten."""
UNOWNED_AFTER = timedelta(days=2)
"""How long an item may have nobody before whoever led the incident is asked for one."""


class ItemState(StrEnum):
    """What has become of an item."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Item:
    """One action item. `due` is a day; `reminded_at` when somebody was last reminded of it."""

    id: int
    incident: str
    what: str
    added_by: str
    added_at: datetime
    owner: str = ""
    due: date | None = None
    state: ItemState = ItemState.OPEN
    ended_by: str = ""
    ended_at: datetime | None = None
    reminded_at: datetime | None = None

    def late(self, now: datetime) -> bool:
        """Whether its day has passed."""
        return self.state is ItemState.OPEN and self.due is not None and now.date() > self.due


def wants_reminding(item: Item, now: datetime) -> bool:
    """Whether somebody is to be reminded of an item now: its owner when it is due or late, else whoever led the
    incident, when nobody has taken it."""
    if item.state is not ItemState.OPEN:
        return False
    if item.reminded_at is not None and now - item.reminded_at < AGAIN:
        return False
    if not item.owner:
        return now - item.added_at >= UNOWNED_AFTER
    return item.due is not None and now.date() >= item.due - AHEAD
