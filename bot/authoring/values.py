"""Plain values as people read them, and the bounds every value keeps; filters and the sandbox build on it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from jinja2.runtime import Undefined

MAX_TEXT = 20_000
MAX_ITEMS = 1_000
MAX_DIGITS = 40


class Unfit(ValueError):
    """A value that a filter or an operator cannot take; the message is for a person."""


def text_of(value: Any) -> str:  # noqa: PLR0911 - one arm a type
    """A value as people read it: no quotes around identifiers, times in UTC, data as JSON."""
    match value:
        case str():
            return bounded_text(value)
        case None:
            return "empty"
        case bool():
            return "yes" if value else "no"
        case int() | float() | Decimal():
            return number_text(value)
        case datetime():
            return moment_text(value)
        case date() | time() | UUID():
            return value.isoformat() if not isinstance(value, UUID) else str(value)
        case timedelta():
            return duration_text(value)
        case Mapping() | list() | tuple() | set() | frozenset():
            return json_text(value)
        case Undefined():
            return str(value)  # raises: strict
        case _:
            raise Unfit(f"a {type(value).__name__} cannot be shown")


def bounded_text(text: str) -> str:
    """The text, if it is of bearable length."""
    if len(text) > MAX_TEXT:
        raise Unfit(f"the text is longer than {MAX_TEXT:,} characters")
    return text


def number_text(value: float | Decimal) -> str:
    """A number without exponent or needless zeros."""
    if isinstance(value, int):
        return str(bounded_number(value))
    plain = Decimal(str(value))
    if not plain.is_finite() or abs(plain.adjusted()) > MAX_DIGITS:
        return str(value)
    return f"{plain:f}"


def json_text(value: Any) -> str:
    """Data as JSON, if it is of bearable size."""
    _weigh(value, [MAX_TEXT])
    return bounded_text(json.dumps(_plain(value), ensure_ascii=False, default=str))


def _weigh(value: Any, left: list[int]) -> None:
    """Refuse data that is too large before it is turned into text."""
    left[0] -= len(value) if isinstance(value, str) else 1
    if left[0] < 0:
        raise Unfit(f"the data is larger than {MAX_TEXT:,} characters")
    if isinstance(value, Mapping):
        for key, item in value.items():
            _weigh(str(key), left)
            _weigh(item, left)
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for item in value:
            _weigh(item, left)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else text_of(value)


def bounded_number(value: Any) -> Any:
    """The number, if it has a bearable number of digits."""
    if isinstance(value, int) and value.bit_length() > MAX_DIGITS * 4:
        raise Unfit("the number is too large")
    if isinstance(value, Decimal) and value.is_finite() and value and abs(value.adjusted()) > MAX_DIGITS:
        raise Unfit("the number is too large")
    return value


def decimal(value: Any) -> Decimal:
    """The value as an exact number."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise Unfit(f"{kind_of(value)} is not a number")
    try:
        number = Decimal(value.strip()[:100] if isinstance(value, str) else str(bounded_number(value)))
    except InvalidOperation as error:
        raise Unfit(f"«{_excerpt(value)}» is not a number") from error
    if not number.is_finite():
        raise Unfit(f"«{_excerpt(value)}» is not a number")
    bounded_number(number)
    return number


def sequence(value: Any) -> list[Any]:
    """The value as a list of bearable length."""
    if isinstance(value, Undefined):
        iter(value)  # raises: strict
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise Unfit(f"{kind_of(value)} is not a list")
    found: list[Any] = []
    for item in value:
        found.append(item)
        if len(found) > MAX_ITEMS:
            raise Unfit(f"the list is longer than {MAX_ITEMS:,}")
    return found


def moment(value: Any) -> datetime:
    """A time from seconds since 1970 (as Stripe gives them), ISO text, or a time itself; without a zone it is UTC."""
    try:
        match value:
            case datetime():
                found = value
            case date():
                found = datetime(value.year, value.month, value.day, tzinfo=UTC)
            case bool():
                raise Unfit("a yes or no is not a time")
            case int() | float() | Decimal():
                found = datetime.fromtimestamp(float(bounded_number(value)), UTC)
            case str():
                found = datetime.fromisoformat(value.strip()[:64])
            case _:
                raise Unfit(f"{kind_of(value)} is not a time")
    except (ValueError, OverflowError, OSError) as error:
        raise error if isinstance(error, Unfit) else Unfit(f"«{_excerpt(value)}» is not a time") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def span(value: Any) -> timedelta:
    """A duration from seconds or a duration itself."""
    if isinstance(value, timedelta):
        return value
    try:
        return timedelta(seconds=float(decimal(value)))
    except OverflowError as error:
        raise Unfit("the duration is too long") from error


def moment_text(value: Any) -> str:
    """ "21 Nov 2026, 07:47 UTC"."""
    at = moment(value)
    return f"{date_text(at)}, {at:%H:%M} UTC"


def date_text(value: Any) -> str:
    """ "21 Nov 2026"."""
    at = moment(value)
    return f"{at.day} {at:%b} {at.year}"


def duration_text(value: Any) -> str:
    """The two largest units: "2 h 5 min", "3 days"."""
    left = span(value)
    sign, seconds = ("-", -left.total_seconds()) if left < timedelta(0) else ("", left.total_seconds())
    if seconds < 1:
        return f"{sign}{round(seconds * 1000)} ms"
    whole = round(seconds)
    units = ((86_400, "day"), (3_600, "h"), (60, "min"), (1, "s"))
    parts: list[str] = []
    for size, name in units:
        amount, whole = divmod(whole, size)
        if amount:
            parts.append(f"{amount:,} {'days' if name == 'day' and amount != 1 else name}")
        elif parts:
            break
    return sign + " ".join(parts[:2])


def kind_of(value: Any) -> str:
    """What it is, in words."""
    match value:
        case Undefined():
            return str(value)  # raises: strict
        case None:
            return "an empty value"
        case str():
            return "a text"
        case Mapping():
            return "a record"
        case list() | tuple() | set() | frozenset():
            return "a list"
        case _:
            return f"a {type(value).__name__}"


def _excerpt(value: Any) -> str:
    return str(value)[:40]
