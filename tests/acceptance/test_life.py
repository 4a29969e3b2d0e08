"""What people do with an incident beside running its runbooks, in a real channel on a real wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.cli.sandbox import populated
from bot.domain.events import Happened
from bot.domain.incident import Incident, IncidentState
from bot.domain.run import RunState
from bot.domain.runbook import Severity
from bot.domain.timeline import timeline
from bot.sandbox.postgres import Postgres
from bot.store.audit import AuditLine
from tests.acceptance.conftest import Scene
from tests.conftest import ManualClock

WORDS = "alacarte P1 Messages are late"


@pytest.fixture
async def scene(postgres: Postgres, clock: ManualClock) -> AsyncIterator[Scene]:
    """The shipped runbooks, and a clock that the test moves."""
    async with populated(postgres, rate_limits=False, clock=clock) as sandbox:
        yield Scene(sandbox)


async def opened(scene: Scene, words: str = WORDS, command: str = "/incident open") -> Incident:
    """Ana opens an incident; it has its channel, and she is in it."""
    ana, known = scene.person("ana"), {each.id for each in await scene.sandbox.bot.desk.incidents.open_ones()}
    await ana.types(f"{command} {words}")

    async def there() -> Incident | None:
        found = [each for each in await scene.sandbox.bot.desk.incidents.open_ones() if each.id not in known]
        return found[0] if found and found[0].channel else None

    incident = await scene.until(there, "the incident's channel")
    await settled(scene, incident)
    return incident


async def settled(scene: Scene, incident: Incident) -> None:
    """The headline stands in the channel, and is pinned."""
    await scene.until(lambda: _pinned(scene, str(incident.channel)), "the pinned headline")


async def _pinned(scene: Scene, channel: str) -> bool | None:
    return bool(scene.sandbox.world.slack.space.channels[channel].bookmarks) or None


async def now(scene: Scene, incident: Incident) -> Incident:
    """The incident as it stands."""
    return await scene.sandbox.bot.desk.incidents.get(incident.id)


async def entries(scene: Scene, incident: Incident) -> list[AuditLine]:
    """Its timeline."""
    return timeline(await scene.sandbox.bot.desk.reads.audit(incident_id=incident.id))


async def recorded(scene: Scene, incident: Incident, kind: Happened) -> AuditLine:
    """The newest line of a kind, once there is one."""

    async def probe() -> AuditLine | None:
        lines = await scene.sandbox.bot.desk.reads.audit(incident_id=incident.id)
        return next((line for line in reversed(lines) if line.kind == kind), None)

    return await scene.until(probe, kind)


async def test_from_a_message(scene: Scene) -> None:
    """ "Open an incident" on somebody's message: its first line is the title, the message the first entry."""
    ana, eve = scene.person("ana"), scene.person("eve")
    await eve.joins("general")
    await eve.types("Customers say nothing arrives\nsince 3 o'clock", "general")
    await ana.joins("general")
    said = await ana.sees(lambda seen: "nothing arrives" in seen.text)
    await ana.uses_shortcut("open_on_message", said)
    assert (await ana.modal()).payload["blocks"][0]["element"]["initial_value"] == "Customers say nothing arrives"
    await ana.submits(severity="P0")
    await ana.sees(lambda seen: "is open about this message" in seen.text)
    (incident,) = await scene.sandbox.bot.desk.incidents.open_ones()
    assert (incident.severity, incident.title) == (Severity.P0, "Customers say nothing arrives")
    marked = await recorded(scene, incident, Happened.INCIDENT_MARKED)
    assert (marked.actor, marked.data["author"]) == ("U0ANA", "U0EVE")
    assert "since 3 o'clock" in marked.data["text"]


async def test_in_a_channel_that_is_there(scene: Scene) -> None:
    """`/incident open here` holds the incident in the channel; a second one does not fit, nor a direct conversation."""
    ana = scene.person("ana")
    await ana.joins("support")
    support = next(each.id for each in scene.sandbox.world.slack.space.channels.values() if each.name == "support")
    await ana.types(f"/incident open here {WORDS}", "support")
    await ana.sees("this channel is its own")
    await ana.sees(
        lambda seen: seen.channel == support and "Messages are late" in seen.text and seen.surface == "message"
    )
    await ana.types("/incident open here alacarte P2 Another one", "support")
    await ana.sees(lambda seen: "This is the channel of INC-" in seen.text)
    assert [each.channel for each in await scene.sandbox.bot.desk.incidents.open_ones()] == [support]


