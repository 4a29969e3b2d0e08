"""What every move of a run is made of: the refusal of one that comes out of turn, and the small changes they share."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from bot.domain.events import BOT, Event, Happened
from bot.domain.run import ActionRun, ActionStatus, Run, RunState
from bot.errors import Refusal

Step: TypeAlias = tuple[Run, tuple[Event, ...]]
_NOT_BEGUN = frozenset({ActionStatus.QUEUED, ActionStatus.APPROVED})


class OutOfTurn(Refusal):
    """The outcome does not fit where the run stands: somebody was faster, or the message is old."""


def planned(run: Run) -> Run:
    """The plan is what the first of the findings that have something on offer proposes."""
    for found in run.conclusions:
        plan = tuple(key for key in found.propose if run.actions[key].status is ActionStatus.OFFERED)
        if plan:
            return replace(run, plan=plan, together=found.together)
    return replace(run, plan=(), together=False)


def next_in_plan(run: Run) -> Run:
    """The first action of the plan that is still open comes next: it is previewed, or done if the vote before covers
    it; the others wait their turn. In a support run it is on offer, until somebody takes it up."""
    actions = dict(run.actions)
    state = run.state
    first = True
    for key in run.plan:
        action = actions[key]
        if action.status not in (ActionStatus.OFFERED, ActionStatus.QUEUED):
            continue
        if not first:
            actions[key] = replace(action, status=ActionStatus.QUEUED)
        elif action.granted:
            actions[key] = replace(action, status=ActionStatus.APPROVED, due=None)
            state = RunState.ACTING
        else:
            status = ActionStatus.OFFERED if run.support else ActionStatus.PREVIEWING
            actions[key] = replace(action, status=status)
        first = False
    return replace(run, state=state, actions=actions)


def ungranted(run: Run) -> Run:
    """The run when its plan did not go on as it was approved: what has not been done yet needs a vote of its own; what
    was done keeps the request that it was done under."""
    actions = {
        key: replace(action, granted=False, request=None if action.status in _NOT_BEGUN else action.request)
        if action.granted
        else action
        for key, action in run.actions.items()
    }
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
