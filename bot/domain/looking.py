"""How a run moves while it looks: checks end, questions are asked and answered, findings are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.domain import outcomes as o
from bot.domain.events import BOT, Event, Happened
from bot.domain.facts import FactStatus
from bot.domain.run import ActionRun, ActionStatus, CheckRun, CheckStatus, Conclusion, Run, RunState
from bot.domain.turns import OutOfTurn, Step, next_in_plan, planned, ungranted

_CHECK_STATUS: Mapping[FactStatus, CheckStatus] = {
    FactStatus.DONE: CheckStatus.DONE,
    FactStatus.FAILED: CheckStatus.FAILED,
    FactStatus.TIMED_OUT: CheckStatus.FAILED,
    FactStatus.SKIPPED: CheckStatus.SKIPPED,
    FactStatus.ASKING: CheckStatus.ASKING,
}


def check_ended(run: Run, outcome: o.CheckEnded) -> Step:
    """A fact is known, by a look or by a person's answer."""
    check = run.checks.get(outcome.key)
    if check is None:
        raise OutOfTurn(f"This run has no check «{outcome.key}».")
    answering = check.status is CheckStatus.ASKING
    if outcome.by and run.state.final:
        raise OutOfTurn(f"This run is already {run.state}.")
    if outcome.by and not answering:
        raise OutOfTurn("This question has been answered already.")
    fact = outcome.fact
    ended = replace(
        check,
        status=_CHECK_STATUS[fact.status],
        summary=fact.summary,
        error=fact.error,
        duration=fact.duration,
        changed=outcome.changed,
        answered_by=outcome.by,
    )
    run = replace(run, checks={**run.checks, check.key: ended})
    data = {"check": check.key, "status": fact.status, "summary": fact.summary, "error": fact.error}
    if answering:
        run = replace(run, concluded=False)
        if run.state is RunState.DECIDING:
            run = replace(run, state=RunState.DIAGNOSING)
        return run, (Event(Happened.QUESTION_ANSWERED, outcome.by or BOT, data),)
    if run.state is RunState.REQUESTED:
        run = replace(run, state=RunState.DIAGNOSING)
    return run, (Event(Happened.CHECK_ENDED, BOT, data),)


def question_asked(run: Run, outcome: o.QuestionAsked) -> Step:
    """A check waits for a person."""
    check = run.checks.get(outcome.key)
    if check is None or check.status is not CheckStatus.PENDING:
        raise OutOfTurn(f"The question «{outcome.key}» has been asked already.")
    asking = replace(check, status=CheckStatus.ASKING, summary=outcome.text, holds=outcome.holds)
    state = RunState.DIAGNOSING if run.state is RunState.REQUESTED else run.state
    run = replace(run, state=state, checks={**run.checks, check.key: asking})
    return run, (Event(Happened.QUESTION_ASKED, BOT, {"check": check.key, "text": outcome.text}),)


def ticked(run: Run, outcome: o.Ticked) -> Step:
    """A checklist is a few ticks further, or back."""
    check = run.checks.get(outcome.key)
    if run.state.final:
        raise OutOfTurn(f"This run is already {run.state}.")
    if check is not None and check.status is CheckStatus.PENDING:
        raise OutOfTurn("The bot is looking at this list again just now; tick once more in a moment.")
    if check is None or check.status is not CheckStatus.ASKING:
        raise OutOfTurn("This checklist is closed.")
    run = replace(run, checks={**run.checks, check.key: replace(check, summary=outcome.summary)})
    data = {"check": check.key, "ticked": list(outcome.ticked), "taken_back": list(outcome.taken_back)}
    return run, (Event(Happened.CHECKLIST_TICKED, outcome.by, {**data, "summary": outcome.summary}),)


def concluded(run: Run, outcome: o.Concluded) -> Step:
    """The findings are drawn: the first that proposes something makes the plan, the others come after it."""
    if run.current is not None or run.state.final:
        raise OutOfTurn("An action is under way; findings are concluded before acting.")
    run = ungranted(run)
    actions = dict(run.actions)
    offered: set[str] = set()
    for conclusion in outcome.conclusions:
        for key in conclusion.propose:
            known = actions.get(key)
            if key in offered or (known is not None and (known.status is ActionStatus.DONE or known.left_out_by)):
                continue
            offered.add(key)
            actions[key] = replace(known or ActionRun(key), status=ActionStatus.OFFERED, finding=conclusion.key)
    for key, action in actions.items():
        # What an earlier look proposed and this one does not is no longer on offer.
        if action.status is ActionStatus.OFFERED and not any(key in c.propose for c in outcome.conclusions):
            actions[key] = replace(action, status=ActionStatus.SKIPPED, reason="no finding proposes it any more")
    run = replace(
        run,
        state=RunState.DECIDING,
        conclusions=outcome.conclusions,
        concluded=True,
        actions=actions,
    )
    found = [_found(each) for each in outcome.conclusions]
    data = {"findings": found, "asking": [check.key for check in run.questions]}
    return next_in_plan(planned(run)), (Event(Happened.FINDINGS_CONCLUDED, BOT, data),)


def _found(found: Conclusion) -> dict[str, object]:
    masked = {"masked": found.masked} if found.masked else {}
    return {"key": found.key, "say": found.say, "propose": list(found.propose), **masked}


def recheck(run: Run, outcome: o.Recheck) -> Step:
    """Everything is looked at again."""
    if run.state is RunState.PARKED or (run.current and run.current.status not in (ActionStatus.REQUESTED,)):
        raise OutOfTurn("An action is under way; look again when it has ended.")
    if run.current is not None:
        raise OutOfTurn("An approval is pending; it is checked again before anything is done.")
    checks = {key: CheckRun(key) for key in run.checks}
    run = replace(run, state=RunState.DIAGNOSING, checks=checks, concluded=False, plan=(), finished_at=None)
    return run, (Event(Happened.RUN_RECHECKED, outcome.by),)
