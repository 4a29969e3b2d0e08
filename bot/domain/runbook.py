"""What a runbook says, after reading: frozen data that authoring builds and every other room reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from bot.domain.policy import ApprovalPolicy


class Severity(StrEnum):
    """How bad it is; P0 is the worst. The system file says what each means and how fast it must be answered."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class Effect(StrEnum):
    """What a step does to the world outside the bot."""

    NONE = "none"
    READ = "read"
    WRITE = "write"


# The kinds whose checks wait for people; whatever looks by itself leaves them out.
ASKING = frozenset({"ask", "checklist", "manual"})


class Section(StrEnum):
    """Where a step stands in its runbook; checks look, actions change."""

    CHECKS = "checks"
    ACTIONS = "actions"


class InputType(StrEnum):
    """The types an input may have; each is validated before anything runs."""

    TEXT = "text"
    UUID = "uuid"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    EMAIL = "email"
    URL = "url"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True)
class Probe:
    """What stands in for an input where nobody types one: a value as it would be typed, or the environment variable
    that holds it."""

    value: str = ""
    env: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """One typed parameter of a runbook or one field of a question's form. Its `probe` is what the nightly canary tries
    the checks with."""

    name: str
    type: InputType
    label: str
    help: str = ""
    required: bool = True
    default: Any = None
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    probe: Probe | None = None


class ChartKind(StrEnum):
    """How figures are drawn: bars for a distribution, a line for a trend."""

    BAR = "bar"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of a check's rows: `labels` are the columns that name a row, `values` those that are drawn, a series
    each."""

    kind: ChartKind
    labels: tuple[str, ...]
    values: tuple[str, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A step that looks and never changes anything; its result is a fact under `key`.

    `needs` are the keys of the checks whose facts its templates, expressions and condition read: the graph's edges.
    """

    key: str
    title: str
    kind: str
    spec: Mapping[str, Any]
    needs: frozenset[str] = frozenset()
    when: str | None = None
    timeout: timedelta = timedelta(seconds=15)
    chart: Chart | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition over facts, the sentence a person should read, and the actions it proposes, in order; `together` when
    one vote decides on all of them."""

    key: str
    when: str
    say: str
    propose: tuple[str, ...] = ()
    together: bool = False
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class UndoRule:
    """How an action is taken back: `automatic` from the before-image, by another `action`, or not, with a reason."""

    automatic: bool = False
    action: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """A step that changes something; gated, previewed, verified and, where possible, undone.

    `evidence` are the checks that justify it: after the deciding vote those older than `fresh_for` are read again.
    `verify` is an expression over facts that must come to hold within `verify_within`, and `verify_needs` the checks it
    reads. `lock` is a template naming the target that only one run may act on at a time, and that a voter may have to
    type. Only what changes nothing outside the bot is not `gated`.
    """

    key: str
    title: str
    kind: str
    spec: Mapping[str, Any]
    policy: ApprovalPolicy
    needs: frozenset[str] = frozenset()
    when: str | None = None
    evidence: tuple[str, ...] = ()
    fresh_for: timedelta = timedelta(0)
    verify: str | None = None
    verify_needs: frozenset[str] = frozenset()
    verify_within: timedelta = timedelta(seconds=30)
    undo: UndoRule = UndoRule()
    lock: str | None = None
    critical: bool = False
    gated: bool = True
    timeout: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Runbook:
    """One version of one runbook, resolved against its system; `version` is the hash of both documents. Without
    `triage` it is a procedure, which fits no symptom and is only started by hand."""

    id: str
    title: str
    system: str
    version: str
    severity: Severity
    resolve_within: timedelta
    summary: str = ""
    symptoms: tuple[str, ...] = ()
    triage: bool = True
    inputs: tuple[Input, ...] = ()
    checks: Mapping[str, Check] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    actions: Mapping[str, Action] = field(default_factory=dict)
    follow_ups: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    source: str = ""

    def input(self, name: str) -> Input | None:
        """The input of that name, if the runbook has one."""
        return next((each for each in self.inputs if each.name == name), None)
