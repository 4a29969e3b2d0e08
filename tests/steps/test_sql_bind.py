"""Binding: every value is a parameter of its type, whatever it holds; no value ever becomes text of a statement."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from bot.steps.sql_bind import Unfit, bind, fit, names
from bot.steps.sql_words import Unreadable

pytestmark = pytest.mark.runbooks

ID = "0b51ea83-5b0c-4d79-9d7a-0f4b8a1a6d3c"


def test_names_are_found_where_values_stand_and_nowhere_else() -> None:
    """Strings, quoted names, comments, casts and slices hold no names."""
    query = """SELECT a::uuid, b[1:n], ':no', ":no", $$:no$$, E'\\':no' -- :no
    /* :no */ FROM t WHERE x = :x AND y IN (:y,:z) AND w = ARRAY[:x] AND c =:d_1"""
    assert names(query) == ("x", "y", "z", "d_1")
    assert names(["SELECT :b", "SELECT :a, :b"]) == ("b", "a")


def test_each_name_becomes_one_number() -> None:
    """The same name is the same parameter, unless it is asked for apart."""
    assert bind("SELECT :a, :b, :a;").text == "SELECT $1, $2, $1"
    assert bind("SELECT :a, :b, :a", apart=True).order == ("a", "b", "a")


@pytest.mark.parametrize(
    ("kind", "given", "bound"),
    [
        ("uuid", ID, UUID(ID)),
        ("uuid", f" {ID.upper()} ", UUID(ID)),
        ("int4", "7", 7),
        ("int8", Decimal("7.0"), 7),
        ("numeric", "12.50", Decimal("12.50")),
        ("float8", "1.5", 1.5),
        ("bool", "Yes", True),
        ("bool", "0", False),
        ("text", 7, "7"),
        ("text", UUID(ID), ID),
        ("text", True, "true"),
        ("timestamptz", "2026-11-21T03:00:00Z", datetime(2026, 11, 21, 3, tzinfo=UTC)),
        ("timestamp", datetime(2026, 11, 21, 3, tzinfo=UTC), datetime(2026, 11, 21, 3)),
        ("date", "2026-11-21", date(2026, 11, 21)),
        ("interval", "90 minutes", timedelta(minutes=90)),
        ("interval", "5m", timedelta(minutes=5)),
        ("jsonb", {"a": [1, "ü"]}, '{"a": [1, "ü"]}'),
        ("uuid[]", [ID], [UUID(ID)]),
        ("int4[]", (1, "2"), [1, 2]),
        ("uuid", None, None),
    ],
)
def test_values_take_the_type_of_their_parameter(kind: str, given: Any, bound: Any) -> None:
    """What comes from a form or a fact fits the column it is compared with."""
    assert fit("x", kind, given) == bound


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("uuid", "' OR 1=1 --"),
        ("int4", "1; DROP TABLE t"),
        ("int4", 2**31),
        ("int4", True),
        ("int4", 1.5),
        ("numeric", "twelve"),
        ("bool", "maybe"),
        ("timestamptz", "yesterday"),
        ("timestamptz", "2026-11-21T03:00:00"),
        ("date", "21.11.2026"),
        ("interval", "a while"),
        ("text", "a\x00b"),
        ("text", "\ud800"),
        ("uuid[]", ID),
        ("int4[]", ["x"]),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(kind: str, given: Any) -> None:
    """A value that is not of the type is refused before anything is sent, and named."""
    with pytest.raises(Unfit) as caught:
        fit("who", kind, given)
    assert ":who" in caught.value.sentence


def test_a_numbered_parameter_of_the_author_is_refused() -> None:
    """Only names are bound, so that numbers cannot be mixed up."""
    with pytest.raises(Unreadable, match=":name"):
        bind("SELECT $1")
