"""What fills the backend's connection pool (WA-04): open transactions, a slow query, leaked sessions, plain load."""

from __future__ import annotations

from bot.sandbox.programs import Answer
from bot.sandbox.sample import Ground, Planted
from bot.sandbox.services import Switch
from bot.sandbox.waooaw import engine
from bot.sandbox.waooaw.desk import IDS, MEERA, opened
from bot.sandbox.waooaw.engine import BACKEND, docker, pool, restart
from bot.sandbox.waooaw.sessions import ACTIVE, IDLE, IN_TRANSACTION, SLEEPS, Sessions
from bot.sandbox.waooaw.state import settled

FULL = pool(40, 0, overflow=6)
CALM = pool(8, 12)
ERRORS = engine.log(
    BACKEND,
    (9, "INFO 200 GET /cp/approvals"),
    (6, "ERROR sqlalchemy.exc.TimeoutError: QueuePool limit of size 20 overflow 20 reached, connection timed out"),
    (4, "ERROR 500 GET /cp/goals: connection pool exhausted"),
    (2, "ERROR 500 GET /cp/goals: connection pool exhausted"),
)
LEAKING = """\
src/Plant/BackEnd/routes/approvals.py:88:    db = get_db()
src/Plant/BackEnd/jobs/digest.py:31:    session = next(get_db())
"""
STARTED = (CALM, engine.container(BACKEND, status="Up 20 seconds (healthy)"))
SLOW_REQUESTS = """
INSERT INTO api_logs (customer_id, endpoint, direction, status, duration_ms, created_at)
SELECT $1, '/cp/dashboard', 'in', 200, 2000 + n % 400, now() - make_interval(secs => n)
FROM generate_series(1, 800) AS n
"""


async def idle_transactions(ground: Ground) -> Planted:
    """WA-04: twelve sessions have a transaction open and do nothing; the pool has nothing left."""
    await _full(ground)
    held = Sessions(lambda: ground.programs.answer(CALM))
    await held.add(ground.database, IN_TRANSACTION, "SELECT count(*) FROM rate_limit_tiers", 12)
    return Planted({**IDS, "pid": str(held.pids[0])}, held.close)


async def slow_report(ground: Ground) -> Planted:
    """WA-04: a query that goes on and on holds what others wait for."""
    await _full(ground)
    held = Sessions(lambda: ground.programs.answer(CALM))
    await held.add(ground.database, ACTIVE, SLEEPS)
    return Planted({**IDS, "pid": str(held.pids[0])}, held.close)


async def backup_running(ground: Ground) -> Planted:
    """WA-04: what runs long is the nightly backup, and nobody may stop it."""
    await _full(ground)
    held = await Sessions().add(ground.database, ACTIVE, SLEEPS, program="pg_dump")
    return Planted({**IDS, "pid": str(held.pids[0])}, held.close)


async def leaked_sessions(ground: Ground) -> Planted:
    """WA-04: every connection is handed out, and the database sees nobody work: they were never given back."""
    await _full(ground)
    ground.programs.answer(Answer("git", engine.SEARCH, LEAKING), restart(BACKEND, then=STARTED))
    held = await Sessions().add(ground.database, IDLE, "SELECT 1", 22)
    return Planted(IDS, held.close)


async def too_busy(ground: Ground) -> Planted:
    """WA-04: every connection works, each for a moment only: more requests than the pool has connections."""
    await _full(ground)
    up = docker(
        "compose", "up", "--detach", "--no-deps", BACKEND, err=" Container plant-backend  Started\n", then=STARTED
    )
    ground.programs.answer(up)
    held = await Sessions().add(ground.database, ACTIVE, SLEEPS, 22)
    return Planted(IDS, held.close)


async def pool_filling(ground: Ground) -> Planted:
    """WA-04: 34 of 40 connections are taken: a warning, and nothing to do yet."""
    await settled(ground)
    ground.programs.answer(pool(34, 6))
    return Planted(IDS)


async def pool_unknown(ground: Ground) -> Planted:
    """WA-04: the backend serves, and cannot say how its pool is."""
    await settled(ground)
    report = (*engine.PYTHON, f"{engine.HEALTH}.connection_pool_status")
    ground.programs.answer(docker(*report, err="ModuleNotFoundError: connection_pool_status\n", code=1))
    return Planted(IDS)


async def backend_down(ground: Ground) -> Planted:
    """WA-04: the backend is in no state to say anything about its pool."""
    await settled(ground)
    gone = 'service "plant-backend" is not running\n'
    reports = (f"{engine.HEALTH}.connection_pool_status", f"{engine.HEALTH}.scheduler_health")
    ground.programs.answer(*(docker(*engine.PYTHON, each, err=gone, code=1) for each in reports))
    ground.services.switches["/api/health"] = Switch(503)
    return Planted(IDS)


async def requests_slow(ground: Ground) -> Planted:
    """WA-04, WA-20: the pool is in order, and requests have taken two seconds for some minutes."""
    await settled(ground)
    async with opened(ground) as connection:
        await connection.execute(SLOW_REQUESTS, MEERA)
    return Planted(IDS)


async def _full(ground: Ground) -> None:
    await settled(ground)
    ground.programs.answer(FULL, ERRORS)


FAULTS = {
    "idle_transactions": idle_transactions,
    "slow_report": slow_report,
    "backup_running": backup_running,
    "leaked_sessions": leaked_sessions,
    "too_busy": too_busy,
    "pool_filling": pool_filling,
    "pool_unknown": pool_unknown,
    "backend_down": backend_down,
    "requests_slow": requests_slow,
}
