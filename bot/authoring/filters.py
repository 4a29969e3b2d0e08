"""What expressions and templates may do with a value: every filter, test and function there is, each bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import wraps
from typing import Any, cast

from jinja2 import pass_context
from jinja2.filters import FILTERS as STANDARD_FILTERS
from jinja2.runtime import Context
from jinja2.tests import TESTS as STANDARD_TESTS

from bot.authoring.values import (
    MAX_ITEMS,
    MAX_TEXT,
    Unfit,
    bounded_number,
    date_text,
    decimal,
    duration_text,
    json_text,
    moment,
    moment_text,
    number_text,
    sequence,
    span,
    text_of,
)

_WITHOUT_MINOR_UNITS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_WITH_THREE_DIGITS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])


# -- text --------------------------------------------------------------------------------------------------------------


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


def clock_text(value: Any) -> str:
    """ "07:47 UTC"."""
    return f"{moment(value):%H:%M} UTC"


def iso(value: Any) -> str:
    """ISO 8601, for machines."""
    return (
        value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else moment(value).isoformat()
    )


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


def _standard(table: object, names: str) -> dict[str, Callable[..., Any]]:
    known = cast(Mapping[str, Callable[..., Any]], table)
    return {name: known[name] for name in names.split()}


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
