"""Who is called next about an incident, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.escalation import due_climb, ladder_for, next_climb
from bot.domain.incident import Incident, IncidentState
from bot.domain.operations import Ladder, Rung
from bot.domain.runbook import Severity
from tests import builders as b

MINUTE = timedelta(minutes=1)
LADDER = Ladder(
    "critical",
    "Critical",
    (Rung(("leads",)), Rung(("manager",), 15 * MINUTE), Rung(("cto",), 45 * MINUTE)),
    severities=(Severity.P0,),
)
OTHER = Ladder("money", "Money", (Rung(("billing",)),), severities=(Severity.P1,), runbooks=("RB-011",))
LADDERS = {each.key: each for each in (LADDER, OTHER)}


def incident(**changes: object) -> Incident:
    """One that nobody has taken."""
    untaken = b.incident(acknowledged_by="", acknowledged_at=None, ladder="critical")
    return replace(untaken, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("severity", "runbooks", "key"),
    [
        (Severity.P0, (), "critical"),
        (Severity.P0, ("RB-011",), "money"),
        (Severity.P0, ("RB-001", "RB-011"), "money"),
        (Severity.P1, ("RB-001",), "money"),
        (Severity.P3, ("RB-001",), None),
    ],
)
def test_the_runbook_decides_before_the_severity(
    severity: Severity, runbooks: tuple[str, ...], key: str | None
) -> None:
    """What is concerned says more than how bad it is."""
    found = ladder_for(LADDERS, severity, runbooks)
    assert (None if found is None else found.key) == key


def test_each_rung_in_its_time() -> None:
    """The times count from the beginning, as the ladder says them, while each is called in time."""
    at = incident()
    seen = []
    while (climb := next_climb(at, LADDER)) is not None:
        seen.append((climb.rung.to, climb.at - at.opened_at))
        at = replace(at, rungs=climb.place + 1, called_at=climb.at)
    assert seen == [(("leads",), timedelta(0)), (("manager",), 15 * MINUTE), (("cto",), 45 * MINUTE)]


def test_a_late_call_leaves_the_next_its_time() -> None:
    """After an hour without the bot the leads are called, and the manager not before they had a quarter of an hour."""
    late = incident().opened_at + timedelta(hours=1)
    climb = next_climb(incident(rungs=1, called_at=late), LADDER)
    assert climb is not None
    assert climb.at == late + 15 * MINUTE


@pytest.mark.parametrize(
    "changes",
    [
        {"acknowledged_at": b.NOW},
        {"state": IncidentState.RESOLVED},
        {"rungs": 3, "called_at": b.NOW},
    ],
)
def test_when_the_clock_stands(changes: dict[str, object]) -> None:
    """While somebody is on it, when it is over, and at the top."""
    assert due_climb(incident(**changes), LADDER) is None
    assert due_climb(incident(), None) is None
    assert due_climb(incident(), LADDER) is not None


def test_people_can_be_called_by_hand_all_the_same() -> None:
    """Somebody who is on it may want more people."""
    climb = next_climb(incident(acknowledged_at=b.NOW, rungs=1, called_at=b.NOW), LADDER)
    assert climb is not None
    assert climb.rung.to == ("manager",)
