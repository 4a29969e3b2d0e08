"""Whatever a document holds, loading it gives a runbook or problems, and never raises."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.authoring.loader import load_runbook, load_system
from tests.authoring.samples import RUNBOOK, a_system

pytestmark = pytest.mark.authoring

_WORDS = st.sampled_from(
    [
        "id",
        "title",
        "severity",
        "resolve_within",
        "inputs",
        "checks",
        "findings",
        "actions",
        "sql",
        "when",
        "say",
        "propose",
        "approve",
        "verify",
        "undo",
        "type",
        "account",
        "business_id",
        "compute",
        "ask",
        "manual",
        "notify",
        "wait",
        "stripe",
        "http",
        "P1",
        "20m",
        "true",
        "{{",
        "x",
        "}}",
        "automatic",
        "none",
        "query",
        "bind",
    ]
)
_LEAF = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False), _WORDS, st.text(max_size=10)
)
_TREE = st.recursive(
    _LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=5), max_leaves=25
)


@given(st.text(max_size=300) | st.binary(max_size=300))
def test_loaders_never_raise_on_arbitrary_text(text: str | bytes) -> None:
    """Any text gives a runbook or problems, and so does any system text."""
    runbook, problems = load_runbook(text, "x.yaml", a_system())
    assert runbook is not None or problems
    system, problems = load_system(text, "x.yaml")
    assert system is not None or problems


@given(_TREE, _TREE, _TREE, _TREE)
def test_loaders_never_raise_on_arbitrary_documents(
    inputs: object, checks: object, findings: object, actions: object
) -> None:
    """Any document with the right sections and anything in them gives a runbook or problems with lines."""
    head = {"id": "RB-001", "title": "Any", "severity": "P3", "resolve_within": "1h"}
    step = {
        "checks": {"a": checks, "b": {"sql": checks, "bind": inputs}},
        "actions": {"c": actions, "d": {"notify": actions}},
    }
    for body in (step, {"inputs": inputs, "checks": checks, "findings": findings, "actions": actions}):
        text = yaml.safe_dump({**head, **body}, allow_unicode=True)
        runbook, problems = load_runbook(text, "x.yaml", a_system())
        assert runbook is not None or problems
        assert all(1 <= problem.line <= text.count("\n") + 2 for problem in problems)


@given(st.integers(0, 40), st.integers(0, 40), _WORDS)
def test_loaders_never_raise_on_damaged_runbooks(line: int, other: int, word: str) -> None:
    """A runbook with lines lost, swapped or overwritten gives a runbook or problems."""
    lines = RUNBOOK.splitlines()
    first, second = line % len(lines), other % len(lines)
    lines[first], lines[second] = lines[second], f"{lines[first][: other % 20]}{word}"
    runbook, problems = load_runbook("\n".join(lines), "x.yaml", a_system())
    assert runbook is not None or problems
