"""The page about the language: every example on it is read, and every expression gives what the page says."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.authoring.document import ActionDoc, CheckDoc, FindingDoc, InputDoc, RunbookDoc, SystemDoc
from bot.authoring.filters import FILTERS, FUNCTIONS, TESTS
from bot.authoring.ledger import written_fields
from bot.authoring.loader import load_runbook, load_system, load_tree
from bot.authoring.problems import Level, as_text
from bot.authoring.templates import compile_expression
from bot.domain.runbook import Probe
from bot.domain.system import System
from bot.steps.registry import KINDS
from tests.authoring.samples import a_system
from tests.authoring.stage import RUNBOOKS

pytestmark = pytest.mark.authoring

PAGE = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```yaml (\w+)\n(.*?)```", PAGE, re.DOTALL))
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SCOPE: dict[str, Any] = {
    "now": NOW,
    "account": {
        "failed": False,
        "row": {"is_frozen": True, "frozen_at": NOW - timedelta(hours=3), "reason": None},
    },
    "invoices": {"objects": [{"status": "open", "amount_due": 2900}, {"status": "paid", "amount_due": 2900}]},
}


def the_system() -> System:
    """The system of the page."""
    system, problems = load_system(BLOCKS["system"], "system.yaml")
    assert system is not None, as_text(problems)
    assert not problems
    return system


def test_runbook_of_the_page_loads() -> None:
    """The runbook on the page is without any problem in the system on the page."""
    runbook, problems = load_runbook(BLOCKS["runbook"], "RB-001.yaml", the_system())
    assert as_text(problems) == ""
    assert runbook is not None


def test_triage_of_the_page_loads(tmp_path: Path) -> None:
    """The lookups on the page are without any problem in the system on the page."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "system.yaml").write_text(BLOCKS["system"])
    (folder / "triage.yaml").write_text(BLOCKS["triage"])
    catalogue, problems = load_tree(tmp_path)
    assert as_text(problems) == ""
    assert list(catalogue.lookups["shop"].gives) == ["business_id"]


def test_operations_of_the_page_load(tmp_path: Path) -> None:
    """Monitors, calendar, ladders and alerts on the page are without any problem beside the page's runbook."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for name, block in (("system", "system"), ("RB-001", "runbook")):
        (folder / f"{name}.yaml").write_text(BLOCKS[block])
    for name in ("monitors", "calendar", "escalation", "alerts"):
        (folder / f"{name}.yaml").write_text(BLOCKS[name])
    catalogue, problems = load_tree(tmp_path)
    assert as_text(problems) == ""
    shop = catalogue.operations["shop"]
    assert (len(shop.monitors), len(shop.calendar.appointments), len(shop.ladders)) == (2, 1, 1)
    assert (len(shop.intake.sources), len(shop.intake.stripe), len(shop.intake.rules)) == (2, 2, 2)


def test_approvals_of_the_page_load() -> None:
    """Every way to write an approval is understood."""
    head = "id: RB-002\ntitle: Approvals\nseverity: P3\nresolve_within: 1h\nactions:\n"
    body = "".join(f"  {line}\n" for line in BLOCKS["actions"].splitlines())
    runbook, problems = load_runbook(head + body, "RB-002.yaml", a_system())
    assert [problem for problem in problems if problem.level is Level.ERROR] == []
    assert runbook is not None
    assert [action.policy.votes for action in runbook.actions.values()] == [1, 1, 2, 1, 2, 2, 1, 1]


def test_probes_of_the_page_fit() -> None:
    """A probe is a variable or a value of the input's type."""
    head = "id: RB-002\ntitle: Probes\nseverity: P3\nresolve_within: 1h\ninputs:\n"
    body = "".join(f"  {line}\n" for line in BLOCKS["probe"].splitlines())
    runbook, problems = load_runbook(head + body, "RB-002.yaml", a_system())
    assert as_text(problems) == ""
    assert runbook is not None
    assert [each.probe for each in runbook.inputs] == [Probe(env="SHOP_PROBE_BUSINESS"), Probe("eu")]
    _, problems = load_runbook(head + body.replace("probe: eu", "probe: mars"), "RB-002.yaml", a_system())
    assert [(each.path, each.message) for each in problems] == [
        ("inputs.region.probe", "The probe does not fit: «mars» is not a choice. Known here: eu, us.")
    ]


def test_expressions_of_the_page_give_what_it_says() -> None:
    """Each expression on the page gives the value written beside it."""
    examples = yaml.safe_load(BLOCKS["expressions"])
    assert len(examples) == 10
    for text, expected in examples.items():
        assert compile_expression(text).evaluate(SCOPE) == expected, text


def test_page_names_every_field_kind_filter_test_and_function() -> None:
    """What an author may write is on the page."""
    named = set(re.findall(r"[a-z_]+", PAGE))
    for model in (RunbookDoc, SystemDoc, InputDoc, CheckDoc, ActionDoc, FindingDoc):
        assert written_fields(model) <= named
    words = {name for name in TESTS if name.isalpha()} - {"equalto", "lessthan", "greaterthan", "true", "false"}
    assert set(FILTERS) | set(FUNCTIONS) | set(KINDS) | words <= named
