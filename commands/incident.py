"""`/incident`: status, note, escalate, summary and resolve, in the incident's own channel."""

from __future__ import annotations

from bot.domain.incident import Incident
from bot.domain.system import System
from bot.errors import Mistake
from bot.slack import forms
from bot.slack.desk import Answer, Command, Desk, Form, Open, Press, Quiet, Say
from bot.slack.views.incident import escalate_modal, incident_help, note_modal, open_incidents_message, status_of
from commands.words import words_of


async def command(given: Command, desk: Desk) -> Answer:
    """What a person typed after /incident."""
    words = words_of(given.text)
    text = given.text.strip()[len(words.first) :].strip()
    match words.first.lower():
        case "" | "status" | "summary":
            return await _status(given, desk)
        case "note":
            incident = await _here(given.channel, desk)
            await desk.incidents.note(incident.id, given.user, text, press=given.key)
            return Say("Noted on the timeline.")
        case "resolve":
            incident = await _here(given.channel, desk)
            await desk.incidents.resolve(incident.id, given.user)
            return Say(f"{incident.label} is resolved; the summary is on its way.")
        case "escalate":
            incident = await _here(given.channel, desk)
            called = await desk.incidents.escalate(
                incident.id, given.user, _system(incident, desk), text, press=given.key
            )
            return Say(f"Escalated to {', '.join(called)}.")
        case _:
            return Say(incident_help().text, tuple(incident_help().blocks))


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
