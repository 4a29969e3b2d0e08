"""Both sides of one sample family, the database's and Stripe's, kept in step while a fault is planted on either."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from bot.sandbox.storytailor.families import Family
from bot.sandbox.stripe import LocalStripe
from bot.sandbox.stripe.wire import Json

PRICES = {
    ("individual", "month"): 999,
    ("individual", "year"): 9900,
    ("family", "month"): 1499,
    ("family", "year"): 14900,
    ("professional", "month"): 4900,
    ("professional", "year"): 49000,
}
LENGTHS = {"month": timedelta(days=30), "year": timedelta(days=365)}
LIMITS = {"free": 10, "individual": 60, "family": 120, "professional": 600}
CHILDREN = (
    "api_errors",
    "api_keys",
    "auth_events",
    "parental_consents",
    "platform_links",
    "rate_limits",
    "refunds",
    "subscriptions",
    "user_ages",
)
CARD = {"brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2031, "checks": {}}


class Desk:
    """One family at both sides. `reset` makes it healthy; the other methods then say what is different, and where."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], stripe: LocalStripe, family: Family) -> None:
        self.connection = connection
        self.objects = stripe.objects
        self.family = family
        self.now = datetime.fromtimestamp(stripe.objects.now(), UTC)

    async def reset(self, tier: str = "individual", interval: str = "month", *, paid_days_ago: int = 10) -> None:
        """A family in good order: active, paid, in step at both sides, nothing left of an earlier fault."""
        await self._clear()
        await self._account(tier)
        await self._library()
        await self._around(tier)
        if tier == "free":
            return
        self.customer()
        self.subscription(tier, interval, days_ago=paid_days_ago)
        self.invoice(PRICES[tier, interval], days_ago=paid_days_ago)
        self.payment(PRICES[tier, interval], days_ago=paid_days_ago)
        end = self.now + LENGTHS[interval] - timedelta(days=paid_days_ago)
        await self.row("subscriptions", stripe_subscription_id=self.family.subscription_id, tier=tier,
                       interval=interval, status="active", current_period_end=end)  # fmt: skip

    async def _clear(self) -> None:
        self.objects.forget_customer(self.family.customer_id)
        for (tier, interval), amount in PRICES.items():
            if self.objects.find(price_of(tier, interval)) is not None:
                continue
            if self.objects.find(f"prod_{tier}") is None:
                self.objects.product(tier.capitalize(), id=f"prod_{tier}", metadata={"tier": tier})
            recurring = {"interval": interval, "interval_count": 1, "meter": None, "usage_type": "licensed"}
            named = {"lookup_key": f"{tier}_{interval}", "nickname": tier.capitalize(), "metadata": {"tier": tier}}
            self.objects.price(f"prod_{tier}", amount, id=price_of(tier, interval), recurring=recurring, **named)
        mine = "(SELECT id FROM stories WHERE owner = $1)"
        await self.run(f"DELETE FROM audio_files WHERE story_id IN {mine}")
        await self.run("DELETE FROM stories WHERE owner = $1")
        await self.run("DELETE FROM library_members WHERE user_id = $1")
        for table in CHILDREN:
            await self.run(f"DELETE FROM {table} WHERE user_id = $1")
        await self.connection.execute("DELETE FROM webhook_events WHERE customer_id = $1", self.family.customer_id)

    async def _account(self, tier: str) -> None:
        await self.run(
            "INSERT INTO users (id, email, name) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
            self.family.email,
            self.family.name,
        )
        await self.user(
            email=self.family.email,
            name=self.family.name,
            status="active",
            status_reason=None,
            tier=tier,
            restrictions=[],
            email_confirmed=True,
            voice_preference=None if tier == "free" else "aria",
            stripe_customer_id=None if tier == "free" else self.family.customer_id,
            created_at=self.now - timedelta(days=200),
            updated_at=self.now - timedelta(days=10),
        )
        await self.row("user_ages", birth_date=(self.now - timedelta(days=38 * 365)).date())

    async def _library(self) -> None:
        await self.run(
            "INSERT INTO libraries (id, owner) VALUES ($2, $1) ON CONFLICT (id) DO NOTHING", self.family.id("library")
        )
        await self.counted(0)
        await self.run(
            "INSERT INTO library_members (library_id, user_id, role) VALUES ($2, $1, 'owner')",
            self.family.id("library"),
        )
        await self.story("last", "The owl who could not sleep", days_ago=40)
        await self.audio("last")

    async def _around(self, tier: str) -> None:
        for platform in ("alexa", "mobile", "web_sdk"):
            linked = {"linked_at": self.now - timedelta(days=90), "token_expires_at": self.now + timedelta(days=40)}
            await self.row("platform_links", platform=platform, updated_at=self.now - timedelta(days=9), **linked)
        await self.row("rate_limits", used=3, limit=LIMITS[tier], window_ends=self.now + timedelta(seconds=50))
        await self.key("key", permissions=["stories:read", "stories:write"])
        await self.event("signed_in", hours_ago=30)

    async def run(self, statement: str, *values: Any) -> None:
        """A statement whose first parameter is the family's user."""
        await self.connection.execute(statement, self.family.id(), *values)

    async def row(self, table: str, **columns: Any) -> None:
        """A row of a table that belongs to a user, in place of what it collides with."""
        names = ", ".join(f'"{name}"' for name in ("user_id", *columns))
        places = ", ".join(f"${place}" for place in range(1, len(columns) + 2))
        await self.run(f"INSERT INTO {table} ({names}) VALUES ({places})", *columns.values())

    async def user(self, **columns: Any) -> None:
        """Set columns of the user's row."""
        await self.change("users", "id", **columns)

    async def change(self, table: str, key: str = "user_id", **columns: Any) -> None:
        """Set columns of the rows whose `key` is the family's user."""
        if not columns:
            return
        pairs = ", ".join(f'"{name}" = ${place}' for place, name in enumerate(columns, start=2))
        await self.run(f"UPDATE {table} SET {pairs} WHERE {key} = $1", *columns.values())

    async def counted(self, stories: int) -> None:
        """How many stories the library has counted this month."""
        await self.run(
            "UPDATE libraries SET month_count = $2, month = date_trunc('month', now())::date WHERE owner = $1", stories
        )

    async def story(self, what: str, title: str, *, days_ago: float = 0, **columns: Any) -> UUID:
        """A story, finished and to be seen unless something else is said; its id."""
        made: dict[str, Any] = {"id": self.family.id(what), "title": title, "status": "ready", "visible": True}
        made |= dict.fromkeys(("created_at", "updated_at"), self.now - timedelta(days=days_ago)) | columns
        names = ", ".join(made)
        places = ", ".join(f"${place}" for place in range(2, len(made) + 2))
        await self.run(f"INSERT INTO stories (owner, {names}) VALUES ($1, {places})", *made.values())
        return self.family.id(what)

    async def audio(self, what: str, **columns: Any) -> UUID:
        """The spoken form of a story, in place of the one before; its id."""
        story = self.family.id(what)
        await self.connection.execute("DELETE FROM audio_files WHERE story_id = $1", story)
        made: dict[str, Any] = {"s3_key": f"audio/{story}.mp3", "format": "mp3", "voice": "aria", "status": "ready"}
        made |= {"id": self.family.id(f"audio {what}"), "created_at": self.now - timedelta(days=1)} | columns
        names = ", ".join(made)
        places = ", ".join(f"${place}" for place in range(2, len(made) + 2))
        await self.connection.execute(
            f"INSERT INTO audio_files (story_id, {names}) VALUES ($1, {places})", story, *made.values()
        )
        return self.family.id(f"audio {what}")

    async def key(self, what: str, **columns: Any) -> UUID:
        """A key to the API, in place of the one before; its id."""
        made: dict[str, Any] = {"id": self.family.id(what), "name": "bedtime app", "prefix": "st_live_7f3a"}
        made |= {"last_used_at": self.now - timedelta(minutes=4), "created_at": self.now - timedelta(days=80)}
        await self.connection.execute("DELETE FROM api_errors WHERE api_key_id = $1", made["id"])
        await self.connection.execute("DELETE FROM api_keys WHERE id = $1", made["id"])
        await self.row("api_keys", **(made | columns))
        return self.family.id(what)

    async def event(self, kind: str, *, hours_ago: float = 1, **columns: Any) -> None:
        """Something that happened when the family signed in, or tried to."""
        await self.row("auth_events", kind=kind, created_at=self.now - timedelta(hours=hours_ago), **columns)

    def customer(self, **fields: Any) -> Json:
        """The family at Stripe, with a card."""
        settings = {"default_payment_method": f"pm_{self.family.name}", "custom_fields": None, "footer": None}
        made: dict[str, Any] = {"id": self.family.customer_id, "email": self.family.email, "name": self.family.name}
        made |= {"created": self._epoch(200), "metadata": {"user_id": str(self.family.id())}}
        return self.objects.customer(**(made | {"invoice_settings": settings} | fields))

    def subscription(self, tier: str, interval: str = "month", *, days_ago: int = 10, **fields: Any) -> Json:
        """A subscription whose period began that long ago, in place of the one of that id."""
        wanted = str(fields.get("id", self.family.subscription_id))
        if self.objects.find(wanted) is not None:
            self.objects.discard(wanted)
        end = self._epoch(days_ago - LENGTHS[interval].days)
        made: dict[str, Any] = {
            "id": wanted,
            "created": self._epoch(days_ago),
            "latest_invoice": self.family.invoice_id,
        } | fields
        row = self.objects.subscription(self.family.customer_id, price_of(tier, interval), period_end=end, **made)
        row["items"]["data"][0]["current_period_start"] = self._epoch(days_ago)
        return row

    def invoice(self, amount: int, *, status: str = "paid", days_ago: float = 10, **fields: Any) -> Json:
        """An invoice, in cents, in place of the one of that id."""
        wanted = str(fields.get("id", self.family.invoice_id))
        if self.objects.find(wanted) is not None:
            self.objects.discard(wanted)
        made: dict[str, Any] = {"id": wanted, "subscription": self.family.subscription_id}
        made |= {"created": self._epoch(days_ago), "billing_reason": "subscription_cycle"} | fields
        return self.objects.invoice(self.family.customer_id, amount, status=status, **made)

    def payment(self, amount: int, *, days_ago: float = 10, **fields: Any) -> Json:
        """A payment with the family's card; its charge, which has the payment's name with ch_ before it."""
        wanted = str(fields.pop("id", self.family.payment_id))
        made: dict[str, Any] = {
            "id": wanted,
            "created": self._epoch(days_ago),
            "payment_method": f"pm_{self.family.name}",
        } | fields
        intent = self.objects.payment(self.family.customer_id, amount, **made)
        charge = self.objects.get(intent["latest_charge"])
        self.objects.discard(charge["id"])
        charge |= {
            "id": wanted.replace("pi_", "ch_", 1),
            "payment_method_details": {"type": "card", "card": dict(CARD)},
        }
        charge["billing_details"] = {"address": {"country": "US", "postal_code": None}}
        intent["latest_charge"] = charge["id"]
        return self.objects.add("ch", "charge", charge, {})

    def declined(self, code: str, amount: int, *, days_ago: float = 1, **fields: Any) -> Json:
        """A payment that was declined with that code; its charge."""
        charge = self.payment(amount, outcome="declined", days_ago=days_ago, **fields)
        said = DECLINES[code]
        charge |= {"failure_code": said[0], "failure_message": said[1]}
        charge["outcome"] = {"type": "issuer_declined", "network_status": "declined_by_network", "reason": code}
        return charge

    async def webhook(self, kind: str, about: str, *, error: str | None = None, hours_ago: float = 26) -> None:
        """What our webhook noted when an event arrived: processed, or failed with an error."""
        await self.connection.execute(
            "INSERT INTO webhook_events (id, type, object_id, customer_id, status, error, received_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            f"evt_{self.family.name}_{kind.replace('.', '_')}",
            kind,
            about,
            self.family.customer_id,
            "processed" if error is None else "failed",
            error,
            self.now - timedelta(hours=hours_ago),
        )

    def _epoch(self, days_ago: float) -> int:
        return int((self.now - timedelta(days=days_ago)).timestamp())


DECLINES = {
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "expired_card": ("expired_card", "Your card has expired."),
    "generic_decline": ("card_declined", "Your card was declined."),
    "incorrect_zip": ("incorrect_zip", "The postal code you supplied failed validation."),
    "stolen_card": ("card_declined", "Your card was declined."),
    "authentication_required": ("authentication_required", "This payment needs to be confirmed with your bank."),
}


def price_of(tier: str, interval: str = "month") -> str:
    """The id of a plan's price, at both sides."""
    return f"price_{tier}_{interval}"
