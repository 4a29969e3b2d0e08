"""Both sides of one member, the database's and Stripe's, kept in step while a fault is planted on either."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.sandbox.database import Connection
from bot.sandbox.phase1.members import Member
from bot.sandbox.sample import Ground

PRICES = {"monthly": ("price_pro_monthly", 1900, "month"), "yearly": ("price_pro_yearly", 19000, "year")}
PERIOD = timedelta(days=21)
FEATURES = {"masks": 40, "renders": 900, "exports": 120, "api_calls": 31000}
OWNED = ("subscriptions", "rate_limits", "masks", "api_keys", "billing_records", "audit_log")


class Desk:
    """One member at both sides. `reset` makes it healthy; the other methods then say what is different, and where."""

    def __init__(self, connection: Connection, ground: Ground, member: Member) -> None:
        self._connection = connection
        self._ground = ground
        self.objects = ground.stripe.objects
        self.member = member
        self.now = datetime.fromtimestamp(self.objects.now(), UTC)

    async def reset(self, interval: str = "monthly") -> None:
        """A member in good order: PRO, paid, in step at both sides, with things of their own."""
        await self._clear()
        self._at_stripe(interval)
        await self.run(
            "INSERT INTO profiles (id, email, full_name, created_at) VALUES ($1, $2, $3, $4)",
            self.member.profile_id,
            self.member.email,
            self.member.name,
            self.now - timedelta(days=200),
        )
        await self.run("INSERT INTO subscriptions (profile_id) VALUES ($1)", self.member.profile_id)
        await self.row(
            tier="PRO",
            status="active",
            stripe_customer_id=self.member.customer_id,
            stripe_subscription_id=self.member.subscription_id,
            billing_interval=interval,
            current_period_start=self.now + PERIOD - timedelta(days=30),
            current_period_end=self.now + PERIOD,
            updated_at=self.now - timedelta(days=9),
        )
        for feature, used in FEATURES.items():
            await self.used(feature, used)
        await self._things()

    async def _clear(self) -> None:
        self.objects.forget_customer(self.member.customer_id)
        await self.run("DELETE FROM webhook_events WHERE customer_id = $1", self.member.customer_id)
        for table in OWNED:
            await self.run(f"DELETE FROM {table} WHERE profile_id = $1", self.member.profile_id)
        await self.run("DELETE FROM profiles WHERE id = $1", self.member.profile_id)

    def _at_stripe(self, interval: str) -> None:
        for price, amount, every in PRICES.values():
            if self.objects.find(price) is None:
                product = self.objects.find("prod_pro") or self.objects.product("Pro", id="prod_pro")
                recurring = {"interval": every, "interval_count": 1, "meter": None, "usage_type": "licensed"}
                named = {"lookup_key": f"pro_{every}ly", "nickname": "Pro", "metadata": {"tier": "PRO"}}
                self.objects.price(product["id"], amount, id=price, recurring=recurring, **named)
        self.objects.customer(
            id=self.member.customer_id,
            email=self.member.email,
            name=self.member.name,
            created=self.epoch(self.now - timedelta(days=200)),
            metadata={"profileId": str(self.member.profile_id)},
        )
        self.subscription(interval=interval)
        amount = PRICES[interval][1]
        begun = self.epoch(self.now - timedelta(days=9))
        self.objects.invoice(
            self.member.customer_id,
            amount,
            id=self.member.invoice_id,
            created=begun,
            subscription=self.member.subscription_id,
            billing_reason="subscription_cycle",
        )
        self.payment(amount, created=begun)

    async def _things(self) -> None:
        masks = "INSERT INTO masks (profile_id, name) SELECT $1, 'Mask ' || n FROM generate_series(1, 3) AS n"
        await self.run(masks, self.member.profile_id)
        await self.run(
            "INSERT INTO epochs (mask_id, number, loss) SELECT m.id, n, 1.0 / n FROM masks m, generate_series(1, 20) n"
            " WHERE m.profile_id = $1",
            self.member.profile_id,
        )
        await self.run("INSERT INTO api_keys (profile_id, prefix) VALUES ($1, 'pk_4f1a')", self.member.profile_id)
        await self.run(
            "INSERT INTO billing_records (profile_id, stripe_invoice_id, amount, paid_at) VALUES ($1, $2, $3, $4)",
            self.member.profile_id,
            self.member.invoice_id,
            Decimal("19.00"),
            self.now - timedelta(days=9),
        )

    async def run(self, statement: str, *values: Any) -> None:
        """Any statement, as a superuser."""
        await self._connection.execute(statement, *values)

    async def row(self, **columns: Any) -> None:
        """Set columns of the member's subscription."""
        pairs = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, start=2))
        await self.run(
            f"UPDATE subscriptions SET {pairs} WHERE profile_id = $1", self.member.profile_id, *columns.values()
        )

    async def unpaid(self, **columns: Any) -> None:
        """The database's side as it was before the member paid, and whatever else is different there."""
        free = {"tier": "FREE", "status": "active", "stripe_subscription_id": None, "billing_interval": None}
        await self.row(**{**free, "current_period_start": None, "current_period_end": None, **columns})

    async def used(self, feature: str, used: int) -> None:
        """How much of a feature the member has used this month."""
        await self.run(
            "INSERT INTO rate_limits (profile_id, feature, used, resets_at) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (profile_id, feature) DO UPDATE SET used = EXCLUDED.used",
            self.member.profile_id,
            feature,
            used,
            self.now + timedelta(days=12),
        )

    def subscription(self, *, interval: str = "monthly", period_end: datetime | None = None, **fields: Any) -> None:
        """The member's one subscription at Stripe, in place of the one before."""
        if self.objects.find(self.member.subscription_id) is not None:
            self.objects.discard(self.member.subscription_id)
        made: dict[str, Any] = {
            "id": self.member.subscription_id,
            "created": self.epoch(self.now - timedelta(days=9)),
            "latest_invoice": self.member.invoice_id,
            "metadata": {"profileId": str(self.member.profile_id)},
        }
        end = self.epoch(period_end or self.now + PERIOD)
        self.objects.subscription(self.member.customer_id, PRICES[interval][0], period_end=end, **(made | fields))

    def ends_with_period(self) -> None:
        """The subscription at Stripe does not renew; our webhook did not get to know."""
        self.subscription(cancel_at_period_end=True, cancel_at=self.epoch(self.now + PERIOD))

    def checkout(self) -> None:
        """The member's checkout at Stripe, completed and told."""
        session = f"cs_{self.member.slug}"
        if self.objects.find(session) is not None:
            self.objects.discard(session)
        made = {"customer": self.member.customer_id, "mode": "subscription", "payment_status": "paid"}
        made |= {"status": "complete", "subscription": self.member.subscription_id}
        self.objects.add("cs", "checkout.session", made, {"id": session})
        self.event("checkout.session.completed", session, delivered=True, hours_ago=2)

    def ended(self, **ago: float) -> None:
        """The subscription at Stripe was cancelled that long ago; our webhook did not get to know."""
        ended = self.epoch(self.now - timedelta(**ago))
        self.subscription(status="canceled", canceled_at=ended, ended_at=ended)

    async def deleted(self, **ago: float) -> None:
        """The profile was deleted at the member's wish that long ago; nothing of that is known at Stripe."""
        await self.run("DELETE FROM profiles WHERE id = $1", self.member.profile_id)
        await self.run(
            "INSERT INTO audit_log (profile_id, action, details, performed_by, created_at)"
            " VALUES ($1, 'account_deleted', 'at the wish of the person, 71 rows belonged to it', 'U0ANA', $2)",
            self.member.profile_id,
            self.now - timedelta(**ago),
        )

    @property
    def charge(self) -> str:
        """The charge at Stripe of the member's payment."""
        return str(self.objects.get(self.member.payment_id)["latest_charge"])

    def payment(self, amount: int, **fields: Any) -> str:
        """The member's payment at Stripe, in cents, in place of the one before; its charge's id."""
        before = self.objects.find(self.member.payment_id)
        for gone in (self.member.payment_id, before and before["latest_charge"]):
            if gone and self.objects.find(gone) is not None:
                self.objects.discard(gone)
        row = self.objects.payment(self.member.customer_id, amount, id=self.member.payment_id, **fields)
        return str(row["latest_charge"])

    def event(self, kind: str, about: str, *, delivered: bool, hours_ago: float = 26) -> str:
        """An event at Stripe about an object as it is now; its id. Undelivered ones show as pending."""
        event_id = self.member.event_id(kind)
        if self.objects.find(event_id) is not None:
            self.objects.discard(event_id)
        made = self.epoch(self.now - timedelta(hours=hours_ago))
        about_now = self.objects.get(about)
        self.objects.event(kind, about_now, id=event_id, created=made, pending_webhooks=int(not delivered))
        return event_id

    async def webhook(self, event_id: str, *, error: str | None = None) -> None:
        """What the application noted when the event arrived: processed, or failed with an error."""
        event = self.objects.get(event_id)
        await self.run(
            "INSERT INTO webhook_events (id, type, object_id, customer_id, status, error, received_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            event_id,
            event["type"],
            event["data"]["object"]["id"],
            self.member.customer_id,
            "processed" if error is None else "failed",
            error,
            datetime.fromtimestamp(event["created"], UTC),
        )

    @staticmethod
    def epoch(moment: datetime) -> int:
        """A moment as Stripe writes it."""
        return int(moment.timestamp())


@asynccontextmanager
async def desk(ground: Ground, member: Member, *, fresh: bool = True) -> AsyncIterator[Desk]:
    """The member's desk in one transaction; `fresh` makes the member healthy first."""
    connection = await ground.database.connect()
    try:
        async with connection.transaction():
            made = Desk(connection, ground, member)
            if fresh:
                await made.reset()
            yield made
    finally:
        await connection.close()
