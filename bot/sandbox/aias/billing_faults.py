"""What goes wrong with one person's subscription (AI-13), and with everybody's payments (AI-18)."""

from __future__ import annotations

from datetime import timedelta

from bot.sandbox.aias.accounts import IRIS, LENA
from bot.sandbox.aias.desk import PRICES, Desk
from bot.sandbox.aias.health import desk_of, settle
from bot.sandbox.aias.webhook_faults import accounts_behind
from bot.sandbox.sample import Fault, Ground, Planted


async def two_behind(ground: Ground) -> Planted:
    """Iris is not the only one whose event never came."""
    planted = await accounts_behind(ground)
    await _lena_behind(ground)
    return planted


async def lena_behind(ground: Ground) -> Planted:
    """Iris complains and is in step; Lena's event never came."""
    await settle(ground)
    await _lena_behind(ground)
    return Planted(IRIS.ids())


async def _lena_behind(ground: Ground) -> None:
    async with desk_of(ground) as desk:
        await desk.free(LENA)
        desk.event(LENA, "customer.subscription.updated", delivered=False, minutes_ago=25)


async def payment_declined(ground: Ground) -> Planted:
    """The card was declined twice; the invoice is open and the subscription past due."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.free(IRIS)
        desk.subscribe(IRIS, status="past_due")
        desk.objects.discard(IRIS.invoice_id)
        made = {"id": IRIS.invoice_id, "attempt_count": 2}
        desk.objects.invoice(IRIS.customer_id, PRICES["starter"], status="open", **made)
    return Planted(IRIS.ids())


async def subscription_ended(ground: Ground) -> Planted:
    """Cancelled, and the period is over."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.free(IRIS)
        ended = desk.now - timedelta(days=3)
        desk.subscribe(IRIS, status="canceled", period_end=ended, ended_at=desk.epoch(ended))
    return Planted(IRIS.ids())


async def never_bought(ground: Ground) -> Planted:
    """Stripe never heard of this address."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.free(IRIS)
        await desk.tier(IRIS, stripe_customer_id=None)
        desk.objects.forget_customer(IRIS.customer_id)
    return Planted(IRIS.ids())


async def checkout_abandoned(ground: Ground) -> Planted:
    """A customer at Stripe, without any purchase."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.free(IRIS)
        desk.objects.forget_customer(IRIS.customer_id)
        desk.objects.customer(id=IRIS.customer_id, email=IRIS.email, name=IRIS.name)
    return Planted(IRIS.ids())


async def two_customers(ground: Ground) -> Planted:
    """The address is twice at Stripe, and linked to nobody here."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.free(IRIS)
        await desk.tier(IRIS, stripe_customer_id=None)
        _twin(desk)
    return Planted(IRIS.ids())


async def other_customer(ground: Ground) -> Planted:
    """Linked to a customer without a subscription; the address is at Stripe a second time."""
    planted = await checkout_abandoned(ground)
    async with desk_of(ground) as desk:
        _twin(desk)
    return planted


async def plan_unknown(ground: Ground) -> Planted:
    """A subscription to something that is none of our plans."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.free(IRIS)
        subscription = desk.objects.get(IRIS.subscription_id)
        price = dict(subscription["items"]["data"][0]["price"])
        subscription["items"]["data"][0]["price"] = price | {"metadata": {"tier": "workshop"}}
    return Planted(IRIS.ids())


async def suspended(ground: Ground) -> Planted:
    """The plan is in order; the profile is suspended."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.connection.execute(
            "UPDATE profiles SET suspended_at = now() - interval '2 days' WHERE id = $1", IRIS.user_id
        )
    return Planted(IRIS.ids())


def _twin(desk: Desk) -> None:
    desk.objects.customer(id="cus_IrisNovakTwin", email=IRIS.email, name=IRIS.name)


FAULTS: dict[str, Fault] = {
    "two_behind": two_behind,
    "lena_behind": lena_behind,
    "payment_declined": payment_declined,
    "subscription_ended": subscription_ended,
    "never_bought": never_bought,
    "checkout_abandoned": checkout_abandoned,
    "two_customers": two_customers,
    "other_customer": other_customer,
    "plan_unknown": plan_unknown,
    "suspended": suspended,
}
