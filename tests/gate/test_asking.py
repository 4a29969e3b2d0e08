"""Who is asked, and asked again: direct messages, Home tabs, reminders, the backup, and nobody at all."""

from __future__ import annotations

import pytest

from bot.domain.run import ActionStatus
from bot.sandbox.slack.screen import Seen
from tests.acceptance.conftest import Scene
from tests.conftest import ManualClock
from tests.gate.conftest import BUSINESS, Made

pytestmark = pytest.mark.approval


async def asked(scene: Scene) -> str:
    """Ana asks for the runbook, and its first action waits for approval; the run's id."""
    await scene.person("ana").types(f"/runbook RB-900 business_id={BUSINESS}")
    return (await scene.action_is("upgrade", ActionStatus.REQUESTED)).id


def direct(seen: Seen) -> bool:
    """Whether this is a request in a direct message."""
    return bool(seen.channel and seen.channel.startswith("D") and seen.text.startswith("Approval: "))


async def test_approvers_are_asked_directly_and_see_how_it_ends(gate: Made) -> None:
    """Each approver gets the request as a direct message; a vote there decides, and every copy shows the end."""
    scene = await gate()
    ben, dev = scene.person("ben"), scene.person("dev")
    await asked(scene)
    copy = await ben.sees(direct)
    await dev.sees(direct)
    assert "free → starter" in copy.text
    assert not any(direct(seen) for seen in scene.person("ana").screen())
    await ben.clicks("Approve", copy)
    await scene.action_is("upgrade", ActionStatus.DONE)
    for person in (ben, dev):
        await person.sees(lambda seen: direct(seen) and "Verified" in seen.text and "Approve\n" not in seen.text)


async def test_a_home_tab_is_kept_fresh(gate: Made) -> None:
    """What waits for an approver stands in their Home tab by itself, and goes when it is decided."""
    scene = await gate()
    ben, dev = scene.person("ben"), scene.person("dev")
    assert "Nothing." in (await dev.opens_home()).text
    await asked(scene)
    await dev.sees(lambda seen: seen.surface == "home" and "Put it on starter" in seen.text.partition("Open inc")[0])
    await ben.clicks("Approve", await ben.sees(direct))
    await dev.sees(lambda seen: seen.surface == "home" and "Freeze it" in seen.text.partition("Open inc")[0])
    await ben.clicks("Deny…", await ben.sees(lambda seen: direct(seen) and "Freeze it" in seen.text))
    await ben.modal()
    await ben.submits(reason="Not that")
    await dev.sees(lambda seen: seen.surface == "home" and "Nothing." in seen.text)


async def test_nobody_answers(gate: Made, clock: ManualClock) -> None:
    """First the approvers are reminded, then the backup is asked and may decide, then it expires undone."""
    scene = await gate("{group: billing, backup: database, remind_after: 10m, backup_after: 20m}", frozen_time=True)
    ben, chloe = scene.person("ben"), scene.person("chloe")
    run = await asked(scene)
    worker = scene.sandbox.bot.worker
    clock.pass_(minutes=10)
    await worker.advance(run)
    await ben.sees("has been waiting for 10 min")
    assert not any(direct(seen) for seen in chloe.screen())
    clock.pass_(minutes=10)
    await worker.advance(run)
    await chloe.sees(direct)
    await ben.sees("@database may decide as well now")
    kinds = [line.kind for line in await scene.sandbox.bot.desk.reads.audit(run_id=run)]
    assert kinds.count("approval.nudged") == 2
    clock.pass_(minutes=10)
    await worker.advance(run)
    assert (await scene.shown()).run.actions["upgrade"].status is ActionStatus.EXPIRED
    await chloe.sees(lambda seen: direct(seen) and "Nobody decided in time" in seen.text)
    tier = await scene.sql("SELECT subscription_tier FROM businesses WHERE id = $1", BUSINESS)
    assert tier["subscription_tier"] == "free"


async def test_the_backup_decides(gate: Made, clock: ManualClock) -> None:
    """Once it is its turn, a vote of the backup is as good as any."""
    scene = await gate("{group: billing, backup: database}", frozen_time=True)
    run = await asked(scene)
    clock.pass_(minutes=20)
    await scene.sandbox.bot.worker.advance(run)
    chloe = scene.person("chloe")
    await chloe.clicks("Approve", await chloe.sees(direct))
    await scene.action_is("upgrade", ActionStatus.DONE)


async def test_too_few_approvers_are_said_at_the_start(gate: Made) -> None:
    """A runbook whose action nobody could approve says so before anybody waits for it."""
    scene = await gate("{groups: [billing, database], votes: 4}")
    await scene.person("ana").types(f"/runbook RB-900 business_id={BUSINESS}")
    said = await scene.person("ana").sees("could not be approved now")
    assert "«Put it on starter» needs 4 of @billing or @database" in said.text


async def test_a_restart_shows_what_is_true(gate: Made) -> None:
    """A message that was not updated because the bot was down is put right at its next start."""
    scene = await gate()
    run = await asked(scene)
    ben = scene.person("ben")
    card = await ben.sees(lambda seen: seen.text.startswith("RB-900") and "Waiting for" in seen.text)
    desk = scene.sandbox.bot.desk
    stale = scene.sandbox.world.slack.space.channels[str(card.channel)].messages[str(card.ts)]
    stale.blocks = stale.blocks[:1]
    await desk.people.announce_everything()
    await ben.sees(lambda seen: seen.ts == card.ts and "Waiting for" in seen.text)
    assert (await scene.shown()).run.id == run
