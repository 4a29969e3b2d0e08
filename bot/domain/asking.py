"""How a run moves while an action is chosen, previewed, asked for and decided."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from bot.domain import outcomes as o
from bot.domain.approval import Choice, RequestState, Verdict
from bot.domain.events import Event, Happened
from bot.domain.run import ActionRun, ActionStatus, Run, RunState
from bot.domain.turns import OutOfTurn, Step, event_of, expect, ungranted, with_action

CHOOSABLE = frozenset(
    {
        ActionStatus.OFFERED,
        ActionStatus.QUEUED,
        ActionStatus.FAILED,
        ActionStatus.DENIED,
        ActionStatus.EXPIRED,
        ActionStatus.SKIPPED,
        ActionStatus.UNVERIFIED,
    }
)


def chosen(run: Run, outcome: o.Chosen) -> Step:
    """A person asks for an action, or for one to be taken back."""
    if run.current is not None:
        raise OutOfTurn(f"«{run.current.key}» is under way; one action at a time.")
    if run.state in (RunState.CANCELLED, RunState.PARKED):
        raise OutOfTurn(f"This run is {run.state}.")
    action = run.actions.get(outcome.key)
    if outcome.undo_of:
        undone = run.actions.get(outcome.undo_of)
        if undone is None or not undone.status.effected or undone.undone_by:
            raise OutOfTurn("There is nothing to take back.")
        action = ActionRun(outcome.key, undo_of=outcome.undo_of)
    elif action is not None and action.status not in CHOOSABLE:
        raise OutOfTurn(f"This action is already {action.status}.")
    fresh = {
        "status": ActionStatus.PREVIEWING,
        "by": outcome.by,
        "reason": "",
        "due": None,
        "opens": None,
        "left_out_by": "",
    }
    action = action or ActionRun(outcome.key)
    asked = replace(action, **fresh, closes=None, askers=_with(action, outcome.by))  # type: ignore[arg-type]  # fields of several types
    plan = run.plan if outcome.key in run.plan else ()
    run = ungranted(run)
    run = replace(
        run, actions={**run.actions, outcome.key: asked}, plan=plan, state=RunState.DECIDING, finished_at=None
    )
    return run, (Event(Happened.ACTION_CHOSEN, outcome.by, {"action": outcome.key, "undo_of": outcome.undo_of}),)


def previewed(run: Run, outcome: o.Previewed) -> Step:
    """Approval is asked for, maybe for the next actions of the plan too."""
    expect(run, outcome.key, ActionStatus.PREVIEWING)
    for key in outcome.also:
        expect(run, key, ActionStatus.QUEUED)
        run = with_action(run, key, request=outcome.request)
    run = with_action(
        run,
        outcome.key,
        status=ActionStatus.REQUESTED,
        request=outcome.request,
        headline=outcome.headline,
        reversible=outcome.reversible,
        due=outcome.nudge_at or outcome.expires_at,
        deadline=outcome.expires_at,
    )
    data = {"request": outcome.request, "headline": outcome.headline, "also": list(outcome.also)}
    return replace(run, state=RunState.AWAITING_APPROVAL), (event_of(Happened.APPROVAL_REQUESTED, outcome.key, **data),)


def ungated(run: Run, outcome: o.Ungated) -> Step:
    """What changes nothing outside the bot goes ahead."""
    expect(run, outcome.key, ActionStatus.PREVIEWING)
    run = with_action(run, outcome.key, status=ActionStatus.APPROVED, headline=outcome.headline, due=None)
    return replace(run, state=RunState.ACTING), ()


def edited(run: Run, outcome: o.Edited) -> Step:
    """The words of a message are changed; it is asked for anew."""
    expect(run, outcome.key, ActionStatus.REQUESTED)
    edits = {**run.actions[outcome.key].edits, **outcome.edits}
    askers = _with(run.actions[outcome.key], outcome.by)
    run = _asked_anew(run, outcome.key, by=outcome.by, edits=edits, askers=askers)
    return run, (Event(Happened.ACTION_EDITED, outcome.by, {"action": outcome.key, **outcome.edits}),)


def scheduled(run: Run, outcome: o.Scheduled) -> Step:
    """The action is wanted in a window; it is asked for anew, for that window only."""
    askers = _with(expect(run, outcome.key, ActionStatus.REQUESTED), outcome.by)
    run = _asked_anew(run, outcome.key, by=outcome.by, askers=askers, opens=outcome.opens, closes=outcome.closes)
    window = {"opens": f"{outcome.opens:%Y-%m-%d %H:%M %Z}", "closes": f"{outcome.closes:%Y-%m-%d %H:%M %Z}"}
    data = {"action": outcome.key, **window}
    return run, (Event(Happened.ACTION_SCHEDULED, outcome.by, data),)


def nudged(run: Run, outcome: o.Nudged) -> Step:
    """Somebody was reminded; the request goes on waiting."""
    expect(run, outcome.key, ActionStatus.REQUESTED)
    run = with_action(run, outcome.key, due=outcome.next)
    return run, (event_of(Happened.APPROVAL_NUDGED, outcome.key, backup=outcome.backup),)


def decided(run: Run, outcome: o.Decided) -> Step:
    """The votes amount to something final."""
    action = expect(run, outcome.key, ActionStatus.REQUESTED)
    verdict = outcome.verdict
    match verdict.state:
        case RequestState.APPROVED:
            return _granted(run, action, verdict)
        case RequestState.DENIED:
            return _refused(run, outcome.key, ActionStatus.DENIED, Happened.APPROVAL_DENIED, verdict)
        case RequestState.EXPIRED:
            return _refused(run, outcome.key, ActionStatus.EXPIRED, Happened.APPROVAL_EXPIRED, verdict)
        case RequestState.PENDING | RequestState.VOIDED | RequestState.WITHDRAWN:
            raise OutOfTurn("The votes do not decide anything yet.")
        case _:
            assert_never(verdict.state)


def voided(run: Run, outcome: o.Voided) -> Step:
    """What was approved is not what would be done."""
    expect(run, outcome.key, ActionStatus.REQUESTED, ActionStatus.APPROVED, ActionStatus.ACTING)
    event = event_of(Happened.APPROVAL_VOIDED, outcome.key, reason=outcome.reason)
    if outcome.again:
        return _asked_anew(run, outcome.key, reason=outcome.reason), (event,)
    run = with_action(_unasked(run), outcome.key, status=ActionStatus.FAILED, reason=outcome.reason, due=None)
    return replace(run, state=RunState.DECIDING), (event,)


def _granted(run: Run, action: ActionRun, verdict: Verdict) -> Step:
    for key, each in run.actions.items():
        if each.request == action.request and each.status is ActionStatus.QUEUED:
            run = with_action(run, key, granted=True)
    run = with_action(run, action.key, status=ActionStatus.APPROVED, due=action.opens, deadline=None)
    event = event_of(Happened.APPROVAL_GRANTED, action.key, by=[vote.person.id for vote in verdict.counted])
    events: tuple[Event, ...] = (event,)
    broken = next((vote for vote in verdict.counted if vote.choice is Choice.BREAK_GLASS), None)
    if broken is not None:
        data = {"action": action.key, "reason": broken.reason}
        events = (Event(Happened.GLASS_BROKEN, broken.person.id, data), event)
    state = RunState.ACTING if action.opens is None else RunState.AWAITING_APPROVAL
    return replace(run, state=state), events


def _refused(run: Run, key: str, status: ActionStatus, kind: Happened, verdict: Verdict) -> Step:
    reason = " ".join(verdict.reasons)
    run = with_action(_unasked(run), key, status=status, reason=reason, due=None)
    return replace(run, state=RunState.DECIDING), (event_of(kind, key, reason=reason),)


def _with(action: ActionRun, by: str) -> tuple[str, ...]:
    """Everybody who has had a hand in asking for an action; somebody else's second request frees nobody to vote."""
    return tuple(dict.fromkeys([*action.askers, by]))


def _asked_anew(run: Run, key: str, **changes: object) -> Run:
    run = with_action(_unasked(run), key, status=ActionStatus.PREVIEWING, due=None, deadline=None, **changes)
    return replace(run, state=RunState.DECIDING)


def _unasked(run: Run) -> Run:
    """The plan behind the action under way was part of its request; it waits for a new one."""
    actions = {
        key: replace(action, request=None) if action.status is ActionStatus.QUEUED else action
        for key, action in run.actions.items()
    }
    return ungranted(replace(run, actions=actions))
