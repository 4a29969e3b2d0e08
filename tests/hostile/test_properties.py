"""Whatever people, workers and clocks do in whatever order: nothing is done without enough valid votes for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import outcomes as o
from bot.domain.advance import advance
from bot.domain.approval import (
    CLOCKS_DIFFER,
    SHORTEST_REASON,
    ApprovalRequest,
    Choice,
    Person,
    RequestState,
    Verdict,
    Vote,
    evaluate,
    objections,
)
from bot.domain.change import Receipt
from bot.domain.facts import Fact, FactStatus
from bot.domain.policy import ApprovalPolicy, StepUp
from bot.domain.run import ActionStatus, CheckRun, Conclusion, Run, RunState
from bot.domain.runbook import Severity
from bot.domain.turns import OutOfTurn

pytestmark = pytest.mark.approval

START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
PEOPLE = ("U_ANA", "U_BEA", "U_CHIDI", "U_DEV", "U_EVE")
MEMBERS = {"billing": frozenset({"U_ANA", "U_BEA", "U_CHIDI"}), "leads": frozenset({"U_DEV", "U_ANA"})}
KEYS = ("copy", "tell", "close", "undo:copy")
RECEIPT = Receipt("1 row changed")
BEHIND_THE_GATE = frozenset(
    {
        ActionStatus.APPROVED,
        ActionStatus.ACTING,
        ActionStatus.WAITING,
        ActionStatus.VERIFYING,
        ActionStatus.UNVERIFIED,
        ActionStatus.UNKNOWN,
        ActionStatus.DONE,
    }
)
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
    requested_at=START,
    checks={"account": CheckRun("account")},
)
LOOKED = (
    o.CheckEnded("account", Fact(FactStatus.DONE, {"row": {"a": 1}}, "1 row")),
    o.Concluded((Conclusion("missed", "Stripe says active.", ("copy", "tell", "close"), together=True),)),
)


# -- a small bot of the domain alone -----------------------------------------------------------------------------------


@dataclass
class Bench:
    """What the bot keeps for one run, with the domain's functions and nothing else: no database, no Slack."""

    run: Run = RUN
    now: datetime = START
    requests: dict[str, ApprovalRequest] = field(default_factory=dict)
    votes: dict[str, tuple[Vote, ...]] = field(default_factory=dict)
    granted: dict[str, tuple[Verdict, datetime]] = field(default_factory=dict)

    def does(self, outcome: o.RunOutcome) -> bool:
        """Feed an outcome to the run; False when it came out of turn."""
        before = self.run
        try:
            self.run, _ = advance(self.run, outcome, self.now)
        except OutOfTurn:
            assert self.run == before
            return False
        return True

    def asks(self, digest: str, policy: ApprovalPolicy, further: int = 0) -> None:
        """The worker has a preview of what is being previewed, and asks for approval of it, and with the same request
        of up to so many further actions of its plan."""
        going = self.run.current
        if going is None or going.status is not ActionStatus.PREVIEWING:
            return
        request = ApprovalRequest(
            id=f"q{len(self.requests)}",
            run=self.run.id,
            action=going.key,
            digest=digest,
            policy=policy,
            requested_by=going.by or self.run.requested_by,
            requested_at=self.now,
            expires_at=self.now + policy.request_lifetime,
            also=self._next(going.key, further),
        )
        asked = o.Previewed(going.key, request.id, "1 row changes", True, request.expires_at, also=request.also)
        if self.does(asked):
            self.requests[request.id] = request
            self.votes[request.id] = ()

    def _next(self, key: str, most: int) -> tuple[str, ...]:
        """The actions that follow in the plan, as far as they still wait for their turn."""
        if key not in self.run.plan:
            return ()
        rest = self.run.plan[self.run.plan.index(key) + 1 :]
        return tuple(takewhile(lambda each: self.run.actions[each].status is ActionStatus.QUEUED, rest))[:most]

    def vote(self, which: int, vote: Vote) -> None:
        """Somebody votes on one of the requests there have been, judged as `People.vote` judges it."""
        if not self.requests:
            return
        request = self.requests[f"q{which % len(self.requests)}"]
        vote = replace(vote, at=self.now)
        if objections(request, vote.person, MEMBERS, self.now, vote.choice) or vote.digest != request.digest:
            return
        self.votes[request.id] += (vote,)
        self.judge(request)

    def judge(self, request: ApprovalRequest) -> None:
        """What the votes amount to decides the run, once."""
        verdict = evaluate(request, self.votes[request.id], MEMBERS, self.now)
        if request.state is not RequestState.PENDING or verdict.state is RequestState.PENDING:
            return
        self.requests[request.id] = replace(request, state=verdict.state)
        assert self.does(o.Decided(request.action, verdict)), "a pending request whose action does not wait for it"
        if verdict.state is RequestState.APPROVED:
            self.granted[request.id] = (verdict, self.now)

    def closes(self, outcome: o.Voided | o.Edited | o.Skipped | o.Cancelled) -> None:
        """An outcome that takes a request away."""
        going = self.run.current
        if not self.does(outcome) or going is None or going.request is None:
            return
        if isinstance(outcome, o.Cancelled) or outcome.key == going.key:
            state = RequestState.VOIDED if isinstance(outcome, o.Voided) else RequestState.WITHDRAWN
            self.requests[going.request] = replace(self.requests[going.request], state=state)

    def aimed(self, outcome: Any, at_it: bool) -> Any:
        """The outcome, about the action that is under way when it is aimed at it."""
        current = self.run.current
        return replace(outcome, key=current.key) if at_it and current and hasattr(outcome, "key") else outcome

    def goes_on(self) -> None:
        """The worker does what comes next, as if all went well."""
        going = self.run.current
        if going is None:
            return
        match going.status:
            case ActionStatus.APPROVED:
                self.does(o.Intended(going.key))
            case ActionStatus.ACTING:
                self.does(o.Effected(going.key, RECEIPT, timedelta(seconds=30)))
            case ActionStatus.VERIFYING:
                self.does(o.Looked(going.key, True, self.now))
            case ActionStatus.REQUESTED if going.request is not None:
                self.judge(self.requests[going.request])
            case _:
                pass


