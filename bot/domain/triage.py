"""Triage: which runbooks a problem fits, from what is known of a customer; and how what is known leads to more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.domain.run import Conclusion
from bot.domain.runbook import Check, Input, Runbook

LEADING = "runbook"
_SEVEREST = ("P0", "P1", "P2", "P3")


@dataclass(frozen=True, slots=True)
class Lookups:
    """How a system's identifiers lead to each other: `inputs` are the identifiers, `checks` look them up, and `gives`
    has for each the expressions over inputs and checks that may give it, the first that is not null counting."""

    inputs: tuple[Input, ...] = ()
    checks: Mapping[str, Check] = field(default_factory=dict)
    gives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A runbook whose findings hold, and the inputs it was tried with."""

    runbook: Runbook
    inputs: Mapping[str, Any]
    conclusions: tuple[Conclusion, ...]
    specific: bool

    @property
    def leads(self) -> bool:
        """Whether all that it calls for is to go on with another runbook."""
        known = self.runbook.actions
        return all(known[key].kind == LEADING for found in self.conclusions for key in found.propose)


@dataclass(frozen=True, slots=True)
class Triaged:
    """What triage came to: the identifiers as far as they became known, the suspects in their order, how many runbooks
    and distinct checks were tried, which looks failed (each a sentence), and how many were not ended in time."""

    system: str
    known: Mapping[str, Any]
    suspects: tuple[Suspect, ...]
    runbooks: int
    checks: int
    failed: tuple[str, ...]
    unfinished: int
    took: timedelta


def tried(runbooks: Iterable[Runbook], known: Mapping[str, Any]) -> list[Runbook]:
    """The runbooks that can be tried: those that say a symptom, and whose inputs are all known or may be left out."""
    return [
        runbook
        for runbook in runbooks
        if runbook.triage
        and all(each.name in known or not each.required or each.default is not None for each in runbook.inputs)
    ]


def problems(conclusions: Iterable[Conclusion]) -> tuple[Conclusion, ...]:
    """The findings that call for something; that all is well, or that somebody has to wait, calls for nothing."""
    return tuple(each for each in conclusions if each.propose)


def ranked(suspects: Sequence[Suspect]) -> tuple[Suspect, ...]:
    """What concerns this customer before what concerns everybody, what can be done before what only leads there, the
    severe before the mild, then by id."""

    def place(each: Suspect) -> tuple[bool, bool, int, str]:
        return not each.specific, each.leads, _SEVEREST.index(each.runbook.severity), each.runbook.id

    return tuple(sorted(suspects, key=place))
