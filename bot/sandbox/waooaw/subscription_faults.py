"""Paid, and not activated (WA-19): what the sync mends, what it does not, and what must not be activated at all."""

from __future__ import annotations

from bot.sandbox.sample import Ground, Planted
from bot.sandbox.waooaw.desk import IDS, MEERA, execute, key
from bot.sandbox.waooaw.engine import BACKEND, docker
from bot.sandbox.waooaw.payment_faults import card_declined
from bot.sandbox.waooaw.razorpay import ORDER, PAID, Razorpay, attempt
from bot.sandbox.waooaw.state import settled

SUBSCRIPTION, CANCELLED = key("subscription meera"), key("subscription meera cancelled")
NAMED = {**IDS, "subscription_id": str(SUBSCRIPTION), "cancelled_id": str(CANCELLED), "payment_id": PAID}
SYNC = ("compose", "exec", "-T", BACKEND, "python", "-m", "src.Plant.BackEnd.scripts.sync_subscription_status",
        "--customer_id", str(MEERA))  # fmt: skip
STATE = ("compose", "exec", "-T", BACKEND, "python", "-m", "src.Plant.BackEnd.scripts.sync_customer_state",
         "--customer_id", str(MEERA))  # fmt: skip
TRIAL = """
UPDATE subscriptions SET status = 'trialing', trial_status = 'running', payment_id = NULL,
    current_period_start = now() - interval '12 days', current_period_end = now() + interval '2 days' WHERE id = $1
"""
OLD = """
INSERT INTO subscriptions (id, customer_id, plan, status, trial_status, created_at)
VALUES ($1, $2, 'pro', 'cancelled', 'converted', now() - interval '190 days') ON CONFLICT DO NOTHING
"""
FAILED_SYNC = """
INSERT INTO audit_log (customer_id, action, details, performed_by, at)
VALUES ($1, 'subscription_sync_failed', 'the payment has no webhook event', 'system', now() - interval '5 minutes')
"""
# What the programs do inside the database, when they are called.
SYNCED = """
UPDATE subscriptions SET status = 'active', trial_status = 'converted', payment_id = md5('payment meera')::uuid,
    current_period_start = now(), current_period_end = now() + interval '30 days' WHERE id = $1
"""


async def sync_pending(ground: Ground) -> Planted:
    """WA-19: paid, and our webhook was lost; the sync finds the payment. A cancelled subscription stays what it is."""
    await _on_trial(ground)
    ground.programs.answer(docker(*SYNC, out="subscription found, payment found: activation queued\n"))
    return Planted(NAMED)


async def sync_arrived(ground: Ground) -> Planted:
    """WA-19: the queue has done what the sync asked for."""
    await execute(ground, SYNCED, SUBSCRIPTION)
    return Planted(NAMED)


async def sync_failed(ground: Ground) -> Planted:
    """WA-19: paid, and the sync was tried and found nothing to go by."""
    await _on_trial(ground)
    await execute(ground, FAILED_SYNC, MEERA)
    return Planted(NAMED)


async def payment_not_captured(ground: Ground) -> Planted:
    """WA-19: our database says captured, Razorpay says failed: nobody has paid."""
    return await _razorpay_says(ground, "failed")


async def payment_refunded(ground: Ground) -> Planted:
    """WA-19: the payment was given back."""
    return await _razorpay_says(ground, "refunded", amount_refunded=299900)


async def paid_too_little(ground: Ground) -> Planted:
    """WA-19: less was paid than the plan costs."""
    return await _razorpay_says(ground, "captured", amount=99900)


async def only_failed_payment(ground: Ground) -> Planted:
    """WA-19: the only payment of the customer failed."""
    await card_declined(ground)
    await execute(ground, TRIAL, SUBSCRIPTION)
    await execute(ground, "DELETE FROM payments WHERE razorpay_payment_id = $1", PAID)
    return Planted(NAMED)


async def payment_used_elsewhere(ground: Ground) -> Planted:
    """WA-19: the payment has activated an older subscription already."""
    await _on_trial(ground)
    used = "UPDATE subscriptions SET payment_id = md5('payment meera')::uuid WHERE id = $1"
    await execute(ground, used, CANCELLED)
    return Planted(NAMED)


async def features_closed(ground: Ground) -> Planted:
    """WA-19: active, and the customer still has the trial's limits."""
    await settled(ground)
    await execute(ground, "UPDATE customers SET rate_limit_tier = 'trial' WHERE id = $1", MEERA)
    ground.programs.answer(docker(*STATE, out="customer state queued\n"))
    return Planted(NAMED)


async def features_opened(ground: Ground) -> Planted:
    """WA-19: the queue has brought the customer's limits up to date."""
    await execute(ground, "UPDATE customers SET rate_limit_tier = 'standard' WHERE id = $1", MEERA)
    return Planted(NAMED)


async def _on_trial(ground: Ground) -> None:
    await settled(ground)
    await execute(ground, TRIAL, SUBSCRIPTION)
    await execute(ground, OLD, CANCELLED, MEERA)
    await execute(ground, "UPDATE customers SET rate_limit_tier = 'trial' WHERE id = $1", MEERA)


async def _razorpay_says(ground: Ground, status: str, **fields: int) -> Planted:
    """On trial, and the payment that our database has as captured, as Razorpay has it."""
    await _on_trial(ground)
    razorpay = Razorpay(ground)
    razorpay.attempts = [attempt(PAID, ORDER, status, minutes=60, **fields)]
    razorpay.serve()
    return Planted(NAMED)


FAULTS = {
    each.__name__: each
    for each in (
        *(sync_pending, sync_arrived, sync_failed, payment_not_captured, payment_refunded, paid_too_little),
        *(features_closed, features_opened, only_failed_payment, payment_used_elsewhere),
    )
}
