"""What differs between two looks, and between what was approved and what would be done now, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.change import Preview, comparable
from bot.domain.facts import Fact, FactStatus, to_json

_MAX = 3


def changed(before: Fact | None, after: Fact) -> str:
    """A few words on what a check sees differently than last time; "" when it sees the same."""
    if before is None or FactStatus.SKIPPED in (before.status, after.status):
        return ""
    if before.status is not after.status:
        return f"was {before.status}, now {after.status}".replace("_", " ")
    if to_json(before.value) == to_json(after.value):
        return ""
    old, new = before.value.get("row"), after.value.get("row")
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        words = [f"{key} was {_short(old.get(key))}" for key in new if to_json(old.get(key)) != to_json(new[key])]
        if words:
            return _listed(words)
    if before.value.get("count") != after.value.get("count") and "count" in after.value:
        return f"was {before.value.get('count')}, now {after.value['count']}"
    return f"was: {before.summary}" if before.summary != after.summary else "not the same as last time"


def drift(approved: Preview, now: Preview) -> str:
    """Why an approval no longer fits: what was shown against what would be done now."""
    words = []
    if to_json(approved.payload) != to_json(now.payload):
        words.append("the statement or its values are different")
    if dict(approved.counts) != dict(now.counts):
        words.append(f"rows: {_counts(approved)} were approved, {_counts(now)} would change now")
    old = {_place(change): change for change in map(comparable, approved.changes)}
    for change in map(comparable, now.changes):
        then = old.get(_place(change))
        if then is None:
            words.append(f"{change['table']} {_short(change['key'])} was not part of it")
        elif then != change:
            words.extend(_columns(then, change))
    if tuple(approved.lines) != tuple(now.lines) and not words:
        words.append("; ".join(line for line in now.lines if line not in approved.lines) or "fewer things would happen")
    return _listed(words) or "it differs in a detail"


def _columns(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    words: list[str] = []
    for side in ("before", "after"):
        old, new = then[side] or {}, now[side] or {}
        words += [
            f"{column} {side} the change is {_short(new.get(column))}, not {_short(old.get(column))}"
            for column in sorted({*old, *new})
            if old.get(column) != new.get(column)
        ]
    return words


def _place(change: Mapping[str, Any]) -> str:
    return f"{change['table']}:{change['key']}"


def _counts(preview: Preview) -> str:
    return ", ".join(f"{count} of {table}" for table, count in preview.counts.items()) or "none"


def _short(value: Any) -> str:
    text = "empty" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _listed(words: list[str]) -> str:
    more = len(words) - _MAX
    return "; ".join(words[:_MAX]) + (f"; and {more} more" if more > 0 else "")
