"""A checklist through Slack's wire: the bot ticks what it sees, people tick the rest in their own names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from bot.cli.sandbox import populated
from bot.domain.run import RunState
from bot.sandbox.postgres import Postgres
from bot.slack.verbs import Verb
from tests.acceptance.conftest import Scene
from tests.builders import tree

pytestmark = pytest.mark.runbooks

BUSINESS = "0a1aca27-0011-4000-8000-000000000001"
RUNBOOK = """
id: RB-901
title: A business begins
severity: P3
resolve_within: 1d
inputs:
  business_id: {type: uuid, label: Business}
checks:
  account:
    sql: SELECT id, is_frozen FROM businesses WHERE id = :business_id
    expect: at_most_one_row
  begun:
    title: What a new business needs
    checklist:
      there: {title: The business is there, done: account.row is not none}
      frozen: {title: It is frozen, done: account.row.is_frozen, help: As new businesses are., link: "https://shop.test/new"}
      unknown: {title: Somebody answered, done: account.nothing.at_all}
      welcome: {title: It was welcomed}
findings:
  ready: {when: begun.all, say: Everything is done.}
  given_up: {when: not begun.all, say: "Left: {{ begun.left|join(', ') }}, because {{ begun.because }}."}
"""


@pytest.fixture
async def scene(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Scene]:
    """A sandbox whose only runbook is a checklist."""
    async with populated(postgres, rate_limits=False, runbooks=tree(tmp_path, RB_901=RUNBOOK)) as sandbox:
        scene = Scene(sandbox)
        await scene.plant("in_step")
        yield scene


async def asked(scene: Scene, times: int) -> bool | None:
    """Whether the list was asked for that often."""
    lines = await scene.sandbox.bot.desk.reads.audit()
    return True if sum(line.kind == "question.asked" for line in lines) == times else None


async def test_people_tick_what_the_bot_cannot_see(scene: Scene) -> None:
    """What a fact shows is ticked already; ticks of several people add up, one is taken back, and the last one draws
    the findings. Everything is on record in the name of who did it."""
    ana, ben = scene.person("ana"), scene.person("ben")
    await ana.types(f"/runbook RB-901 business_id={BUSINESS}")
    card = await ana.sees("1 of 4 done")
    assert "☑ The business is there – seen by the bot" in card.text
    assert "☐ It is frozen – not so when the bot looked" in card.text
    assert "☐ Somebody answered" in card.text
    await ana.clicks(Verb.TICK)
    form = await ana.sees("As new businesses are.", surface="modal")
    assert "The business is there" not in form.text
    await ana.submits(open_0=["frozen", "welcome"])
    await ana.sees("3 of 4 done")
    await ben.clicks(Verb.TICK)
    await ben.submits(ticked_0=["welcome"])
    await ben.sees("2 of 4 done")
    await ben.clicks(Verb.TICK)
    await ben.submits(open_0=["unknown"])
    await ben.sees("3 of 4 done")
    await ana.clicks(Verb.RECHECK)
    await scene.until(partial(asked, scene, 2))
    await ana.sees(lambda seen: "3 of 4 done" in seen.text and "waits for ticks" in seen.text)
    await ben.clicks(Verb.TICK)
    await ben.submits(open_0=["welcome"])
    await ben.sees("Everything is done.")
    lines = await scene.sandbox.bot.desk.reads.audit()
    ticks = [
        (each.actor, each.data["ticked"], each.data["taken_back"]) for each in lines if each.kind == "checklist.ticked"
    ]
    assert ticks == [
        ("U0ANA", ["It is frozen", "It was welcomed"], []),
        ("U0BEN", [], ["It was welcomed"]),
        ("U0BEN", ["Somebody answered"], []),
        ("U0BEN", ["It was welcomed"], []),
    ]


async def test_a_list_is_closed_with_a_reason(scene: Scene) -> None:
    """Somebody may close it with items left, and says why; a form that was open meanwhile is told that it is closed."""
    ana, ben = scene.person("ana"), scene.person("ben")
    await ana.types(f"/runbook RB-901 business_id={BUSINESS}")
    await ana.sees("1 of 4 done")
    await ben.clicks(Verb.TICK)
    await ben.modal()
    await ana.clicks(Verb.TICK)
    await ana.submits(open_0=["frozen"], because="They left us")
    await ana.sees("Left: Somebody answered, It was welcomed, because They left us.")
    await ben.submits(open_0=["welcome"])
    await ben.sees("This checklist is closed.")
    run = await scene.run_is(RunState.DECIDING)
    assert (run.checks["begun"].answered_by, run.checks["begun"].summary) == (
        "U0ANA",
        "2 of 4 done; left: They left us",
    )
