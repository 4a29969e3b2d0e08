"""What happens to tokens (WA-05): run out, refused before their time, no longer refreshable, revoked."""

from __future__ import annotations

from bot.sandbox.sample import Ground, Planted
from bot.sandbox.services import Switch
from bot.sandbox.waooaw.desk import IDS, MEERA, execute, key
from bot.sandbox.waooaw.state import settled

SAMPLE = {**IDS, "credential_id": str(key("credential meera instagram"))}
EXPIRE = """
UPDATE credentials SET status = 'expired', token_expires_at = now() - interval '1 day',
                       last_refreshed_at = now() - interval '61 days', last_error = $2
WHERE customer_id = $1 AND platform = 'instagram'
"""


async def token_expired(ground: Ground) -> Planted:
    """WA-05: the token ran out, nobody refreshed it, and it can be refreshed."""
    await settled(ground)
    await execute(ground, EXPIRE, MEERA, None)
    return Planted(SAMPLE)


async def token_rejected(ground: Ground) -> Planted:
    """WA-05: active and good for weeks by our database, and Instagram answers 401."""
    api = await settled(ground)
    api.refuses("instagram", 401, "Invalid access token")
    return Planted(SAMPLE)


async def token_dead(ground: Ground) -> Planted:
    """WA-05: the automatic refresh was refused: the refresh token is worth nothing any more."""
    api = await settled(ground)
    api.refresh_error = "invalid_grant: the refresh token has expired"
    await execute(ground, EXPIRE, MEERA, api.refresh_error)
    return Planted(SAMPLE)


async def token_revoked(ground: Ground) -> Planted:
    """WA-05: the customer removed WAOOAW from the apps that may act for them."""
    api = await settled(ground)
    api.refresh_error = "The user has not authorized application: access was revoked"
    await execute(ground, EXPIRE, MEERA, api.refresh_error)
    return Planted(SAMPLE)


async def token_expires_soon(ground: Ground) -> Planted:
    """WA-05: it works, and it runs out in four days."""
    await settled(ground)
    change = "UPDATE credentials SET token_expires_at = now() + interval '4 days' WHERE id = $1"
    await execute(ground, change, key("credential meera instagram"))
    return Planted(SAMPLE)


async def platform_down(ground: Ground) -> Planted:
    """WA-05: the token ran out while Meta has an outage: refreshing now would fail."""
    await settled(ground)
    await execute(ground, EXPIRE, MEERA, None)
    ground.services.statuses["meta"] = "major"
    return Planted(SAMPLE)


async def refresh_refused_early(ground: Ground) -> Planted:
    """WA-05: it works for two more days, and the automatic refresh was refused."""
    await settled(ground)
    change = "UPDATE credentials SET token_expires_at = now() + interval '2 days', last_error = $2 WHERE id = $1"
    await execute(ground, change, key("credential meera instagram"), "invalid_grant: the refresh token has expired")
    return Planted(SAMPLE)


async def connection_test_broken(ground: Ground) -> Planted:
    """WA-05, WA-06: the test of a connection does not work."""
    await settled(ground)
    ground.services.switches["/api/pp/test-credential"] = Switch(503)
    return Planted(SAMPLE)


FAULTS = {
    "refresh_refused_early": refresh_refused_early,
    "connection_test_broken": connection_test_broken,
    "token_expired": token_expired,
    "token_rejected": token_rejected,
    "token_dead": token_dead,
    "token_revoked": token_revoked,
    "token_expires_soon": token_expires_soon,
    "platform_down": platform_down,
}
