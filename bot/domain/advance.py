"""The state machine of a run: `advance(run, outcome, now)` gives the run that follows and what happened.

Nothing else moves a run. An outcome that does not fit where the run stands raises `OutOfTurn` with a sentence, so a
stale click or a late worker can never push a run somewhere illegal.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from bot.domain import asking
from bot.domain import outcomes as o
from bot.domain.events import BOT, Event, Happened
from bot.domain.looking import check_ended, concluded, question_asked, recheck, ticked
from bot.domain.run import ActionStatus, Run, RunState
from bot.domain.turns import OutOfTurn, Step, event_of, expect, next_in_plan, planned, ungranted, with_action

_STOPPABLE = frozenset({ActionStatus.PREVIEWING, ActionStatus.REQUESTED, ActionStatus.WAITING})
_HALTED = frozenset({ActionStatus.FAILED, ActionStatus.DENIED, ActionStatus.EXPIRED, ActionStatus.UNVERIFIED})
_UNSTOPPABLE = frozenset({ActionStatus.APPROVED, ActionStatus.ACTING, ActionStatus.UNKNOWN})


def advance(run: Run, outcome: o.RunOutcome, now: datetime) -> Step:
    """The run after `outcome`, and the events to record. Pure and deterministic; raises `OutOfTurn`."""
    run, events = _arm(run, outcome, now)
    if run.state is RunState.DECIDING and run.current is None and not run.concluded:
        # An answer came while an action was under way, or one was chosen before all was looked at.
        run = replace(run, state=RunState.DIAGNOSING)
    return run, events


def _arm(run: Run, outcome: o.RunOutcome, now: datetime) -> Step:  # noqa: C901, PLR0911, PLR0912 - one arm an outcome
    match outcome:
        case o.CheckEnded():
            return check_ended(run, outcome)
        case o.QuestionAsked():
            return question_asked(run, outcome)
        case o.Ticked():
            return ticked(run, outcome)
        case o.Concluded():
            return concluded(run, outcome)
        case o.Restated():
            fresh = {conclusion.key: conclusion for conclusion in outcome.conclusions}
            return replace(run, conclusions=tuple(fresh.get(each.key, each) for each in run.conclusions)), ()
        case o.Recheck():
            return recheck(run, outcome)
        case o.Chosen():
            return asking.chosen(run, outcome)
        case o.Previewed():
            return asking.previewed(run, outcome)
        case o.Ungated():
            return asking.ungated(run, outcome)
        case o.NotNeeded():
            return _not_needed(run, outcome, now)
        case o.NotPreviewed():
            return _stopped(run, outcome.key, outcome.reason, (ActionStatus.PREVIEWING,))
        case o.Edited():
            return asking.edited(run, outcome)
        case o.Scheduled():
            return asking.scheduled(run, outcome)
        case o.Nudged():
            return asking.nudged(run, outcome)
        case o.Decided():
            return asking.decided(run, outcome)
        case o.Voided():
            return asking.voided(run, outcome)
        case o.Intended():
            expect(run, outcome.key, ActionStatus.APPROVED)
            run = with_action(run, outcome.key, status=ActionStatus.ACTING)
            return replace(run, state=RunState.ACTING), (event_of(Happened.ACTION_INTENDED, outcome.key),)
        case o.Effected():
            expect(run, outcome.key, ActionStatus.ACTING)
            data = {"headline": outcome.receipt.headline, "counts": dict(outcome.receipt.counts)}
            run = with_action(run, outcome.key, headline=outcome.receipt.headline)
            return _after_effect(run, outcome.key, event_of(Happened.ACTION_DONE, outcome.key, **data), outcome, now)
        case o.NotEffected():
            return _stopped(run, outcome.key, outcome.reason, (ActionStatus.APPROVED, ActionStatus.ACTING))
        case o.Doubted():
            expect(run, outcome.key, ActionStatus.ACTING)
            run = with_action(ungranted(run), outcome.key, status=ActionStatus.UNKNOWN, reason=outcome.why, due=None)
            event = event_of(Happened.ACTION_IN_DOUBT, outcome.key, why=outcome.why)
            return replace(run, state=RunState.PARKED, reason=outcome.why), (event,)
        case o.WaitsFor():
            return _waits(run, outcome)
        case o.Looked():
            return _looked(run, outcome, now)
        case o.LookNow():
            return _look_now(run, outcome, now)
        case o.Settled():
            return _settled(run, outcome, now)
        case o.Reported():
            if expect(run, outcome.key, ActionStatus.WAITING).due is not None:
                raise OutOfTurn("This waits for its condition, not for a person to report.")
            run = with_action(run, outcome.key, reason=outcome.note)
            event = Event(Happened.ACTION_DONE, outcome.by, {"action": outcome.key, "note": outcome.note})
            return _after_effect(run, outcome.key, event, outcome, now)
        case o.Skipped():
            return _skipped(run, outcome, now)
        case o.Closed():
            return _closed(run, outcome, now)
        case o.Cancelled():
            return _cancelled(run, outcome, now)
        case o.Broke():
            if run.state.final:
                raise OutOfTurn(f"This run is already {run.state}.")
            run = replace(run, state=RunState.PARKED, reason=f"The bot itself failed (reference {outcome.reference}).")
            return run, (Event(Happened.RUN_PARKED, BOT, {"reference": outcome.reference}),)
        case _:
            assert_never(outcome)


# -- acting and verifying ----------------------------------------------------------------------------------------------


def _after_effect(run: Run, key: str, event: Event, outcome: o.Effected | o.Reported, now: datetime) -> Step:
    undone = run.actions[key].undo_of
    if undone:
        run = with_action(run, undone, undone_by=key)
    if outcome.verify_within is None:
        run = with_action(run, key, status=ActionStatus.DONE, due=None)
        return _finish_action(run, key, (event,), now)
    run = with_action(run, key, status=ActionStatus.VERIFYING, due=now, deadline=now + outcome.verify_within)
    return replace(run, state=RunState.VERIFYING), (event,)


def _waits(run: Run, outcome: o.WaitsFor) -> Step:
    expect(run, outcome.key, ActionStatus.ACTING)
    changes = {"status": ActionStatus.WAITING, "reason": outcome.what, "due": outcome.due, "deadline": outcome.deadline}
    run = replace(run, actions={**run.actions, outcome.key: replace(run.actions[outcome.key], **changes)})  # type: ignore[arg-type]  # one dict of several field types
    return run, (event_of(Happened.ACTION_WAITING, outcome.key, what=outcome.what),)


def _looked(run: Run, outcome: o.Looked, now: datetime) -> Step:
    action = expect(run, outcome.key, ActionStatus.VERIFYING, ActionStatus.WAITING)
    if outcome.holds:
        run = with_action(run, outcome.key, status=ActionStatus.DONE, due=None)
        return _finish_action(run, outcome.key, (event_of(Happened.ACTION_VERIFIED, outcome.key),), now)
    if action.deadline is not None and now < action.deadline:
        return with_action(run, outcome.key, due=min(outcome.due, action.deadline)), ()
    waited = action.status is ActionStatus.WAITING
    status = ActionStatus.EXPIRED if waited else ActionStatus.UNVERIFIED
    reason = outcome.why or (
        "It did not come about in time." if waited else "The check after the change did not come to hold."
    )
    run = with_action(ungranted(run), outcome.key, status=status, reason=reason, due=None)
    return replace(run, state=RunState.DECIDING), (event_of(Happened.ACTION_UNVERIFIED, outcome.key, reason=reason),)


def _look_now(run: Run, outcome: o.LookNow, now: datetime) -> Step:
    lookable = (ActionStatus.VERIFYING, ActionStatus.WAITING, ActionStatus.UNVERIFIED, ActionStatus.UNKNOWN)
    action = expect(run, outcome.key, *lookable)
    if action.status is ActionStatus.UNKNOWN:
        # Back to an act that was interrupted: what became of it is looked up again.
        run = with_action(run, outcome.key, status=ActionStatus.ACTING, reason="")
        return replace(run, state=RunState.ACTING, reason=""), ()
    if action.status is ActionStatus.WAITING and action.due is None:
        raise OutOfTurn("This waits for a person to report, not for a check.")
    if action.status is not ActionStatus.UNVERIFIED:
        return with_action(run, outcome.key, due=now), ()
    if run.current is not None:
        raise OutOfTurn(f"«{run.current.key}» is under way; one action at a time.")
    again = with_action(
        run, outcome.key, status=ActionStatus.VERIFYING, due=now, deadline=now + outcome.within, reason=""
    )
    return replace(again, state=RunState.VERIFYING, finished_at=None), ()


def _settled(run: Run, outcome: o.Settled, now: datetime) -> Step:
    action = expect(run, outcome.key, ActionStatus.UNKNOWN)
    event = Event(Happened.ACTION_SETTLED, outcome.by, {"action": outcome.key, "happened": outcome.happened})
    run = replace(run, reason="")
    if not outcome.happened:
        run = with_action(
            run, outcome.key, status=ActionStatus.FAILED, reason="A person found that nothing had changed."
        )
        return replace(run, state=RunState.DECIDING), (event,)
    if action.undo_of:
        run = with_action(run, action.undo_of, undone_by=outcome.key)
    run = with_action(run, outcome.key, status=ActionStatus.DONE, reason="A person found that it had happened.")
    return _finish_action(run, outcome.key, (event,), now)


def _stopped(run: Run, key: str, reason: str, expected: tuple[ActionStatus, ...]) -> Step:
    expect(run, key, *expected)
    run = with_action(ungranted(run), key, status=ActionStatus.FAILED, reason=reason, due=None)
    return replace(run, state=RunState.DECIDING), (event_of(Happened.ACTION_FAILED, key, reason=reason),)


def _not_needed(run: Run, outcome: o.NotNeeded, now: datetime) -> Step:
    """What the vote covers of the rest of the plan stays covered: this action was never part of what was shown."""
    expect(run, outcome.key, ActionStatus.PREVIEWING)
    run = with_action(run, outcome.key, status=ActionStatus.SKIPPED, reason=outcome.reason, due=None)
    events = (event_of(Happened.ACTION_SKIPPED, outcome.key, reason=outcome.reason),)
    after, told = _finish_action(run, outcome.key, events, now)
    if after.state is RunState.DONE and not any(action.status.effected for action in run.actions.values()):
        # Nothing at all was done about what was found: that is for a person to close.
        return replace(run, state=RunState.DECIDING), events
    return after, told


def _skipped(run: Run, outcome: o.Skipped, now: datetime) -> Step:
    if run.state.final:
        raise OutOfTurn(f"This run is already {run.state}.")
    action = run.actions.get(outcome.key)
    planned = action is not None and action.status is ActionStatus.APPROVED and action.due is not None
    if action is None or not (planned or action.status in asking.CHOOSABLE | _STOPPABLE):
        raise OutOfTurn("This action can no longer be left out.")
    run = with_action(ungranted(run), outcome.key, status=ActionStatus.SKIPPED, due=None, left_out_by=outcome.by)
    events = (Event(Happened.ACTION_SKIPPED, outcome.by, {"action": outcome.key}),)
    return (run, events) if run.current is not None else _finish_action(run, outcome.key, events, now)


# -- ending ------------------------------------------------------------------------------------------------------------


def _closed(run: Run, outcome: o.Closed, now: datetime) -> Step:
    if run.state.final or run.current is not None:
        raise OutOfTurn("Something is still under way, or the run has ended already.")
    run = replace(run, state=RunState.DONE, finished_at=now, reason=outcome.note)
    return run, (Event(Happened.RUN_DONE, outcome.by, {"note": outcome.note}),)


def _cancelled(run: Run, outcome: o.Cancelled, now: datetime) -> Step:
    current = run.current
    if run.state.final:
        raise OutOfTurn(f"This run is already {run.state}.")
    waits = current is not None and current.status is ActionStatus.APPROVED and current.due is not None
    if current is not None and not waits and current.status in _UNSTOPPABLE:
        raise OutOfTurn("A change is being made right now; it cannot be called back.")
    if current is not None:
        run = with_action(run, current.key, status=ActionStatus.SKIPPED, reason="the run was cancelled", due=None)
    run = replace(run, state=RunState.CANCELLED, finished_at=now, reason=outcome.reason)
    return run, (Event(Happened.RUN_CANCELLED, outcome.by, {"reason": outcome.reason}),)


def _finish_action(run: Run, key: str, events: tuple[Event, ...], now: datetime) -> Step:
    """After an action has ended well or was left out: the next of its plan, then what the next finding proposes, then
    the end of the run; but no end while something is on offer, an answer is not looked at yet, or is insisted on."""
    run = replace(run, state=RunState.DECIDING)
    plan = [run.actions[each].status for each in run.plan]
    if ActionStatus.OFFERED in plan or ActionStatus.QUEUED in plan:
        return next_in_plan(run), events
    offered = any(action.status is ActionStatus.OFFERED for action in run.actions.values())
    if not _HALTED.isdisjoint(plan) or not run.concluded or (offered and key not in run.plan):
        return run, events
    if offered:
        return next_in_plan(planned(run)), events
    if any(check.holds for check in run.questions):
        return run, events
    run = replace(run, state=RunState.DONE, finished_at=now)
    return run, (*events, Event(Happened.RUN_DONE, BOT))