async def test_how_bad_and_who_leads(scene: Scene, clock: ManualClock) -> None:
    """A P1 that becomes a P0 has a P0's target and ladder, climbed from its foot; whoever is asked to lead is brought
    in and asked, and the clock goes on until they are on it."""
    ana, ben = scene.person("ana"), scene.person("ben")
    incident = await opened(scene)
    assert (incident.ladder, incident.target) == ("high", timedelta(minutes=10))
    await ana.types("/incident severity p0", incident.channel)
    await ana.sees("is a P0 now")
    raised = await now(scene, incident)
    assert (raised.severity, raised.ladder) == (Severity.P0, "critical")
    await scene.until(lambda: _called(scene, incident, [["leads"]]), "the leads called")
    await ana.types("/incident assign <@U0BEN>", incident.channel)
    await ben.sees(lambda seen: "asks you to lead" in seen.text)
    assert (await now(scene, incident)).commander == "U0BEN"
    clock.pass_(minutes=15)
    await scene.sandbox.bot.climber.sweep()
    await scene.until(lambda: _called(scene, incident, [["leads"], ["engineering_manager", "cto"]]), "the next rung")
    for words, answer in (
        ("severity P7", "Say how bad it is"),
        ("severity P0", "It is a P0 already"),
        ("assign ben", "Say who is to lead"),
        ("assign <@U0EVE>", "With support rights"),
    ):
        await ana.types(f"/incident {words}", incident.channel)
        await ana.sees(answer)


async def _called(scene: Scene, incident: Incident, to: list[list[str]]) -> bool | None:
    lines = await scene.sandbox.bot.desk.reads.audit(incident_id=incident.id)
    return [line.data["to"] for line in lines if line.kind == Happened.INCIDENT_ESCALATED] == to or None


async def test_a_duplicate_goes_on_in_the_other(scene: Scene) -> None:
    """Merged: its people come over, the worse severity counts, a runbook typed in its channel runs in the other one,
    and a mistaken merge is undone by opening it again."""
    ana = scene.person("ana")
    first = await opened(scene, "alacarte P2 Messages are late")
    second = await opened(scene, "alacarte P1 Customers get nothing")
    await scene.person("chloe").joins(str(second.channel))
    await ana.types(f"/incident merge {first.number}", second.channel)
    await ana.sees(f"{second.label} is a duplicate of {first.label} now")
    await ana.sees(lambda seen: seen.channel == second.channel and "goes on in" in seen.text)
    merged, into = await now(scene, second), await now(scene, first)
    assert (merged.state, merged.merged_into, into.severity) == (IncidentState.MERGED, first.id, Severity.P1)
    await scene.until(lambda: _inside(scene, first, "U0CHLOE"), "Chloe in the other channel")
    await ana.sees(lambda seen: seen.channel == first.channel and "Merged into this one" in seen.text)
    await ana.types("/runbook RB-004", second.channel)
    run = await scene.until(scene.newest, "a run")
    assert run.incident == first.id
    await ana.types("/incident resolve", second.channel)
    await ana.sees("was merged into another one")
    await ana.types("/incident reopen that was something else", second.channel)
    await ana.sees(f"{second.label} is open again")
    assert (await now(scene, second)).merged_into is None


async def _inside(scene: Scene, incident: Incident, user: str) -> bool | None:
    return user in scene.sandbox.world.slack.space.channels[str(incident.channel)].members or None


async def related(scene: Scene, channel: str) -> None:
    """The headline in this channel names another incident."""
    await scene.person("ana").sees(lambda seen: seen.channel == channel and "Related: INC-" in seen.text)


