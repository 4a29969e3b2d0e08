"""Turns what a person typed or picked into Slack's state of an element, and checks a form as Slack's client does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.sandbox.slack.blocks import STATE_FIELDS, Element, elements, initial_state
from bot.sandbox.slack.errors import PersonError
from bot.sandbox.slack.records import Json, View

REQUIRED = "Please complete this required field."
_GIVEN = ("value", "selected_option", "selected_options", "selected_user", "selected_users", "selected_conversation")
_GIVEN_MORE = ("selected_conversations", "selected_channel", "selected_channels", "selected_date", "selected_time")
GIVEN_FIELDS = (*_GIVEN, *_GIVEN_MORE, "selected_date_time", "rich_text_value", "files")


def chosen(element: Element, raw: Any, offered: list[Json]) -> Json:
    """The state of an element given a raw value: a string, an option's value or text, or a list of them.

    `offered` are the options an external select showed last. Raises PersonError for an option that is not there.
    """
    if element.type == "overflow":
        return {"selected_option": _option(element, raw, offered)}
    if element.type not in STATE_FIELDS:
        return {"value": str(raw)} if raw is not None else {}
    name, empty = STATE_FIELDS[element.type]
    if raw is None or raw in ("", []):
        value: Any = list(empty) if isinstance(empty, list) else None
    elif name == "selected_option":
        value = _option(element, raw, offered)
    elif name == "selected_options":
        value = [_option(element, each, offered) for each in _several(raw)]
    elif isinstance(empty, list):
        value = _several(raw)
    elif name == "selected_date_time":
        if not str(raw).isdecimal():
            raise PersonError(f"A date and time is given in seconds since the epoch, not as {raw!r}.")
        value = int(raw)
    elif name == "rich_text_value":
        value = raw if isinstance(raw, dict) else _rich(str(raw))
    else:
        value = str(raw)
    return {"type": element.type, name: value}


def _several(raw: Any) -> list[Any]:
    return list(raw) if isinstance(raw, list | tuple) else [raw]


def _option(element: Element, raw: Any, offered: list[Json]) -> Json:
    value = str(raw.get("value")) if isinstance(raw, Mapping) else str(raw)
    found = element.option(value)
    found = found or next((option for option in offered if str(option.get("value")) == value), None)
    if found is None:
        raise PersonError(f"There is no option {value!r} in {element.label or element.action_id!r}.")
    return found


def _rich(text: str) -> Json:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [section]}


def raw_of(given: Mapping[str, Any]) -> Any:
    """The one raw value in a click's JSON, whatever it is called; None for a plain button."""
    return next((given[name] for name in GIVEN_FIELDS if given.get(name) is not None), None)


def form_errors(view: View) -> dict[str, str]:
    """What Slack's client would not let a person submit, by block id."""
    return dict(_form_errors(view))


def _form_errors(view: View) -> Iterator[tuple[str, str]]:
    for element in elements(view.payload.get("blocks") or []):
        if not element.is_input or element.type not in STATE_FIELDS:
            continue
        name, _ = STATE_FIELDS[element.type]
        entered = view.inputs.get(element.block_id, {}).get(element.action_id)
        value = (entered or initial_state(element)).get(name)
        if value in (None, "", []):
            if not element.block.get("optional"):
                yield element.block_id, REQUIRED
        elif problem := _problem(element, value):
            yield element.block_id, problem


def _problem(element: Element, value: Any) -> str | None:
    data = element.data
    match element.type:
        case "plain_text_input":
            if len(value) < int(data.get("min_length", 0)):
                return f"Must be at least {data['min_length']} characters."
            if len(value) > int(data.get("max_length", 3000)):
                return f"Must be less than {int(data.get('max_length', 3000)) + 1} characters."
        case "number_input":
            return _number_problem(data, str(value))
        case "email_text_input" if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", str(value)):
            return "Enter a valid email address."
        case "url_text_input" if not re.match(r"https?://\S+", str(value)):
            return "Enter a valid URL."
    return None


def _number_problem(data: Json, value: str) -> str | None:
    decimal = bool(data.get("is_decimal_allowed"))
    if not re.fullmatch(r"-?\d+(\.\d+)?" if decimal else r"-?\d+", value):
        return "Enter a number." if decimal else "Enter a whole number."
    if "min_value" in data and float(value) < float(data["min_value"]):
        return f"Must be at least {data['min_value']}."
    if "max_value" in data and float(value) > float(data["max_value"]):
        return f"Must be at most {data['max_value']}."
    return None
