"""Folders of runbooks: every file's problems at once, what leads to what, lookups, and reloading."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.authoring.loader import load_tree, reload_tree
from bot.authoring.problems import Level, as_text
from tests.authoring.samples import RUNBOOK, SYSTEM, messages

pytestmark = pytest.mark.authoring


def _write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        target = folder / name.replace("__", "/")
        target.parent.mkdir(exist_ok=True)
        target.with_suffix(".yaml").write_text(text, encoding="utf-8")


def test_tree_reports_every_file_at_once(tmp_path: Path) -> None:
    """All problems of all files come together, and what is sound is in the catalogue all the same."""
    broken = RUNBOOK.replace("RB-001", "RB-002").replace("severity: P2", "severity: P9")
    _write(tmp_path, **{"shop__system": SYSTEM, "shop__RB-001": RUNBOOK, "shop__RB-002": broken, "shop__copy": RUNBOOK})
    _write(tmp_path, **{"alone__RB-009": RUNBOOK, "bad__system": "id: bad", "drills__x": ""})
    catalogue, problems = load_tree(tmp_path)
    assert [runbook.id for runbook in catalogue.list()] == ["RB-001"]
    assert {problem.file for problem in problems} == {
        "shop/RB-002.yaml",
        "shop/copy.yaml",
        "alone/system.yaml",
        "bad/system.yaml",
        "drills/system.yaml",
    }
    assert "«RB-001» is the id of shop/RB-001.yaml already." in messages(problems)


@pytest.mark.parametrize(
    ("leading", "said"),
    [
        ("RB-002, inputs: {business_id: business_id}", ""),
        ("RB-002", "RB-002 needs «business_id»."),
        ("RB-002, inputs: {business_id: business_id, busines: '1'}", "RB-002 has no input «busines»."),
        ("RB-003", "The system «shop» has no other runbook «RB-003»."),
        ("RB-001", "The system «shop» has no other runbook «RB-001»."),
        ("RB-009", "The system «shop» has no other runbook «RB-009»."),
        ("rb two", "This is not the id of a runbook."),
    ],
)
def test_a_step_leads_to_a_runbook_of_the_system(tmp_path: Path, leading: str, said: str) -> None:
    """Another runbook of the same system, with inputs that it has and all that it needs; else the line is named."""
    start = f"  next: {{title: Go on, runbook: {{start: {leading}}}}}\n"
    first = RUNBOOK.replace("actions:\n", f"actions:\n{start}", 1)
    other = SYSTEM.replace("id: shop", "id: other")
    second = RUNBOOK.replace("RB-001", "RB-002")
    _write(tmp_path, **{"shop__system": SYSTEM, "shop__RB-001": first, "shop__RB-002": second})
    _write(tmp_path, **{"other__system": other, "other__RB-009": RUNBOOK.replace("RB-001", "RB-009")})
    errors = [
        each for each in load_tree(tmp_path)[1] if each.level is Level.ERROR and each.path.startswith("actions.n")
    ]
    assert [each.message for each in errors] == ([said] if said else [])
    assert all(each.line == first.splitlines().index(start.rstrip()) + 1 for each in errors)


TRIAGE = """
inputs:
  business_id: {type: uuid, label: Business}
  email: {type: email, label: E-mail}
checks:
  by_email: {sql: "SELECT id FROM businesses WHERE email = :email"}
gives:
  business_id: [by_email.row.id]
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "", ""),
        ("business_id: [", "busines: [", "There is no input «busines»."),
        ("[by_email.row.id]", "[by_mail.row.id]", "«by_mail» is neither an input nor a check."),
        ("[by_email.row.id]", "['by_email.row.']", "expected name or number"),
        ("SELECT id FROM businesses WHERE email = :email", "DELETE FROM businesses", "not a reading statement"),
        (":email", ":mail", "Nothing is bound to «:mail»."),
        ("sql:", "manual:", "A lookup asks nobody."),
        ("gives:", "give:", "«give» is not a field here."),
        ("type: email", "type: mail", "not one of"),
    ],
)
def test_triage_is_held_to_account(tmp_path: Path, old: str, new: str, said: str) -> None:
    """A system's lookups are read with it; what is wrong with them is said like what is wrong with a runbook."""
    text = TRIAGE.replace(old, new) if old else TRIAGE
    _write(tmp_path, **{"shop__system": SYSTEM, "shop__triage": text})
    catalogue, problems = load_tree(tmp_path)
    assert all(problem.file == "shop/triage.yaml" for problem in problems)
    if said:
        assert any(said in message for message in messages(problems)), as_text(problems)
        return
    assert problems == []
    lookups = catalogue.lookups["shop"]
    assert ([each.required for each in lookups.inputs], list(lookups.checks)) == ([False, False], ["by_email"])


def test_tree_that_is_not_there(tmp_path: Path) -> None:
    """A folder that does not exist is a problem, not an exception."""
    catalogue, problems = load_tree(tmp_path / "nowhere")
    assert len(catalogue) == 0
    assert messages(problems) == ["There is no such folder."]


def test_reload_takes_what_changed_and_keeps_what_broke(tmp_path: Path) -> None:
    """Reloading takes changed and new files, drops deleted ones, and keeps a runbook whose file is broken now."""
    second, third = RUNBOOK.replace("RB-001", "RB-002"), RUNBOOK.replace("RB-001", "RB-003")
    _write(tmp_path, **{"shop__system": SYSTEM, "shop__RB-001": RUNBOOK, "shop__RB-002": second})
    catalogue, _ = load_tree(tmp_path)
    assert reload_tree(catalogue, tmp_path) == ((), [])
    _write(tmp_path, **{"shop__RB-001": RUNBOOK.replace("is frozen.", "is locked."), "shop__RB-003": third})
    (tmp_path / "shop" / "RB-002.yaml").unlink()
    assert reload_tree(catalogue, tmp_path)[0] == ("RB-001", "RB-002", "RB-003")
    _write(tmp_path, **{"shop__RB-001": "id: RB-001\n"})
    changed, problems = reload_tree(catalogue, tmp_path)
    assert changed == ()
    assert any(problem.level is Level.ERROR for problem in problems)
    assert [runbook.id for runbook in catalogue.list()] == ["RB-001", "RB-003"]
