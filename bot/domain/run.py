"""A run: one execution of one runbook version. Data only; `advance` moves it.

requested → diagnosing → deciding → awaiting approval → acting → verifying → done
                 ↑___________|  ↑_________________________|________|
                                failed, cancelled, parked (in doubt: a person says what happened)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.domain.runbook import Severity


class RunState(StrEnum):
    """Where a run stands."""

    REQUESTED = "requested"
    DIAGNOSING = "diagnosing"
    DECIDING = "deciding"
    AWAITING_APPROVAL = "awaiting approval"
    ACTING = "acting"
    VERIFYING = "verifying"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PARKED = "parked"

    @property
    def final(self) -> bool:
        """Whether nothing more happens unless a person starts it again (undo, look again)."""
        return self in (RunState.DONE, RunState.FAILED, RunState.CANCELLED)


class CheckStatus(StrEnum):
    """Where one check of a run stands."""

    PENDING = "pending"
    ASKING = "asking"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def ended(self) -> bool:
        """Whether its fact is known."""
        return self in (CheckStatus.DONE, CheckStatus.FAILED, CheckStatus.SKIPPED)


class ActionStatus(StrEnum):
    """Where one action of a run stands."""

    OFFERED = "offered"
    QUEUED = "queued"
    PREVIEWING = "previewing"
    REQUESTED = "requested"
    APPROVED = "approved"
    ACTING = "acting"
    WAITING = "waiting"
    VERIFYING = "verifying"
    DONE = "done"
    UNVERIFIED = "unverified"
    FAILED = "failed"
    DENIED = "denied"
    EXPIRED = "expired"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"

    @property
    def busy(self) -> bool:
        """Whether it is the one action under way."""
        return self in _BUSY

    @property
    def effected(self) -> bool:
        """Whether its effect is known to have happened."""
        return self in (ActionStatus.DONE, ActionStatus.UNVERIFIED, ActionStatus.VERIFYING)


_BUSY = frozenset(
    {
        ActionStatus.PREVIEWING,
        ActionStatus.REQUESTED,
        ActionStatus.APPROVED,
        ActionStatus.ACTING,
        ActionStatus.WAITING,
        ActionStatus.VERIFYING,
        ActionStatus.UNKNOWN,
    }
)


@dataclass(frozen=True, slots=True)
class CheckRun:
    """How one check went: what the card shows without loading its fact. `changed` marks a difference to the last run
    of this runbook with these inputs; what `holds` has to be answered before the run ends."""

    key: str
    status: CheckStatus = CheckStatus.PENDING
    summary: str = ""
    error: str = ""
    duration: timedelta = timedelta(0)
    changed: str = ""
    answered_by: str = ""
    holds: bool = False


@dataclass(frozen=True, slots=True)
class ActionRun:
    """How one action goes. `request` is the approval request, `by` who asked, `reason` the last thing said about it,
    `due` when the worker looks again, `deadline` when it stops looking, `undo_of` the action it takes back, `edits`
    what a person changed in its text. `granted` says that the vote on an earlier action of the plan covers this one;
    `opens` and `closes` are the window that it is planned for, `askers` all who had a hand in asking for it, and
    `left_out_by` is the person who left it out, nobody when the bot did."""

    key: str
    status: ActionStatus = ActionStatus.OFFERED
    request: str | None = None
    by: str = ""
    reason: str = ""
    finding: str = ""
    due: datetime | None = None
    deadline: datetime | None = None
    undo_of: str = ""
    undone_by: str = ""
    headline: str = ""
    reversible: bool = False
    edits: Mapping[str, str] = field(default_factory=dict)
    granted: bool = False
    opens: datetime | None = None
    closes: datetime | None = None
    askers: tuple[str, ...] = ()
    left_out_by: str = ""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A finding that holds, with its sentence rendered over the facts, and over masked ones for a support run. What it
    proposes `together` is decided by one vote."""

    key: str
    say: str
    propose: tuple[str, ...] = ()
    together: bool = False
    masked: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of one runbook version with its inputs. Facts and requests are kept beside it, by key. `askers` are
    those who, beside who requested it, had a hand in its being started: by a step of another run. `support` says that
    it was started for support people: what they must not see is masked, and nothing is asked for by itself. A run lives
    in its incident's channel; one without an incident in the `channel` of its system, by name or id, "" where there
    is none, and `origin` is then the run that led to it, the first of them."""

    id: str
    number: int
    runbook: str
    version: str
    system: str
    title: str
    severity: Severity
    resolve_within: timedelta
    incident: str | None
    inputs: Mapping[str, Any]
    requested_by: str
    requested_at: datetime
    state: RunState = RunState.REQUESTED
    checks: Mapping[str, CheckRun] = field(default_factory=dict)
    conclusions: tuple[Conclusion, ...] = ()
    concluded: bool = False
    plan: tuple[str, ...] = ()
    together: bool = False
    actions: Mapping[str, ActionRun] = field(default_factory=dict)
    finished_at: datetime | None = None
    reason: str = ""
    askers: tuple[str, ...] = ()
    support: bool = False
    channel: str | None = None
    origin: str = ""

    @property
    def current(self) -> ActionRun | None:
        """The one action under way, if any."""
        return next((action for action in self.actions.values() if action.status.busy), None)

    @property
    def questions(self) -> tuple[CheckRun, ...]:
        """The checks that wait for a person's answer."""
        return tuple(check for check in self.checks.values() if check.status is CheckStatus.ASKING)
