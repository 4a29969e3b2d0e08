"""Two things are wrong at once: what the second finding proposes is asked for after the first was put right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.cli.sandbox import populated
from bot.domain.run import ActionStatus, RunState
from bot.sandbox.postgres import Postgres
from tests.acceptance.conftest import Scene
from tests.builders import tree

pytestmark = [pytest.mark.main_job, pytest.mark.runbooks]

RUNBOOK = """
id: RB-940
title: Two things at once
severity: P2
resolve_within: 20m
symptoms: [Two things]
inputs:
  business_id: {type: uuid, label: Business}
checks:
  account:
    title: Its subscription
    sql: SELECT subscription_status, subscription_tier, name FROM businesses WHERE id = :business_id
  tier:
    title: Its tier
    sql: |
      SELECT subscription_tier, 1 / (CASE subscription_status WHEN 'active' THEN 0 ELSE 1 END) AS broken_when_active
      FROM businesses WHERE id = :business_id
findings:
  inactive:
    when: account.row.subscription_status != 'active'
    say: It is not active.
    propose: activate
  free:
    when: CONDITION
    say: It is on the free tier.
    propose: [upgrade, rename]
actions:
  activate:
    title: Activate it
    sql: UPDATE businesses SET subscription_status = 'active' WHERE id = :business_id
    expect_rows: 1
    verify: account.row.subscription_status == 'active'
  upgrade:
    title: Upgrade it
    sql: UPDATE businesses SET subscription_tier = 'starter' WHERE id = :business_id
    expect_rows: 1
    verify: account.row.subscription_tier == 'starter'
  rename:
    title: Rename it
    when: account.row.name == 'nobody'
    sql: UPDATE businesses SET name = 'somebody' WHERE id = :business_id
    expect_rows: 1
"""
FREE = "account.row.subscription_tier == 'free'"
SELECT = "SELECT subscription_status, subscription_tier FROM businesses WHERE id = $1"


@asynccontextmanager
async def begun(postgres: Postgres, folder: Path, condition: str) -> AsyncIterator[tuple[Scene, str]]:
    """A run that has found both, and the business."""
    runbooks = tree(folder, RB_940=RUNBOOK.replace("CONDITION", condition))
    async with populated(postgres, rate_limits=False, runbooks=runbooks) as sandbox:
        scene = Scene(sandbox)
        planted = await scene.plant("webhook_missed")
        await scene.person("ana").types(f"/runbook RB-940 business_id={planted.business_id}")
        run = await scene.action_is("activate", ActionStatus.REQUESTED)
        assert [each.key for each in run.conclusions] == ["inactive", "free"]
        yield scene, str(planted.business_id)


async def test_the_second_comes_after_the_first(postgres: Postgres, tmp_path: Path) -> None:
    """Each is put to the approvers, one after the other; the run is done when both are, and of the second plan what
    does not apply is left out."""
    async with begun(postgres, tmp_path, FREE) as (scene, business):
        ana, ben = scene.person("ana"), scene.person("ben")
        await ben.clicks("Approve")
        run = await scene.action_is("upgrade", ActionStatus.REQUESTED)
        assert (run.state, run.finished_at) == (RunState.AWAITING_APPROVAL, None)
        await ana.sees("Upgrade it")
        copy = await ben.sees("Approval: Upgrade it")
        assert "Cause  It is on the free tier." in copy.text
        await ben.clicks("Approve", copy)
        run = await scene.run_is(RunState.DONE)
        assert {key: action.status.value for key, action in run.actions.items()} == {
            "activate": "done",
            "upgrade": "done",
            "rename": "skipped",
        }
        row = await scene.sql(SELECT, business)
        assert row == {"subscription_status": "active", "subscription_tier": "starter"}


async def test_what_was_cured_with_the_first_is_asked_of_nobody(postgres: Postgres, tmp_path: Path) -> None:
    """The first fix put the second finding right as well: its plan is left out with the reason, and nobody is asked."""
    async with begun(postgres, tmp_path, f"{FREE} and account.row.subscription_status != 'active'") as (
        scene,
        business,
    ):
        await scene.person("ben").clicks("Approve")
        run = await scene.run_is(RunState.DONE)
        left = run.actions["upgrade"]
        assert (left.status, left.reason) == (ActionStatus.SKIPPED, "What it was proposed for is no longer so.")
        lines = await scene.sandbox.bot.desk.reads.audit(run_id=run.id)
        assert [line.kind for line in lines].count("approval.requested") == 1
        assert (await scene.sql(SELECT, business))["subscription_tier"] == "free"


async def test_what_cannot_be_looked_at_is_asked_for(postgres: Postgres, tmp_path: Path) -> None:
    """After the first fix the second finding's check is broken: that is no sign that what it found is gone."""
    async with begun(postgres, tmp_path, "tier.row.subscription_tier == 'free'") as (scene, _):
        await scene.person("ben").clicks("Approve")
        run = await scene.action_is("upgrade", ActionStatus.REQUESTED)
        assert "division by zero" in run.checks["tier"].error


async def test_leaving_it_out_needs_no_vote(postgres: Postgres, tmp_path: Path) -> None:
    """Whoever asked withdraws what waits for approval: the request is over, and the run goes on with the rest."""
    async with begun(postgres, tmp_path, FREE) as (scene, business):
        ana, ben = scene.person("ana"), scene.person("ben")
        await ana.clicks("Leave out")
        run = await scene.action_is("upgrade", ActionStatus.REQUESTED)
        assert (run.actions["activate"].status, run.actions["activate"].left_out_by) == (ActionStatus.SKIPPED, "U0ANA")
        await ben.clicks("Approve", await ben.sees("Approval: Upgrade it"))
        await scene.run_is(RunState.DONE)
        row = await scene.sql(SELECT, business)
        assert (row["subscription_status"] != "active", row["subscription_tier"]) == (True, "starter")
