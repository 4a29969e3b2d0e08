"""`monitors.yaml`, `calendar.yaml` and `escalation.yaml` as authors write them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from bot.authoring.document import Clock, Condition, Line, Name, Names, Part, RunbookId, Span, Text
from bot.domain.operations import Every
from bot.domain.runbook import Severity


def _day(value: object) -> object:
    return str(value) if isinstance(value, int) else value


Day = Annotated[
    str,
    BeforeValidator(_day),
    StringConstraints(max_length=20),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
]


class MonitorDoc(Part):
    """A monitor: a value over the checks with its thresholds, or the name of an alert that comes from elsewhere."""

    title: Line
    severity: Severity
    every: Span = timedelta(minutes=5)
    value: Condition | None = None
    unit: str = Field(default="", max_length=20)
    warn: Condition | None = None
    page: Condition | None = None
    hold: Span = timedelta(0)
    say: Text | None = None
    runbook: RunbookId | None = None
    inputs: dict[Name, Condition] = Field(default_factory=dict)
    alert: Line | None = None


class MonitorsDoc(Part):
    """What is watched in a system: checks, and monitors over what they find."""

    checks: dict[str, dict[str, Any]] = Field(default_factory=dict)
    monitors: dict[Name, MonitorDoc]
    notes: list[Text] = Field(default_factory=list)


class TurnDoc(Part):
    """When something comes round."""

    every: Every
    day: Day = ""
    at: Clock


class AppointmentDoc(TurnDoc):
    """A runbook that is started when its turn comes."""

    title: Line
    runbook: RunbookId
    inputs: dict[Name, str] = Field(default_factory=dict)
    remind_after: Span | None = None
    drill: bool = False


class WindowDoc(Part):
    """A maintenance window; one without `every` is opened by hand."""

    title: Line
    lasts: Span | None = None
    every: Every | None = None
    day: Day = ""
    at: Clock | None = None
    announce_before: Span = timedelta(0)
    announce: Name | None = None
    mutes: list[Name] = Field(default_factory=list)


class CalendarDoc(Part):
    """What comes round in a system, in the time of a zone."""

    zone: str
    appointments: dict[Name, AppointmentDoc] = Field(default_factory=dict)
    windows: dict[Name, WindowDoc] = Field(default_factory=dict)
    notes: list[Text] = Field(default_factory=list)


class RungDoc(Part):
    """Who is asked, and when."""

    to: Names
    after: Span = timedelta(0)


class LadderDoc(Part):
    """Who is asked in turn, by runbook or by severity."""

    title: Line
    severities: list[Severity] = Field(default_factory=list)
    runbooks: list[RunbookId] = Field(default_factory=list)
    rungs: Annotated[list[RungDoc], Field(min_length=1, max_length=10)]


class EscalationDoc(Part):
    """Who is asked next when nobody answers."""

    ladders: dict[Name, LadderDoc]
    notes: list[Text] = Field(default_factory=list)
