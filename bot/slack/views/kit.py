"""Block Kit as plain dicts: every view is put together from these, which neutralise, escape and clip whatever they get.

Data goes into rich text, where Slack reads no mark-up at all; mrkdwn is for the bot's own words and escaped data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from bot.blockkit import json_characters, limits
from bot.errors import Mistake
from bot.slack.verbs import Ref, Verb, action_id
from bot.slack.views import spell
from bot.slack.views.text import DASH, clip, escape, neutral, one_line

Block: TypeAlias = dict[str, Any]
Element: TypeAlias = dict[str, Any]
View: TypeAlias = dict[str, Any]

MESSAGE_BUDGET = 12_000
MAX_REF = 600
_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
_MENTION = re.compile(r"<@([UW][A-Z0-9]{2,20})>")


@dataclass(frozen=True, slots=True)
class CsvFile:
    """Rows that did not fit, to be uploaded beside the message."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class TextFile:
    """Text that did not fit, to be uploaded beside the message."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A zip archive that belongs to the message."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture, with what it shows in words for those who do not see it."""

    name: str
    content: bytes
    alt: str


File: TypeAlias = CsvFile | TextFile | ArchiveFile | PictureFile


@dataclass(frozen=True, slots=True)
class Message:
    """One Slack message: blocks, the words for notifications and screen readers (escaped mrkdwn), files to upload.

    A file's name says what is in it for good: a file of the same name in the same thread need not be uploaded again.
    """

    blocks: list[Block]
    text: str
    files: tuple[File, ...] = ()


# -- text --------------------------------------------------------------------------------------------------------------


def plain(text: str, limit: int) -> dict[str, Any]:
    """A plain_text object of one line; ":smile:" in data stays those letters."""
    return {"type": "plain_text", "text": clip(one_line(text), limit) or DASH, "emoji": False}


def mrkdwn(text: str, limit: int = limits.SECTION_TEXT) -> dict[str, Any]:
    """A mrkdwn object; data in `text` must have been escaped by the caller. Bare addresses do not become links."""
    return {"type": "mrkdwn", "text": clip(text, limit) or DASH, "verbatim": True}


def t(text: str, *, bold: bool = False, italic: bool = False, code: bool = False, strike: bool = False) -> Element:
    """A piece of rich text, literal."""
    element: Element = {"type": "text", "text": neutral(text) or DASH}
    flags = {"bold": bold, "italic": italic, "code": code, "strike": strike}
    style = {name: True for name, on in flags.items() if on}
    return {**element, "style": style} if style else element


def person(user: str) -> Element:
    """Somebody by Slack id, as a mention; anything else as text."""
    return (
        {"type": "user", "user_id": user}
        if _USER.fullmatch(user)
        else t("the bot" if user == "bot" else user or "somebody")
    )


def group(id: str) -> Element:
    """A mention of everybody in a user group, by its id."""
    return {"type": "usergroup", "usergroup_id": id}


def mention(user: str) -> str:
    """Somebody by Slack id for mrkdwn."""
    return f"<@{user}>" if _USER.fullmatch(user) else "the bot" if user == "bot" else "somebody"


def moment(at: datetime, form: str = "{time}") -> Element:
    """A time in the reader's own zone, in UTC where Slack cannot say it."""
    fallback = spell.utc(at, "%Y-%m-%d %H:%M" if "date" in form else "%H:%M")
    if not (2000 <= at.year < 2100):
        return t(fallback)
    return {"type": "date", "timestamp": int(at.timestamp()), "format": form, "fallback": fallback}


def moment_mrkdwn(at: datetime, form: str = "{time}") -> str:
    """The same for mrkdwn."""
    fallback = spell.utc(at, "%Y-%m-%d %H:%M" if "date" in form else "%H:%M")
    return f"<!date^{int(at.timestamp())}^{form}|{fallback}>" if 2000 <= at.year < 2100 else fallback


def spoken(text: str, **style: bool) -> list[Element]:
    """One of the bot's own sentences: user mentions in it are shown as such, everything else is literal."""
    pieces: list[Element] = []
    for place, part in enumerate(_MENTION.split(text)):
        if place % 2:
            pieces.append(person(part))
        elif part:
            pieces.append(t(part, **style))
    return pieces or [t(DASH)]


# -- blocks ------------------------------------------------------------------------------------------------------------


def header(text: str) -> Block:
    """A headline, cut at Slack's 150 characters."""
    return {"type": "header", "text": plain(text, limits.HEADER_TEXT)}


def context(*texts: str) -> Block:
    """A grey line; data in it must have been escaped by the caller."""
    return {"type": "context", "elements": [mrkdwn(text, 1_500) for text in texts[: limits.CONTEXT_ELEMENTS]]}


def section(text: str, accessory: Element | None = None) -> Block:
    """A paragraph of mrkdwn; data in it must have been escaped by the caller."""
    block: Block = {"type": "section", "text": mrkdwn(text)}
    return {**block, "accessory": accessory} if accessory else block


def alert(text: str) -> Block:
    """A red line at the head of a form; Slack allows it in forms only."""
    return {"type": "alert", "level": "error", "text": mrkdwn(escape(text), 200)}


def divider() -> Block:
    """A line between two parts."""
    return {"type": "divider"}


def rich(*parts: Element) -> Block:
    """A rich text block of sections, lists and preformatted parts."""
    return {"type": "rich_text", "elements": list(parts)}


def line(*elements: Element) -> Element:
    """A paragraph of rich text."""
    return {"type": "rich_text_section", "elements": list(elements)}


