"""What goes wrong where WhatsApp's messages come in (RB-003): secrets that differ, a full pool, errors, an address."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg

from bot.sandbox.alacarte import platform
from bot.sandbox.alacarte.platform import FUNCTIONS, HOOK_PATHS, META_APP, committed, connected, often, said, secret_of
from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.services import Reply, Switch

HOOK = "whatsapp-webhook"
PATH = f"/functions/v1/{HOOK}"
APP, SUBSCRIPTIONS = "/meta/v23.0/app", f"/meta/v23.0/{META_APP}/subscriptions"
SIGNATURE = "error: signature verification failed for delivery {n}"
IDLE_SESSIONS = 20


async def _silent(ground: Ground) -> None:
    """No WhatsApp message came in for three quarters of an hour."""
    async with connected(ground) as connection:
        await connection.execute(
            "DELETE FROM messages WHERE channel = 'whatsapp' AND direction = 'in'"
            " AND created_at > now() - interval '45 minutes'"
        )


async def _deployed(ground: Ground, name: str, value: str) -> None:
    async with connected(ground) as connection:
        await connection.execute("UPDATE secrets SET value = $2, updated_at = now() WHERE name = $1", name, value)


async def healthy(ground: Ground) -> Planted:
    """Everything in order."""
    return Planted()


async def app_secret_differs(ground: Ground) -> Planted:
    """The function has another app secret than Meta: every signature looks wrong to it."""
    await _silent(ground)
    await _deployed(ground, "WHATSAPP_APP_SECRET", "mistyped")
    said(ground, HOOK, *often(SIGNATURE))
    return Planted()


async def app_secret_reset(ground: Ground) -> Planted:
    """Somebody reset the app secret at Meta: nobody has the new one yet."""
    await _silent(ground)
    for path in (APP, SUBSCRIPTIONS):
        ground.services.switches[path] = Switch(401)
    said(ground, HOOK, *often(SIGNATURE))
    return Planted()


async def signature_unexplained(ground: Ground) -> Planted:
    """Signatures fail although the secret is right."""
    said(ground, HOOK, *often(SIGNATURE, 3))
    return Planted()


async def verify_token_differs(ground: Ground) -> Planted:
    """Our verify token was changed: Meta's handshake is refused, and Meta switched the delivery off."""
    await _silent(ground)
    await _deployed(ground, "WHATSAPP_VERIFY_TOKEN", "changed")
    said(ground, HOOK, *often("GET 403 verify token does not match", 4))
    ground.services.answer("GET", SUBSCRIPTIONS, Reply(json=platform.subscribed(active=False)))
    return Planted()


async def handshake_refused(ground: Ground) -> Planted:
    """Somebody tries the handshake with a token of their own."""
    said(ground, HOOK, *often("GET 403 verify token does not match", 4))
    return Planted()


async def not_registered(ground: Ground) -> Planted:
    """The app at Meta has no address of ours any more."""
    await _silent(ground)
    ground.services.answer("GET", SUBSCRIPTIONS, Reply(json={"data": []}))
    return Planted()


async def no_answer(ground: Ground) -> Planted:
    """The webhook does not answer, and says nothing of it."""
    ground.services.switches[PATH] = Switch(seconds=9.0)
    return Planted()


async def delivered_elsewhere(ground: Ground) -> Planted:
    """Meta delivers to an address of a test."""
    await _silent(ground)
    ground.services.answer("GET", SUBSCRIPTIONS, Reply(json=platform.subscribed(f"{FUNCTIONS}/whatsapp-webhook-test")))
    said(ground, HOOK)
    return Planted()


async def pool_full(ground: Ground) -> Planted:
    """Sessions of the functions that nobody closed fill the pool: the function waits for one until it is ended."""
    await _silent(ground)
    _times_out(ground)
    opened: list[asyncpg.Connection[asyncpg.Record]] = []
    for _ in range(IDLE_SESSIONS):
        told = {"application_name": "edge-functions"}
        opened.append(await asyncpg.connect(ground.database.app_url, server_settings=told))
    await asyncio.gather(*(each.execute("SELECT 1") for each in opened))
    return Planted(close=lambda: _close(opened))


async def slow_queries(ground: Ground) -> Planted:
    """The function times out, and there are sessions enough."""
    await _silent(ground)
    _times_out(ground)
    return Planted()


async def errors_500(ground: Ground) -> Planted:
    """The function ends with an error since a commit of this morning."""
    await _silent(ground)
    ground.services.answer("POST", PATH, Reply(500, {"error": "internal"}))
    said(ground, HOOK, *often("500 Internal Server Error: TypeError: contacts is not iterable"))
    committed(ground, HOOK_PATHS, ("c0ffee1", 50.0, "Priya Nair: Read the profile of each contact"))
    return Planted()


async def meta_down(ground: Ground) -> Planted:
    """Meta's page says so, and nothing comes in."""
    await _silent(ground)
    ground.services.statuses["meta"] = "major"
    return Planted()


async def unsigned_accepted(ground: Ground) -> Planted:
    """The function takes what nobody signed."""
    ground.services.answer("POST", PATH, Reply(200, {"received": True}))
    return Planted()


async def only_silent(ground: Ground) -> Planted:
    """Nothing comes in, and nothing says why."""
    await _silent(ground)
    return Planted()


async def mended(ground: Ground) -> Planted:
    """Whatever it was is over: secrets are right, the function answers, Meta delivers, and messages arrive."""
    for name in ("WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN"):
        await _deployed(ground, name, secret_of(ground, name))
    for path in (APP, SUBSCRIPTIONS, PATH):
        ground.services.switches.pop(path, None)
    ground.services.statuses["meta"] = "none"
    ground.services.answer("GET", SUBSCRIPTIONS, Reply(json=platform.subscribed()))
    ground.services.answer("POST", PATH, Reply(401, {"error": "invalid signature"}))
    async with connected(ground) as connection:
        await connection.execute(
            "INSERT INTO messages (conversation_id, channel, direction, status, content, created_at)"
            " SELECT md5('conversation ' || 3 * n)::uuid, 'whatsapp', 'in', 'received', 'Fault ' || n, now()"
            " FROM generate_series(1, 5) AS n"
        )
    return Planted()


def _times_out(ground: Ground) -> None:
    ground.services.switches[PATH] = Switch(504)
    said(ground, HOOK, *often("error: timeout: no database connection within 5 s"))


async def _close(opened: Sequence[asyncpg.Connection[asyncpg.Record]]) -> None:
    for each in opened:
        each.terminate()


WHATSAPP_FAULTS: dict[str, Fault] = {
    "whatsapp_healthy": healthy,
    "whatsapp_app_secret_differs": app_secret_differs,
    "whatsapp_app_secret_reset": app_secret_reset,
    "whatsapp_signature_unexplained": signature_unexplained,
    "whatsapp_verify_token_differs": verify_token_differs,
    "whatsapp_handshake_refused": handshake_refused,
    "whatsapp_not_registered": not_registered,
    "whatsapp_no_answer": no_answer,
    "whatsapp_delivered_elsewhere": delivered_elsewhere,
    "whatsapp_pool_full": pool_full,
    "whatsapp_slow_queries": slow_queries,
    "whatsapp_errors_500": errors_500,
    "whatsapp_meta_down": meta_down,
    "whatsapp_unsigned_accepted": unsigned_accepted,
    "whatsapp_only_silent": only_silent,
    "whatsapp_mended": mended,
}
