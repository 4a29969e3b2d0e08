"""The sample system's application: its webhook endpoint, its admin API, its container, and what it writes into its log.

What it is like at the moment is in the ground: its secrets, the switches of its services, its log and its container.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.database import Connection
from bot.sandbox.programs import Answer
from bot.sandbox.sample import Ground
from bot.sandbox.services import Asked, Reply, Switch

WEBHOOK = "/webhooks/stripe"
RESTARTED, RESENT = "/sandbox/restarted", "/sandbox/resent"
ENDPOINT = "we_phase1"
CONTAINER = "app-container"
SECRET, DEPLOYED = "PHASE1_WEBHOOK_SECRET", "PHASE1_WEBHOOK_SECRET_DEPLOYED"
SIGNATURE = re.compile(r"t=\d+,v1=[0-9a-f]{64}")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PS = ("ps", "--all", "--filter", f"name={CONTAINER}", "--format", "json")
COPY = """
UPDATE subscriptions
SET tier = $2, status = $3, stripe_subscription_id = $4, stripe_customer_id = $5, billing_interval = $6,
    current_period_start = $7, current_period_end = $8, cancel_at_period_end = $9, cancel_at = $10, updated_at = now()
WHERE profile_id = $1
"""
NOTE = """
INSERT INTO webhook_events (id, type, object_id, customer_id, status, error) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status, error = EXCLUDED.error, received_at = now()
"""


def install(ground: Ground) -> None:
    """Everything the application answers, up and well."""

    async def webhook(asked: Asked) -> Reply:
        return await _webhook(ground, asked)

    async def usage(asked: Asked) -> Reply:
        return await _reset(ground, asked)

    async def restarted(_asked: Asked) -> None:
        await _restarted(ground)

    async def resent(asked: Asked) -> None:
        await ground.stripe.webhooks.deliver(asked.json["arguments"][2], ENDPOINT)

    ground.services.switches.clear()
    ground.services.answer("POST", WEBHOOK, Reply(then=webhook))
    ground.services.answer("POST", "/admin/licensing/entitlements/{profile}/reset", Reply(then=usage, token=True))
    ground.services.answer("POST", RESTARTED, Reply(then=restarted))
    ground.services.answer("POST", RESENT, Reply(then=resent))
    _programs(ground)
    _endpoint(ground)
    ground.log("app", line("INFO", "server started on port 3000"), line("INFO", "database pool ready (max 10)"))


def line(level: str, words: str, *, at: datetime | None = None) -> str:
    """A line as the application writes it."""
    return f"{at or datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} {level} {words}"


def write(ground: Ground, *lines: str) -> None:
    """Append to the application's log."""
    with (ground.logs / "app.log").open("a", encoding="utf-8") as log:
        log.writelines(f"{each}\n" for each in lines)


def down(ground: Ground) -> None:
    """The process is gone: the proxy in front of it answers 502 to everything, and the container has exited."""
    for path in ("/health", WEBHOOK):
        ground.services.switches[path] = Switch(502)
    container(ground, "exited", "Exited (137) 20 minutes ago")
    write(ground, line("ERROR", "JavaScript heap out of memory"), line("INFO", "process exited with code 137"))


def container(ground: Ground, state: str, status: str) -> None:
    """What docker says of the application's container."""
    ground.programs.answer(_shown(state, status))


def _shown(state: str, status: str) -> Answer:
    said = {"Names": CONTAINER, "Image": "registry.example.test/app:2025.11.1", "State": state, "Status": status}
    return Answer("docker", PS, out=json.dumps(said) + "\n")


def _programs(ground: Ground) -> None:
    for name in ("docker", "stripe"):
        ground.programs.install(name)
    ground.programs.answer(
        _shown("running", "Up 3 days"),
        Answer(
            "docker",
            ("restart", CONTAINER),
            out=f"{CONTAINER}\n",
            then=(_shown("running", "Up 2 seconds"),),
            tells=f"{ground.services.url}{RESTARTED}",
        ),
        Answer(
            "stripe",
            ("events", "resend", "*", "--webhook-endpoint", "*"),
            out="The event was sent again.\n",
            tells=f"{ground.services.url}{RESENT}",
        ),
    )


