"""Channels of incidents under people's hands: renamed, archived, deleted, the bot removed; the incident goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.cli.sandbox import populated
from bot.domain.incident import Incident
from bot.domain.run import RunState
from bot.sandbox.postgres import Postgres
from bot.sandbox.slack import membership
from bot.slack.verbs import Verb
from bot.store import outbox
from tests.acceptance.conftest import PATIENCE, Scene
from tests.conftest import ManualClock

pytestmark = pytest.mark.incidents

BUSINESS = "0a1aca27-0011-4000-8000-000000000001"


@pytest.fixture
async def scene(postgres: Postgres, clock: ManualClock) -> AsyncIterator[Scene]:
    """An incident whose run waits for an approval."""
    async with populated(postgres, rate_limits=False, clock=clock) as sandbox:
        scene = Scene(sandbox)
        await scene.plant("webhook_missed")
        await scene.person("ana").types(f"/runbook RB-011 business_id={BUSINESS}")
        await scene.run_is(RunState.AWAITING_APPROVAL)
        await scene.person("ana").sees("Waiting for 1 vote")
        yield scene


async def incident(scene: Scene) -> Incident:
    """The one incident."""
    shown = await scene.shown()
    assert shown.incident is not None
    return shown.incident


async def moved(scene: Scene, clock: ManualClock, old: Incident) -> Incident:
    """The incident, once it has another channel; what is postponed is tried again as time passes."""
    async with asyncio.timeout(PATIENCE):
        while (now := await incident(scene)).channel in (None, old.channel):
            clock.pass_(seconds=5)
            await asyncio.sleep(0.05)
    return now


async def drained(scene: Scene, clock: ManualClock) -> None:
    """Everything that waits has been said; the last of it changes nothing that can be seen."""
    async with asyncio.timeout(PATIENCE), scene.sandbox.bot.store.reading() as connection:
        while await outbox.waiting(connection):
            clock.pass_(seconds=5)
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("how", ["archived", "deleted"])
async def test_a_closed_channel_is_replaced(scene: Scene, clock: ManualClock, how: str) -> None:
    """The next thing to be said opens another channel with the headline, the people and the card, says why, and puts it
    on record; the approval is given there and everything ends as it would have."""
    ana, ben, space = scene.person("ana"), scene.person("ben"), scene.sandbox.world.slack.space
    old = await incident(scene)
    if how == "archived":
        await ana.archives(str(old.channel))
    else:
        del space.channels[str(old.channel)]
    await scene.sandbox.bot.desk.journal.note(old.id, "U0ANA", "Somebody tidied up", press="p1")
    await scene.sandbox.bot.desk.people.announce_everything()
    new = await moved(scene, clock, old)
    assert new.channel_name == (f"{old.channel_name}-2" if how == "archived" else old.channel_name)
    said = "was archived" if how == "archived" else "is gone, or I was removed from it"
    await ana.sees(lambda seen: seen.channel == new.channel and f"its channel {old.channel_name} {said}." in seen.text)
    card = await ben.sees(lambda seen: seen.channel == new.channel and "Waiting for 1 vote" in seen.text)
    await drained(scene, clock)
    assert {"U0ANA", space.bot_user} <= set(space.channels[str(new.channel)].members)
    await ben.clicks(Verb.APPROVE, card)
    await scene.run_is(RunState.DONE)
    await drained(scene, clock)
    lines = await scene.sandbox.bot.desk.reads.audit(incident_id=old.id)
    assert [line.data["channel"] for line in lines if line.kind == "incident.channel_lost"] == [old.channel]


async def test_a_renamed_channel_is_the_same(scene: Scene, clock: ManualClock) -> None:
    """The incident follows its channel, whatever it is called."""
    space, old = scene.sandbox.world.slack.space, await incident(scene)
    membership.rename(space, space.channels[str(old.channel)], "all-hands-on-deck", "U0ANA")
    await scene.person("ben").clicks(Verb.APPROVE)
    await scene.run_is(RunState.DONE)
    await drained(scene, clock)
    assert (await incident(scene)).channel == old.channel


async def test_removed_from_the_channel_the_bot_comes_back(scene: Scene, clock: ManualClock) -> None:
    """A public channel is joined again and the incident goes on where it is."""
    space, old = scene.sandbox.world.slack.space, await incident(scene)
    membership.leave(space, space.channels[str(old.channel)], space.bot_user)
    await scene.person("ben").clicks(Verb.APPROVE)
    await scene.person("ana").sees(f"<@{space.bot_user}> has joined the channel")
    await drained(scene, clock)
    await scene.person("ana").sees("verified")
    assert (await incident(scene)).channel == old.channel
    assert space.bot_user in space.channels[str(old.channel)].members


async def test_after_it_is_resolved_a_closed_channel_stays_closed(scene: Scene, clock: ManualClock) -> None:
    """People archive the channels of what is over: what comes late is let go, and no channel is made for it."""
    old, space = await incident(scene), scene.sandbox.world.slack.space
    await scene.person("ben").clicks(Verb.APPROVE)
    await scene.run_is(RunState.DONE)
    await scene.sandbox.bot.desk.incidents.resolve(old.id, "U0ANA")
    await drained(scene, clock)
    count = len(space.channels)
    await scene.person("ana").archives(str(old.channel))
    async with scene.sandbox.bot.store.transaction() as tx:
        tx.announce("incident", incident_id=old.id)
    await drained(scene, clock)
    assert (len(space.channels), (await incident(scene)).channel) == (count, old.channel)