def carries(request: ApprovalRequest, verdict: Verdict, now: datetime) -> bool:
    """Whether a verdict really is a yes, worked out anew and not as `evaluate` does it."""
    policy, counted = request.policy, verdict.counted
    if not request.requested_at - CLOCKS_DIFFER <= max(now, request.requested_at) < request.expires_at:
        return False
    for vote in counted:
        fresh = -CLOCKS_DIFFER <= now - vote.at < policy.vote_lifetime
        if vote.digest != request.digest or not fresh or not policy.step_up.met_by(vote.proof):
            return False
        if vote.person.bot or vote.person.deactivated or vote.person.stranger or vote.choice is Choice.DENY:
            return False
    who = [vote.person.id for vote in counted]
    if len(counted) == 1 and counted[0].choice is Choice.BREAK_GLASS:
        named = any(who[0] in MEMBERS[group] for group in policy.break_glass)
        return named and len(counted[0].reason.strip()) >= SHORTEST_REASON
    entitled = set().union(*(MEMBERS[group] for group in policy.groups))
    if not policy.requester_may_vote:
        entitled -= {request.requested_by}
    if policy.confirm:
        entitled |= {request.requested_by}
    return len(who) == len(set(who)) >= policy.votes and set(who) <= entitled


# -- what is drawn -----------------------------------------------------------------------------------------------------

