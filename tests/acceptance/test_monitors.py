"""Every shipped monitor, looked at in its sample system: it shows a value, and nobody is paged while all is well."""

from __future__ import annotations

import numbers
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.authoring.loader import catalogue_at
from bot.cli.drills import SHIPPED
from bot.cli.sandbox import Sandbox, populated
from bot.domain.monitoring import Reading, State, every
from bot.domain.operations import Monitor
from bot.domain.runbook import Severity
from bot.runs.sight import Sight
from bot.runs.watching import read
from bot.sandbox.postgres import Postgres
from bot.sandbox.systems import SYSTEMS
from bot.steps.targets import Targets
from tests.conftest import ManualClock

pytestmark = pytest.mark.runbooks

OPERATIONS = catalogue_at(SHIPPED).operations


async def readings(system: str, postgres: Postgres, fault: str) -> dict[str, Reading]:
    """What the monitors of a system show once a fault is planted."""
    operations = OPERATIONS[system]
    async with (
        populated(postgres, systems=(system,), rate_limits=False) as sandbox,
        Targets(sandbox.world.environment()) as targets,
    ):
        planted = await sandbox.world.plant(system, fault)
        try:
            desk = sandbox.bot.desk
            sight = Sight(targets, desk.library.catalogue.systems[system], desk.clock, "")
            facts = await sight.facts(operations.checks, {})
            assert sight.failed == []
            own = (each for each in operations.monitors.values() if each.alert is None)
            return {each.key: read(each, sight.scope({}, facts)) for each in own}
        finally:
            await planted.close()


@pytest.mark.parametrize("system", sorted(SYSTEMS))
async def test_a_healthy_system_pages_nobody(system: str, postgres: Postgres) -> None:
    """Each value is a number or a yes or no, no threshold holds, and each sentence can be said."""
    shown = await readings(system, postgres, "healthy")
    monitors = OPERATIONS[system].monitors
    assert shown
    for key, each in shown.items():
        assert each.failed == "", key
        assert isinstance(each.value, numbers.Number) or monitors[key].value == "", f"{key} shows {each.value!r}"
        assert not each.pages, f"{key} pages at {each.value}"
        assert each.said, key


def test_a_monitor_judges_and_says() -> None:
    """Below both thresholds, between them, above, and without its facts."""
    monitor = Monitor("late", "Late", Severity.P2, value="late.n", warn="value > 0", page="value > 10")
    monitor = replace(monitor, say="{{ value }} late.")
    assert read(monitor, {"late": {"n": 0}}) == Reading(0, said="0 late.")
    assert read(monitor, {"late": {"n": 3}}) == Reading(3, warns=True, said="3 late.")
    assert read(monitor, {"late": {"n": 11}}) == Reading(11, warns=True, pages=True, said="11 late.")
    assert "late" in read(monitor, {}).failed


# -- on their schedule -------------------------------------------------------------------------------------------------

# A fault, the monitor that has to notice it, and with what its runbook is suggested.
FAULTS: tuple[tuple[str, str, str, set[str]], ...] = (
    ("aias", "security_off", "row_security", set()),
    ("alacarte", "negative_balance", "negative_credits", {"business_id"}),
    ("phase1", "dispute_too_late", "dispute_deadline", {"dispute_id"}),
    ("storytailor", "function_not_active", "functions_active", set()),
    ("waooaw", "idle_transactions", "pool", set()),
)


async def looked(sandbox: Sandbox, clock: ManualClock, system: str, span: timedelta) -> None:
    """So much later, everything that is due has been looked at."""
    clock.pass_(seconds=span.total_seconds())
    await sandbox.bot.watcher.round()
    await sandbox.bot.watcher.look(system)


@pytest.mark.parametrize("system", sorted(SYSTEMS))
async def test_the_schedule_of_a_healthy_system_opens_nothing(
    system: str, postgres: Postgres, clock: ManualClock
) -> None:
    """Each monitor that is watched here is looked at, can be read and is calm or warns; nothing is said to anybody."""
    clock.time = datetime.now(UTC)
    async with populated(postgres, systems=(system,), rate_limits=False, clock=clock) as sandbox:
        planted = await sandbox.world.plant(system, "healthy")
        await looked(sandbox, clock, system, timedelta(0))
        await looked(sandbox, clock, system, timedelta(minutes=1))
        await planted.close()
        standings = await sandbox.bot.desk.monitors.standing(system)
        own = [each for each in standings if each.monitor.alert is None]
        assert {each.monitor.key for each in standings} == set(OPERATIONS[system].monitors)
        assert [each.monitor.key for each in own if each.watched.last_at is None or each.watched.failed] == []
        assert {each.watched.state for each in own} <= {State.OK, State.WARNING}
        assert await sandbox.bot.desk.incidents.open_ones() == []


@pytest.mark.parametrize(("system", "fault", "key", "given"), FAULTS)
async def test_a_planted_fault_is_noticed_by_its_monitor(
    system: str, fault: str, key: str, given: set[str], postgres: Postgres, clock: ManualClock
) -> None:
    """Not before it has held, and then with one incident and the runbook that is suggested; later looks add nothing."""
    clock.time = datetime.now(UTC)
    monitor = OPERATIONS[system].monitors[key]
    async with populated(postgres, systems=(system,), rate_limits=False, clock=clock) as sandbox:
        planted = await sandbox.world.plant(system, fault)
        await looked(sandbox, clock, system, timedelta(0))
        opened = await sandbox.bot.desk.incidents.open_ones()
        assert len(opened) == (0 if monitor.hold else 1)
        for _ in range(3):
            await looked(sandbox, clock, system, max(monitor.hold, every(monitor)))
        await planted.close()
        (incident,) = await sandbox.bot.desk.incidents.open_ones()
        assert (incident.origin, incident.severity) == (f"monitor:{key}", monitor.severity)
        (suggestion,) = incident.suggestions
        assert (suggestion.runbook, set(suggestion.inputs)) == (monitor.runbook, given)
        lines = await sandbox.bot.desk.reads.audit(incident_id=incident.id)
        assert [line.kind for line in lines].count("incident.reported") == 1
