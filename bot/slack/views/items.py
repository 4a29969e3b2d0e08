"""Action items: the list under an incident, the form that gives one an owner and a day, the reminder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.incident import Incident, IncidentState
from bot.domain.items import Item, ItemState
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit, spell
from bot.slack.views.kit import Block, Element, Message, Part, View
from bot.slack.views.plain import notice
from bot.slack.views.text import clip, clip_cost, one_line

_SHOWN = 15
USUAL = timedelta(days=14)


def items_message(incident: Incident, items: Sequence[Item], now: datetime) -> Message:
    """Every action item of an incident with its owner and day; open ones first, each with its buttons."""
    order = sorted(items, key=lambda item: (item.state is not ItemState.OPEN, item.id))
    left = sum(item.state is ItemState.OPEN for item in items)
    head = (
        f"{incident.label}: {spell.count(left, 'action item')} open of {len(items)}"
        if items
        else f"{incident.label}: no action items yet"
    )
    parts = [Part([kit.rich(kit.line(kit.t(head, bold=True)))], 100)]
    parts += [Part(item_blocks(item, now), 90 - place) for place, item in enumerate(order[:_SHOWN])]
    if len(order) > _SHOWN:
        parts.append(Part([kit.context(f"… and {len(order) - _SHOWN} more.")], 50))
    add = kit.button("Add an item…", Verb.ADD_ITEM, Ref(incident=incident.id))
    parts.append(Part(kit.actions([add]), 99))
    return Message(kit.fitted(parts), notice(head))


def item_blocks(item: Item, now: datetime) -> list[Block]:
    """An item with its owner and day, and what can be done about it."""
    return [kit.rich(kit.line(*_said(item, now))), *kit.actions(_buttons(item))]


def _said(item: Item, now: datetime) -> list[Element]:
    done = item.state is not ItemState.OPEN
    pieces = [kit.t(clip_cost(one_line(item.what), 500), strike=done, bold=not done), kit.t(" · ")]
    if done:
        return [*pieces, kit.t(f"{item.state} by "), kit.person(item.ended_by)]
    pieces += [kit.person(item.owner)] if item.owner else [kit.t("nobody yet")]
    if item.due is not None:
        pieces.append(kit.t(f" · {'late since' if item.late(now) else 'by'} {item.due:%Y-%m-%d}", bold=item.late(now)))
    return pieces


def _buttons(item: Item) -> list[Element | None]:
    if item.state is not ItemState.OPEN:
        return []
    ref = Ref(item=str(item.id))
    return [
        kit.button("Done", Verb.END_ITEM, ref),
        kit.button("Change…" if item.owner else "Take it…", Verb.TAKE_ITEM, ref),
        kit.button("Drop", Verb.DROP_ITEM, ref, confirm=_sure_dropped()),
    ]


def _sure_dropped() -> Block:
    return kit.confirmation("Drop this item?", "Nobody will do it; that stays on record with your name.", "Drop it")


def take_modal(item: Item, user: str, now: datetime) -> View:
    """Who does it, and until when."""
    owner: Element = {"type": "users_select", "action_id": "value", "initial_user": item.owner or user}
    day = item.due or (now + USUAL).date()
    due: Element = {"type": "datepicker", "action_id": "value", "initial_date": day.isoformat()}
    blocks = [
        kit.rich(kit.line(kit.t(clip(one_line(item.what), 500), bold=True))),
        kit.input_block("owner", "Who does it?", owner),
        kit.input_block("due", "Until when?", due, optional=True),
    ]
    return kit.modal(Verb.TAKE_ITEM, "Action item", blocks, ref=Ref(item=str(item.id)), submit="Save", close="Go back")


def add_modal(ref: Ref) -> View:
    """What is to be done."""
    hint = "So that it does not happen again, or is found sooner."
    blocks = [kit.text_input("what", "What is to be done?", hint=hint, multiline=True, max_length=500)]
    return kit.modal(Verb.ADD_ITEM, "Add an action item", blocks, ref=ref, submit="Add", close="Go back")


def reminder_message(incident: Incident, item: Item, now: datetime) -> Message:
    """What somebody is asked about, in a direct message."""
    when = "is late" if item.late(now) else "is due" if item.owner else "has nobody yet"
    lines = [
        kit.line(kit.t(f"An action item of {incident.label} {when}", bold=True)),
        kit.line(*_said(item, now)),
    ]
    ended = f"{incident.title}, {incident.state}" if incident.state is not IncidentState.OPEN else incident.title
    blocks = [kit.rich(*lines), kit.context(clip(one_line(ended), 200)), *kit.actions(_buttons(item))]
    return Message(kit.fitted([Part(blocks)]), notice(f"An action item of {incident.label} {when}: {item.what}"))
