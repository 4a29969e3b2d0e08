"""The `logs` kind against real files, a real program and a real service: the window, the counts, the samples."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.facts import Fact, FactStatus
from bot.domain.runbook import Section
from bot.steps.base import StepContext
from bot.steps.log_lines import SHOWN_CHARS, lines_of, moment, time_in
from bot.steps.logs import TAIL_BYTES, Logs, LogsSpec
from tests.steps.conftest import SYSTEM, MakeContext
from tests.steps.services import api

pytestmark = pytest.mark.runbooks
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # of the tests' clock
TOKEN = "Bearer secret-token-123"
WEB = f"""
2026-11-21T01:30:00Z ERROR too old
2026-11-21T02:10:00Z INFO Scheduler started
2026-11-21T02:20:00.123Z ERROR out of memory
  File "a.py", line 1: an error in a traceback
2026-11-21 03:30:00,500+01:00 WARN retrying with {TOKEN}
[2026-11-21T02:40:00Z] error: it broke
"""


def written(log: Path, content: str | bytes) -> None:
    """Write the log anew."""
    log.write_bytes(content.encode() if isinstance(content, str) else content)


def become(log: Path, what: str) -> None:
    """Something else in the log's place."""
    log.unlink()
    if what == "folder":
        log.mkdir()
    if what == "pipe":
        os.mkfifo(log)


async def looked(context: StepContext, source: str = "web", **fields: Any) -> Fact:
    """The fact of a look."""
    fields.setdefault("find", {"errors": "error", "started": "scheduler STARTED", "retries": ["retrying", "again"]})
    found = await Logs().look(LogsSpec(source=source, **fields), context)
    assert isinstance(found, Fact)
    return found


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log file."""
    path = tmp_path / "web.log"
    path.write_text(WEB)
    return path


@pytest.fixture
def here(log: Path, make_context: MakeContext) -> StepContext:
    """A system whose log is that file."""
    context = make_context({"SHOP_LOG": str(log)})
    context.targets.resolve(SYSTEM.services["api"].headers["Authorization"])
    return context


async def test_a_file_is_searched_within_the_window(here: StepContext) -> None:
    """What is older is left out, a traceback belongs to its line, case is no matter, secrets are masked."""
    fact = await looked(here)
    found = fact.value["found"]
    assert fact.status is FactStatus.DONE
    assert {name: each["count"] for name, each in found.items()} == {"errors": 3, "started": 1, "retries": 1}
    assert found["errors"]["first"] == datetime(2026, 11, 21, 2, 20, 0, 123000, UTC)
    assert found["errors"]["last"] == datetime(2026, 11, 21, 2, 40, tzinfo=UTC)
    assert found["errors"]["samples"][-1] == "[2026-11-21T02:40:00Z] error: it broke"
    assert (fact.value["lines"], fact.value["cut"], fact.value["untimed"]) == (5, False, 0)
    assert fact.summary == "errors 3, started 1, retries 1 in 5 lines"
    assert TOKEN not in repr(fact)
    assert (await looked(here, within="2h")).value["found"]["errors"]["count"] == 4
    assert (await looked(here, samples=1)).value["found"]["errors"]["samples"] == [
        "[2026-11-21T02:40:00Z] error: it broke"
    ]


async def test_half_a_secret_is_not_shown(log: Path, here: StepContext) -> None:
    """A secret at the place where a long line is cut is masked whole, wherever the cut falls."""
    for before in range(SHOWN_CHARS - len(TOKEN), SHOWN_CHARS):
        written(log, f"2026-11-21T02:50:00Z error {'x' * before}{TOKEN} and more\n")
        (sample,) = (await looked(here)).value["found"]["errors"]["samples"]
        assert TOKEN[:8] not in sample
        assert len(sample) <= SHOWN_CHARS


async def test_what_is_looked_for_is_text_and_no_pattern(here: StepContext) -> None:
    """A customer's name with brackets and stars finds itself, and an empty value is refused: it would find all."""
    assert (await looked(here, find={"a": "(a+)+$"})).value["found"]["a"]["count"] == 0
    assert (await looked(here, find={"a": "[2026-11-21T02:40:00Z]"})).value["found"]["a"]["count"] == 1
    for nothing in ("", "  ", [], ["error", ""]):
        fact = await looked(here, find={"a": nothing})
        assert fact.status is FactStatus.FAILED
        assert "every line" in fact.error


