"""Witnesses that owe the bot nothing: what became durable in a database, read from its write-ahead log."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'
"""
MOMENT, PATIENCE = 0.002, 10.0


class Log:
    """The committed changes of one database since they were last asked for (PostgreSQL's `test_decoding`)."""

    def __init__(self, connection: Connection, slot: str) -> None:
        self._connection = connection
        self._slot = slot

    async def lines(self) -> list[str]:
        """What was committed since: `table public.businesses: UPDATE: …`, in the order of the commits."""
        query = "SELECT data FROM pg_logical_slot_get_changes($1, NULL, NULL)"
        return [str(row["data"]) for row in await self._connection.fetch(query, self._slot)]


@asynccontextmanager
async def watched(connection: Connection) -> AsyncIterator[Log]:
    """The log of this connection's database from now on."""
    slot = f"gate_{uuid.uuid4().hex}"
    await connection.execute("SELECT pg_create_logical_replication_slot($1, 'test_decoding')", slot)
    try:
        yield Log(connection, slot)
    finally:
        await connection.execute("SELECT pg_drop_replication_slot($1)", slot)


async def still(*connections: Connection) -> None:
    """Wait until nobody else is in the middle of something: the server has heard that the dead are dead."""
    async with asyncio.timeout(PATIENCE):
        for connection in connections:
            while await connection.fetchval(_OTHERS):  # noqa: ASYNC110 - a session's end sends no signal
                await asyncio.sleep(MOMENT)


class Snapshot:
    """Some tables as they were once, to be set back to."""

    def __init__(self, connection: Connection, tables: Sequence[str]) -> None:
        self._connection = connection
        self._tables = tables

    async def take(self) -> None:
        """Keep what they hold now."""
        await self._connection.execute("DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept")
        for table in self._tables:
            await self._connection.execute(f"CREATE TABLE kept.{table} AS TABLE public.{table}")

    async def set_back(self) -> None:
        """Exactly what they held then, in one transaction."""
        lines = ["SET LOCAL session_replication_role = replica"]
        lines += [f"DELETE FROM public.{table}" for table in self._tables]
        lines += [f"INSERT INTO public.{table} OVERRIDING SYSTEM VALUE TABLE kept.{table}" for table in self._tables]
        async with self._connection.transaction():
            await self._connection.execute("; ".join(lines))
