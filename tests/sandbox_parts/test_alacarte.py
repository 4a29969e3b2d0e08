"""The sample database: its roles may do what they should and nothing else, and each fault plants what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from typing import Any

import aiohttp
import asyncpg
import pytest
import stripe as stripe_sdk

from bot.errors import Mistake
from bot.sandbox.alacarte import CUSTOMERS, FAULTS, plant, settle, subscription_check
from bot.sandbox.alacarte.billing_faults import BILLING_FAULTS
from bot.sandbox.database import SampleDatabase, build
from bot.sandbox.postgres import Postgres
from bot.sandbox.services import LocalServices
from bot.sandbox.stripe import LocalStripe

NUMBERS = count(1)
BOUGHT = {"type": "credit_purchase", "credits": "500"}
CREATE_INDEX = (
    "CREATE INDEX CONCURRENTLY idx_messages_conversation_created ON messages (conversation_id, created_at DESC)"
)


@pytest.fixture
async def alacarte(server: Postgres) -> AsyncIterator[SampleDatabase]:
    """A copy of the sample database for one test."""
    made = await build(server, "alacarte", name=f"alacarte_{next(NUMBERS)}")
    yield made
    await made.drop()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection that is closed at the end."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def business(alacarte: SampleDatabase, name: str) -> dict[str, Any]:
    """The row of a fault's customer, as the reader sees it."""
    async with connected(alacarte.read_url) as reader:
        row = await reader.fetchrow("SELECT * FROM businesses WHERE id = $1", CUSTOMERS[name].business_id)
    assert row is not None
    return dict(row)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE businesses SET is_frozen = true",
        "DELETE FROM messages",
        "INSERT INTO runbook_receipts (key) VALUES ('x')",
        "CREATE TABLE mine (n int)",
        "SELECT value FROM secrets",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
async def test_the_reader_only_reads(alacarte: SampleDatabase, statement: str) -> None:
    """The reader changes nothing, even in a transaction it made writable, and sees no secret's value."""
    async with connected(alacarte.read_url) as reader:
        await reader.execute("SET default_transaction_read_only = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(statement)


async def test_the_reader_is_read_only_and_bounded(alacarte: SampleDatabase) -> None:
    """The reader starts read-only with a time limit, and sees secrets' names, other sessions and statistics."""
    async with connected(alacarte.app_url) as app, connected(alacarte.read_url) as reader:
        assert await reader.fetchval("SHOW default_transaction_read_only") == "on"
        assert await reader.fetchval("SHOW statement_timeout") == "15s"
        await app.execute("SELECT 'seen by the reader'")
        seen = "SELECT query FROM pg_stat_activity WHERE pid = $1"
        assert "seen by the reader" in await reader.fetchval(seen, app.get_server_pid())
        assert await reader.fetchval("SELECT count(*) FROM secrets WHERE length(fingerprint) = 12") == 4
        assert await reader.fetchval("SELECT count(*) > 0 FROM pg_stat_statements")


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE messages",
        "TRUNCATE messages",
        "DELETE FROM messages",
        "GRANT DELETE ON messages TO alacarte_act",
        "ALTER TABLE messages DROP COLUMN content",
        "CREATE TABLE mine (n int)",
        "DROP TABLE businesses",
        "DELETE FROM businesses",
        "DELETE FROM audit_logs",
        "UPDATE audit_logs SET performed_by = 'nobody'",
        "DELETE FROM runbook_receipts",
        "UPDATE runbook_receipts SET run_id = 'other'",
        "SELECT value FROM secrets",
        "SET ROLE alacarte_owner",
        "ALTER EVENT TRIGGER indexes_only DISABLE",
    ],
)
async def test_the_actor_cannot_drop_or_rewrite_history(alacarte: SampleDatabase, statement: str) -> None:
    """The actor owns messages for its indexes only, and neither definitions nor the record are its to change."""
    async with connected(alacarte.act_url) as actor:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await actor.execute(statement)


