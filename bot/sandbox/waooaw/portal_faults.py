"""What makes the customer portal slow (WA-20), and what stands out at a look at the platform (WA-CMD)."""

from __future__ import annotations

import asyncio

import asyncpg

from bot.sandbox.sample import Ground, Planted
from bot.sandbox.services import Asked, Reply, Switch
from bot.sandbox.waooaw import engine
from bot.sandbox.waooaw.desk import IDS, MEERA, RAVI, execute
from bot.sandbox.waooaw.state import settled

SLOW = "SELECT count(*), pg_sleep(1.2) IS NULL AS waited FROM goals WHERE title LIKE 'Goal 99%'"
SLOW_FOR_ONE = """
INSERT INTO api_logs (customer_id, endpoint, direction, status, duration_ms, created_at)
SELECT $1::uuid, '/cp/dashboard', 'in', 200, 2000 + n, now() - make_interval(secs => 20 * n)
FROM generate_series(1, 20) AS n
UNION ALL
SELECT $2::uuid, '/cp/goals', 'in', 200, 40 + n % 90, now() - make_interval(secs => n)
FROM generate_series(1, 800) AS n
"""
LATE_SECONDS = 2.4


async def dashboard_query_slow(ground: Ground) -> Planted:
    """WA-20: the dashboard's query takes more than a second."""
    await settled(ground)
    # Where many databases were used before, the server has no room for a statement that ran once.
    await execute(ground, "SELECT pg_stat_statements_reset()")
    connection = await asyncpg.connect(ground.database.app_url)
    try:
        await connection.execute(SLOW)
    finally:
        await connection.close()
    return Planted(IDS)


async def dashboard_repeats(ground: Ground) -> Planted:
    """WA-20: one query for every row of the dashboard."""
    await settled(ground)
    line = "WARN repeated query x214 in GET /cp/dashboard: SELECT * FROM deliverables WHERE goal_instance_id = ?"
    ground.programs.answer(engine.log(engine.BACKEND, (9, line), (3, line)))
    return Planted(IDS)


async def cdn_misses(ground: Ground) -> Planted:
    """WA-20: the CDN fetches every file from our server."""
    await settled(ground)
    ground.services.answer("GET", "/cdn/assets/app.js", Reply(text="app", headers={"X-Cache": "MISS"}))
    return Planted(IDS)


async def portal_api_down(ground: Ground) -> Planted:
    """WA-20: the API is not healthy."""
    await settled(ground)
    ground.services.switches["/api/health"] = Switch(503)
    return Planted(IDS)


async def portal_api_late(ground: Ground) -> Planted:
    """WA-20: the API is healthy, and takes its time to say so."""
    await settled(ground)
    ground.services.answer("GET", "/api/health", Reply(then=_late))
    return Planted(IDS)


async def requests_slow_for_one(ground: Ground) -> Planted:
    """WA-20: one customer's pages take two seconds, everybody else's do not."""
    await settled(ground)
    await execute(ground, SLOW_FOR_ONE, MEERA, RAVI)
    return Planted(IDS)


async def _late(_asked: Asked) -> dict[str, str]:
    await asyncio.sleep(LATE_SECONDS)
    return {"status": "ok"}


async def service_exited(ground: Ground) -> Planted:
    """WA-CMD: one of the services has exited."""
    await settled(ground)
    out = "NAME STATUS\nplant-backend Up 3 days\nplant-scheduler Exited (137) 4 minutes ago\npostgres Up 9 days\n"
    ground.programs.answer(engine.docker("compose", "ps", "--all", out=out))
    return Planted(IDS)


async def diagnostic_complains(ground: Ground) -> Planted:
    """WA-CMD: the diagnostic does not reach a platform."""
    await settled(ground)
    out = "✓ database\n✓ redis\n✓ scheduler\n✗ platforms: linkedin did not answer\n"
    ground.programs.answer(engine.docker(*engine.PYTHON, f"{engine.HEALTH}.full_diagnostic", out=out))
    return Planted(IDS)


async def redis_not_answering(ground: Ground) -> Planted:
    """WA-CMD: Redis does not answer."""
    await settled(ground)
    ground.programs.answer(engine.redis("ping", out="", err="Could not connect to Redis\n", code=1))
    return Planted(IDS)


FAULTS = {
    each.__name__: each
    for each in (
        *(dashboard_query_slow, dashboard_repeats, cdn_misses, portal_api_down, portal_api_late, requests_slow_for_one),
        *(service_exited, diagnostic_complains, redis_not_answering),
    )
}
