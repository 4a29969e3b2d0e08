"""What else can be wrong with one customer (RB-001, RB-011, RB-012): a link that was lost, sides that disagree."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, TypeAlias

from bot.sandbox.alacarte.checking import subscription_check
from bot.sandbox.alacarte.customers import CUSTOMERS
from bot.sandbox.alacarte.desk import PERIOD, PRICES, Desk
from bot.sandbox.sample import Fault, Ground, Planted

Change: TypeAlias = Callable[[Desk], Awaitable[None]]
_RIGHT, _WRONG = Decimal("0.0200"), Decimal("0.0500")


@asynccontextmanager
async def _desk(ground: Ground, whose: str) -> AsyncIterator[Desk]:
    """The desk of the sample customer that another fault is named after, everything of theirs in order."""
    connection = await ground.database.connect()
    try:
        async with connection.transaction():
            desk = Desk(connection, ground.stripe, CUSTOMERS[whose])
            await desk.reset()
            yield desk
    finally:
        await connection.close()


async def _changed(whose: str, change: Change, ground: Ground) -> Planted:
    async with _desk(ground, whose) as desk:
        await change(desk)
    customer = CUSTOMERS[whose]
    return Planted({"business_id": str(customer.business_id), "email": customer.contact_email})


async def _frozen_without_customer(desk: Desk) -> None:
    """Frozen for a payment; the link to Stripe was lost."""
    await desk.frozen("payment_failed", days=2)
    await desk.business(stripe_customer_id=None)


async def _frozen_and_gone_at_stripe(desk: Desk) -> None:
    """Frozen for a payment; Stripe knows no such customer."""
    await desk.frozen("payment_failed", days=2)
    await desk.business(stripe_customer_id="cus_OfTheTestMode")


async def _frozen_with_a_void_invoice(desk: Desk) -> None:
    """Frozen for a payment that nobody asks for any more: the invoice was taken back."""
    await desk.frozen("payment_failed", days=2)
    desk.stripe_invoice(PRICES["starter"], status="void", days_ago=3)


async def _paid_and_in_step(desk: Desk) -> None:
    """Paid, told to our webhook, in step; only the freeze was forgotten."""
    await desk.frozen("payment_failed", days=2)
    desk.stripe_invoice(PRICES["starter"], status="paid", days_ago=3)
    await desk.webhook(desk.event("invoice.payment_succeeded", desk.customer.invoice_id, delivered=True))


async def _without_customer(desk: Desk) -> None:
    """No customer at Stripe: nothing was ever bought."""
    await desk.business(
        stripe_customer_id=None,
        stripe_subscription_id=None,
        subscription_tier="free",
        subscription_status="inactive",
        subscription_period_end=None,
    )


async def _gone_at_stripe(desk: Desk) -> None:
    """Stripe knows no such customer."""
    await desk.business(stripe_customer_id="cus_OfTheTestMode")


async def _period_behind(desk: Desk) -> None:
    """Renewed at Stripe; the database still has the period before."""
    await desk.business(subscription_period_end=desk.now - timedelta(days=10))


async def _past_due(desk: Desk) -> None:
    """The renewal could not be charged."""
    desk.subscription(
        tier="starter", period_end=desk.now + PERIOD, status="past_due", latest_invoice=desk.customer.invoice_id
    )


async def _trialing(desk: Desk) -> None:
    """In its trial at Stripe."""
    desk.subscription(
        tier="starter", period_end=desk.now + PERIOD, status="trialing", latest_invoice=desk.customer.invoice_id
    )


async def _period_over(desk: Desk) -> None:
    """Active at Stripe, with a period that is over."""
    desk.subscription(tier="starter", period_end=desk.now - timedelta(days=2), latest_invoice=desk.customer.invoice_id)


def _cancelled(desk: Desk) -> None:
    ended = int((desk.now - timedelta(days=3)).timestamp())
    over = desk.now - timedelta(days=3)
    desk.subscription(tier="starter", period_end=over, status="canceled", canceled_at=ended, ended_at=ended)


async def _cancelled_and_frozen(desk: Desk) -> None:
    """Cancelled at Stripe, and frozen here for a payment before."""
    _cancelled(desk)
    await desk.frozen("payment_failed", days=9)
    await desk.business(subscription_status="past_due")


async def _ended(desk: Desk) -> None:
    """Cancelled at Stripe, and closed here."""
    _cancelled(desk)
    await desk.frozen("subscription canceled", days=3)
    await desk.business(subscription_status="canceled", subscription_tier="free")


async def _nothing_at_stripe(desk: Desk) -> None:
    """Starter in the database, and Stripe has no subscription."""
    desk.no_subscription()


async def _bought_and_frozen(desk: Desk) -> None:
    """Active at Stripe, past due and frozen here: the event never arrived."""
    await desk.frozen("payment_failed", days=2)
    await desk.business(subscription_status="past_due", subscription_period_end=None)
    event = desk.event("customer.subscription.updated", desk.customer.subscription_id, delivered=False)
    await desk.missed(event)


async def _overcharged_much(desk: Desk) -> None:
    """400 charges of 10 messages at 0.05 instead of 0.02: 120 to give back, more than the usual limit."""
    await desk.deductions(400, 10, _WRONG, _RIGHT)


async def _prices_disagree(desk: Desk) -> None:
    """Charges say that 0.01 was right, the plan says 0.02."""
    await desk.deductions(40, 10, _WRONG, Decimal("0.0100"))


async def function_disagrees(ground: Ground) -> Planted:
    """RB-011: both sides agree, and check-subscription still answers free until it looks again."""
    planted = await _changed("in_step", _nothing, ground)
    looked: set[str] = set()
    right = subscription_check(ground.database, ground.stripe)

    async def stale(business_id: str, apply: bool) -> dict[str, Any] | None:
        answer = await right(business_id, apply)
        if apply:
            looked.add(business_id)
        return answer if answer is None or business_id in looked else {**answer, "tier": "free"}

    ground.services.check = stale
    return planted


async def _nothing(_: Desk) -> None:
    return None


_CHANGES: dict[str, tuple[str, Change]] = {
    "frozen_without_customer": ("paid_but_frozen", _frozen_without_customer),
    "frozen_and_gone_at_stripe": ("paid_but_frozen", _frozen_and_gone_at_stripe),
    "frozen_with_a_void_invoice": ("paid_but_frozen", _frozen_with_a_void_invoice),
    "paid_and_in_step": ("paid_but_frozen", _paid_and_in_step),
    "subscription_without_customer": ("webhook_missed", _without_customer),
    "subscription_gone_at_stripe": ("webhook_missed", _gone_at_stripe),
    "subscription_period_behind": ("webhook_missed", _period_behind),
    "subscription_past_due": ("webhook_missed", _past_due),
    "subscription_trialing": ("webhook_missed", _trialing),
    "subscription_period_over": ("webhook_missed", _period_over),
    "subscription_cancelled_and_frozen": ("canceled_in_stripe", _cancelled_and_frozen),
    "subscription_ended": ("canceled_in_stripe", _ended),
    "subscription_nowhere": ("webhook_missed", _nothing_at_stripe),
    "subscription_bought_and_frozen": ("webhook_missed", _bought_and_frozen),
    "credits_without_customer": ("credit_missed", _without_customer),
    "credits_gone_at_stripe": ("credit_missed", _gone_at_stripe),
    "overcharged_much": ("overcharged", _overcharged_much),
    "overcharge_prices_disagree": ("overcharged", _prices_disagree),
}

ACCOUNT_FAULTS: dict[str, Fault] = {
    **{name: partial(_changed, whose, change) for name, (whose, change) in _CHANGES.items()},
    "subscription_function_disagrees": function_disagrees,
}
