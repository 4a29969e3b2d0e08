"""What expressions and templates may do with a value: every filter, test and function there is, each bounded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import wraps
from typing import Any
from uuid import UUID

from jinja2 import pass_context
from jinja2.filters import FILTERS as STANDARD_FILTERS
from jinja2.runtime import Context, Undefined
from jinja2.tests import TESTS as STANDARD_TESTS

MAX_TEXT = 20_000
MAX_ITEMS = 1_000
MAX_DIGITS = 40

_WITHOUT_MINOR_UNITS = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF".split())
_WITH_THREE_DIGITS = frozenset("BHD JOD KWD OMR TND".split())


class Unfit(ValueError):
    """A value that a filter or an operator cannot take; the message is for a person."""


# -- text --------------------------------------------------------------------------------------------------------------


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


def join(values: Iterable[Any], separator: str = ", ", last: str | None = None) -> str:
    """The values in one line; `last` goes before the last one ("a, b and c")."""
    parts = [text_of(value) for value in sequence(values)]
    if last is not None and len(parts) > 1:
        parts[-2:] = [f"{parts[-2]}{last}{parts[-1]}"]
    if sum(map(len, parts)) + len(separator) * len(parts) > MAX_TEXT:
        raise Unfit(f"the text is longer than {MAX_TEXT:,} characters")
    return separator.join(parts)


def concat(*values: Any) -> str:
    """The values side by side; what `~` does."""
    return join(values, "")


def replace(value: Any, old: str, new: str) -> str:
    """The text with one part replaced by another."""
    text, old, new = text_of(value), text_of(old), text_of(new)
    if not old:
        raise Unfit("replace needs something to look for")
    if text.count(old) * len(new) + len(text) > MAX_TEXT:
        raise Unfit(f"the text is longer than {MAX_TEXT:,} characters")
    return text.replace(old, new)


def short(value: Any, length: int = 60) -> str:
    """The text, cut at `length` characters with an ellipsis."""
    text = " ".join(text_of(value).split())
    length = max(2, min(int(length), MAX_TEXT))
    return text if len(text) <= length else f"{text[: length - 1]}…"


def split(value: Any, separator: str = ",") -> list[str]:
    """The parts of a text, without blanks around them and without empty ones."""
    return [part.strip() for part in text_of(value).split(text_of(separator) or None) if part.strip()][:MAX_ITEMS]


def _text_method(name: str) -> Callable[[Any], str]:
    def method(value: Any) -> str:
        return str(getattr(text_of(value), name)())

    return method


# -- numbers and money -------------------------------------------------------------------------------------------------


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
        raise Unfit(f"{_kind(value)} is not a number")
    try:
        number = Decimal(value.strip()[:100] if isinstance(value, str) else str(bounded_number(value)))
    except InvalidOperation as error:
        raise Unfit(f"«{short(value, 40)}» is not a number") from error
    if not number.is_finite():
        raise Unfit(f"«{short(value, 40)}» is not a number")
    bounded_number(number)
    return number


def integer(value: Any) -> int:
    """The value as a whole number; a fraction is an error, not rounded away."""
    number = decimal(value)
    if number != number.to_integral_value():
        raise Unfit(f"{number_text(number)} is not a whole number")
    return int(number)


def number(value: Any, places: int | None = None) -> str:
    """A number with thousands separated; with `places`, that many digits after the point."""
    amount = decimal(value)
    if places is None:
        return f"{amount:,f}" if amount != amount.to_integral_value() else f"{int(amount):,}"
    return f"{round(amount, max(0, min(int(places), 12))):,f}"


def rounded(value: Any, places: int = 0) -> Decimal | int:
    """The number rounded half to even."""
    digits = max(0, min(int(places), 12))
    return round(decimal(value), digits) if digits else round(decimal(value))


def money(value: Any, currency: Any = "usd") -> str:
    """An amount in minor units, as Stripe gives it, with its currency: 2900, "usd" → "29.00 USD"."""
    code = text_of(currency).upper()[:3]
    amount = decimal(value)
    if code in _WITHOUT_MINOR_UNITS:
        return f"{round(amount):,} {code}"
    places = 3 if code in _WITH_THREE_DIGITS else 2
    return f"{round(amount.scaleb(-places), places):,f} {code}"


def count(value: Any, one: str | None = None, many: str | None = None) -> str:
    """How many: a number or the length of a list; with a word, "1 row" or "3 rows"."""
    amount = len(value) if isinstance(value, Mapping | list | tuple | set | frozenset) else value
    return number(amount) if one is None else f"{number(amount)} {plural(amount, one, many)}"


def plural(value: Any, one: str, many: str | None = None) -> str:
    """The word that fits a number."""
    amount = len(value) if isinstance(value, Mapping | list | tuple | set | frozenset) else value
    return text_of(one) if decimal(amount) == 1 else text_of(many) if many is not None else f"{text_of(one)}s"


# -- sequences ---------------------------------------------------------------------------------------------------------


def sequence(value: Any) -> list[Any]:
    """The value as a list of bearable length."""
    if isinstance(value, Undefined):
        iter(value)  # raises: strict
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise Unfit(f"{_kind(value)} is not a list")
    found: list[Any] = []
    for item in value:
        found.append(item)
        if len(found) > MAX_ITEMS:
            raise Unfit(f"the list is longer than {MAX_ITEMS:,}")
    return found


def numbers(first: Any, *more: Any) -> list[int]:
    """What `range` gives: whole numbers, at most a thousand."""
    span = range(*(integer(each) for each in (first, *more)))
    if len(span) > MAX_ITEMS:
        raise Unfit(f"a range holds at most {MAX_ITEMS:,} numbers")
    return list(span)


def total(values: Iterable[Any], start: Any = 0) -> Decimal | int:
    """The sum of numbers, exactly."""
    items = [start, *sequence(values)]
    if all(isinstance(item, int) and not isinstance(item, bool) for item in items):
        return int(bounded_number(sum(items)))
    return sum((decimal(item) for item in items), Decimal(0))


# -- time --------------------------------------------------------------------------------------------------------------


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
                raise Unfit(f"{_kind(value)} is not a time")
    except (ValueError, OverflowError, OSError) as error:
        raise error if isinstance(error, Unfit) else Unfit(f"«{short(value, 40)}» is not a time") from error
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


def clock_text(value: Any) -> str:
    """ "07:47 UTC"."""
    return f"{moment(value):%H:%M} UTC"


def iso(value: Any) -> str:
    """ISO 8601, for machines."""
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else moment(value).isoformat()


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


@pass_context
def ago(context: Context, value: Any) -> str:
    """How long ago, or in how long: "3 min ago", "in 2 days"; measured from the scope's `now`."""
    gap = moment(context.resolve("now")) - moment(value)
    if abs(gap) < timedelta(seconds=1):
        return "just now"
    size = duration_text(abs(gap)).split()
    words = " ".join(size if gap < timedelta(hours=12) and len(size) == 4 else size[:2])
    return f"{words} ago" if gap > timedelta(0) else f"in {words}"


