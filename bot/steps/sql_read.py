"""A check's statement, run: in a read-only transaction with timeouts, through a cursor, bounded in rows and in size."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from asyncpg import exceptions as pg
from asyncpg.prepared_stmt import PreparedStatement

from bot.domain.facts import MAX_ROWS, bounded
from bot.steps.sql_bind import Bound, arguments, bind
from bot.steps.targets import Connection, end

FIRST_BATCH = 16
BATCH_CHARACTERS = 2_000_000
KEPT_CHARACTERS = 1_000_000
PARSED_JSON = 64_000
LOCK_WAIT = timedelta(seconds=2)
PLAIN = (str, bool, int, float, Decimal, datetime, date, time, timedelta, UUID, bytes)


@dataclass(slots=True)
class Rows:
    """What was fetched: the rows kept, and whether there were more than could be kept."""

    columns: list[str]
    rows: list[dict[str, Any]] = field(default_factory=list)
    more: bool = False

    def value(self) -> dict[str, Any]:
        """The fact's value."""
        first = self.rows[0] if self.rows else None
        return {"rows": self.rows, "row": first, "count": len(self.rows), "more": self.more, "columns": self.columns}


def opening(mode: str, timeout: timedelta, lock_wait: timedelta = LOCK_WAIT) -> str:
    """BEGIN with its limits, as one message: they hold for this transaction and end with it."""
    limit = max(1, int(timeout.total_seconds() * 1000))
    lock = max(1, min(limit, int(lock_wait.total_seconds() * 1000)))
    return (
        f"BEGIN {mode}; SET LOCAL statement_timeout = {limit}; SET LOCAL lock_timeout = {lock};"
        f" SET LOCAL idle_in_transaction_session_timeout = {limit + 5000}"
    )


async def read(
    connection: Connection, statement: str, values: Mapping[str, Any], timeout: timedelta, limit: int = MAX_ROWS
) -> Rows:
    """The rows of a reading statement, at most `limit`. Raises what asyncpg raises, and `Unfit` for a value."""
    try:
        return await _read(connection, bind(statement), values, timeout, limit)
    except (
        pg.AmbiguousParameterError,
        pg.DatatypeMismatchError,
        pg.UndefinedFunctionError,
        pg.IndeterminateDatatypeError,
    ):
        apart = bind(statement, apart=True)
        if len(apart.order) == len(set(apart.order)):
            raise
        return await _read(connection, apart, values, timeout, limit)


async def _read(
    connection: Connection, bound: Bound, values: Mapping[str, Any], timeout: timedelta, limit: int
) -> Rows:
    await connection.execute(opening("READ ONLY", timeout))
    try:
        prepared = await connection.prepare(bound.text)
        return await _fetch(prepared, arguments(bound, types_of(prepared), values), limit)
    finally:
        await end(connection)


def types_of(prepared: PreparedStatement[asyncpg.Record]) -> list[str]:
    """The names of the types of a statement's parameters."""
    return [each.name for each in prepared.get_parameters()]


async def _fetch(prepared: PreparedStatement[asyncpg.Record], given: Sequence[Any], limit: int) -> Rows:
    attributes = prepared.get_attributes()
    columns = distinct([each.name for each in attributes])
    parsed = [each.type.name in ("json", "jsonb") for each in attributes]
    found, kept, batch = Rows(columns), 0, FIRST_BATCH
    cursor = await prepared.cursor(*given)
    while True:
        records = await cursor.fetch(min(batch, limit + 1 - len(found.rows)))
        for record in records:
            row = {
                name: cell(value, parse) for name, value, parse in zip(columns, record.values(), parsed, strict=True)
            }
            kept += weight(row)
            if len(found.rows) >= limit or (kept > KEPT_CHARACTERS and found.rows):
                found.more = True
                return found
            found.rows.append(row)
        if len(records) < batch:
            return found
        batch = max(1, min(500, BATCH_CHARACTERS // max(1, _raw_weight(records))))


def distinct(names: Sequence[str]) -> list[str]:
    """The names, each once: a second `id` becomes `id_2`."""
    made: list[str] = []
    for name in names:
        number, unique = 1, name
        while unique in made:
            number += 1
            unique = f"{name}_{number}"
        made.append(unique)
    return made


def cell(value: Any, parse: bool = False) -> Any:
    """A value of PostgreSQL as a fact keeps it: plain types as they are, JSON as data, the rest as text; bounded."""
    if parse and isinstance(value, str) and len(value) <= PARSED_JSON:
        return bounded(json.loads(value))
    return bounded(_plain(value))


def _plain(value: Any) -> Any:  # noqa: PLR0911 - one arm a type
    match value:
        case None:
            return None
        case asyncpg.Record():
            return {name: _plain(item) for name, item in value.items()}
        case asyncpg.Range():
            return _range(value)
        case asyncpg.BitString():
            return value.as_string()
        case list() | tuple() if not hasattr(value, "_fields"):
            return [_plain(item) for item in value]
        case _ if isinstance(value, PLAIN):
            return value
        case _:
            return str(value)


def _range(value: asyncpg.Range[Any]) -> str:
    if value.isempty:
        return "empty"
    opened, closed = "[" if value.lower_inc else "(", "]" if value.upper_inc else ")"
    lower, upper = ("" if end is None else str(end) for end in (value.lower, value.upper))
    return f"{opened}{lower},{upper}{closed}"


def weight(value: Any) -> int:
    """About how many characters a kept value takes."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(len(key) + weight(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(weight(item) for item in value) + len(value)
    return 8


def _raw_weight(records: Sequence[asyncpg.Record]) -> int:
    """The average size of a record as it came."""
    total = sum(len(value) if isinstance(value, str | bytes | list) else 8 for row in records for value in row.values())
    return total // max(1, len(records))
