"""Approval as evaluation: votes over the digest of what was shown, judged purely, answered with reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from bot.domain.policy import ApprovalPolicy, StepUp

SHORTEST_REASON = 10
CLOCKS_DIFFER = timedelta(minutes=1)
"""How far the clocks of two replicas may be apart before a vote counts as cast in the future."""


class Choice(StrEnum):
    """What a voter said. To break the glass is to go ahead alone in an emergency, with a reason, and be asked about it
    later."""

    APPROVE = "approve"
    DENY = "deny"
    BREAK_GLASS = "break the glass"


class RequestState(StrEnum):
    """Where a request for approval stands; all but `pending` are final."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    VOIDED = "voided"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on Slack, as the bot knows them at the moment they click."""

    id: str
    name: str = ""
    bot: bool = False
    deactivated: bool = False
    stranger: bool = False


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's say on one digest; `proof` is what they showed beside being who Slack says."""

    person: Person
    choice: Choice
    digest: str
    at: datetime
    reason: str = ""
    proof: StepUp = StepUp.NONE


def name_of(target: str) -> str:
    """A target ("alacarte:business 0a1a…") as its author calls it."""
    return target.partition(":")[2]


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """A question to the approvers: may this action, exactly as shown, be done?

    `target` names what is acted on, if its author said so. `opens_at` and `closes_at` are the window that work planned
    ahead is approved for; without them it is done as soon as it is approved. `also` are the further actions of a plan
    that the same vote decides, in order. `askers` are all who had a hand in asking: whoever started the run, chose the
    action, tried it again, changed its words or planned it.
    """

    id: str
    run: str
    action: str
    digest: str
    policy: ApprovalPolicy
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    state: RequestState = RequestState.PENDING
    target: str = ""
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    also: tuple[str, ...] = ()
    askers: tuple[str, ...] = ()

    @property
    def actions(self) -> tuple[str, ...]:
        """Every action that the request is about, in order."""
        return (self.action, *self.also)

    @property
    def named(self) -> str:
        """The target as its author calls it, without its system."""
        return name_of(self.target)

    def next_nudge(self, now: datetime) -> datetime:
        """When somebody is to be reminded next, or the end of the request when nobody is any more."""
        policy = self.policy
        moments = (self.requested_at + policy.reminds, self.requested_at + policy.climbs)
        return min((moment for moment in moments if now < moment < self.expires_at), default=self.expires_at)

    def climbed(self, now: datetime) -> bool:
        """Whether it is the backup's turn."""
        return bool(self.policy.backup) and now >= self.requested_at + self.policy.climbs