async def test_the_actor_does_what_runbooks_do(alacarte: SampleDatabase, stripe: LocalStripe) -> None:
    """The actor unfreezes, credits with an audit row and a receipt in one transaction, and undoes the credit."""
    planted = await plant("credit_missed", alacarte, stripe)
    async with connected(alacarte.act_url) as actor:
        async with actor.transaction():
            credit = "UPDATE businesses SET credit_balance = credit_balance + 500, is_frozen = false WHERE id = $1"
            assert await actor.execute(credit, planted.business_id) == "UPDATE 1"
            await actor.execute(
                "INSERT INTO credit_ledger (business_id, amount, reason, source, stripe_payment_intent_id)"
                " VALUES ($1, 500, 'by hand', 'manual', $2)",
                planted.business_id,
                planted.ids["payment_intent"],
            )
            await actor.execute(
                "INSERT INTO audit_logs (business_id, action, performed_by) VALUES ($1, 'manual_credit_addition', $2)",
                planted.business_id,
                "U1",
            )
            await actor.execute("INSERT INTO runbook_receipts (key, detail) VALUES ('k', '{\"rows\": 1}')")
        assert await actor.fetchval("SELECT at IS NOT NULL FROM runbook_receipts WHERE key = 'k'")
        with pytest.raises(asyncpg.UniqueViolationError):
            await actor.execute(
                "INSERT INTO credit_ledger (business_id, amount, reason, source, stripe_payment_intent_id)"
                " VALUES ($1, 500, 'late webhook', 'webhook', $2)",
                planted.business_id,
                planted.ids["payment_intent"],
            )
        removed = await actor.execute("DELETE FROM credit_ledger WHERE source = 'manual'")
    assert removed == "DELETE 1"


async def test_the_actor_makes_and_drops_the_index(alacarte: SampleDatabase) -> None:
    """The actor builds the missing index without blocking, the planner uses it, and the undo drops it."""
    look = "EXPLAIN SELECT * FROM messages WHERE conversation_id = md5('conversation 7')::uuid ORDER BY created_at DESC"
    async with connected(alacarte.act_url) as actor:
        assert "Seq Scan" in str(await actor.fetch(look))
        await actor.execute(CREATE_INDEX)
        assert "idx_messages_conversation_created" in str(await actor.fetch(look))
        await actor.execute("DROP INDEX CONCURRENTLY idx_messages_conversation_created")
        assert "Seq Scan" in str(await actor.fetch(look))


async def test_copies_are_apart_and_an_existing_one_is_kept(server: Postgres, alacarte: SampleDatabase) -> None:
    """A change in one copy is not in another; building the same name again keeps it, and `fresh` makes it anew."""
    async with connected(alacarte.act_url) as actor:
        await actor.execute("UPDATE businesses SET name = 'changed'")
    other = await build(server, "alacarte", name=f"alacarte_{next(NUMBERS)}")
    kept = await build(server, "alacarte", name=alacarte.name)
    changed = "SELECT count(*) FROM businesses WHERE name = 'changed'"
    async with connected(other.read_url) as reader:
        assert await reader.fetchval(changed) == 0
        assert await reader.fetchval("SELECT count(*) FROM messages") == 100_000
    async with connected(kept.read_url) as reader:
        assert await reader.fetchval(changed) == 10_000
    anew = await build(server, "alacarte", name=alacarte.name, fresh=True)
    async with connected(anew.read_url) as reader:
        assert await reader.fetchval(changed) == 0
    await other.drop()


@pytest.mark.parametrize("name", sorted(BILLING_FAULTS))
async def test_a_billing_fault_can_be_planted_again(name: str, alacarte: SampleDatabase, stripe: LocalStripe) -> None:
    """Planted twice, a fault is the same: the same ids, which exist at Stripe, and the same row of the business."""
    first = await plant(name, alacarte, stripe)
    row = await business(alacarte, name)
    again = await plant(name, alacarte, stripe)
    assert first.ids == again.ids
    moving = {"updated_at", "created_at", "credit_balance_updated_at", "frozen_at", "subscription_period_end"}
    now = await business(alacarte, name)
    assert {key: row[key] for key in row.keys() - moving} == {key: now[key] for key in now.keys() - moving}
    assert row["stripe_customer_id"] == first.customer_id
    for kind, wanted in first.ids.items():
        if kind not in {"refund", "balance"}:
            assert stripe.objects.get(wanted)["object"] == kind


async def test_frozen_accounts(alacarte: SampleDatabase, stripe: LocalStripe, sdk: stripe_sdk.StripeClient) -> None:
    """RB-001: the five cases differ in the freeze, its reason, Stripe's invoice and what our webhook noted."""
    seen = {}
    for name in (
        "paid_but_frozen",
        "payment_failed",
        "frozen_for_other_reason",
        "frozen_after_cancellation",
        "not_frozen",
    ):
        planted = await plant(name, alacarte, stripe)
        row = await business(alacarte, name)
        invoices = await sdk.v1.invoices.list_async({"customer": planted.customer_id or ""})
        async with connected(alacarte.read_url) as reader:
            failed = "SELECT count(*) FROM webhook_events WHERE customer_id = $1 AND status = 'failed'"
            errors = await reader.fetchval(failed, planted.customer_id)
            local = await reader.fetchval("SELECT status FROM invoices WHERE business_id = $1", planted.business_id)
        reason = str(row["frozen_reason"]).split(" ", maxsplit=1)[0]
        seen[name] = (row["is_frozen"], reason, invoices.data[0].status, local, errors)
    assert seen == {
        "paid_but_frozen": (True, "payment_failed", "paid", "failed", 1),
        "payment_failed": (True, "payment_failed", "open", "failed", 0),
        "frozen_for_other_reason": (True, "incident", "paid", "paid", 0),
        "frozen_after_cancellation": (True, "subscription", "paid", "paid", 0),
        "not_frozen": (False, "None", "paid", "paid", 0),
    }


