"""A worker is killed at the worst moment: the next one finds out what happened instead of guessing, and nothing happens
twice."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from pgqueuer import PgQueuer
from sqlalchemy import text

from bot.cli.sandbox import ROOT, populated
from bot.domain.run import ActionStatus, Run
from bot.sandbox.postgres import Postgres
from tests.acceptance.conftest import Scene

pytestmark = pytest.mark.approval


@pytest.fixture
async def idle(postgres: Postgres) -> AsyncIterator[Scene]:
    """A bot that listens and announces and leaves the work to others."""
    async with populated(postgres, rate_limits=False, work=False) as sandbox:
        yield Scene(sandbox)


async def doomed(scene: Scene, milestone: str) -> asyncio.subprocess.Process:
    """A worker in a process of its own that kills itself at a milestone."""
    env = {**os.environ, **scene.sandbox.world.environment(), "RUNBOOKS_PATH": str(ROOT / "runbooks")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.acceptance.doomed_worker",
        milestone,
        env=env,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert (await asyncio.wait_for(process.stdout.readline(), 30)).strip() == b"ready"
    return process


async def receipts(scene: Scene) -> object:
    """How many changes took effect in the target."""
    return (await scene.sql("SELECT count(*) AS n FROM runbook_receipts WHERE NOT detail ? 'given_up'"))["n"]


async def taken_over(scene: Scene) -> Run:
    """The lease of the dead worker is over, and another worker takes the run."""
    run = (await scene.shown()).run
    async with scene.sandbox.bot.store.transaction() as tx:
        await tx.connection.execute(text("UPDATE runs SET lease_until = clock_timestamp() - interval '1 second'"))
    await scene.sandbox.bot.worker.advance(run.id)
    return (await scene.shown()).run


@pytest.mark.parametrize(("moment", "effected"), [("intended", False), ("acted", True)])
async def test_a_worker_killed_around_the_effect(idle: Scene, moment: str, effected: bool) -> None:
    """Killed before the effect: nothing changed, and it says so. Killed after it, before it was recorded: the receipt
    in the target says that it happened. In neither case does it happen twice."""
    process = await doomed(idle, moment)
    planted = await idle.plant("webhook_missed")
    await idle.person("ana").types(f"/runbook RB-011 business_id={planted.business_id}")
    await idle.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    await idle.person("ben").clicks("Approve")
    assert await asyncio.wait_for(process.wait(), 20) == -signal.SIGKILL
    assert (await idle.shown()).run.actions["copy_from_stripe"].status is ActionStatus.ACTING
    run = await taken_over(idle)
    status = run.actions["copy_from_stripe"].status
    assert status is (ActionStatus.DONE if effected else ActionStatus.FAILED)
    assert await receipts(idle) == int(effected)


async def test_a_worker_killed_while_looking(idle: Scene) -> None:
    """Checks only look: the next worker runs those again that had not ended, and the run goes on."""
    process = await doomed(idle, "check")
    planted = await idle.plant("webhook_missed")
    await idle.person("ana").types(f"/runbook RB-011 business_id={planted.business_id}")
    assert await asyncio.wait_for(process.wait(), 20) == -signal.SIGKILL
    run = await taken_over(idle)
    assert run.actions["copy_from_stripe"].status is ActionStatus.REQUESTED
    assert all(check.status.ended or check.answered_by == "" for check in run.checks.values())


async def test_a_run_that_was_killed_before_can_be_tried_again(idle: Scene) -> None:
    """After a kill before the effect, trying again needs a new approval and then takes effect once."""
    process = await doomed(idle, "intended")
    planted = await idle.plant("webhook_missed")
    await idle.person("ana").types(f"/runbook RB-011 business_id={planted.business_id}")
    await idle.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    await idle.person("ben").clicks("Approve")
    await asyncio.wait_for(process.wait(), 20)
    run = await taken_over(idle)
    await idle.person("ana").clicks("Try again")
    await idle.sandbox.bot.worker.advance(run.id)
    await idle.person("ben").clicks("Approve")
    await idle.sandbox.bot.worker.advance(run.id)
    assert (await idle.shown()).run.actions["copy_from_stripe"].status is ActionStatus.DONE
    assert await receipts(idle) == 1


@pytest.mark.parametrize("error", [asyncpg.InternalClientError("another operation"), RuntimeError("unheard of")])
async def test_the_queue_survives_what_nobody_foresaw(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Whatever ends the queue's loop, it is begun again: a worker without one would look alive and do nothing."""
    run, broken = PgQueuer.run, asyncio.Event()

    async def breaks_once(queue: PgQueuer, **options: Any) -> None:
        if not broken.is_set():
            broken.set()
            raise error
        await run(queue, **options)

    monkeypatch.setattr(PgQueuer, "run", breaks_once)
    async with populated(postgres, rate_limits=False) as sandbox:
        scene = Scene(sandbox)
        await broken.wait()
        planted = await scene.plant("webhook_missed")
        await scene.person("ana").types(f"/runbook RB-011 business_id={planted.business_id}")
        await scene.action_is("copy_from_stripe", ActionStatus.REQUESTED)
