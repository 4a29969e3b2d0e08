"""The places around the sample system: Supabase's logs and secrets, Meta, Twilio, Resend, status pages, and git."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.sandbox.database import Connection
from bot.sandbox.programs import Answer
from bot.sandbox.sample import Ground
from bot.sandbox.services import OPERATIONAL, Asked, Reply

PROJECT = "jrtlrnfdqfkjlkpfirzr"
FUNCTIONS = f"https://{PROJECT}.supabase.co/functions/v1"
META_APP = "700100200300"
SECRETS = (
    "STRIPE_WEBHOOK_SECRET",
    "WHATSAPP_VERIFY_TOKEN",
    "WHATSAPP_APP_SECRET",
    "WHATSAPP_TOKEN",
    "RESEND_API_KEY",
    "TWILIO_AUTH_TOKEN",
)
SENDERS = ("whatsapp-send", "email-send-smtp", "sms-send")
RECEIVERS = ("whatsapp-webhook", "sms-webhook", "email-sync", "stripe-webhook")
SEND_PATHS = tuple(f"supabase/functions/{name}" for name in (*SENDERS, "_shared"))
HOOK_PATHS = ("supabase/functions/whatsapp-webhook", "supabase/functions/_shared")
LOGGED = ("log", "--since=2 hours ago", "--format=%h %cI %an: %s", "--")
HEAD = "5c1d0e7b2f9a4836d1c7e5b09a2f4d6813c0b7ea"
QUIET_AFTER = timedelta(minutes=2)
_FUNCTION = re.compile(r"function_id = '([a-z-]+)'")
_FRESH = """
INSERT INTO messages (id, conversation_id, channel, direction, status, content, created_at, provider_id)
SELECT md5('fresh ' || k || ' ' || n)::uuid, md5('conversation ' || (3 * (n % 60) + k + 3))::uuid,
       (ARRAY['whatsapp', 'sms', 'email'])[1 + k], CASE WHEN n % 2 = 0 THEN 'in' ELSE 'out' END,
       CASE WHEN n % 2 = 0 THEN 'received' ELSE 'delivered' END, 'Fresh message ' || n,
       now() - make_interval(secs => 30 + n * 150),
       (ARRAY['wamid.', 'SM', 'mail-'])[1 + k] || md5('fresh ' || k || ' ' || n)
FROM generate_series(0, 600) AS n, generate_series(0, 2) AS k
"""


@asynccontextmanager
async def connected(ground: Ground) -> AsyncIterator[Connection]:
    """A superuser's connection in one transaction."""
    connection = await ground.database.connect()
    try:
        async with connection.transaction():
            yield connection
    finally:
        await connection.close()


def secret_of(ground: Ground, name: str) -> str:
    """The right value of a secret in this sandbox, the one that the bot was given."""
    value = hmac.new(ground.services.token.encode(), name.encode(), hashlib.sha256).hexdigest()[:40]
    return f"whsec_{value}" if name == "STRIPE_WEBHOOK_SECRET" else value


def environment(ground: Ground) -> dict[str, str]:
    """What the system's file refers to, beside what every system has."""
    url = ground.services.url
    account = {"ALACARTE_TWILIO_ACCOUNT_URL": f"{url}/twilio/2010-04-01/Accounts/AC0a1aca27"}
    places = {name: f"{url}/{name}" for name in ("supabase", "meta", "twilio", "resend")}
    pages = {f"{name}_STATUS": f"{url}/status/{name.lower()}" for name in ("META", "TWILIO", "RESEND")}
    programs = {name: str(ground.programs.folder / name) for name in ("git", "stripe")}
    return {
        **{f"ALACARTE_{name.upper()}_URL": place for name, place in places.items()},
        **{f"ALACARTE_{name}_URL": page for name, page in pages.items()},
        **{f"ALACARTE_{name}": secret_of(ground, name) for name in SECRETS},
        **{f"ALACARTE_{name.upper()}_PROGRAM": path for name, path in programs.items()},
        **account,
        "ALACARTE_SUPABASE_TOKEN": f"Bearer {ground.services.token}",
        "ALACARTE_META_TOKEN": f"Bearer {META_APP}|{secret_of(ground, 'WHATSAPP_APP_SECRET')}",
        "ALACARTE_TWILIO_TOKEN": f"Basic {secret_of(ground, 'TWILIO_AUTH_TOKEN')}",
        "ALACARTE_REPOSITORY": str(ground.programs.folder),
    }


def said(ground: Ground, function: str, *lines: tuple[float, str]) -> None:
    """What an edge function has logged: each line with how many minutes ago."""
    now = datetime.now(UTC)
    ordered = sorted(lines, key=lambda line: -line[0])
    ground.log(function, *(f"{(now - timedelta(minutes=ago)).isoformat()} {text}" for ago, text in ordered))


