"""Runbooks held against the facts of their sources: what counts as carried, and what is said to be missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.authoring.coverage import coverage
from bot.authoring.loader import catalogue_at
from bot.errors import Misconfigured
from tests.authoring.samples import RUNBOOK, SYSTEM
from tests.authoring.test_operations import CALENDAR, LADDERS, MONITORS

pytestmark = pytest.mark.authoring

SHIPPED = Path(__file__).resolve().parents[2] / "runbooks"
SOURCES = SHIPPED.parent / "tests" / "coverage"
FACTS = """
runbooks: {RB-001: Account is frozen}
steps: {RB-001.D1: read the account, RB-001.D2: read the tea leaves}
changes: {RB-001.R1: release the account}
monitors: {M1: frozen businesses}
"""
CARRIED = """
RB-001: RB-001
RB-001.D1: [RB-001.checks.account, RB-001.findings.frozen]
RB-001.D2: {because: tea says nothing about accounts}
RB-001.R1: RB-001.actions.unfreeze
M1: monitors.many_frozen
"""


def held(folder: Path, carried: str, facts: str = FACTS) -> tuple[str, ...]:
    """What is wrong when these facts are carried so by the shop's files."""
    shop, sources = folder / "tree" / "shop", folder / "facts" / "shop"
    shop.mkdir(parents=True)
    sources.mkdir(parents=True)
    files = {"system": SYSTEM, "RB-001": RUNBOOK, "monitors": MONITORS, "calendar": CALENDAR, "escalation": LADDERS}
    for name, text in files.items():
        (shop / f"{name}.yaml").write_text(text)
    (sources / "facts.yaml").write_text(facts)
    (sources / "carried.yaml").write_text(carried)
    (found,) = coverage(catalogue_at(folder / "tree"), folder / "facts")
    assert found.system == "shop"
    assert sum(each.facts for each in found.kinds) == 5
    return found.wrong


def test_everything_is_carried(tmp_path: Path) -> None:
    """A fact is carried by a place or several, or by a reason not to carry it."""
    assert held(tmp_path, CARRIED) == ()


@pytest.mark.parametrize(
    "place",
    [
        "RB-001",
        "RB-001.inputs.business_id",
        "RB-001.symptoms/CANNOT send",
        "system.templates.paid",
        "system.contacts.lead",
        "system.severities.P1",
        "appointments.first",
        "windows.upkeep",
        "ladders.urgent",
        "operations.notes/gives no time",
    ],
)
def test_places(tmp_path: Path, place: str) -> None:
    """Every part of a system's files is a place."""
    assert held(tmp_path, CARRIED.replace("M1: monitors.many_frozen", f"M1: {place}")) == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("M1: monitors.many_frozen\n", "", "M1 (frozen businesses): not carried"),
        ("monitors.many_frozen", "monitors.few_frozen", "M1 (frozen businesses): there is no monitors.few_frozen"),
        ("checks.account,", "checks.accounts,", "RB-001.D1 (read the account): there is no RB-001.checks.accounts"),
        ("RB-001: RB-001\n", "RB-001: RB-001.symptoms/\n", "RB-001 (Account is frozen): there is no RB-001.symptoms/"),
        ("because: tea says nothing about accounts", "because: ''", "«because» gives no reason"),
        ("because: tea says nothing about accounts", "why: so", "«because» gives no reason"),
        ("RB-001.R1: RB-001.actions.unfreeze", "RB-001.R1: RB-001.checks.account", "a change is carried by an action"),
        ("RB-001.R1: RB-001.actions.unfreeze", "RB-001.R1: []", "neither places nor a reason"),
        ("M1:", "M2: RB-001\nM1:", "M2: there is no such fact"),
    ],
)
def test_what_is_not_carried_is_said(tmp_path: Path, old: str, new: str, said: str) -> None:
    """A fact without a place, with one that is not there, or a change that nothing gates, is said in a line."""
    carried = CARRIED.replace(old, new)
    assert carried != CARRIED
    (line,) = held(tmp_path, carried)
    assert said in line


def test_the_shipped_runbooks_carry_everything() -> None:
    """Each symptom, cause, step, branch, prevention, monitor, template and contradiction of the five sources has its
    place, and next to none of them a reason not to."""
    found = coverage(catalogue_at(SHIPPED), SOURCES)
    assert [line for each in found for line in each.wrong] == []
    assert sum(kind.facts for each in found for kind in each.kinds) > 1_400
    assert sum(kind.reasons for each in found for kind in each.kinds) < 20


def test_files_that_are_no_facts(tmp_path: Path) -> None:
    """A folder without facts, and files of another shape, end in a sentence."""
    with pytest.raises(Misconfigured, match=r"holds no facts\.yaml"):
        coverage(catalogue_at(SHIPPED), tmp_path)
    with pytest.raises(Misconfigured, match="is not of the shape"):
        held(tmp_path, CARRIED, facts="- a list")
