"""A worker that stands still in the middle of a change is taken for dead, another goes on, and then it wakes up: what
it does then must not happen a second time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.sandbox.postgres import Postgres
from tests.proof.judging import Trial, Verdict, judged, table
from tests.proof.mortals import Kill, Mortals, mortals
from tests.proof.scenarios import HttpPost, Scenario, SqlChange, StripeRefund, gate_runbooks, played
from tests.proof.shifts import SUCCESSORS, UNSETTLED, Reach, chosen

pytestmark = [pytest.mark.approval, pytest.mark.timeout(300)]

# Inside the open transaction the next worker waits five seconds for its lock: those take their time.
STRIDES: dict[type[Scenario], int] = {SqlChange: 11, StripeRefund: 4, HttpPost: 4}


# What the server does by itself with a session that stands still inside a transaction for ten seconds.
CUT_OFF = """
SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'runbook-bot' AND xact_start IS NOT NULL
"""


async def late(scenario: Scenario, mortals: Mortals, kill: Kill) -> Trial:
    """One worker stands still, the others go on as far as they get, and it wakes up."""
    run = await scenario.fresh()
    place = await mortals.stopped(scenario.stage.environment, run, kill)
    await scenario.bots.execute(CUT_OFF)
    for _ in range(SUCCESSORS):
        await scenario.taken_over(run)
        await scenario.stage.bot.worker.advance(run)
        if (await scenario.stage.run(run)).actions[scenario.action].status not in UNSETTLED:
            break
    await mortals.woken()
    await scenario.still()
    status, effects = (await scenario.stage.run(run)).actions[scenario.action].status, await scenario.effects()
    return Trial(scenario.title, True, place, kill.moment, effects, status, judged(effects, status))


async def test_a_worker_that_wakes_up_late(logged: Postgres, tmp_path: Path) -> None:
    """Wherever it stood still: once, not at all, or a person is asked; never twice, and what the run says is true."""
    runbooks, opening = gate_runbooks(tmp_path), asyncio.Lock()
    points: dict[str, int] = {}
    trials: list[Trial] = []

    async def lane(kind: type[Scenario], stride: int) -> None:
        async with mortals(runbooks) as program:
            async with opening:
                playing = played(kind, logged, runbooks)
                scenario = await playing.__aenter__()
            try:
                await program.warm(scenario.stage.environment, await scenario.fresh())
                places = (await program.work(scenario.stage.environment, await scenario.fresh())).places
                points[scenario.title] = len(places)
                kills = chosen(places, Reach.HEART)[::stride]
                trials.extend([await late(scenario, program, kill) for kill in kills])
            finally:
                await playing.__aexit__(None, None, None)

    async with asyncio.TaskGroup() as group:
        for kind, stride in STRIDES.items():
            group.create_task(lane(kind, stride))
    print(f"\n{table(points, trials, 'stood still')}\n")
    wrong = [trial.line() for trial in trials if trial.verdict in (Verdict.TWICE, Verdict.LOST)]
    assert not wrong, "\n".join(wrong)
    assert len(trials) >= 40
    assert {trial.verdict for trial in trials} == {Verdict.ONCE, Verdict.NOT_AT_ALL, Verdict.ASKED}
