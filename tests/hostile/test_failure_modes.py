"""What went wrong with other bots of this kind and has no better place: each test names its row of the list."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.authoring.loader import catalogue_at
from bot.cli.sandbox import ROOT
from bot.domain import outcomes as o
from bot.domain.approval import RequestState, Verdict
from bot.domain.run import ActionStatus
from bot.errors import Misconfigured
from bot.runs.changes import apply, locked
from bot.sandbox.world import World
from bot.settings import SlackMode
from tests.hostile.conftest import KEY, Gate, LeapingClock, Runbooks, living

pytestmark = pytest.mark.approval


async def test_buttons_outlive_the_bot(world: World, leaping: LeapingClock) -> None:
    """Failure mode 6: a card that was posted before a restart is as good after it, by the other door too."""
    async with living(world, SlackMode.HTTP, leaping) as gate:
        await gate.asked()
        press = gate.press("ben", "Approve")
    async with living(world, SlackMode.SOCKET, leaping) as gate:
        await gate.deliver(press)
        await gate.action_is(KEY, ActionStatus.DONE)
        assert "already approved" in await gate.answered("ben", press)
        assert await gate.receipts() == 1


async def test_words_approve_nothing(gate: Gate) -> None:
    """Failure mode 20: "yes", "ok", "approve" as a message, a mention, a reply or a command decide nothing."""
    business = await gate.asked()
    ben, bot = gate.person("ben"), gate.slack.space.bot_user
    incident = (await gate.shown()).incident
    assert incident is not None
    channel = str(incident.channel)
    card = await ben.sees(lambda seen: seen.channel == channel and "vote of" in seen.text)
    await ben.joins(channel)
    for words in ("yes", "ok", "approve", "Approve", f"<@{bot}> approve", f"<@{bot}> yes, do it", "+1"):
        await ben.types(words, channel)
        await ben.types(words, channel, thread_ts=card.ts)
    for command in ("/runbook approve", "/runbook approve 1", "/runbook yes", "/incident approve"):
        await ben.types(command, channel)
    await gate.slack.delivery.settled()
    assert (await gate.shown()).run.actions[KEY].status is ActionStatus.REQUESTED
    await gate.untouched(business)


async def test_the_worker_asks_for_the_approval_itself(gate: Gate) -> None:
    """Failure mode 21: a run that says of itself that its action is approved, while the request still waits for its
    votes, is not carried out: the worker insists on the request, whichever way the run got there."""
    business = await gate.asked()
    ref = await gate.ref()
    async with gate.sandbox.bot.store.transaction() as tx:
        run = await locked(tx, ref.run)
        await apply(tx, run, o.Decided(KEY, Verdict(RequestState.APPROVED)))
        tx.enqueue(ref.run)
    run = await gate.action_is(KEY, ActionStatus.FAILED)
    assert "no approval" in run.actions[KEY].reason
    await gate.untouched(business)


EMBEDDED = {
    "an approval in the file": ("approve: {group: billing}", "approved: true\n    approve: {group: billing}"),
    "an approval in the policy": ("approve: {group: billing}", "approve: {group: billing, approved: true}"),
    "no votes needed": ("approve: {group: billing}", "approve: {group: billing, votes: 0}"),
    "nobody asked": ("approve: {group: billing}", "approve: {groups: []}\n    gated: false"),
    "a kind nobody knows": ("    undo: automatic\n", "    undo: automatic\n    shell: rm -rf /\n"),
}


@pytest.mark.parametrize("what", EMBEDDED)
def test_a_runbook_cannot_approve_itself(runbooks: Runbooks, what: str) -> None:
    """Failure mode 30: a file that says it is approved, needs no votes or uses an unknown kind of step is refused
    whole, and says where."""
    old, new = EMBEDDED[what]
    with pytest.raises(Misconfigured, match=r"RB-011\.yaml"):
        catalogue_at(runbooks(old, new))
    assert len(catalogue_at(Path(ROOT / "runbooks"))) > 0


async def test_waiting_for_people_is_not_execution_time(gate: Gate) -> None:
    """Failure mode 31: a request waits far longer than its action may run, the worker comes by again and again, and a
    yes after that is as good as an early one."""
    await gate.asked()
    shown = await gate.shown()
    assert shown.runbook.actions[KEY].timeout < timedelta(minutes=9)
    for minutes in (9, 18, 27):
        gate.clock.ahead = timedelta(minutes=minutes)
        await gate.sandbox.bot.worker.advance(shown.run.id)
        assert (await gate.shown()).run.actions[KEY].status is ActionStatus.REQUESTED
    await gate.person("ben").clicks("Approve")
    await gate.action_is(KEY, ActionStatus.DONE)
