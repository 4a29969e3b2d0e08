"""What somebody filled in: Slack's state of a form as raw text by input name, read further by whoever asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.blockkit import limits
from bot.domain.masking import token
from bot.domain.runbook import Input
from bot.errors import BadInputs


def option_value(value: str) -> str:
    """How a choice is named in a menu: as it is, or by its hash where Slack's 150 characters are too few."""
    if 0 < len(value) <= limits.OPTION_VALUE and not value.startswith(("{", "#")) and value.isprintable():
        return value
    return f"#{hashlib.sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def picked(choices: Iterable[str], carried: str) -> str:
    """The choice a menu's value stands for; the value itself when it stands for none (the reader refuses it)."""
    return next((choice for choice in choices if carried in (option_value(choice), token(choice))), carried)


def option_parts(option: Mapping[str, Any]) -> tuple[str, str, str]:
    """Value, label and description of one option of a question."""
    value = str(option.get("value") or option.get("key") or option.get("name") or option.get("label") or "")
    return value, str(option.get("label") or option.get("title") or value), str(option.get("description") or "")


def values_of(state: Mapping[str, Any], form: Sequence[Input] = ()) -> dict[str, str]:
    """Raw text by input name from `view.state.values`; what was left empty is left out.

    With `form`, choices that had to be named by a hash are turned back into what they stand for.
    """
    choices = {field.name: field.choices for field in form}
    values = {}
    for name, elements in state.items():
        for element in elements.values():
            raw = _raw(element)
            if raw:
                values[name] = picked(choices.get(name, ()), raw)
    return values


def errors_of(error: BadInputs, state: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Problems as inline errors by block id; with `state`, one without an input in the form goes to the first."""
    first = next(iter(state or ()), "")
    placed: dict[str, str] = {}
    for name, problem in error.problems.items():
        elsewhere = state is not None and name not in state
        place, said = (first, f"{name}: {problem}") if elsewhere else (name, problem)
        if place:
            placed[place] = f"{placed[place]} {said}" if place in placed else said
    return placed


def _raw(element: Mapping[str, Any]) -> str:
    match element.get("type"):
        case "static_select" | "radio_buttons" | "external_select":
            return str((element.get("selected_option") or {}).get("value") or "")
        case "checkboxes" | "multi_static_select":
            return ",".join(str(each["value"]) for each in element.get("selected_options") or ())
        case "datetimepicker":
            return _moment(element.get("selected_date_time"))
        case "datepicker":
            return str(element.get("selected_date") or "")
        case "users_select":
            return str(element.get("selected_user") or "")
        case _:
            return str(element.get("value") or "").strip()


def _moment(at: Any) -> str:
    """A moment as text, "" for what is none."""
    try:
        return datetime.fromtimestamp(int(at), UTC).isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return ""
