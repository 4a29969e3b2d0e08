"""Both sides of one sample customer, the database's and Stripe's, kept in step while a fault is planted on either."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg

from bot.sandbox.alacarte.customers import Customer
from bot.sandbox.stripe import LocalStripe

PRICES = {"starter": 2900, "growth": 7900, "professional": 19900}
CHILDREN = ("invoices", "credit_ledger", "credit_deductions", "audit_logs")
PERIOD = timedelta(days=20)
OPENING_CREDITS = Decimal("20.00")


class Desk:
    """One customer at both sides. `reset` makes it healthy; the other methods then say what is different, and where."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], stripe: LocalStripe, customer: Customer) -> None:
        self._connection = connection
        self._objects = stripe.objects
        self.customer = customer
        self.now = datetime.fromtimestamp(stripe.objects.now(), UTC)

    async def reset(self, tier: str = "starter") -> None:
        """A customer in good order: active, paid, in step at both sides, nothing left of an earlier fault."""
        await self._clear()
        await self._business_in_order(tier)
        end = self.now + PERIOD
        self.subscription(tier=tier, period_end=end, latest_invoice=self.customer.invoice_id)
        self.stripe_invoice(PRICES[tier], status="paid")
        await self.local_invoice("paid", Decimal(PRICES[tier]) / 100, paid_at=self.now - timedelta(days=10))
        event = self.event("customer.subscription.created", self.customer.subscription_id, delivered=True)
        await self.webhook(event)
        await self.credit(OPENING_CREDITS, "opening balance", "webhook")

    async def _clear(self) -> None:
        self._objects.forget_customer(self.customer.customer_id)
        for tier, amount in PRICES.items():
            if self._objects.find(price_of(tier)) is None:
                product = self._objects.product(tier.capitalize(), id=f"prod_{tier}", metadata={"tier": tier})
                named = {"lookup_key": tier, "nickname": tier.capitalize(), "metadata": {"tier": tier}}
                self._objects.price(product["id"], amount, id=price_of(tier), **named)
        for table in CHILDREN:
            await self._connection.execute(f"DELETE FROM {table} WHERE business_id = $1", self.customer.business_id)
        await self._connection.execute("DELETE FROM webhook_events WHERE customer_id = $1", self.customer.customer_id)
        self._objects.customer(
            id=self.customer.customer_id,
            email=self.customer.contact_email,
            name=self.customer.name,
            created=self._epoch(self.now - timedelta(days=200)),
            metadata={"business_id": str(self.customer.business_id)},
        )

    async def _business_in_order(self, tier: str) -> None:
        await self._connection.execute(
            "INSERT INTO businesses (id, name, stripe_customer_id) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
            self.customer.business_id,
            self.customer.name,
            self.customer.customer_id,
        )
        await self.business(
            name=self.customer.name,
            contact_email=self.customer.contact_email,
            is_frozen=False,
            frozen_at=None,
            frozen_reason=None,
            stripe_customer_id=self.customer.customer_id,
            stripe_subscription_id=self.customer.subscription_id,
            subscription_status="active",
            subscription_tier=tier,
            subscription_period_end=self.now + PERIOD,
            voice_credits_balance=Decimal("12.50"),
            credit_balance=OPENING_CREDITS,
            credit_balance_updated_at=self.now - timedelta(days=10),
            message_count_current_period=420,
            created_at=self.now - timedelta(days=200),
            updated_at=self.now - timedelta(days=10),
        )

    async def business(self, **columns: Any) -> None:
        """Set columns of the business's row."""
        pairs = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, start=2))
        await self._connection.execute(
            f"UPDATE businesses SET {pairs} WHERE id = $1", self.customer.business_id, *columns.values()
        )

    async def frozen(self, reason: str, days: int) -> None:
        """Frozen that many days ago, for that reason."""
        await self.business(is_frozen=True, frozen_reason=reason, frozen_at=self.now - timedelta(days=days))

    def subscription(self, *, tier: str, period_end: datetime, **fields: Any) -> None:
        """The customer's one subscription at Stripe, in place of the one before."""
        found = self._objects.find(self.customer.subscription_id)
        if found is not None:
            self._objects.discard(found["id"])
        made = {"id": self.customer.subscription_id, "created": self._epoch(self.now - timedelta(days=10))} | fields
        self._objects.subscription(
            self.customer.customer_id, price_of(tier), period_end=self._epoch(period_end), **made
        )

    def no_subscription(self) -> None:
        """The customer has no subscription at Stripe, and never had one."""
        self._objects.discard(self.customer.subscription_id)

    def stripe_invoice(self, amount: int, *, status: str, days_ago: int = 10, **fields: Any) -> None:
        """The customer's latest invoice at Stripe, in cents, in place of the one before."""
        if self._objects.find(self.customer.invoice_id) is not None:
            self._objects.discard(self.customer.invoice_id)
        made: dict[str, Any] = {"id": self.customer.invoice_id, "subscription": self.customer.subscription_id}
        made |= {"created": self._epoch(self.now - timedelta(days=days_ago)), "billing_reason": "subscription_cycle"}
        self._objects.invoice(self.customer.customer_id, amount, status=status, **(made | fields))

    async def local_invoice(self, status: str, amount: Decimal, *, paid_at: datetime | None = None) -> None:
        """The database's row of that invoice, in its own vocabulary, in place of the one before."""
        await self._connection.execute("DELETE FROM invoices WHERE business_id = $1", self.customer.business_id)
        shown = self._objects.get(self.customer.invoice_id)
        await self._connection.execute(
            "INSERT INTO invoices (business_id, stripe_invoice_id, status, amount, hosted_invoice_url, created_at,"
            " paid_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            self.customer.business_id,
            self.customer.invoice_id,
            status,
            amount,
            shown["hosted_invoice_url"],
            datetime.fromtimestamp(shown["created"], UTC),
            paid_at,
        )

    def payment(self, amount: int, *, outcome: Any = "succeeded", hours_ago: int = 26, **fields: Any) -> str:
        """The customer's payment at Stripe, in cents; its id."""
        made = {"id": self.customer.payment_id, "created": self._epoch(self.now - timedelta(hours=hours_ago))}
        row = self._objects.payment(self.customer.customer_id, amount, outcome=outcome, **(made | fields))
        return str(row["id"])

    def event(self, kind: str, about: str, *, delivered: bool, hours_ago: int = 26) -> str:
        """An event at Stripe about an object as it is now; its id. Undelivered ones show as pending."""
        event_id = f"evt_{self.customer.slug}_{kind.replace('.', '_')}"
        if self._objects.find(event_id) is not None:
            self._objects.discard(event_id)
        fields = {"created": self._epoch(self.now - timedelta(hours=hours_ago)), "pending_webhooks": int(not delivered)}
        self._objects.event(kind, self._objects.get(about), id=event_id, **fields)
        return event_id

    async def webhook(self, event_id: str, *, error: str | None = None) -> None:
        """What our webhook function noted when the event arrived: processed, or failed with an error."""
        event = self._objects.get(event_id)
        await self._connection.execute(
            "INSERT INTO webhook_events (id, type, object_id, customer_id, status, error, received_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            event_id,
            event["type"],
            event["data"]["object"]["id"],
            self.customer.customer_id,
            "processed" if error is None else "failed",
            error,
            datetime.fromtimestamp(event["created"], UTC),
        )

    async def missed(self, event_id: str) -> None:
        """Our webhook function never saw the event of that id."""
        await self._connection.execute("DELETE FROM webhook_events WHERE id = $1", event_id)

    async def credit(self, amount: Decimal, reason: str, source: str, payment_id: str | None = None) -> None:
        """A row of the credit ledger; the balance is set by `business`."""
        await self._connection.execute(
            "INSERT INTO credit_ledger (business_id, amount, reason, source, stripe_payment_intent_id, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            self.customer.business_id,
            amount,
            reason,
            source,
            payment_id,
            self.now - timedelta(hours=25),
        )

    async def deductions(self, times: int, messages: int, charged: Decimal, expected: Decimal) -> None:
        """Charges for messages beyond the plan: `times` rows of `messages` each, at a price that may be wrong."""
        await self._connection.execute(
            "INSERT INTO credit_deductions (business_id, message_count, unit_price_charged, unit_price_expected,"
            " created_at) SELECT $1, $3, $4, $5, $6::timestamptz - make_interval(hours => n)"
            " FROM generate_series(1, $2::integer) AS n",
            self.customer.business_id,
            times,
            messages,
            charged,
            expected,
            self.now,
        )

    def _epoch(self, moment: datetime) -> int:
        return int(moment.timestamp())


def price_of(tier: str) -> str:
    """The id of a plan's price, at both sides."""
    return f"price_{tier}_monthly"
