"""`/incident`: open one; status, acknowledge, note, escalate, summary and resolve in its own channel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bot.domain.incident import Incident
from bot.domain.runbook import Severity
from bot.domain.system import System
from bot.errors import Mistake
from bot.slack import forms
from bot.slack.desk import Answer, Command, Desk, Form, Open, Press, Quiet, Say, Wrong
from bot.slack.views.incident import (
    called,
    escalate_modal,
    incident_help,
    note_modal,
    open_incidents_message,
    open_modal,
    status_of,
)
from commands.support import insist_on_taking
from commands.words import words_of


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
            return await _HERE[word](given, desk, await _here(given.channel, desk), text)
        case _:
            return Say(incident_help().text, tuple(incident_help().blocks))


async def _acknowledge(given: Command, desk: Desk, incident: Incident, _text: str) -> Answer:
    await insist_on_taking(incident, given.user, desk)
    await desk.incidents.acknowledge(incident.id, given.user, press=given.key)
    return Say(f"You are on {incident.label}; nobody else is called by itself.")


async def _note(given: Command, desk: Desk, incident: Incident, text: str) -> Answer:
    await desk.incidents.note(incident.id, given.user, text, press=given.key)
    return Say("Noted on the timeline.")


async def _escalate(given: Command, desk: Desk, incident: Incident, text: str) -> Answer:
    called_now = await desk.incidents.escalate(incident.id, given.user, _system(incident, desk), text, press=given.key)
    return Say(f"Called: {called(called_now)}.")


async def _resolve(given: Command, desk: Desk, incident: Incident, _text: str) -> Answer:
    await desk.incidents.resolve(incident.id, given.user)
    return Say(f"{incident.label} is resolved; the summary is on its way.")


_HERE: Mapping[str, Callable[[Command, Desk, Incident, str], Awaitable[Answer]]] = {
    "ack": _acknowledge,
    "acknowledge": _acknowledge,
    "note": _note,
    "escalate": _escalate,
    "resolve": _resolve,
}


async def form_open(form: Form, desk: Desk) -> Answer:
    """Open an incident from its form."""
    given = forms.values_of(form.state)
    system = desk.library.catalogue.systems.get(given.get("system", ""))
    if system is None:
        return Wrong({"system": "Pick the system."})
    title, severity = given.get("title", "").strip(), given.get("severity", "")
    if not title:
        return Wrong({"title": "Say in a few words what is wrong."})
    if severity not in set(Severity):
        return Wrong({"severity": "Pick how bad it is."})
    await desk.incidents.open(system, title, Severity(severity), form.user, press=form.key)
    return Quiet()


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
    await desk.incidents.resolve(press.ref.incident, press.user)
    return Quiet()


async def ask_note(press: Press, desk: Desk) -> Answer:
    """Open the form for a note."""
    return Open(note_modal(press.ref))


async def form_note(form: Form, desk: Desk) -> Answer:
    """Put a note on the timeline."""
    text = forms.values_of(form.state).get("text", "")
    await desk.incidents.note(form.ref.incident, form.user, text, press=form.key)
    return Quiet()


async def _open(given: Command, desk: Desk) -> Answer:
    """`/incident open alacarte P1 Messages are late`, or the form for what was not said."""
    systems = desk.library.catalogue.systems
    words = list(words_of(given.text).plain[1:])
    named = next((word for word in words[:2] if word.lower() in systems), "")
    level = next((word for word in words[:2] if word.upper() in set(Severity)), "")
    title = " ".join(word for place, word in enumerate(words) if place > 1 or word not in (named, level))
    system = systems.get(named.lower()) or (next(iter(systems.values())) if len(systems) == 1 else None)
    if system is None or not level or not title:
        return Open(open_modal(systems, title, level.upper(), "" if system is None else system.id))
    incident = await desk.incidents.open(system, title, Severity(level.upper()), given.user, press=given.key)
    return Say(
        f"{incident.label} is open; its channel #{incident.channel_name} is on its way, and its people are called."
    )


async def _status(given: Command, desk: Desk) -> Answer:
    here = await desk.incidents.in_channel(given.channel)
    if here is None:
        message = open_incidents_message(await desk.incidents.open_ones(), desk.clock.now())
    else:
        message = status_of(
            here, await desk.reads.of_incident(here.id), await desk.reads.audit(incident_id=here.id), desk.clock.now()
        )
    return Say(message.text, tuple(message.blocks))


async def _here(channel: str, desk: Desk) -> Incident:
    incident = await desk.incidents.in_channel(channel)
    if incident is None:
        raise Mistake("This channel belongs to no incident; use the command in the incident's own channel.")
    return incident


def _system(incident: Incident, desk: Desk) -> System:
    system = desk.library.catalogue.systems.get(incident.system)
    if system is None:
        raise Mistake(f"The system {incident.system} is not known to this bot any more.")
    return system
