"""Members who want to be deleted: one function for each fault of P1-07."""

from __future__ import annotations

from bot.sandbox.phase1.desk import desk
from bot.sandbox.phase1.members import LEAVING, ids
from bot.sandbox.phase1.settling import HOLD, settle
from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.stripe import Fault as StripeFault
from bot.sandbox.stripe import FaultKind


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
        await at.run("DELETE FROM profiles WHERE id = $1", LEAVING.profile_id)
        await at.run(
            "INSERT INTO audit_log (profile_id, action, details, performed_by, created_at)"
            " VALUES ($1, 'account_deleted', 'at the wish of the person, 71 rows belonged to it', 'U0ANA',"
            " now() - interval '31 days')",
            LEAVING.profile_id,
        )
    return Planted(ids(LEAVING))


async def deletion_without_stripe(ground: Ground) -> Planted:
    """P1-07: Stripe does not say whether a payment is disputed."""
    await settle(ground)
    silent = StripeFault(FaultKind.STATUS, times=None, method="GET", path="/v1/charges", status=500)
    ground.stripe.faults.add(silent)

    async def close() -> None:
        ground.stripe.faults.clear()

    return Planted(ids(LEAVING), close)


DELETION_FAULTS: dict[str, Fault] = {
    "deletion_wished": deletion_wished,
    "deletion_after_cancellation": deletion_after_cancellation,
    "deletion_half_done": deletion_half_done,
    "deletion_in_dispute": deletion_in_dispute,
    "deletion_with_debt": deletion_with_debt,
    "deletion_forbidden": deletion_forbidden,
    "deleted_before": deleted_before,
    "deletion_without_stripe": deletion_without_stripe,
}
