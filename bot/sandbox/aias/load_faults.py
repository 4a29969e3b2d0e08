"""What goes wrong with the database's connections (AI-04): outages, leaks, a full pool, slow statements."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import asyncpg

from bot.sandbox.aias import scripts
from bot.sandbox.aias.accounts import IRIS
from bot.sandbox.aias.health import settle
from bot.sandbox.aias.vendors import Vendors, Vercel, ago, deployment
from bot.sandbox.database import Connection
from bot.sandbox.sample import Fault, Ground, Planted

WAIT_SECONDS = 10.0
POLL_SECONDS = 0.02
BUSY = "SELECT pg_sleep(50)"
SLOW = "SELECT count(*) FROM profiles, pg_sleep(0.55) WHERE lower(email) LIKE '%quarry%'"
POOL = 20


async def supabase_down(ground: Ground) -> Planted:
    """An outage of Supabase: its page says so, and our project does not answer."""
    await settle(ground)
    Vendors(pages={"supabase": "major"}, rest_status=503, auth_status=503).serve(ground)
    return Planted(IRIS.ids())


async def project_down(ground: Ground) -> Planted:
    """Supabase is well; our project is paused."""
    await settle(ground)
    Vendors(rest_status=540).serve(ground)
    return Planted(IRIS.ids())


async def connections_leaked(ground: Ground) -> Planted:
    """A worker opened transactions and forgot them."""
    await settle(ground)
    opened = [await _open(ground, f"worker-{n}") for n in range(4)]
    for connection in opened:
        await connection.execute("BEGIN")
        await connection.execute("SELECT count(*) FROM plan_limits")
    await _until(ground, "idle in transaction", len(opened))
    return _held(opened)


async def pool_full(ground: Ground) -> Planted:
    """All but one of the pool's connections are at work, and some were refused."""
    planted = await _busy(ground, POOL)
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    ground.log("database", *[f"{at} FATAL:  remaining connection slots are reserved for roles with SUPERUSER"] * 3)
    return planted


async def pool_at_its_most(ground: Ground) -> Planted:
    """The pool is as large as the database allows, and full."""
    connection = await ground.database.connect()
    try:
        most = int(await connection.fetchval("SHOW max_connections")) * 8 // 10
    finally:
        await connection.close()
    planted = await _busy(ground, most * 95 // 100)
    Vendors(pool_size=most).serve(ground)
    return planted


async def statement_slow(ground: Ground) -> Planted:
    """A report reads every profile, again and again."""
    await settle(ground)
    connection = await _open(ground, "report")
    try:
        for _ in range(3):
            await connection.fetchval(SLOW)
    finally:
        await connection.close()
    return Planted(IRIS.ids())


async def slow_since_deployment(ground: Ground) -> Planted:
    """The same since a deployment of ten minutes ago, whose migration waits."""
    planted = await statement_slow(ground)
    lately = deployment("dpl_42", "A report of all profiles", ago(minutes=10))
    Vendors(Vercel([lately, *Vercel().deployments], "dpl_42")).serve(ground)
    ground.programs.answer(*scripts.waiting())
    return planted


async def _busy(ground: Ground, count: int) -> Planted:
    await settle(ground)
    opened = [await _open(ground, "api") for _ in range(count - 1)]
    running = [asyncio.create_task(each.fetchval(BUSY)) for each in opened]
    await _until(ground, "active", len(opened))
    return _held(opened, running)


async def _open(ground: Ground, name: str) -> Connection:
    return await asyncpg.connect(ground.database.app_url, server_settings={"application_name": name})


def _held(opened: list[Connection], running: list[asyncio.Task[object]] | None = None) -> Planted:
    async def close() -> None:
        for each in opened:
            each.terminate()
        await asyncio.gather(*(running or ()), return_exceptions=True)

    return Planted(IRIS.ids(), close)


async def _until(ground: Ground, state: str, count: int) -> None:
    """Wait until the server shows that many sessions of the application in that state."""
    watcher = await ground.database.connect()
    asked = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'aias_app'"
        " AND state = $1"
    )
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            there = 0
            while there < count:
                there = await watcher.fetchval(asked, state)
                await asyncio.sleep(0 if there >= count else POLL_SECONDS)
    finally:
        await watcher.close()


FAULTS: dict[str, Fault] = {
    "supabase_down": supabase_down,
    "project_down": project_down,
    "connections_leaked": connections_leaked,
    "pool_full": pool_full,
    "pool_at_its_most": pool_at_its_most,
    "statement_slow": statement_slow,
    "statement_slow_since_deployment": slow_since_deployment,
}
