"""What the tests of step kinds share: a small shop database with roles, the targets, a context."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

import asyncpg
import pytest

from bot.clock import Clock
from bot.domain.change import EffectKey
from bot.domain.system import Command, Database, LogSource, Mail, SecretRef, Service, StripeAccount, System, Template
from bot.sandbox.postgres import Postgres
from bot.sandbox.stripe import LocalStripe
from bot.steps.base import StepContext
from bot.steps.targets import Targets

PASSWORD = "shop-Pass/word@1"
SCHEMA = """
CREATE TABLE customers (
    id uuid PRIMARY KEY, name text NOT NULL, status text NOT NULL DEFAULT 'free', credit numeric(12,2) DEFAULT 0,
    tags text[] DEFAULT '{}', extra jsonb DEFAULT '{}', born date, updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id uuid REFERENCES customers ON DELETE CASCADE,
    total numeric(12,2) NOT NULL, twice numeric GENERATED ALWAYS AS (total * 2) STORED,
    placed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE lines (id int PRIMARY KEY, order_id bigint REFERENCES orders ON DELETE CASCADE);
CREATE TABLE notes (id int PRIMARY KEY, customer_id uuid REFERENCES customers ON DELETE SET NULL);
CREATE TABLE keyless (a int, b text);
CREATE TABLE receipts (key text PRIMARY KEY, run_id text, action text, digest text, detail jsonb);
CREATE TABLE hidden (id int PRIMARY KEY, value text);
CREATE TABLE watched (id int PRIMARY KEY, value text);
CREATE TABLE outside (id int PRIMARY KEY, value text);
CREATE VIEW everybody AS SELECT * FROM customers;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER told AFTER UPDATE ON outside FOR EACH STATEMENT EXECUTE FUNCTION told();
INSERT INTO customers (id, name) SELECT md5(n::text)::uuid, 'Customer ' || n FROM generate_series(1, 20) n;
INSERT INTO orders (customer_id, total) SELECT md5('1')::uuid, n FROM generate_series(1, 3) n;
INSERT INTO lines SELECT n, 1 FROM generate_series(1, 4) n;
INSERT INTO notes VALUES (1, md5('1')::uuid);
INSERT INTO keyless VALUES (1, 'a'), (2, 'b');
INSERT INTO watched VALUES (1, 'old');
INSERT INTO outside VALUES (1, 'old'), (2, 'old');
"""
ROLES = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_read') THEN
    CREATE ROLE shop_read LOGIN PASSWORD 'shop-Pass/word@1';
    CREATE ROLE shop_act LOGIN PASSWORD 'shop-Pass/word@1';
    CREATE ROLE shop_app LOGIN PASSWORD 'shop-Pass/word@1';
    GRANT pg_signal_backend, pg_read_all_stats TO shop_act;
  END IF;
END $$;
"""
GRANTS = """
GRANT SELECT ON ALL TABLES IN SCHEMA public TO shop_read, shop_act, shop_app;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO shop_act, shop_app;
REVOKE ALL ON hidden FROM shop_read;
REVOKE UPDATE, DELETE ON receipts FROM shop_act;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO shop_act;
ALTER TABLE watched OWNER TO shop_act;
GRANT CREATE ON SCHEMA public TO shop_act;
"""
KEY = EffectKey("run-1", "fix", "d" * 64)
KindSpec = TypeVar("KindSpec")


@dataclass(frozen=True)
class Shop:
    """The small database, and how to look at it from outside."""

    server: Postgres
    name: str

    def url(self, role: str, password: str = PASSWORD) -> str:
        """The role's address."""
        return self.server.url(self.name, role, password)

    async def connect(self) -> asyncpg.Connection[asyncpg.Record]:
        """A superuser's connection; the caller closes it."""
        return await self.server.connect(self.name)

    async def run(self, statement: str) -> None:
        """Run something as the superuser."""
        connection = await self.connect()
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def until(self, query: str) -> list[dict[str, Any]]:
        """Wait until a query gives rows, at most five seconds, and give them."""
        async with asyncio.timeout(5):
            while not (found := await self.rows(query)):  # noqa: ASYNC110 - only asking tells
                await asyncio.sleep(0.02)
        return found

    async def rows(self, query: str) -> list[dict[str, Any]]:
        """What a query gives the superuser."""
        connection = await self.connect()
        try:
            return [dict(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def shop_template(postgres: Postgres) -> str:
    """The shop database that tests clone."""
    name = "template_shop"

    async def make() -> None:
        await postgres.create_database(name)
        connection = await postgres.connect(name)
        await connection.execute(ROLES)
        await connection.execute(SCHEMA)
        await connection.execute(GRANTS)
        await connection.close()

    asyncio.run(make())
    return name


@pytest.fixture
async def shop(postgres: Postgres, shop_template: str) -> AsyncIterator[Shop]:
    """A shop database of the test's own."""
    name = f"shop_{uuid.uuid4().hex[:12]}"
    await postgres.create_database(name, template=shop_template)
    yield Shop(postgres, name)
    await postgres.drop_database(name)


SYSTEM = System(
    id="shop",
    title="The shop",
    databases={"main": Database("main", SecretRef("SHOP_READ"), SecretRef("SHOP_ACT"), "receipts")},
    services={
        "api": Service("api", SecretRef("SHOP_API"), {"Authorization": SecretRef("SHOP_TOKEN")}, ("/probe",)),
    },
    commands={
        "shopctl": Command(
            "shopctl",
            SecretRef("SHOP_CTL"),
            looks=(("status",), ("show", "*"), ("logs", "--since=*")),
            changes=(("restart", "*"), ("die", "*"), ("hang",)),
            environment={"SHOP_CTL_TOKEN": SecretRef("SHOP_TOKEN")},
        )
    },
    logs={
        "web": LogSource("web", SecretRef("SHOP_LOG")),
        "worker": LogSource("worker", command=("shopctl", "logs", "--since={since}")),
        "edge": LogSource("edge", service="api", path="/logs", query={"from": "{since}"}, entries="result.rows"),
    },
    secrets={
        "hook": SecretRef("SHOP_HOOK"),
        "deployed_hook": SecretRef("SHOP_HOOK_DEPLOYED"),
        "token": SecretRef("SHOP_TOKEN"),
    },
    stripe=StripeAccount(SecretRef("SHOP_STRIPE_KEY"), SecretRef("SHOP_STRIPE")),
    mail=Mail(SecretRef("SHOP_MAIL"), SecretRef("SHOP_MAIL_PORT"), "bot@shop.test"),
    templates={"hello": Template("hello", "Hello", "Hello {{ name }}")},
)
NOWHERE = {
    "SHOP_READ": f"postgresql://shop_read:{PASSWORD.replace('/', '%2F').replace('@', '%40')}@127.0.0.1:1/shop",
    "SHOP_ACT": f"postgresql://shop_act:{PASSWORD.replace('/', '%2F').replace('@', '%40')}@127.0.0.1:1/shop",
    "SHOP_API": "http://127.0.0.1:1",
    "SHOP_TOKEN": "Bearer secret-token-123",
    "SHOP_STRIPE_KEY": "sk_test_nowhere123",
    "SHOP_STRIPE": "http://127.0.0.1:1",
    "SHOP_CTL": "/nowhere/shopctl",
    "SHOP_LOG": "/nowhere/web.log",
    "SHOP_MAIL": "127.0.0.1",
    "SHOP_MAIL_PORT": "1",
}

MakeContext = Callable[..., StepContext]


@pytest.fixture
async def make_context(clock: Clock) -> AsyncIterator[MakeContext]:
    """Makes contexts; what they opened is closed at the end. Variables not given lead nowhere."""
    made: list[Targets] = []

    def make(
        environment: Mapping[str, str] | None = None, system: System = SYSTEM, seconds: float = 5.0
    ) -> StepContext:
        targets = Targets({**NOWHERE, **(environment or {})})
        made.append(targets)
        return StepContext(clock, targets, system, timedelta(seconds=seconds))

    yield make
    for targets in made:
        await targets.close()


@pytest.fixture
def context(make_context: MakeContext, shop: Shop) -> StepContext:
    """A context whose database is the shop."""
    return make_context({"SHOP_READ": shop.url("shop_read"), "SHOP_ACT": shop.url("shop_act")})


@pytest.fixture
def without_receipts(context: StepContext) -> StepContext:
    """The same, in a database that keeps no receipts."""
    database = replace(SYSTEM.databases["main"], receipts=None)
    return replace(context, system=replace(SYSTEM, databases={"main": database}))


@pytest.fixture
async def stripe() -> AsyncIterator[LocalStripe]:
    """A local Stripe with nothing in it."""
    async with LocalStripe() as running:
        yield running


def spec_of(model: type[KindSpec], **fields: Any) -> KindSpec:
    """A spec as it is after rendering."""
    return model(**fields)
