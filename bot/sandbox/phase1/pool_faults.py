"""What takes everybody's database connections away: one function for each fault of P1-E2."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import asyncpg

from bot.sandbox.database import Connection
from bot.sandbox.phase1.app import line, write
from bot.sandbox.phase1.members import EVENT, ids
from bot.sandbox.phase1.settling import limit_sessions, settle
from bot.sandbox.sample import Fault, Ground, Planted

POOL = 10
ROOM, TAKEN = 50, 41
WAIT_SECONDS, POLL_SECONDS = 10.0, 0.02
LONG_QUERY = "SELECT count(*) FROM epochs WHERE loss > 0.5 AND pg_sleep(60) IS NOT NULL"
HOLDING = "UPDATE masks SET name = name WHERE id = md5('mask 1')::uuid"
EXHAUSTED = "Error: connection pool exhausted (max 10, waiting 31)"


async def pool_too_small(ground: Ground) -> Planted:
    """P1-E2: all ten connections of the pool work, and more are wanted."""
    await settle(ground)
    _exhausted(ground)
    return await _sessions(ground, POOL, _working, "active")


async def pool_leaking(ground: Ground) -> Planted:
    """P1-E2: the application thinks that all are taken, and all of them are idle."""
    await settle(ground)
    _exhausted(ground)
    return await _sessions(ground, POOL, _resting, "idle")


async def transactions_held(ground: Ground) -> Planted:
    """P1-E2: two requests died between their UPDATE and their COMMIT."""
    await settle(ground)
    _exhausted(ground)
    return await _sessions(ground, 1, _holding, "idle in transaction")


async def server_full(ground: Ground) -> Planted:
    """P1-E2: the database takes forty sessions, and idle ones of the application have most of them."""
    return await _full(ground, _resting, "idle")


async def server_full_of_work(ground: Ground) -> Planted:
    """P1-E2: the same, and all of them work."""
    return await _full(ground, _working, "active")


async def _full(ground: Ground, begin: Callable[[Connection], Awaitable[object]], state: str) -> Planted:
    await settle(ground)
    _exhausted(ground)
    await limit_sessions(ground, ROOM)
    planted = await _sessions(ground, TAKEN, begin, state)

    async def close() -> None:
        await planted.close()
        await limit_sessions(ground, -1)

    return Planted(planted.ids, close)


async def pool_recovered(ground: Ground) -> Planted:
    """P1-E2: the pool was exhausted, and is not any more."""
    await settle(ground)
    _exhausted(ground)
    return Planted(ids(EVENT))


def _exhausted(ground: Ground) -> None:
    now = datetime.now(UTC)
    write(ground, *(line("ERROR", EXHAUSTED, at=now - timedelta(minutes=ago)) for ago in (12, 7, 3)))


async def _resting(connection: Connection) -> object:
    return await connection.fetchval("SELECT 1")


async def _working(connection: Connection) -> object:
    return await connection.fetchval(LONG_QUERY)


async def _holding(connection: Connection) -> object:
    await connection.execute("BEGIN")
    return await connection.execute(HOLDING)


async def _sessions(
    ground: Ground, number: int, begin: Callable[[Connection], Awaitable[object]], state: str
) -> Planted:
    """That many sessions of the application, each doing that, once the server shows them so."""
    async with AsyncExitStack() as stack:
        tasks: list[asyncio.Future[object]] = []
        for _ in range(number):
            connection = await asyncpg.connect(ground.database.app_url, server_settings={"application_name": "api"})
            stack.callback(connection.terminate)
            tasks.append(asyncio.ensure_future(begin(connection)))
        await _until(ground, number, state)
        kept = stack.pop_all()

    async def close() -> None:
        await kept.aclose()
        await asyncio.gather(*tasks, return_exceptions=True)

    return Planted(ids(EVENT), close)


async def _until(ground: Ground, number: int, state: str) -> None:
    watcher = await ground.database.connect()
    asked = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = 'phase1_app' AND state = $1"
    )
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            shown = 0
            while shown < number:
                shown = await watcher.fetchval(asked, state)
                await asyncio.sleep(0 if shown >= number else POLL_SECONDS)
    finally:
        await watcher.close()


POOL_FAULTS: dict[str, Fault] = {
    "pool_too_small": pool_too_small,
    "pool_leaking": pool_leaking,
    "transactions_held": transactions_held,
    "server_full": server_full,
    "server_full_of_work": server_full_of_work,
    "pool_recovered": pool_recovered,
}
