"""A checklist under way: items that the bot has seen to be so, or that people tick, each in their name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.domain.facts import Fact, FactStatus


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to be done or looked at. `seen` is what the bot saw, None where it cannot tell; `by` is who ticked it,
    and `at` when."""

    key: str
    title: str
    help: str = ""
    link: str = ""
    seen: bool | None = None
    by: str = ""
    at: datetime | None = None

    @property
    def done(self) -> bool:
        """Whether nothing is left to do about it."""
        return self.seen is True or bool(self.by)

    def data(self) -> dict[str, Any]:
        """The item as data, for a fact."""
        about = {"key": self.key, "title": self.title, "help": self.help, "link": self.link}
        return {**about, "seen": self.seen, "by": self.by, "at": self.at, "done": self.done}


@dataclass(frozen=True, slots=True)
class Checklist:
    """The items in their order."""

    items: tuple[Item, ...]

    @property
    def left(self) -> tuple[Item, ...]:
        """What is not done yet."""
        return tuple(each for each in self.items if not each.done)

    @property
    def ticked(self) -> tuple[Item, ...]:
        """What people ticked."""
        return tuple(each for each in self.items if each.by)

    @property
    def summary(self) -> str:
        """How far it is, in a few words."""
        return f"{len(self.items) - len(self.left)} of {len(self.items)} done"

    def changed(self, tick: Collection[str], take_back: Collection[str], by: str, at: datetime) -> Checklist:
        """The list after somebody ticked some items and took back the ticks of others; what is ticked already stays in
        the name of who was first."""

        def after(item: Item) -> Item:
            if item.key in tick:
                return item if item.done else replace(item, by=by, at=at)
            return replace(item, by="", at=None) if item.key in take_back else item

        return Checklist(tuple(after(each) for each in self.items))

    def with_ticks_of(self, earlier: Checklist) -> Checklist:
        """The list as it was just looked at, with the ticks that people gave before."""
        before = {each.key: each for each in earlier.items}
        return Checklist(
            tuple(
                replace(each, by=before[each.key].by, at=before[each.key].at) if each.key in before else each
                for each in self.items
            )
        )

    def fact(self, because: str = "", by: str = "") -> Fact:
        """The list as a fact, once it is closed: whole, or without what is left, `because` of something."""
        value = {
            "items": {each.key: each.data() for each in self.items},
            "all": not self.left,
            "left": [each.title for each in self.left],
            "because": because,
            "by": by,
        }
        return Fact(FactStatus.DONE, value, summary=self.summary + (f"; left: {because}" if because else ""))


def checklist_of(value: Mapping[str, Any]) -> Checklist | None:
    """The checklist in the value of a fact, under way or closed; None in that of another fact."""
    found = value.get("items")
    rows: Iterable[Any] = found.values() if isinstance(found, Mapping) else found if isinstance(found, Sequence) else ()
    rows = list(rows)
    if not rows or not all(isinstance(each, Mapping) and "key" in each for each in rows):
        return None
    names = ("key", "title", "help", "link", "seen", "by", "at")
    return Checklist(tuple(Item(**{name: each[name] for name in names if name in each}) for each in rows))
