"""The timeline of an incident: the lines of the audit trail as people have corrected them, nothing of it lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

from bot.domain.events import Happened


class Recorded(Protocol):
    """A line of the trail; `seq` is its place."""

    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def kind(self) -> str: ...
    @property
    def actor(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


L = TypeVar("L", bound=Recorded)

# What the bot notes for itself, and what stands in the thread of a run.
_ASIDE = frozenset(
    {
        Happened.CHECK_ENDED,
        Happened.ACTION_INTENDED,
        Happened.QUESTION_ASKED,
        Happened.VOTE_CAST,
        Happened.DIGEST_POSTED,
        Happened.ITEM_REMINDED,
        Happened.PRESS_REPEATED,
        Happened.ROWS_ASKED,
    }
)
_MARKS = frozenset({Happened.INCIDENT_MARKED, Happened.INCIDENT_UNMARKED})
_LEFT_OUT = _ASIDE | {Happened.ENTRY_CORRECTED, Happened.INCIDENT_UNMARKED}


def timeline(lines: Sequence[L]) -> list[L]:
    """What happened, oldest first: a line that somebody corrected says what they wrote, at its own time, and carries
    what was said before; a message that is not marked any more is gone."""
    corrected: dict[int, list[L]] = {}
    newest: dict[str, int] = {}
    for line in lines:
        if line.kind == Happened.ENTRY_CORRECTED:
            corrected.setdefault(int(line.data.get("entry", 0)), []).append(line)
        elif line.kind in _MARKS:
            newest[str(line.data.get("message"))] = line.seq
    return [
        _as_corrected(line, corrected.get(line.seq, ()))
        for line in lines
        if line.kind not in _LEFT_OUT
        and (line.kind != Happened.INCIDENT_MARKED or newest[str(line.data.get("message"))] == line.seq)
    ]


def _as_corrected(line: L, corrections: Sequence[L]) -> L:
    """The line as the last correction has it; `before` is what was said, oldest first."""
    if not corrections:
        return line
    last = corrections[-1]
    original = {"kind": line.kind, "actor": line.actor, "data": line.data}
    before = [original, *({"text": each.data.get("text"), "actor": each.actor} for each in corrections[:-1])]
    data = {"text": last.data.get("text"), "before": before}
    return replace(line, kind=Happened.ENTRY_CORRECTED, actor=last.actor, data=data)  # type: ignore[type-var]  # a line is a frozen dataclass
