"""What goes wrong between Stripe and the sample database: one function for each fault of RB-001, RB-011 and RB-012."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal

from bot.sandbox.alacarte.desk import OPENING_CREDITS, PERIOD, PRICES, Desk

BOUGHT, BOUGHT_CENTS = 500, 2500
CREDITS_METADATA = {"type": "credit_purchase", "credits": str(BOUGHT)}
STARTER = Decimal(PRICES["starter"]) / 100
RIGHT_PRICE, WRONG_PRICE = Decimal("0.0200"), Decimal("0.0500")
Ids = dict[str, str]
Plant = Callable[[Desk], Awaitable[Ids]]


async def paid_but_frozen(desk: Desk) -> Ids:
    """RB-001: Stripe has the money, our webhook failed on the event, the account is still frozen."""
    await desk.reset()
    await desk.frozen("payment_failed", days=2)
    await desk.business(subscription_status="past_due")
    desk.stripe_invoice(PRICES["starter"], status="paid", days_ago=3)
    await desk.local_invoice("failed", STARTER)
    payment = desk.payment(PRICES["starter"])
    event = desk.event("invoice.payment_succeeded", desk.customer.invoice_id, delivered=False)
    await desk.webhook(event, error="timeout: no database connection within 5 s")
    return {"invoice": desk.customer.invoice_id, "payment_intent": payment, "event": event}


async def payment_failed(desk: Desk) -> Ids:
    """RB-001: the card was declined three times, the freeze is right."""
    await desk.reset()
    await desk.frozen("payment_failed", days=2)
    await desk.business(subscription_status="past_due")
    desk.subscription(
        tier="starter", period_end=desk.now + PERIOD, status="past_due", latest_invoice=desk.customer.invoice_id
    )
    desk.stripe_invoice(PRICES["starter"], status="open", days_ago=3, attempt_count=3)
    await desk.local_invoice("failed", STARTER)
    payment = desk.payment(PRICES["starter"], outcome="declined")
    event = desk.event("invoice.payment_failed", desk.customer.invoice_id, delivered=True)
    await desk.webhook(event)
    return {"invoice": desk.customer.invoice_id, "payment_intent": payment, "event": event}


async def frozen_for_other_reason(desk: Desk) -> Ids:
    """RB-001: paid and in step, but frozen by hand for an incident that has nothing to do with money."""
    await desk.reset()
    await desk.frozen("incident INC-2025-11-01-001: message loss", days=1)
    return {"invoice": desk.customer.invoice_id}


async def frozen_after_cancellation(desk: Desk) -> Ids:
    """RB-001: frozen because the subscription was cancelled and its period is over."""
    await desk.reset()
    ended = desk.now - timedelta(days=3)
    _cancel(desk, ended_days_ago=3, period_end_days=-3)
    await desk.frozen("subscription canceled", days=3)
    await desk.business(subscription_status="canceled", subscription_tier="free", subscription_period_end=ended)
    event = desk.event("customer.subscription.deleted", desk.customer.subscription_id, delivered=True)
    await desk.webhook(event)
    return {"subscription": desk.customer.subscription_id, "event": event}


async def healthy(desk: Desk) -> Ids:
    """RB-001 not_frozen and RB-011 in_step: nothing is wrong at either side."""
    await desk.reset()
    return {"subscription": desk.customer.subscription_id, "invoice": desk.customer.invoice_id}


async def webhook_missed(desk: Desk) -> Ids:
    """RB-011: active at Stripe as Starter; the event never arrived, so the database says free and past due."""
    await desk.reset()
    event = desk.event("customer.subscription.created", desk.customer.subscription_id, delivered=False)
    await desk.missed(event)
    await desk.business(
        subscription_tier="free",
        subscription_status="past_due",
        subscription_period_end=None,
        stripe_subscription_id=None,
    )
    return {"subscription": desk.customer.subscription_id, "event": event}


async def canceled_in_stripe(desk: Desk) -> Ids:
    """RB-011: cancelled at Stripe and its period over three days ago; the database still says active."""
    await desk.reset()
    _cancel(desk, ended_days_ago=3, period_end_days=-3)
    event = desk.event("customer.subscription.deleted", desk.customer.subscription_id, delivered=False, hours_ago=72)
    return {"subscription": desk.customer.subscription_id, "event": event}


async def canceled_period_not_over(desk: Desk) -> Ids:
    """RB-011: cancelled at Stripe yesterday, but paid for twelve more days; freezing now would be wrong."""
    await desk.reset()
    _cancel(desk, ended_days_ago=1, period_end_days=12)
    await desk.business(subscription_period_end=desk.now + timedelta(days=12))
    event = desk.event("customer.subscription.deleted", desk.customer.subscription_id, delivered=False)
    return {"subscription": desk.customer.subscription_id, "event": event}


async def tier_differs(desk: Desk) -> Ids:
    """RB-011: active at both sides, Growth at Stripe and starter in the database."""
    await desk.reset("growth")
    await desk.business(subscription_tier="starter")
    event = desk.event("customer.subscription.updated", desk.customer.subscription_id, delivered=False)
    return {"subscription": desk.customer.subscription_id, "event": event}


async def credit_missed(desk: Desk) -> Ids:
    """RB-012: 500 credits were paid for, and neither the balance nor the ledger knows of them."""
    await desk.reset()
    return _bought(desk)


async def credited_already(desk: Desk) -> Ids:
    """RB-012: the same purchase, already credited by hand; doing it again would credit twice."""
    await desk.reset()
    ids = _bought(desk)
    await desk.credit(Decimal(BOUGHT), "credit purchase, added by hand", "manual", ids["payment_intent"])
    await desk.business(
        credit_balance=OPENING_CREDITS + BOUGHT, credit_balance_updated_at=desk.now - timedelta(hours=2)
    )
    return ids


async def metadata_missing(desk: Desk) -> Ids:
    """RB-012: a payment whose metadata does not say that it bought credits, nor how many."""
    await desk.reset()
    payment = desk.payment(BOUGHT_CENTS, description="Credits")
    event = desk.event("payment_intent.succeeded", payment, delivered=True)
    await desk.webhook(event, error="payment_intent without metadata.type, ignored")
    return {"payment_intent": payment, "event": event}


async def overcharged(desk: Desk) -> Ids:
    """RB-012: 40 charges of 10 messages at 0.05 instead of 0.02: 20.00 taken, 8.00 right, 12.00 to give back."""
    await desk.reset()
    await desk.deductions(40, 10, WRONG_PRICE, RIGHT_PRICE)
    await desk.business(credit_balance=Decimal("0.00"), message_count_current_period=1400)
    return {"refund": "12.00"}


async def negative_balance(desk: Desk) -> Ids:
    """RB-012: more was used than bought, each charge right: 20.00 less 69 charges of 25 messages at 0.02 is -14.50."""
    await desk.reset()
    await desk.deductions(69, 25, RIGHT_PRICE, RIGHT_PRICE)
    await desk.business(credit_balance=Decimal("-14.50"), message_count_current_period=2725)
    return {"balance": "-14.50"}


def _bought(desk: Desk) -> Ids:
    payment = desk.payment(BOUGHT_CENTS, metadata=CREDITS_METADATA, description=f"{BOUGHT} credits")
    event = desk.event("payment_intent.succeeded", payment, delivered=False)
    return {"payment_intent": payment, "event": event}


def _cancel(desk: Desk, *, ended_days_ago: int, period_end_days: int) -> None:
    ended = int((desk.now - timedelta(days=ended_days_ago)).timestamp())
    desk.subscription(
        tier="starter",
        period_end=desk.now + timedelta(days=period_end_days),
        status="canceled",
        canceled_at=ended,
        ended_at=ended,
        latest_invoice=desk.customer.invoice_id,
    )


BILLING_FAULTS: dict[str, Plant] = {
    "paid_but_frozen": paid_but_frozen,
    "payment_failed": payment_failed,
    "frozen_for_other_reason": frozen_for_other_reason,
    "frozen_after_cancellation": frozen_after_cancellation,
    "not_frozen": healthy,
    "webhook_missed": webhook_missed,
    "canceled_in_stripe": canceled_in_stripe,
    "canceled_period_not_over": canceled_period_not_over,
    "in_step": healthy,
    "tier_differs": tier_differs,
    "credit_missed": credit_missed,
    "overcharged": overcharged,
    "negative_balance": negative_balance,
    "credited_already": credited_already,
    "metadata_missing": metadata_missing,
}
