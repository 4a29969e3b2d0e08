"""Whatever people, workers and clocks do in whatever order: nothing is done without enough valid votes for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import outcomes as o
from bot.domain.approval import (
    ApprovalRequest,
    Choice,
    Person,
    RequestState,
    Vote,
    evaluate,
    objections,
)
from bot.domain.policy import ApprovalPolicy
from bot.domain.run import ActionStatus, RunState
from tests.hostile.bench import (
    BEHIND_THE_GATE,
    KEYS,
    MEMBERS,
    PEOPLE,
    START,
    Move,
    carries,
    digests,
    in_a_plan,
    moved,
    moves,
    policies,
    started,
    votes,
)

pytestmark = pytest.mark.approval


@settings(max_examples=max(800, settings().max_examples))
@given(st.booleans(), st.lists(moves, max_size=40))
def test_nothing_is_done_without_a_granted_approval(planned: bool, drawn: Sequence[Move]) -> None:
    """In any sequence of votes, previews, voids, edits, cancels, doubts, late workers and clock leaps: an action that
    is or was being done has a request that names it and that was approved, and by enough distinct people who may, not
    the requester unless the policy says so, on its digest, in time. What is being done has one that still holds."""
    bench = in_a_plan() if planned else started()
    for move in drawn:
        moved(bench, move)
        for action in bench.run.actions.values():
            if action.status in BEHIND_THE_GATE:
                assert action.request is not None
                assert action.request in bench.granted, f"{action.key} is {action.status} without a yes"
                request, (verdict, at) = bench.requests[action.request], bench.granted[action.request]
                assert action.key in request.actions
                assert carries(request, verdict, at)
                # A plan loses the yes for what is left of it; what it did before was done with one.
                assert request.state is RequestState.APPROVED or action is not bench.run.current


def test_the_small_bot_gets_all_the_way() -> None:
    """The property is not empty: with two valid votes its bot does the action, with one it waits."""
    bench = started()
    bench.asks("d1", ApprovalPolicy(groups=("billing",), votes=2))
    bench.vote(0, Vote(Person("U_BEA"), Choice.APPROVE, "d1", START))
    bench.goes_on()
    assert bench.run.state is RunState.AWAITING_APPROVAL
    bench.vote(0, Vote(Person("U_CHIDI"), Choice.APPROVE, "d1", START))
    for _ in range(3):
        bench.goes_on()
    assert bench.run.actions["copy"].status is ActionStatus.DONE


def test_a_plan_gets_to_its_end_with_one_vote() -> None:
    """The property is not empty for plans either: one vote over three actions does all of them, in their order."""
    bench = in_a_plan()
    for _ in range(12):
        bench.goes_on()
    assert [key for key, each in bench.run.actions.items() if each.status is ActionStatus.DONE] == list(KEYS[:3])


def test_a_void_takes_the_yes_from_the_rest_of_the_plan() -> None:
    """The second of three actions is voided and then approved by itself: the third still needs a vote of its own."""
    bench = in_a_plan()
    for _ in range(3):
        bench.goes_on()
    bench.closes(bench.aimed(o.Voided("copy", "drift", True), True))
    bench.asks("d2", ApprovalPolicy(groups=("billing",)))
    bench.vote(1, Vote(Person("U_BEA"), Choice.APPROVE, "d2", START))
    for _ in range(12):
        bench.goes_on()
    assert [bench.run.actions[key].status for key in KEYS[:3]] == [
        ActionStatus.DONE,
        ActionStatus.DONE,
        ActionStatus.PREVIEWING,
    ]


requests = st.builds(
    lambda policy, digest, state: ApprovalRequest(
        "q1", "r1", "copy", digest, policy, "U_ANA", START, START + policy.request_lifetime, state
    ),
    policies,
    digests,
    st.just(RequestState.PENDING),
)
cast = st.lists(votes, max_size=7)
times = st.sampled_from([-30, 0, 3, 4, 5, 6, 9, 10, 29, 30, 45]).map(lambda minutes: START + timedelta(minutes=minutes))


@settings(max_examples=max(2_000, settings().max_examples))
@given(requests, cast, times)
def test_approved_is_what_it_says(request: ApprovalRequest, drawn: list[Vote], now: datetime) -> None:
    """With votes of any time, older than their lifetime or dated in the future, in any order: approved is a yes by an
    independent reckoning, and at or past its end a request is expired whatever the votes."""
    verdict = evaluate(request, tuple(drawn), MEMBERS, now)
    if verdict.state is RequestState.APPROVED:
        assert carries(request, verdict, now)
    if now >= request.expires_at:
        assert verdict.state is RequestState.EXPIRED


@given(requests, cast, times, st.randoms(use_true_random=False))
def test_evaluation_is_deterministic(
    request: ApprovalRequest, drawn: list[Vote], now: datetime, chance: Random
) -> None:
    """The same votes give the same verdict, however often it is asked for and in whatever order the votes of different
    people came; the time a vote carries never reorders what one person said."""
    first = evaluate(request, tuple(drawn), MEMBERS, now)
    assert evaluate(request, tuple(drawn), MEMBERS, now) == first
    shuffled = list(drawn)
    chance.shuffle(shuffled)
    mine = {id: [vote for vote in drawn if vote.person.id == id] for id in PEOPLE}
    other = evaluate(request, tuple(mine[vote.person.id].pop(0) for vote in shuffled), MEMBERS, now)
    assert other.state is first.state
    assert other.missing == first.missing
    assert {each.vote for each in other.dismissed} == {each.vote for each in first.dismissed}


@given(st.sampled_from([each for each in RequestState if each is not RequestState.PENDING]), requests, cast, times)
def test_a_final_request_stays_as_it_is(
    state: RequestState, request: ApprovalRequest, drawn: list[Vote], now: datetime
) -> None:
    """No votes and no time change a request that is decided, and nobody may vote on it."""
    final = replace(request, state=state)
    assert evaluate(final, tuple(drawn), MEMBERS, now).state is state
    for vote in drawn:
        assert f"already {state}" in " ".join(objections(final, vote.person, MEMBERS, now, vote.choice))


@settings(max_examples=max(500, settings().max_examples))
@given(
    st.lists(moves, max_size=30),
    st.sampled_from([o.Cancelled("U_ANA"), o.Closed("U_ANA")]),
    st.lists(moves, max_size=8),
)
def test_a_run_that_has_ended_stays_ended(
    before: Sequence[Move], end: o.Cancelled | o.Closed, after: Sequence[Move]
) -> None:
    """After its end nothing moves a run: no late worker, no vote, no click on an old card. Only a person who looks
    again, asks for an action or looks at a verification anew begins it again."""
    bench = started()
    for move in before:
        moved(bench, move)
    if isinstance(end, o.Cancelled):
        bench.closes(end)
    else:
        bench.does(end)
    if not bench.run.state.final:
        return
    ended = bench.run
    for move in after:
        if isinstance(move[1], tuple) and isinstance(move[1][0], o.Recheck | o.Chosen | o.LookNow):
            continue
        moved(bench, move)
        assert bench.run.state is ended.state
        assert bench.run.actions == ended.actions


def test_a_cancelled_run_is_not_revived_by_an_old_card() -> None:
    """Leaving out the next action of a cancelled run's plan does not begin the one after it."""
    bench = started()
    bench.does(o.Cancelled("U_ANA"))
    for key in ("tell", "close"):
        assert not bench.does(o.Skipped(key, "U_EVE"))
    assert not bench.does(o.Broke("ref"))
    assert bench.run.state is RunState.CANCELLED


