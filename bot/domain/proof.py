"""What is known of a runbook's own health: when its drill and its live checks last passed, and what that is worth now.

A proof is of one version: whoever edits a runbook or its system has proven nothing of it yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from bot.domain.runbook import ASKING, Runbook
from bot.domain.triage import Lookups


class ProofKind(StrEnum):
    """How a runbook was proven: every branch of it against planted faults, or its checks against the real targets."""

    DRILL = "drill"
    LIVE = "live"


GOOD_FOR = {ProofKind.DRILL: timedelta(days=30), ProofKind.LIVE: timedelta(days=3)}


@dataclass(frozen=True, slots=True)
class Proof:
    """How the last try of one kind with one version ended; `last_passed` is when one with this version last passed."""

    runbook: str
    system: str
    version: str
    kind: ProofKind
    passed: bool
    at: datetime
    detail: str
    last_passed: datetime | None = None


class Standing(StrEnum):
    """What a kind of proof is worth now. `unrecorded`: none of this kind is known of the whole system, which says
    nothing against one runbook; `out_of_reach`: its checks cannot be tried alone."""

    GOOD = "good"
    FAILED = "failed"
    OLD = "old"
    CHANGED = "changed"
    NEVER = "never"
    UNRECORDED = "unrecorded"
    OUT_OF_REACH = "out_of_reach"

    @property
    def stale(self) -> bool:
        """Whether somebody should be warned."""
        match self:
            case Standing.FAILED | Standing.OLD | Standing.CHANGED | Standing.NEVER:
                return True
            case Standing.GOOD | Standing.UNRECORDED | Standing.OUT_OF_REACH:
                return False
            case _:
                assert_never(self)


@dataclass(frozen=True, slots=True)
class Stands:
    """One kind of proof of one runbook: when it was tried, when it last passed with any version, and what was said."""

    standing: Standing
    tried: datetime | None = None
    last_passed: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Proven:
    """How far a runbook is proven at a moment."""

    drill: Stands
    live: Stands
    now: datetime

    @property
    def stale(self) -> bool:
        """Whether one of the two should warn."""
        return self.drill.standing.stale or self.live.standing.stale

    @property
    def unrecorded(self) -> bool:
        """Whether nothing is known that speaks for or against it."""
        quiet = (Standing.UNRECORDED, Standing.OUT_OF_REACH)
        return self.drill.standing in quiet and self.live.standing in quiet


def proven(
    runbooks: Iterable[Runbook], lookups: Mapping[str, Lookups], proofs: Iterable[Proof], now: datetime
) -> dict[str, Proven]:
    """How far each of these runbooks is proven, by id. `proofs` are all that is known of their systems."""
    known = list(proofs)
    recorded = {(each.system, each.kind) for each in known}
    own: dict[tuple[str, ProofKind], list[Proof]] = {}
    for each in known:
        own.setdefault((each.runbook, each.kind), []).append(each)

    def stands(runbook: Runbook, kind: ProofKind) -> Stands:
        tries = own.get((runbook.id, kind), [])
        return _stands(runbook.version, tries, kind, now, (runbook.system, kind) in recorded)

    found = {}
    for runbook in runbooks:
        why = out_of_reach(runbook, lookups.get(runbook.system, Lookups()))
        live = Stands(Standing.OUT_OF_REACH, detail=why) if why else stands(runbook, ProofKind.LIVE)
        found[runbook.id] = Proven(stands(runbook, ProofKind.DRILL), live, now)
    return found


def out_of_reach(runbook: Runbook, lookups: Lookups) -> str:
    """Why a runbook's checks cannot be tried without a person, in a few words; "" when they can."""
    if all(check.kind in ASKING for check in runbook.checks.values()):
        return "it has no checks that look by themselves"
    probed = {each.name for each in (*runbook.inputs, *lookups.inputs) if each.probe is not None}
    lacking = [each.name for each in runbook.inputs if each.required and each.default is None]
    lacking = [name for name in lacking if name not in probed]
    return f"no probe is declared for {', '.join(lacking)}" if lacking else ""


def _stands(version: str, tries: list[Proof], kind: ProofKind, now: datetime, recorded: bool) -> Stands:
    """What the tries of one kind say of this version."""
    passed = max((each.last_passed for each in tries if each.last_passed is not None), default=None)
    current = next((each for each in tries if each.version == version), None)
    if current is not None and not current.passed:
        return Stands(Standing.FAILED, current.at, passed, current.detail)
    if current is not None:
        standing = Standing.GOOD if now - current.at <= GOOD_FOR[kind] else Standing.OLD
        return Stands(standing, current.at, current.at, current.detail)
    if passed is not None:
        return Stands(Standing.CHANGED, passed, passed)
    return Stands(Standing.NEVER if recorded else Standing.UNRECORDED)
