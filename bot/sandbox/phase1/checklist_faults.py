"""Members who begin, upgrade or cancel, and what was left out: one function for each fault of P1-C1 to C3."""

from __future__ import annotations

from bot.sandbox.phase1.desk import PERIOD, Desk, desk
from bot.sandbox.phase1.members import PAYING, ids
from bot.sandbox.phase1.settling import settle
from bot.sandbox.sample import Fault, Ground, Planted

CREATED, UPDATED = "customer.subscription.created", "customer.subscription.updated"
NO_DATABASE = "Database connection failed"
IDS = ids(PAYING)


async def member_new(ground: Ground) -> Planted:
    """P1-C1: signed up, on FREE, nothing used, unknown to Stripe."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        await _begun(at)
    return Planted(IDS)


async def member_half_made(ground: Ground) -> Planted:
    """P1-C1: the sign-up ended after the profile."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        at.objects.forget_customer(PAYING.customer_id)
        for table in ("subscriptions", "rate_limits"):
            await at.run(f"DELETE FROM {table} WHERE profile_id = $1", PAYING.profile_id)
    return Planted(IDS)


async def member_new_and_suspended(ground: Ground) -> Planted:
    """P1-C1: on FREE, and suspended for a reason that nobody wrote down."""
    planted = await member_new(ground)
    async with desk(ground, PAYING, fresh=False) as at:
        await at.row(status="suspended")
    return planted


async def _begun(at: Desk) -> None:
    at.objects.forget_customer(PAYING.customer_id)
    await at.unpaid(stripe_customer_id=None)
    await at.run("UPDATE rate_limits SET used = 0 WHERE profile_id = $1", PAYING.profile_id)


async def upgrade_done(ground: Ground) -> Planted:
    """P1-C2: checked out, paid, told, and PRO."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        at.checkout()
        await at.webhook(at.event(CREATED, PAYING.subscription_id, delivered=True, hours_ago=2))
    return Planted(IDS)


async def upgrade_not_arrived(ground: Ground) -> Planted:
    """P1-C2: checked out and paid; our webhook failed, and the member is on FREE."""
    planted = await upgrade_refused(ground)
    async with desk(ground, PAYING, fresh=False) as at:
        await at.unpaid()
    return planted


async def upgrade_refused(ground: Ground) -> Planted:
    """P1-C2: our webhook failed, and somebody has put the database right by hand."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        at.checkout()
        await at.webhook(at.event(CREATED, PAYING.subscription_id, delivered=False, hours_ago=2), error=NO_DATABASE)
    return Planted(IDS)


async def cancellation_done(ground: Ground) -> Planted:
    """P1-C3: ends with its period, at both sides."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        at.ends_with_period()
        await at.webhook(at.event(UPDATED, PAYING.subscription_id, delivered=True, hours_ago=2))
        await at.row(cancel_at=at.now + PERIOD, cancel_at_period_end=True)
    return Planted(IDS)


async def cancellation_untold(ground: Ground) -> Planted:
    """P1-C3: ends with its period at Stripe, and our webhook failed on that."""
    await settle(ground)
    async with desk(ground, PAYING) as at:
        at.ends_with_period()
        await at.webhook(at.event(UPDATED, PAYING.subscription_id, delivered=False, hours_ago=2), error=NO_DATABASE)
    return Planted(IDS)


async def cancellation_without_access(ground: Ground) -> Planted:
    """P1-C3: ends with its period at Stripe, and the member is on FREE already."""
    planted = await cancellation_done(ground)
    async with desk(ground, PAYING, fresh=False) as at:
        await at.row(tier="FREE", status="canceled")
    return planted


async def cancellation_suspended(ground: Ground) -> Planted:
    """P1-C3: ends with its period at both sides, and the member is suspended."""
    planted = await cancellation_done(ground)
    async with desk(ground, PAYING, fresh=False) as at:
        await at.row(status="suspended")
    return planted


CHECKLIST_FAULTS: dict[str, Fault] = {
    "member_new": member_new,
    "member_half_made": member_half_made,
    "member_new_and_suspended": member_new_and_suspended,
    "upgrade_done": upgrade_done,
    "upgrade_not_arrived": upgrade_not_arrived,
    "upgrade_refused": upgrade_refused,
    "cancellation_done": cancellation_done,
    "cancellation_untold": cancellation_untold,
    "cancellation_without_access": cancellation_without_access,
    "cancellation_suspended": cancellation_suspended,
}
