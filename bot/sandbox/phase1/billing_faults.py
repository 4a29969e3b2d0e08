"""What goes wrong between Stripe and the members' subscriptions: one function for each fault of P1-01."""

from __future__ import annotations

from datetime import timedelta

from bot.sandbox.phase1.desk import desk
from bot.sandbox.phase1.members import DISPUTE, PAYING, QUOTA, REFUND, ids
from bot.sandbox.phase1.settling import BYSTANDER, settle
from bot.sandbox.sample import Fault, Ground, Planted


async def paid_not_updated(ground: Ground) -> Planted:
    """P1-01: Pro for a year at Stripe; the webhook failed, so the database says FREE."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        at.subscription(interval="yearly", period_end=at.now + timedelta(days=340))
        event = at.event("customer.subscription.created", PAYING.subscription_id, delivered=False)
        await at.webhook(event, error="Database connection failed")
        await at.unpaid()
    return Planted(ids(PAYING))


async def paid_link_missing(ground: Ground) -> Planted:
    """P1-01: the same, and the customer of Stripe was never stored; the webhook never arrived."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        at.event("customer.subscription.created", PAYING.subscription_id, delivered=False)
        await at.unpaid(stripe_customer_id=None)
    return Planted(ids(PAYING))


async def paid_without_row(ground: Ground) -> Planted:
    """P1-01: paid, and the profile has no subscription at all."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        await at.run("DELETE FROM subscriptions WHERE profile_id = $1", PAYING.profile_id)
    return Planted(ids(PAYING))


async def paid_by_two_customers(ground: Ground) -> Planted:
    """P1-01: two customers with the member's address, neither of which names the profile."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        at.objects.get(PAYING.customer_id)["metadata"] = {}
        second = f"{PAYING.customer_id}2"
        if at.objects.find(second) is None:
            at.objects.customer(id=second, email=PAYING.email, name=PAYING.name)
        await at.unpaid(stripe_customer_id=None)
    return Planted(ids(PAYING))


async def paid_by_known_customer(ground: Ground) -> Planted:
    """P1-01: the customer is stored with another member as well."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        await at.unpaid(stripe_customer_id=None)
        await at.run(
            f"UPDATE subscriptions SET stripe_customer_id = $1 WHERE profile_id = {BYSTANDER}", PAYING.customer_id
        )
    return Planted(ids(PAYING))


async def paid_and_suspended(ground: Ground) -> Planted:
    """P1-01: active at Stripe, and suspended here because of a dispute."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        await at.row(status="suspended")
    return Planted(ids(PAYING))


async def paid_and_disputed(ground: Ground) -> Planted:
    """P1-01: active at Stripe, and suspended here because the payment is disputed."""
    planted = await paid_and_suspended(ground)
    async with desk(ground, PAYING, fresh=False) as at:
        at.objects.dispute(at.charge, id=f"dp_{PAYING.slug}", status="under_review")
    return planted


async def paid_among_others(ground: Ground) -> Planted:
    """P1-01: the same as paid_not_updated, and the events of three others were not delivered either."""
    planted = await paid_not_updated(ground)
    for member in (QUOTA, REFUND, DISPUTE):
        async with desk(ground, member, fresh=False) as at:
            at.event("customer.subscription.updated", member.subscription_id, delivered=False, hours_ago=2)
    return planted


async def ended_not_downgraded(ground: Ground) -> Planted:
    """P1-01: cancelled at Stripe five days ago, and PRO here."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        at.ended(days=5)
    return Planted(ids(PAYING))


async def paid_unknown_plan(ground: Ground) -> Planted:
    """P1-01: active at Stripe with a price that is none of our tiers."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        price = at.objects.find("price_team_monthly") or at.objects.price(
            "prod_pro", 4900, id="price_team_monthly", lookup_key="team_monthly", metadata={"tier": "TEAM"}
        )
        at.objects.get(PAYING.subscription_id)["items"]["data"][0]["price"] = price
        await at.unpaid()
    return Planted(ids(PAYING))


async def not_paid(ground: Ground) -> Planted:
    """P1-01: the card was declined, so FREE is right."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        at.subscription(status="past_due")
        at.objects.discard(PAYING.invoice_id)
        at.objects.invoice(PAYING.customer_id, 1900, id=PAYING.invoice_id, status="open", attempt_count=2)
        await at.unpaid()
    return Planted(ids(PAYING))


async def period_past(ground: Ground) -> Planted:
    """P1-01: active at Stripe with a period that is over."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        at.subscription(period_end=at.now - timedelta(days=2))
        await at.unpaid()
    return Planted(ids(PAYING))


async def subscription_ended(ground: Ground) -> Planted:
    """P1-01: cancelled at Stripe five days ago, and both sides agree."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        at.ended(days=5)
        await at.unpaid(status="canceled")
    return Planted(ids(PAYING))


async def never_subscribed(ground: Ground) -> Planted:
    """P1-01: a customer whose checkout was never finished."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        at.objects.discard(PAYING.subscription_id)
        at.objects.discard(PAYING.invoice_id)
        await at.unpaid()
    return Planted(ids(PAYING))


async def unknown_to_stripe(ground: Ground) -> Planted:
    """P1-01: paid with another address, so Stripe has nobody with this one."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        at.objects.forget_customer(PAYING.customer_id)
        await at.unpaid(stripe_customer_id=None)
    return Planted(ids(PAYING))


BILLING_FAULTS: dict[str, Fault] = {
    "paid_not_updated": paid_not_updated,
    "paid_link_missing": paid_link_missing,
    "paid_without_row": paid_without_row,
    "paid_by_two_customers": paid_by_two_customers,
    "paid_by_known_customer": paid_by_known_customer,
    "paid_and_suspended": paid_and_suspended,
    "paid_and_disputed": paid_and_disputed,
    "paid_among_others": paid_among_others,
    "ended_not_downgraded": ended_not_downgraded,
    "paid_unknown_plan": paid_unknown_plan,
    "not_paid": not_paid,
    "period_past": period_past,
    "subscription_ended": subscription_ended,
    "never_subscribed": never_subscribed,
    "unknown_to_stripe": unknown_to_stripe,
}