@dataclass(frozen=True, slots=True)
class Dismissed:
    """A vote that does not count, and why."""

    vote: Vote
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the votes amount to; `reasons` are the sentences that Slack, the command line and the audit trail show."""

    state: RequestState
    counted: tuple[Vote, ...] = ()
    missing: int = 0
    dismissed: tuple[Dismissed, ...] = ()
    reasons: tuple[str, ...] = ()


Members: TypeAlias = Mapping[str, frozenset[str]]


def approvers(request: ApprovalRequest, members: Members, now: datetime) -> frozenset[str]:
    """Everybody who may say yes at `now`: the people and groups that the policy names, and the backup once it is its
    turn."""
    policy = request.policy
    groups = [*policy.groups, *([policy.backup] if request.climbed(now) else [])]
    return frozenset(policy.people).union(*(members.get(group, frozenset()) for group in groups))


def who(policy: ApprovalPolicy) -> str:
    """The approvers in words: "@billing or <@U1>"."""
    named = [f"@{group}" for group in policy.groups] + [f"<@{person}>" for person in policy.people]
    if policy.confirm:
        named.insert(0, "the person who asked")
    return " or ".join(named) or "nobody: the policy names no approver"


def objections(
    request: ApprovalRequest,
    person: Person,
    members: Members,
    now: datetime,
    choice: Choice = Choice.APPROVE,
    *,
    said_at: datetime | None = None,
) -> tuple[str, ...]:
    """Why this person may not say this on the request now; empty means they may. Quiet hours are those in which it was
    said (`said_at`), whenever it is counted."""
    reasons = []
    if request.state is not RequestState.PENDING:
        reasons.append(f"This request is already {request.state}.")
    elif now >= request.expires_at:
        reasons.append("This request has expired; ask again.")
    if person.bot:
        reasons.append("Bots cannot vote.")
    if person.deactivated:
        reasons.append("Deactivated users cannot vote.")
    if person.stranger:
        reasons.append("People from other workspaces cannot vote.")
    if choice is Choice.BREAK_GLASS:
        reasons += _cannot_break_glass(request.policy, person, members)
    else:
        reasons += _not_entitled(request, person, members, now, denies=choice is Choice.DENY)
        reasons += _too_quiet(request.policy, said_at or now) if choice is Choice.APPROVE else ()
    return tuple(reasons)


def _not_entitled(
    request: ApprovalRequest, person: Person, members: Members, now: datetime, *, denies: bool
) -> list[str]:
    policy, confirms = request.policy, request.policy.confirm and person.id == request.requested_by
    asked = person.id in (request.requested_by, *request.askers)
    if asked and not (confirms or policy.requester_may_vote):
        again = "leave it out instead of denying it" if denies else "somebody else has to approve it"
        return [f"You asked for this; {again}."]
    if not confirms and person.id not in approvers(request, members, now):
        return [f"Only {who(policy)} may {'deny' if denies else 'approve'} this."]
    return []


def _too_quiet(policy: ApprovalPolicy, now: datetime) -> list[str]:
    if policy.quiet_hours is None or not policy.quiet_hours.covers(now):
        return []
    way = " If it cannot wait, break the glass." if policy.break_glass else ""
    return [f"Only emergencies are approved {policy.quiet_hours}.{way}"]


def _cannot_break_glass(policy: ApprovalPolicy, person: Person, members: Members) -> list[str]:
    if not policy.break_glass:
        return ["The glass cannot be broken for this: its policy names nobody who may."]
    if person.id in frozenset().union(*(members.get(group, frozenset()) for group in policy.break_glass)):
        return []
    return [f"Only @{' or @'.join(policy.break_glass)} may break the glass for this."]


def evaluate(request: ApprovalRequest, votes: tuple[Vote, ...], members: Members, now: datetime) -> Verdict:
    """What the votes, in the order in which they came, amount to at `now`. Only the last vote of a person counts; a
    valid denial decides at once, and so does a valid breaking of the glass.

    Expiry never means yes: a request past its time is expired even if votes are missing by none later.
    """
    if request.state is not RequestState.PENDING:
        return Verdict(request.state, reasons=(f"Already {request.state}.",))
    if now >= request.expires_at:
        return Verdict(RequestState.EXPIRED, reasons=("Nobody decided in time; nothing was changed.",))
    # Their order is the database's: by its time a vote that was changed on a replica with a slow clock would be older.
    latest = {vote.person.id: vote for vote in votes}
    counted, dismissed = [], []
    for vote in latest.values():
        reason = _dismissal(request, vote, members, now)
        if reason:
            dismissed.append(Dismissed(vote, reason))
        else:
            counted.append(vote)
    denial = next((vote for vote in counted if vote.choice is Choice.DENY), None)
    if denial is not None:
        return Verdict(RequestState.DENIED, (denial,), 0, tuple(dismissed), (f"Denied: {denial.reason}",))
    broken = next((vote for vote in counted if vote.choice is Choice.BREAK_GLASS), None)
    if broken is not None:
        return Verdict(RequestState.APPROVED, (broken,), 0, tuple(dismissed), (f"Broke the glass: {broken.reason}",))
    missing = max(0, request.policy.votes - len(counted))
    if missing:
        plural = "vote" if missing == 1 else "votes"
        reasons = (f"Waiting for {missing} {plural} of {who(request.policy)}.",)
        return Verdict(RequestState.PENDING, tuple(counted), missing, tuple(dismissed), reasons)
    return Verdict(RequestState.APPROVED, tuple(counted), 0, tuple(dismissed), ("Approved.",))


def _dismissal(request: ApprovalRequest, vote: Vote, members: Members, now: datetime) -> str:
    if vote.digest != request.digest:
        return "what was voted on is not what would be done now"
    if now - vote.at >= request.policy.vote_lifetime:
        return "the vote is too old"
    if vote.at - now > CLOCKS_DIFFER:
        return "the clock has been set back since it was cast"
    if vote.choice is not Choice.DENY and not request.policy.step_up.met_by(vote.proof):
        return "it lacks the second proof that the policy asks for"
    if vote.choice is Choice.BREAK_GLASS and len(vote.reason.strip()) < SHORTEST_REASON:
        return "it lacks a reason"
    return " ".join(objections(request, vote.person, members, now, vote.choice, said_at=vote.at))
