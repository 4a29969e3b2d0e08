"""Both sides of the sample accounts, the database's and Stripe's, kept in step while a fault is planted on either."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bot.sandbox.aias.accounts import ACCOUNTS, Account
from bot.sandbox.database import Connection
from bot.sandbox.stripe import LocalStripe

PRICES = {"starter": 4900, "pro": 14900, "enterprise": 99900}
PERIOD = timedelta(days=20)
WEBHOOK = "we_aias"
EVENTS = ["customer.subscription.*", "checkout.session.completed", "invoice.*"]
# Rows of the seed end here; whatever has a greater number came with a fault.
SEEDED = 5000
SEEDED_ACCESS = 8000
# As in schema.sql; a fault may have dropped it.
POLICY = """
ALTER TABLE workflows ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS workflows_of_my_tenants ON workflows;
CREATE POLICY workflows_of_my_tenants ON workflows FOR SELECT TO aias_app USING (
    EXISTS (SELECT FROM tenant_members m JOIN role_permissions p ON p.role = m.role AND p.permission = 'workflows.read'
            WHERE m.tenant_id = workflows.tenant_id AND m.status = 'active'
              AND m.user_id::text = current_setting('request.jwt.sub', true)));
"""
# Who has Iris's address a second time, in capital letters, as long as a fault lasts.
TWIN = UUID("a1a50000-0001-4000-8000-000000000099")
OWN = tuple(each.user_id for each in ACCOUNTS)


class Desk:
    """The accounts at both sides. `reset` makes all of them healthy; the rest says what is different, and where."""

    def __init__(self, connection: Connection, stripe: LocalStripe, webhook_url: str) -> None:
        self.connection = connection
        self.objects = stripe.objects
        self.now = datetime.fromtimestamp(stripe.objects.now(), UTC)
        # The same for faults that follow each other: what Stripe says of a period does not move meanwhile.
        self.period_end = self.now.replace(hour=0, minute=0, second=0, microsecond=0) + PERIOD
        self._webhook_url = webhook_url

    async def reset(self) -> None:
        """Everything as it is when nothing is wrong; nothing is left of an earlier fault."""
        await self._forget()
        self._catalogue()
        for account in ACCOUNTS:
            await self._person(account)
            self.subscribe(account)
            await self.heard(account, self.event(account, "customer.subscription.created"))
        await self.run(OMAR_RUNS)

    async def _forget(self) -> None:
        for table in ("error_logs", "signup_attempts"):
            await self.connection.execute(f"DELETE FROM {table} WHERE id > $1", SEEDED)
        await self.connection.execute("DELETE FROM access_logs WHERE id > $1", SEEDED_ACCESS)
        for table in ("rate_limits", "webhook_events", "incident_records", "maintenance_windows"):
            await self.connection.execute(f"DELETE FROM {table}")
        await self.connection.execute("DELETE FROM workflow_executions WHERE user_id = ANY($1)", OWN)
        await self.connection.execute("DELETE FROM profiles WHERE id = $1", TWIN)
        await self.connection.execute("DELETE FROM supabase_migrations.schema_migrations WHERE version > '20250131'")
        await self.connection.execute(
            "INSERT INTO role_permissions (role, permission)"
            " SELECT role, 'workflows.read' FROM unnest(ARRAY['owner', 'admin', 'member', 'viewer']) AS role"
            " ON CONFLICT DO NOTHING"
        )
        await self.connection.execute(
            "UPDATE subscription_tiers SET stripe_customer_id = NULL, stripe_subscription_id = NULL"
            " WHERE stripe_customer_id LIKE 'cus_Crowd%'"
        )
        await self.connection.execute(POLICY)
        await self.connection.execute(
            "SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)"
        )
        await self.connection.execute("UPDATE pg_index SET indisvalid = true WHERE NOT indisvalid")
        for customer in [each["id"] for each in self.objects.of("customer")]:
            self.objects.forget_customer(customer)

    def _catalogue(self) -> None:
        for tier, amount in PRICES.items():
            if self.objects.find(price_of(tier)) is None:
                product = self.objects.product(tier.capitalize(), id=f"prod_aias_{tier}", metadata={"tier": tier})
                named = {"lookup_key": tier, "nickname": tier.capitalize(), "metadata": {"tier": tier}}
                self.objects.price(product["id"], amount, id=price_of(tier), **named)
        for endpoint in [each["id"] for each in self.objects.of("webhook_endpoint")]:
            self.objects.discard(endpoint)
        self.objects.webhook_endpoint(self._webhook_url, EVENTS, id=WEBHOOK)

    async def _person(self, account: Account) -> None:
        await self.connection.execute(
            "INSERT INTO profiles (id, email, full_name) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
            account.user_id,
            account.email,
            account.name,
        )
        await self.connection.execute(
            "UPDATE profiles SET suspended_at = NULL, last_seen_at = $2, created_at = $3 WHERE id = $1",
            account.user_id,
            self.now - timedelta(hours=2),
            self.now - timedelta(days=200),
        )
        await self.connection.execute(
            "INSERT INTO tenants (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
            account.tenant_id,
            account.tenant,
        )
        await self.connection.execute(
            "INSERT INTO tenant_members (tenant_id, user_id, role, status) VALUES ($1, $2, 'admin', 'active')"
            " ON CONFLICT (tenant_id, user_id) DO UPDATE SET role = 'admin', status = 'active'",
            account.tenant_id,
            account.user_id,
        )
        await self._belongings(account)
        await self._tier_in_order(account)

    async def _belongings(self, account: Account) -> None:
        await self.connection.execute(
            "INSERT INTO workflows (id, tenant_id, user_id, name, status, is_repeatable)"
            " VALUES ($1, $2, $3, 'Weekly digest', 'active', true)"
            " ON CONFLICT (id) DO UPDATE SET status = 'active', is_repeatable = true",
            account.workflow_id,
            account.tenant_id,
            account.user_id,
        )
        await self._key(account)
        await self._tier_in_order(account)

    async def _key(self, account: Account) -> None:
        await self.connection.execute(
            "INSERT INTO api_keys (id, user_id, label, prefix, key_hash, last_used_at, last_used_ip)"
            " VALUES ($1, $2, 'Reporting', $3, 'hash', $4, '198.51.100.7')"
            " ON CONFLICT (id) DO UPDATE SET prefix = $3, revoked_at = NULL, revoked_for = NULL, last_used_at = $4",
            account.api_key_id,
            account.user_id,
            f"aias_s{account.number}",
            self.now - timedelta(hours=3),
        )

    async def _tier_in_order(self, account: Account) -> None:
        await self.connection.execute(
            "INSERT INTO subscription_tiers (user_id, tier, status) VALUES ($1, 'free', 'none') ON CONFLICT DO NOTHING",
            account.user_id,
        )
        await self.tier(
            account,
            tier=account.tier,
            status="active",
            stripe_customer_id=account.customer_id,
            stripe_subscription_id=account.subscription_id,
            current_period_end=self.period_end,
        )

    async def tier(self, account: Account, **columns: Any) -> None:
        """Set columns of the account's row in subscription_tiers."""
        pairs = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, start=2))
        await self.connection.execute(
            f"UPDATE subscription_tiers SET {pairs} WHERE user_id = $1", account.user_id, *columns.values()
        )

    async def free(self, account: Account) -> None:
        """The account has no plan as far as the platform knows."""
        await self.tier(account, tier="free", status="none", stripe_subscription_id=None, current_period_end=None)

    def subscribe(self, account: Account, *, tier: str = "", period_end: datetime | None = None, **fields: Any) -> None:
        """The account's customer at Stripe and its one subscription, in place of those before, paid."""
        self.objects.forget_customer(account.customer_id)
        self.objects.customer(
            id=account.customer_id,
            email=account.email,
            name=account.name,
            created=self.epoch(self.now - timedelta(days=200)),
            metadata={"user_id": str(account.user_id)},
        )
        made = {"id": account.subscription_id, "created": self.epoch(self.now - timedelta(hours=3))} | fields
        end = self.epoch(period_end or self.period_end)
        price = price_of(tier or account.tier)
        self.objects.subscription(account.customer_id, price, period_end=end, **made)
        paid: dict[str, Any] = {"id": account.invoice_id, "subscription": account.subscription_id}
        paid["created"] = made["created"]
        self.objects.invoice(account.customer_id, PRICES[tier or account.tier], **paid)

    def event(self, account: Account, kind: str, *, delivered: bool = True, minutes_ago: int = 170) -> str:
        """An event at Stripe about the subscription as it is now; its id. Undelivered ones are still owed."""
        event_id = f"evt_{account.slug}_{kind.replace('.', '_')}"
        if self.objects.find(event_id) is not None:
            self.objects.discard(event_id)
        fields = {
            "created": self.epoch(self.now - timedelta(minutes=minutes_ago)),
            "pending_webhooks": int(not delivered),
        }
        self.objects.event(kind, self.objects.get(account.subscription_id), id=event_id, **fields)
        return event_id

    async def heard(self, account: Account, event_id: str, *, error: str | None = None) -> None:
        """What our webhook noted when the event arrived: processed, or failed with an error."""
        event = self.objects.get(event_id)
        await self.connection.execute(
            "INSERT INTO webhook_events (id, type, customer_id, status, error, received_at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            event_id,
            event["type"],
            account.customer_id,
            "processed" if error is None else "failed",
            error,
            datetime.fromtimestamp(event["created"], UTC),
        )

    async def run(self, runs: Runs) -> None:
        """Executions of an account's workflow, one a minute, the last of them `minutes_ago`."""
        await self.connection.execute(
            "INSERT INTO workflow_executions (id, workflow_id, user_id, status, external_service, error, created_at,"
            " started_at, finished_at)"
            " SELECT md5(concat($1::uuid, $3::text, $8::integer, n))::uuid, $1, $2, $3, $4, $5, at,"
            " CASE WHEN $3 <> 'pending' THEN at END, CASE WHEN $3 NOT IN ('pending', 'running') THEN at END"
            " FROM generate_series(1, $6::integer) AS n,"
            " LATERAL (SELECT $7::timestamptz - make_interval(mins => $8::integer + n)) AS t (at)",
            runs.account.workflow_id,
            runs.account.user_id,
            runs.status,
            runs.service,
            runs.error,
            runs.count,
            self.now,
            runs.minutes_ago,
        )

    def epoch(self, moment: datetime) -> int:
        """As Stripe writes a time."""
        return int(moment.timestamp())


class Runs:
    """Some executions of an account's workflow, all alike."""

    def __init__(
        self,
        account: Account,
        status: str,
        count: int,
        *,
        service: str | None = None,
        error: str | None = None,
        minutes_ago: int = 0,
    ) -> None:
        self.account = account
        self.status = status
        self.count = count
        self.service = service
        self.error = error
        self.minutes_ago = minutes_ago


OMAR_RUNS = Runs(ACCOUNTS[1], "succeeded", 30, service="openai", minutes_ago=3)


def price_of(tier: str) -> str:
    """The id of a plan's price, at both sides."""
    return f"price_aias_{tier}"