# Mostly what could be a yes, with one thing wrong now and then: only such votes come near the gate.
keys, digests = st.sampled_from(KEYS), st.sampled_from(["d1", "d1", "d1", "d2"])
policies = st.builds(
    ApprovalPolicy,
    groups=st.sampled_from([("billing",), ("billing",), ("billing", "leads"), ("leads",), ()]),
    votes=st.sampled_from([1, 2, 2, 3]),
    requester_may_vote=st.booleans(),
    confirm=st.sampled_from([False, False, True]),
    vote_lifetime=st.sampled_from([timedelta(minutes=5), timedelta(minutes=30)]),
    request_lifetime=st.sampled_from([timedelta(minutes=10), timedelta(minutes=30)]),
    break_glass=st.sampled_from([(), (), ("leads",)]),
    step_up=st.sampled_from([StepUp.NONE, StepUp.NONE, StepUp.NONE, StepUp.CODE]),
)
flawless = st.builds(Person, st.sampled_from(PEOPLE))
flaws = [{"bot": True}, {"deactivated": True}, {"stranger": True}]
flawed = st.builds(lambda id, flaw: Person(id, **flaw), st.sampled_from(PEOPLE), st.sampled_from(flaws))
votes = st.builds(
    Vote,
    st.one_of(flawless, flawless, flawless, flawed),
    st.sampled_from([Choice.APPROVE, Choice.APPROVE, Choice.APPROVE, Choice.DENY, Choice.BREAK_GLASS]),
    digests,
    st.sampled_from([-40, 0, 1, 2, 3, 4, 5, 6, 40]).map(lambda minutes: START + timedelta(minutes=minutes)),
    st.sampled_from(["", "All customers are locked out"]),
    st.sampled_from([StepUp.NONE, StepUp.CODE, StepUp.NAME]),
)
choosing = st.builds(o.Chosen, keys, st.sampled_from(PEOPLE), st.sampled_from(["", "", "copy"]))
chaos: st.SearchStrategy[o.RunOutcome] = st.one_of(
    st.builds(o.NotNeeded, keys, st.just("no need")),
    st.builds(o.NotPreviewed, keys, st.just("no")),
    st.builds(o.Intended, keys),
    st.builds(o.Effected, keys, st.just(RECEIPT), st.sampled_from([None, timedelta(seconds=30)])),
    st.builds(o.NotEffected, keys, st.just("no")),
    st.builds(o.Doubted, keys, st.just("cut")),
    st.builds(o.WaitsFor, keys, st.just("a person"), st.sampled_from([None, START])),
    st.builds(o.Looked, keys, st.booleans(), st.just(START)),
    st.builds(o.LookNow, keys, st.just("U_EVE"), st.just(timedelta(seconds=30))),
    st.builds(o.Settled, keys, st.just("U_EVE"), st.booleans()),
    st.builds(o.Reported, keys, st.just("U_EVE"), st.just("done"), st.none()),
    st.just(o.Concluded(())),
    st.just(LOOKED[0]),
    st.just(LOOKED[1]),
    st.just(o.Recheck("U_EVE")),
    st.just(o.Closed("U_EVE")),
    st.just(o.Broke("ref")),
)
closing = st.one_of(
    st.builds(o.Voided, keys, st.just("drift"), st.booleans()),
    st.builds(o.Edited, keys, st.sampled_from(PEOPLE), st.just({"body": "x"})),
    st.builds(o.Skipped, keys, st.sampled_from(PEOPLE)),
    st.just(o.Cancelled("U_EVE")),
)
Move = tuple[str, object]
aimed = st.sampled_from([True, True, False])
asking = st.tuples(digests, policies, st.sampled_from([0, 0, 1, 2]))
voting = st.tuples(st.integers(0, 3), votes)
moves = st.one_of(
    *(st.tuples(st.just("vote"), voting) for _ in range(4)),
    *(st.tuples(st.just("go on"), st.none()) for _ in range(4)),
    *(st.tuples(st.just("ask"), asking) for _ in range(2)),
    st.tuples(st.just("leap"), st.sampled_from([-60, -6, -1, 1, 6, 31])),
    st.tuples(st.just("close"), st.tuples(closing, aimed)),
    *(st.tuples(st.just("chaos"), st.tuples(chaos, aimed)) for _ in range(3)),
    *(st.tuples(st.just("chaos"), st.tuples(choosing, st.just(False))) for _ in range(2)),
)


def moved(bench: Bench, move: Move) -> None:
    """Make one move."""
    match move:
        case ("vote", (int(which), Vote() as vote)):
            bench.vote(which, vote)
        case ("ask", (str(digest), ApprovalPolicy() as policy, int(further))):
            bench.asks(digest, policy, further)
        case ("leap", int(minutes)):
            bench.now += timedelta(minutes=minutes)
        case ("close", (outcome, bool(at_it))):
            bench.closes(bench.aimed(outcome, at_it))
        case ("chaos", (outcome, bool(at_it))):
            bench.does(bench.aimed(outcome, at_it))
        case _:
            bench.goes_on()


def started() -> Bench:
    """A run that has found what to do."""
    bench = Bench()
    assert all(bench.does(outcome) for outcome in LOOKED)
    return bench


def in_a_plan() -> Bench:
    """A run whose three actions were all approved by one vote."""
    bench = started()
    bench.asks("d1", ApprovalPolicy(groups=("billing",)), further=2)
    bench.vote(0, Vote(Person("U_BEA"), Choice.APPROVE, "d1", START))
    return bench


# -- the properties ----------------------------------------------------------------------------------------------------


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