@pass_context
def is_past(context: Context, value: Any) -> bool:
    """Whether a time is before the scope's `now`."""
    return moment(value) < moment(context.resolve("now"))


@pass_context
def is_future(context: Context, value: Any) -> bool:
    """Whether a time is after the scope's `now`."""
    return moment(value) > moment(context.resolve("now"))


def is_empty(value: Any) -> bool:
    """Whether there is nothing: null, no text, no items."""
    return value is None or (isinstance(value, str | Mapping | Sequence | set | frozenset) and len(value) == 0)


def _kind(value: Any) -> str:
    match value:
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


def _standard(table: Mapping[str, Callable[..., Any]], names: str) -> dict[str, Callable[..., Any]]:
    return {name: table[name] for name in names.split()}


def _listed(make: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that gives a generator, giving a list: something that can be counted and shown."""

    @wraps(make)
    def made(*args: Any, **options: Any) -> list[Any]:
        return sequence(make(*args, **options))

    return made


# Those of Jinja that neither grow what they are given nor reach outside it.
FILTERS: dict[str, Callable[..., Any]] = {
    **_standard(STANDARD_FILTERS, "abs default dictsort first last length max min sort"),
    **{
        name: _listed(STANDARD_FILTERS[name])
        for name in ("map", "reject", "rejectattr", "select", "selectattr", "unique")
    },
    **{name: _text_method(name) for name in ("lower", "upper", "title", "capitalize")},
    "trim": _text_method("strip"),
    "ago": ago,
    "clock": clock_text,
    "concat": concat,
    "count": count,
    "date": date_text,
    "decimal": decimal,
    "duration": duration_text,
    "int": integer,
    "iso": iso,
    "join": join,
    "json": json_text,
    "list": sequence,
    "moment": moment,
    "money": money,
    "number": number,
    "plural": plural,
    "replace": replace,
    "round": rounded,
    "short": short,
    "span": span,
    "split": split,
    "string": text_of,
    "sum": total,
    "time": clock_text,
    "when": moment_text,
}
TESTS: dict[str, Callable[..., Any]] = {
    **_standard(STANDARD_TESTS, "defined undefined none true false boolean number string mapping sequence even odd"),
    **_standard(STANDARD_TESTS, "divisibleby in eq ne lt le gt ge equalto lessthan greaterthan"),
    **_standard(STANDARD_TESTS, "== != < <= > >="),
    "empty": is_empty,
    "past": is_past,
    "future": is_future,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "range": numbers,
    "days": lambda amount: timedelta(days=float(decimal(amount))),
    "hours": lambda amount: timedelta(hours=float(decimal(amount))),
    "minutes": lambda amount: timedelta(minutes=float(decimal(amount))),
    "seconds": lambda amount: timedelta(seconds=float(decimal(amount))),
}
