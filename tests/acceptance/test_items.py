"""Action items: drafted at the end of a severe incident, taken, asked for, ended; in the review and the export."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.cli.sandbox import populated
from bot.domain.events import Happened
from bot.domain.incident import Incident
from bot.domain.items import Item, ItemState
from bot.domain.run import RunState
from bot.evidence.case import incident_case
from bot.evidence.export import exported
from bot.evidence.review import review
from bot.incidents.items import Items
from bot.sandbox.postgres import Postgres
from tests.acceptance.conftest import Scene
from tests.conftest import ManualClock

WHAT = "Review the slow query log daily"


@pytest.fixture
async def scene(postgres: Postgres, clock: ManualClock) -> AsyncIterator[Scene]:
    """The shipped runbooks, and a clock that the test moves."""
    async with populated(postgres, rate_limits=False, clock=clock) as sandbox:
        yield Scene(sandbox)


async def resolved(scene: Scene) -> Incident:
    """A P1 of RB-004, which Ana has begun and resolved."""
    ana = scene.person("ana")
    await ana.types("/runbook RB-004")
    await scene.run_is(RunState.DECIDING)
    incident = (await scene.shown()).incident
    assert incident is not None
    await ana.types("/incident resolve", incident.channel)
    await ana.sees(lambda seen: WHAT in seen.text and "Take it…" in str(seen.raw))
    return incident


async def item(scene: Scene, incident: Incident, state: ItemState = ItemState.OPEN, owner: str = "") -> Item:
    """The item, once it stands so."""

    async def probe() -> Item | None:
        found = await scene.sandbox.bot.desk.items.of_incident(incident.id)
        return next((each for each in found if (each.what, each.state, each.owner) == (WHAT, state, owner)), None)

    return await scene.until(probe, f"the item, {state}, of {owner or 'nobody'}")


async def test_an_item_is_taken_reminded_of_and_done(scene: Scene, clock: ManualClock) -> None:
    """Ben takes it for ten days; the day before it is due he is reminded in a direct message, once whoever looks, and
    not again for three days; he says there that it is done. The review and the export say who and until when."""
    ben, bot = scene.person("ben"), scene.sandbox.bot
    incident = await resolved(scene)
    made = await item(scene, incident)
    day = (clock.now() + timedelta(days=10)).date()
    await bot.desk.items.assign(made.id, "U0ANA", "U0BEN", day)
    await scene.person("ana").sees(lambda seen: f"by {day}" in seen.text and WHAT in seen.text)
    home = await ben.opens_home()
    assert WHAT in home.text
    assert "Time to resolve, last 30 days" in home.text
    assert WHAT not in (await scene.person("chloe").opens_home()).text
    clock.pass_(days=8)
    assert await bot.desk.items.remind() == len(await unowned(scene, incident))
    clock.pass_(days=1)
    looks = await asyncio.gather(*(Items(bot.store).remind() for _ in range(8)))
    assert sum(looks) == 1
    asked = await ben.sees(lambda seen: "is due" in seen.text and WHAT in seen.text)
    clock.pass_(days=2)
    assert [each.what for each in await reminded(scene, incident)].count(WHAT) == 1
    case = await incident_case(bot.store, incident.id)
    assert f"| {WHAT} | @U0BEN | {day} | open |" in review(case, {}, {"U0BEN": "@U0BEN"})
    (told,) = [each for each in exported(case)["action_items"] if each["what"] == WHAT]
    assert (told["owner"], told["due"], told["state"]) == ("U0BEN", day.isoformat(), "open")
    await ben.clicks("Done", asked)
    done = await item(scene, incident, ItemState.DONE, "U0BEN")
    assert done.ended_by == "U0BEN"
    await ben.clicks("Done", asked)
    await ben.sees("is done already")


async def unowned(scene: Scene, incident: Incident) -> list[Item]:
    """The open items that nobody has."""
    found = await scene.sandbox.bot.desk.items.of_incident(incident.id)
    return [each for each in found if not each.owner and each.state is ItemState.OPEN]


async def reminded(scene: Scene, incident: Incident) -> list[Item]:
    """The items that somebody was reminded of, as the record says, each as often."""
    lines = await scene.sandbox.bot.desk.reads.audit(incident_id=incident.id)
    whats = [line.data["what"] for line in lines if line.kind == Happened.ITEM_REMINDED]
    found = {each.what: each for each in await scene.sandbox.bot.desk.items.of_incident(incident.id)}
    return [found[what] for what in whats]


async def test_the_form_gives_it_an_owner_and_a_day(scene: Scene, clock: ManualClock) -> None:
    """Who presses is proposed, in two weeks; a day that has passed is refused in the form; what nobody wants is
    dropped, on record."""
    ana = scene.person("ana")
    incident = await resolved(scene)
    await item(scene, incident)
    await ana.clicks("Take it…")
    form = await ana.modal()
    assert "'initial_user': 'U0ANA'" in str(form.payload)
    assert await ana.submits(due="2020-01-01") == {"due": "That day has passed."}
    await ana.submits(due=(clock.now() + timedelta(days=3)).date().isoformat())
    taken = await scene.until(lambda: _taken(scene, incident), "an item of Ana's")
    assert taken.due == (clock.now() + timedelta(days=3)).date()
    await ana.types("/incident item Watch the disk of the importer", incident.channel)
    await ana.sees("It is on the list of action items")
    await ana.types("/incident items", incident.channel)
    await ana.sees(lambda seen: "Watch the disk of the importer" in seen.text and seen.surface == "ephemeral")
    await scene.sandbox.bot.desk.items.end(taken.id, "U0ANA", ItemState.DROPPED)
    lines = await scene.sandbox.bot.desk.reads.audit(incident_id=incident.id)
    assert [line.data["state"] for line in lines if line.kind == Happened.ITEM_ENDED] == ["dropped"]


async def _taken(scene: Scene, incident: Incident) -> Item | None:
    found = await scene.sandbox.bot.desk.items.of_incident(incident.id)
    return next((each for each in found if each.owner == "U0ANA"), None)


async def test_what_nobody_has_is_asked_of_who_was_on_it(scene: Scene, clock: ManualClock) -> None:
    """After two days who was on the incident is asked for an owner; resolving it again drafts nothing twice."""
    incident = await resolved(scene)
    count = len(await scene.sandbox.bot.desk.items.of_incident(incident.id))
    clock.pass_(days=2)
    assert await scene.sandbox.bot.desk.items.remind() == count
    await scene.person("ana").sees(lambda seen: "has nobody yet" in seen.text)
    await scene.sandbox.bot.desk.incidents.reopen(incident.id, "U0ANA", "once more")
    await scene.sandbox.bot.desk.incidents.resolve(incident.id, "U0ANA")
    assert len(await scene.sandbox.bot.desk.items.of_incident(incident.id)) == count


async def test_a_small_incident_has_none(scene: Scene) -> None:
    """After a P2 nobody is asked for anything."""
    ana = scene.person("ana")
    await ana.types("/incident open alacarte P2 Something small")
    await ana.sees("<@U0ANA> has joined the channel")
    (incident,) = await scene.sandbox.bot.desk.incidents.open_ones()
    await scene.sandbox.bot.desk.incidents.resolve(incident.id, "U0ANA")
    assert await scene.sandbox.bot.desk.items.of_incident(incident.id) == []
