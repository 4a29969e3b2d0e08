"""What a worker has to do next for a run: one pure function, so that any replica decides the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from bot.domain.run import ActionStatus, CheckStatus, Run, RunState


@dataclass(frozen=True, slots=True)
class Diagnose:
    """Run the checks that are pending."""


@dataclass(frozen=True, slots=True)
class Conclude:
    """Every check that can has ended: draw the findings."""


@dataclass(frozen=True, slots=True)
class MakePreview:
    """Preview the action and ask for approval."""

    action: str


@dataclass(frozen=True, slots=True)
class Expire:
    """The request's time is over."""

    action: str
    request: str


@dataclass(frozen=True, slots=True)
class Nudge:
    """Nobody has decided: remind those who may."""

    action: str
    request: str


@dataclass(frozen=True, slots=True)
class Act:
    """Approved: check again, then do it."""

    action: str


@dataclass(frozen=True, slots=True)
class Settle:
    """An act was interrupted: find out what became of it."""

    action: str


@dataclass(frozen=True, slots=True)
class LookAgain:
    """A verification or a wait is due."""

    action: str
    verifying: bool


@dataclass(frozen=True, slots=True)
class Sleep:
    """Nothing to do before `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing to do until a person does something."""


Task: TypeAlias = Diagnose | Conclude | MakePreview | Expire | Nudge | Act | Settle | LookAgain | Sleep | Nothing


def runnable(run: Run, needs: dict[str, frozenset[str]]) -> tuple[str, ...]:
    """The pending checks whose needs have all ended; a check behind an unanswered question waits."""
    ended = {key for key, check in run.checks.items() if check.status.ended}
    pending = (key for key, check in run.checks.items() if check.status is CheckStatus.PENDING)
    return tuple(key for key in pending if needs.get(key, frozenset()) & set(run.checks) <= ended)


def next_task(run: Run, needs: dict[str, frozenset[str]], now: datetime) -> Task:  # noqa: PLR0911 - one arm a task
    """The one thing to do now. `needs` are the edges of the runbook's checks."""
    if run.state.final or run.state is RunState.PARKED:
        return Nothing()
    if run.state in (RunState.REQUESTED, RunState.DIAGNOSING):
        return Diagnose() if runnable(run, needs) else Conclude()
    action = run.current
    if action is None:
        return Nothing()
    match action.status:
        case ActionStatus.PREVIEWING:
            return MakePreview(action.key)
        case ActionStatus.REQUESTED if action.request is not None and action.due is not None:
            if now >= (action.deadline or action.due):
                return Expire(action.key, action.request)
            return Nudge(action.key, action.request) if now >= action.due else Sleep(action.due)
        case ActionStatus.APPROVED:
            return Sleep(action.due) if action.due is not None and now < action.due else Act(action.key)
        case ActionStatus.ACTING:
            return Settle(action.key)
        case ActionStatus.VERIFYING | ActionStatus.WAITING if action.due is not None:
            if now < action.due:
                return Sleep(action.due)
            return LookAgain(action.key, verifying=action.status is ActionStatus.VERIFYING)
        case _:
            return Nothing()


def due_at(run: Run, now: datetime) -> datetime | None:
    """When a worker is wanted for this run: at once, at a time, or None while only a person can go on."""
    if run.state.final or run.state is RunState.PARKED:
        return None
    if run.state in (RunState.REQUESTED, RunState.DIAGNOSING):
        return now
    action = run.current
    if action is None:
        return None
    at_once = (ActionStatus.PREVIEWING, ActionStatus.APPROVED, ActionStatus.ACTING)
    return action.due or now if action.status in at_once else action.due
