"""The course of an incident as a picture: the stages of its runs, who did what when, and the line of its target."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.events import Happened
from bot.domain.incident import Incident
from bot.domain.timeline import Recorded
from bot.slack.views import spell
from bot.slack.views.charts import MAX_ALT
from bot.slack.views.text import clip, one_line

MOST_RUNS = 8
_LABEL, _TITLE = 22, 150
LOOKING, DECIDING, WAITING, CHANGING, VERIFYING = "looking", "deciding", "waiting for approval", "changing", "verifying"
STAGES = (LOOKING, DECIDING, WAITING, CHANGING, VERIFYING)
# What each event begins; "" ends the run.
_BEGINS: Mapping[str, str] = {
    Happened.RUN_REQUESTED: LOOKING,
    Happened.RUN_RECHECKED: LOOKING,
    Happened.FINDINGS_CONCLUDED: DECIDING,
    Happened.APPROVAL_REQUESTED: WAITING,
    Happened.APPROVAL_GRANTED: CHANGING,
    Happened.APPROVAL_DENIED: DECIDING,
    Happened.APPROVAL_EXPIRED: DECIDING,
    Happened.ACTION_DONE: VERIFYING,
    Happened.ACTION_FAILED: DECIDING,
    Happened.ACTION_VERIFIED: DECIDING,
    Happened.ACTION_UNVERIFIED: DECIDING,
    Happened.RUN_DONE: "",
    Happened.RUN_FAILED: "",
    Happened.RUN_CANCELLED: "",
}
_MARKS: Mapping[str, str] = {
    Happened.INCIDENT_ESCALATED: "called",
    Happened.INCIDENT_ACKNOWLEDGED: "on it",
    Happened.APPROVAL_GRANTED: "approved",
    Happened.GLASS_BROKEN: "glass broken",
    Happened.INCIDENT_REOPENED: "opened again",
}


class RecordedOfRun(Recorded, Protocol):
    """A line of the trail that may be about a run."""

    @property
    def run_id(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a lane, in minutes since the incident began."""

    stage: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Lane:
    """A run with its stages."""

    label: str
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """What is drawn: times are minutes since the incident began, `marks` are moments with their names."""

    title: str
    lanes: tuple[Lane, ...]
    marks: tuple[tuple[str, float], ...]
    length: float
    target: float
    note: str
    alt: str
    stages: tuple[str, ...] = STAGES
    kind: str = "course"

    def as_json(self) -> str:
        """The picture as it is given to the pen."""
        return json.dumps(asdict(self), ensure_ascii=True)

    @property
    def digest(self) -> str:
        """The same for the same picture."""
        return hashlib.sha256(self.as_json().encode()).hexdigest()[:16]


def course(incident: Incident, runs: Mapping[str, str], lines: Sequence[RecordedOfRun], now: datetime) -> Course:
    """The course of an incident; `runs` are what its runs are called, by id, in their order."""
    end = incident.resolved_at or now
    shown = list(runs)[:MOST_RUNS]

    def minutes(at: datetime) -> float:
        return round(max(0.0, (min(at, end) - incident.opened_at).total_seconds() / 60), 2)

    lanes = [Lane(clip(one_line(runs[id]), _LABEL), _stretches(id, lines, minutes, end)) for id in shown]
    marks = tuple((_MARKS[line.kind], minutes(line.at)) for line in lines if line.kind in _MARKS)
    left = len(runs) - len(shown)
    note = f"… and {spell.count(left, 'more run')}" if left else ""
    title = clip(one_line(f"{incident.label} {incident.title}"), _TITLE)
    target = round(incident.target.total_seconds() / 60, 2)
    drawn = Course(title, tuple(lanes), marks, minutes(end), target, note, "")
    return Course(title, tuple(lanes), marks, minutes(end), target, note, _alt(incident, drawn, now))


class _Minutes(Protocol):
    def __call__(self, at: datetime) -> float: ...


def _stretches(run: str, lines: Sequence[RecordedOfRun], minutes: _Minutes, end: datetime) -> tuple[Stretch, ...]:
    found: list[Stretch] = []
    stage, since = "", end
    for line in lines:
        begun = _BEGINS.get(line.kind)
        if line.run_id != run or begun is None or begun == stage:
            continue
        if stage:
            found.append(Stretch(stage, minutes(since), minutes(line.at)))
        stage, since = begun, line.at
    if stage:
        found.append(Stretch(stage, minutes(since), minutes(end)))
    return tuple(found)


def _alt(incident: Incident, drawn: Course, now: datetime) -> str:
    """The essential in words."""
    spent = spell.against((incident.resolved_at or now) - incident.opened_at, incident.target)
    said = [f"Course of {drawn.title}: {spent}."]
    for lane in drawn.lanes:
        stages = ", ".join(f"{each.stage} {_span(each.end - each.begin)}" for each in lane.stretches)
        said.append(f"{lane.label}: {stages}." if stages else f"{lane.label}.")
    said += [f"{name} at minute {at:.0f}." for name, at in drawn.marks]
    return clip(" ".join(said), MAX_ALT)


def _span(minutes: float) -> str:
    return f"{minutes:.0f} min" if minutes >= 1 else f"{minutes * 60:.0f} s"


def course_name(incident: Incident) -> str:
    """The name of its file."""
    return f"{incident.label}-course.png"
