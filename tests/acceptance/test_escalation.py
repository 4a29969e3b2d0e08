"""An incident that nobody has taken: its people are called in turn, each once, until somebody is on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.cli.sandbox import populated
from bot.domain.incident import Incident
from bot.incidents.climbing import Climber
from bot.sandbox.postgres import Postgres
from bot.sandbox.slack.person import Person
from commands.support import HANDS_OFF
from tests.acceptance.conftest import Scene
from tests.conftest import ManualClock

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def scene(postgres: Postgres, clock: ManualClock) -> AsyncIterator[Scene]:
    """The shipped runbooks, and a clock that the test moves."""
    async with populated(postgres, rate_limits=False, clock=clock) as sandbox:
        yield Scene(sandbox)


async def opened(scene: Scene, words: str = "alacarte P0 Nobody gets any message") -> Incident:
    """Ana opens an incident by hand; she is in its channel."""
    ana = scene.person("ana")
    await ana.types(f"/incident open {words}")
    await ana.sees("<@U0ANA> has joined the channel")

    async def there() -> Incident | None:
        found = await scene.sandbox.bot.desk.incidents.open_ones()
        return found[0] if found and found[0].channel else None

    return await scene.until(there, "the incident's channel")


async def calls(scene: Scene, incident: Incident) -> list[list[str]]:
    """Whom the trail says were called, in turn."""
    lines = await scene.sandbox.bot.desk.reads.audit(incident_id=incident.id)
    return [line.data["to"] for line in lines if line.kind == "incident.escalated"]


async def climbed(scene: Scene, incident: Incident, rungs: int) -> Incident:
    """The incident, once so many rungs have been called."""

    async def there() -> Incident | None:
        now = await scene.sandbox.bot.desk.incidents.get(incident.id)
        return now if now.rungs == rungs else None

    return await scene.until(there, f"{rungs} rungs")


async def later(scene: Scene, clock: ManualClock, span: timedelta) -> None:
    """So much later; the clock has been looked at."""
    clock.pass_(seconds=span.total_seconds())
    await scene.sandbox.bot.climber.sweep()


async def test_nobody_answers_and_then_somebody_does(scene: Scene, clock: ManualClock) -> None:
    """The leads are called at once, manager and CTO after a quarter of an hour and not before; Ben is on it by a
    button, leads it, and nobody else is called."""
    ben = scene.person("ben")
    incident = await opened(scene)
    await climbed(scene, incident, 1)
    card = await ben.sees(lambda seen: "Called " in seen.text and "Nobody is on it." in seen.text)
    assert "'usergroup_id': 'S0LEADS'" in str(card.raw["blocks"])
    await ben.sees(lambda seen: "Nobody is on it yet. Called next: engineering manager, CTO" in seen.text)
    await later(scene, clock, 14 * MINUTE)
    assert await calls(scene, incident) == [["leads"]]
    await later(scene, clock, MINUTE)
    await climbed(scene, incident, 2)
    await ben.sees(lambda seen: "engineering manager (manager@alacartechat.com)" in seen.text)
    await ben.sees(lambda seen: "Nobody is on it after 15 min." in seen.text)
    await ben.clicks("I'm on it")
    await ben.sees(lambda seen: "led by" in seen.text and "Nobody is on it yet" not in seen.text)
    await ben.sees(lambda seen: "Nobody is on it after 15 min." in seen.text and "is on it." in seen.text)
    await scene.until(lambda: _no_button(ben), "no button left")
    await later(scene, clock, timedelta(hours=5))
    assert await calls(scene, incident) == [["leads"], ["engineering_manager", "cto"]]
    lines = await scene.sandbox.bot.desk.reads.audit(incident_id=incident.id)
    assert [line.actor for line in lines if line.kind == "incident.acknowledged"] == ["U0BEN"]


async def _no_button(person: Person) -> bool | None:
    return not [seen for seen in person.screen() if "I'm on it" in str(seen.raw)] or None


async def test_acknowledged_in_time(scene: Scene, clock: ManualClock) -> None:
    """With /incident ack nobody else is called; who is on it already is told, another one takes over."""
    ana, ben = scene.person("ana"), scene.person("ben")
    incident = await opened(scene)
    await climbed(scene, incident, 1)
    await ben.sees("<@U0BEN> has joined the channel")
    await ben.types("/incident ack", incident.channel)
    await ben.sees("nobody else is called by itself")
    await later(scene, clock, timedelta(hours=1))
    assert await calls(scene, incident) == [["leads"]]
    await ben.types("/incident ack", incident.channel)
    await ben.sees("You are on it already.")
    await ana.types("/incident ack", incident.channel)
    await ana.sees("nobody else is called by itself")
    now = await scene.sandbox.bot.desk.incidents.get(incident.id)
    assert (now.acknowledged_by, now.commander) == ("U0ANA", "U0ANA")


async def test_whoever_starts_a_runbook_is_on_it(scene: Scene, clock: ManualClock) -> None:
    """A run by a person in an incident that nobody has taken, and an incident that began with one, call nobody."""
    incident = await opened(scene, "alacarte P1 Messages are late")
    await scene.person("ben").joins(str(incident.channel))
    await scene.person("ben").types("/runbook RB-004", incident.channel)
    await scene.until(lambda: _taken(scene, incident), "somebody on it")
    await later(scene, clock, timedelta(hours=5))
    assert await calls(scene, incident) == []
    await scene.person("ana").types("/runbook RB-006")
    run = await scene.until(scene.newest, "a run")
    await later(scene, clock, timedelta(hours=5))
    (own,) = [each for each in await scene.sandbox.bot.desk.incidents.open_ones() if each.id == run.incident]
    assert (own.acknowledged_by, await calls(scene, own)) == ("U0ANA", [])


async def _taken(scene: Scene, incident: Incident) -> bool | None:
    return (await scene.sandbox.bot.desk.incidents.get(incident.id)).acknowledged_at is not None or None


async def test_people_are_called_by_hand(scene: Scene) -> None:
    """/incident escalate calls the next rung with its reason, also when somebody is on it; it says when nobody is
    left."""
    ana = scene.person("ana")
    incident = await opened(scene)
    await climbed(scene, incident, 1)
    await ana.types("/incident ack", incident.channel)
    await ana.types("/incident escalate the largest customer is down", incident.channel)
    await ana.sees("Called: engineering manager, CTO.")
    await ana.sees(lambda seen: seen.surface == "message" and "the largest customer is down" in seen.text)
    await ana.types("/incident escalate once more", incident.channel)
    await ana.sees("Everybody on the ladder «Critical» has been called.")
    assert await calls(scene, incident) == [["leads"], ["engineering_manager", "cto"]]


async def test_each_rung_once_whatever_runs_beside(scene: Scene, clock: ManualClock) -> None:
    """Twenty replicas that look too early call nobody; at the same moment, twice, they call one rung, and the one after
    it keeps its time although it would have been due."""
    incident = await opened(scene)
    await climbed(scene, incident, 1)
    bot = scene.sandbox.bot
    replicas = [Climber(bot.store, bot.desk.library.catalogue) for _ in range(20)]
    await asyncio.gather(*(each.climb(incident.id) for each in replicas))
    assert await calls(scene, incident) == [["leads"]]
    clock.pass_(hours=3)
    await asyncio.gather(*(each.climb(incident.id) for each in replicas * 2))
    assert await calls(scene, incident) == [["leads"], ["engineering_manager", "cto"]]
    assert (await bot.desk.incidents.get(incident.id)).rungs == 2


async def test_an_incident_is_opened_by_its_form(scene: Scene) -> None:
    """/incident open alone asks what is wrong, where and how bad; what is missing is said in the form."""
    ana = scene.person("ana")
    await ana.types("/incident open")
    await ana.modal()
    assert await ana.submits(title="   ") == {"title": "Say in a few words what is wrong."}
    assert await ana.submits(title="Everything is slow", severity="P2") == {}
    await ana.sees("Everything is slow")
    (incident,) = await scene.sandbox.bot.desk.incidents.open_ones()
    assert (incident.system, incident.severity, incident.title) == ("alacarte", "P2", "Everything is slow")
    assert incident.target == timedelta(minutes=30)


async def test_a_resolved_incident_calls_nobody(scene: Scene, clock: ManualClock) -> None:
    """It is over: the clock stands, and nobody can take it any more."""
    ana = scene.person("ana")
    incident = await opened(scene)
    await climbed(scene, incident, 1)
    await ana.types("/incident resolve", incident.channel)
    await ana.sees("is resolved; the summary")
    await later(scene, clock, timedelta(hours=5))
    assert await calls(scene, incident) == [["leads"]]
    await ana.types("/incident ack", incident.channel)
    await ana.sees("This incident is resolved already.")


async def test_support_takes_no_incident(scene: Scene, clock: ManualClock) -> None:
    """Eve of the help desk opens one and cannot be on it, by command or by button: the clock goes on."""
    eve = scene.person("eve")
    await eve.types("/incident open alacarte P0 Everybody complains")
    await eve.sees("<@U0EVE> has joined the channel")
    (incident,) = await scene.sandbox.bot.desk.incidents.open_ones()
    await climbed(scene, incident, 1)
    await eve.clicks("I'm on it")
    await eve.sees(HANDS_OFF)
    await eve.types("/incident ack", incident.channel)
    await eve.sees(HANDS_OFF)
    await later(scene, clock, 15 * MINUTE)
    await climbed(scene, incident, 2)
    assert (await scene.sandbox.bot.desk.incidents.get(incident.id)).acknowledged_at is None