async def test_related_ones_point_at_each_other(scene: Scene) -> None:
    """Linked in both headlines, once; an unknown one and itself are refused in a sentence."""
    ana = scene.person("ana")
    first, second = await opened(scene), await opened(scene, "alacarte P2 The importer stands")
    await ana.types(f"/incident link {first.label}", second.channel)
    for each in (first, second):
        await related(scene, str(each.channel))
    for words, answer in (
        (f"link {first.number}", "is linked already"),
        ("link 99", "There is no incident 99."),
        (f"merge <#{second.channel}|x>", "That is this incident itself."),
        ("merge", "Say which incident"),
    ):
        await ana.types(f"/incident {words}", second.channel)
        await ana.sees(answer)


async def _drawn(scene: Scene, incident: Incident) -> bool | None:
    names = [file.name for file in scene.sandbox.world.slack.space.files.values()]
    return f"{incident.label}-course.png" in names or None


async def test_it_goes_on_after_its_end(scene: Scene, clock: ManualClock) -> None:
    """Opened again, nobody is on it and its ladder goes on; an open one is not opened again."""
    ana = scene.person("ana")
    incident = await opened(scene)
    await ana.types("/incident ack", incident.channel)
    await ana.types("/incident resolve", incident.channel)
    await ana.sees("is resolved; the summary is on its way")
    await scene.until(lambda: _drawn(scene, incident), "the picture of its course")
    clock.pass_(hours=1)
    await ana.types("/incident reopen", incident.channel)
    await ana.sees("Say why it goes on")
    await ana.types("/incident reopen it is late again", incident.channel)
    await scene.until(lambda: _called(scene, incident, [["leads"]]), "the leads called")
    again = await now(scene, incident)
    assert (again.state, again.acknowledged_at, again.resolved_at) == (IncidentState.OPEN, None, None)
    await ana.types("/incident reopen once more", incident.channel)
    await ana.sees("This incident is open.")


async def test_marks_and_corrections(scene: Scene) -> None:
    """A pin puts a message onto the timeline once and takes it off again; an entry is corrected with what it said."""
    ana, ben = scene.person("ana"), scene.person("ben")
    incident = await opened(scene)
    await ben.joins(str(incident.channel))
    await ben.types("It began with the deployment", incident.channel)
    said = await ana.sees(lambda seen: "began with the deployment" in seen.text)
    await ana.reacts(said, "pushpin")
    marked = await recorded(scene, incident, Happened.INCIDENT_MARKED)
    assert (marked.data["author"], marked.data["text"]) == ("U0BEN", "It began with the deployment")
    await ana.sees(lambda seen: "began with the deployment" in seen.text and "white_check_mark" in str(seen.raw))
    await ben.reacts(said, "memo")
    await ana.types("/incident note Stripe is down", incident.channel)
    note = await recorded(scene, incident, Happened.INCIDENT_NOTED)
    await ana.types("/incident timeline", incident.channel)
    shown = await ana.sees(lambda seen: "The timeline of" in seen.text and seen.surface != "message")
    await ana.clicks("Correct an entry…", shown)
    await ana.submits(entry=str(note.seq), text="Stripe was slow")
    await recorded(scene, incident, Happened.ENTRY_CORRECTED)
    told = [line for line in await entries(scene, incident) if line.seq in (note.seq, marked.seq)]
    assert [line.data["text"] for line in told] == ["It began with the deployment", "Stripe was slow"]
    assert told[1].data["before"][0]["data"] == {"text": "Stripe is down"}
    lines = await scene.sandbox.bot.desk.reads.audit(incident_id=incident.id)
    assert sum(line.kind == Happened.INCIDENT_MARKED for line in lines) == 1
    await ana.reacts(said, "pushpin")
    await recorded(scene, incident, Happened.INCIDENT_UNMARKED)
    assert marked.seq not in [line.seq for line in await entries(scene, incident)]


