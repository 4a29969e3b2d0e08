"""Changes that are interrupted: what became of them is looked up, and said to be unknown only where it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.domain.change import Preview
from bot.domain.facts import Fact
from bot.errors import Misconfigured, Refusal
from bot.steps.base import Done, Failed, InDoubt, StepContext
from bot.steps.sql import SqlSpec
from bot.steps.targets import Role
from tests.steps.conftest import KEY, SYSTEM, MakeContext, Shop
from tests.steps.cutting import Cutting, Freezing
from tests.steps.test_sql_change import SQL, done, status, upgrade

pytestmark = pytest.mark.approval


async def test_settle_knows_what_happened(context: StepContext) -> None:
    """With receipts an interrupted change is known: it happened with this receipt, or nothing changed."""
    outcome = await done(upgrade(), context)
    settled = await SQL.settle(upgrade(), KEY, context)
    assert isinstance(settled, Done)
    assert settled.receipt.changes == outcome.receipt.changes
    assert isinstance(await SQL.settle(upgrade(), replace(KEY, digest="e" * 64), context), Failed)


async def test_a_worker_that_wakes_up_late_does_nothing(context: StepContext, shop: Shop) -> None:
    """Once it was said that nothing changed it stays true: the effect can take place no more, a new attempt can."""
    before = await status(shop)
    approved = await SQL.preview(upgrade(), context)
    assert isinstance(await SQL.settle(upgrade(), KEY, context), Failed)
    late = await SQL.act(upgrade(), approved, KEY, context)
    assert isinstance(late, Failed)
    assert "given up" in late.reason
    assert await status(shop) == before
    assert isinstance(await SQL.settle(upgrade(), KEY, context), Failed)
    assert isinstance(await SQL.act(upgrade(), approved, replace(KEY, attempt=1), context), Done)


async def test_settle_waits_for_a_transaction_that_is_still_open(context: StepContext, shop: Shop) -> None:
    """While the interrupted transaction may still commit, nobody says that nothing changed."""
    holder = await shop.connect()
    await holder.execute("BEGIN")
    await holder.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", str(KEY))
    settling = asyncio.create_task(SQL.settle(upgrade(), KEY, context))
    await shop.until("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    assert not settling.done()
    detail = '{"headline": "done", "changes": [], "counts": {}, "detail": {}}'
    await holder.execute("INSERT INTO receipts (key, detail) VALUES ($1, $2)", str(KEY), detail)
    await holder.execute("COMMIT")
    await holder.close()
    outcome = await settling
    assert isinstance(outcome, Done)
    assert outcome.receipt.headline == "done"


async def test_without_receipts_nobody_knows(without_receipts: StepContext, shop: Shop) -> None:
    """A database without a receipts table still changes once, and an interruption there is in doubt."""
    await done(upgrade(), without_receipts)
    assert await status(shop) == "paid"
    assert await shop.rows("SELECT FROM receipts") == []
    assert isinstance(await SQL.settle(upgrade(), KEY, without_receipts), InDoubt)


async def test_a_missing_receipts_table_is_said_before_anybody_votes(context: StepContext, shop: Shop) -> None:
    """The operator has promised receipts; without the table nothing is asked for."""
    await shop.run("DROP TABLE receipts")
    with pytest.raises(Misconfigured, match="does not exist"):
        await SQL.preview(upgrade(), context)


async def test_killed_before_the_commit(context: StepContext, shop: Shop) -> None:
    """A session that ends while the change waits for a lock: nothing changed, and it is said."""
    preview = await SQL.preview(upgrade(), context)
    holder = await shop.connect()
    await holder.execute("BEGIN")
    await holder.execute("SELECT 1 FROM customers WHERE id = md5('1')::uuid FOR UPDATE")
    acting = asyncio.create_task(SQL.act(upgrade(), preview, KEY, context))
    await shop.until("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    await shop.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    outcome = await acting
    await holder.close()
    assert isinstance(outcome, Failed)
    assert "Nothing was changed" in outcome.reason
    assert await status(shop) == "free"


async def test_a_lock_that_nobody_lets_go(context: StepContext, shop: Shop) -> None:
    """A locked row ends the attempt within the lock's limit; nothing changed."""
    preview = await SQL.preview(upgrade(), context)
    holder = await shop.connect()
    await holder.execute("BEGIN")
    await holder.execute("SELECT 1 FROM customers WHERE id = md5('1')::uuid FOR UPDATE")
    outcome = await SQL.act(upgrade(), preview, KEY, context)
    await holder.close()
    assert isinstance(outcome, Failed)
    assert "holds the lock" in outcome.reason


