"""What an action would do and what it did: previews, receipts and the digest that a vote is bound to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.domain.facts import to_json

MOST_READ = 200
"""How many rows of a change a person is taken to have read before they approve it."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row before and after; `before` is None for an insert, `after` None for a delete.

    `volatile` names the columns that the database fills at the moment of the change (a time stamp, a new id): their
    value in a preview is an example and is left out of comparisons. So is what is `assumed`: columns that an earlier
    action of the same plan has yet to fill in.
    """

    table: str
    key: Mapping[str, Any]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    volatile: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen, shown before anybody votes.

    `headline` is one line ("1 row of businesses changes"); `payload` is the exact request (statement and bound values,
    argv, HTTP request) with secrets masked; `counts` are rows by table; `lines` are facts a person must see (sessions
    to be ended, amount to be refunded); `exact` is False when the effect could not be rehearsed, which costs one vote
    more; `undo` says in words how it is taken back, `reversible` whether it can be.
    """

    headline: str
    payload: Mapping[str, Any]
    changes: tuple[RowChange, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    exact: bool = True
    reversible: bool = False
    undo: str = "cannot be undone"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What happened: stored after the effect, or found in the target's receipts table."""

    headline: str
    changes: tuple[RowChange, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EffectKey:
    """Names one effect for good: the same key never takes effect twice (receipts table, Stripe's idempotency key).

    `attempt` counts the earlier tries that are known to have changed nothing, each of which closed its own key.
    """

    run: str
    action: str
    digest: str
    attempt: int = 0

    def __str__(self) -> str:
        again = f"~{self.attempt}" if self.attempt else ""
        return f"{self.run}:{self.action}:{self.digest[:32]}{again}"


def rows_to_say(previews: Iterable[Preview]) -> int | None:
    """How many rows a request changes, where they are more than are read one by one: whoever approves it says the
    number. None for a smaller one."""
    rows = sum(sum(each.counts.values()) for each in previews)
    return rows if rows > MOST_READ else None


def comparable(change: RowChange) -> dict[str, Any]:
    """A row change without its examples, for comparing what was approved with what is about to happen."""

    def steady(row: Mapping[str, Any] | None, left_out: tuple[str, ...]) -> dict[str, Any] | None:
        return None if row is None else {key: to_json(value) for key, value in row.items() if key not in left_out}

    return {
        "table": change.table,
        "key": steady(change.key, change.volatile if change.before is None else ()),
        "before": steady(change.before, change.assumed),
        "after": steady(change.after, (*change.volatile, *change.assumed)),
    }


def projected(preview: Preview, earlier: Sequence[Preview]) -> Preview:
    """The preview as it will be once the earlier actions of its plan have been done: rows that they change too begin
    with what they leave behind."""
    changes = list(preview.changes)
    for before in (change for each in earlier for change in each.changes):
        changes = [_after(change, before) for change in changes]
    return replace(preview, changes=tuple(changes))


def _after(change: RowChange, earlier: RowChange) -> RowChange:
    same = (change.table, dict(change.key)) == (earlier.table, dict(earlier.key))
    if not same or change.before is None or earlier.before is None or earlier.after is None:
        return change
    before, after = dict(change.before), None if change.after is None else dict(change.after)
    for column, value in earlier.after.items():
        if column in earlier.volatile or column not in before or before[column] != earlier.before.get(column):
            continue
        if after is not None and after.get(column) == before[column]:
            after[column] = value
        before[column] = value
    assumed = tuple(dict.fromkeys([*change.assumed, *earlier.volatile]))
    return replace(change, before=before, after=after, assumed=assumed)


def carried(now: Sequence[RowChange], approved: Sequence[RowChange]) -> tuple[RowChange, ...]:
    """What would change now, with the same columns left out of comparisons as in what was approved."""
    assumed = {_row(change): change.assumed for change in approved}
    return tuple(replace(change, assumed=assumed.get(_row(change), ())) for change in now)


def _row(change: RowChange) -> str:
    return f"{change.table}:{to_json(dict(change.key))}"


def digest_of(material: Mapping[str, Any]) -> str:
    """SHA-256 in hex over the canonical JSON of what was shown."""
    return sha256_of(to_json(material))


def sha256_of(data: Any) -> str:
    """SHA-256 in hex over the canonical form of JSON data: keys sorted, no blanks, nothing escaped without need."""
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def shown(preview: Preview) -> dict[str, Any]:
    """The part of a preview that a vote is bound to: all that says what would happen, nothing that decorates it."""
    return {
        "payload": dict(preview.payload),
        "changes": [comparable(change) for change in preview.changes],
        "counts": dict(preview.counts),
        "lines": list(preview.lines),
        "exact": preview.exact,
    }
