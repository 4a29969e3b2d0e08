"""What local Slack was asked and what it delivered, in order; read by tests and by the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["call", "delivery", "ack", "socket", "hook", "person"]


@dataclass(frozen=True)
class Entry:
    """One line: `number` counts from 1, `time` is seconds since the epoch, `name` a method or a delivery's type."""

    number: int
    time: float
    kind: Kind
    name: str
    detail: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The line as plain data."""
        return {"number": self.number, "time": self.time, "kind": self.kind, "name": self.name, **self.detail}


@dataclass
class Journal:
    """An append-only list of entries; `changed` is called after each."""

    clock: Callable[[], float]
    changed: Callable[[], None] = lambda: None
    entries: list[Entry] = field(default_factory=list)

    def note(self, kind: Kind, name: str, **detail: Any) -> Entry:
        """Append one line and return it."""
        entry = Entry(len(self.entries) + 1, self.clock(), kind, name, detail)
        self.entries.append(entry)
        self.changed()
        return entry

    def since(self, number: int) -> list[Entry]:
        """Every entry after the given number."""
        return self.entries[number:]

    def calls(self, method: str | None = None) -> list[Entry]:
        """The web API calls, of one method or of all."""
        return [entry for entry in self.entries if entry.kind == "call" and method in (None, entry.name)]

    def deliveries(self, name: str | None = None) -> list[Entry]:
        """The deliveries to the bot, of one type ("slash_commands", "block_actions", "app_mention", …) or of all."""
        return [entry for entry in self.entries if entry.kind == "delivery" and name in (None, entry.name)]
