"""Disputed payments in every state: one function for each fault of P1-06."""

from __future__ import annotations

from typing import Any

from bot.sandbox.phase1.desk import desk
from bot.sandbox.phase1.members import DISPUTE, ids
from bot.sandbox.phase1.settling import settle
from bot.sandbox.sample import Fault, Ground, Planted

DISPUTE_ID = f"dp_{DISPUTE.slug}"
DAY = 24 * 3600
IDS = ids(DISPUTE, dispute=DISPUTE_ID)


async def _disputed(ground: Ground, stands: str, *, days_left: int = 6, **columns: Any) -> Planted:
    """The member's payment is disputed; what is different in the database."""
    await settle(ground)
    async with desk(ground, DISPUTE) as at:
        details = {"due_by": at.objects.now() + days_left * DAY, "has_evidence": False, "past_due": days_left < 0}
        at.objects.dispute(at.charge, id=DISPUTE_ID, status=stands, reason="fraudulent", evidence_details=details)
        if columns:
            await at.row(**columns)
    return Planted(IDS)


async def dispute_open(ground: Ground) -> Planted:
    """P1-06: disputed since yesterday, six days are left to answer."""
    return await _disputed(ground, "needs_response")


async def dispute_too_late(ground: Ground) -> Planted:
    """P1-06: nobody answered in time."""
    return await _disputed(ground, "needs_response", days_left=-1)


async def dispute_under_review(ground: Ground) -> Planted:
    """P1-06: answered, the bank has not decided; the account is suspended."""
    return await _disputed(ground, "under_review", status="suspended")


async def dispute_lost(ground: Ground) -> Planted:
    """P1-06: lost, and the subscription at Stripe goes on."""
    return await _disputed(ground, "lost")


async def dispute_lost_and_ended(ground: Ground) -> Planted:
    """P1-06: lost, cancelled at Stripe, and the database was not told."""
    planted = await _disputed(ground, "lost")
    async with desk(ground, DISPUTE, fresh=False) as at:
        at.ended(days=1)
    return planted


async def dispute_lost_and_done(ground: Ground) -> Planted:
    """P1-06: lost, and everything was done."""
    planted = await dispute_lost_and_ended(ground)
    async with desk(ground, DISPUTE, fresh=False) as at:
        await at.row(tier="FREE", status="canceled")
    return planted


async def dispute_won(ground: Ground) -> Planted:
    """P1-06: won, and the account is still suspended."""
    return await _disputed(ground, "won", status="suspended")


async def dispute_won_and_ended(ground: Ground) -> Planted:
    """P1-06: won, still suspended, and the subscription has ended meanwhile."""
    planted = await dispute_won(ground)
    async with desk(ground, DISPUTE, fresh=False) as at:
        at.ended(days=1)
    return planted


async def dispute_won_and_done(ground: Ground) -> Planted:
    """P1-06: an inquiry that was closed in our favour; the account was never suspended."""
    return await _disputed(ground, "warning_closed")


async def dispute_of_unknown(ground: Ground) -> Planted:
    """P1-06: the customer of the payment is not stored with any subscription."""
    return await _disputed(ground, "needs_response", stripe_customer_id=None)


async def dispute_answered(ground: Ground) -> Planted:
    """Somebody has answered the dispute at Stripe; nothing else changes."""
    ground.stripe.objects.get(DISPUTE_ID)["status"] = "under_review"
    return Planted(IDS)


async def dispute_decided(ground: Ground) -> Planted:
    """The bank has decided for us; nothing else changes."""
    ground.stripe.objects.get(DISPUTE_ID)["status"] = "won"
    return Planted(IDS)


async def dispute_decided_against(ground: Ground) -> Planted:
    """The bank has decided against us; nothing else changes."""
    ground.stripe.objects.get(DISPUTE_ID)["status"] = "lost"
    return Planted(IDS)


DISPUTE_FAULTS: dict[str, Fault] = {
    "dispute_open": dispute_open,
    "dispute_too_late": dispute_too_late,
    "dispute_under_review": dispute_under_review,
    "dispute_lost": dispute_lost,
    "dispute_lost_and_ended": dispute_lost_and_ended,
    "dispute_lost_and_done": dispute_lost_and_done,
    "dispute_won": dispute_won,
    "dispute_won_and_ended": dispute_won_and_ended,
    "dispute_won_and_done": dispute_won_and_done,
    "dispute_of_unknown": dispute_of_unknown,
    "dispute_answered": dispute_answered,
    "dispute_decided": dispute_decided,
    "dispute_decided_against": dispute_decided_against,
}