def bullets(rows: Iterable[Sequence[Element]]) -> Element:
    """A bulleted list of rich text; must not be empty."""
    return {"type": "rich_text_list", "style": "bullet", "elements": [line(*row) for row in rows]}


def preformatted(text: str) -> Element:
    """Text in a fixed-width box, literal."""
    return {"type": "rich_text_preformatted", "elements": [t(text)]}


def actions(elements: Iterable[Element | None], block_id: str = "") -> list[Block]:
    """A row of buttons and selects, or nothing if there are none; at most 25."""
    present = [element for element in elements if element is not None][: limits.ACTIONS_ELEMENTS]
    if not present:
        return []
    block: Block = {"type": "actions", "elements": present}
    return [{**block, "block_id": block_id} if block_id else block]


# -- elements ----------------------------------------------------------------------------------------------------------


def button(
    label: str, verb: Verb, ref: Ref, *, discriminator: str = "", style: str = "", confirm: Block | None = None
) -> Element | None:
    """A button that carries its reference; None when the reference is too long to be carried."""
    carried = encoded(ref, MAX_REF)
    if carried is None:
        return None
    element: Element = {
        "type": "button",
        "action_id": action_id(verb, discriminator),
        "text": plain(label, limits.BUTTON_TEXT),
        "value": carried,
    }
    if style:
        element["style"] = style
    return {**element, "confirm": confirm} if confirm else element


def confirmation(title: str, text: str, yes: str, no: str = "Go back", *, danger: bool = False) -> Block:
    """The question Slack asks before a press counts."""
    asked: Block = {
        "title": plain(title, limits.CONFIRM_TITLE),
        "text": plain(text, limits.CONFIRM_TEXT),
        "confirm": plain(yes, limits.CONFIRM_BUTTON),
        "deny": plain(no, limits.CONFIRM_BUTTON),
    }
    return {**asked, "style": "danger"} if danger else asked


def encoded(ref: Ref, limit: int) -> str | None:
    """The reference as text, or None when it does not fit."""
    try:
        text = ref.encode()
    except Mistake:
        return None
    return text if len(text) <= limit else None


def option(label: str, value: str, description: str = "") -> Element:
    """One choice of a select; `value` must fit Slack's 150 characters (see `forms.option_value`)."""
    element: Element = {"text": plain(label, limits.OPTION_TEXT), "value": value}
    return {**element, "description": plain(description, limits.OPTION_TEXT)} if description else element


def select(verb: Verb, placeholder: str, options: Sequence[Element], discriminator: str = "") -> Element:
    """A menu that acts as soon as something is picked."""
    return {
        "type": "static_select",
        "action_id": action_id(verb, discriminator),
        "placeholder": plain(placeholder, limits.PLACEHOLDER),
        "options": list(options),
    }


def select_place(verb: Verb, ref: Ref) -> str:
    """The block id of a menu: it carries the reference, as an option's value is too short for one; "" if it cannot."""
    carried = encoded(ref, limits.BLOCK_ID - len(verb) - 1)
    return f"{verb}#{carried}" if carried else ""


def fits_in_card(options: Sequence[Element], budget: int = 2_400) -> bool:
    """Whether a menu is small enough for a message; a larger one belongs into a form."""
    return 0 < len(options) <= limits.SELECT_OPTIONS and json_characters(list(options)) <= budget


def modal(verb: Verb, title: str, blocks: Sequence[Block], *, ref: Ref, submit: str = "", close: str = "Close") -> View:
    """A form; its callback id is the verb it ends in, its metadata the reference. At most 100 blocks."""
    view: View = {
        "type": "modal",
        "callback_id": str(verb),
        "title": plain(title, limits.VIEW_TITLE),
        "close": plain(close, limits.VIEW_BUTTON),
        "private_metadata": encoded(ref, limits.PRIVATE_METADATA) or "",
        "blocks": list(blocks)[: limits.VIEW_BLOCKS] or [context("Nothing to show.")],
    }
    return {**view, "submit": plain(submit, limits.VIEW_BUTTON)} if submit else view


def text_input(name: str, label: str, *, hint: str = "", optional: bool = False, **settings: Any) -> Block:
    """An input block around a text field; `settings` are the field's own."""
    element = {"type": "plain_text_input", "action_id": "value", **settings}
    return input_block(name, label, element, hint=hint, optional=optional)


def input_block(name: str, label: str, element: Element, *, hint: str = "", optional: bool = False) -> Block:
    """An input block; its block id is the input's name, so that answers and errors find their place."""
    block: Block = {
        "type": "input",
        "block_id": clip(neutral(name), limits.BLOCK_ID) or "input",
        "label": plain(label, 150),
        "element": element,
        "optional": optional,
    }
    return {**block, "hint": plain(hint, 300)} if hint else block


# -- fitting -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """Some blocks of a message that stand or fall together; the lowest `keep` goes first when there is too much."""

    blocks: Sequence[Block]
    keep: int = 100


def fitted(parts: Iterable[Part], budget: int = MESSAGE_BUDGET) -> list[Block]:
    """All blocks of the parts, without those that must go for the message to stay within `budget` and 50 blocks."""
    kept = [part for part in parts if part.blocks]
    dropped = False
    note = context("_Shortened: there is more under Show everything._")
    while kept:
        blocks = [block for part in kept for block in part.blocks]
        if dropped:
            blocks.append(note)
        if len(blocks) <= limits.MESSAGE_BLOCKS and json_characters(blocks) <= budget:
            return blocks
        kept.remove(min(reversed(kept), key=lambda part: part.keep))
        dropped = True
    return [note]
