"""Every shipped monitor, looked at in its sample system: it shows a value, and nobody is paged while all is well."""

from __future__ import annotations

import numbers
from dataclasses import replace

import pytest

from bot.authoring.loader import catalogue_at
from bot.cli.drills import SHIPPED
from bot.cli.sandbox import populated
from bot.domain.operations import Monitor
from bot.domain.runbook import Severity
from bot.runs.sight import Sight
from bot.runs.watching import Reading, read
from bot.sandbox.postgres import Postgres
from bot.sandbox.systems import SYSTEMS
from bot.steps.targets import Targets

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
