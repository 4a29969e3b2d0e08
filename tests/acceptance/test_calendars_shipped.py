"""The calendars of the five systems as shipped: everything on them starts, looks by itself, and asks people."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.cli.sandbox import populated
from bot.domain.appointments import Taken
from bot.domain.rounds import coming
from bot.domain.run import CheckStatus, Run, RunState
from bot.runs.calendars import Calendars
from bot.sandbox.postgres import Postgres
from bot.sandbox.systems import SYSTEMS
from bot.store import appointments
from tests.acceptance.conftest import Scene
from tests.conftest import ManualClock

pytestmark = pytest.mark.runbooks


async def test_everything_on_the_shipped_calendars_starts(postgres: Postgres, clock: ManualClock) -> None:
    """Each appointment of each system, when its time comes: a run of it looks, stands in its system's channel and comes
    to where people go on, or to its end."""
    async with populated(postgres, systems=SYSTEMS, rate_limits=False, clock=clock) as sandbox:
        scene, desk = Scene(sandbox), sandbox.bot.desk
        calendars = Calendars(sandbox.bot.store, desk.library)
        await calendars.look()
        planned = {
            (system, key): coming(each.turn, calendar.zone, clock.now() + timedelta(seconds=1))
            for system, calendar in desk.months.calendars().items()
            for key, each in calendar.appointments.items()
        }
        assert len(planned) == 12
        for system, key in sorted(planned, key=lambda one: planned[one]):
            clock.time = planned[system, key]
            await calendars.look()
            async with sandbox.bot.store.reading() as connection:
                found = await appointments.between(connection, system, clock.time, clock.time + timedelta(seconds=1))
            ((taken, run),) = [each for each in found if each[0].key == key]
            assert run is not None, taken.problem
            assert (taken.state, run.channel) == (Taken.STARTED, "operations")
            await scene.until(lambda run=run: _stands(scene, run), f"{system} {key}")  # type: ignore[misc]  # bound in the loop


async def _stands(scene: Scene, run: Run) -> bool | None:
    """Whether all checks that can end have, and none failed."""
    now = await scene.sandbox.bot.desk.reads.run(run.id)
    failed = [f"{check.key}: {check.error}" for check in now.checks.values() if check.status is CheckStatus.FAILED]
    assert failed == [], f"{now.runbook}: {failed}"
    assert now.state not in (RunState.FAILED, RunState.PARKED), f"{now.runbook}: {now.reason}"
    looking = now.state in (RunState.REQUESTED, RunState.DIAGNOSING) and not now.questions
    posted = any(f"{now.runbook} {now.title}" in seen.text for seen in scene.person("ana").screen())
    return None if looking or not posted else True
