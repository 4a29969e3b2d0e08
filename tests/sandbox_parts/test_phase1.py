"""Phase 1: its roles may do what its runbooks do and nothing else, and its application takes events as one should."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from bot.sandbox.database import build
from bot.sandbox.mail import MailSink
from bot.sandbox.phase1 import SYSTEM
from bot.sandbox.phase1.app import DEPLOYED, ENDPOINT, WEBHOOK, down
from bot.sandbox.phase1.members import EVENT, MEMBERS
from bot.sandbox.postgres import Postgres
from bot.sandbox.programs import LocalPrograms
from bot.sandbox.sample import Ground
from bot.sandbox.services import LocalServices
from bot.sandbox.stripe import LocalStripe

NUMBERS = count(1)
FALSE = {"Stripe-Signature": "test"}


@pytest.fixture
async def ground(server: Postgres, stripe: LocalStripe, tmp_path: Path) -> AsyncIterator[Ground]:
    """The system, running and healthy."""
    async with LocalServices() as services, MailSink() as mail:
        database = await build(server, SYSTEM.id, name=f"phase1_{next(NUMBERS)}")
        programs = LocalPrograms(tmp_path / "programs")
        made = Ground(SYSTEM.id, database, stripe, services, programs, mail, tmp_path)
        await SYSTEM.settle(made)
        yield made
        await stripe.webhooks.close()
        await database.drop()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection that is closed at the end."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def one(ground: Ground, query: str, *values: object) -> Any:
    """One value, as the reader sees it."""
    async with connected(ground.database.read_url) as reader:
        return await reader.fetchval(query, *values)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE profiles SET email = 'x'",
        "DELETE FROM epochs",
        "DELETE FROM billing_records",
        "UPDATE billing_records SET profile_id = NULL",
        "DELETE FROM audit_log",
        "UPDATE plan_features SET value = '-1'",
        "UPDATE rate_limits SET used = 0",
        "DELETE FROM runbook_receipts",
        "DROP TABLE masks",
    ],
)
async def test_the_actor_may_do_nothing_else(ground: Ground, statement: str) -> None:
    """What no runbook does is refused by the database itself."""
    async with connected(ground.database.act_url) as actor:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await actor.execute(statement)


async def test_the_reader_only_reads(ground: Ground) -> None:
    """A write of the reading role is refused."""
    async with connected(ground.database.read_url) as reader:
        with pytest.raises(asyncpg.PostgresError):
            await reader.execute("DELETE FROM rate_limits")


async def test_a_deleted_profile_takes_its_own_along_and_leaves_the_payments(ground: Ground) -> None:
    """What the foreign keys do is what the deletion's runbook says."""
    async with connected(ground.database.act_url) as actor:
        await actor.execute("DELETE FROM profiles WHERE id = $1", EVENT.profile_id)
    for table in ("subscriptions", "rate_limits", "masks", "api_keys", "billing_records"):
        assert await one(ground, f"SELECT count(*) FROM {table} WHERE profile_id = $1", EVENT.profile_id) == 0
    kept = "SELECT count(*) FROM billing_records WHERE stripe_invoice_id = $1"
    assert await one(ground, kept, EVENT.invoice_id) == 1


async def test_the_endpoint_refuses_what_is_not_signed(ground: Ground, session: aiohttp.ClientSession) -> None:
    """A false signature is 401, an application without a secret 500, and one that is down 502."""

    async def answer() -> int:
        async with session.post(ground.services.url + WEBHOOK, json={"type": "ping"}, headers=FALSE) as response:
            return response.status

    assert await answer() == 401
    ground.secrets[DEPLOYED] = ""
    assert await answer() == 500
    down(ground)
    assert await answer() == 502


async def test_an_event_is_taken_once(ground: Ground) -> None:
    """A cancellation at Stripe downgrades; the same event again changes nothing any more."""
    ground.stripe.objects.get(EVENT.subscription_id)["status"] = "canceled"
    ground.stripe.webhooks.emit(
        "customer.subscription.deleted", ground.stripe.objects.get(EVENT.subscription_id), {"status": "active"}
    )
    await ground.stripe.webhooks.settled()
    tier = "SELECT tier FROM subscriptions WHERE profile_id = $1"
    assert await one(ground, tier, EVENT.profile_id) == "FREE"
    event = next(row["id"] for row in ground.stripe.objects.of("event"))
    async with connected(ground.database.app_url) as app:
        await app.execute("UPDATE subscriptions SET tier = 'PRO' WHERE profile_id = $1", EVENT.profile_id)
    (again,) = await ground.stripe.webhooks.deliver(event, ENDPOINT)
    assert again.succeeded
    assert await one(ground, tier, EVENT.profile_id) == "PRO"


async def test_the_end_of_a_period_is_written_down(ground: Ground) -> None:
    """A subscription that Stripe ends with its period keeps its tier, with the day on which it ends."""
    subscription = ground.stripe.objects.get(EVENT.subscription_id)
    end = subscription["items"]["data"][0]["current_period_end"]
    subscription.update(cancel_at_period_end=True, cancel_at=end)
    ground.stripe.webhooks.emit("customer.subscription.updated", subscription, {"cancel_at_period_end": False})
    await ground.stripe.webhooks.settled()
    noted = "SELECT tier || ' ' || cancel_at_period_end || ' ' || extract(epoch FROM cancel_at)::bigint"
    assert await one(ground, f"{noted} FROM subscriptions WHERE profile_id = $1", EVENT.profile_id) == f"PRO true {end}"


async def test_a_restart_brings_everything_back(ground: Ground) -> None:
    """What docker is told reaches the application: it answers again, and its old sessions are gone."""
    down(ground)
    held = await asyncpg.connect(ground.database.app_url)
    program = await asyncio.create_subprocess_exec(
        str(ground.programs.folder / "docker"), "restart", "app-container", stdout=asyncio.subprocess.DEVNULL
    )
    assert await program.wait() == 0
    assert not ground.services.switches
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
        await held.fetchval("SELECT 1")
    assert ground.programs.calls() == [["docker", "restart", "app-container"]]


async def test_planting_again_starts_anew(ground: Ground) -> None:
    """Every fault can be planted over every other, and healthy ends them all."""
    names = ("deletion_forbidden", "database_away", "database_shut", "paid_by_known_customer", "plans_unclear")
    for name in (*names, "customers_unknown", "upgrade_done", "app_crashed"):
        planted = await SYSTEM.faults[name](ground)
        await planted.close()
    await SYSTEM.faults["database_shut"](ground)
    await SYSTEM.faults["healthy"](ground)
    assert await one(ground, "SELECT to_regclass('legal_holds')") is None
    assert await one(ground, "SELECT count(*) FROM plan_features") == 8
    assert not ground.services.switches
    ids = [member.profile_id for member in MEMBERS]
    healthy = "SELECT count(*) FROM subscriptions WHERE profile_id = ANY ($1) AND tier = 'PRO' AND status = 'active'"
    assert await one(ground, healthy, ids) == len(MEMBERS)
