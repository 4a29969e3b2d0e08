"""What people type into a runbook's inputs and a question's form, turned into values or into one sentence each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, assert_never
from urllib.parse import urlsplit
from uuid import UUID

from bot.authoring.document import EnvDoc, InputDoc
from bot.authoring.ledger import Ledger
from bot.authoring.problems import did_you_mean
from bot.authoring.reading import Path
from bot.domain.runbook import Input, InputType, Probe, Runbook
from bot.errors import BadInputs

MAX_VALUE = 2_000
MAX_PATTERNED = 200
MAX_REPEATS = 3

_YES = frozenset({"yes", "y", "true", "1", "on"})
_NO = frozenset({"no", "n", "false", "0", "off"})
_EMAIL = re.compile(r"[^@\s<>\"',;:]{1,64}@[A-Za-z0-9.-]{1,253}\.?[A-Za-z0-9]")
_LINKED = re.compile(r"<(?:mailto:)?([^|>]+)(?:\|[^>]*)?>")


def parse_inputs(runbook: Runbook, raw: Mapping[str, str]) -> dict[str, Any]:
    """The inputs of a run as values; optional ones that are not given are null. Raises `BadInputs`."""
    return parse_fields(runbook.inputs, raw)


def parse_fields(fields: tuple[Input, ...], raw: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a form as values; optional ones that are not given are null. Raises `BadInputs`."""
    known = {field.name for field in fields}
    problems = {
        name[:60]: f"is not an input here. {did_you_mean(name, known)}".strip() for name in raw if name not in known
    }
    values: dict[str, Any] = {}
    for field in fields:
        given = _bare(str(raw.get(field.name) or ""))
        try:
            if given:
                values[field.name] = value_of(field, given)
            elif field.default is not None:
                values[field.name] = value_of(field, _bare(_as_typed(field.default)))
            elif field.required:
                problems[field.name] = f"{field.label} is needed."
            else:
                values[field.name] = None
        except ValueError as error:
            problems[field.name] = str(error)
    if problems:
        raise BadInputs(problems)
    return values


def value_of(field: Input, text: str) -> Any:
    """The typed value of what somebody wrote. Raises ValueError with one sentence."""
    limit = MAX_PATTERNED if field.pattern else MAX_VALUE
    if len(text) > limit:
        raise ValueError(f"This is longer than {limit:,} characters.")
    if any(ord(letter) < 32 and letter not in "\t\n\r" for letter in text):
        raise ValueError("This holds control characters.")
    value = _typed(field, text)
    if field.pattern and not re.fullmatch(field.pattern, text):
        raise ValueError(
            f"«{_short(text)}» is not written the way it must be{': ' + field.help if field.help else ''}."
        )
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        _in_range(field, value)
    return value


def input_of(name: str, said: InputDoc) -> Input:
    """The input of a document."""
    label = said.label or name.replace("_", " ").capitalize()
    return Input(
        name=name,
        type=said.type,
        label=label,
        help=said.help,
        required=said.required and said.default is None,
        default=said.default,
        choices=tuple(said.choices),
        pattern=said.pattern,
        minimum=said.minimum,
        maximum=said.maximum,
        probe=_probe(said.probe),
    )


def _probe(said: EnvDoc | str | int | float | bool | None) -> Probe | None:
    if isinstance(said, EnvDoc):
        return Probe(env=said.env)
    return None if said is None else Probe(_as_typed(said))


def check_input(ledger: Ledger, path: Path, field: Input) -> None:
    """Note what of an input does not hold together."""
    if (field.type is InputType.CHOICE) != bool(field.choices):
        said = (
            "A choice needs choices:."
            if not field.choices
            else f"choices: belong to the type choice, not {field.type}."
        )
        ledger.error(path, said)
    if field.minimum is not None and field.maximum is not None and field.minimum > field.maximum:
        ledger.error(path, "The minimum is above the maximum.")
    if field.pattern is not None and (trouble := _pattern_trouble(field.pattern)):
        ledger.error((*path, "pattern"), trouble)
        return
    if field.default is not None:
        try:
            value_of(field, _as_typed(field.default))
        except ValueError as error:
            ledger.error((*path, "default"), f"The default does not fit: {error}")
    if field.probe is not None and not field.probe.env:
        try:
            value_of(field, field.probe.value)
        except ValueError as error:
            ledger.error((*path, "probe"), f"The probe does not fit: {error}")


