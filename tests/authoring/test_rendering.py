"""Specs with values: what is marked is rendered, statements never are, and names are bound."""

from __future__ import annotations

from typing import Any

import pytest

from bot.authoring.marks import marked
from bot.authoring.rendering import render_spec, statement_names
from bot.authoring.templates import EmptyFact, TemplateError, UndefinedFact
from bot.steps.registry import KINDS

pytestmark = pytest.mark.authoring

SCOPE: dict[str, Any] = {
    "business_id": "b-1",
    "account": {"row": {"name": "O'Brien'); DROP TABLE x;--", "customer": "cus_1", "none": None}, "rows": [{"id": 1}]},
}


def rendered(kind: str, **spec: Any) -> Any:
    return render_spec(KINDS[kind], spec, SCOPE)


def test_statement_is_never_rendered() -> None:
    """Text of a statement stays as it was written, braces and all; values come by name only."""
    query = "SELECT '{{ account.row.name }}' WHERE id = :business_id AND name = :name AND x = ':no' -- :neither"
    made = rendered("sql", query=query, bind={"name": "account.row.name"})
    assert made.query == query
    assert made.bind == {"name": "O'Brien'); DROP TABLE x;--", "business_id": "b-1"}


def test_every_statement_of_a_list_is_bound() -> None:
    """The names of all statements are bound, each once."""
    made = rendered("sql", query=["UPDATE a SET b = :business_id", "UPDATE c SET d = :account"])
    assert made.bind == {"business_id": "b-1", "account": SCOPE["account"]}
    assert statement_names(KINDS["sql"], {"query": ["SELECT :a", "SELECT :b, :a"]}) == ("a", "b")


def test_name_that_nothing_binds_is_an_undefined_fact() -> None:
    """A name that is neither bound nor in the scope is a fact that is not there."""
    with pytest.raises(UndefinedFact, match=":missing"):
        rendered("sql", query="SELECT :missing")


def test_templates_and_expressions_are_rendered_deep() -> None:
    """Marked fields are rendered in mappings and lists, and what is not text stays as it is."""
    made = rendered("http", get="/x/{{ business_id }}", query={"a": "{{ account.row.customer }}", "b": 5})
    assert made.get == "/x/b-1"
    assert made.query == {"a": "cus_1", "b": 5}
    assert rendered("compute", values={"n": "account.rows|length", "m": 7}).values == {"n": 1, "m": 7}
    made = rendered(
        "ask", question="Which of {{ account.rows|length }}?", choose={"from": "account.rows", "value": "id"}
    )
    assert (made.question, made.choose.from_) == ("Which of 1?", [{"id": 1}])


def test_null_and_missing_name_their_place() -> None:
    """A text that needs a null, and one that reads what is not there, say which field of the step it was."""
    with pytest.raises(EmptyFact, match=r"^customer: "):
        rendered("stripe", list="invoices", customer="{{ account.row.none }}")
    with pytest.raises(UndefinedFact, match=r"^values\.a: .*nothing"):
        rendered("compute", values={"a": "nothing.row"})


def test_value_that_does_not_fit_is_a_sentence() -> None:
    """A spec that its kind does not take with these values is our error, not the model's."""
    with pytest.raises(TemplateError, match="say exactly one of"):
        rendered("stripe", customer="cus_1")


def test_marks_are_found_with_their_places() -> None:
    """Every marked text is found with the place where it stands."""
    spec = {"list": "invoices", "customer": "{{ a }}", "since": "b.row.at", "params": {"x": ["{{ c }}"]}, "limit": 5}
    assert marked(KINDS["stripe"].spec, spec) == [
        ("template", "{{ a }}", ("customer",)),
        ("expression", "b.row.at", ("since",)),
        ("template", "{{ c }}", ("params", "x", 0)),
    ]
