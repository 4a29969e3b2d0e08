"""How fast incidents were resolved, against their targets."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.incident import IncidentState
from bot.domain.insight import resolutions
from bot.domain.runbook import Severity
from tests import builders as b


def test_medians_and_targets_by_severity() -> None:
    """The median of what was resolved, how many within the target (20 minutes), each as a share of it; open ones and
    duplicates count nowhere."""
    took = (10, 20, 90)
    ended = [
        b.incident(number=n, state=IncidentState.RESOLVED, resolved_at=b.START + timedelta(minutes=minutes))
        for n, minutes in enumerate(took)
    ]
    worst = b.incident(severity=Severity.P0, state=IncidentState.RESOLVED, resolved_at=b.START + timedelta(minutes=5))
    others = [b.incident(), b.incident(state=IncidentState.MERGED, resolved_at=b.START)]
    first, second = resolutions([*ended, worst, *others])
    assert (first.severity, first.count, first.within, first.shares) == (Severity.P0, 1, 1, (0.25,))
    assert (second.severity, second.count, second.within) == (Severity.P2, 3, 2)
    assert second.median_seconds == 20 * 60
    assert second.shares == (0.5, 1.0, 4.5)
    assert resolutions(others) == []
