"""What changes do, row by row: run in a transaction that the caller ends, with each row's image before and after."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from bot.domain.change import RowChange
from bot.domain.facts import MAX_CELL
from bot.errors import Refusal
from bot.steps.sql_bind import arguments, bind
from bot.steps.sql_read import cell, types_of
from bot.steps.sql_shape import Change, Verb
from bot.steps.sql_tables import Along, Table, Tables, along
from bot.steps.targets import Connection

MOST_ROWS = 1_000
LINES = 20


@dataclass(frozen=True, slots=True)
class Image:
    """One row: as a person sees it, and as text that PostgreSQL reads back without loss."""

    shown: Mapping[str, Any]
    text: Mapping[str, str | None]


@dataclass(slots=True)
class Touched:
    """One row through all statements: how it was first and how it is last."""

    table: Table
    before: Image | None
    after: Image | None
    volatile: set[str] = field(default_factory=set)

    def change(self) -> RowChange:
        """As previews and receipts show it."""
        image = self.before or self.after
        shown = {} if image is None else image.shown
        key = {name: shown[name] for name in self.table.key if name in shown}
        before = None if self.before is None else self.before.shown
        after = None if self.after is None else self.after.shown
        return RowChange(self.table.shown, key, before, after, tuple(sorted(self.volatile)))


@dataclass(slots=True)
class Effect:
    """What the statements do. `rows` counts the rows they name themselves; `counts` also what goes along."""

    touched: list[Touched] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    taken_along: bool = False
    rows: int = 0

    def changes(self) -> tuple[RowChange, ...]:
        """The row changes in a steady order."""
        made = [each.change() for each in self.touched if each.before is not None or each.after is not None]
        return tuple(sorted(made, key=lambda change: (change.table, str(sorted(change.key.items(), key=str)))))

    @property
    def restorable(self) -> bool:
        """Whether the images are enough to take everything back."""
        keyed = all(each.table.whole and (each.table.key or each.after is None) for each in self.touched)
        return keyed and not self.taken_along and not self.outside


async def rehearse(
    connection: Connection, changes: Sequence[Change], values: Mapping[str, Any], *, run: bool
) -> Effect:
    """Run the changes in the open transaction and say what they did; with `run` False only find the rows they would
    touch. Raises Refusal when they touch more than `MOST_ROWS` rows or rows that cannot be told apart."""
    effect = Effect()
    known: dict[tuple[int, tuple[str | None, ...]], Touched] = {}
    tables = Tables(connection)
    for change in changes:
        table = await tables.named(change.table, change.verb)
        if table.outside:
            effect.outside.append(table.outside)
        before = await _before(connection, change, table, values)
        if change.verb is Verb.DELETE:
            await _take_along(connection, change, table, values, effect)
        after: list[Image] = []
        if run:
            after = await _images(connection, f"{change.text} RETURNING {table.images}", table, values)
        _pair(change, table, before, after, known, effect, run=run)
    if run:
        await _mark_moments(connection, effect)
    return effect


async def looks_outside(connection: Connection, changes: Sequence[Change]) -> list[str]:
    """Why the changes cannot be rehearsed: foreign tables, triggers that may reach outside; empty when they can."""
    found: list[str] = []
    tables = Tables(connection)
    for change in changes:
        table = await tables.named(change.table, change.verb)
        found += [table.outside] if table.outside else []
        if change.verb is Verb.DELETE:
            taken = await along(connection, table, change.target, change.where)
            found += [each.outside for each in taken if each.outside]
    return list(dict.fromkeys(found))


async def _before(connection: Connection, change: Change, table: Table, values: Mapping[str, Any]) -> list[Image]:
    if change.verb is Verb.INSERT:
        return []
    keys = set(change.columns) & set(table.key)
    if keys:
        raise Refusal(f"The statement sets {', '.join(sorted(keys))}, the primary key of {table.shown}.")
    if not table.key and change.verb is Verb.UPDATE:
        raise Refusal(f"{table.shown} has no primary key: its rows cannot be told apart.", hint="Give it one.")
    where = f" WHERE {change.where}" if change.where else ""
    query = f"SELECT {table.images} FROM {change.target}{where} LIMIT {MOST_ROWS + 1}"
    found = await _images(connection, query, table, values)
    if len(found) > MOST_ROWS:
        raise Refusal(
            f"More than {MOST_ROWS:,} rows of {table.shown} would change.", hint="Narrow it, or do it in parts."
        )
    return found


async def _images(connection: Connection, query: str, table: Table, values: Mapping[str, Any]) -> list[Image]:
    records = await fetch(connection, query, values)
    return [_image(record, table) for record in records]


async def fetch(connection: Connection, query: str, values: Mapping[str, Any]) -> list[asyncpg.Record]:
    """Run one statement of an open transaction with its values bound, and give its rows."""
    bound = bind(query, apart=True)
    prepared = await connection.prepare(bound.text)
    return list(await prepared.fetch(*arguments(bound, types_of(prepared), values)))


def _image(record: asyncpg.Record, table: Table) -> Image:
    shown, text = {}, {}
    for at, column in enumerate(table.columns):
        written = record[2 * at + 1]
        text[column.name] = written
        shown[column.name] = _shown(record[2 * at], written, column.json)
    return Image(shown, text)


def _shown(value: Any, written: str | None, json: bool) -> Any:
    """A long value is cut and named by its hash, so that two different ones never look the same."""
    if written is not None and len(written) > MAX_CELL:
        digest = hashlib.sha256(written.encode()).hexdigest()[:16]
        return f"{written[:200]}… ({len(written):,} characters, SHA-256 {digest}…)"
    return cell(value, json)


def _pair(
    change: Change,
    table: Table,
    before: Sequence[Image],
    after: Sequence[Image],
    known: dict[tuple[int, tuple[str | None, ...]], Touched],
    effect: Effect,
    *,
    run: bool,
) -> None:
    was = {_key(table, image, at): image for at, image in enumerate(before)}
    now = {_key(table, image, at): image for at, image in enumerate(after)}
    if run and change.verb is not Verb.INSERT and was.keys() != now.keys():
        raise Refusal("The statement picks other rows each time it runs.", hint="Its WHERE must not depend on chance.")
    counted = now if run else was
    effect.rows += len(counted)
    effect.counts[table.shown] = effect.counts.get(table.shown, 0) + len(counted)
    for key in counted:
        image = None if change.verb is Verb.DELETE else now.get(key)
        row = known.get((table.oid, key)) if table.key else None
        if row is None:
            row = Touched(table, was.get(key), image if run else None)
            known[(table.oid, key if table.key else (*key, str(len(known))))] = row
            effect.touched.append(row)
        else:
            row.after = image
        row.volatile |= _volatile(change, table) if image is not None else set()


def _key(table: Table, image: Image, at: int) -> tuple[str | None, ...]:
    return tuple(image.text[name] for name in table.key) if table.key else (str(at),)


def _volatile(change: Change, table: Table) -> set[str]:
    """Columns whose value depends on the moment of the change."""
    filled: set[str] = set()
    if change.verb is Verb.INSERT and change.columns:
        filled = {column.name for column in table.columns if column.filled and column.name not in change.columns}
    return filled | (set(change.moving) & {column.name for column in table.columns})


async def _mark_moments(connection: Connection, effect: Effect) -> None:
    """A time that lies within this very transaction was taken by the change, whoever set it (a trigger, say)."""
    (moment,) = await connection.fetch("SELECT now(), clock_timestamp(), localtimestamp")
    started, ended, local = moment
    for row in effect.touched:
        if row.after is None:
            continue
        for name, value in row.after.shown.items():
            was = None if row.before is None else row.before.shown.get(name)
            if isinstance(value, datetime) and value != was:
                taken = started <= value <= ended if value.tzinfo else value == local
                row.volatile |= {name} if taken else set()


async def _take_along(
    connection: Connection, change: Change, table: Table, values: Mapping[str, Any], effect: Effect
) -> None:
    totals: dict[tuple[str, bool], int] = {}
    for each in await along(connection, table, change.target, change.where):
        number = await _count(connection, each, values)
        if number:
            totals[(each.table, each.removed)] = totals.get((each.table, each.removed), 0) + number
    for (name, removed), number in sorted(totals.items()):
        effect.taken_along = True
        effect.counts[name] = effect.counts.get(name, 0) + number
        rows = f"{number:,} {'row' if number == 1 else 'rows'} of {name}"
        effect.lines.append(f"Takes {rows} along (cascade)." if removed else f"Empties the reference in {rows}.")


async def _count(connection: Connection, each: Along, values: Mapping[str, Any]) -> int:
    records = await fetch(connection, f"SELECT count(*) FROM {each.quoted} WHERE {each.where}", values)
    return int(records[0][0])


def key_line(row: Touched) -> str:
    """One row named by its key, for previews that cannot show more."""
    image = row.before or row.after
    shown = {} if image is None else image.shown
    named = {name: shown.get(name) for name in (row.table.key or tuple(shown)[:3])}
    return f"{row.table.shown}: " + ", ".join(f"{name} = {value}" for name, value in named.items())


def inverse_rows(effect: Effect) -> list[dict[str, Any]]:
    """What is needed to take the effect back, last change first: texts and types, nothing rounded."""
    return [_inverse_row(row) for row in reversed(effect.touched) if row.before is not None or row.after is not None]


def _inverse_row(row: Touched) -> dict[str, Any]:
    before, after = _texts(row.before), _texts(row.after)
    settable = {column.name: column.type for column in row.table.columns if not column.generated}
    if before is not None and after is not None:
        settable = {name: kind for name, kind in settable.items() if before[name] != after[name]}
    key = after if after is not None else before
    return {
        "table": row.table.quoted,
        "key": {name: (key or {}).get(name) for name in row.table.key},
        "key_types": {column.name: column.type for column in row.table.columns if column.key},
        "types": settable,
        "identity": any(column.identity for column in row.table.columns),
        "before": None if before is None else {name: before[name] for name in settable},
        "after": None if after is None else {name: after[name] for name in settable},
    }


def _texts(image: Image | None) -> dict[str, str | None] | None:
    return None if image is None else dict(image.text)
