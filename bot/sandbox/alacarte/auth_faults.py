"""What goes wrong with logging in (RB-010): Supabase, the database behind Auth, or our own code around it."""

from __future__ import annotations

from bot.sandbox.alacarte.function_faults import idle
from bot.sandbox.alacarte.ground import settled
from bot.sandbox.alacarte.vendors import AUTH_HEALTH, LOGIN, SETTINGS, Commit, Vendors
from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.services import Switch

HOOK = Commit("77c0d1e", 18, "Tom Weiss: Put the tier of the business into the token")
_REFUSED = "500: failed to connect to `user=supabase_auth_admin`: remaining connection slots are reserved"
_HOOK = "500: Error running hook URI: https://jrtlrnfdqfkjlkpfirzr.supabase.co/functions/v1/token-hook"


async def auth_outage(ground: Ground) -> Planted:
    """Supabase reports an outage of Auth, and ours is down with it."""
    await settled(ground, Vendors(components={("supabase", "Auth"): "major_outage"}, broken=(LOGIN, AUTH_HEALTH)))
    return Planted()


def _database() -> Vendors:
    lines = [(minutes / 2, _REFUSED) for minutes in range(1, 40)]
    return Vendors(unwell={"auth": "UNHEALTHY"}, broken=(LOGIN, AUTH_HEALTH), logs={"auth_logs": lines})


async def auth_no_connections(ground: Ground) -> Planted:
    """Auth gets no connection to the database, while the functions' own lie idle."""
    await settled(ground, _database())
    return await idle(ground)


async def auth_database_busy(ground: Ground) -> Planted:
    """Auth gets no connection to the database, and none lies idle."""
    await settled(ground, _database())
    return Planted()


async def auth_bad_deploy(ground: Ground) -> Planted:
    """Auth itself is well; the hook of ours that it calls fails since a deploy."""
    lines = [(minutes / 2, _HOOK) for minutes in range(1, 30)]
    await settled(ground, Vendors(broken=(LOGIN,), logs={"auth_logs": lines}, commits=(HOOK,)))
    return Planted({"sha": HOOK.sha})


async def auth_hook_fails(ground: Ground) -> Planted:
    """The same, and nothing was deployed."""
    lines = [(minutes / 2, _HOOK) for minutes in range(1, 30)]
    await settled(ground, Vendors(broken=(LOGIN,), logs={"auth_logs": lines}))
    return Planted()


async def auth_down_unexplained(ground: Ground) -> Planted:
    """Auth does not answer, and nothing says why."""
    await settled(ground, Vendors(broken=(LOGIN, AUTH_HEALTH)))
    return Planted()


async def auth_key_refused(ground: Ground) -> Planted:
    """Auth answers, and takes the bot's key for nobody's: whether people can log in cannot be told."""
    await settled(ground, Vendors(refused=(LOGIN, AUTH_HEALTH, SETTINGS)))
    return Planted()


async def auth_page_only(ground: Ground) -> Planted:
    """Supabase reports trouble with Auth, and ours works."""
    await settled(ground, Vendors(components={("supabase", "Auth"): "partial_outage"}))
    return Planted()


async def auth_functions_down(ground: Ground) -> Planted:
    """Auth works, and the edge functions do not answer."""
    await settled(ground)
    ground.services.switches["/functions/v1/check-subscription"] = Switch(503)
    return Planted()


AUTH_FAULTS: dict[str, Fault] = {
    "auth_outage": auth_outage,
    "auth_no_connections": auth_no_connections,
    "auth_database_busy": auth_database_busy,
    "auth_bad_deploy": auth_bad_deploy,
    "auth_hook_fails": auth_hook_fails,
    "auth_down_unexplained": auth_down_unexplained,
    "auth_key_refused": auth_key_refused,
    "auth_page_only": auth_page_only,
    "auth_functions_down": auth_functions_down,
}
