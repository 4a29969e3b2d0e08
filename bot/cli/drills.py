"""Drills as data beside their runbooks, and the report of how they went.

A drill is one branch in `runbooks/<system>/drills/<ID>.yaml`: the fault that is planted, the findings that must be
said, what people do in turn, and what must be true in the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from bot.domain.proof import Proof, ProofKind
from bot.errors import Mistake

DRILLS = "drills"
SHIPPED = Path(__file__).resolve().parents[2] / "runbooks"
FOUND = "diagnosed"
HEALTHY = "healthy"


@dataclass(frozen=True, slots=True)
class Drill:
    """One branch of one runbook, to be played; `triage` is the runbook that triage must rank first, or `nothing`."""

    system: str
    runbook: str
    branch: str
    fault: str
    inputs: Mapping[str, str]
    findings: Sequence[str]
    play: Sequence[Mapping[str, Any]]
    expect: Mapping[str, Any]
    triage: str | None = None


@dataclass(frozen=True, slots=True)
class Played:
    """How a drill went: what differed from what was expected, how long each stage took, in seconds, which findings held
    and which actions were asked for on the way, and with which version of the runbook."""

    system: str
    runbook: str
    branch: str
    differences: tuple[str, ...]
    stages: Mapping[str, float]
    target: float
    held: tuple[str, ...] = ()
    acted: tuple[str, ...] = ()
    version: str = ""

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.differences

    @property
    def fixed_after(self) -> float | None:
        """Seconds from the command to the end, where something was approved on the way."""
        approved = any(stage.startswith("approve") for stage in self.stages)
        return sum(self.stages.values()) if approved else None

    def data(self) -> dict[str, Any]:
        """The drill for machines."""
        return {**asdict(self), "passed": self.passed}

    def text(self) -> str:
        """The drill for a terminal."""
        stages = " · ".join(f"{stage} {seconds * 1000:,.0f} ms" for stage, seconds in self.stages.items())
        lines = [f"{'ok  ' if self.passed else 'BAD '} {self.runbook} {self.branch}: {stages}"]
        return "\n".join([*lines, *(f"       {difference}" for difference in self.differences)])


@dataclass(frozen=True, slots=True)
class Report:
    """The drills of one call; `wanted` is how many there should be, `branches` how many each runbook has, `at` when the
    last had ended, and `undrilled` has a sentence for each part of the runbooks that no drill plays, where they were
    drilled whole."""

    played: tuple[Played, ...]
    wanted: int
    branches: Mapping[str, int]
    at: datetime
    undrilled: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every drill was played and was as expected, there was one, and no part was left out."""
        return 0 < len(self.played) == self.wanted and all(each.passed for each in self.played) and not self.undrilled

    def data(self) -> dict[str, Any]:
        """The report for machines; `runbook prove` takes it in."""
        proofs = [
            {
                "runbook": each.runbook,
                "system": each.system,
                "version": each.version,
                "passed": each.passed,
                "at": each.at.isoformat(),
                "detail": each.detail,
            }
            for each in self.proofs()
        ]
        drills = [each.data() for each in self.played]
        return {"passed": self.passed, "undrilled": list(self.undrilled), "proofs": proofs, "drills": drills}

    def proofs(self) -> list[Proof]:
        """What was proven: how each runbook fared of which every branch was played, all with one version."""
        found = []
        for runbook in dict.fromkeys(each.runbook for each in self.played):
            own = [each for each in self.played if each.runbook == runbook]
            versions = {each.version for each in own}
            if len({each.branch for each in own}) != self.branches[runbook] or len(versions) != 1:
                continue
            bad = [each.branch for each in own if not each.passed]
            said = f"{len(own) - len(bad)} of {len(own)} branches as expected"
            said += f", not {', '.join(bad[:3])}{' and others' if len(bad) > 3 else ''}" if bad else ""
            left = sum(each.startswith(f"{runbook}: ") for each in self.undrilled)
            said += f"; {left} of its parts in no drill" if left else ""
            (version,) = versions
            found.append(Proof(runbook, own[0].system, version, ProofKind.DRILL, not bad, self.at, said))
        return found

    def table(self) -> str:
        """A line a system: how many runbooks and branches, how many as expected, and the times, middle and longest."""
        rows = [("system", "runbooks", "branches", "passed", "time to finding", "time to fix")]
        for system in sorted({each.system for each in self.played}):
            own = [each for each in self.played if each.system == system]
            rows.append(
                (
                    system,
                    str(len({each.runbook for each in own})),
                    str(len(own)),
                    str(sum(each.passed for each in own)),
                    _times([each.stages[FOUND] for each in own if FOUND in each.stages]),
                    _times([spent for each in own if (spent := each.fixed_after) is not None]),
                )
            )
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        bad = [f"BAD  {each.runbook} {each.branch}" for each in self.played if not each.passed]
        good = sum(each.passed for each in self.played)
        return "\n".join([*lines, *bad, *self.undrilled, f"{good} of {self.wanted} branches as expected."])


