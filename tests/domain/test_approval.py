"""Who may say yes: the situations a security reviewer asks about, one test each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.approval import (
    ApprovalRequest,
    Choice,
    Person,
    RequestState,
    Vote,
    approvers,
    evaluate,
    objections,
    who,
)
from bot.domain.policy import ApprovalPolicy, QuietHours, StepUp

pytestmark = pytest.mark.approval

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
MEMBERS = {"billing": frozenset({"U_BEA", "U_ANA", "U_CHIDI"})}
REQUEST = ApprovalRequest(
    id="q1",
    run="r1",
    action="copy",
    digest="d1",
    policy=ApprovalPolicy(groups=("billing",)),
    requested_by="U_ANA",
    requested_at=NOW,
    expires_at=NOW + timedelta(minutes=30),
)


def vote(user: str = "U_BEA", choice: Choice = Choice.APPROVE, **changes: object) -> Vote:
    """A vote a minute after the request."""
    made = Vote(Person(user), choice, "d1", NOW + timedelta(minutes=1), "because" if choice is Choice.DENY else "")
    return replace(made, **changes)  # type: ignore[arg-type]  # named fields of Vote


def judge(*votes: Vote, request: ApprovalRequest = REQUEST, at: datetime = NOW + timedelta(minutes=2)) -> RequestState:
    """The state the votes amount to."""
    return evaluate(request, votes, MEMBERS, at).state


def with_policy(**changes: object) -> ApprovalRequest:
    """The request under another policy."""
    return replace(REQUEST, policy=replace(REQUEST.policy, **changes))  # type: ignore[arg-type]  # named fields


def test_one_member_of_the_group_approves() -> None:
    """A member of the approver group who did not ask decides a request that needs one vote."""
    assert judge(vote()) is RequestState.APPROVED


def test_nobody_voted() -> None:
    """Without votes a request waits, and says for whom."""
    verdict = evaluate(REQUEST, (), MEMBERS, NOW)
    assert verdict.state is RequestState.PENDING
    assert verdict.reasons == ("Waiting for 1 vote of @billing.",)


def test_requester_cannot_approve_their_own() -> None:
    """The person who asked is refused with the reason, although they are in the group."""
    assert judge(vote("U_ANA")) is RequestState.PENDING
    assert objections(REQUEST, Person("U_ANA"), MEMBERS, NOW) == (
        "You asked for this; somebody else has to approve it.",
    )


def test_requester_may_vote_when_the_policy_says_so() -> None:
    """A policy can let the requester vote, as one of the group."""
    assert judge(vote("U_ANA"), request=with_policy(requester_may_vote=True)) is RequestState.APPROVED


def test_outsider_is_refused() -> None:
    """Somebody outside the group does not count and hears who may."""
    assert judge(vote("U_EVE")) is RequestState.PENDING
    assert objections(REQUEST, Person("U_EVE"), MEMBERS, NOW) == ("Only @billing may approve this.",)


def test_no_group_means_nobody() -> None:
    """A policy that names nobody lets nobody approve; an empty list never means everybody."""
    request = with_policy(groups=())
    assert judge(vote(), request=request) is RequestState.PENDING
    assert approvers(request, MEMBERS, NOW) == frozenset()
    assert "nobody" in who(request.policy)


def test_unknown_group_means_nobody() -> None:
    """A group whose members cannot be had has no members."""
    assert judge(vote(), request=with_policy(groups=("finance",))) is RequestState.PENDING


@pytest.mark.parametrize("flag", ["bot", "deactivated", "stranger"])
def test_bots_deactivated_and_strangers_are_refused(flag: str) -> None:
    """Membership in the group does not help a bot, a deactivated user or somebody of another workspace."""
    person = Person("U_BEA", **{flag: True})  # type: ignore[arg-type]  # one of three booleans
    assert judge(vote(person=person)) is RequestState.PENDING
    assert objections(REQUEST, person, MEMBERS, NOW)


def test_two_votes_need_two_people() -> None:
    """Failure mode 24: the same person twice is one vote."""
    request = with_policy(votes=2)
    assert judge(vote(), vote(at=NOW + timedelta(minutes=1, seconds=5)), request=request) is RequestState.PENDING
    assert judge(vote(), vote("U_CHIDI"), request=request) is RequestState.APPROVED


def test_vote_on_another_digest_is_dismissed_with_the_reason() -> None:
    """A vote binds to what was shown; it does not count for anything else."""
    verdict = evaluate(REQUEST, (vote(digest="d0"),), MEMBERS, NOW + timedelta(minutes=2))
    assert verdict.state is RequestState.PENDING
    assert verdict.dismissed[0].reason == "what was voted on is not what would be done now"


def test_denial_decides_at_once() -> None:
    """One valid denial ends the request, whatever the approvals."""
    request = with_policy(votes=2)
    assert judge(vote(), vote("U_CHIDI", Choice.DENY), request=request) is RequestState.DENIED


def test_denial_of_an_outsider_does_not_count() -> None:
    """Somebody who may not approve may not deny either."""
    assert judge(vote("U_EVE", Choice.DENY)) is RequestState.PENDING


def test_changed_mind_counts_as_the_last_word() -> None:
    """Only a person's last vote counts."""
    changed = vote(choice=Choice.DENY, at=NOW + timedelta(minutes=1, seconds=30))
    assert judge(vote(), changed) is RequestState.DENIED


