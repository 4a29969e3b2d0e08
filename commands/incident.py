"""`/incident`: open one, and steer that of its own channel; the buttons and forms that do the same."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping

from bot.domain.alert import severity_of
from bot.domain.incident import Incident
from bot.domain.runbook import Severity
from bot.domain.system import System
from bot.errors import Mistake, Refusal
from bot.incidents.journal import Marked
from bot.slack import forms
from bot.slack.desk import Answer, Command, Desk, Form, Later, Mention, Open, Press, Quiet, Say, Wrong
from bot.slack.verbs import Ref
from bot.slack.views.incident import called, incident_help, open_incidents_message, status_of
from bot.slack.views.incident_forms import escalate_modal, note_modal, open_modal
from commands.items import HERE as ITEMS
from commands.support import insist_on_steering, insist_on_taking
from commands.timeline import HERE as TIMELINE
from commands.timeline import here, incident_meant
from commands.words import words_of

_PERSON = re.compile(r"^<@([UW][A-Z0-9]{2,20})(?:\|[^>]*)?>$")


async def command(given: Command, desk: Desk) -> Answer:
    """What a person typed after /incident."""
    first = words_of(given.text).first
    match first.lower():
        case "" | "status" | "summary":
            return await _status(given, desk)
        case "open" | "new" | "declare":
            return await _open(given, desk)
        case word if word in _HERE:
            text = given.text.strip()[len(first) :].strip()
            return await _HERE[word](given, desk, await here(given.channel, desk), text)
        case _:
            return Say(incident_help().text, tuple(incident_help().blocks))


async def _acknowledge(given: Command, desk: Desk, incident: Incident, _text: str) -> Answer:
    await insist_on_taking(incident, given.user, desk)
    await desk.incidents.acknowledge(incident.id, given.user, press=given.key)
    return Say(f"You are on {incident.label}; nobody else is called by itself.")


async def _assign(given: Command, desk: Desk, incident: Incident, text: str) -> Answer:
    named = _PERSON.match(text)
    if named is None:
        raise Mistake("Say who is to lead: `/incident assign @somebody`.")
    person = await desk.directory.person(named[1])
    if person.bot or person.deactivated or person.stranger:
        raise Refusal("Only people of this workspace can lead.")
    await insist_on_taking(incident, person.id, desk)
    await desk.incidents.assign(incident.id, given.user, person.id, press=given.key)
    return Say(f"<@{person.id}> is asked to lead {incident.label}.")


async def _severity(given: Command, desk: Desk, incident: Incident, text: str) -> Answer:
    level = text.upper()
    if level not in set(Severity):
        raise Mistake(f"Say how bad it is: `/incident severity P1`, one of {', '.join(Severity)}.")
    await insist_on_steering(incident, given.user, desk)
    after = await desk.incidents.change_severity(incident.id, given.user, Severity(level), press=given.key)
    return Say(f"{after.label} is a {after.severity} now; its target and its ladder follow.")


async def _note(given: Command, desk: Desk, incident: Incident, text: str) -> Answer:
    await desk.journal.note(incident.id, given.user, text, press=given.key)
    return Say("Noted on the timeline.")


async def _escalate(given: Command, desk: Desk, incident: Incident, text: str) -> Answer:
    called_now = await desk.incidents.escalate(incident.id, given.user, _system(incident, desk), text, press=given.key)
    return Say(f"Called: {called(called_now)}.")


async def _resolve(given: Command, desk: Desk, incident: Incident, _text: str) -> Answer:
    await insist_on_steering(incident, given.user, desk)
    await desk.incidents.resolve(incident.id, given.user)
    return Say(f"{incident.label} is resolved; the summary is on its way.")


async def _reopen(given: Command, desk: Desk, incident: Incident, text: str) -> Answer:
    if not text:
        raise Mistake("Say why it goes on: `/incident reopen the messages are late again`.")
    await desk.incidents.reopen(incident.id, given.user, text, press=given.key)
    return Say(f"{incident.label} is open again; its people are called as its ladder says.")


async def _merge(given: Command, desk: Desk, incident: Incident, text: str) -> Answer:
    other = await incident_meant(text, desk, "`/incident merge 12`")
    await insist_on_steering(incident, given.user, desk)
    merged, into = await desk.relations.merge(incident.id, other.id, given.user, press=given.key)
    return Say(f"{merged.label} is a duplicate of {into.label} now and goes on there.")


async def _link(given: Command, desk: Desk, incident: Incident, text: str) -> Answer:
    other = await incident_meant(text, desk, "`/incident link 12`")
    await desk.relations.link(incident.id, other.id, given.user, press=given.key)
    return Say(f"{incident.label} and {other.label} point at each other now.")


_HERE: Mapping[str, Callable[[Command, Desk, Incident, str], Awaitable[Answer]]] = {
    "ack": _acknowledge,
    "acknowledge": _acknowledge,
    "assign": _assign,
    "severity": _severity,
    "note": _note,
    "escalate": _escalate,
    "resolve": _resolve,
    "reopen": _reopen,
    "merge": _merge,
    "link": _link,
    **TIMELINE,
    **ITEMS,
}


async def on_message(mention: Mention, desk: Desk) -> Answer:
    """ "Open an incident about this": the form, with the message's first line as what is wrong."""
    title = next((line.strip() for line in mention.text.splitlines() if line.strip()), "")
    about = Ref(channel=mention.channel, inputs=json.dumps({"ts": mention.ts}))
    return Open(open_modal(desk.library.catalogue.systems, title, ref=about))


