"""Documents beside this file: valid ones load without a word, each invalid one has its expected problems beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.authoring.loader import load_runbook, load_system
from bot.authoring.problems import Level, as_text
from bot.domain.system import System

pytestmark = pytest.mark.authoring

HERE = Path(__file__).parent
VALID = sorted((HERE / "valid").glob("*.yaml"))
INVALID = sorted((HERE / "invalid").glob("*.yaml"))


@pytest.fixture(scope="module")
def system() -> System:
    """The system the examples belong to."""
    found, problems = load_system((HERE / "system.yaml").read_bytes(), "system.yaml")
    assert found is not None, as_text(problems)
    return found


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_valid_example_loads_without_a_word(file: Path, system: System) -> None:
    """A valid document gives a runbook and no problem at all."""
    runbook, problems = load_runbook(file.read_bytes(), file.name, system)
    assert as_text(problems) == ""
    assert runbook is not None


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)
def test_invalid_example_has_its_problems(file: Path, system: System) -> None:
    """An invalid document gives exactly the problems beside it: all of them, each with line, path and hint."""
    runbook, problems = load_runbook(file.read_bytes(), file.name, system)
    expected = file.with_suffix(".problems").read_text(encoding="utf-8")
    assert as_text(problems) + "\n" == expected
    assert (runbook is None) == any(problem.level is Level.ERROR for problem in problems)


def test_every_expectation_has_its_example() -> None:
    """No expected problems are left over from an example that is gone."""
    assert {file.stem for file in (HERE / "invalid").glob("*.problems")} == {file.stem for file in INVALID}
