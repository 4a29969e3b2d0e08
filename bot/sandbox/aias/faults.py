"""The sample system's faults by name; each starts from a healthy system."""

from __future__ import annotations

from collections.abc import Mapping

from bot.sandbox.aias import (
    access_faults,
    backup_faults,
    billing_faults,
    error_faults,
    load_faults,
    outage_faults,
    script_faults,
    signup_faults,
    webhook_faults,
    workflow_faults,
)
from bot.sandbox.aias.accounts import IRIS
from bot.sandbox.aias.health import settle
from bot.sandbox.aias.vendors import Vendors
from bot.sandbox.sample import Fault, Ground, Planted


async def healthy(ground: Ground) -> Planted:
    """Nothing is wrong: no runbook proposes anything."""
    await settle(ground)
    return Planted(IRIS.ids())


async def vendors_well(ground: Ground) -> Planted:
    """Everything outside is well again, and the rest stays as it is: for drills that wait for that."""
    Vendors().serve(ground)
    return Planted(IRIS.ids())


FAULTS: Mapping[str, Fault] = {
    "healthy": healthy,
    "vendors_well": vendors_well,
    **webhook_faults.FAULTS,
    **billing_faults.FAULTS,
    **error_faults.FAULTS,
    **load_faults.FAULTS,
    **outage_faults.FAULTS,
    **backup_faults.FAULTS,
    **script_faults.FAULTS,
    **access_faults.FAULTS,
    **signup_faults.FAULTS,
    **workflow_faults.FAULTS,
}
