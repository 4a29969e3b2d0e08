"""Why calls to the API fail (ST-04): the key, its permissions, the limit, the API itself."""

from __future__ import annotations

from datetime import timedelta

from bot.sandbox.services import Reply
from bot.sandbox.storytailor import agents, clouds
from bot.sandbox.storytailor.families import ADEYEMI
from bot.sandbox.storytailor.planting import Ids, Plant, Scene

REPLACE = """
UPDATE api_keys
SET revoked = false, revoked_reason = NULL, expires_at = NULL, prefix = 'st_live_b91c', created_at = now()
WHERE id = $1
"""


async def well(scene: Scene) -> Ids:
    """A valid key, and an API that can replace it."""
    key = scene.desk.family.id("key")
    replaced = agents.then(scene.ground, REPLACE, key, says={"replaced": True, "shown_to": "owner"})
    scene.ground.services.answer("POST", "/api/admin/v1/keys/{key}/replace", Reply(then=replaced, token=True))
    return {"key": str(key), "other": str(ADEYEMI.id("key"))}


async def answered(scene: Scene, status: int, times: int, path: str) -> None:
    """What the API answered in the last minutes."""
    for minute in range(times):
        at = scene.desk.now - timedelta(minutes=minute)
        key = scene.desk.family.id("key")
        await scene.desk.row("api_errors", api_key_id=key, status=status, path=path, created_at=at)


async def lacks_permission(scene: Scene) -> Ids:
    """The app asks for audio, and the key may not."""
    await answered(scene, 403, 6, "/v1/audio")
    return await well(scene)


async def revoked(scene: Scene) -> Ids:
    """The key was revoked."""
    await scene.desk.change("api_keys", revoked=True, revoked_reason="rotated by its owner")
    await answered(scene, 401, 9, "/v1/stories")
    return await well(scene)


async def leaked(scene: Scene) -> Ids:
    """The key was revoked because it was found in public."""
    await scene.desk.change("api_keys", revoked=True, revoked_reason="leaked: found in a public repository")
    await answered(scene, 401, 9, "/v1/stories")
    return await well(scene)


async def limit_differs(scene: Scene) -> Ids:
    """The gateway allows half of what the plan does, and they never came near it."""
    await scene.desk.change("rate_limits", limit=30)
    return await well(scene)


async def expired(scene: Scene) -> Ids:
    """The key has expired."""
    await scene.desk.change("api_keys", expires_at=scene.desk.now - timedelta(days=2))
    await answered(scene, 401, 9, "/v1/stories")
    return await well(scene)


async def mistyped(scene: Scene) -> Ids:
    """The key is valid, and something else is sent."""
    await answered(scene, 401, 4, "/v1/stories")
    return await well(scene)


async def missing(scene: Scene) -> None:
    """There is no key."""
    await well(scene)
    await scene.desk.run("DELETE FROM api_keys WHERE user_id = $1")


async def limit_reached(scene: Scene) -> Ids:
    """Every call of this minute is used."""
    ends = scene.desk.now + timedelta(minutes=5)
    await scene.desk.change("rate_limits", used=60, refused=14, window_ends=ends)
    await answered(scene, 429, 8, "/v1/stories")
    return await well(scene)


async def limit_wrong(scene: Scene) -> Ids:
    """The gateway still has the limit of Free."""
    await scene.desk.change("rate_limits", limit=10, used=10, refused=30)
    await answered(scene, 429, 8, "/v1/stories")
    return await well(scene)


async def limit_none(scene: Scene) -> Ids:
    """A plan without a limit: -1 with us, null at the gateway."""
    await scene.desk.connection.execute("UPDATE plans SET api_requests_per_minute = -1 WHERE tier = 'individual'")
    await scene.desk.change("rate_limits", limit=None, used=900)
    return await well(scene)


async def down(scene: Scene) -> Ids:
    """The API does not answer."""
    scene.ground.services.answer("GET", "/api/health", Reply(status=503, json={"status": "down"}))
    return await well(scene)


async def inactive(scene: Scene) -> Ids:
    """The last deployment of the Universal Agent failed."""
    clouds.states(scene.ground, universal_agent={"State": "Active", "LastUpdateStatus": "Failed"})
    return await well(scene)


async def fails(scene: Scene) -> Ids:
    """The Universal Agent runs out of time now and then."""
    clouds.said(scene.ground, "universal-agent", *(["ERROR Task timed out after 29.00 seconds"] * 5))
    return await well(scene)


async def suspended(scene: Scene) -> Ids:
    """The account is suspended."""
    await scene.desk.user(status="suspended", status_reason="safety review")
    return await well(scene)


API_FAULTS: dict[str, Plant] = {
    "api_well": well,
    "key_lacks_permission": lacks_permission,
    "key_revoked": revoked,
    "key_leaked": leaked,
    "key_expired": expired,
    "key_mistyped": mistyped,
    "key_missing": missing,
    "limit_reached": limit_reached,
    "limit_wrong": limit_wrong,
    "limit_differs": limit_differs,
    "limit_none": limit_none,
    "api_down": down,
    "universal_agent_inactive": inactive,
    "universal_agent_fails": fails,
    "api_account_suspended": suspended,
}
