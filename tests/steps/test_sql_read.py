"""The sql kind as a check: what it finds, what it refuses, how it stays small and harmless."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from bot.domain.facts import MAX_CELL, Fact, FactStatus, to_json
from bot.domain.runbook import Section
from bot.steps.base import StepContext
from bot.steps.sql import Sql, SqlSpec
from tests.steps.conftest import PASSWORD, SYSTEM, MakeContext, Shop

pytestmark = pytest.mark.runbooks
ONE = UUID("c4ca4238-a0b9-2382-0dcc-509a6f75849b")  # md5('1')
ACTIVE = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
NASTY = [
    "'; DROP TABLE customers; --",
    "\\'; --",
    "$1",
    ":id",
    "' OR ''='",
    "\u202egnp.exe",
    "👩‍👩‍👧",
    "%_",
    "{{ 7*7 }}",
    "a\nb",
]


async def look(context: StepContext, query: str, **fields: Any) -> Fact:
    """Run one check."""
    fact = await Sql().look(SqlSpec(query=query, **fields), context)
    assert isinstance(fact, Fact)
    return fact


async def test_rows_and_their_types(context: StepContext) -> None:
    """Rows, the first row, their number and the columns are the fact, with the types PostgreSQL has."""
    query = "SELECT id, name, credit, tags, extra, born, updated_at FROM customers WHERE id = :id"
    fact = await look(context, query, bind={"id": str(ONE)}, expect="one_row")
    assert fact.status is FactStatus.DONE
    assert fact.summary == "1 row"
    assert fact.value["count"] == 1
    assert fact.value["more"] is False
    assert fact.value["columns"] == ["id", "name", "credit", "tags", "extra", "born", "updated_at"]
    row = fact.value["row"]
    assert row["id"] == ONE
    assert row["extra"] == {}
    assert row["tags"] == []
    assert row["born"] is None
    assert row["updated_at"].tzinfo is not None
    assert fact.duration > timedelta(0)


async def test_no_row(context: StepContext) -> None:
    """Nothing found is a fact with no first row."""
    fact = await look(context, "SELECT * FROM customers WHERE name = 'nobody'")
    assert fact.status is FactStatus.DONE
    assert fact.value["row"] is None
    assert fact.summary == "no rows"


@pytest.mark.parametrize(
    ("expect", "number", "error"),
    [
        ("one_row", 0, "Expected one row, found none."),
        ("one_row", 2, "Expected one row, found 2."),
        ("at_most_one_row", 2, "Expected at most one row, found 2."),
        ("rows", 0, "Expected rows, found none."),
        ("none", 1, "Expected no rows, found 1."),
        ("one_row", 1, ""),
        ("at_most_one_row", 0, ""),
        ("rows", 3, ""),
        ("none", 0, ""),
    ],
)
async def test_expectations(context: StepContext, expect: str, number: int, error: str) -> None:
    """An expectation that does not hold fails the check with a plain sentence and keeps what was found."""
    fact = await look(context, "SELECT * FROM customers ORDER BY name LIMIT :n", bind={"n": number}, expect=expect)
    assert fact.error == error
    assert fact.value["count"] == number


async def test_an_exact_number_of_rows(context: StepContext) -> None:
    """expect_rows counts."""
    fact = await look(context, "SELECT * FROM customers", expect_rows=3)
    assert fact.error == "Expected 3 rows, found 20."


@pytest.mark.parametrize("nasty", NASTY)
async def test_values_stay_values(context: StepContext, shop: Shop, nasty: str) -> None:
    """Whatever a value holds, it comes back as it went in and nothing else happens."""
    fact = await look(context, "SELECT :a::text AS a, name FROM customers WHERE name <> :a LIMIT 1", bind={"a": nasty})
    assert fact.value["row"]["a"] == nasty
    assert len(await shop.rows("SELECT FROM customers")) == 20


async def test_a_name_used_with_two_types(context: StepContext) -> None:
    """The same name may be compared with a number and a text."""
    fact = await look(
        context, "SELECT :x::int AS a, name FROM customers WHERE name = 'Customer ' || :x", bind={"x": "7"}
    )
    assert fact.error == ""
    assert fact.value["row"] == {"a": 7, "name": "Customer 7"}


async def test_columns_of_the_same_name(context: StepContext) -> None:
    """No column hides another."""
    fact = await look(context, "SELECT 1 AS id, 2 AS id, 3 AS id")
    assert fact.value["row"] == {"id": 1, "id_2": 2, "id_3": 3}


async def test_ten_thousand_rows_stay_bounded(context: StepContext) -> None:
    """Of many rows a thousand are kept, and it says that there are more."""
    fact = await look(context, "SELECT n FROM generate_series(1, 10000) AS g(n)")
    assert fact.value["count"] == 1000
    assert fact.value["more"] is True
    assert fact.value["rows"][-1] == {"n": 1000}
    assert fact.summary == "1,000+ rows"
    fact = await look(context, "SELECT n FROM generate_series(1, 10000) AS g(n)", max_rows=3)
    assert [row["n"] for row in fact.value["rows"]] == [1, 2, 3]
    assert fact.value["more"] is True
    fact = await look(context, "SELECT n FROM generate_series(1, 1000) AS g(n)")
    assert (fact.value["count"], fact.value["more"]) == (1000, False)


async def test_huge_cells_stay_bounded(context: StepContext) -> None:
    """A cell of two megabytes is cut and says so; many of them end the reading early."""
    fact = await look(context, "SELECT repeat('x', 2000000) AS big, repeat('é', 10)::bytea AS raw")
    assert len(fact.value["row"]["big"]) < MAX_CELL + 50
    assert "2,000,000 characters" in fact.value["row"]["big"]
    assert fact.value["row"]["raw"].startswith("20 bytes")
    fact = await look(context, "SELECT repeat('x', 3000) FROM generate_series(1, 900)")
    assert fact.value["more"] is True
    assert fact.value["count"] < 400


async def test_exotic_types_survive_storage(context: StepContext) -> None:
    """Every type becomes something that can be stored."""
    query = """SELECT '10.0.0.1'::inet AS ip, '[1,5)'::int4range AS r, B'101' AS bits, '(1,2)'::point AS p, NULL AS n,
        '{"a": {"b": [1]}}'::jsonb AS j, '1 day'::interval AS i, 'NaN'::float8 AS nan, '{1,2}'::int[] AS l,
        'infinity'::timestamptz AS forever, ROW(1, 'a') AS rec, E'\\u0627\\u0644' AS rtl, '💥' AS emoji"""
    fact = await look(context, query)
    assert fact.error == ""
    to_json(fact.value)
    assert fact.value["row"]["j"]["a"] == {"b": [1]}
    assert fact.value["row"]["r"] == "[1,5)"
    assert fact.value["row"]["ip"] == "10.0.0.1"


async def test_a_value_that_cannot_be_read(context: StepContext) -> None:
    """A date before Christ is beyond Python: the check fails with advice."""
    fact = await look(context, "SELECT '0044-03-15 BC'::timestamp AS ides")
    assert fact.status is FactStatus.FAILED
    assert "cast it to text" in fact.error


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT * FROM gone", 'relation "gone" does not exist: check the table'),
        ("SELECT gone FROM customers", 'column "gone" does not exist: check the column'),
        ("SELECT * FROM hidden", "role of the database «main» may not do that (permission denied for table hidden)"),
        ("SELECT abs('2026-11-21'::date)", "check the function"),
        ("SELECT * FROM customers WHERE id = :id", ":id must be a value of type UUID"),
        ("SELECT 1 / 0 AS x", "division by zero"),
        ("SELECT name::int FROM customers", "invalid input syntax"),
    ],
)
async def test_mistakes_are_said_in_plain_words(context: StepContext, query: str, said: str) -> None:
    """What PostgreSQL refuses becomes a failed fact that names what to do."""
    fact = await look(context, query, bind={"id": "not-an-id"} if ":id" in query else {})
    assert fact.status is FactStatus.FAILED
    assert said in fact.error


async def test_an_unbound_name(context: StepContext) -> None:
    """A name without a value is named."""
    fact = await look(context, "SELECT :who")
    assert "Nothing is bound to :who." in fact.error


async def test_a_slow_statement_is_stopped(make_context: MakeContext, shop: Shop) -> None:
    """The time limit holds on the server; the connection is good afterwards."""
    context = make_context({"SHOP_READ": shop.url("shop_read")}, seconds=0.2)
    fact = await look(context, "SELECT count(*) FROM generate_series(1, 100000000)")
    assert fact.error == "The statement took longer than 0.2 s and was stopped."
    assert (await look(context, "SELECT 1 AS a")).value["row"] == {"a": 1}


async def test_a_locked_table_is_not_waited_for(make_context: MakeContext, shop: Shop) -> None:
    """A lock that somebody holds is waited for no longer than the time limit."""
    holder = await shop.connect()
    try:
        await holder.execute("BEGIN; LOCK TABLE customers IN ACCESS EXCLUSIVE MODE")
        context = make_context({"SHOP_READ": shop.url("shop_read")}, seconds=0.3)
        fact = await look(context, "SELECT * FROM customers")
        assert fact.status is FactStatus.FAILED
        assert "lock" in fact.error or "stopped" in fact.error
    finally:
        await holder.close()


async def test_a_write_is_refused_by_every_lock_alone(context: StepContext, shop: Shop) -> None:
    """Failure mode 29: even past the parser, the read-only transaction and the role refuse a write."""
    fact = await look(context, "DELETE FROM customers")
    assert "not a reading statement" in fact.error
    await shop.run("CREATE FUNCTION lower(integer) RETURNS text LANGUAGE sql AS 'DELETE FROM customers RETURNING name'")
    fact = await look(context, "SELECT lower(7)")
    assert fact.status is FactStatus.FAILED
    await shop.run("GRANT DELETE ON customers TO shop_read")
    fact = await look(context, "SELECT lower(7)")
    assert "tried to change something in a check" in fact.error
    assert len(await shop.rows("SELECT FROM customers")) == 20


async def test_the_server_is_down(make_context: MakeContext) -> None:
    """No server: a failed fact that says so and leaks nothing."""
    fact = await look(make_context(), "SELECT 1")
    assert "cannot be reached: connection refused" in fact.error
    assert PASSWORD not in fact.error
    assert "postgresql://" not in fact.error


async def test_the_password_is_wrong(make_context: MakeContext, shop: Shop) -> None:
    """A refused password names the variable and not the password."""
    fact = await look(make_context({"SHOP_READ": shop.url("shop_read", "wrong-password-1")}), "SELECT 1")
    assert fact.error == "The database «main» refused the user or password in SHOP_READ: put it right there."


async def test_the_database_is_gone(make_context: MakeContext, shop: Shop) -> None:
    """A database that does not exist is named by its variable."""
    fact = await look(make_context({"SHOP_READ": replace(shop, name="gone").url("shop_read")}), "SELECT 1")
    assert "names a database that does not exist" in fact.error


async def test_settings_that_are_missing_or_senseless(make_context: MakeContext) -> None:
    """An unset variable and a nonsense address are said to the operator."""
    assert "SHOP_READ is not set" in (await look(make_context({"SHOP_READ": ""}), "SELECT 1")).error
    assert "SHOP_READ is not the address" in (await look(make_context({"SHOP_READ": "nonsense"}), "SELECT 1")).error
    fact = await look(make_context(), "SELECT 1", database="other")
    assert "no database «other»" in fact.error


async def test_the_connection_breaks_in_the_middle(context: StepContext, shop: Shop) -> None:
    """A session that is ended under us is a failed fact, and the next look works."""
    running = asyncio.create_task(look(context, "SELECT count(*) FROM generate_series(1, 1000000000)"))
    await ended_when_active(shop, "generate_series")
    fact = await running
    assert fact.status is FactStatus.FAILED
    assert "broke" in fact.error
    assert (await look(context, "SELECT 1")).status is FactStatus.DONE


async def test_cancelling_stops_the_statement(context: StepContext, shop: Shop) -> None:
    """A look that is given up does not go on at the server."""
    running = asyncio.create_task(look(context, "SELECT count(*) FROM generate_series(1, 1000000001)"))
    await active(shop, "1000000001")
    running.cancel()
    async with asyncio.timeout(4):
        with pytest.raises(asyncio.CancelledError):
            await running
        await shop.until(f"SELECT 1 WHERE NOT EXISTS ({ACTIVE} AND query LIKE '%1000000001%')")


async def test_looks_at_once_share_the_pool(context: StepContext) -> None:
    """Twenty looks at once all answer."""
    facts = await asyncio.gather(*(look(context, "SELECT :n::int AS n", bind={"n": n}) for n in range(20)))
    assert [fact.value["row"]["n"] for fact in facts] == list(range(20))


async def active(shop: Shop, part: str) -> int:
    """Wait until it runs, and give its pid."""
    (found, *_) = await shop.until(f"{ACTIVE} AND query LIKE '%{part}%'")
    return int(found["pid"])


async def ended_when_active(shop: Shop, part: str) -> None:
    """End the session that runs this."""
    pid = await active(shop, part)
    connection: asyncpg.Connection[asyncpg.Record] = await shop.connect()
    await connection.execute("SELECT pg_terminate_backend($1)", pid)
    await connection.close()


def test_lint_of_checks() -> None:
    """Everything wrong is said at once, each at its field."""
    spec = SqlSpec(query="DELETE FROM t WHERE a = :a", database="nope", bind={"b": 1}, autocommit=True)
    fields = [complaint.field for complaint in Sql().lint(spec, Section.CHECKS, SYSTEM)]
    assert fields == ["database", "bind.b", "query", "autocommit"]
    assert list(Sql().lint(SqlSpec(query="SELECT 1"), Section.CHECKS, SYSTEM)) == []
    assert [each.field for each in Sql().lint(SqlSpec(query=["SELECT 1"]), Section.CHECKS, SYSTEM)] == ["query"]
