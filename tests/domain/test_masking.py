"""What support people do not see: values by the names of their columns, and the same values in words."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.authoring.templates import compile_template
from bot.domain.facts import Fact, FactStatus
from bot.domain.masking import MASK, Censor, Mask, Masked, token
from bot.domain.runbook import Check
from bot.domain.system import SupportRule
from bot.runs.masking import Veil
from bot.steps.sql_origins import carrying

PEOPLE = Mask(("email", "*_Email", "name", "*phone*", "businesses.title"))


def test_names_decide() -> None:
    """A column is masked by its name, in any case, however deep it stands; what is null stays null."""
    row = {
        "id": 7,
        "EMAIL": "a@b.test",
        "owner_email": None,
        "card": {"Name": "Iris", "last4": "4242"},
        "mobile_phone": 5,
    }
    masked = PEOPLE.over({"rows": [row], "count": 1})
    assert masked["rows"][0] == {**row}
    assert str(masked) == str(
        {
            "rows": [
                {
                    "id": 7,
                    "EMAIL": MASK,
                    "owner_email": None,
                    "card": {"Name": MASK, "last4": "4242"},
                    "mobile_phone": MASK,
                }
            ],
            "count": 1,
        }
    )


def test_a_table_or_a_check_of_its_own() -> None:
    """`businesses.title` is the column of that table or check, and of no other."""
    assert not PEOPLE.hides("title")
    assert PEOPLE.of("businesses").hides("Title")
    assert not PEOPLE.of("plans").hides("title")


@pytest.mark.parametrize(
    "value",
    ["a@b.test", "", 5, True, Decimal("1.5"), datetime(2026, 1, 1, tzinfo=UTC), UUID(int=3), b"x", [1]],
)
def test_a_mask_tells_nothing_but_whether_it_is_the_same(value: Any) -> None:
    """However it is printed a masked value reads as the mask; compared, it is what it stands for."""
    mask = Masked(value)
    assert {str(mask), f"{mask}", mask[:], "".join([mask]), mask.upper(), repr(mask)} == {MASK, repr(MASK)}
    assert mask == value
    assert mask == Masked(value)
    assert mask != "something else"
    assert mask != Masked("something else")


def test_a_sentence_stays_true() -> None:
    """What a sentence compares is judged by the values, what it prints is masked."""
    say = "{{ a.email }}: {% if a.email == b.email %}same{% else %}different{% endif %}, {{ a.email|upper }}"
    for other, said in (("x@y.test", "same"), ("z@y.test", "different")):
        scope = PEOPLE.over({"a": {"email": "x@y.test"}, "b": {"email": other}})
        assert compile_template(say).render(scope) == f"{MASK}: {said}, {MASK}"


def test_known_values_in_words() -> None:
    """Masked values are found in any sentence, whole words only, in any case; addresses and telephone numbers are found
    even where nobody knew them."""
    censor = Censor(PEOPLE, ["Iris Holm", "Bo", "a"])
    said = censor.words("IRIS HOLM wrote to who@else.test, call +49 30 123 45 67. Bo, not Bob, on 2026-11-21 at 10:30.")
    assert said == f"{MASK} wrote to {MASK}, call {MASK}. {MASK}, not Bob, on 2026-11-21 at 10:30."
    assert Censor(Mask(("name",)), []).words("who@else.test") == "who@else.test"


@given(st.text(min_size=2).map(str.strip).filter(lambda text: len(text) > 1 and any(map(str.isalnum, text))))
def test_no_known_value_is_left_in_words(known: str) -> None:
    """A known value of any signs is found again in a sentence, as it is and in capitals."""
    censor = Censor(PEOPLE, [known])
    for said in (known, known.upper()):
        assert f" {said} " not in censor.words(f"This is {said} .") or len(said) != len(known)


def test_a_token_tells_nothing() -> None:
    """What stands for a masked choice is the same each time, and not the choice."""
    assert token("a@b.test") == token("a@b.test") != token("b@b.test")
    assert "a@b" not in token("a@b.test")


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("SELECT name AS customer, id FROM b", {"customer"}),
        ("SELECT upper(b.owner_email) FROM b", {"upper"}),
        ("SELECT title, 1 AS one FROM businesses", {"title"}),
        ("SELECT b.title AS what FROM businesses b JOIN plans p ON true", {"what"}),
        ("SELECT p.title FROM businesses b JOIN plans p ON true", set()),
        ("SELECT * FROM businesses", {"title"}),
        ("WITH w AS (SELECT name AS who FROM b) SELECT who AS other FROM w", {"who", "other"}),
        ("WITH w (x, y) AS (SELECT id, name FROM b) SELECT y AS other FROM w", {"y", "other"}),
        (
            "SELECT (SELECT min(name) FROM c) AS lowest, left(email, 3) || '…' AS begin FROM b",
            {"lowest", "begin", "min"},
        ),
        ("SELECT id AS a FROM b UNION SELECT name FROM c", {"a"}),
        ("SELECT x.who FROM (SELECT name AS who FROM b) x", {"who"}),
        ("SELECT CASE WHEN email = 'x' THEN 'yes' ELSE name END AS c FROM b", {"c"}),
    ],
)
def test_an_alias_hides_nothing(statement: str, found: set[str]) -> None:
    """A masked value is masked under whatever name a query gives it."""
    assert carrying(statement, PEOPLE) == frozenset(found)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(email) AS n, email IS NULL AS none, length(name) AS size FROM b",
        "SELECT name = 'x' AS same, CASE WHEN email = 'x' THEN 1 ELSE 2 END AS kind FROM b",
        "SELECT id FROM b WHERE email = 'x' ORDER BY name",
    ],
)
def test_what_only_counts_or_compares_is_shown(statement: str) -> None:
    """How many there are, whether it is there and how it compares is what support has to know."""
    assert carrying(statement, PEOPLE) == frozenset()


def test_what_cannot_be_read_is_masked_whole() -> None:
    """Whatever a check's statement carries, if nobody can tell, nothing of it is shown."""
    rule = SupportRule("helpdesk", PEOPLE)
    veil = Veil.over(rule, {"odd": Check("odd", "Odd", "sql", {"query": "no SQL at all ("})})
    assert carrying("no SQL at all (", PEOPLE) is None
    assert str(veil.fact("odd", Fact(FactStatus.DONE, {"row": {"id": 7}})).value) == str({"row": {"id": MASK}})
