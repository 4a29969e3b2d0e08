"""Expressions and templates: what they can do for an author, and everything they refuse to do for an attacker."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, meta

from bot.authoring.filters import FUNCTIONS
from bot.authoring.templates import (
    EmptyFact,
    TemplateError,
    UndefinedFact,
    compile_expression,
    compile_template,
)

pytestmark = pytest.mark.authoring

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SCOPE: dict[str, Any] = {
    "now": NOW,
    "business_id": "b-1",
    "inputs": {"business_id": "b-1"},
    "account": {
        "ok": True,
        "row": {
            "name": "Corner Bakery",
            "items": 3,
            "count": 2,
            "values": "v",
            "keys": "k",
            "get": "g",
            "reason": None,
            "balance": Decimal("12.50"),
            "frozen_at": NOW - timedelta(hours=3),
        },
        "rows": [{"id": 1, "status": "open"}, {"id": 2, "status": "paid"}],
    },
}


def value(text: str) -> Any:
    return compile_expression(text).evaluate(SCOPE)


def text_of(text: str) -> str:
    return compile_template(text).render(SCOPE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("account.row.items + account.row.count", 5),
        ("account.row.values ~ account.row.keys ~ account.row.get", "vkg"),
        ("account.row.reason is none and account.row.reason is empty", True),
        ("account.row.frozen_at < now - hours(2)", True),
        ("account.row.frozen_at is past and (now + days(1)) is future", True),
        ("account.row.balance * 2 == 25", True),
        ("account.row.balance + 0.1 == 12.6", True),
        ("account.rows|selectattr('status', 'eq', 'paid')|map(attribute='id')", [2]),
        ("account.rows|map(attribute='id')|sum", 3),
        ("account.rows[0].id", 1),
        ("nothing|default('none given')", "none given"),
        ("nothing is defined", False),
        ("'PAID'.lower() in account.rows|map(attribute='status')", True),
        ("1790000000|moment > now", False),
        ("(now - account.row.frozen_at)|duration", "3 h"),
        ("range(3)|length", 3),
        ("{'a': 1}.get('b', 2)", 2),
        ("'7'|int + 1", 8),
        ("account.row.frozen_at|iso", "2026-11-21T05:00:00+00:00"),
    ],
)
def test_expression_gives(text: str, expected: Any) -> None:
    """An expression gives the value an author expects, fields of records before everything else."""
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "{{ 2900|money('usd') }} · {{ 500|money('jpy') }} · {{ 1500|money('kwd') }}",
            "29.00 USD · 500 JPY · 1.500 KWD",
        ),
        ("{{ account.row.frozen_at|ago }}, {{ (now + minutes(5))|ago }}", "3 h ago, in 5 min"),
        ("{{ now|when }} / {{ now|date }} / {{ now|time }}", "21 Nov 2026, 08:00 UTC / 21 Nov 2026 / 08:00 UTC"),
        ("{{ 1|count('row') }}, {{ account.rows|count('row') }}", "1 row, 2 rows"),
        ("{{ 2|plural('delivery', 'deliveries') }}", "deliveries"),
        ("{{ 1234.5|number(2) }} {{ account.row.balance }} {{ true }}", "1,234.50 12.50 yes"),
        ("{{ account.row.reason }}|{{ account.row.reason or 'no reason' }}", "empty|no reason"),
        ("{% for row in account.rows %}{{ row.id }}{{ '' if loop.last else ', ' }}{% endfor %}", "1, 2"),
        ("{% if account.ok %}\nyes\n{% endif %}", "yes\n"),
        ("{{ account.rows|map(attribute='id')|join(', ', ' and ') }}", "1 and 2"),
        ("{{ seconds(7500)|duration }} {{ '0.2'|decimal|duration }}", "2 h 5 min 200 ms"),
        ("{{ account.rows[0] }}", '{"id": 1, "status": "open"}'),
    ],
)
def test_template_reads(text: str, expected: str) -> None:
    """A template reads the way people read: money with its currency, times in UTC, null as empty."""
    assert text_of(text) == expected


def test_names_are_known_before_anything_runs() -> None:
    """The names a text reads are known from its text alone: they are the edges of the graph of checks."""
    assert compile_expression("a.row.x == b and c is defined and range(3)").names == {"a", "b", "c"}
    assert compile_template("{% for row in a.rows %}{{ row.x }}{{ inputs.who }}{% endfor %}").names == {"a", "inputs"}
    assert compile_template("{{ inputs.who }}").inputs == {"who"}


@pytest.mark.parametrize(
    "text", ["nothing", "nothing.row", "account.nothing", "account.row.nothing", "account.rows[9].id", "not nothing"]
)
def test_what_is_not_there_has_its_own_error(text: str) -> None:
    """A fact that is not there yet is told apart from every other error, and the sentence names it."""
    with pytest.raises(UndefinedFact, match=r"nothing|9"):
        value(text)


def test_null_where_a_value_is_needed_has_its_own_error() -> None:
    """A null never becomes the text of a value, which a filter would take for "all"."""
    with pytest.raises(EmptyFact, match="is empty"):
        compile_template("{{ account.row.reason }}").render(SCOPE, nulls=False)


ATTACKS = [
    "''.__class__",
    "account.__class__.__mro__",
    "account['__class__']",
    "()|attr('__class__')",
    "account.rows|map(attribute='__class__')",
    "account.rows|map('attr', '__class__')",
    "'{}'.format(account)",
    "'{0.__class__}'.format(account)",
    "'%s' % account",
    "'%1000000000s' % 1",
    "'{:>1000000000}'.format(1)",
    "'a' * 10**9",
    "[1] * 10**9",
    "10**10**10",
    "2 ** 20 ** 20",
    "10**20 * 10**20 * 10**20",
    "range(10**9)",
    "range(10**9)|list",
    "'a'.ljust(10**9)",
    "'a'.center(10**9)",
    "'1'.zfill(10**9)",
    "'a'|center(1000000000)",
    "'a'|indent(1000000000)",
    "'aaaa'|replace('a', 'b' * 1000000)",
    "'aaaa'|replace('', 'b')",
    "'1e999999999'|decimal",
    "'1e999999999'|int",
    "'9' * 5000",
    "lipsum()",
    "cycler('a')",
    "namespace(a=1)",
    "dict(a=1)",
    "joiner(',')",
    "account.row.update({'a': 1})",
    "account.rows.append(1)",
    "account.rows.pop()",
    "account.rows.clear()",
    "account.row.items()",
    "now.replace(year=1)",
    "now.__reduce__()",
    "days.__globals__",
    "days(10**12)",
    "self",
    "_limits",
    "_limits.work",
    "loop",
    "caller()",
    "varargs",
    "'(a+)+$' is match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!')",
    "account.rows|groupby('id')",
    "account|xmlattr",
    "account|pprint",
    "account|random",
    "range(1000)|map('string')|map('list')",
    "account.rows|map('_paid', -1000000)|list|join|nothing",
    "(lambda: 1)()",
    "[x for x in account]",
    "import os",
    "1 if",
    "account..row",
    "account.row[",
    "",
    "   ",
    "{{ account }}",
    "(" * 3000,
    "-" * 3000 + "1",
    "not " * 900 + "true",
    "a" + ".a" * 1900,
    "1" * 3999,
    "1 + " * 1300 + "1",
    "x" * 5000,
    "days(*account.rows)",
    "days(**account.row)",
]


@pytest.mark.parametrize("text", ATTACKS)
def test_expression_refuses(text: str) -> None:
    """Whatever reaches outside, changes something or would never end is refused at once, with a sentence."""
    started = time.perf_counter()
    with pytest.raises(TemplateError) as refused:
        value(text)
    assert time.perf_counter() - started < 2
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize(
    "text",
    [
        "{% set x = 1 %}",
        "{% set x %}a{% endset %}",
        "{% macro m() %}{% endmacro %}",
        "{% call m() %}{% endcall %}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% from 'x' import y %}",
        "{% extends 'x' %}",
        "{% block x %}{% endblock %}",
        "{% with x = 1 %}{% endwith %}",
        "{% filter upper %}a{% endfilter %}",
        "{% autoescape true %}{% endautoescape %}",
        "{% do account.rows.append(1) %}",
        "{% for a in [1] %}{% for b in [1] %}{% for c in [1] %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}",
        "{% for a in range(1000) %}{{ account }}{% endfor %}",
        "{% for a in account.rows recursive %}{{ loop(a) }}{% endfor %}",
        "{{ loop.cycle('a') }}",
        "{% for a in [1] %}{{ loop.__class__ }}{% endfor %}",
        "{% for self in [1] %}{% endfor %}",
        "{{ account.row.items.__call__ }}",
        "{{ ",
        "{% if %}",
        "{% endfor %}",
        "{{ x " * 2000,
        "x" * 20_001,
        "{{ days }}",
        "{{ 'a'.lower }}",
    ],
)
def test_template_refuses(text: str) -> None:
    """Templates can say what is there, in bounded time and length, and nothing else."""
    started = time.perf_counter()
    with pytest.raises(TemplateError):
        text_of(text)
    assert time.perf_counter() - started < 2


def test_template_is_not_changed_by_what_it_reads() -> None:
    """Text that looks like a template stays text: values are never rendered."""
    assert compile_template("{{ a }}").render({"a": "{{ b }}{% set c = 1 %}"}) == "{{ b }}{% set c = 1 %}"


def test_long_fact_is_refused_not_cut() -> None:
    """A text beyond 20,000 characters is an error: half a message is worse than none."""
    with pytest.raises(TemplateError, match="20,000"):
        compile_template("{{ a }}").render({"a": "x" * 20_001})


def test_hint_for_habits_from_other_languages() -> None:
    """What people bring along from other languages is answered with our word for it."""
    for text, word in (("a && b", "and"), ("a || b", "or"), ("a = 1", "=="), ("!a", "not")):
        with pytest.raises(TemplateError) as refused:
            compile_expression(text)
        assert f"«{word}»" in refused.value.hint


@given(st.text(max_size=200))
def test_any_text_is_answered_with_our_errors_only(text: str) -> None:
    """Arbitrary text compiles and gives a value, or raises our error and no other."""
    for compile_ in (compile_expression, compile_template):
        try:
            compiled = compile_(text)
            if hasattr(compiled, "evaluate"):
                compiled.evaluate(SCOPE)
            else:
                compiled.render(SCOPE)
        except TemplateError:
            continue


_ATOMS = st.sampled_from(
    ["account", "account.row", "account.rows", "now", "1", "1.5", "'a'", "[]", "none", "account.row.balance", "nothing"]
)
_OPERATORS = st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "~", "==", "<", "in", "and", "or", "is"])
_FILTERS = st.sampled_from(
    ["length", "int", "money", "ago", "duration", "sum", "sort", "join", "count", "number", "date"]
)


@given(st.lists(st.tuples(_ATOMS, _OPERATORS, _FILTERS), min_size=1, max_size=5))
def test_any_expression_is_answered_with_our_errors_only(parts: list[tuple[str, str, str]]) -> None:
    """Whatever operators and filters do to values that do not fit, our error says so."""
    text = " ".join(f"({atom}|{name}) {sign}" for atom, sign, name in parts) + " 1"
    with contextlib.suppress(TemplateError):
        value(text)


_NAMES = st.sampled_from(["a", "b", "inputs", "days", "loop"])
_TEXTS = st.recursive(
    st.builds("{{{{ {}.x|default({}) }}}}".format, _NAMES, _NAMES),
    lambda inner: st.one_of(
        st.builds("{{% for {} in {}.rows if {} %}}{}{{% else %}}{}{{% endfor %}}".format, *[_NAMES] * 3, inner, inner),
        st.builds("{{% for {}, {} in {} %}}{}{{% endfor %}}{}".format, *[_NAMES] * 3, inner, inner),
        st.builds("{{% if {} %}}{}{{% elif {} %}}{}{{% endif %}}".format, _NAMES, inner, _NAMES, inner),
    ),
    max_leaves=8,
)


@given(_TEXTS)
def test_names_are_those_that_jinja_would_look_up(text: str) -> None:
    """What a loop gives is its own; everything else is read from outside, as Jinja itself sees it."""
    try:
        names = compile_template(text).names
    except TemplateError:
        return
    environment = Environment()
    assert names == meta.find_undeclared_variables(environment.parse(text)) - FUNCTIONS.keys()


@pytest.mark.parametrize(
    "step", ["X if a else b", "X|default(a, b)", "X + a", "days(X)", "X in a", "[X]", "not X", "a ~ X"]
)
@pytest.mark.parametrize("around", ["{{% if {} %}}{{{{ {} }}}}{{% endif %}}", "{{{{ {} }}}}"])
def test_what_is_checked_can_be_compiled(step: str, around: str) -> None:
    """Code is made when a text is first come to: the deepest nesting that is let through is no surprise then."""
    inside, deepest = "a", ""
    while len(deepest) < 4_000:
        text = around.replace("{}", inside).format()
        try:
            compile_template(text)
        except TemplateError:
            break
        deepest, inside = text, f"({step.replace('X', inside)})"
    assert deepest.count("(") > 30
    complaint = ""
    try:
        compile_template(deepest).render({"a": 1, "b": 2})
    except TemplateError as error:
        complaint = str(error)
    assert "too complicated" not in complaint


def test_the_deepest_conditions_can_be_compiled() -> None:
    """As many conditions inside each other as are let through."""
    text, deepest = "x", ""
    with contextlib.suppress(TemplateError):
        while True:
            compile_template(text)
            deepest, text = text, f"{{% if a %}}{text}{{% endif %}}"
    assert deepest.count("endif") > 30
    assert compile_template(deepest).render({"a": 1}) == "x"