def often(text: str, times: int = 12, *, over: float = 40.0) -> list[tuple[float, str]]:
    """The same line so many times, spread over the last minutes, the newest half a minute old."""
    return [(0.5 + n * over / times, text.replace("{n}", str(n))) for n in range(times)]


def committed(ground: Ground, paths: Iterable[str], *lines: tuple[str, float, str]) -> None:
    """What git's log says of these paths: short hash, minutes ago, and who and what."""
    now = datetime.now(UTC)
    told = [
        f"{short} {(now - timedelta(minutes=ago)).isoformat(timespec='seconds')} {text}" for short, ago, text in lines
    ]
    ground.programs.answer(Answer("git", (*LOGGED, *paths), "".join(f"{line}\n" for line in told)))


async def settle(ground: Ground) -> None:
    """Everything around the system healthy: nothing is late, refused, undelivered or in the logs."""
    services = ground.services
    services.switches.clear()
    services.statuses.update(dict.fromkeys(("meta", "twilio", "supabase", "resend"), OPERATIONAL))
    _programs(ground)
    for function in (*SENDERS, *RECEIVERS):
        said(ground, function, *often('{"status": 200, "request": "{n}"}', 6))
    services.answer("GET", f"/supabase/v1/projects/{PROJECT}/analytics/endpoints/logs.all", Reply(then=_logs(ground)))
    services.answer("GET", f"/supabase/v1/projects/{PROJECT}/secrets", Reply(then=_secrets(ground), token=True))
    services.answer("GET", "/meta/v23.0/app", Reply(json={"id": META_APP, "name": "A La Carte Chat"}))
    services.answer("GET", "/meta/v23.0/me", Reply(json={"id": "1029384756"}))
    services.answer("GET", f"/meta/v23.0/{META_APP}/subscriptions", Reply(json=subscribed()))
    services.answer(
        "GET", "/resend/domains", Reply(json={"data": [{"name": "alacartesaas.com", "status": "verified"}]})
    )
    services.answer("GET", "/twilio/2010-04-01/Accounts.json", Reply(json={"accounts": [{"status": "active"}]}))
    services.answer("POST", "/functions/v1/whatsapp-webhook", Reply(401, {"error": "invalid signature"}))
    async with connected(ground) as connection:
        await _settled(ground, connection)


def subscribed(url: str = f"{FUNCTIONS}/whatsapp-webhook", *, active: bool = True) -> dict[str, Any]:
    """What Meta says of where it delivers."""
    fields = [{"name": "messages", "version": "v23.0"}]
    one = {"object": "whatsapp_business_account", "callback_url": url, "active": active, "fields": fields}
    return {"data": [one]}


async def _settled(ground: Ground, connection: Connection) -> None:
    values = [(name, secret_of(ground, name)) for name in SECRETS]
    await connection.executemany(
        "INSERT INTO secrets (name, value, updated_at) VALUES ($1, $2, now() - interval '90 days')"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        values,
    )
    await connection.execute(
        "DELETE FROM messages WHERE provider_id IS NOT NULL OR content LIKE 'Fault %' OR content LIKE 'Fresh %'"
    )
    # Rows of the seed that are from this hour are as good as the fresh ones; only their rare failures are put right.
    await connection.execute(
        "UPDATE messages SET status = 'delivered' WHERE created_at > now() - interval '2 hours' AND status = 'failed'"
    )
    await connection.execute(_FRESH)


def _programs(ground: Ground) -> None:
    programs = ground.programs
    programs.install("git")
    programs.answer(
        Answer("git", ("status", "--porcelain")),
        Answer("git", ("rev-parse", "HEAD"), f"{HEAD}\n"),
        Answer("git", ("ls-remote", "origin", "refs/heads/main"), f"{HEAD}\trefs/heads/main\n"),
        Answer("git", ("log", "--format=%h %s", "origin/main..HEAD")),
    )
    for paths in (SEND_PATHS, HOOK_PATHS):
        committed(ground, paths)


def _logs(ground: Ground) -> Any:
    async def answered(asked: Asked) -> dict[str, Any]:
        wanted = _FUNCTION.search(asked.query.get("sql", ""))
        path = ground.logs / f"{wanted.group(1) if wanted else ''}.log"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        parted = (line.partition(" ") for line in lines)
        return {
            "result": [
                {"timestamp": int(datetime.fromisoformat(at).timestamp() * 1e6), "event_message": text}
                for at, _, text in parted
            ]
        }

    return answered


def _secrets(ground: Ground) -> Any:
    async def answered(_: Asked) -> list[dict[str, Any]]:
        async with connected(ground) as connection:
            rows = await connection.fetch("SELECT name, value, updated_at FROM secrets ORDER BY name")
        digests = [(row["name"], hashlib.sha256(row["value"].encode()).hexdigest(), row["updated_at"]) for row in rows]
        return [{"name": name, "value": digest, "updated_at": at.isoformat()} for name, digest, at in digests]

    return answered
