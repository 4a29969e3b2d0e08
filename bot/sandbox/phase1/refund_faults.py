"""Members who want their money back: one function for each fault of P1-03."""

from __future__ import annotations

from bot.sandbox.phase1.desk import Desk, desk
from bot.sandbox.phase1.members import REFUND, ids
from bot.sandbox.phase1.settling import settle
from bot.sandbox.sample import Fault, Ground, Planted


def _refunded(at: Desk) -> None:
    charge = at.objects.get(at.charge)
    charge |= {"amount_refunded": charge["amount"], "refunded": True}
    given = {"charge": charge["id"], "payment_intent": REFUND.payment_id, "amount": charge["amount"]}
    at.objects.add("re", "refund", given, {"currency": "usd", "status": "succeeded", "reason": None})


async def refund_wished(ground: Ground) -> Planted:
    """P1-03: Pro, paid nine days ago, and the member wants out."""
    await settle(ground)
    async with desk(ground, REFUND) as at:
        return Planted(ids(REFUND, charge=at.charge))


async def refund_of_disputed(ground: Ground) -> Planted:
    """P1-03: the payment is disputed already."""
    await settle(ground)
    async with desk(ground, REFUND) as at:
        at.objects.dispute(at.charge)
        return Planted(ids(REFUND, charge=at.charge))


async def canceled_not_downgraded(ground: Ground) -> Planted:
    """P1-03: cancelled and refunded at Stripe, and the webhook failed on it."""
    await settle(ground)
    async with desk(ground, REFUND) as at:
        at.ended(hours=1)
        _refunded(at)
        event = at.event("customer.subscription.deleted", REFUND.subscription_id, delivered=False, hours_ago=1)
        await at.webhook(event, error="Database connection failed")
        return Planted(ids(REFUND, charge=at.charge))


async def canceled_not_refunded(ground: Ground) -> Planted:
    """P1-03: cancelled at both sides, and the refund was forgotten."""
    await settle(ground)
    async with desk(ground, REFUND) as at:
        at.ended(hours=1)
        await at.row(tier="FREE", status="canceled")
        return Planted(ids(REFUND, charge=at.charge))


async def refunded_already(ground: Ground) -> Planted:
    """P1-03: everything was done before."""
    await settle(ground)
    async with desk(ground, REFUND) as at:
        at.ended(hours=1)
        _refunded(at)
        await at.row(tier="FREE", status="canceled")
        return Planted(ids(REFUND, charge=at.charge))


async def refund_of_nothing(ground: Ground) -> Planted:
    """P1-03: a free member without a customer at Stripe."""
    await settle(ground)
    async with desk(ground, REFUND) as at:
        at.objects.forget_customer(REFUND.customer_id)
        await at.row(tier="FREE", stripe_customer_id=None, stripe_subscription_id=None)
        return Planted(ids(REFUND))


REFUND_FAULTS: dict[str, Fault] = {
    "refund_wished": refund_wished,
    "refund_of_disputed": refund_of_disputed,
    "canceled_not_downgraded": canceled_not_downgraded,
    "canceled_not_refunded": canceled_not_refunded,
    "refunded_already": refunded_already,
    "refund_of_nothing": refund_of_nothing,
}
