"""A sandbox whose runbook and policies are the test's own, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.cli.sandbox import populated
from bot.runs.factors import new_key
from bot.sandbox.postgres import Postgres
from tests.acceptance.conftest import Scene
from tests.builders import tree
from tests.conftest import ManualClock

RUNBOOK = """
id: RB-900
title: Tier is wrong
severity: P2
resolve_within: 20m
inputs:
  business_id: {type: uuid, label: Business}
checks:
  account:
    title: What our database says
    sql: SELECT id, name, subscription_tier, is_frozen FROM businesses WHERE id = :business_id
    expect: one_row
findings:
  wrong:
    when: account.row.subscription_tier == 'free'
    say: "{{ account.row.name }} is on the free tier."
    propose: [upgrade, mark, freeze]
    together: TOGETHER
actions:
  upgrade:
    title: Put it on starter
    sql: UPDATE businesses SET subscription_tier = 'starter' WHERE id = :business_id
    expect_rows: 1
    approve: APPROVE
    verify: account.row.subscription_tier == 'starter'
    fresh_for: FRESH
    lock: "business {{ account.row.name }}"
  mark:
    title: Mark it
    when: account.row.is_frozen
    sql: UPDATE businesses SET frozen_reason = 'marked' WHERE id = :business_id
    expect_rows: 1
    approve: APPROVE
  freeze:
    title: Freeze it
    sql: UPDATE businesses SET is_frozen = true WHERE id = :business_id
    expect_rows: 1
    approve: APPROVE
    lock: "business {{ account.row.name }}"
"""
BUSINESS = "0a1aca27-0011-4000-8000-000000000001"

Made = Callable[..., Awaitable[Scene]]


@pytest.fixture
async def gate(postgres: Postgres, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Made]:
    """Makes a scene with one runbook: `approve` is its policy, `together` whether one vote decides the plan; with
    `frozen_time` the test's clock is the bot's."""
    async with AsyncExitStack() as stack:

        async def made(
            approve: str = "billing", *, together: bool = False, frozen_time: bool = False, fresh_for: str = "1ms"
        ) -> Scene:
            text = RUNBOOK.replace("APPROVE", approve).replace("TOGETHER", str(together).lower())
            text = text.replace("FRESH", fresh_for)
            sandbox = await stack.enter_async_context(
                populated(
                    postgres,
                    rate_limits=False,
                    runbooks=tree(tmp_path, RB_900=text),
                    overrides={"SECOND_FACTOR_KEY": new_key()},
                    clock=clock if frozen_time else None,
                )
            )
            scene = Scene(sandbox)
            await scene.plant("webhook_missed")
            return scene

        yield made
