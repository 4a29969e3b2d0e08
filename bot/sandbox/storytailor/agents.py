"""What Storytailor's own agents do when they are asked: they change what a runbook's verification then reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.sample import Ground
from bot.sandbox.services import Asked, Reply
from bot.sandbox.storytailor.desk import PRICES, price_of
from bot.sandbox.stripe.wire import Json

Then = Callable[[Asked], Awaitable[Any]]
AMOUNTS = {price_of(*plan): amount for plan, amount in PRICES.items()}


def commerce(ground: Ground, *, writes_tier: bool = True) -> None:
    """The Commerce Agent: previews a change of plan and makes it, at Stripe and, if it `writes_tier`, with us."""

    async def preview(asked: Asked) -> Json:
        return _due(ground.stripe.objects.get(asked.query["subscription"]), asked.query["price"])

    async def change(asked: Asked) -> Json:
        subscription = ground.stripe.objects.get(asked.json["subscription"])
        price = ground.stripe.objects.get(asked.json["price"])
        due = _due(subscription, price["id"])
        if int(asked.json["expected_amount_due"]) != due["amount_due"]:
            return {"changed": False, "why": "the amount is another by now"}
        subscription["items"]["data"][0]["price"] = price
        if due["amount_due"]:
            said = {"subscription": subscription["id"], "billing_reason": "subscription_update"}
            ground.stripe.objects.invoice(subscription["customer"], due["amount_due"], **said)
        if writes_tier:
            await run(
                ground,
                "UPDATE users SET tier = $2, updated_at = now() WHERE stripe_customer_id = $1",
                subscription["customer"],
                price["metadata"]["tier"],
            )
            await run(
                ground,
                "UPDATE subscriptions SET tier = $2, interval = $3, updated_at = now()"
                " WHERE stripe_subscription_id = $1",
                subscription["id"],
                price["metadata"]["tier"],
                price["recurring"]["interval"],
            )
        return {"changed": True, "amount_due": due["amount_due"]}

    ground.services.answer("GET", "/commerce/v1/subscriptions/preview", Reply(then=preview, token=True))
    ground.services.answer("POST", "/commerce/v1/subscriptions/change", Reply(then=change, token=True))


def _due(subscription: Json, price: str) -> Json:
    """What a change costs today: the new price for the days that are left, less the old one for them."""
    item = subscription["items"]["data"][0]
    start, end = item["current_period_start"], item["current_period_end"]
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    left = max(0, end - int(today.timestamp())) / (end - start)
    difference = round((AMOUNTS[price] - item["price"]["unit_amount"]) * left)
    due = {"amount_due": max(0, difference), "credit": max(0, -difference), "currency": "usd"}
    return due | {"next_amount": AMOUNTS[price], "next_at": datetime.fromtimestamp(end, UTC).isoformat()}


def then(ground: Ground, statement: str, *values: Any, says: Json | None = None) -> Then:
    """What happens in the database when somebody asks, and what is answered."""

    async def done(_asked: Asked) -> Json:
        await run(ground, statement, *values)
        return says or {"accepted": True}

    return done


async def run(ground: Ground, statement: str, *values: Any) -> None:
    """One statement in the system's database, as the system itself."""
    connection = await ground.database.connect()
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()