def _endpoint(ground: Ground) -> None:
    objects = ground.stripe.objects
    if objects.find(ENDPOINT) is not None:
        objects.discard(ENDPOINT)
    objects.webhook_endpoint(f"{ground.services.url}{WEBHOOK}", ["*"], id=ENDPOINT)
    ground.secrets[SECRET] = ground.secrets[DEPLOYED] = objects.webhook_secrets[ENDPOINT]


async def end_sessions(ground: Ground, logins: str) -> None:
    """End the sessions of logins like that."""
    connection = await ground.database.connect()
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename LIKE $1",
            logins,
        )
    finally:
        await connection.close()


async def _restarted(ground: Ground) -> None:
    """What a restart mends: the process answers again, and its sessions are new ones."""
    ground.services.switches.clear()
    await end_sessions(ground, "phase1_app")
    write(ground, line("INFO", "server started on port 3000"), line("INFO", "database pool ready (max 10)"))


async def _reset(ground: Ground, asked: Asked) -> Reply:
    """The admin API: every feature of the profile is set to nothing used."""
    profile = asked.path.split("/")[-2]
    if not UUID.fullmatch(profile):
        return Reply(400, {"error": "profile id is no UUID"})
    connection = await ground.database.connect()
    try:
        done = await connection.execute("UPDATE rate_limits SET used = 0 WHERE profile_id = $1", profile)
    finally:
        await connection.close()
    return Reply(json={"profileId": profile, "reset": int(done.split()[-1])})


async def _webhook(ground: Ground, asked: Asked) -> Reply:
    """Refuse what is not signed with our secret; note and apply the rest, each event once."""
    given = next((value for name, value in asked.headers.items() if name.lower() == "stripe-signature"), "")
    if not ground.secrets[DEPLOYED]:
        write(ground, line("ERROR", "Webhook error: STRIPE_WEBHOOK_SECRET is not set"))
        return Reply(500, {"error": "not configured"})
    if not SIGNATURE.fullmatch(given) or ground.secrets[DEPLOYED] != ground.stripe.objects.webhook_secrets[ENDPOINT]:
        write(ground, line("ERROR", "Webhook error: Invalid signature"))
        return Reply(401, {"error": "invalid signature"})
    connection = await ground.database.connect()
    try:
        error = await _take(connection, asked.json)
    finally:
        await connection.close()
    if error:
        write(ground, line("ERROR", f"Webhook error: {error} ({asked.json['id']}, {asked.json['type']})"))
        return Reply(500, {"error": error})
    return Reply(json={"received": True})


async def _take(connection: Connection, event: dict[str, Any]) -> str:
    """Why the event could not be used; empty when it could, or had been used before."""
    about = event["data"]["object"]
    seen = await connection.fetchval("SELECT status FROM webhook_events WHERE id = $1", event["id"])
    if seen == "processed":
        return ""
    error = await _apply(connection, about) if event["type"].startswith("customer.subscription.") else ""
    customer = about["id"] if about["object"] == "customer" else about.get("customer")
    status = "failed" if error else "processed"
    await connection.execute(NOTE, event["id"], event["type"], about["id"], customer, status, error or None)
    return error


async def _apply(connection: Connection, about: dict[str, Any]) -> str:
    profile = about["metadata"].get("profileId", "")
    found = UUID.fullmatch(profile) and await connection.fetchval("SELECT id FROM profiles WHERE id = $1", profile)
    if not found:
        return "Profile not found"
    item = about["items"]["data"][0]
    canceled = about["status"] == "canceled"
    await connection.execute(
        COPY,
        found,
        "FREE" if canceled else item["price"]["metadata"]["tier"],
        "canceled" if canceled else about["status"],
        about["id"],
        about["customer"],
        {"month": "monthly", "year": "yearly"}[item["price"]["recurring"]["interval"]],
        datetime.fromtimestamp(item["current_period_start"], UTC),
        datetime.fromtimestamp(item["current_period_end"], UTC),
        about["cancel_at_period_end"],
        datetime.fromtimestamp(about["cancel_at"], UTC) if about["cancel_at"] else None,
    )
    return ""
