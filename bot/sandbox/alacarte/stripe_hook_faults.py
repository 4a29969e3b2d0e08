"""What goes wrong between Stripe and stripe-webhook (RB-005), and the function itself, which verifies signatures."""

from __future__ import annotations

import hmac
import json
import sys
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.alacarte.faults import plant
from bot.sandbox.alacarte.platform import FUNCTIONS, connected, often, said, secret_of
from bot.sandbox.database import Connection
from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.services import Asked, Reply
from bot.sandbox.stripe.events import signature

HOOK = "stripe-webhook"
URL = f"{FUNCTIONS}/{HOOK}"
ENDPOINT, SECRET = "we_alacarte", "STRIPE_WEBHOOK_SECRET"
RESEND = "/sandbox/stripe/resend"
WANTED = [
    "invoice.payment_succeeded",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "payment_intent.succeeded",
]
REFUSED = "error: Webhook error: No signatures found matching the expected signature for payload ({n})"
_CLI = """#!{python} -IS
import fcntl, json, os, sys, urllib.request
here, given = os.path.dirname(os.path.abspath(sys.argv[0])), sys.argv[1:]
with open(os.path.join(here, "lock"), "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    with open(os.path.join(here, "calls"), "a") as calls:
        calls.write(json.dumps(["stripe", *given]) + "\\n")
body = json.dumps({{"event": given[2], "endpoint": given[3].partition("=")[2]}}).encode()
asked = urllib.request.Request("{url}", data=body, headers={{"Content-Type": "application/json"}})
print(urllib.request.urlopen(asked).read().decode())
"""
_COPY = """
UPDATE businesses SET subscription_tier = $2, subscription_status = $3, subscription_period_end = $4,
       stripe_subscription_id = $5, updated_at = now()
WHERE stripe_customer_id = $1
"""
_NOTED = """
INSERT INTO webhook_events (id, type, object_id, customer_id, status) VALUES ($1, $2, $3, $4, 'processed')
ON CONFLICT (id) DO UPDATE SET status = 'processed', error = NULL, received_at = now()
"""


async def settle(ground: Ground) -> None:
    """One endpoint with our address and our secret, a function that verifies, and Stripe's program."""
    stripe, services = ground.stripe, ground.services
    for row in tuple(stripe.objects.of("webhook_endpoint")):
        stripe.objects.discard(row["id"])
    _endpoint(ground, URL)
    stripe.webhooks.detours[FUNCTIONS] = f"{services.url}/functions/v1"
    services.answer("POST", f"/functions/v1/{HOOK}", Reply(then=_function(ground)))
    services.answer("POST", RESEND, Reply(then=_resend(ground)))
    program = ground.programs.folder / "stripe"
    program.write_text(_CLI.format(python=sys.executable, url=f"{services.url}{RESEND}"), encoding="utf-8")
    program.chmod(0o755)


def _endpoint(ground: Ground, url: str, **fields: Any) -> None:
    objects = ground.stripe.objects
    if objects.find(ENDPOINT) is not None:
        objects.discard(ENDPOINT)
    objects.webhook_endpoint(url, fields.pop("enabled_events", WANTED), id=ENDPOINT, **fields)
    objects.webhook_secrets[ENDPOINT] = secret_of(ground, SECRET)


def _function(ground: Ground) -> Any:
    """stripe-webhook: refuses a wrong signature with 400, and copies what it is told of subscriptions."""

    async def answered(asked: Asked) -> Reply:
        given = asked.headers.get("Stripe-Signature", "")
        at = given.partition(",")[0].removeprefix("t=")
        async with connected(ground) as connection:
            secret = await connection.fetchval("SELECT value FROM secrets WHERE name = $1", SECRET)
            right = signature(json.dumps(asked.json, indent=2), secret or "", int(at or 0))
            if not secret or not hmac.compare_digest(given, right):
                return Reply(400, {"error": "Invalid signature"})
            await _work(connection, asked.json)
        return Reply(json={"received": True})

    return answered


async def _work(connection: Connection, event: dict[str, Any]) -> None:
    about = event["data"]["object"]
    await connection.execute(_NOTED, event["id"], event["type"], about["id"], about.get("customer"))
    if event["type"].startswith("customer.subscription."):
        line = about["items"]["data"][0]
        end = datetime.fromtimestamp(line["current_period_end"], UTC)
        tier = line["price"]["lookup_key"]
        await connection.execute(_COPY, about["customer"], tier, about["status"], end, about["id"])


def _resend(ground: Ground) -> Any:
    async def answered(asked: Asked) -> Reply:
        tried = await ground.stripe.webhooks.deliver(asked.json["event"], asked.json["endpoint"])
        return Reply(json={"id": asked.json["event"], "answered": [each.status for each in tried]})

    return answered


async def _missed(ground: Ground) -> dict[str, str]:
    """Two customers of whom we were not told: one has bought Starter, one has gone from Starter to Growth."""
    first = await plant("webhook_missed", ground.database, ground.stripe)
    second = await plant("tier_differs", ground.database, ground.stripe)
    ids = {"business_id": str(first.business_id), "event": first.ids["event"]}
    return {**ids, "other_business": str(second.business_id), "other_event": second.ids["event"]}


