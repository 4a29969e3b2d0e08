"""How fast incidents are resolved against their targets: computed from the incidents themselves, by nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from bot.domain.incident import Incident, IncidentState
from bot.domain.runbook import Severity

PERIOD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Resolution:
    """The resolved incidents of a severity: how many, the median time to resolve (MTTR) in seconds, how many of them
    within their target, and each one's time as a share of its target, oldest first."""

    severity: Severity
    count: int
    median_seconds: float
    within: int
    shares: tuple[float, ...]


def resolutions(incidents: Sequence[Incident]) -> list[Resolution]:
    """What resolved incidents say, the worst severity first. Duplicates that were merged and those that are open count
    nowhere."""
    ended = [each for each in incidents if each.state is IncidentState.RESOLVED and each.resolved_at is not None]
    found = []
    for severity in Severity:
        own = sorted((each for each in ended if each.severity is severity), key=lambda each: each.number)
        spent = [(each.resolved_at - each.opened_at).total_seconds() for each in own if each.resolved_at is not None]
        if spent:
            targets = [max(each.target.total_seconds(), 1.0) for each in own]
            shares = tuple(round(took / target, 3) for took, target in zip(spent, targets, strict=True))
            within = sum(share <= 1 for share in shares)
            found.append(Resolution(severity, len(own), median(spent), within, shares))
    return found
