"""Databases that are made once on a server and copied for each use."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

import asyncpg

from bot.sandbox.postgres import Postgres, quoted

BUILD_LOCK = 0x616C6163  # one builder at a time on a server


async def template(server: Postgres, kind: str, content: bytes, fill: Callable[[str], Awaitable[None]]) -> str:
    """The template's name, which holds its content's hash: what has changed never meets an old template.

    `fill` is given the name of an empty database the first time, fills it, and leaves no session behind.
    """
    name = f"{kind}_template_{hashlib.sha256(content).hexdigest()[:12]}"
    connection = await server.connect()
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", BUILD_LOCK)
        if not await exists(connection, name):
            building = f"{name}_building"
            await server.drop_database(building)
            await server.create_database(building)
            await fill(building)
            await connection.execute(f"ALTER DATABASE {quoted(building)} RENAME TO {quoted(name)}")
            await connection.execute(f"ALTER DATABASE {quoted(name)} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")
    finally:
        await connection.close()
    return name


async def exists(connection: asyncpg.Connection[asyncpg.Record], name: str) -> bool:
    """Whether the server has a database of this name."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name))