def _times(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.1f} s, at most {max(seconds):.1f} s" if seconds else "–"


def drills_of(ids: Sequence[str], *, every: bool = False, branch: str = "", root: Path = SHIPPED) -> list[Drill]:
    """The drills of these runbooks. Raises `Mistake` for a runbook or branch without any."""
    found = []
    for path in sorted(root.glob(f"*/{DRILLS}/*.yaml")):
        if every or path.stem in {id.upper() for id in ids}:
            found += [
                _drill(path.parts[-3], path.stem, name, plan) for name, plan in yaml.safe_load(path.read_text()).items()
            ]
    missing = {id.upper() for id in ids} - {each.runbook for each in found}
    if missing:
        raise Mistake(f"There are no drills for {', '.join(sorted(missing))}.")
    chosen = [each for each in found if branch in ("", each.branch)]
    if not chosen:
        raise Mistake(f"There is no branch «{branch}».", hint=f"Branches: {', '.join(each.branch for each in found)}.")
    return chosen


def shared(drills: Sequence[Drill], share: str) -> list[Drill]:
    """One share of the drills: "2/3" is every third, from the second on. Raises `Mistake`."""
    part, _, parts = share.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 0 < int(part) <= int(parts)):
        raise Mistake(f"«{share}» is no share.", hint="Write 1/2 and 2/2.")
    return list(drills[int(part) - 1 :: int(parts)])


def played_from(data: Mapping[str, Any]) -> Played:
    """The inverse of `Played.data`."""
    kept = {name: value for name, value in data.items() if name != "passed"}
    return Played(**{**kept, **{name: tuple(kept[name]) for name in ("differences", "held", "acted")}})


def undrilled(played: Sequence[Played], drills: Sequence[Drill], root: Path = SHIPPED) -> tuple[str, ...]:
    """What no drill plays of the runbooks that these drills are of: findings, actions, the healthy system, triage."""
    said = []
    for path in sorted(root.glob(f"*/{DRILLS}/*.yaml")):
        own = [each for each in played if each.runbook == path.stem]
        if not own:
            continue
        plans = [each for each in drills if each.runbook == path.stem]
        about = yaml.safe_load((path.parents[1] / path.name).read_text())
        for part, seen in (("findings", "held"), ("actions", "acted")):
            known = {key for each in own for key in getattr(each, seen)}
            said += [f"{path.stem}: no drill plays {part}.{key}" for key in about.get(part) or () if key not in known]
        if about.get("findings") and not any(each.fault == HEALTHY for each in plans):
            said.append(f"{path.stem}: no drill plays a healthy system")
        if _found_by_triage(path, about) and not any(each.triage == path.stem for each in plans):
            said.append(f"{path.stem}: no drill says that triage ranks it first")
    return tuple(said)


def never_drilled(root: Path = SHIPPED) -> tuple[str, ...]:
    """A sentence for each runbook that has no drills at all."""
    beside = {
        "system.yaml",
        "triage.yaml",
        *(f"{each}.yaml" for each in ("monitors", "calendar", "escalation", "alerts")),
    }
    runbooks = [path for path in sorted(root.glob("*/*.yaml")) if path.name not in beside]
    return tuple(f"{path.stem}: has no drills" for path in runbooks if not (path.parent / DRILLS / path.name).is_file())


def _found_by_triage(path: Path, about: Mapping[str, Any]) -> bool:
    """Whether triage tries the runbook: it says a symptom, and its system can know every input that it needs."""
    file = path.parents[1] / "triage.yaml"
    known = (yaml.safe_load(file.read_text()).get("inputs") or {}) if file.is_file() else {}
    needed = [
        name
        for name, each in (about.get("inputs") or {}).items()
        if (each or {}).get("required", True) and (each or {}).get("default") is None
    ]
    return about.get("triage", True) and bool(about.get("findings")) and all(name in known for name in needed)


def _drill(system: str, runbook: str, branch: str, plan: Mapping[str, Any]) -> Drill:
    return Drill(
        system,
        runbook,
        branch,
        str(plan["fault"]),
        plan.get("inputs", {}),
        plan.get("findings", ()),
        plan.get("play", ()),
        plan.get("expect", {}),
        plan.get("triage"),
    )
