"""Members who want to be deleted: one function for each fault of P1-07."""

from __future__ import annotations

from bot.sandbox.phase1.desk import desk
from bot.sandbox.phase1.members import LEAVING, ids
from bot.sandbox.phase1.settling import HOLD, settle
from bot.sandbox.sample import Fault, Ground, Planted

CANCELED = "customer.subscription.deleted"


async def deletion_wished(ground: Ground) -> Planted:
    """P1-07: a paying member wants to be deleted."""
    await settle(ground)
    return Planted(ids(LEAVING))


async def deletion_after_cancellation(ground: Ground) -> Planted:
    """P1-07: the subscription has ended before."""
    await settle(ground)
    async with desk(ground, LEAVING) as at:
        at.ended(hours=1)
        await at.row(tier="FREE", status="canceled")
    return Planted(ids(LEAVING))


async def deletion_half_done(ground: Ground) -> Planted:
    """P1-07: the customer at Stripe is deleted, and the profile is still there."""
    planted = await deletion_after_cancellation(ground)
    ground.stripe.objects.remove(ground.stripe.objects.get(LEAVING.customer_id))
    return planted


async def deletion_in_dispute(ground: Ground) -> Planted:
    """P1-07: a payment is disputed and not decided."""
    await settle(ground)
    async with desk(ground, LEAVING) as at:
        at.objects.dispute(at.charge, id=f"dp_{LEAVING.slug}", status="under_review")
    return Planted(ids(LEAVING))


async def deletion_with_debt(ground: Ground) -> Planted:
    """P1-07: the last invoice is not paid."""
    await settle(ground)
    async with desk(ground, LEAVING) as at:
        at.objects.discard(LEAVING.invoice_id)
        at.objects.invoice(LEAVING.customer_id, 1900, id=LEAVING.invoice_id, status="open", attempt_count=3)
    return Planted(ids(LEAVING))


async def deletion_forbidden(ground: Ground) -> Planted:
    """P1-07: a new table refers to profiles and does not let them go."""
    await settle(ground)
    async with desk(ground, LEAVING) as at:
        await at.run(f"CREATE TABLE IF NOT EXISTS {HOLD} (profile_id uuid PRIMARY KEY REFERENCES profiles (id))")
    return Planted(ids(LEAVING))


async def deleted_before(ground: Ground) -> Planted:
    """P1-07: the profile was deleted last month."""
    await settle(ground)
    async with desk(ground, LEAVING) as at:
        at.objects.forget_customer(LEAVING.customer_id)
        await at.deleted(days=31)
    return Planted(ids(LEAVING))


async def deleted_here_only(ground: Ground) -> Planted:
    """P1-07: the profile was deleted, and the customer at Stripe with its subscription was forgotten."""
    await settle(ground)
    async with desk(ground, LEAVING) as at:
        await at.deleted(days=31)
    return Planted(ids(LEAVING))


async def deletion_untold(ground: Ground) -> Planted:
    """P1-07: cancelled at Stripe, and the event of that has not arrived."""
    await settle(ground)
    async with desk(ground, LEAVING) as at:
        at.ended(hours=1)
        event = at.event(CANCELED, LEAVING.subscription_id, delivered=False, hours_ago=1)
    return Planted(ids(LEAVING, event=event))


DELETION_FAULTS: dict[str, Fault] = {
    "deletion_wished": deletion_wished,
    "deletion_after_cancellation": deletion_after_cancellation,
    "deletion_half_done": deletion_half_done,
    "deletion_in_dispute": deletion_in_dispute,
    "deletion_with_debt": deletion_with_debt,
    "deletion_forbidden": deletion_forbidden,
    "deleted_before": deleted_before,
    "deleted_here_only": deleted_here_only,
    "deletion_untold": deletion_untold,
}