def _typed(field: Input, text: str) -> Any:  # noqa: PLR0911 - one arm a type
    match field.type:
        case InputType.TEXT:
            return text
        case InputType.UUID:
            return _uuid(text)
        case InputType.INTEGER:
            return _integer(text)
        case InputType.NUMBER:
            return _number(text)
        case InputType.BOOLEAN:
            return _boolean(text)
        case InputType.CHOICE:
            return _choice(field, text)
        case InputType.EMAIL:
            return _matching(text, lambda each: bool(_EMAIL.fullmatch(each)), "an e-mail address")
        case InputType.URL:
            return _matching(text, _is_url, "a web address that begins with https://")
        case InputType.TIMESTAMP:
            return _timestamp(text)
        case _:
            assert_never(field.type)


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        example = "0a1aca27-0001-4000-8000-000000000001"
        raise ValueError(f"«{_short(text)}» is not a UUID; one looks like {example}.") from error


def _integer(text: str) -> int:
    if not re.fullmatch(r"[-+]?\d{1,18}", text.replace(",", ""), re.ASCII):
        raise ValueError(f"«{_short(text)}» is not a whole number.")
    return int(text.replace(",", ""))


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation as error:
        raise ValueError(f"«{_short(text)}» is not a number.") from error
    if not number.is_finite() or (number and abs(number.adjusted()) > 30):
        raise ValueError(f"«{_short(text)}» is not a number that can be used here.")
    return number


def _boolean(text: str) -> bool:
    word = text.casefold()
    if word not in _YES | _NO:
        raise ValueError(f"«{_short(text)}» is neither yes nor no.")
    return word in _YES


def _choice(field: Input, text: str) -> str:
    chosen = next((choice for choice in field.choices if choice.casefold() == text.casefold()), None)
    if chosen is None:
        raise ValueError(f"«{_short(text)}» is not a choice. {did_you_mean(text, field.choices)}".strip())
    return chosen


def _timestamp(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"«{_short(text)}» is not a time; one looks like 2026-11-21T07:45Z.") from error


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", text)
    except ValueError:
        return False


def _matching(text: str, fits: Callable[[str], bool], what: str) -> str:
    if not fits(text):
        raise ValueError(f"«{_short(text)}» is not {what}.")
    return text


def _in_range(field: Input, value: int | Decimal) -> None:
    if field.minimum is not None and value < field.minimum:
        raise ValueError(f"{value:,} is too small: at least {field.minimum:,g}.")
    if field.maximum is not None and value > field.maximum:
        raise ValueError(f"{value:,} is too large: at most {field.maximum:,g}.")


def _pattern_trouble(pattern: str) -> str:
    """Why a pattern cannot be used. Repeated groups are refused: they can take a lifetime on a short text."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return f"This is not a regular expression: {error}."
    plain = re.sub(r"\\.", "x", pattern)
    if re.search(r"\)\s*[*+{]", plain):
        return "A group cannot be repeated in a pattern."
    if len(re.findall(r"[*+]|\{\d*,\d*\}", re.sub(r"\[[^\]]*\]", "x", plain))) > MAX_REPEATS:
        return f"A pattern can repeat at most {MAX_REPEATS} times."
    return ""


def _as_typed(default: Any) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def _bare(text: str) -> str:
    """The text without what Slack and habit put around it: quotes, back-ticks, links."""
    text = text.strip()
    while len(text) > 1 and text[0] == text[-1] and text[0] in "`'\"":
        text = text[1:-1].strip()
    linked = _LINKED.fullmatch(text)
    return linked[1] if linked else text


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