async def form_open(form: Form, desk: Desk) -> Answer:
    """Open an incident from its form; the message it is about is its first entry."""
    given = forms.values_of(form.state)
    system = desk.library.catalogue.systems.get(given.get("system", ""))
    if system is None:
        return Wrong({"system": "Pick the system."})
    title, severity = given.get("title", "").strip(), given.get("severity", "")
    if not title:
        return Wrong({"title": "Say in a few words what is wrong."})
    if severity not in set(Severity):
        return Wrong({"severity": "Pick how bad it is."})
    incident = await desk.incidents.open(
        system, title, Severity(severity), form.user, press=form.key, about=form.ref.alert
    )
    ts = str(json.loads(form.ref.inputs or "{}").get("ts", ""))
    if not form.ref.channel or not ts:
        return Quiet()

    async def making() -> Say:
        found = await desk.client.marked_message(form.ref.channel, ts)
        link = await desk.client.permalink(form.ref.channel, ts)
        author, words = str(found.get("user") or ""), str(found.get("text") or "")
        await desk.journal.mark(incident.id, form.user, Marked(form.ref.channel, ts, author, words, link))
        return Say(f"{incident.label} is open about this message, in #{incident.channel_name}.")

    return Later(f"{incident.label} is open; its channel is on its way.", making)


async def ask_open(press: Press, desk: Desk) -> Answer:
    """Ask for the incident that an alert is to become."""
    tracked = await desk.incidents.alert(press.ref.alert)
    severity = str(severity_of(tracked.alert.severity))
    systems = desk.library.catalogue.systems
    return Open(open_modal(systems, tracked.alert.title, severity, tracked.system, press.ref))


async def acknowledge(press: Press, desk: Desk) -> Answer:
    """Somebody is on it, by the button."""
    await insist_on_taking(await desk.incidents.get(press.ref.incident), press.user, desk)
    await desk.incidents.acknowledge(press.ref.incident, press.user, press=press.key)
    return Quiet()


async def escalate(press: Press, desk: Desk) -> Answer:
    """Ask what to tell the people who are called."""
    return Open(escalate_modal(press.ref))


async def form_escalate(form: Form, desk: Desk) -> Answer:
    """Call them."""
    id = form.ref.incident or (await desk.reads.run(form.ref.run)).incident
    if id is None:
        raise Mistake("This run belongs to no incident.")
    incident = await desk.incidents.get(id)
    reason = forms.values_of(form.state).get("reason", "")
    await desk.incidents.escalate(incident.id, form.user, _system(incident, desk), reason, press=form.key)
    return Quiet()


async def resolve(press: Press, desk: Desk) -> Answer:
    """End an incident by its button."""
    await insist_on_steering(await desk.incidents.get(press.ref.incident), press.user, desk)
    await desk.incidents.resolve(press.ref.incident, press.user)
    return Quiet()


async def ask_note(press: Press, desk: Desk) -> Answer:
    """Open the form for a note."""
    return Open(note_modal(press.ref))


async def form_note(form: Form, desk: Desk) -> Answer:
    """Put a note on the timeline."""
    text = forms.values_of(form.state).get("text", "")
    await desk.journal.note(form.ref.incident, form.user, text, press=form.key)
    return Quiet()


async def _open(given: Command, desk: Desk) -> Answer:
    """`/incident open alacarte P1 Messages are late`, or the form for what was not said; after `here`, the incident is
    held in the channel where that is typed."""
    systems = desk.library.catalogue.systems
    words = list(words_of(given.text).plain[1:])
    channel = given.channel if words[:1] == ["here"] else None
    words = words[1:] if channel is not None else words
    named = next((word for word in words[:2] if word.lower() in systems), "")
    level = next((word for word in words[:2] if word.upper() in set(Severity)), "")
    title = " ".join(word for place, word in enumerate(words) if place > 1 or word not in (named, level))
    system = systems.get(named.lower()) or (next(iter(systems.values())) if len(systems) == 1 else None)
    if system is None or not level or not title:
        if channel is not None:
            raise Mistake("Say it whole: `/incident open here alacarte P1 Messages are late`.")
        return Open(open_modal(systems, title, level.upper(), "" if system is None else system.id))
    if channel is not None:
        await _insist_on_own_place(channel, desk)
    severity = Severity(level.upper())
    incident = await desk.incidents.open(system, title, severity, given.user, press=given.key, channel=channel)
    where = "this channel is its own" if channel else f"its channel #{incident.channel_name} is on its way"
    return Say(f"{incident.label} is open; {where}, and its people are called.")


async def _insist_on_own_place(channel: str, desk: Desk) -> None:
    """Raises `Refusal` where an incident cannot be held."""
    place = await desk.directory.place(channel)
    if place is None or channel.startswith("D"):
        raise Refusal("I cannot speak here; invite me into this channel first.")
    if place.shared:
        raise Refusal("This channel is shared with another organisation; open the incident in one of its own.")


async def _status(given: Command, desk: Desk) -> Answer:
    found = await desk.incidents.in_channel(given.channel)
    if found is None:
        message = open_incidents_message(await desk.incidents.open_ones(), desk.clock.now())
    else:
        runs, lines = await desk.reads.of_incident(found.id), await desk.reads.audit(incident_id=found.id)
        message = status_of(found, runs, lines, desk.clock.now())
    return Say(message.text, tuple(message.blocks))


def _system(incident: Incident, desk: Desk) -> System:
    system = desk.library.catalogue.systems.get(incident.system)
    if system is None:
        raise Mistake(f"The system {incident.system} is not known to this bot any more.")
    return system
