"""What of a fact people are shown. Tables, CSV files and charts take a check's rows from here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.runs.shown import RunShown

_BOOKKEEPING = frozenset({"more", "count", "columns"})
_COLLECTIONS = frozenset({"rows", "row", "objects"})
# Of a service's answer: what only repeats the status, and what tells a person nothing.
_ENVELOPE = frozenset({"ok_status", "headers"})
_LEADING = (
    "id",
    "status",
    "plan",
    "period_end",
    "canceled_at",
    "amount_text",
    "amount_due_text",
    "amount_paid_text",
    "attempt_count",
    "created",
    "description",
    "metadata",
    "hosted_invoice_url",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check saw, parted for the eye: its rows, and its other values. `more` when there were more rows than a
    fact holds."""

    rows: Sequence[Mapping[str, Any]] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    more: bool = False

    @property
    def flat(self) -> Mapping[str, Any]:
        """The other values; those of a single row are among them, since one row reads better as fields."""
        return {**self.fields, **self.rows[0]} if len(self.rows) == 1 else self.fields


def seen(shown: RunShown, key: str) -> Seen:
    """What the check `key` of a run saw, as far as it may be shown."""
    fact = shown.facts.get(key)
    if fact is None:
        return Seen()
    more = fact.value.get("more") is True
    value = {
        name: item
        for name, item in _opened(fact.value).items()
        if name not in _BOOKKEEPING and not (name in _COLLECTIONS and not item)
    }
    objects = value.get("objects")
    if isinstance(objects, list | tuple):
        return Seen([_brief(each) for each in objects if isinstance(each, Mapping)], {}, more)
    for name, item in value.items():
        if isinstance(item, list | tuple) and item and all(isinstance(row, Mapping) for row in item):
            rest = {other: data for other, data in value.items() if other not in (name, "row")}
            return Seen(_ordered(item, fact.value.get("columns")), rest, more)
    row = value.pop("row", None)
    return Seen([row] if isinstance(row, Mapping) else [], value, more)


def _opened(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A service's answer without its envelope: its JSON, or else its text; anything else as it is."""
    if not value.keys() >= _ENVELOPE:
        return value
    hidden = _ENVELOPE | ({"text"} if value.get("json") is not None else set())
    return {name: item for name, item in value.items() if name not in hidden}


def _ordered(rows: Sequence[Mapping[str, Any]], columns: Any) -> Sequence[Mapping[str, Any]]:
    """The rows with their columns as the statement names them: the database that facts are kept in has an order of its
    own."""
    if not isinstance(columns, list | tuple) or any(set(row) != set(columns) for row in rows):
        return rows
    return [{name: row[name] for name in columns} for row in rows]


def _brief(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a person wants to know of an object of Stripe's; the expressions see all of it."""
    return {name: found[name] for name in _LEADING if found.get(name) not in (None, {}, [], "")}
