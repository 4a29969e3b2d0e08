"""Who is asked next about an incident that nobody has taken, and when: decided from what is stored, by nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.incident import Incident, IncidentState
from bot.domain.operations import Ladder, Rung
from bot.domain.runbook import Severity


@dataclass(frozen=True, slots=True)
class Climb:
    """The next rung of a ladder (counted from 0) and the moment at which it is called, if nobody answers before."""

    place: int
    rung: Rung
    at: datetime


def ladder_for(ladders: Mapping[str, Ladder], severity: Severity, runbooks: Sequence[str] = ()) -> Ladder | None:
    """The ladder of an incident: that of the first of its runbooks which has one, else that of its severity."""
    for runbook in runbooks:
        for ladder in ladders.values():
            if runbook in ladder.runbooks:
                return ladder
    return next((ladder for ladder in ladders.values() if severity in ladder.severities), None)


def next_climb(incident: Incident, ladder: Ladder | None) -> Climb | None:
    """The rung that is next, or None when there is none.

    Each rung has its whole time: one that was called late, because nobody could call it before, moves those after it.
    """
    if ladder is None or incident.rungs >= len(ladder.rungs):
        return None
    rung = ladder.rungs[incident.rungs]
    if incident.rungs == 0 or incident.called_at is None:
        return Climb(incident.rungs, rung, incident.opened_at + rung.after)
    return Climb(incident.rungs, rung, incident.called_at + (rung.after - ladder.rungs[incident.rungs - 1].after))


def due_climb(incident: Incident, ladder: Ladder | None) -> Climb | None:
    """The rung that the clock calls: none while somebody is on it, or once it is over."""
    if incident.state is not IncidentState.OPEN or incident.acknowledged_at is not None:
        return None
    return next_climb(incident, ladder)
