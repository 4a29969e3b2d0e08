"""Facts: what a check learnt, in a form that survives storage with its types and stays bounded in size."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

MAX_ROWS = 1_000
MAX_CELL = 4_000


class FactStatus(StrEnum):
    """How a check ended. `asking` waits for a person; `skipped` means its condition did not hold."""

    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"
    ASKING = "asking"


@dataclass(frozen=True, slots=True)
class Fact:
    """The result of one check.

    `value` is what expressions see under the check's key; `summary` is a few words for the card ("1 row", "2 failed
    deliveries"); `error` is a sentence when the check failed; `duration` is what the look took.
    """

    status: FactStatus
    value: Mapping[str, Any] = field(default_factory=dict)
    summary: str = ""
    error: str = ""
    duration: timedelta = timedelta(0)

    def scope(self) -> dict[str, Any]:
        """What expressions and templates see: the value, and whether and why the look failed."""
        failed = self.status in (FactStatus.FAILED, FactStatus.TIMED_OUT)
        return {
            **self.value,
            "ok": self.status is FactStatus.DONE,
            "failed": failed,
            "skipped": self.status is FactStatus.SKIPPED,
            "answered": self.status is FactStatus.DONE,
            "error": self.error,
            "duration_ms": round(self.duration.total_seconds() * 1000, 1),
        }


def bounded(value: Any) -> Any:
    """The value with sequences cut to `MAX_ROWS`, text and bytes to `MAX_CELL`; says so where it cuts."""
    if isinstance(value, str):
        return value if len(value) <= MAX_CELL else f"{value[:MAX_CELL]}… ({len(value):,} characters)"
    if isinstance(value, bytes | bytearray | memoryview):
        raw = bytes(value)
        return f"{len(raw):,} bytes: {raw[:64].hex()}{'…' if len(raw) > 64 else ''}"
    if isinstance(value, Mapping):
        return {str(key): bounded(item) for key, item in list(value.items())[:MAX_ROWS]}
    if isinstance(value, Sequence | set | frozenset):
        return [bounded(item) for item in list(value)[:MAX_ROWS]]
    return value


def to_json(value: Any) -> Any:  # noqa: PLR0911 - one arm a type
    """The value as JSON data; times, decimals and identifiers are tagged so that `from_json` gives them back."""
    match value:
        case None | bool() | int() | str():
            # PostgreSQL's jsonb has no NUL; a lone surrogate is not UTF-8.
            return value if not isinstance(value, str) else value.replace("\x00", "\N{SYMBOL FOR NULL}")
        case float():
            return value if value == value and abs(value) != float("inf") else {"$float": repr(value)}
        case Decimal():
            return {"$decimal": str(value)}
        case datetime():
            return {"$time": value.isoformat()}
        case date():
            return {"$date": value.isoformat()}
        case time():
            return {"$clock": value.isoformat()}
        case timedelta():
            return {"$seconds": value.total_seconds()}
        case UUID():
            return {"$uuid": str(value)}
        case bytes():
            return {"$bytes": base64.b64encode(value).decode()}
        case Mapping():
            plain = {str(key): to_json(item) for key, item in value.items()}
            # Foreign data that looks like one of our tags must come back as it was.
            return {"$plain": plain} if len(plain) == 1 and next(iter(plain)).startswith("$") else plain
        case Sequence() | set() | frozenset():
            return [to_json(item) for item in value]
        case _:
            return str(value)


def from_json(value: Any) -> Any:
    """The inverse of `to_json`."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (tag, raw), *_ = value.items()
        if tag == "$plain":
            return {key: from_json(item) for key, item in raw.items()}
        untag = _UNTAG.get(tag)
        if untag is not None:
            return untag(raw)
    return {key: from_json(item) for key, item in cast(dict[str, Any], value).items()}


_UNTAG: dict[str, Any] = {
    "$float": float,
    "$decimal": Decimal,
    "$time": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$clock": time.fromisoformat,
    "$seconds": lambda seconds: timedelta(seconds=seconds),
    "$uuid": UUID,
    "$bytes": base64.b64decode,
}