def test_a_later_vote_on_something_else_takes_the_place_of_an_earlier_one() -> None:
    """Whoever has moved on to another version of the action no longer stands behind this one."""
    moved_on = vote(digest="d0", at=NOW + timedelta(minutes=1, seconds=30))
    assert judge(vote(), moved_on) is RequestState.PENDING


def test_expiry_never_means_yes() -> None:
    """At its time the request is expired, even with all votes cast."""
    assert judge(vote(), at=REQUEST.expires_at) is RequestState.EXPIRED


def test_old_vote_is_dismissed() -> None:
    """A vote past its lifetime no longer counts."""
    request = with_policy(vote_lifetime=timedelta(seconds=30))
    assert judge(vote(), request=request) is RequestState.PENDING


def test_decided_request_stays_decided() -> None:
    """Votes on a request that has a final state change nothing, and the voter hears which."""
    denied = replace(REQUEST, state=RequestState.DENIED)
    assert judge(vote(), request=denied) is RequestState.DENIED
    assert "already denied" in objections(denied, Person("U_BEA"), MEMBERS, NOW)[0]


def test_confirmation_by_the_person_who_asked() -> None:
    """A message that its author read may be sent by the author alone; nobody else slips in."""
    request = with_policy(confirm=True, groups=())
    assert judge(vote("U_ANA"), request=request) is RequestState.APPROVED
    assert judge(vote("U_EVE"), request=request) is RequestState.PENDING


people = st.sampled_from(["U_ANA", "U_BEA", "U_CHIDI", "U_EVE"])
votes_drawn = st.lists(
    st.builds(
        vote,
        people,
        st.sampled_from(Choice),
        digest=st.sampled_from(["d1", "d0"]),
        at=st.integers(0, 40).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    ),
    max_size=8,
    unique_by=lambda drawn: drawn.at,
)


@given(votes_drawn, st.integers(1, 3), st.integers(0, 45), st.data())
def test_fewer_who_approve_never_approve(votes: list[Vote], needed: int, minute: int, data: st.DataObject) -> None:
    """Approval is monotone: without one of those who only ever approved, a request is approved no sooner."""
    request, at = with_policy(votes=needed), NOW + timedelta(minutes=minute)
    denying = {each.person for each in votes if each.choice is Choice.DENY}
    approving = sorted({each.person.id for each in votes if each.person not in denying})
    if not approving or judge(*votes, request=request, at=at) is RequestState.APPROVED:
        return
    gone = data.draw(st.sampled_from(approving))
    fewer = [each for each in votes if each.person.id != gone]
    assert judge(*fewer, request=request, at=at) is not RequestState.APPROVED


@given(votes_drawn, st.integers(1, 3), st.integers(0, 45))
def test_approved_means_enough_distinct_entitled_people(votes: list[Vote], needed: int, minute: int) -> None:
    """Whatever the votes, approved means: in time, on this digest, enough distinct members, not the requester."""
    request, at = with_policy(votes=needed), NOW + timedelta(minutes=minute)
    verdict = evaluate(request, tuple(votes), MEMBERS, at)
    if verdict.state is RequestState.APPROVED:
        voters = {each.person.id for each in verdict.counted}
        assert at < request.expires_at
        assert len(voters) >= needed
        assert voters <= MEMBERS["billing"] - {"U_ANA"}
        assert all(each.digest == request.digest for each in verdict.counted)


# -- hours, backup, emergencies, second proofs -------------------------------------------------------------------------

BERLIN = QuietHours(time(22), time(6), "Europe/Berlin")


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [
        (datetime(2026, 11, 21, 20, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 21, 21, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 22, 4, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 22, 5, 0, tzinfo=UTC), False),
        (datetime(2026, 7, 1, 20, 0, tzinfo=UTC), True),
    ],
)
def test_quiet_hours_follow_the_clock_of_their_zone(moment: datetime, quiet: bool) -> None:
    """They go over midnight, and with summer time."""
    assert BERLIN.covers(moment) is quiet


