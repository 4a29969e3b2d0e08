"""Action items: `/incident items` and `/incident item …`, and their buttons and forms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date

from bot.domain.incident import Incident
from bot.domain.items import ItemState
from bot.errors import Mistake, Refusal
from bot.slack import forms
from bot.slack.desk import Answer, Command, Desk, Form, Open, Press, Quiet, Say, Wrong
from bot.slack.views.items import add_modal, items_message, take_modal


async def _items(_given: Command, desk: Desk, incident: Incident, _text: str) -> Answer:
    message = items_message(incident, await desk.items.of_incident(incident.id), desk.clock.now())
    return Say(message.text, tuple(message.blocks))


async def _item(given: Command, desk: Desk, incident: Incident, text: str) -> Answer:
    await desk.items.add(incident.id, given.user, text, press=given.key)
    return Say("It is on the list of action items; `/incident items` shows all.")


HERE: Mapping[str, Callable[[Command, Desk, Incident, str], Awaitable[Answer]]] = {"items": _items, "item": _item}


async def ask_take(press: Press, desk: Desk) -> Answer:
    """Ask who does it, and until when."""
    return Open(take_modal(await desk.items.get(_number(press.ref.item)), press.user, desk.clock.now()))


async def take(form: Form, desk: Desk) -> Answer:
    """Give an item its owner and its day."""
    given = forms.values_of(form.state)
    owner, said = given.get("owner", ""), given.get("due", "")
    if not owner:
        return Wrong({"owner": "Pick somebody."})
    person = await desk.directory.person(owner)
    if person.bot or person.deactivated or person.stranger:
        return Wrong({"owner": "Only people of this workspace can take it."})
    try:
        due = date.fromisoformat(said) if said else None
    except ValueError:
        return Wrong({"due": "Pick a day."})
    try:
        await desk.items.assign(_number(form.ref.item), form.user, owner, due, press=form.key)
    except Refusal as refusal:
        return Wrong({"due": " ".join(refusal.reasons)})
    return Quiet()


async def end(press: Press, desk: Desk) -> Answer:
    """It is done."""
    await desk.items.end(_number(press.ref.item), press.user, ItemState.DONE, press=press.key)
    return Say("Done; thank you.")


async def drop(press: Press, desk: Desk) -> Answer:
    """Nobody will do it."""
    await desk.items.end(_number(press.ref.item), press.user, ItemState.DROPPED, press=press.key)
    return Say("Dropped; that is on record.")


async def ask_add(press: Press, desk: Desk) -> Answer:
    """Ask what is to be done."""
    return Open(add_modal(press.ref))


async def add(form: Form, desk: Desk) -> Answer:
    """Put it on the list."""
    await desk.items.add(form.ref.incident, form.user, forms.values_of(form.state).get("what", ""), press=form.key)
    return Quiet()


def _number(text: str) -> int:
    if not text.isdigit() or len(text) > 15:
        raise Mistake("This action item is not known here.")
    return int(text)
