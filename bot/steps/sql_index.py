"""Making and dropping an index without blocking anybody: outside a transaction, so failures are looked for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
from asyncpg import exceptions as pg

from bot.domain.change import Preview, Receipt
from bot.errors import BotError, Refusal
from bot.steps.base import Done, Failed, InDoubt, Outcome
from bot.steps.sql_errors import LOST, TROUBLE, sentence
from bot.steps.sql_read import LOCK_WAIT, opening
from bot.steps.sql_shape import Index
from bot.steps.targets import ROLLBACK_SECONDS, Connection, ReachedDatabase, Targets, end

CLEANING = timedelta(seconds=30)

_TABLE = """
SELECT c.relname::text AS name, n.nspname::text AS schema, pg_size_pretty(pg_table_size(c.oid)) AS size,
       greatest(c.reltuples, 0)::bigint AS rows,
       ARRAY(SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i WHERE i.indrelid = c.oid ORDER BY 1) AS indexes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)
"""
_INDEX = """
SELECT i.indexrelid AS oid, i.indisvalid AS valid, pg_get_indexdef(i.indexrelid) AS definition,
       i.indrelid::regclass::text AS "table", pg_size_pretty(pg_relation_size(i.indexrelid)) AS size,
       format('%I.%I', n.nspname, c.relname) AS quoted, i.indisunique OR i.indisprimary AS guards,
       EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid) AS building
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indexrelid = to_regclass($1)
"""


@dataclass(frozen=True, slots=True)
class IndexJob:
    """An index to make or to drop, with everything that needs."""

    reached: ReachedDatabase
    targets: Targets
    statement: str
    index: Index
    timeout: timedelta

    def said(self, trouble: BaseException) -> str:
        """The trouble as one sentence."""
        return sentence(trouble, self.reached, self.targets, self.timeout.total_seconds())


async def preview(job: IndexJob) -> Preview:
    """What making or dropping the index means: sizes, what is there already. Raises Refusal."""
    try:
        async with job.reached.connection(job.timeout) as connection:
            await connection.execute(opening("READ ONLY", job.timeout))
            try:
                there = await _find(connection, job)
                return _drop(job, there) if not job.index.create else await _create(connection, job, there)
            finally:
                await end(connection)
    except TROUBLE as trouble:
        raise Refusal(job.said(trouble)) from trouble


async def _find(connection: Connection, job: IndexJob) -> asyncpg.Record | None:
    name = job.index.name
    if job.index.create and "." not in name:
        schema = await connection.fetchval(
            "SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.oid = to_regclass($1)",
            job.index.table,
        )
        name = f"{schema}.{name}" if schema else name  # an index lives in its table's schema
    return await connection.fetchrow(_INDEX, name)


async def _create(connection: Connection, job: IndexJob, there: asyncpg.Record | None) -> Preview:
    table = await connection.fetchrow(_TABLE, job.index.table)
    if table is None:
        raise Refusal(f"There is no table {job.index.table} in this database.")
    if there is not None and there["valid"]:
        raise Refusal(f"The index {job.index.name} is there already: {there['definition']}.")
    if there is not None and there["building"]:
        raise Refusal(f"The index {job.index.name} is being built at this moment.")
    leftover = (f"A failed build left {job.index.name} behind, invalid; it is dropped first.",) if there else ()
    size = f"{table['name']} is {table['size']} with about {table['rows']:,} rows."
    return Preview(
        headline=f"An index is built on {table['name']} ({table['size']}) without blocking writes",
        payload={"database": job.reached.database.name, "statements": [job.statement], "values": {}},
        lines=tuple(f"There is {definition}" for definition in table["indexes"]),
        warnings=(*leftover, size),
        reversible=True,
        undo="the index is dropped again",
    )


def _drop(job: IndexJob, there: asyncpg.Record | None) -> Preview:
    if there is None:
        raise Refusal(f"There is no index {job.index.name}.")
    if there["guards"]:
        raise Refusal(f"{job.index.name} is unique: dropping it takes a rule away, which is a migration.")
    return Preview(
        headline=f"The index {job.index.name} ({there['size']}) of {there['table']} is dropped",
        payload={"database": job.reached.database.name, "statements": [job.statement], "values": {}},
        lines=(f"Now: {there['definition']}.",),
        reversible=True,
        undo="the index is built again",
    )


async def apply(job: IndexJob) -> Outcome:
    """Make or drop the index, and look whether it is so. A build that fails leaves nothing behind."""
    try:
        async with job.reached.connection(job.timeout, CLEANING) as connection:
            return await _run(connection, job)
    except BotError as refused:
        return Failed(refused.sentence)
    except LOST as trouble:
        return InDoubt(f"{job.said(trouble)} The index may still be under way on the server.")
    except TROUBLE as trouble:
        return Failed(job.said(trouble))


async def _run(connection: Connection, job: IndexJob) -> Outcome:
    before = await _find(connection, job)
    if job.index.create and before is not None and before["valid"]:
        return Failed(f"The index {job.index.name} is there already.", drift=True)
    if not job.index.create and before is None:
        return Failed(f"The index {job.index.name} is gone already.", drift=True)
    await _limit(connection, job.timeout)
    try:
        if job.index.create and before is not None:
            await connection.execute(f"DROP INDEX CONCURRENTLY {before['quoted']}")
        await connection.execute(job.index.text)
    except (pg.PostgresError, asyncio.CancelledError) as trouble:
        if isinstance(trouble, LOST):
            raise
        cleaned = await asyncio.shield(_clean(connection, job)) if job.index.create else ""
        if isinstance(trouble, asyncio.CancelledError):
            raise
        return Failed(f"{job.said(trouble)}{cleaned}")
    finally:
        if not connection.is_closed():
            async with asyncio.timeout(ROLLBACK_SECONDS):
                await connection.execute("RESET statement_timeout; RESET lock_timeout")
    return await _result(connection, job, before)


async def _limit(connection: Connection, timeout: timedelta) -> None:
    limit = int(timeout.total_seconds() * 1000)
    lock = min(limit, int(LOCK_WAIT.total_seconds() * 1000) * 5)
    await connection.execute(f"SET statement_timeout = {limit}; SET lock_timeout = {lock}")


async def _clean(connection: Connection, job: IndexJob) -> str:
    """Drop what a failed build left behind, and say so."""
    left = await _find(connection, job)
    if left is None or left["valid"]:
        return ""
    try:
        await connection.execute(f"DROP INDEX CONCURRENTLY {left['quoted']}")
    except pg.PostgresError as trouble:
        return f" The half-built index {left['quoted']} is still there and could not be dropped: {job.said(trouble)}"
    return " The half-built index was removed."


async def _result(connection: Connection, job: IndexJob, before: asyncpg.Record | None) -> Outcome:
    after = await _find(connection, job)
    detail: dict[str, Any] = {"database": job.reached.database.name}
    if job.index.create:
        if after is None or not after["valid"]:
            cleaned = await _clean(connection, job)
            return Failed(f"The index was built and is not valid.{cleaned}")
        detail["undo"] = f"DROP INDEX CONCURRENTLY {after['quoted']}"
        return Done(Receipt(f"The index {job.index.name} ({after['size']}) is there and valid", detail=detail))
    if after is not None:
        return Failed(f"The index {job.index.name} is still there.")
    definition = "" if before is None else str(before["definition"])
    detail["undo"] = definition.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)
    return Done(Receipt(f"The index {job.index.name} is dropped", detail=detail))


async def settle(job: IndexJob) -> Outcome:
    """What became of an interrupted build or drop; a half-built leftover is removed."""
    try:
        async with job.reached.connection(job.timeout) as connection:
            there = await _find(connection, job)
            if not job.index.create:
                return Failed("The index is still there.") if there else Done(Receipt(f"{job.index.name} is dropped"))
            if there is None:
                return Failed("The index was not built.")
            if there["building"]:
                return InDoubt("The index is still being built on the server.")
            if not there["valid"]:
                return Failed(f"The index was not finished.{await _clean(connection, job)}")
            undo = {"database": job.reached.database.name, "undo": f"DROP INDEX CONCURRENTLY {there['quoted']}"}
            return Done(Receipt(f"The index {job.index.name} ({there['size']}) is there and valid", detail=undo))
    except TROUBLE as trouble:
        return InDoubt(f"{job.said(trouble)} Whether the index is there is not known.")


def inverse(receipt: Receipt) -> Mapping[str, Any] | None:
    """The rendered spec that takes the receipt back."""
    undo = receipt.detail.get("undo")
    if not isinstance(undo, str) or not undo:
        return None
    return {"query": undo, "database": receipt.detail.get("database"), "bind": {}, "autocommit": True}
