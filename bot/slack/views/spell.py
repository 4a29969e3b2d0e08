"""Durations, times and values in the words that every view uses."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from bot.domain.facts import to_json
from bot.slack.views.text import DASH


def duration(span: timedelta) -> str:
    """A length of time in at most two units: "12 ms", "4.2 s", "4 min", "1 h 5 min", "3 d 2 h"."""
    seconds = span.total_seconds()
    if seconds < 0:
        return f"-{duration(-span)}" if span > timedelta.min else DASH
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    return coarse(span)


def coarse(span: timedelta) -> str:
    """A length of time in whole minutes, hours and days: what the clock of a run says."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def against(spent: timedelta, target: timedelta) -> str:
    """The clock against its target: "4 of 20 min", or how far over it is."""
    if target <= timedelta(0):
        return coarse(spent)
    if spent > target:
        over = coarse(spent - target) if spent - target >= timedelta(minutes=1) else "just"
        return f"{coarse(spent)}, {over} over the target of {coarse(target)}"
    said, goal = coarse(spent), coarse(target)
    return f"{said.removesuffix(' min')} of {goal}" if target < timedelta(hours=1) else f"{said} of {goal}"


def ago(then: datetime, now: datetime) -> str:
    """How long ago: "just now", "1 min ago"."""
    span = now - then
    return "just now" if span < timedelta(minutes=1) else f"{coarse(span)} ago"


def lately(then: datetime, now: datetime) -> str:
    """How long ago in one unit, for what is old news: "just now", "5 min ago", "30 h ago", "12 days ago"."""
    span = now - then
    if span < timedelta(minutes=1):
        return "just now"
    minutes = int(span.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{span.days} days ago"


def utc(moment: datetime, pattern: str = "%H:%M") -> str:
    """A moment in UTC, said so: "14:32 UTC"."""
    try:
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return f"{aware:{pattern}} UTC"
    except (OverflowError, ValueError):
        return moment.isoformat()


def day_and_time(moment: datetime) -> str:
    """A moment with its day, in UTC, for files and the terminal."""
    return utc(moment, "%Y-%m-%d %H:%M:%S")


def value(data: Any) -> str:  # noqa: PLR0911 - one arm a type
    """A value as a person reads it; nothing is "–", text stays as it is."""
    match data:
        case None | "":
            return DASH
        case bool():
            return "true" if data else "false"
        case str():
            return data
        case datetime():
            return day_and_time(data)
        case timedelta():
            return duration(data)
        case bytes():
            return f"{len(data):,} bytes: {data[:32].hex()}{'…' if len(data) > 32 else ''}"
        case float():
            return repr(data) if not math.isfinite(data) else f"{data:.15g}"
        case int() | Decimal() | date() | time() | UUID():
            return _number(data)
        case Mapping() | Sequence() | set() | frozenset():
            return json.dumps(_plain(data), ensure_ascii=False, default=str)
        case _:
            return str(data)


def literal(data: Any) -> str:
    """A value as it stands in a row: nothing is "null" and empty text is '', so that a difference can be seen."""
    if data is None:
        return "null"
    return "''" if data == "" else value(data)


def _number(data: Any) -> str:
    # Python refuses to print whole numbers of more than 4,300 digits.
    if isinstance(data, int) and data.bit_length() > 4_000:
        return f"a whole number of {data.bit_length():,} bits"
    return str(data)


def _plain(data: Any) -> Any:
    """JSON data in words: the tags of stored types are left out."""
    match data:
        case Mapping():
            return {str(key): _plain(item) for key, item in data.items()}
        case str() | bool() | None:
            return data
        case bytes():
            return value(data)
        case Sequence() | set() | frozenset():
            return [_plain(item) for item in data]
        case int() | float() if not isinstance(data, int) or data.bit_length() <= 4_000:
            return to_json(data) if isinstance(data, int) or math.isfinite(data) else repr(data)
        case _:
            return value(data)


def count(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun: "1 row", "2 rows"."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def listed(names: Sequence[str], most: int = 6) -> str:
    """Names in a sentence: "a, b and 3 more"."""
    if len(names) <= most:
        return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""
    return f"{', '.join(names[:most])} and {len(names) - most} more"
