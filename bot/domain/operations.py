"""What a system's people do by the clock: monitors, the calendar, maintenance windows and who is asked next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import StrEnum

from bot.domain.alert import Intake
from bot.domain.runbook import Check, Severity
from bot.domain.system import SecretRef


class Every(StrEnum):
    """How often something comes round."""

    DAY = "day"
    WEEKDAY = "weekday"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Monitor:
    """A value that is watched. `page` holds when somebody must be told, `warn` when somebody should look; both are
    expressions over the checks' facts and `value`, and `page` has to hold for `hold` before it counts.

    A monitor with `alert` is watched by another system, whose alert of that name arrives from outside. `runbook` is
    what is suggested, with `inputs` as expressions, and `say` a template of the sentence.
    """

    key: str
    title: str
    severity: Severity
    every: timedelta = timedelta(minutes=5)
    value: str = ""
    unit: str = ""
    warn: str | None = None
    page: str | None = None
    hold: timedelta = timedelta(0)
    say: str = ""
    runbook: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    alert: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """When something comes round: `day` is a weekday's name, "first sunday" or the like, or a day of the month; `at` is
    local time."""

    every: Every
    at: time
    day: str = ""


@dataclass(frozen=True, slots=True)
class Appointment:
    """A runbook, mostly a checklist, that is started when its turn comes; what is left of it after `remind_after` is
    asked for again. With `drill`, a runbook of the system is chosen for a fire drill beside it."""

    key: str
    title: str
    turn: Turn
    runbook: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    remind_after: timedelta | None = None
    drill: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time for maintenance, announced that long before with a template of the system; while it is open the
    monitors that `mutes` names, or all of them, page nobody. `turn` is None for one that is opened by hand."""

    key: str
    title: str
    lasts: timedelta | None = None
    turn: Turn | None = None
    announce_before: timedelta = timedelta(0)
    announce: str | None = None
    mutes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Calendar:
    """What comes round in a system, in the time of `zone`."""

    zone: str = "UTC"
    appointments: Mapping[str, Appointment] = field(default_factory=dict)
    windows: Mapping[str, Window] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rung:
    """Who is asked, contacts or groups of the system, when nobody has answered for `after` since the incident began."""

    to: tuple[str, ...]
    after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Ladder:
    """Who is asked in turn about incidents of these runbooks, or else of these severities."""

    key: str
    title: str
    rungs: tuple[Rung, ...]
    severities: tuple[Severity, ...] = ()
    runbooks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operations:
    """All of that for one system; `checks` are what its monitors look at, each once for all of them, and `notes` say
    what was decided where the sources are silent or contradict themselves."""

    checks: Mapping[str, Check] = field(default_factory=dict)
    monitors: Mapping[str, Monitor] = field(default_factory=dict)
    calendar: Calendar = Calendar()
    ladders: Mapping[str, Ladder] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    intake: Intake = Intake()


def variables_of(operations: Operations) -> set[SecretRef]:
    """The variables without which a system takes no alerts. Of two that replace each other one is enough."""
    sources = operations.intake.sources.values()
    return {refs[0] for refs in (operations.intake.stripe, *(each.tokens or each.secrets for each in sources)) if refs}
