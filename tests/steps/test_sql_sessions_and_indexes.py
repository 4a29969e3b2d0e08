"""Ending sessions and making indexes: shown exactly, done to the very ones that were shown, cleaned up after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from bot.errors import Refusal
from bot.steps.base import Done, Failed, InDoubt, StepContext
from bot.steps.sql import Sql, SqlSpec
from tests.steps.conftest import KEY, MakeContext, Shop

pytestmark = pytest.mark.approval
SQL = Sql()
BY_PID = "SELECT pg_terminate_backend(:pid)"
IDLE = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity a
    WHERE a.state = 'idle in transaction' AND a.application_name = :app"""
BUILD = "CREATE INDEX CONCURRENTLY watched_value ON watched (value)"


@asynccontextmanager
async def session(shop: Shop, application: str = "worker") -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """An application's session, idle in a transaction."""
    settings = {"application_name": application}
    connection = await asyncpg.connect(shop.url("shop_app"), server_settings=settings)
    await connection.execute("BEGIN")
    await connection.execute("SELECT 'from ' || current_user")
    try:
        yield connection
    finally:
        connection.terminate()


async def gone(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Until the server has closed it."""
    async with asyncio.timeout(5):
        while not connection.is_closed():  # noqa: ASYNC110 - the driver has no event for it
            await asyncio.sleep(0.01)


async def test_the_sessions_are_shown_and_ended(context: StepContext, shop: Shop) -> None:
    """Who they are, since when and what they run; only they are ended."""
    async with session(shop) as one, session(shop) as two, session(shop, "other") as other:
        spec = SqlSpec(query=IDLE, bind={"app": "worker"}, max_rows=5)
        preview = await SQL.preview(spec, context)
        assert preview.headline == "2 sessions of main are ended"
        shown = preview.payload["sessions"]
        assert [each["pid"] for each in shown] == [one.get_server_pid(), two.get_server_pid()]
        assert shown[0]["user"] == "shop_app"
        assert shown[0]["state"] == "idle in transaction"
        assert "from " in shown[0]["query"]
        assert preview.lines[0].startswith(f"pid {one.get_server_pid()}, shop_app, worker: idle in transaction since ")
        assert not one.is_closed()
        again = await SQL.preview(spec, context)
        assert again.payload == preview.payload
        outcome = await SQL.act(spec, preview, KEY, context)
        assert isinstance(outcome, Done)
        assert outcome.receipt.counts == {"sessions": 2}
        await gone(one)
        await gone(two)
        assert await other.fetchval("SELECT 1") == 1


async def test_a_session_that_moved_on_is_left_alone(context: StepContext, shop: Shop) -> None:
    """The same pid that runs something else now is not the one that was approved (12)."""
    async with session(shop) as one:
        spec = SqlSpec(query=BY_PID, bind={"pid": str(one.get_server_pid())}, expect_rows=1)
        preview = await SQL.preview(spec, context)
        await one.execute("SELECT 'something else'")
        outcome = await SQL.act(spec, preview, KEY, context)
        assert isinstance(outcome, Failed)
        assert outcome.drift
        assert await one.fetchval("SELECT 1") == 1


async def test_one_of_two_moved_on(context: StepContext, shop: Shop) -> None:
    """The one that is the same is ended, the other left alone, and both are said."""
    async with session(shop) as one, session(shop) as two:
        spec = SqlSpec(query=IDLE, bind={"app": "worker"})
        preview = await SQL.preview(spec, context)
        await two.execute("SELECT 2")
        outcome = await SQL.act(spec, preview, KEY, context)
        assert isinstance(outcome, Done)
        assert outcome.receipt.headline == "1 session ended; 1 session had moved on and was left alone"
        await gone(one)
        assert await two.fetchval("SELECT 1") == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"query": BY_PID, "bind": {"pid": 999999}}, "No such session"),
        ({"query": BY_PID, "bind": {"pid": "1 OR true"}}, ":pid must be a value of type"),
        ({"query": IDLE, "bind": {"app": "worker"}, "expect_rows": 2}, "Expected 2 sessions, and there are 1."),
        ({"query": IDLE, "bind": {"app": "worker"}, "max_rows": 0}, "More than 0 sessions"),
        ({"query": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity", "bind": {}}, "not said which sessions"),
        (
            {"query": "SELECT pg_terminate_backend(pid) FROM customers WHERE true", "bind": {}},
            "from pg_stat_activity only",
        ),
        (
            {"query": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pg_sleep(9) IS NULL", "bind": {}},
            "pg_sleep",
        ),
    ],
)
async def test_sessions_that_cannot_be_asked_for(
    context: StepContext, shop: Shop, fields: dict[str, Any], said: str
) -> None:
    """None, too many, or a condition that does more than look: refused, and nobody is touched."""
    async with session(shop) as one:
        with pytest.raises(Refusal) as caught:
            await SQL.preview(SqlSpec(**fields), context)
        assert said in str(caught.value)
        assert await one.fetchval("SELECT 1") == 1


async def test_interrupting_a_query(context: StepContext, shop: Shop) -> None:
    """pg_cancel_backend ends the query and keeps the session."""
    connection = await asyncpg.connect(shop.url("shop_app"), server_settings={"application_name": "long"})
    running = asyncio.create_task(connection.execute("SELECT count(*) FROM generate_series(1, 1000000000)"))
    await shop.until("SELECT FROM pg_stat_activity WHERE application_name = 'long' AND state = 'active'")
    query = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'long' AND state = 'active'"
    spec = SqlSpec(query=query, expect_rows=1)
    assert isinstance(await SQL.act(spec, await SQL.preview(spec, context), KEY, context), Done)
    with pytest.raises(asyncpg.QueryCanceledError):
        await running
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


async def test_an_interrupted_kill_is_in_doubt(context: StepContext) -> None:
    """Nobody keeps a receipt of an ended session."""
    assert isinstance(await SQL.settle(SqlSpec(query=BY_PID, bind={"pid": 1}), KEY, context), InDoubt)


async def indexes(shop: Shop) -> list[tuple[str, bool]]:
    """The indexes of the table by name, and whether they are valid."""
    query = "SELECT indexrelid::regclass::text AS name, indisvalid AS valid FROM pg_index"
    return [
        (row["name"], row["valid"])
        for row in await shop.rows(f"{query} WHERE indrelid = 'watched'::regclass ORDER BY 1")
    ]


async def test_an_index_is_built_and_dropped_again(context: StepContext, shop: Shop) -> None:
    """Sizes before, valid after, the inverse drops it, and the inverse of that builds it."""
    spec = SqlSpec(query=BUILD, autocommit=True)
    preview = await SQL.preview(spec, context)
    assert preview.headline.startswith("An index is built on watched")
    assert "watched_pkey" in preview.lines[0]
    assert await indexes(shop) == [("watched_pkey", True)]
    outcome = await SQL.act(spec, preview, KEY, context)
    assert isinstance(outcome, Done), outcome
    assert ("watched_value", True) in await indexes(shop)
    assert isinstance(await SQL.settle(spec, KEY, context), Done)
    with pytest.raises(Refusal, match="there already"):
        await SQL.preview(spec, context)
    back = SqlSpec.model_validate(dict(SQL.inverse(spec, outcome.receipt) or {}))
    dropped = await SQL.act(back, await SQL.preview(back, context), KEY, context)
    assert isinstance(dropped, Done), dropped
    assert await indexes(shop) == [("watched_pkey", True)]
    again = SqlSpec.model_validate(dict(SQL.inverse(back, dropped.receipt) or {}))
    assert isinstance(await SQL.act(again, await SQL.preview(again, context), KEY, context), Done)
    assert ("watched_value", True) in await indexes(shop)


async def test_a_build_that_fails_leaves_nothing_behind(context: StepContext, shop: Shop) -> None:
    """A unique index over double values fails; its invalid remains are found and dropped."""
    await shop.run("INSERT INTO watched VALUES (2, 'old')")
    spec = SqlSpec(query="CREATE UNIQUE INDEX CONCURRENTLY watched_value ON watched (value)", autocommit=True)
    outcome = await SQL.act(spec, await SQL.preview(spec, context), KEY, context)
    assert isinstance(outcome, Failed)
    assert "The half-built index was removed." in outcome.reason
    assert await indexes(shop) == [("watched_pkey", True)]


async def test_a_leftover_is_replaced(context: StepContext, shop: Shop) -> None:
    """What somebody's failed build left behind is named in the preview and replaced."""
    await shop.run("INSERT INTO watched VALUES (2, 'old')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await shop.run("CREATE UNIQUE INDEX CONCURRENTLY watched_value ON watched (value)")
    assert ("watched_value", False) in await indexes(shop)
    spec = SqlSpec(query=BUILD, autocommit=True)
    preview = await SQL.preview(spec, context)
    assert "invalid" in preview.warnings[0]
    assert isinstance(await SQL.act(spec, preview, KEY, context), Done)
    assert ("watched_value", True) in await indexes(shop)


async def test_a_build_that_takes_too_long_is_cleaned_up(make_context: MakeContext, shop: Shop) -> None:
    """A build that waits for an old transaction is stopped at its limit, and its remains are dropped."""
    context = make_context({"SHOP_ACT": shop.url("shop_act")}, seconds=0.5)
    spec = SqlSpec(query=BUILD, autocommit=True)
    preview = await SQL.preview(spec, context)
    holder = await shop.connect()
    await holder.execute("BEGIN; UPDATE watched SET value = 'x'")
    acting = asyncio.create_task(SQL.act(spec, preview, KEY, context))
    await shop.until("SELECT FROM pg_stat_activity WHERE wait_event = 'virtualxid' OR wait_event = 'transactionid'")
    await asyncio.wait({acting}, timeout=3)
    await holder.close()
    outcome = await acting
    assert isinstance(outcome, Failed)
    assert ("watched_value", True) not in await indexes(shop)
    assert isinstance(await SQL.settle(spec, KEY, context), Failed)
    assert await indexes(shop) == [("watched_pkey", True)]


async def test_a_unique_index_is_not_dropped(context: StepContext) -> None:
    """It guards a rule: dropping it is a migration."""
    with pytest.raises(Refusal, match="takes a rule away"):
        await SQL.preview(SqlSpec(query="DROP INDEX CONCURRENTLY watched_pkey", autocommit=True), context)
    with pytest.raises(Refusal, match="There is no index"):
        await SQL.preview(SqlSpec(query="DROP INDEX CONCURRENTLY gone", autocommit=True), context)
