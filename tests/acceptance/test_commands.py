"""A runbook whose fix is a program: shown with its exact arguments, approved by one vote more, run once."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from bot.cli.sandbox import populated
from bot.domain.run import ActionStatus
from bot.sandbox.postgres import Postgres
from tests.acceptance.conftest import Scene

pytestmark = pytest.mark.approval

SYSTEM = Path(__file__).resolve().parents[2] / "runbooks" / "alacarte" / "system.yaml"
RUNBOOK = """
id: RB-901
title: A worker that stands still
severity: P2
resolve_within: 5m
inputs:
  worker: {type: text, label: Worker}
checks:
  status: {title: What the worker says, command: [workerctl, status, "{{ inputs.worker }}"]}
findings:
  stuck:
    when: status.json.state == 'stuck'
    say: "{{ inputs.worker }} stands still."
    propose: restart
actions:
  restart:
    title: Restart the worker
    command: [workerctl, restart, "{{ inputs.worker }}"]
    approve: billing
    verify: status.json.state == 'running'
    undo: {none: A restart cannot be taken back}
"""
PROGRAM = """#!{python}
import json, os, pathlib, sys
word, name = sys.argv[1:]
done = pathlib.Path({done!r})
if word == "status":
    print(json.dumps({{"name": name, "state": "running" if done.exists() else "stuck"}}))
else:
    with done.open("a") as log:
        log.write(name + "\\n")
"""


@pytest.fixture
async def workers(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Scene]:
    """A sandbox whose only runbook restarts a worker."""
    program = tmp_path / "workerctl"
    program.write_text(PROGRAM.format(python=sys.executable, done=str(tmp_path / "done")))
    program.chmod(0o755)
    folder = tmp_path / "runbooks" / "alacarte"
    folder.mkdir(parents=True)
    system = yaml.safe_load(SYSTEM.read_text(encoding="utf-8"))
    system["commands"] = {
        "workerctl": {"program": str(program), "looks": [["status", "*"]], "changes": [["restart", "*"]]}
    }
    (folder / "system.yaml").write_text(yaml.safe_dump(system), encoding="utf-8")
    (folder / "RB-901.yaml").write_text(RUNBOOK, encoding="utf-8")
    async with populated(postgres, rate_limits=False, runbooks=tmp_path / "runbooks") as sandbox:
        yield Scene(sandbox)


def log_of(tmp_path: Path) -> str:
    """What the program did."""
    done = tmp_path / "done"
    return done.read_text() if done.exists() else ""


async def test_a_program_is_run_once_after_two_votes(workers: Scene, tmp_path: Path) -> None:
    """The value stands in the arguments as it was given, the first vote does nothing, the second runs it, once."""
    ana, ben, dev = (workers.person(name) for name in ("ana", "ben", "dev"))
    await ana.types("/runbook RB-901 worker='web; rm -rf /'")
    await workers.action_is("restart", ActionStatus.REQUESTED)
    card = await ana.sees(lambda seen: "votes" in seen.text and "web; rm -rf /" in seen.text)
    assert "Runs workerctl restart 'web; rm -rf /'" in card.text
    assert "2 votes" in card.text
    await ben.clicks("Approve")
    await ana.sees("Waiting for 1 vote")
    assert log_of(tmp_path) == ""
    await dev.clicks("Approve")
    await workers.action_is("restart", ActionStatus.DONE)
    assert log_of(tmp_path) == "web; rm -rf /\n"


async def test_a_value_that_would_be_an_option_reaches_no_program(workers: Scene, tmp_path: Path) -> None:
    """The check refuses it; nothing is found and nothing is proposed."""
    ana = workers.person("ana")
    await ana.types("/runbook RB-901 worker=--all")
    await ana.sees("may not give")
    assert (await workers.shown()).run.actions == {}
    assert log_of(tmp_path) == ""
