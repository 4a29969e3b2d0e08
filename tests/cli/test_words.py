"""Help, mistakes and exit codes: one sentence each, what to do about it, and never a traceback."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from bot.cli.app import cli

COMMANDS = [
    command.name or (command.callback.__name__ if command.callback else "") for command in cli.registered_commands
]
EXPECTED = {"sandbox", "serve", "worker", "migrate", "lint", "list", "show", "run", "drill", "bench", "doctor"}
EXPECTED |= {"approve", "deny", "enrol"}


def said(*words: str) -> Result:
    """Run `runbook` with these words; whatever is not an orderly end is the test's failure."""
    result = CliRunner().invoke(cli, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit | typer.Exit):
        raise result.exception
    return result


def test_help_names_every_command() -> None:
    """The first screen fits a terminal, cuts no sentence short, and says what the exit codes mean."""
    text = said("--help").output
    assert set(COMMANDS) >= EXPECTED
    for command in EXPECTED:
        assert f"\n  {command} " in text
    assert not [line for line in text.splitlines()[1:] if line.endswith("...")]
    assert "Ends with 0: done" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("command", sorted(EXPECTED))
def test_every_command_has_help(command: str) -> None:
    """`--help` says what it does and explains every option it has."""
    result = said(command, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()[2].split()) >= 3
    options = re.findall(r"^  (--\S+)(?: <\w[^>]*>)? +(.*)$", result.output, re.MULTILINE)
    assert options
    for option, meaning in options:
        assert len(meaning.split()) >= 2, option


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ("frobnicate", 2, "No such command 'frobnicate'"),
        ("list --nope", 2, "No such option: --nope"),
        ("show", 2, "Missing argument 'id'"),
        ("show RB-11", 2, "Did you mean RB-011"),
        ("show rb-011", 0, "RB-011"),
        ("lint /nowhere", 1, "There is no such folder"),
        ("list --runbooks /nowhere", 1, "There is no such folder"),
        ("list zzzz", 0, "No runbook fits «zzzz»."),
        ("drill", 2, "Say which runbook to drill, or --all."),
        ("drill RB-999", 2, "There are no drills for RB-999."),
        ("drill RB-011 --branch nope", 2, "Branches: webhook_missed"),
        ("run RB-011 nonsense", 2, "«nonsense» is not name=value."),
        ("run RB-011 --yes", 2, "only for the sandbox"),
        ("run RB-011", 3, "DATABASE_URL is not set."),
        ("serve", 3, "DATABASE_URL is not set."),
        ("worker", 3, "DATABASE_URL is not set."),
        ("migrate", 3, "DATABASE_URL is not set."),
        ("doctor", 1, "BAD  settings: DATABASE_URL, SLACK_BOT_TOKEN, SLACK_APP_TOKEN not set"),
        ("sandbox --port 99999", 2, "less than or equal to 65535"),
        ("bench --rounds 0", 2, "--rounds"),
        ("approve 7", 2, "Missing option '--as'"),
        ("approve seven --as U0BEN", 2, "valid integer"),
        ("approve 7 --as U0BEN", 3, "DATABASE_URL is not set."),
        ("deny 7 --as U0BEN", 2, "Missing option '--reason'"),
        ("enrol", 2, "Say whom to enrol"),
        ("enrol U0BEN", 3, "DATABASE_URL is not set."),
    ],
)
def test_a_mistake_gets_a_sentence(words: str, code: int, sentence: str) -> None:
    """Each mistake ends with its exit code and a sentence that helps."""
    result = said(*words.split())
    assert sentence in result.output
    assert result.exit_code == code


def test_a_setting_that_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong variable is named, all of them at once, without a traceback."""
    monkeypatch.setenv("PORT", "many")
    monkeypatch.setenv("SLACK_MODE", "carrier pigeon")
    result = said("serve")
    assert result.exit_code == 3
    assert "PORT" in result.output
    assert "SLACK_MODE" in result.output


@pytest.mark.parametrize("words", ["list", "list frozen", "show RB-011", "lint", "doctor"])
def test_json_is_json(words: str) -> None:
    """`--json` prints one JSON document and nothing else."""
    assert json.loads(said(*words.split(), "--json").stdout) is not None


def test_lint_says_every_place(tmp_path: Path) -> None:
    """Problems come with file and line, for people and for machines, and end in exit code 1."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "system.yaml").write_text("id: shop\ntitle: Shop\ndatabses: {}\n", encoding="utf-8")
    result = said("lint", str(tmp_path))
    assert result.exit_code == 1
    assert "system.yaml:3" in result.output
    assert "databases" in result.output
    listed = json.loads(said("lint", str(tmp_path), "--json").stdout)
    assert any(problem["line"] == 3 and problem["level"] == "error" for problem in listed)


def test_what_is_shown_is_the_runbook() -> None:
    """`show` says what it asks for, looks at, finds and can do; `list` finds by symptom."""
    text = said("show", "RB-011").output
    for heading in ("Symptoms", "Asks for", "Looks at", "Finds", "Can do", "Notes"):
        assert f"\n{heading}\n" in text
    assert "RB-001" in said("list", "frozen").output
    assert "RB-004" not in said("list", "frozen").output
