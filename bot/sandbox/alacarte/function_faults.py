"""What goes wrong in edge functions (RB-014): a deploy, the database's connections, a third party, or the code."""

from __future__ import annotations

import asyncio

import asyncpg

from bot.sandbox.alacarte.ground import settled
from bot.sandbox.alacarte.vendors import Commit, Lines, Vendors
from bot.sandbox.sample import Fault, Ground, Planted

IDLE = 6
IDLE_SECONDS = 1.2
DEPLOYED = Commit("9f31c2a", 22, "Priya Nair: Read the sender's settings in one query")
EARLIER = Commit("4ab80de", 71, "Tom Weiss: Log the length of a message")
SHARED = {"sms-send": 96, "email-send-smtp": 88, "whatsapp-webhook": 61}
_UNCAUGHT = "Uncaught TypeError: Cannot read properties of undefined (reading 'sender_id')"
_CONNECTIONS = "remaining connection slots are reserved for roles with the SUPERUSER attribute"


def _spread(text: str, times: int, since: float) -> Lines:
    """The same line so many times, evenly over the last minutes."""
    return [(since * (n + 1) / times, text) for n in range(times)]


async def functions_bad_deploy(ground: Ground) -> Planted:
    """One commit 22 minutes ago, and uncaught errors in three functions since."""
    logs = {name: _spread(_UNCAUGHT, 12, 20) for name in SHARED}
    await settled(ground, Vendors(errors=SHARED, logs=logs, commits=(DEPLOYED,)))
    return Planted({"sha": DEPLOYED.sha})


async def functions_two_deploys(ground: Ground) -> Planted:
    """Two commits in two hours; the errors began after both of them."""
    logs = {name: _spread(_UNCAUGHT, 12, 20) for name in SHARED}
    await settled(ground, Vendors(errors=SHARED, logs=logs, commits=(DEPLOYED, EARLIER)))
    return Planted({"sha": DEPLOYED.sha})


async def functions_clone_behind(ground: Ground) -> Planted:
    """As a bad deploy; and the bot's clone lacks a commit that the origin has."""
    logs = {name: _spread(_UNCAUGHT, 12, 20) for name in SHARED}
    await settled(ground, Vendors(errors=SHARED, logs=logs, commits=(DEPLOYED,), behind=True))
    return Planted({"sha": DEPLOYED.sha})


async def functions_uncaught(ground: Ground) -> Planted:
    """Uncaught errors that began before the last deploy, so that it is not the cause."""
    logs = {"sms-send": _spread(_UNCAUGHT, 30, 110)}
    await settled(ground, Vendors(errors={"sms-send": 40}, logs=logs, commits=(DEPLOYED,)))
    return Planted()


async def functions_connections(ground: Ground) -> Planted:
    """The database refuses connections, while the functions' own lie idle."""
    await settled(ground, _no_connections())
    return await idle(ground)


async def functions_no_connections(ground: Ground) -> Planted:
    """The database refuses connections, and none of the functions' own is idle."""
    await settled(ground, _no_connections())
    return Planted()


async def functions_third_party(ground: Ground) -> Planted:
    """Twilio is down, and the functions that call it fail."""
    text = "error: api.twilio.com answered 503 Service Unavailable"
    await settled(
        ground,
        Vendors(
            components={("twilio", "REST API"): "major_outage"},
            errors={"sms-send": 180, "call-outbound": 140},
            logs={"sms-send": _spread(text, 30, 30), "call-outbound": _spread(text, 20, 30)},
        ),
    )
    return Planted()


async def functions_timeouts(ground: Ground) -> Planted:
    """Functions run out of time, and nothing was deployed."""
    logs = {name: _spread("error: deadline exceeded after 150 s", 15, 40) for name in SHARED}
    await settled(ground, Vendors(errors=SHARED, logs=logs))
    return Planted()


def _no_connections() -> Vendors:
    logs = {name: _spread(f"error: {_CONNECTIONS}", 20, 25) for name in SHARED}
    return Vendors(errors=SHARED, logs=logs)


async def idle(ground: Ground) -> Planted:
    """Sessions of the functions that have done nothing for a second and keep their connections."""
    named = {"application_name": "edge-runtime"}
    sessions = [await asyncpg.connect(ground.database.app_url, server_settings=named) for _ in range(IDLE)]
    for session in sessions:
        await session.execute("SELECT 1")
    await asyncio.sleep(IDLE_SECONDS)

    async def close() -> None:
        for session in sessions:
            session.terminate()

    return Planted({}, close)


FUNCTION_FAULTS: dict[str, Fault] = {
    "functions_bad_deploy": functions_bad_deploy,
    "functions_two_deploys": functions_two_deploys,
    "functions_clone_behind": functions_clone_behind,
    "functions_uncaught": functions_uncaught,
    "functions_connections": functions_connections,
    "functions_no_connections": functions_no_connections,
    "functions_timeouts": functions_timeouts,
    "functions_third_party": functions_third_party,
}
