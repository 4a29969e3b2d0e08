"""Receipts in the target's own database: written in the transaction of the effect, so that the effect and the proof of
it are one. The table: `key text PRIMARY KEY, run_id text, action text, digest text, detail jsonb`, and the acting role
may SELECT and INSERT."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from asyncpg import exceptions as pg

from bot.domain.change import EffectKey, Receipt, RowChange
from bot.domain.facts import from_json, to_json
from bot.errors import Misconfigured, Mistake
from bot.steps.base import Done, Failed, InDoubt, Outcome
from bot.steps.sql_errors import TROUBLE
from bot.steps.sql_read import opening
from bot.steps.sql_tables import quoted
from bot.steps.targets import Connection, ReachedDatabase

GIVEN_UP = {"given_up": True}
_HOLD = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
SETTLE_WAIT = timedelta(seconds=5)


class GivenUp(Mistake):
    """This effect was looked for, not found, and closed for good: whoever comes late with it does nothing."""


def table(written: str) -> str:
    """The receipts table's name as a statement takes it."""
    return ".".join(quoted(part) for part in written.split("."))


async def must_exist(connection: Connection, written: str) -> None:
    """Raises Misconfigured when the receipts table is missing."""
    if await connection.fetchval("SELECT to_regclass($1)", table(written)) is None:
        raise Misconfigured(
            f"The receipts table {written} does not exist.", hint="Create it, or leave `receipts` out of system.yaml."
        )


async def hold(connection: Connection, key: EffectKey) -> None:
    """Be the only one that works on this effect until the transaction ends, whatever becomes of this process."""
    await connection.execute(_HOLD, str(key))


async def find(connection: Connection, written: str, key: EffectKey) -> Receipt | None:
    """The receipt of that effect, if it happened. Raises `GivenUp` when it was closed without having happened."""
    found = await connection.fetchval(f"SELECT detail::text FROM {table(written)} WHERE key = $1", str(key))
    if found is not None and json.loads(found) == GIVEN_UP:
        raise GivenUp("The change was interrupted and given up before this: nothing was changed.")
    return None if found is None else decode(json.loads(found))


async def write(connection: Connection, written: str, key: EffectKey, receipt: Receipt) -> None:
    """Write the receipt. Raises UniqueViolationError when the effect has happened already."""
    await _insert(connection, written, key, encode(receipt))


async def _insert(connection: Connection, written: str, key: EffectKey, data: dict[str, Any]) -> None:
    query = (
        f"INSERT INTO {table(written)} (key, run_id, action, digest, detail) VALUES ($1, $2, $3, $4, $5::text::jsonb)"
    )
    detail = json.dumps(data, ensure_ascii=False)
    await connection.execute(query, str(key), key.run, key.action, key.digest, detail)


async def settle(reached: ReachedDatabase, key: EffectKey) -> Outcome:
    """What became of an effect that was interrupted. A transaction that is still open holds the key's lock: when it
    cannot be had, nothing is known yet. Once it is had, the receipt is there, or the key is closed so that a worker
    which wakes up late cannot use it any more: "nothing changed" stays true."""
    if reached.database.receipts is None:
        return InDoubt("The connection broke, and this database keeps no receipts: look whether the change is there.")
    try:
        async with reached.connection(SETTLE_WAIT) as connection:
            await connection.execute(opening("READ WRITE", SETTLE_WAIT * 2, SETTLE_WAIT))
            await hold(connection, key)
            receipt = await find(connection, reached.database.receipts, key)
            if receipt is None:
                await _insert(connection, reached.database.receipts, key, dict(GIVEN_UP))
            if await connection.execute("COMMIT") != "COMMIT":
                return InDoubt("The change could not be looked up: ask again in a moment.")
    except GivenUp as closed:
        return Failed(closed.sentence)
    except pg.LockNotAvailableError:
        return InDoubt("The change is still under way on another connection: ask again in a moment.")
    except TROUBLE:
        return InDoubt(f"The database «{reached.database.name}» cannot be asked whether the change happened.")
    return Failed("The change was interrupted and rolled back: nothing changed.") if receipt is None else Done(receipt)


def encode(receipt: Receipt) -> dict[str, Any]:
    """A receipt as JSON data."""
    changes = [
        {
            "table": change.table,
            "key": to_json(change.key),
            "before": to_json(change.before),
            "after": to_json(change.after),
            "volatile": list(change.volatile),
        }
        for change in receipt.changes
    ]
    detail = to_json(receipt.detail)
    return {"headline": receipt.headline, "changes": changes, "counts": dict(receipt.counts), "detail": detail}


def decode(data: dict[str, Any]) -> Receipt:
    """The inverse of `encode`."""
    changes = tuple(
        RowChange(
            each["table"],
            from_json(each["key"]),
            from_json(each["before"]),
            from_json(each["after"]),
            tuple(each["volatile"]),
        )
        for each in data["changes"]
    )
    return Receipt(data["headline"], changes, data["counts"], from_json(data["detail"]))