async def test_the_paid_invoices_event_failed_here(
    alacarte: SampleDatabase, stripe: LocalStripe, sdk: stripe_sdk.StripeClient
) -> None:
    """RB-001 paid_but_frozen: Stripe lists the event as not delivered, and our log has it as failed with its error."""
    planted = await plant("paid_but_frozen", alacarte, stripe)
    failed = await sdk.v1.events.list_async({"type": "invoice.payment_succeeded", "delivery_success": False})
    assert [event.id for event in failed.data] == [planted.ids["event"]]
    async with connected(alacarte.read_url) as reader:
        row = await reader.fetchrow("SELECT status, error FROM webhook_events WHERE id = $1", planted.ids["event"])
    assert row is not None
    assert row["status"] == "failed"
    assert "timeout" in row["error"]


async def test_subscriptions_out_of_step(
    alacarte: SampleDatabase, stripe: LocalStripe, sdk: stripe_sdk.StripeClient
) -> None:
    """RB-011: the five cases differ in what Stripe and the database say, and in whether the paid period is over."""
    seen = {}
    for name in ("webhook_missed", "canceled_in_stripe", "canceled_period_not_over", "in_step", "tier_differs"):
        planted = await plant(name, alacarte, stripe)
        row = await business(alacarte, name)
        listed = await sdk.v1.subscriptions.list_async({"customer": planted.customer_id or "", "status": "all"})
        [subscription] = listed.data
        item = subscription["items"].data[0]
        over = item.current_period_end < stripe.objects.now()
        local = (row["subscription_tier"], row["subscription_status"])
        seen[name] = (*local, item.price.lookup_key, subscription.status, over)
    assert seen == {
        "webhook_missed": ("free", "past_due", "starter", "active", False),
        "canceled_in_stripe": ("starter", "active", "starter", "canceled", True),
        "canceled_period_not_over": ("starter", "active", "starter", "canceled", False),
        "in_step": ("starter", "active", "starter", "active", False),
        "tier_differs": ("starter", "active", "growth", "active", False),
    }


async def test_the_missed_event_never_arrived(alacarte: SampleDatabase, stripe: LocalStripe) -> None:
    """RB-011 webhook_missed: our log has no line of the event, and Stripe still owes its delivery."""
    planted = await plant("webhook_missed", alacarte, stripe)
    assert stripe.objects.get(planted.ids["event"])["pending_webhooks"] == 1
    async with connected(alacarte.read_url) as reader:
        found = "SELECT count(*) FROM webhook_events WHERE customer_id = $1"
        assert await reader.fetchval(found, planted.customer_id) == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("credit_missed", ("20.00", BOUGHT, 0)),
        ("credited_already", ("520.00", BOUGHT, 1)),
        ("metadata_missing", ("20.00", {}, 0)),
    ],
)
async def test_bought_credits(
    name: str, expected: tuple[str, dict[str, str], int], alacarte: SampleDatabase, stripe: LocalStripe
) -> None:
    """RB-012: the payment's metadata, the balance and the ledger are as the fault says."""
    balance, metadata, credited = expected
    planted = await plant(name, alacarte, stripe)
    payment = stripe.objects.get(planted.ids["payment_intent"])
    assert (payment["status"], payment["metadata"]) == ("succeeded", metadata)
    assert (await business(alacarte, name))["credit_balance"] == Decimal(balance)
    async with connected(alacarte.read_url) as reader:
        ledger = "SELECT count(*) FROM credit_ledger WHERE stripe_payment_intent_id = $1"
        assert await reader.fetchval(ledger, payment["id"]) == credited


@pytest.mark.parametrize(("name", "wrong"), [("overcharged", "12.00"), ("negative_balance", "0.00")])
async def test_deductions_add_up(name: str, wrong: str, alacarte: SampleDatabase, stripe: LocalStripe) -> None:
    """RB-012: the balance is what was credited less what was charged, and the wrong part is what the fault says."""
    planted = await plant(name, alacarte, stripe)
    async with connected(alacarte.read_url) as reader:
        sums = await reader.fetchrow(
            "SELECT sum(amount_charged) AS charged, sum(amount_charged - amount_expected) AS wrong,"
            " (SELECT sum(amount) FROM credit_ledger WHERE business_id = $1) AS credited"
            " FROM credit_deductions WHERE business_id = $1",
            planted.business_id,
        )
    assert sums is not None
    assert sums["wrong"] == Decimal(wrong)
    assert (await business(alacarte, name))["credit_balance"] == sums["credited"] - sums["charged"]


