"""Every branch of every shipped runbook, drilled through Slack's wire: fault, findings, approval, effect, proof."""

from __future__ import annotations

import pytest

from bot.authoring.loader import catalogue_at
from bot.cli.drill import Drill, drills_of, played
from bot.cli.sandbox import ROOT
from bot.sandbox.postgres import Postgres

pytestmark = pytest.mark.runbooks

DRILLS = drills_of([], every=True)


@pytest.mark.parametrize("drill", DRILLS, ids=[f"{drill.runbook}-{drill.branch}" for drill in DRILLS])
async def test_branch(drill: Drill, postgres: Postgres) -> None:
    """What is said, done and true in the end is what the drill expects."""
    result = await played(drill, postgres)
    assert result.differences == ()


def test_every_runbook_is_drilled() -> None:
    """No runbook is shipped that was never played."""
    assert {runbook.id for runbook in catalogue_at(ROOT / "runbooks")} == {drill.runbook for drill in DRILLS}


async def test_a_drill_can_fail(postgres: Postgres) -> None:
    """A drill that expects the wrong finding says what differed."""
    right = next(drill for drill in DRILLS if drill.branch == "in_step")
    wrong = Drill(
        right.system,
        right.runbook,
        right.branch,
        right.fault,
        right.inputs,
        ["webhook_missed"],
        [],
        {"state": "deciding"},
    )
    result = await played(wrong, postgres)
    assert result.differences == ("findings: expected ['webhook_missed'], got ['in_step']",)