@pytest.mark.parametrize(("deliver", "expected"), [(True, Done), (False, Failed)])
async def test_the_line_is_cut_at_the_commit(
    make_context: MakeContext, shop: Shop, deliver: bool, expected: type[Done | Failed]
) -> None:
    """Whether the COMMIT arrived is looked up on another connection: done or nothing changed, never a guess (2)."""
    url = shop.url("shop_act")
    async with Cutting(shop.server.port, deliver=deliver) as port:
        context = make_context({"SHOP_ACT": url.replace(f":{shop.server.port}/", f":{port}/")})
        preview = await SQL.preview(upgrade(), context)
        outcome = await SQL.act(upgrade(), preview, KEY, context)
        assert isinstance(outcome, expected), outcome
        assert await status(shop) == ("paid" if deliver else "free")
        await context.targets.close()


@pytest.mark.parametrize("deliver", [True, False])
async def test_the_line_is_cut_and_there_are_no_receipts(make_context: MakeContext, shop: Shop, deliver: bool) -> None:
    """Without receipts the bot does not know, and says so."""
    database = replace(SYSTEM.databases["main"], receipts=None)
    system = replace(SYSTEM, databases={"main": database})
    async with Cutting(shop.server.port, deliver=deliver) as port:
        url = shop.url("shop_act").replace(f":{shop.server.port}/", f":{port}/")
        context = make_context({"SHOP_ACT": url}, system)
        outcome = await SQL.act(upgrade(), await SQL.preview(upgrade(), context), KEY, context)
        assert isinstance(outcome, InDoubt)
        await context.targets.close()


async def test_the_server_is_down(make_context: MakeContext) -> None:
    """No server: the preview refuses, the act fails, settling does not know; nothing raises otherwise."""
    context = make_context()
    with pytest.raises(Refusal, match="cannot be reached"):
        await SQL.preview(upgrade(), context)
    assert isinstance(await SQL.act(upgrade(), Preview("", {}), KEY, context), Failed)
    assert isinstance(await SQL.settle(upgrade(), KEY, context), InDoubt)


async def test_acting_without_an_acting_role(make_context: MakeContext) -> None:
    """A database that may only be looked at is never changed."""
    database = replace(SYSTEM.databases["main"], act=None)
    context = make_context(system=replace(SYSTEM, databases={"main": database}))
    with pytest.raises(Misconfigured, match="only be looked at"):
        await SQL.preview(upgrade(), context)
    with pytest.raises(Misconfigured):
        context.targets.database(context.system, None, Role.ACT)


@pytest.mark.parametrize("word", [b"Customer 7", b"UPDATE customers"])
async def test_the_server_falls_silent_in_the_middle(make_context: MakeContext, shop: Shop, word: bytes) -> None:
    """A line that goes dead without breaking ends by itself; nothing changed, and nothing hangs."""
    url = shop.url("shop_act")
    async with Freezing(shop.server.port, word) as port:
        there = {"SHOP_READ": url.replace(f":{shop.server.port}/", f":{port}/")}
        context = make_context({**there, "SHOP_ACT": there["SHOP_READ"]}, seconds=0.3)
        async with asyncio.timeout(20):
            fact = await SQL.look(SqlSpec(query="SELECT * FROM customers WHERE name <> 'Customer 7'"), context)
            assert isinstance(fact, Fact)
            outcome = await SQL.act(upgrade(), Preview("", {}), KEY, context)
            assert isinstance(outcome, Failed)
            said = fact.error or outcome.reason
            assert "did not answer in time" in said or "broke" in said
            await context.targets.close()
    assert await status(shop) == "free"
