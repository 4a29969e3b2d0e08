"""What may become of an approved change when its worker is killed, and what may never."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.run import ActionStatus

HALTED = frozenset({ActionStatus.FAILED, ActionStatus.REQUESTED, ActionStatus.EXPIRED})


class Verdict(StrEnum):
    """How often a change took effect, against what the run says of it."""

    ONCE = "once"
    NOT_AT_ALL = "not at all"
    ASKED = "asked"
    TWICE = "TWICE"
    LOST = "LOST"


def judged(effects: int, status: ActionStatus) -> Verdict:
    """Once and said so, not at all and said so, or a person is asked; anything else is a defect."""
    if effects > 1:
        return Verdict.TWICE
    if status is ActionStatus.UNKNOWN:
        return Verdict.ASKED
    if effects == 1 and status.effected:
        return Verdict.ONCE
    if effects == 0 and status in HALTED:
        return Verdict.NOT_AT_ALL
    return Verdict.LOST


@dataclass(frozen=True, slots=True)
class Trial:
    """One worker, killed or not, and what became of its change."""

    scenario: str
    killed: bool
    place: str
    moment: str
    effects: int
    status: str
    verdict: Verdict

    def line(self) -> str:
        """The trial for a terminal."""
        what = f"took effect {self.effects}×, the run says {self.status}"
        return f"{self.verdict}: {self.scenario}, killed {self.moment} {self.place}: {what}"


def table(points: dict[str, int], trials: Iterable[Trial], tried: str = "kills") -> str:
    """Scenario by scenario: its await points, how many were tried, and how each ended."""
    columns = ["await points", "places", tried, *Verdict]
    lines = [f"{'scenario':16}" + "".join(f"{name:>14}" for name in columns)]
    kept = [trial for trial in trials if trial.killed]
    for name, number in points.items():
        mine = [trial for trial in kept if trial.scenario == name]
        lines.append(_line(name, number, mine))
    lines.append(_line("all", sum(points.values()), kept))
    return "\n".join(lines)


def _line(name: str, points: int, trials: list[Trial]) -> str:
    counted = Counter(trial.verdict for trial in trials)
    figures = [points, len({trial.place for trial in trials}), len(trials), *(counted[verdict] for verdict in Verdict)]
    return f"{name:16}" + "".join(f"{figure:>14}" for figure in figures)
