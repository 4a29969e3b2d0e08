"""Reads Block Kit without judging it: elements, missing ids, the text a person sees, the state of inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.records import Json

# What a person's choice is called in Slack's payloads, by element type, and what an untouched element says.
STATE_FIELDS: Mapping[str, tuple[str, Any]] = {
    "plain_text_input": ("value", None),
    "email_text_input": ("value", None),
    "url_text_input": ("value", None),
    "number_input": ("value", None),
    "rich_text_input": ("rich_text_value", None),
    "file_input": ("files", []),
    "static_select": ("selected_option", None),
    "external_select": ("selected_option", None),
    "users_select": ("selected_user", None),
    "conversations_select": ("selected_conversation", None),
    "channels_select": ("selected_channel", None),
    "multi_static_select": ("selected_options", []),
    "multi_external_select": ("selected_options", []),
    "multi_users_select": ("selected_users", []),
    "multi_conversations_select": ("selected_conversations", []),
    "multi_channels_select": ("selected_channels", []),
    "radio_buttons": ("selected_option", None),
    "checkboxes": ("selected_options", []),
    "datepicker": ("selected_date", None),
    "timepicker": ("selected_time", None),
    "datetimepicker": ("selected_date_time", None),
}

# Which field of the element says where its input starts.
_INITIAL = {
    "value": "initial_value",
    "rich_text_value": "initial_value",
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_user": "initial_user",
    "selected_users": "initial_users",
    "selected_conversation": "initial_conversation",
    "selected_conversations": "initial_conversations",
    "selected_channel": "initial_channel",
    "selected_channels": "initial_channels",
    "selected_date": "initial_date",
    "selected_time": "initial_time",
    "selected_date_time": "initial_date_time",
}


@dataclass(frozen=True)
class Element:
    """An interactive element where it stands; `block` is the nearest block that has an id."""

    block_id: str
    action_id: str
    type: str
    data: Json
    block: Json

    @property
    def is_input(self) -> bool:
        """Whether it stands in an input block."""
        return self.block.get("type") == "input"

    @property
    def dispatches(self) -> bool:
        """Whether using it tells the app at once."""
        return not self.is_input or bool(self.block.get("dispatch_action"))

    @property
    def label(self) -> str:
        """The words on it, or of its input block."""
        words = self.data.get("text") or self.block.get("label") or self.data.get("placeholder")
        return str(words.get("text", "")) if isinstance(words, Mapping) else str(words or "")

    def option(self, value: str) -> Json | None:
        """The option with this value, or with this text."""
        options = [*(self.data.get("options") or ())]
        for group in self.data.get("option_groups") or ():
            options.extend(group.get("options") or ())
        by_value = [option for option in options if str(option.get("value")) == value]
        by_text = [option for option in options if plain(option.get("text")) == value]
        return next(iter([*by_value, *by_text]), None)


def plain(text: Any) -> str:
    """The characters of a text object or string."""
    return str(text.get("text", "")) if isinstance(text, Mapping) else str(text or "")


def elements(blocks: Sequence[Any]) -> Iterator[Element]:
    """Every element with an action id, in reading order, however deeply nested."""
    for block in blocks:
        if isinstance(block, dict):
            yield from _elements_in(block, block, str(block.get("block_id", "")))


def _elements_in(node: Any, block: Json, block_id: str) -> Iterator[Element]:
    if isinstance(node, dict):
        if node.get("block_id"):
            block, block_id = node, str(node["block_id"])
        if node.get("action_id") and node.get("type"):
            yield Element(block_id, str(node["action_id"]), str(node["type"]), node, block)
        for child in node.values():
            if isinstance(child, dict | list):
                yield from _elements_in(child, block, block_id)
    elif isinstance(node, list):
        for child in node:
            yield from _elements_in(child, block, block_id)


def find_element(blocks: Sequence[Any], block_id: str | None, action_id: str) -> Element | None:
    """The element with this action id (in this block, when given)."""
    for element in elements(blocks):
        if element.action_id == action_id and block_id in (None, "", element.block_id):
            return element
    return None


_INTERACTIVE = {*STATE_FIELDS, "button", "overflow", "workflow_button", "feedback_buttons", "icon_button"}
_NO_BLOCK_ID = {"markdown"}


def with_ids(blocks: Sequence[Json], new_word: Callable[[], str]) -> list[Json]:
    """A copy of the blocks in which every block and interactive element has an id, as Slack stores them."""
    return [_identified(block, new_word, is_block=True) for block in blocks]


def _identified(node: Any, new_word: Callable[[], str], *, is_block: bool = False) -> Any:
    if isinstance(node, list):
        return [_identified(child, new_word) for child in node]
    if not isinstance(node, dict):
        return node
    copied = {key: _identified(child, new_word) for key, child in node.items()}
    if is_block and copied.get("type") not in _NO_BLOCK_ID and not copied.get("block_id"):
        copied["block_id"] = new_word()
    if copied.get("type") in _INTERACTIVE and not copied.get("action_id"):
        copied["action_id"] = new_word()
    return copied


def initial_state(element: Element) -> Json:
    """What an untouched element reports: its initial value, or null or an empty list."""
    name, empty = STATE_FIELDS[element.type]
    value = element.data.get(_INITIAL.get(name, ""), empty)
    return {"type": element.type, name: list(value) if isinstance(value, list) else value}


def state_values(blocks: Sequence[Any], entered: Mapping[str, Mapping[str, Json]]) -> dict[str, dict[str, Json]]:
    """Slack's `state.values`: what was entered or is there initially, by block and action id."""
    values: dict[str, dict[str, Json]] = {}
    for element in elements(blocks):
        if element.type in STATE_FIELDS:
            given = entered.get(element.block_id, {}).get(element.action_id)
            values.setdefault(element.block_id, {})[element.action_id] = given or initial_state(element)
    return values


def visible_text(node: Any) -> str:
    """All the words a person reads in blocks, a view or a message part, joined by newlines."""
    return "\n".join(words for words in _words(node) if words)


_TEXT_KEYS = ("text", "title", "label", "hint", "placeholder", "description", "subtitle", "body", "alt_text", "caption")


def _words(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for child in node:
            yield from _words(child)
    elif isinstance(node, dict):
        if node.get("type") == "rich_text_section":
            yield "".join(_words(node.get("elements")))
            return
        for key, child in node.items():
            if isinstance(child, str):
                if key in _TEXT_KEYS:
                    yield child
            elif key not in ("confirm", "style"):
                yield from _words(child)