async def _deployed(ground: Ground, value: str, age: str) -> None:
    async with connected(ground) as connection:
        await connection.execute(
            "UPDATE secrets SET value = $1, updated_at = now() - $3::text::interval WHERE name = $2", value, SECRET, age
        )


async def healthy(ground: Ground) -> Planted:
    """Everything is delivered."""
    return Planted()


async def secret_differs(ground: Ground) -> Planted:
    """Another signing secret is in Supabase than at Stripe."""
    await _deployed(ground, "whsec_of_the_test_endpoint", "2 days")
    said(ground, HOOK, *often(REFUSED))
    return Planted(await _missed(ground))


async def secret_missing(ground: Ground) -> Planted:
    """There is no signing secret in Supabase."""
    async with connected(ground) as connection:
        await connection.execute("DELETE FROM secrets WHERE name = $1", SECRET)
    said(ground, HOOK, *often("error: Webhook error: STRIPE_WEBHOOK_SECRET is not set"))
    return Planted(await _missed(ground))


async def secret_rolled(ground: Ground) -> Planted:
    """Somebody rolled the secret at Stripe: what we know and what is deployed are both the old one."""
    ground.stripe.objects.webhook_secrets[ENDPOINT] = "whsec_rolled_at_stripe"
    said(ground, HOOK, *often(REFUSED))
    return Planted(await _missed(ground))


async def secret_put_right(ground: Ground) -> Planted:
    """What a person does about all three: Stripe's secret is in Supabase."""
    async with connected(ground) as connection:
        await connection.execute(
            "INSERT INTO secrets (name, value) VALUES ($1, $2)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = now()",
            SECRET,
            ground.stripe.objects.webhook_secrets[ENDPOINT],
        )
    return Planted()


async def url_wrong(ground: Ground) -> Planted:
    """The endpoint leads to the address of before a move."""
    _endpoint(ground, "https://oldprojectref.supabase.co/functions/v1/stripe-webhook")
    return Planted(await _missed(ground))


async def endpoint_off(ground: Ground) -> Planted:
    """Somebody switched the endpoint off."""
    _endpoint(ground, URL, status="disabled")
    return Planted(await _missed(ground))


async def endpoint_missing(ground: Ground) -> Planted:
    """The endpoint was deleted."""
    ground.stripe.objects.discard(ENDPOINT)
    return Planted(await _missed(ground))


async def endpoint_made(ground: Ground) -> Planted:
    """What a person does about that: a new endpoint, and its secret in Supabase."""
    _endpoint(ground, URL)
    return await secret_put_right(ground)


async def events_not_sent(ground: Ground) -> Planted:
    """The endpoint was made for invoices only."""
    _endpoint(ground, URL, enabled_events=["invoice.payment_succeeded"])
    return Planted()


async def undelivered(ground: Ground) -> Planted:
    """All is right again, and two events of before are still on their way."""
    return Planted(await _missed(ground))


async def overtaken(ground: Ground) -> Planted:
    """One event was never delivered, and a newer one about the same subscription was."""
    planted = await plant("tier_differs", ground.database, ground.stripe)
    event = ground.stripe.objects.get(planted.ids["event"])
    async with connected(ground) as connection:
        await connection.execute(
            "INSERT INTO webhook_events (id, type, object_id, customer_id, status)"
            " VALUES ('evt_newer', 'customer.subscription.updated', $1, $2, 'processed')",
            event["data"]["object"]["id"],
            event["data"]["object"]["customer"],
        )
    return Planted()


async def other_errors(ground: Ground) -> Planted:
    """Signatures are right; the function ends with an error of its own."""
    said(ground, HOOK, *often("error: Webhook error: TypeError: plan is undefined"))
    return Planted()


async def redelivered(ground: Ground) -> Planted:
    """Stripe tries again what is still owed, as it does for three days."""
    owed = [row["id"] for row in ground.stripe.objects.of("event") if row["pending_webhooks"]]
    for event in reversed(owed):
        await ground.stripe.webhooks.deliver(event, ENDPOINT)
    return Planted()


STRIPE_HOOK_FAULTS: dict[str, Fault] = {
    "stripe_hook_healthy": healthy,
    "stripe_secret_differs": secret_differs,
    "stripe_secret_missing": secret_missing,
    "stripe_secret_rolled": secret_rolled,
    "stripe_secret_put_right": secret_put_right,
    "stripe_url_wrong": url_wrong,
    "stripe_endpoint_off": endpoint_off,
    "stripe_endpoint_missing": endpoint_missing,
    "stripe_endpoint_made": endpoint_made,
    "stripe_events_not_sent": events_not_sent,
    "stripe_undelivered": undelivered,
    "stripe_overtaken": overtaken,
    "stripe_other_errors": other_errors,
    "stripe_redelivered": redelivered,
}
