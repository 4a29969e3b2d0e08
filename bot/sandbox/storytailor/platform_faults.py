"""Why Storytailor does not work on Alexa, in the app or with the web SDK (ST-03): our side, and the family's link."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from bot.sandbox.services import Reply
from bot.sandbox.storytailor import clouds
from bot.sandbox.storytailor.planting import Plant, Scene


async def well(scene: Scene, **different: Any) -> None:
    """The family is linked to each platform, and every platform is well on our side, but for what is `different`."""
    clouds.platforms(scene.ground, **different)


async def link(scene: Scene, platform: str, **columns: Any) -> None:
    """One of the family's links is different."""
    await well(scene)
    pairs = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, start=3))
    await scene.desk.run(
        f"UPDATE platform_links SET {pairs} WHERE user_id = $1 AND platform = $2", platform, *columns.values()
    )


async def expired(scene: Scene) -> None:
    """The app's token has expired."""
    await link(scene, "mobile", token_expires_at=scene.desk.now - timedelta(days=3))


async def never(scene: Scene) -> None:
    """The web SDK was never linked."""
    await well(scene)
    await scene.desk.run("DELETE FROM platform_links WHERE user_id = $1 AND platform = 'web_sdk'")


async def inactive(scene: Scene) -> None:
    """The last deployment of the Alexa handler failed."""
    await well(scene)
    clouds.states(scene.ground, alexa_handler={"State": "Failed", "LastUpdateStatus": "Failed"})


async def token_refused(scene: Scene) -> None:
    """Amazon refuses our token."""
    await well(scene)
    scene.ground.services.answer("GET", "/alexa/v1/vendors", Reply(status=401, json={"message": "token expired"}))


async def health_unknown(scene: Scene) -> None:
    """Our API does not tell."""
    await well(scene)
    scene.ground.services.answer("GET", "/api/health/platforms/{platform}", Reply(status=500, json={"error": "?"}))


async def key_revoked(scene: Scene) -> None:
    """The key of the web page was revoked."""
    await well(scene)
    await scene.desk.change("api_keys", revoked=True, revoked_reason="rotated by its owner")


async def suspended(scene: Scene) -> None:
    """The account is suspended."""
    await well(scene)
    await scene.desk.user(status="suspended", status_reason="safety review")


PLATFORM_FAULTS: dict[str, Plant] = {
    "platforms_well": well,
    "link_broken": partial(link, platform="alexa", last_error="invalid_grant"),
    "link_token_expired": expired,
    "link_undone": partial(link, platform="alexa", linked=False),
    "link_never": never,
    "platform_off": partial(link, platform="mobile", enabled=False),
    "platform_off_by_family": partial(link, platform="mobile", enabled=False, settings='{"disabled_by": "family"}'),
    "alexa_locale": partial(link, platform="alexa", settings='{"locale": "fr-FR"}'),
    "app_too_old": partial(link, platform="mobile", settings='{"build": 371}'),
    "alexa_handler_inactive": inactive,
    "alexa_token_refused": token_refused,
    "mobile_credentials_expired": partial(well, credentials_valid=False),
    "platform_webhook_failing": partial(well, webhook="failing"),
    "platform_permissions_missing": partial(well, missing_permissions=["push_notifications"]),
    "platform_health_unknown": health_unknown,
    "web_key_revoked": key_revoked,
    "platform_account_suspended": suspended,
}
