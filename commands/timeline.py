"""An incident's timeline and what it tells others: show and correct it, marks by reaction, newcomers, stakeholders."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from bot.authoring.templates import TemplateError, compile_template
from bot.domain.incident import Incident, IncidentState, numbered
from bot.domain.timeline import timeline
from bot.errors import Mistake
from bot.incidents.journal import Marked
from bot.slack import forms
from bot.slack.desk import Answer, Arrival, Command, Desk, Form, Open, Press, Quiet, Reaction, Say, Wrong
from bot.slack.verbs import Ref
from bot.slack.views.incident import titles
from bot.slack.views.incident_forms import correct_modal, update_modal
from bot.slack.views.telling import timeline_message, update_text, where_we_are

MARKS = frozenset({"pushpin", "round_pushpin", "memo"})
MARKED = "white_check_mark"
UPDATE_TEMPLATE = "stakeholder_update"
# Whoever is brought in while the incident is opened sees it all happen.
NEW_FOR = timedelta(minutes=2)
_CHANNEL = re.compile(r"^<#([CG][A-Z0-9]{2,20})(?:\|[^>]*)?>$")


async def here(channel: str, desk: Desk) -> Incident:
    """The incident of a channel. Raises `Mistake` where there is none."""
    incident = await desk.incidents.in_channel(channel)
    if incident is None:
        raise Mistake("This channel belongs to no incident; use the command in the incident's own channel.")
    return incident


async def incident_meant(text: str, desk: Desk, example: str) -> Incident:
    """The incident that somebody names by its number, its label or its channel. Raises `Mistake`."""
    channel = _CHANNEL.match(text)
    if channel is not None:
        return await here(channel[1], desk)
    number = numbered(text)
    if number is None:
        raise Mistake(f"Say which incident, by its number or its channel: {example}.")
    return await desk.relations.numbered(number)


async def _timeline(_given: Command, desk: Desk, incident: Incident, _text: str) -> Answer:
    runs, lines = await desk.reads.of_incident(incident.id), await desk.reads.audit(incident_id=incident.id)
    message = timeline_message(incident, runs, lines)
    return Say(message.text, tuple(message.blocks))


async def _update(given: Command, desk: Desk, incident: Incident, _text: str) -> Answer:
    return await _asked_to_update(incident, desk)


HERE: Mapping[str, Callable[[Command, Desk, Incident, str], Awaitable[Answer]]] = {
    "timeline": _timeline,
    "update": _update,
}


async def ask_correction(press: Press, desk: Desk) -> Answer:
    """Open the form that corrects an entry."""
    incident = await desk.incidents.get(press.ref.incident)
    runs, lines = await desk.reads.of_incident(incident.id), await desk.reads.audit(incident_id=incident.id)
    return Open(correct_modal(press.ref, timeline(lines), titles(runs)))


async def correct(form: Form, desk: Desk) -> Answer:
    """Correct an entry."""
    given = forms.values_of(form.state)
    if not given.get("entry", "").isdigit():
        return Wrong({"entry": "Pick the entry."})
    entry, text = int(given["entry"]), given.get("text", "")
    await desk.journal.correct(form.ref.incident, form.user, entry, text, press=form.key)
    return Quiet()


# -- stakeholders ------------------------------------------------------------------------------------------------------


async def ask_update(press: Press, desk: Desk) -> Answer:
    """Show what the stakeholders would be told."""
    return await _asked_to_update(await desk.incidents.get(press.ref.incident), desk)


async def send_update(form: Form, desk: Desk) -> Answer:
    """Tell them what somebody has confirmed."""
    incident = await desk.incidents.get(form.ref.incident)
    text = forms.values_of(form.state).get("text", "")
    await desk.journal.tell(incident.id, form.user, _announcements(incident, desk), text, press=form.key)
    return Quiet()


def _announcements(incident: Incident, desk: Desk) -> str:
    system = desk.library.catalogue.systems.get(incident.system)
    if system is None or not system.channels.announcements:
        raise Mistake(
            "This system has no channel for stakeholders.", hint="Name one in its system.yaml, channels: announcements."
        )
    return system.channels.announcements


async def _asked_to_update(incident: Incident, desk: Desk) -> Answer:
    channel = _announcements(incident, desk)
    system = desk.library.catalogue.systems[incident.system]
    runs, now = await desk.reads.of_incident(incident.id), desk.clock.now()
    text, problem = update_text(system.title, incident, runs, now), ""
    template = system.templates.get(UPDATE_TEMPLATE)
    if template is not None:
        facts: Mapping[str, Any] = {
            "title": incident.title,
            "label": incident.label,
            "severity": str(incident.severity),
            "state": str(incident.state),
            "opened_at": incident.opened_at,
            "causes": [each.say for shown in runs for each in shown.run.conclusions],
        }
        try:
            text = compile_template(template.body).render({"incident": facts, "now": now})
        except TemplateError as error:
            problem = str(error)
    return Open(update_modal(Ref(incident=incident.id), channel, text, problem))


# -- what people do in the channel -------------------------------------------------------------------------------------


async def reacted(reaction: Reaction, desk: Desk) -> None:
    """A message with a pin on it is an entry of the timeline; the bot confirms it with a reaction of its own."""
    if reaction.name not in MARKS:
        return
    incident = await desk.incidents.in_channel(reaction.channel)
    if incident is None or (await desk.directory.person(reaction.user)).bot:
        return
    place = (reaction.channel, reaction.ts)
    if reaction.taken_back:
        if await desk.journal.unmark(incident.id, reaction.user, *place):
            await desk.client.unreact(*place, MARKED)
        return
    found = await desk.client.marked_message(*place)
    link = await desk.client.permalink(*place)
    author = str(found.get("user") or found.get("bot_id") or "")
    words = str(found.get("text") or "")
    if await desk.journal.mark(incident.id, reaction.user, Marked(*place, author, words, link)):
        await desk.client.react(*place, MARKED)


async def arrived(arrival: Arrival, desk: Desk) -> None:
    """Whoever comes into the channel of an incident that has gone on for a while is told where it stands."""
    incident = await desk.incidents.in_channel(arrival.channel)
    if incident is None or incident.state is not IncidentState.OPEN:
        return
    now = desk.clock.now()
    if now - incident.opened_at < NEW_FOR or (await desk.directory.person(arrival.user)).bot:
        return
    runs, lines = await desk.reads.of_incident(incident.id), await desk.reads.audit(incident_id=incident.id)
    told = where_we_are(incident, runs, lines, now)
    await desk.client.whisper(arrival.channel, arrival.user, told.text, told.blocks)
