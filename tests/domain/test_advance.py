"""The state machine of a run: any sequence of outcomes keeps it legal, and nothing is done without an approval."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import outcomes as o
from bot.domain.advance import advance
from bot.domain.approval import RequestState, Verdict
from bot.domain.change import Receipt
from bot.domain.events import Happened
from bot.domain.facts import Fact, FactStatus
from bot.domain.run import ActionStatus, CheckRun, CheckStatus, Conclusion, Run, RunState
from bot.domain.runbook import Severity
from bot.domain.tasks import Act, Conclude, Diagnose, LookAgain, MakePreview, Nothing, Settle, Sleep, due_at, next_task
from bot.domain.turns import OutOfTurn

pytestmark = pytest.mark.main_job

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=30)
DONE = Fact(FactStatus.DONE, {"row": {"a": 1}}, "1 row")
RECEIPT = Receipt("1 row of businesses changed", counts={"businesses": 1})
GRANTED = Verdict(RequestState.APPROVED)
RUN = Run(
    id="r1",
    number=1,
    runbook="RB-011",
    version="v",
    system="alacarte",
    title="Subscription status not updating",
    severity=Severity.P2,
    resolve_within=timedelta(minutes=20),
    incident="i1",
    inputs={},
    requested_by="U_ANA",
    requested_at=NOW,
    checks={"account": CheckRun("account"), "stripe": CheckRun("stripe")},
)
NEEDS = {"stripe": frozenset({"account"})}
MISSED = Conclusion("missed", "Stripe says active.", ("copy", "tell"))


def through(*outcomes: o.RunOutcome, run: Run = RUN) -> Run:
    """The run after these outcomes."""
    for outcome in outcomes:
        run, _ = advance(run, outcome, NOW)
    return run


LOOKED = (o.CheckEnded("account", DONE), o.CheckEnded("stripe", DONE), o.Concluded((MISSED,)))
ASKED = (*LOOKED, o.Previewed("copy", "q1", "1 row changes", True, LATER))
APPROVED = (*ASKED, o.Decided("copy", GRANTED))
EFFECTED = (*APPROVED, o.Intended("copy"), o.Effected("copy", RECEIPT, timedelta(seconds=30)))


def test_the_whole_way() -> None:
    """Looking, asking, approving, acting and verifying each action of the plan ends in done, in that order."""
    run = through(*EFFECTED)
    assert run.state is RunState.VERIFYING
    run = through(o.Looked("copy", True, NOW), run=run)
    assert run.actions["tell"].status is ActionStatus.PREVIEWING
    run = through(o.Previewed("tell", "q2", "a message", False, LATER), o.Skipped("tell", "U_ANA"), run=run)
    assert run.state is RunState.DONE
    assert run.finished_at == NOW


def test_checks_wait_for_what_they_need() -> None:
    """A check whose need is pending is not run before it; then findings are drawn."""
    assert next_task(RUN, NEEDS, NOW) == Diagnose()
    only_first = through(o.CheckEnded("account", DONE))
    assert next_task(only_first, NEEDS, NOW) == Diagnose()
    assert next_task(through(*LOOKED[:2]), NEEDS, NOW) == Conclude()


def test_a_failed_check_is_a_fact_not_the_end() -> None:
    """A run goes on with a check that failed."""
    failed = o.CheckEnded("account", Fact(FactStatus.FAILED, error="no such table"))
    run = through(failed, o.CheckEnded("stripe", DONE), o.Concluded(()))
    assert run.checks["account"].status is CheckStatus.FAILED
    assert run.state is RunState.DECIDING
    assert next_task(run, NEEDS, NOW) == Nothing()


def test_nothing_is_done_before_the_votes() -> None:
    """An action that waits for votes can be neither intended nor effected."""
    run = through(*ASKED)
    assert run.state is RunState.AWAITING_APPROVAL
    for early in (o.Intended("copy"), o.Effected("copy", RECEIPT, None)):
        with pytest.raises(OutOfTurn):
            advance(run, early, NOW)


def test_a_denial_changes_nothing_and_stops_the_plan() -> None:
    """After a denial the run waits for a person; the next action of the plan is not begun."""
    run = through(*ASKED, o.Decided("copy", Verdict(RequestState.DENIED, reasons=("Denied: not now",))))
    assert run.state is RunState.DECIDING
    assert run.actions["copy"].status is ActionStatus.DENIED
    assert run.actions["tell"].status is ActionStatus.QUEUED
    assert next_task(run, NEEDS, NOW) == Nothing()


def test_an_action_that_does_not_apply_leaves_the_plan_going() -> None:
    """The plan goes on without it, what its vote covers stays covered, and its reason is kept."""
    run, events = advance(through(*LOOKED), o.NotNeeded("copy", "It is copied."), NOW)
    assert (run.actions["copy"].status, run.actions["copy"].reason) == (ActionStatus.SKIPPED, "It is copied.")
    assert run.actions["tell"].status is ActionStatus.PREVIEWING
    assert [(each.kind, each.data["reason"]) for each in events] == [(Happened.ACTION_SKIPPED, "It is copied.")]
    three = replace(MISSED, propose=("copy", "mark", "tell"), together=True)
    asked = o.Previewed("copy", "q1", "1 row changes", True, LATER, also=("tell",))
    run = through(*LOOKED[:2], o.Concluded((three,)), asked, o.Decided("copy", GRANTED))
    run = through(o.Intended("copy"), o.Effected("copy", RECEIPT, None), o.NotNeeded("mark", "It is marked."), run=run)
    assert (run.actions["tell"].status, run.state) == (ActionStatus.APPROVED, RunState.ACTING)


def test_a_plan_of_which_nothing_applies_waits_for_a_person() -> None:
    """Nothing was done about what was found: that is not done. Looked at again, it is offered again, unless a person
    left it out."""
    run = through(*LOOKED, o.NotNeeded("copy", "no"), o.NotNeeded("tell", "no"))
    assert (run.state, run.finished_at) == (RunState.DECIDING, None)
    again = through(o.Recheck("U_ANA"), *LOOKED, run=run)
    assert again.actions["copy"].status is ActionStatus.PREVIEWING
    left = through(*LOOKED, o.Skipped("copy", "U_ANA"), o.NotNeeded("tell", "no"), o.Recheck("U_ANA"), *LOOKED)
    assert (left.actions["copy"].status, left.actions["tell"].status) == (ActionStatus.SKIPPED, ActionStatus.PREVIEWING)


QUOTA = Conclusion("over_quota", "The quota is used up.", ("raise_quota",))
BOTH = (*LOOKED[:2], o.Concluded((replace(MISSED, propose=("copy",)), QUOTA)), *EFFECTED[3:])


def test_what_else_was_found_comes_after_the_plan() -> None:
    """A plan that has ended well is not the end: what the next finding proposes is put to the approvers by itself."""
    run = through(*BOTH, o.Looked("copy", True, NOW))
    assert (run.plan, run.finished_at) == (("raise_quota",), None)
    assert next_task(run, NEEDS, NOW) == MakePreview("raise_quota")
    asked = o.Previewed("raise_quota", "q2", "1 row changes", True, LATER)
    granted = through(asked, o.Decided("raise_quota", GRANTED), o.Intended("raise_quota"), run=run)
    done = through(o.Effected("raise_quota", RECEIPT, None), run=granted)
    assert (done.state, done.finished_at) == (RunState.DONE, NOW)
    assert through(o.NotNeeded("raise_quota", "It holds no more."), run=run).state is RunState.DONE
    assert through(o.Skipped("raise_quota", "U_ANA"), run=run).state is RunState.DONE


def test_what_else_was_found_waits_where_the_plan_was_stopped() -> None:
    """After a denial, or an action that somebody chose by hand, nothing more is asked for by itself: it is on offer."""
    two = through(*BOTH[:3])
    denied = through(*ASKED[3:], o.Decided("copy", Verdict(RequestState.DENIED)), run=two)
    assert (denied.state, denied.actions["raise_quota"].status) == (RunState.DECIDING, ActionStatus.OFFERED)
    asked = (o.Chosen("tell", "U_ANA"), o.Previewed("tell", "q2", "a message", False, LATER))
    told = (o.Decided("tell", GRANTED), o.Intended("tell"), o.Effected("tell", RECEIPT, None))
    run = through(*asked, *told, run=denied)
    assert (run.state, run.actions["raise_quota"].status) == (RunState.DECIDING, ActionStatus.OFFERED)
    assert through(o.Skipped("raise_quota", "U_ANA"), run=run).state is RunState.DONE


def test_a_question_that_holds_outlives_a_plan() -> None:
    """What somebody has to answer keeps the run open, and an answer that came meanwhile is looked at before the end; a
    question that only helped to find the cause does not."""
    plan = o.Concluded((replace(MISSED, propose=("copy",)),))
    asking = through(
        o.CheckEnded("account", DONE), o.QuestionAsked("stripe", "Which one?", holds=True), plan, *ASKED[3:]
    )
    acting = (*EFFECTED[4:], o.Looked("copy", True, NOW))
    answer = o.CheckEnded("stripe", DONE, by="U_ANA")
    assert through(*acting, run=asking).state is RunState.DECIDING
    helping = through(o.CheckEnded("account", DONE), o.QuestionAsked("stripe", "Which one?"), plan, *ASKED[3:])
    assert through(*acting, run=helping).state is RunState.DONE
    assert next_task(through(*acting, answer, run=asking), NEEDS, NOW) == Conclude()
    assert next_task(through(answer, *acting, run=asking), NEEDS, NOW) == Conclude()
    denied = o.Decided("copy", Verdict(RequestState.DENIED))
    assert next_task(through(answer, denied, run=asking), NEEDS, NOW) == Conclude()
    with pytest.raises(OutOfTurn, match="already done"):
        advance(through(*acting, o.Closed("U_ANA"), run=asking), answer, NOW)


def test_expiry_is_not_a_yes() -> None:
    """An expired request leaves the action undone."""
    run = through(*ASKED, o.Decided("copy", Verdict(RequestState.EXPIRED)))
    assert run.actions["copy"].status is ActionStatus.EXPIRED
    assert run.state is RunState.DECIDING


def test_the_second_decision_is_out_of_turn() -> None:
    """Two people cannot both decide: the later one hears that it is decided."""
    with pytest.raises(OutOfTurn, match="already approved"):
        advance(through(*APPROVED), o.Decided("copy", GRANTED), NOW)


def test_an_effect_happens_once() -> None:
    """A second report of the effect is out of turn."""
    with pytest.raises(OutOfTurn):
        advance(through(*EFFECTED), o.Effected("copy", RECEIPT, None), NOW)


def test_drift_asks_again() -> None:
    """A voided approval is previewed and asked for again, with the reason kept."""
    run = through(*APPROVED, o.Voided("copy", "the row has changed", True))
    assert next_task(run, NEEDS, NOW) == MakePreview("copy")
    assert run.actions["copy"].reason == "the row has changed"


def test_doubt_parks_the_run_until_a_person_says() -> None:
    """An effect in doubt is never retried; a person says whether it happened."""
    run = through(*APPROVED, o.Intended("copy"), o.Doubted("copy", "the connection broke"))
    assert run.state is RunState.PARKED
    assert next_task(run, NEEDS, NOW) == Nothing()
    assert through(o.Settled("copy", "U_BEA", False), run=run).actions["copy"].status is ActionStatus.FAILED
    assert through(o.Settled("copy", "U_BEA", True), run=run).actions["copy"].status is ActionStatus.DONE


def test_an_interrupted_act_is_settled_not_repeated() -> None:
    """A worker that finds an act begun looks into it instead of acting again."""
    assert next_task(through(*APPROVED), NEEDS, NOW) == Act("copy")
    assert next_task(through(*APPROVED, o.Intended("copy")), NEEDS, NOW) == Settle("copy")


def test_verification_is_looked_at_until_its_deadline() -> None:
    """It is looked at again when due, and past the deadline the action stays unverified."""
    run = through(*EFFECTED)
    assert next_task(run, NEEDS, NOW) == LookAgain("copy", verifying=True)
    run = through(o.Looked("copy", False, NOW + timedelta(seconds=2)), run=run)
    assert next_task(run, NEEDS, NOW) == Sleep(NOW + timedelta(seconds=2))
    late, _ = advance(run, o.Looked("copy", False, NOW), NOW + timedelta(minutes=1))
    assert late.actions["copy"].status is ActionStatus.UNVERIFIED
    assert late.state is RunState.DECIDING


def test_undo_is_an_action_of_its_own() -> None:
    """Taking back needs a preview and an approval, and marks what it took back; it cannot be asked for twice."""
    done = through(*EFFECTED, o.Looked("copy", True, NOW), o.Skipped("tell", "U_ANA"))
    run = through(o.Chosen("undo:copy", "U_ANA", undo_of="copy"), run=done)
    assert next_task(run, NEEDS, NOW) == MakePreview("undo:copy")
    asked = o.Previewed("undo:copy", "q3", "1 row changes back", False, LATER)
    verdict = o.Decided("undo:copy", GRANTED)
    run = through(asked, verdict, o.Intended("undo:copy"), o.Effected("undo:copy", RECEIPT, None), run=run)
    assert run.actions["copy"].undone_by == "undo:copy"
    with pytest.raises(OutOfTurn, match="nothing to take back"):
        advance(run, o.Chosen("undo:copy", "U_ANA", undo_of="copy"), NOW)


def test_answering_reopens_the_looking() -> None:
    """An answered question is a fact; what depends on it is looked at, and findings are drawn afresh."""
    asking = through(o.CheckEnded("account", DONE), o.QuestionAsked("stripe", "Which one?"), o.Concluded(()))
    assert asking.state is RunState.DECIDING
    run, events = advance(asking, o.CheckEnded("stripe", DONE, by="U_ANA"), NOW)
    assert run.state is RunState.DIAGNOSING
    assert events[0].kind is Happened.QUESTION_ANSWERED
    assert events[0].actor == "U_ANA"
    with pytest.raises(OutOfTurn, match="answered already"):
        advance(run, o.CheckEnded("stripe", DONE, by="U_BEA"), NOW)


def test_a_change_under_way_cannot_be_cancelled() -> None:
    """Cancelling stops everything except a change that is being made."""
    with pytest.raises(OutOfTurn, match="cannot be called back"):
        advance(through(*APPROVED, o.Intended("copy")), o.Cancelled("U_ANA"), NOW)
    assert through(*ASKED, o.Cancelled("U_ANA")).state is RunState.CANCELLED


def test_a_finished_run_wants_no_worker() -> None:
    """Nothing is due for a run that has ended or waits for a person."""
    assert due_at(through(*LOOKED[:2], o.Concluded(()), o.Closed("U_ANA")), NOW) is None
    assert due_at(RUN, NOW) == NOW


keys = st.sampled_from(["copy", "tell", "undo:copy"])
outcome_drawn: st.SearchStrategy[o.RunOutcome] = st.one_of(
    st.builds(o.CheckEnded, st.sampled_from(["account", "stripe"]), st.just(DONE), st.sampled_from(["", "U_ANA"])),
    st.builds(o.QuestionAsked, st.just("stripe"), st.just("Which one?"), st.booleans()),
    st.just(o.Concluded((MISSED,))),
    st.just(o.Concluded(())),
    st.just(o.Recheck("U_ANA")),
    st.builds(o.Chosen, keys, st.just("U_ANA"), st.sampled_from(["", "copy"])),
    st.builds(o.Previewed, keys, st.just("q"), st.just("h"), st.booleans(), st.just(LATER)),
    st.builds(o.NotNeeded, keys, st.just("no need")),
    st.builds(o.NotPreviewed, keys, st.just("no")),
    st.builds(o.Decided, keys, st.sampled_from(RequestState).map(Verdict)),
    st.builds(o.Voided, keys, st.just("drift"), st.booleans()),
    st.builds(o.Intended, keys),
    st.builds(o.Effected, keys, st.just(RECEIPT), st.sampled_from([None, timedelta(seconds=30)])),
    st.builds(o.NotEffected, keys, st.just("no")),
    st.builds(o.Doubted, keys, st.just("cut")),
    st.builds(o.WaitsFor, keys, st.just("a person")),
    st.builds(o.Looked, keys, st.booleans(), st.just(LATER)),
    st.builds(o.Settled, keys, st.just("U_ANA"), st.booleans()),
    st.builds(o.Reported, keys, st.just("U_ANA"), st.just("done"), st.none()),
    st.builds(o.Skipped, keys, st.just("U_ANA")),
    st.just(o.Closed("U_ANA")),
    st.just(o.Cancelled("U_ANA")),
    st.just(o.Broke("ref")),
)


@settings(max_examples=max(400, settings().max_examples))
@given(st.lists(outcome_drawn, max_size=40))
def test_any_sequence_keeps_the_run_legal(outcomes: list[o.RunOutcome]) -> None:
    """Whatever arrives in whatever order: one action at a time, and every effect behind an approval of its own."""
    run = RUN
    approved: set[str] = set()
    for outcome in outcomes:
        try:
            after, events = advance(run, outcome, NOW)
        except OutOfTurn:
            continue
        assert advance(run, outcome, NOW) == (after, events)
        match outcome:
            case o.Decided(key=key, verdict=Verdict(state=RequestState.APPROVED)):
                approved.add(key)
            case o.Intended(key=key):
                assert key in approved
            case o.Effected(key=key) | o.NotEffected(key=key) | o.Voided(key=key) | o.Chosen(key=key):
                if isinstance(outcome, o.Effected):
                    assert key in approved
                approved.discard(key)
            case _:
                pass
        assert sum(action.status.busy for action in after.actions.values()) <= 1
        if after.state is RunState.DONE:
            assert after.finished_at is not None
            assert after.current is None
            offered = [action for action in after.actions.values() if action.status is ActionStatus.OFFERED]
            own_end = run.state is not RunState.DONE and not isinstance(outcome, o.Closed)
            assert not own_end or (after.concluded and not any(q.holds for q in after.questions) and not offered)
        if after.state is RunState.DECIDING:
            assert after.concluded or after.current is not None
        if after.state is RunState.AWAITING_APPROVAL:
            assert after.current is not None
        next_task(after, NEEDS, NOW)
        run = after


def test_replaced_fields_do_not_leak_between_runs() -> None:
    """Advancing gives a new run and leaves the old one as it was."""
    before = replace(RUN)
    through(*EFFECTED)
    assert before == RUN


def test_asking_again_frees_nobody_to_vote() -> None:
    """Who chose an action, changed its words or planned it is remembered with it, whoever asks next."""
    window = (NOW + timedelta(hours=1), NOW + timedelta(hours=2))
    run = through(*ASKED, o.Scheduled("copy", "U_BEA", *window))
    run = through(o.Previewed("copy", "q2", "1 row changes", True, LATER), o.Edited("copy", "U_CHIDI", {}), run=run)
    assert run.actions["copy"].askers == ("U_BEA", "U_CHIDI")