def test_everybody_who_had_a_hand_in_asking_stays_out() -> None:
    """Bea asked again for what Ana had asked for: neither of them may approve it, and a message is confirmed only by
    the one whose words it has."""
    request = replace(REQUEST, requested_by="U_BEA", askers=("U_ANA", "U_BEA"))
    for person in ("U_ANA", "U_BEA"):
        assert judge(vote(person), request=request) is RequestState.PENDING
    assert judge(vote("U_CHIDI"), request=request) is RequestState.APPROVED
    message = replace(request, policy=replace(request.policy, confirm=True))
    assert judge(vote("U_BEA"), request=message) is RequestState.APPROVED
    assert judge(vote("U_ANA"), request=message) is RequestState.PENDING


def test_quiet_hours_hold_yes_back_and_never_no() -> None:
    """In quiet hours nobody approves, whenever the vote is counted; a denial is always taken."""
    request = with_policy(quiet_hours=BERLIN)
    assert judge(vote(), request=request) is RequestState.PENDING
    assert objections(request, Person("U_BEA"), MEMBERS, NOW) == (
        "Only emergencies are approved between 22:00 and 06:00 Europe/Berlin.",
    )
    assert judge(vote(choice=Choice.DENY), request=request) is RequestState.DENIED


def test_weekends_may_be_quiet() -> None:
    """With weekends, Saturday and Sunday are quiet all day."""
    assert replace(BERLIN, weekends=True).covers(datetime(2026, 11, 21, 12, tzinfo=UTC))
    assert not replace(BERLIN, weekends=True).covers(datetime(2026, 11, 20, 12, tzinfo=UTC))


def test_the_backup_may_answer_when_it_is_its_turn() -> None:
    """Before two thirds of the request's time the backup has no say; after it, it has the same as everybody."""
    request = with_policy(backup="leads")
    members = {**MEMBERS, "leads": frozenset({"U_DEV"})}
    early, late = NOW + timedelta(minutes=19), NOW + timedelta(minutes=20)
    assert objections(request, Person("U_DEV"), members, early) == ("Only @billing may approve this.",)
    assert objections(request, Person("U_DEV"), members, late) == ()
    assert evaluate(request, (vote("U_DEV", at=late),), members, late).state is RequestState.APPROVED


def test_breaking_the_glass() -> None:
    """One of those who may goes ahead alone, also the requester and also in quiet hours, and says why."""
    request = with_policy(break_glass=("leads",), quiet_hours=BERLIN, votes=2)
    members = {**MEMBERS, "leads": frozenset({"U_ANA"})}
    broken = vote("U_ANA", Choice.BREAK_GLASS, reason="All customers are locked out")
    verdict = evaluate(request, (broken,), members, NOW + timedelta(minutes=2))
    assert (verdict.state, verdict.counted) == (RequestState.APPROVED, (broken,))
    assert verdict.reasons == ("Broke the glass: All customers are locked out",)
    for wrong in (
        replace(broken, reason="because"),
        replace(broken, person=Person("U_BEA")),
        replace(broken, digest=""),
    ):
        assert evaluate(request, (wrong,), members, NOW + timedelta(minutes=2)).state is RequestState.PENDING
    assert judge(broken) is RequestState.PENDING


@pytest.mark.parametrize(
    ("wanted", "shown", "enough"),
    [
        (StepUp.NONE, StepUp.NONE, True),
        (StepUp.CODE, StepUp.NONE, False),
        (StepUp.CODE, StepUp.NAME, False),
        (StepUp.CODE, StepUp.CODE, True),
        (StepUp.NAME, StepUp.NAME, True),
        (StepUp.NAME, StepUp.CODE, False),
        (StepUp.EITHER, StepUp.NAME, True),
        (StepUp.EITHER, StepUp.CODE, True),
        (StepUp.EITHER, StepUp.NONE, False),
    ],
)
def test_a_second_proof_is_asked_for(wanted: StepUp, shown: StepUp, enough: bool) -> None:
    """A yes without the proof that the policy asks for does not count; a no needs none."""
    request = with_policy(step_up=wanted)
    expected = RequestState.APPROVED if enough else RequestState.PENDING
    assert judge(vote(proof=shown), request=request) is expected
    assert judge(vote(choice=Choice.DENY), request=request) is RequestState.DENIED
