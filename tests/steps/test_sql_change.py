"""The sql kind as an action: what is shown is what happens, once, or nothing does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from bot.domain.change import EffectKey, shown
from bot.domain.facts import from_json, to_json
from bot.domain.runbook import Section
from bot.errors import Refusal
from bot.steps import sql_receipts
from bot.steps.base import Done, Failed, InDoubt, StepContext
from bot.steps.sql import Sql, SqlSpec
from tests.steps.conftest import KEY, SYSTEM, Shop

pytestmark = pytest.mark.approval
ONE = UUID("c4ca4238-a0b9-2382-0dcc-509a6f75849b")  # md5('1')
UPGRADE = "UPDATE customers SET status = :status, credit = credit + 5 WHERE id = :id"
SQL = Sql()


def upgrade(**fields: Any) -> SqlSpec:
    """The change most tests use: one row of customers."""
    return SqlSpec(**{"query": UPGRADE, "bind": {"status": "paid", "id": str(ONE)}, "expect_rows": 1, **fields})


async def status(shop: Shop) -> str:
    """What the row says now."""
    (row,) = await shop.rows(f"SELECT status FROM customers WHERE id = '{ONE}'")
    return str(row["status"])


async def done(spec: SqlSpec, context: StepContext, key: EffectKey = KEY) -> Done:
    """Preview and act; it has to succeed."""
    outcome = await SQL.act(spec, await SQL.preview(spec, context), key, context)
    assert isinstance(outcome, Done), outcome
    return outcome


async def test_a_preview_shows_the_row_and_changes_nothing(context: StepContext, shop: Shop) -> None:
    """Before and after of every row, the statement with its values, and nothing has happened."""
    preview = await SQL.preview(upgrade(), context)
    assert preview.headline == "1 row of customers is changed"
    (change,) = preview.changes
    assert change.table == "customers"
    assert change.key == {"id": ONE}
    assert change.before is not None
    assert change.after is not None
    assert (change.before["status"], change.after["status"]) == ("free", "paid")
    assert (change.before["credit"], change.after["credit"]) == (Decimal("0.00"), Decimal("5.00"))
    assert change.volatile == ("updated_at",)
    assert preview.counts == {"customers": 1}
    assert preview.payload["statements"] == [UPGRADE]
    assert preview.payload["values"] == {"status": "paid", "id": str(ONE)}
    assert (preview.exact, preview.reversible) == (True, True)
    assert await status(shop) == "free"


async def test_two_previews_of_the_same_are_the_same(context: StepContext) -> None:
    """What a vote is bound to does not depend on the moment, nor on having been stored."""
    first, second = shown(await SQL.preview(upgrade(), context)), shown(await SQL.preview(upgrade(), context))
    assert to_json(first) == to_json(second) == to_json(from_json(to_json(first)))


async def test_it_happens_and_leaves_a_receipt(context: StepContext, shop: Shop) -> None:
    """The change and its receipt are there together."""
    outcome = await done(upgrade(), context)
    assert await status(shop) == "paid"
    assert outcome.receipt.headline == "1 row of customers is changed"
    (row,) = await shop.rows("SELECT key, run_id, action FROM receipts")
    assert row == {"key": str(KEY), "run_id": "run-1", "action": "fix"}


async def test_the_same_effect_twice_is_one(context: StepContext, shop: Shop) -> None:
    """A repetition answers with the first receipt and changes nothing (5)."""
    preview = await SQL.preview(upgrade(), context)
    first = await SQL.act(upgrade(), preview, KEY, context)
    second = await SQL.act(upgrade(), preview, KEY, context)
    assert isinstance(first, Done)
    assert isinstance(second, Done)
    assert second.receipt.changes == first.receipt.changes
    assert (await shop.rows(f"SELECT credit FROM customers WHERE id = '{ONE}'"))[0]["credit"] == 5


async def test_a_hundred_at_once_are_one(context: StepContext, shop: Shop) -> None:
    """However many act at once, the row changes once and everybody hears that it is done (5)."""
    preview = await SQL.preview(upgrade(), context)
    outcomes = await asyncio.gather(*(SQL.act(upgrade(), preview, KEY, context) for _ in range(100)))
    assert all(isinstance(outcome, Done | InDoubt) for outcome in outcomes), outcomes
    assert any(isinstance(outcome, Done) for outcome in outcomes)
    assert (await shop.rows(f"SELECT credit FROM customers WHERE id = '{ONE}'"))[0]["credit"] == 5
    assert len(await shop.rows("SELECT FROM receipts")) == 1


@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [
        (
            "UPDATE customers SET status = 'canceled' WHERE name = 'Customer 1'",
            "status was free when approved and is cancel",
        ),
        ("UPDATE customers SET credit = 9 WHERE name = 'Customer 1'", "credit was 0.00 when approved and is 9.00"),
        ("UPDATE customers SET extra = '{\"a\": 1}' WHERE name = 'Customer 1'", "extra was {} when approved"),
        ("DELETE FROM customers WHERE name = 'Customer 1'", "Expected 1 row to change, and it would be 0."),
        ("CREATE TRIGGER now AFTER UPDATE ON customers FOR EACH STATEMENT EXECUTE FUNCTION told()", "trigger"),
    ],
)
async def test_what_is_no_longer_what_was_approved_does_not_happen(
    context: StepContext, shop: Shop, meanwhile: str, said: str
) -> None:
    """A row that changed since the preview voids the approval and nothing changes (12)."""
    preview = await SQL.preview(upgrade(), context)
    await shop.run(meanwhile)
    before = await shop.rows("SELECT * FROM customers ORDER BY id")
    outcome = await SQL.act(upgrade(), preview, KEY, context)
    assert isinstance(outcome, Failed)
    assert outcome.drift
    assert said in outcome.reason
    assert await shop.rows("SELECT * FROM customers ORDER BY id") == before
    assert await shop.rows("SELECT FROM receipts") == []


async def test_more_rows_than_approved(context: StepContext, shop: Shop) -> None:
    """A row that came to match since the preview is not changed unseen."""
    spec = SqlSpec(query="UPDATE customers SET status = 'x' WHERE name LIKE 'Customer 1_'", max_rows=50)
    preview = await SQL.preview(spec, context)
    assert preview.counts == {"customers": 10}
    await shop.run("INSERT INTO customers (id, name) VALUES (gen_random_uuid(), 'Customer 1x')")
    outcome = await SQL.act(spec, preview, KEY, context)
    assert isinstance(outcome, Failed)
    assert outcome.drift
    assert "10 of customers" in outcome.reason
    assert "11 of customers" in outcome.reason


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"expect_rows": 2}, "Expected 2 rows to change, and it would be 1."),
        ({"query": "DELETE FROM customers", "bind": {}, "expect_rows": None, "max_rows": 5}, "at most 5 may"),
        ({"bind": {"status": "x", "id": str(UUID(int=0))}, "expect_rows": None}, "Nothing would change"),
        ({"bind": {"status": "x", "id": "' OR true --"}}, ":id must be a value of type UUID"),
        ({"bind": {"id": str(ONE)}}, "Nothing is bound to :status"),
        ({"query": "UPDATE gone SET a = 1"}, "There is no table gone"),
        ({"query": "UPDATE customers SET gone = 1"}, 'column "gone"'),
        ({"query": "UPDATE everybody SET status = 'x'"}, "is not a table"),
        ({"query": "UPDATE customers SET id = gen_random_uuid()"}, "the primary key"),
        ({"query": "UPDATE keyless SET b = 'x'", "bind": {}}, "no primary key"),
        ({"query": "UPDATE customers SET name = NULL WHERE id = :id"}, "refused the change"),
        ({"query": "UPDATE customers SET status = 'x' WHERE random() < 0.5", "expect_rows": None}, "other rows"),
        ({"query": "DROP TABLE customers"}, "changes the schema"),
        ({"query": "SELECT 1"}, "changes nothing"),
    ],
)
async def test_what_cannot_be_asked_for(context: StepContext, shop: Shop, fields: dict[str, Any], said: str) -> None:
    """A preview refuses with one sentence, and nothing changed."""
    with pytest.raises(Refusal) as caught:
        await SQL.preview(upgrade(**fields), context)
    assert said in str(caught.value)
    assert await status(shop) == "free"


async def test_several_statements_are_one_transaction(context: StepContext, shop: Shop) -> None:
    """A list changes all or nothing; a row that is changed twice is shown once, from first to last."""
    statements = [
        "INSERT INTO orders (customer_id, total) VALUES (:id, :total)",
        "UPDATE customers SET status = 'a' WHERE id = :id",
        "UPDATE customers SET status = 'b', credit = :total WHERE id = :id",
    ]
    spec = SqlSpec(query=statements, bind={"id": ONE, "total": "12.5"}, expect_rows=3)
    preview = await SQL.preview(spec, context)
    assert preview.counts == {"orders": 1, "customers": 2}
    customer, order = preview.changes
    assert customer.after is not None
    assert customer.after["status"] == "b"
    assert order.before is None
    assert set(order.volatile) >= {"id", "placed_at"}
    assert isinstance(await SQL.act(spec, preview, KEY, context), Done)
    assert await status(shop) == "b"
    broken = SqlSpec(query=[*statements[1:], "UPDATE customers SET name = NULL WHERE id = :id"], bind=spec.bind)
    with pytest.raises(Refusal):
        await SQL.preview(broken, context)


async def test_what_a_delete_takes_along_is_counted(context: StepContext) -> None:
    """Rows of other tables that go with a delete are named and counted before anybody votes."""
    spec = SqlSpec(query="DELETE FROM customers c WHERE c.id = :id", bind={"id": ONE}, expect_rows=1)
    preview = await SQL.preview(spec, context)
    assert preview.counts == {"customers": 1, "orders": 3, "lines": 4, "notes": 1}
    assert preview.lines == (
        "Takes 4 rows of lines along (cascade).",
        "Empties the reference in 1 row of notes.",
        "Takes 3 rows of orders along (cascade).",
    )
    assert not preview.reversible
    assert "go along" in preview.undo
    outcome = await SQL.act(spec, preview, KEY, context)
    assert isinstance(outcome, Done)
    assert SQL.inverse(spec, outcome.receipt) is None


async def test_a_trigger_that_may_reach_outside_is_not_fired(context: StepContext, shop: Shop) -> None:
    """Then the rows are only looked up, the preview says so, and the act still compares them."""
    spec = SqlSpec(query="UPDATE outside SET value = 'new'", max_rows=5)
    preview = await SQL.preview(spec, context)
    assert not preview.exact
    assert preview.changes == ()
    assert preview.counts == {"outside": 2}
    assert preview.lines == ("outside: id = 1", "outside: id = 2")
    assert "trigger told of outside" in preview.warnings[0]
    await shop.run("UPDATE outside SET value = 'other' WHERE id = 2")
    outcome = await SQL.act(spec, preview, KEY, context)
    assert isinstance(outcome, Failed)
    assert outcome.drift
    assert isinstance(await SQL.act(spec, await SQL.preview(spec, context), KEY, context), Done)
    assert [row["value"] for row in await shop.rows("SELECT value FROM outside")] == ["new", "new"]


async def test_long_values_are_cut_and_still_told_apart(context: StepContext, shop: Shop) -> None:
    """Two long texts that begin alike never look the same (13)."""
    await shop.run("UPDATE watched SET value = repeat('x', 100000) || 'a'")
    spec = SqlSpec(query="UPDATE watched SET value = :v WHERE id = 1", bind={"v": "x" * 100_000 + "b"})
    preview = await SQL.preview(spec, context)
    (change,) = preview.changes
    assert change.before is not None
    assert change.after is not None
    assert change.before["value"] != change.after["value"]
    assert len(change.before["value"]) < 400
    await shop.run("UPDATE watched SET value = repeat('x', 100000) || 'c'")
    outcome = await SQL.act(spec, preview, KEY, context)
    assert isinstance(outcome, Failed)
    assert outcome.drift


# -- undo --------------------------------------------------------------------------------------------------------------

UNDOABLE = [
    """UPDATE customers SET status = 'x', credit = 12.34, tags = '{a,"b c"}', extra = '{"a": [1, null]}',
    born = '2000-01-01' WHERE name = 'Customer 1'""",
    "UPDATE customers SET status = 'x', updated_at = now() WHERE name LIKE 'Customer 1_'",
    "INSERT INTO orders (customer_id, total) VALUES (md5('2')::uuid, 7)",
    "DELETE FROM orders WHERE id NOT IN (SELECT order_id FROM lines)",
    "DELETE FROM lines",
]


@pytest.mark.parametrize("statement", UNDOABLE)
async def test_undo_puts_everything_back(context: StepContext, shop: Shop, statement: str) -> None:
    """The inverse is an action like any other, and afterwards the rows are as they were, to the last digit."""
    everything = (
        "SELECT (SELECT jsonb_agg(c ORDER BY id) FROM customers c)::text AS c, (SELECT jsonb_agg(o ORDER BY id)"
    )
    everything += " FROM orders o)::text AS o, (SELECT jsonb_agg(l ORDER BY id) FROM lines l)::text AS l"
    await shop.run("ALTER TABLE customers DISABLE TRIGGER touched")
    before = await shop.rows(everything)
    spec = SqlSpec(query=statement, max_rows=100)
    outcome = await done(spec, context)
    assert await shop.rows(everything) != before
    stored = sql_receipts.decode(sql_receipts.encode(outcome.receipt))
    back = SQL.inverse(spec, stored)
    assert back is not None
    inverse = SqlSpec.model_validate(dict(back))
    assert [each for each in SQL.lint(inverse, Section.ACTIONS, SYSTEM) if not each.warning] == []
    await done(inverse, context, replace(KEY, action="undo"))
    assert await shop.rows(everything) == before


async def test_undo_is_refused_when_somebody_changed_the_row_since(context: StepContext, shop: Shop) -> None:
    """A row that has moved on is left alone."""
    outcome = await done(upgrade(), context)
    back = SQL.inverse(upgrade(), outcome.receipt)
    assert back is not None
    await shop.run("UPDATE customers SET status = 'vip' WHERE id = md5('1')::uuid")
    with pytest.raises(Refusal, match="Expected 1 row to change, and it would be 0"):
        await SQL.preview(SqlSpec.model_validate(dict(back)), context)
    assert await status(shop) == "vip"


def test_lint_of_actions() -> None:
    """Everything wrong is said at once; a limit on rows is asked for."""

    def fields(**spec: Any) -> list[tuple[str, bool]]:
        return [(each.field, each.warning) for each in SQL.lint(SqlSpec(**spec), Section.ACTIONS, SYSTEM)]

    assert fields(query="UPDATE t SET a = 1 WHERE b = 2", expect_rows=1) == []
    assert fields(query="UPDATE t SET a = 1 WHERE b = 2") == [("expect_rows", True)]
    assert fields(query="UPDATE t SET a = 1", expect_rows=1) == [("query", False)]
    assert fields(query="UPDATE t SET a = 1", max_rows=10) == []
    assert fields(query=["DELETE FROM t USING s WHERE 1 = 1", "TRUNCATE t"]) == [("query.0", False), ("query.1", False)]
    assert fields(query="CREATE INDEX CONCURRENTLY i ON t (a)") == [("autocommit", False)]
    assert fields(query="CREATE INDEX CONCURRENTLY i ON t (a)", autocommit=True) == []
    assert fields(query="UPDATE t SET a = danger() WHERE b = 1", max_rows=1) == [("query", False)]
    assert fields(query="UPDATE t SET a = 1 WHERE b = 1", max_rows=1, expect="one_row") == [("expect", False)]
    mixed = ["UPDATE t SET a = 1 WHERE b = 1", "SELECT pg_terminate_backend(:pid)"]
    assert ("query", False) in fields(query=mixed, max_rows=1)
