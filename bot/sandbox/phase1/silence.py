"""A Stripe that does not say something: for every runbook that must do nothing then."""

from __future__ import annotations

from bot.sandbox.phase1.members import LEAVING, PAYING, Member, ids
from bot.sandbox.phase1.settling import settle
from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.stripe import Fault as StripeFault
from bot.sandbox.stripe import FaultKind


async def _silent(ground: Ground, path: str, member: Member) -> Planted:
    """Everybody healthy, and every question to that path answered with 500."""
    await settle(ground)
    ground.stripe.faults.add(StripeFault(FaultKind.STATUS, times=None, method="GET", path=path, status=500))

    async def close() -> None:
        ground.stripe.faults.clear()

    return Planted(ids(member), close)


async def customers_unknown(ground: Ground) -> Planted:
    """P1-01: Stripe does not say which customers there are."""
    return await _silent(ground, "/v1/customers", PAYING)


async def events_unknown(ground: Ground) -> Planted:
    """P1-04: Stripe does not say what it could not deliver."""
    return await _silent(ground, "/v1/events", PAYING)


async def invoices_unknown(ground: Ground) -> Planted:
    """P1-C2: Stripe does not say what was paid."""
    return await _silent(ground, "/v1/invoices", PAYING)


async def subscriptions_unknown(ground: Ground) -> Planted:
    """P1-C3: Stripe does not say which subscriptions there are."""
    return await _silent(ground, "/v1/subscriptions", PAYING)


async def deletion_without_stripe(ground: Ground) -> Planted:
    """P1-03, P1-07: Stripe does not say what was paid, and whether that is disputed."""
    return await _silent(ground, "/v1/charges", LEAVING)


SILENCES: dict[str, Fault] = {
    "customers_unknown": customers_unknown,
    "events_unknown": events_unknown,
    "invoices_unknown": invoices_unknown,
    "subscriptions_unknown": subscriptions_unknown,
    "deletion_without_stripe": deletion_without_stripe,
}
