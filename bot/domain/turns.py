"""What every move of a run is made of: the refusal of one that comes out of turn, and the small changes they share."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from bot.domain.events import BOT, Event, Happened
from bot.domain.run import ActionRun, ActionStatus, Run
from bot.errors import Refusal

Step: TypeAlias = tuple[Run, tuple[Event, ...]]


class OutOfTurn(Refusal):
    """The outcome does not fit where the run stands: somebody was faster, or the message is old."""


def next_in_plan(run: Run) -> Run:
    """The first action of the plan that is still open is previewed; the others wait their turn."""
    actions = dict(run.actions)
    first = True
    for key in run.plan:
        action = actions[key]
        if action.status in (ActionStatus.OFFERED, ActionStatus.QUEUED):
            actions[key] = replace(action, status=ActionStatus.PREVIEWING if first else ActionStatus.QUEUED)
            first = False
    return replace(run, actions=actions)


def expect(run: Run, key: str, *statuses: ActionStatus) -> ActionRun:
    """The action, if it has one of these statuses. Raises `OutOfTurn`."""
    action = run.actions.get(key)
    if action is None or action.status not in statuses:
        stands = "not part of this run" if action is None else f"already {action.status}"
        raise OutOfTurn(f"This action is {stands}.")
    return action


def with_action(run: Run, key: str, **changes: object) -> Run:
    """The run with one action changed."""
    return replace(run, actions={**run.actions, key: replace(run.actions[key], **changes)})  # type: ignore[arg-type]  # fields named by the callers above


def event_of(kind: Happened, action: str, **data: object) -> Event:
    """Something the bot did about an action."""
    return Event(kind, BOT, {"action": action, **data})
