"""`:name` in a statement becomes `$n`, and each value the type its parameter has: values are bound, never written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from uuid import UUID

from bot.domain.facts import to_json
from bot.errors import Mistake
from bot.steps.sql_words import Word, without_comments, words

INTEGERS = {"int2": 15, "int4": 31, "int8": 63, "oid": 32}
TEXTS = frozenset({"text", "varchar", "bpchar", "name", "citext", "unknown", "char"})
SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?)\s*")
SPAN_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
NAMES_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Bound:
    """A statement as PostgreSQL takes it, and the name behind each `$n`."""

    text: str
    order: tuple[str, ...]


class Unfit(Mistake):
    """A value that does not fit its parameter; nothing was sent."""


def names(query: str | Sequence[str]) -> tuple[str, ...]:
    """Every `:name` of the query, or of all queries of a list, once, in order of appearance."""
    statements = [query] if isinstance(query, str) else query
    found = [token.value for each in statements for token in words(each) if token.word is Word.BIND]
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=2_048)
def bind(statement: str, *, apart: bool = False) -> Bound:
    """`:name` → `$n`. One number a name; with `apart` one an occurrence, for a name that is used with two types."""
    statement = without_comments(statement).strip().rstrip(";").rstrip()
    order: list[str] = []
    pieces, last = [], 0
    for token in words(statement):
        if token.word is not Word.BIND:
            continue
        if apart or token.value not in order:
            order.append(token.value)
            number = len(order)
        else:
            number = order.index(token.value) + 1
        pieces.append(f"{statement[last : token.start]}${number}")
        last = token.end
    return Bound("".join([*pieces, statement[last:]]), tuple(order))


def arguments(bound: Bound, types: Sequence[str], values: Mapping[str, Any]) -> list[Any]:
    """The values in order, each as the type of its parameter (`uuid`, `int4[]`, …). Raises `Unfit` with a sentence."""
    fitted = []
    for name, kind in zip(bound.order, types, strict=True):
        if name not in values:
            raise Unfit(f"Nothing is bound to :{name}.", hint=f"Add {name} to bind, or name an input or a check so.")
        fitted.append(fit(name, kind, values[name]))
    return fitted


def fit(name: str, kind: str, value: Any) -> Any:
    """The value as PostgreSQL's type `kind`; `name` is what the sentence of an `Unfit` calls it."""
    if value is None:
        return None
    if kind.endswith("[]"):
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise Unfit(f":{name} must be a list, and it is {_shown(value)}.")
        return [fit(name, kind.removesuffix("[]"), item) for item in value]
    try:
        if kind in INTEGERS:
            return _integer(name, kind, value)
        fitting = _FITTING.get(kind)
        if fitting is not None:
            return fitting(value)
        return _text(value) if kind in TEXTS or not isinstance(value, str) else value
    except (ValueError, TypeError, InvalidOperation, OverflowError) as trouble:
        raise Unfit(
            f":{name} must be a value of type {_KINDS.get(kind, kind)}, and it is {_shown(value)}."
        ) from trouble


def _integer(name: str, kind: str, value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float | Decimal) and value != int(value)):
        raise ValueError(value)
    number = int(value)
    if not -(2 ** INTEGERS[kind]) <= number < 2 ** INTEGERS[kind]:
        raise Unfit(f":{name} is out of the range of {kind}: {number}.")
    return number


def _text(value: Any) -> str:
    if isinstance(value, bool):
        made = "true" if value else "false"
    elif isinstance(value, datetime | date | time):
        made = value.isoformat()
    elif isinstance(value, Mapping | list | tuple):
        made = json.dumps(to_json(value), ensure_ascii=False)
    else:
        made = str(value)
    if "\x00" in made:
        raise ValueError("NUL")
    made.encode()  # a lone surrogate is not text
    return made


def _numeric(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise ValueError(value)
    return Decimal(str(value).strip())


def _float(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError(value)
    return float(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("true", "t", "yes", "on", "1"):
        return True
    if word in ("false", "f", "no", "off", "0"):
        return False
    raise ValueError(value)


def _instant(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(str(value).strip())


def _clock(value: Any) -> time:
    return value if isinstance(value, time) else time.fromisoformat(str(value).strip())


def _span(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    found = SPAN.fullmatch(str(value))
    if found is None:
        raise ValueError(value)
    unit = "ms" if found[2] == "ms" else found[2][0]
    return timedelta(**{SPAN_UNITS[unit]: float(found[1])})


def _json(value: Any) -> str:
    return json.dumps(to_json(value), ensure_ascii=False).replace("\\u0000", "")


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else _text(value).encode()


_FITTING: Mapping[str, Callable[[Any], Any]] = {
    "uuid": lambda value: value if isinstance(value, UUID) else UUID(str(value).strip()),
    "numeric": _numeric,
    "float4": _float,
    "float8": _float,
    "bool": _boolean,
    "timestamptz": _instant,
    "timestamp": _moment,
    "date": _day,
    "time": _clock,
    "interval": _span,
    "json": _json,
    "jsonb": _json,
    "bytea": _bytes,
}

_KINDS: Mapping[str, str] = {
    "uuid": "UUID",
    "numeric": "number",
    "float4": "number",
    "float8": "number",
    "int2": "whole number",
    "int4": "whole number",
    "int8": "whole number",
    "bool": "yes or no",
    "timestamptz": "time with its zone (2026-11-21T03:00:00+00:00)",
    "timestamp": "time (2026-11-21T03:00:00)",
    "date": "date (2026-11-21)",
    "interval": "time span (90 minutes)",
}


def _shown(value: Any) -> str:
    text = str(value)
    return f"«{text if len(text) <= NAMES_SHOWN else text[:NAMES_SHOWN] + '…'}»"
