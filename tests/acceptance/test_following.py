"""A runbook that leads to another one: started in the same incident with what is known, once, and never in circles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.cli.sandbox import populated
from bot.domain.approval import Choice, Person
from bot.domain.run import ActionStatus, Run, RunState
from bot.sandbox.postgres import Postgres
from tests.acceptance.conftest import Scene
from tests.builders import tree

pytestmark = pytest.mark.main_job

FIRST = """
id: RB-910
title: The customer complains
severity: P2
resolve_within: 20m
inputs:
  business_id: {type: uuid, label: Business}
checks:
  account:
    title: What our database says
    sql: SELECT id, name, created_at, is_frozen FROM businesses WHERE id = :business_id
    expect: one_row
findings:
  not_frozen:
    when: not account.row.is_frozen
    say: It is not frozen; what it pays is the next question.
    propose: next
actions:
  next:
    title: Look at what it pays
    runbook: RB-911
    inputs: {business_id: account.row.id, since: account.row.created_at, deep: not account.row.is_frozen}
"""
SECOND = """
id: RB-911
title: What it pays
severity: P2
resolve_within: 20m
inputs:
  business_id: {type: uuid, label: Business}
  since: {type: timestamp, label: Since, required: false}
  deep: {type: boolean, label: Look deep, default: false}
checks:
  account: {title: Its tier, sql: SELECT subscription_tier FROM businesses WHERE id = :business_id}
findings:
  free:
    when: account.row.subscription_tier == 'free' and deep
    say: It is on the free tier.
    propose: back
actions:
  back:
    title: Begin again
    runbook: {start: RB-910, inputs: {business_id: business_id}}
"""


@asynccontextmanager
async def led(postgres: Postgres, folder: Path, first: str = FIRST, second: str = SECOND) -> AsyncIterator[Scene]:
    """A sandbox whose two runbooks lead to each other."""
    runbooks = tree(folder, RB_910=first, RB_911=second)
    async with populated(postgres, rate_limits=False, runbooks=runbooks) as sandbox:
        yield Scene(sandbox)


async def test_one_leads_to_the_other(postgres: Postgres, tmp_path: Path) -> None:
    """Nobody presses anything: the second runbook runs in the first one's channel, with typed inputs; its way back to
    the first is not taken, because that ran here already."""
    async with led(postgres, tmp_path) as pair:
        planted = await pair.plant("webhook_missed")
        ana = pair.person("ana")
        await ana.types(f"/runbook RB-910 business_id={planted.business_id}")

        async def both() -> list[Run] | None:
            found = sorted(await pair.sandbox.bot.desk.reads.recent(), key=lambda run: run.number)
            return found if [run.state for run in found] == [RunState.DONE] * 2 else None

        first, second = await pair.until(both, "the end of both")
        assert (first.runbook, second.runbook) == ("RB-910", "RB-911")
        assert (second.incident, second.requested_by) == (first.incident, "U0ANA")
        assert (second.inputs["business_id"], second.inputs["deep"]) == (str(planted.business_id), True)
        assert second.inputs["since"].tzinfo is not None
        assert first.actions["next"].status is second.actions["back"].status is ActionStatus.DONE
        lines = await pair.sandbox.bot.desk.reads.audit(incident_id=str(first.incident))
        assert [line.kind for line in lines].count("run.requested") == 2
        assert [line.kind for line in lines].count("approval.requested") == 0
        assert any("RB-910 has run in this incident already, as run" in str(line.data) for line in lines)
        await ana.sees("RB-911 was started: What it pays")


async def test_a_value_that_does_not_fit(postgres: Postgres, tmp_path: Path) -> None:
    """A name is no time: the step ends with a sentence that says so, and nothing is started."""
    wrong = FIRST.replace("since: account.row.created_at", "since: account.row.name")
    async with led(postgres, tmp_path, wrong) as pair:
        planted = await pair.plant("webhook_missed")
        await pair.person("ana").types(f"/runbook RB-910 business_id={planted.business_id}")
        run = await pair.action_is("next", ActionStatus.FAILED)
        assert "RB-911 cannot be started: since" in run.actions["next"].reason
        assert len(await pair.sandbox.bot.desk.reads.recent()) == 1


async def test_nobody_who_led_there_decides(postgres: Postgres, tmp_path: Path) -> None:
    """Ana asked for the first run and Ben chose the step: neither approves in the second, a third person does."""
    chosen = FIRST.replace("    propose: next\n", "")
    changing = SECOND.replace("    propose: back\n", "    propose: upgrade\n").replace(
        "actions:\n",
        """actions:
  upgrade:
    title: Put it on starter
    sql: UPDATE businesses SET subscription_tier = 'starter' WHERE id = :business_id
    expect_rows: 1
    approve: {group: leads}
""",
    )
    async with led(postgres, tmp_path, chosen, changing) as pair:
        planted = await pair.plant("webhook_missed")
        await pair.person("ana").types(f"/runbook RB-910 business_id={planted.business_id}")
        first = await pair.run_is(RunState.DECIDING)
        people = pair.sandbox.bot.desk.people
        await people.choose(first.id, "next", "U0BEN")
        run = await pair.led_to("RB-911", RunState.AWAITING_APPROVAL)
        assert run.requested_by == "U0BEN"
        request = (await pair.sandbox.bot.desk.reads.shown(run.id)).approvals["upgrade"].request
        members = {"leads": frozenset({"U0ANA", "U0BEN", "U0DEV"})}
        refused = [
            (await people.vote(request.id, request.digest, Person(id), Choice.APPROVE, members)).accepted
            for id in ("U0ANA", "U0BEN", "U0DEV")
        ]
        assert refused == [False, False, True]
        done = await pair.led_to("RB-911", RunState.DONE)
        assert done.actions["upgrade"].status is ActionStatus.DONE