async def test_digests(scene: Scene, clock: ManualClock) -> None:
    """A P1 tells every quarter of an hour what has happened, once whatever looks, and nothing when nothing has; after
    its end it tells nothing."""
    ana = scene.person("ana")
    incident = await opened(scene)
    await ana.types("/incident ack", incident.channel)
    await ana.types("/incident note the provider looks into it", incident.channel)
    await recorded(scene, incident, Happened.INCIDENT_NOTED)
    digester = scene.sandbox.bot.digester
    await digester.digest(incident.id)
    assert (await now(scene, incident)).digests == 0
    clock.pass_(minutes=15)
    for _ in range(3):
        await digester.digest(incident.id)
    told = await ana.sees(lambda seen: "Digest" in seen.text and "the provider looks into it" in seen.text)
    assert "<@" not in str(told.raw["blocks"])
    assert "@ana noted" in str(told.raw["blocks"])
    assert (await now(scene, incident)).digests == 1
    clock.pass_(minutes=15)
    await digester.digest(incident.id)
    assert (await now(scene, incident)).digests == 1
    await ana.types("/incident note it is better", incident.channel)
    await recorded(scene, incident, Happened.INCIDENT_NOTED)
    clock.pass_(minutes=15)
    assert await digester.sweep() == 1
    await ana.sees(lambda seen: "Digest" in seen.text and "it is better" in seen.text and "provider" not in seen.text)
    await ana.types("/incident resolve", incident.channel)
    await ana.sees("is resolved; the summary is on its way")
    clock.pass_(hours=1)
    assert await digester.sweep() == 0


async def test_whoever_comes_later_is_told(scene: Scene, clock: ManualClock) -> None:
    """Nobody is told while it is opened; after a while, whoever comes is, and only they see it."""
    ben, chloe = scene.person("ben"), scene.person("chloe")
    incident = await opened(scene)
    await ben.joins(str(incident.channel))
    await scene.person("ana").types("/incident note the provider looks into it", incident.channel)
    await recorded(scene, incident, Happened.INCIDENT_NOTED)
    clock.pass_(minutes=5)
    await chloe.joins(str(incident.channel))
    await chloe.sees(lambda seen: "Where we are" in seen.text and "the provider looks into it" in seen.text)
    assert not [seen for seen in ben.screen() if "Where we are" in seen.text]


async def test_stakeholders_are_told_what_a_person_confirms(scene: Scene) -> None:
    """The form holds what is known; what is sent is what the person made of it, in the channel the system names."""
    ana = scene.person("ana")
    incident = await opened(scene)
    await ana.types("/incident update", incident.channel)
    form = await ana.modal()
    assert "Messages are late" in str(form.payload["blocks"])
    await ana.submits(text="Messages are late by <20> minutes. Nothing is lost.")
    sent = await recorded(scene, incident, Happened.UPDATE_SENT)
    assert sent.actor == "U0ANA"
    await ana.joins("status")
    await ana.sees(lambda seen: "late by" in seen.text and "told by" in seen.text)


async def _carded(scene: Scene) -> bool | None:
    """The run has looked at everything, and its card says so."""
    newest = await scene.newest()
    if newest is None or newest.state is RunState.DIAGNOSING:
        return None
    said = f"run {newest.number} · {newest.state}"
    return any(said in seen.text for seen in scene.person("ana").screen()) or None


async def test_an_archived_channel_is_replaced(scene: Scene) -> None:
    """Somebody archives the channel of an open incident: it goes on in a new one, with everything that stood there. The
    channel of one that has ended stays away."""
    ana = scene.person("ana")
    incident = await opened(scene)
    await ana.types("/runbook RB-004", incident.channel)
    await ana.sees(lambda seen: "RB-004" in seen.text and seen.channel == incident.channel)
    former = str(incident.channel)
    await scene.until(lambda: _carded(scene), "the card after the checks")
    await ana.archives(former)
    await scene.sandbox.bot.desk.journal.note(incident.id, "U0ANA", "something happens")

    async def elsewhere() -> Incident | None:
        found = await now(scene, incident)
        return found if found.channel not in (None, former) else None

    moved = await scene.until(elsewhere, "another channel")
    await ana.sees(lambda seen: seen.channel == moved.channel and "INC-" in seen.text)
    await ana.sees(lambda seen: seen.channel == moved.channel and "RB-004" in seen.text)
    lost = await recorded(scene, incident, Happened.CHANNEL_LOST)
    assert lost.data["channel"] == former
