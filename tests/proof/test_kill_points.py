"""`kill -9` at the await points of the acting path, each of them: a change takes effect at most once, and what the run
says of it is true."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from bot.sandbox.postgres import Postgres
from tests.proof.judging import Trial, Verdict, table
from tests.proof.mortals import mortals
from tests.proof.scenarios import HttpPost, MailSent, SqlChange, SqlUndo, StripeRefund, gate_runbooks
from tests.proof.shifts import Reach, Shift

pytestmark = [pytest.mark.approval, pytest.mark.timeout(900)]

LANES = 3
LEAST = 300
EVERYTHING = "RUNBOOK_EVERY_KILL"  # both moments of every await point of every scenario: ten minutes instead of two
THE_HEART = {"take_target", "intend", "hold", "find", "fetch", "_insert", "_in_transaction", "end_effect"}


def shifts() -> list[Shift]:
    """The longest first."""
    if os.environ.get(EVERYTHING):
        parts = [Shift(kind, Reach.WHOLE, part, 2) for kind in (SqlChange, SqlUndo, StripeRefund) for part in (0, 1)]
        return [*parts, Shift(HttpPost, Reach.WHOLE), Shift(MailSent, Reach.WHOLE)]
    sql = [Shift(SqlChange, Reach.EACH_ONCE, part, 2) for part in (0, 1)]
    return [*sql, *(Shift(kind, Reach.HEART) for kind in (SqlUndo, StripeRefund, HttpPost, MailSent))]


async def test_a_worker_killed_anywhere_on_its_way(logged: Postgres, tmp_path: Path) -> None:
    """Killed at any await point: once and it says so, not at all and it says so, or a person is asked."""
    runbooks = gate_runbooks(tmp_path)
    waiting = shifts()
    points: dict[str, int] = {}
    trials: list[Trial] = []
    opening = asyncio.Lock()

    async def lane() -> None:
        async with mortals(runbooks) as program:
            while waiting:
                shift = waiting.pop(0)
                points[shift.scenario.title], done = await shift.work(program, logged, runbooks, opening)
                trials.extend(done)

    async with asyncio.TaskGroup() as group:
        for _ in range(LANES):
            group.create_task(lane())
    print(f"\n{table(points, trials)}\n")
    wrong = [trial.line() for trial in trials if trial.verdict in (Verdict.TWICE, Verdict.LOST)]
    assert not wrong, "\n".join(wrong)
    assert all(trial.verdict is Verdict.ONCE for trial in trials if not trial.killed)
    killed = [trial for trial in trials if trial.killed]
    assert len(killed) >= LEAST
    assert {trial.verdict for trial in killed} == {Verdict.ONCE, Verdict.NOT_AT_ALL, Verdict.ASKED}
    assert {trial.place.rpartition(" ")[2] for trial in killed} >= THE_HEART
