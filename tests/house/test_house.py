"""What the house promises of itself: sizes, tables that agree, documents that are true."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bot.domain.events import Happened
from bot.settings import table
from bot.slack.verbs import Verb
from bot.slack.views.words import sentence
from bot.steps.registry import KINDS
from commands import routes

pytestmark = pytest.mark.production

ROOT = Path(__file__).resolve().parents[2]
CODE = sorted(path for room in ("bot", "commands") for path in (ROOT / room).rglob("*.py"))
MAX_FILE, MAX_FUNCTION = 400, 40
# Longer for a reason: one arm an outcome, so that the compiler finds a missing one; one migration is one history.
_LINK = r"\]\((?!https?:|#|mailto:)([^)#]+)"
LONG_FUNCTIONS = {"_arm", "upgrade"}


def functions() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function of the code."""
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def test_no_file_is_too_long() -> None:
    """A file is read in one sitting."""
    long = {str(path.relative_to(ROOT)): n for path in CODE if (n := len(path.read_text().splitlines())) > MAX_FILE}
    assert long == {}


def test_no_function_is_too_long() -> None:
    """A function fits on a screen."""
    long = {
        f"{path.relative_to(ROOT)}:{node.name}": size
        for path, node in functions()
        if (size := (node.end_lineno or 0) - node.body[0].lineno + 1) > MAX_FUNCTION and node.name not in LONG_FUNCTIONS
    }
    assert long == {}


def test_every_module_says_what_it_is() -> None:
    """A module begins with the sentence that says what it is."""
    silent = [str(path.relative_to(ROOT)) for path in CODE if not ast.get_docstring(ast.parse(path.read_text()))]
    assert [path for path in silent if not path.endswith("migrations/versions/__init__.py")] == []


def test_every_public_function_is_documented() -> None:
    """Public functions say what they are for."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, node in functions()
        if not node.name.startswith("_") and not ast.get_docstring(node) and not _inner(path, node)
    ]
    assert silent == []


def _inner(path: Path, node: ast.AST) -> bool:
    """Whether a function stands inside another one."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for outer in ast.walk(tree):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(outer):
                if inner is not outer and getattr(inner, "lineno", 0) == getattr(node, "lineno", -1):
                    return True
    return False


def test_the_manifest_and_the_code_agree() -> None:
    """Every command of the manifest is handled, and every handled one is in it."""
    manifest = yaml.safe_load((ROOT / "app_manifest.yml").read_text(encoding="utf-8"))
    declared = {each["command"] for each in manifest["features"]["slash_commands"]}
    assert declared == set(routes().commands)
    callbacks = {each["callback_id"] for each in manifest["features"]["shortcuts"]}
    assert callbacks <= {str(verb) for verb in Verb}
    events = set(manifest["settings"]["event_subscriptions"]["bot_events"])
    assert {"app_mention", "app_home_opened"} <= events


def test_every_button_is_handled() -> None:
    """No verb that a view can put on a button or a form is without a handler."""
    views = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "bot" / "slack" / "views").glob("*.py"))
    used = {verb for verb in Verb if re.search(rf"Verb\.{verb.name}\b", views)}
    handled = set(routes().presses) | set(routes().forms)
    assert used - handled == set()


def test_every_event_has_its_sentence() -> None:
    """Nothing that can happen is without words."""
    for kind in Happened:
        assert sentence({"kind": kind, "actor": "U0ANA", "data": {}}).strip()


def test_the_settings_are_documented() -> None:
    """docs/settings.md shows every variable, as the code has it."""
    assert table() in (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def test_every_kind_is_documented() -> None:
    """The page on the runbook language names every kind of step."""
    page = (ROOT / "runbooks" / "README.md").read_text(encoding="utf-8")
    assert [name for name in KINDS if f"`{name}`" not in page] == []


def test_dependencies_are_pinned() -> None:
    """What is installed today is installed tomorrow."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *project["optional-dependencies"]["dev"],
        *project["optional-dependencies"]["sandbox"],
    ]
    assert [each for each in wanted if "==" not in each and not each.startswith("runbook-bot")] == []


def cases_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every test of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def test_the_threat_model_names_tests_that_exist() -> None:
    """Every row of docs/security.md is held up by a test, and every test it names is there."""
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) > 30
    there = {(file, test.name) for file in {file for file, _ in named} for test in cases_of(ROOT / file)}
    assert [f"{file}::{name}" for file, name in named if (file, name) not in there] == []
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| Threat")]
    assert [row for row in rows if "::test_" not in row] == []


# The rows of the list of known failures of such bots that are about approval.
FAILURE_MODES = frozenset({*range(5, 15), 16, *range(20, 33), 34})


def test_every_failure_mode_of_approval_has_its_test() -> None:
    """Each row is named by the docstring of a test that would fail if it happened here."""
    named: set[int] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for test in cases_of(path):
            found = re.match(r"Failure modes? ([\d, and]+):", ast.get_docstring(test) or "")
            named |= {int(number) for number in re.findall(r"\d+", found[1])} if found else set()
    assert FAILURE_MODES - named == set()


def test_links_in_documents_lead_somewhere() -> None:
    """A relative link in a document points at something that is there."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "runbooks").rglob("*.md")]
    links = [(page, target) for page in pages for target in re.findall(_LINK, page.read_text(encoding="utf-8"))]
    assert links
    assert [f"{page.name}: {target}" for page, target in links if not (page.parent / target).exists()] == []


def test_commands_start_runs_in_one_place() -> None:
    """In which mode somebody starts a run is decided in one place: no command goes around it."""
    starting = [path.name for path in (ROOT / "commands").glob("*.py") if "response.start(" in path.read_text()]
    assert starting == ["support.py"]
