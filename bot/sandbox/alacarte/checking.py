"""The sample system's check-subscription function: looks at the database and, when asked to apply, copies Stripe's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bot.sandbox.database import SampleDatabase
from bot.sandbox.stripe import LocalStripe

COPY = """
UPDATE businesses
SET subscription_tier = $2, subscription_status = $3, subscription_period_end = $4, stripe_subscription_id = $5,
    updated_at = now()
WHERE id = $1
"""


def subscription_check(
    alacarte: SampleDatabase, stripe: LocalStripe
) -> Callable[[str, bool], Awaitable[dict[str, Any] | None]]:
    """The function behind /functions/v1/check-subscription: (business id, apply) to its answer, None when unknown."""

    async def check(business_id: str, apply: bool) -> dict[str, Any] | None:
        try:
            wanted = UUID(business_id)
        except ValueError:
            return None
        connection = await alacarte.connect()
        try:
            row = await connection.fetchrow(
                "SELECT stripe_customer_id, subscription_tier, subscription_status FROM businesses WHERE id = $1",
                wanted,
            )
            if row is None:
                return None
            active = _active(stripe, row["stripe_customer_id"])
            if apply and active is not None:
                end = datetime.fromtimestamp(active["period_end"], UTC)
                await connection.execute(COPY, wanted, active["tier"], "active", end, active["id"])
                return {"business_id": business_id, "tier": active["tier"], "status": "active", "subscribed": True}
            kept = {"tier": row["subscription_tier"], "status": row["subscription_status"]}
            return {"business_id": business_id, **kept, "subscribed": row["subscription_status"] == "active"}
        finally:
            await connection.close()

    return check


def _active(stripe: LocalStripe, customer: str | None) -> dict[str, Any] | None:
    for row in stripe.objects.of("subscription"):
        if row["customer"] == customer and row["status"] == "active":
            item = row["items"]["data"][0]
            return {"id": row["id"], "tier": item["price"]["lookup_key"], "period_end": item["current_period_end"]}
    return None