async def test_only_the_end_of_a_great_file_is_read(log: Path, here: StepContext) -> None:
    """Where the beginning of the window was cut off it says since when it looked; where not, it was all there is."""
    old = "2026-11-20T00:00:00Z nothing\n" * (TAIL_BYTES // 28)
    written(log, old + WEB)
    fact = await looked(here)
    assert (fact.value["cut"], fact.value["found"]["errors"]["count"]) == (False, 3)
    written(log, WEB + "2026-11-21T02:50:00Z nothing\n" * (TAIL_BYTES // 28))
    fact = await looked(here)
    assert fact.value["cut"] is True
    assert fact.value["since"] == datetime(2026, 11, 21, 2, 50, tzinfo=UTC)
    assert fact.value["found"]["errors"]["count"] == 0


async def test_lines_without_a_time(log: Path, here: StepContext) -> None:
    """What nothing dates is looked through and counted as such; bytes that are no text harm nobody."""
    written(log, b"error one\n\xff\xfe error two\n" + b"x" * 100_000 + b" error\n")
    fact = await looked(here)
    assert (fact.value["found"]["errors"]["count"], fact.value["untimed"]) == (3, 3)


@pytest.mark.parametrize("what", ["missing", "folder", "pipe"])
async def test_what_is_no_file(what: str, log: Path, here: StepContext) -> None:
    """One sentence; nobody waits for a pipe."""
    become(log, what)
    fact = await looked(here)
    assert fact.status is FactStatus.FAILED
    assert "cannot be read" in fact.error


async def test_a_program_is_asked_for_the_window(tmp_path: Path, make_context: MakeContext) -> None:
    """The window's beginning goes into its arguments; both of its outputs are looked through; a bad end is told."""
    program = tmp_path / "shopctl"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nprint('2026-11-21T02:30:00Z error', sys.argv[2])\n"
        "print('2026-11-21T02:31:00Z error', file=sys.stderr)\nsys.exit(int(len(sys.argv) > 3))\n"
    )
    program.chmod(0o755)
    context = make_context({"SHOP_CTL": str(program)})
    fact = await looked(context, "worker", find={"errors": "error"})
    assert fact.value["found"]["errors"]["count"] == 2
    assert fact.value["found"]["errors"]["samples"][0].endswith("--since=2026-11-21T02:00:00Z")
    system = SYSTEM.commands["shopctl"]
    undeclared = replace(SYSTEM, commands={"shopctl": replace(system, looks=(("status",),))})
    fact = await looked(make_context({"SHOP_CTL": str(program)}, system=undeclared), "worker", find={"errors": "e"})
    assert "not declared" in fact.error


async def test_a_service_is_asked_for_the_window(make_context: MakeContext) -> None:
    """Its entries are read by their fields, times as text or as numbers; a wrong answer is a sentence."""
    async with api() as service:
        rows = [
            {"timestamp": "2026-11-21T02:30:00Z", "message": "an ERROR"},
            {"timestamp": int((NOW - timedelta(minutes=5)).timestamp() * 1_000_000), "message": "another error"},
            {"timestamp": (NOW - timedelta(hours=5)).timestamp(), "message": "an old error"},
            "no entry",
        ]
        service.body = json.dumps({"result": {"rows": rows}}).encode()
        context = make_context({"SHOP_API": service.url})
        fact = await looked(context, "edge", find={"errors": "error"})
        assert fact.value["found"]["errors"]["count"] == 2
        assert service.seen[0]["query"] == {"from": "2026-11-21T02:00:00Z"}
        assert service.seen[0]["headers"]["Authorization"] == TOKEN
        for body in (b"{}", b"[", b'{"result": {"rows": 3}}', b"[" * 100_000):
            service.body = body
            assert "cannot be read" in (await looked(context, "edge")).error
        service.status = 503
        assert "status 503" in (await looked(context, "edge")).error


def test_times() -> None:
    """As containers, frameworks and services write them."""
    at = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
    for line in (
        "2026-11-21T02:30:00Z x",
        "2026-11-21 02:30:00 x",
        "plant-scheduler-1  | 2026-11-21T02:30:00.000000000Z x",
        "[2026-11-21T03:30:00+0100] x",
        "INFO 2026-11-21T02:30:00,000 x",
    ):
        assert time_in(line) == at, line
    assert time_in("2026-13-41T02:30:00Z x") is None
    assert time_in("no time") is None
    for said in ("2026-11-21T02:30:00Z", at.timestamp(), at.timestamp() * 1e3, str(int(at.timestamp() * 1e9))):
        assert moment(said) == at
    nothing: list[Any] = [None, "x", [], float("inf"), 1e300, ""]
    assert [moment(said) for said in nothing] == [None] * len(nothing)
    assert [line.at for line in lines_of("2026-11-21T02:30:00Z a\n  b\n\n")] == [at, at]


def test_lint() -> None:
    """An unknown log, nothing to look for, and a window without end."""
    kind = Logs()

    def said(**fields: Any) -> list[str]:
        spec = LogsSpec.model_construct(**{"source": "web", "find": {"a": "x"}, "within": "1h", **fields})
        return [each.message for each in kind.lint(spec, Section.CHECKS, SYSTEM)]

    assert said() == []
    assert said(source="wb") == ["There is no log «wb»."]
    assert said(find={"a": ["x", ""]}) == ["Nothing is looked for: every line would be found."]
    assert said(within="8d") == ["A log is looked through for seven days at most."]