async def test_a_long_query_runs_until_it_is_terminated(alacarte: SampleDatabase, stripe: LocalStripe) -> None:
    """RB-004 long_query: the reader sees the dashboard's session, the actor ends it, closing it then is harmless."""
    planted = await plant("long_query", alacarte, stripe)
    session = planted.session
    assert session is not None
    async with connected(alacarte.read_url) as reader, connected(alacarte.act_url) as actor:
        look = "SELECT usename, application_name, state FROM pg_stat_activity WHERE pid = $1"
        row = await reader.fetchrow(look, planted.pid)
        assert tuple(row or ()) == ("alacarte_app", "dashboard", "active")
        assert session.is_alive
        assert await actor.fetchval("SELECT pg_terminate_backend($1, 5000)", planted.pid)
        assert await reader.fetchrow(look, planted.pid) is None
    await planted.close()
    await planted.close()
    assert not session.is_alive


async def test_an_idle_transaction_holds_its_lock(alacarte: SampleDatabase, stripe: LocalStripe) -> None:
    """RB-004 idle_in_transaction: the session is idle, and its row can't be changed until it is closed."""
    planted = await plant("idle_in_transaction", alacarte, stripe)
    change = "UPDATE conversations SET contact_name = 'x' WHERE id = md5('conversation 1')::uuid"
    async with connected(alacarte.act_url) as actor:
        state = "SELECT state FROM pg_stat_activity WHERE pid = $1"
        assert await actor.fetchval(state, planted.pid) == "idle in transaction"
        await actor.execute("SET lock_timeout = '50ms'")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await actor.execute(change)
        await planted.close()
        await actor.execute("SET lock_timeout = '5s'")
        assert await actor.execute(change) == "UPDATE 1"


async def test_a_missing_index_shows_in_the_statistics(alacarte: SampleDatabase, stripe: LocalStripe) -> None:
    """RB-004 missing_index: over 1000 sequential scans of messages and hardly an index scan; quiet has neither."""
    scans = "SELECT seq_scan, coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'messages'"
    async with connected(alacarte.read_url) as reader:
        await plant("quiet", alacarte, stripe)
        quiet = await reader.fetchrow(scans)
        await plant("missing_index", alacarte, stripe)
        await reader.execute("SELECT pg_stat_clear_snapshot()")
        loud = await reader.fetchrow(scans)
    assert quiet is not None
    assert loud is not None
    assert quiet[0] < 10
    assert loud[0] > 1000
    assert loud[1] < 10


async def test_an_unknown_fault_is_a_mistake(alacarte: SampleDatabase, stripe: LocalStripe) -> None:
    """A fault that does not exist is refused with the names of those that do."""
    with pytest.raises(Mistake, match="no fault called nonsense") as mistake:
        await plant("nonsense", alacarte, stripe)
    assert all(name in mistake.value.hint for name in FAULTS)


async def test_settling_ends_every_billing_fault(alacarte: SampleDatabase, stripe: LocalStripe) -> None:
    """After settling, every sample customer is active, unfrozen and in step, whatever was planted before."""
    for name in BILLING_FAULTS:
        await plant(name, alacarte, stripe)
    await settle(alacarte, stripe)
    for name, customer in CUSTOMERS.items():
        row = await business(alacarte, name)
        assert (row["is_frozen"], row["subscription_status"], row["subscription_tier"]) == (False, "active", "starter")
        assert row["credit_balance"] == Decimal("20.00")
        assert stripe.objects.get(customer.subscription_id)["status"] == "active"


async def test_check_subscription_looks_and_applies(alacarte: SampleDatabase, stripe: LocalStripe) -> None:
    """The sample system's own function shows the wrong tier on GET and copies Stripe's on POST, with the token only."""
    planted = await plant("webhook_missed", alacarte, stripe)
    asked = {"business_id": str(planted.business_id)}
    check = subscription_check(alacarte, stripe)
    async with LocalServices(check=check) as services, aiohttp.ClientSession() as session:
        address = f"{services.url}/functions/v1/check-subscription"
        allowed = {"Authorization": f"Bearer {services.token}"}
        async with session.get(address, params=asked) as refused:
            assert refused.status == 401
        async with session.get(address, params=asked, headers=allowed) as looked:
            assert (await looked.json())["tier"] == "free"
        async with session.post(address, json=asked, headers=allowed) as applied:
            assert (await applied.json())["tier"] == "starter"
    row = await business(alacarte, "webhook_missed")
    assert (row["subscription_status"], row["stripe_subscription_id"]) == ("active", planted.ids["subscription"])
