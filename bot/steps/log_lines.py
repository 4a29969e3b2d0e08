"""Log lines as they are found: when each was written, and which of them say what is looked for."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

SHOWN_CHARS = 300
_HEAD = 120  # how far into a line its time is looked for: container names and levels may stand before it
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6})\d*)?\s?(Z|[+-]\d\d:?\d\d)?")
_SECONDS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))  # since 1973, a number this great counts nano-, micro-, milliseconds


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `at` is None when nothing tells."""

    text: str
    at: datetime | None = None


def lines_of(text: str) -> Iterator[Line]:
    """The lines of a text; one without a time of its own (a traceback's) has that of the line before."""
    at: datetime | None = None
    for raw in text.splitlines():
        if raw.strip():
            at = time_in(raw) or at
            yield Line(raw, at)


def lines_in(body: Any, entries: str, text: str, at: str) -> Iterator[Line]:
    """The entries of a JSON answer. Raises ValueError when there is no list where one should be."""
    for name in filter(None, entries.split(".")):
        body = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(body, list):
        raise ValueError(f"there is no list at «{entries}»")
    for entry in body:
        if isinstance(entry, Mapping):
            yield Line(str(entry.get(text, "")), moment(entry.get(at)))


def time_in(line: str) -> datetime | None:
    """The time a line was written, from its beginning; without a zone it is UTC."""
    found = _TIME.search(line, 0, _HEAD)
    if found is None:
        return None
    day, clock, fraction, zone = found.groups()
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0'):0<6}{_zone(zone)}")
    except ValueError:
        return None


def moment(said: Any) -> datetime | None:
    """A time as services write it: ISO 8601, or a number of seconds or of a fraction of them since 1970."""
    if isinstance(said, str) and not said.isdecimal():
        return time_in(said)
    try:
        number = float(said)
        return datetime.fromtimestamp(number / next((unit for least, unit in _SECONDS if number >= least), 1.0), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _zone(said: str | None) -> str:
    if said is None or said == "Z":
        return "+00:00"
    return said if ":" in said else f"{said[:3]}:{said[3:]}"


class Search:
    """Counts, of the lines since a moment, those that hold one of a name's words, and keeps the last few of them."""

    def __init__(self, wanted: Mapping[str, Sequence[str]], since: datetime, samples: int) -> None:
        self._wanted = {name: [word.casefold() for word in words] for name, words in wanted.items()}
        self._since = since
        self._counts = dict.fromkeys(wanted, 0)
        self._times: dict[str, list[datetime | None]] = {name: [None, None] for name in wanted}
        self._samples: dict[str, deque[str]] = {name: deque(maxlen=samples) for name in wanted}
        self.lines = 0
        self.untimed = 0
        self.oldest: datetime | None = None

    def take(self, lines: Iterable[Line]) -> None:
        """Look through them; those that nothing dates are looked through as well."""
        for line in lines:
            if line.at is None:
                self.untimed += 1
            elif self.oldest is None or line.at < self.oldest:
                self.oldest = line.at
            if line.at is None or line.at >= self._since:
                self.lines += 1
                self._judge(line)

    def _judge(self, line: Line) -> None:
        folded = line.text.casefold()
        for name, words in self._wanted.items():
            if any(word in folded for word in words):
                self._counts[name] += 1
                self._samples[name].append(line.text.strip())
                first, _ = self._times[name]
                self._times[name] = [first or line.at, line.at]

    def found(self, mask: Callable[[str], str]) -> dict[str, dict[str, Any]]:
        """By name: count, first, last, and samples, masked before they are cut: half a secret would not be known."""
        return {
            name: {
                "count": self._counts[name],
                "first": self._times[name][0],
                "last": self._times[name][1],
                "samples": [mask(sample)[:SHOWN_CHARS] for sample in self._samples[name]],
            }
            for name in self._wanted
        }
