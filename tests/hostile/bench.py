"""A small bot of the domain alone, and what may befall it: clicks, workers and clocks in any order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

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
from bot.domain.run import ActionStatus, CheckRun, Conclusion, Run
from bot.domain.runbook import Severity
from bot.domain.turns import OutOfTurn

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