def test_a_wait_for_a_condition_is_not_ended_by_a_report() -> None:
    """A report form made by hand cannot say that a condition has come about; a wait for a person it ends."""
    bench = started()
    bench.asks("d1", ApprovalPolicy(groups=("billing",)))
    bench.vote(0, Vote(Person("U_BEA"), Choice.APPROVE, "d1", START))
    bench.goes_on()
    waiting = bench.run
    bench.does(o.WaitsFor("copy", "replicas caught up", START + timedelta(minutes=1), START + timedelta(hours=1)))
    assert not bench.does(o.Reported("copy", "U_EVE", "it has", None))
    bench.run = waiting
    bench.does(o.WaitsFor("copy", "somebody turns the key"))
    assert bench.does(o.Reported("copy", "U_EVE", "turned", None))


def test_the_last_word_counts_whatever_the_clocks_say() -> None:
    """Somebody says yes on a replica whose clock is ahead, then no on one whose clock is behind: it is a no."""
    request = ApprovalRequest(
        "q1", "r1", "copy", "d1", ApprovalPolicy(("billing",)), "U_ANA", START, START + timedelta(minutes=30)
    )
    yes = Vote(Person("U_BEA"), Choice.APPROVE, "d1", START + timedelta(seconds=50))
    no = Vote(Person("U_BEA"), Choice.DENY, "d1", START + timedelta(seconds=10), "on second thoughts")
    assert evaluate(request, (yes, no), MEMBERS, START + timedelta(seconds=11)).state is RequestState.DENIED
