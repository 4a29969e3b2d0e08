"""What runs into rate limits (WA-08): too many requests of a customer, a platform's limit, a goal that retries."""

from __future__ import annotations

from typing import Any

from bot.sandbox.sample import Ground, Planted
from bot.sandbox.waooaw.desk import IDS, MEERA, execute, key
from bot.sandbox.waooaw.state import settled

GOAL = key("goal meera instagram")
CALLS = """
INSERT INTO api_logs (customer_id, goal_id, endpoint, direction, platform, status, created_at)
SELECT $1, $2, $3, $4, $5, CASE WHEN n % $7 = 0 THEN $8 ELSE 200 END, now() - make_interval(secs => n / 2.0)
FROM generate_series(1, $6) AS n
"""
NEARLY_ALL: dict[str, Any] = {"ok": True, "platform_status": 200, "error": None, "scopes": [], "usage": {"percent": 97}}


async def requests_exhausted(ground: Ground) -> Planted:
    """WA-08: more requests within the hour than the customer's tier allows; every twentieth got a 429."""
    await settled(ground)
    await _asked(ground, 1100)
    return Planted(IDS)


async def requests_nearly_exhausted(ground: Ground) -> Planted:
    """WA-08: 860 of 1,000 requests within the hour."""
    await settled(ground)
    await _asked(ground, 860, refused_every=5000)
    return Planted(IDS)


async def highest_tier_exhausted(ground: Ground) -> Planted:
    """WA-08: the highest tier that has a limit, and the limit is reached."""
    await settled(ground)
    await execute(ground, "UPDATE customers SET rate_limit_tier = 'premium' WHERE id = $1", MEERA)
    await _asked(ground, 5100)
    return Planted(IDS)


async def platform_nearly_exhausted(ground: Ground) -> Planted:
    """WA-08: Instagram says that 84 % of its hour is used up."""
    api = await settled(ground)
    api.tests["instagram"] = {**NEARLY_ALL, "usage": {"percent": 84}}
    return Planted(IDS)


async def unlimited_and_busy(ground: Ground) -> Planted:
    """WA-08: a tier without a limit, and many requests: nothing is exhausted."""
    await requests_exhausted(ground)
    await execute(ground, "UPDATE customers SET rate_limit_tier = 'enterprise' WHERE id = $1", MEERA)
    await execute(ground, "UPDATE api_logs SET status = 200 WHERE customer_id = $1", MEERA)
    return Planted(IDS)


async def platform_limit(ground: Ground) -> Planted:
    """WA-08: Instagram says that 97 % of its hour is used up."""
    api = await settled(ground)
    api.tests["instagram"] = NEARLY_ALL
    await execute(ground, CALLS, MEERA, None, "/graph/me/media", "out", "instagram", 210, 6, 429)
    return Planted(IDS)


async def goals_too_often(ground: Ground) -> Planted:
    """WA-08: the same, because a goal posts every five minutes."""
    await platform_limit(ground)
    await execute(ground, "UPDATE goals SET schedule = '*/5 * * * *' WHERE id = $1", GOAL)
    return Planted(IDS)


async def retry_storm(ground: Ground) -> Planted:
    """WA-08: a goal whose token ran out tries again and again, without a pause."""
    await settled(ground)
    expire = "UPDATE credentials SET status = 'expired', token_expires_at = now() - interval '1 hour' WHERE id = $1"
    await execute(ground, expire, key("credential meera instagram"))
    await _retried(ground)
    return Planted({**IDS, "credential_id": str(key("credential meera instagram"))})


async def retry_storm_paused(ground: Ground) -> Planted:
    """WA-08: the goal that retried was paused ten minutes ago, and its connection works again."""
    await settled(ground)
    await _retried(ground)
    await execute(
        ground, "UPDATE goals SET status = 'paused', paused_at = now() - interval '10 min' WHERE id = $1", GOAL
    )
    return Planted(IDS)


async def retry_storm_refused(ground: Ground) -> Planted:
    """WA-08: a goal whose right to publish is missing tries again and again."""
    await settled(ground)
    change = "UPDATE credentials SET scopes = array_remove(scopes, 'instagram_content_publish') WHERE id = $1"
    await execute(ground, change, key("credential meera instagram"))
    await _retried(ground, 403)
    return Planted(IDS)


async def _asked(ground: Ground, number: int, *, refused_every: int = 20) -> None:
    """So many requests of the customer within the hour."""
    await execute(ground, CALLS, MEERA, None, "/cp/agents", "in", None, number, refused_every, 429)


async def _retried(ground: Ground, answered: int = 401) -> None:
    """A goal that posts again and again, and is refused each time."""
    await execute(ground, CALLS, MEERA, GOAL, "/graph/me/media", "out", "instagram", 400, 1, answered)


FAULTS = {
    "retry_storm_refused": retry_storm_refused,
    "requests_exhausted": requests_exhausted,
    "requests_nearly_exhausted": requests_nearly_exhausted,
    "highest_tier_exhausted": highest_tier_exhausted,
    "platform_nearly_exhausted": platform_nearly_exhausted,
    "unlimited_and_busy": unlimited_and_busy,
    "platform_limit": platform_limit,
    "goals_too_often": goals_too_often,
    "retry_storm": retry_storm,
    "retry_storm_paused": retry_storm_paused,
}
