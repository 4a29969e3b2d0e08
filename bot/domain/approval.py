"""Approval as evaluation: votes over the digest of what was shown, judged purely, answered with reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from bot.domain.runbook import ApprovalPolicy


class Choice(StrEnum):
    """What a voter said."""

    APPROVE = "approve"
    DENY = "deny"


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
    """One person's say on one digest."""

    person: Person
    choice: Choice
    digest: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """A question to the approvers: may this action, exactly as shown, be done?"""

    id: str
    run: str
    action: str
    digest: str
    policy: ApprovalPolicy
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    state: RequestState = RequestState.PENDING


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


def approvers(policy: ApprovalPolicy, members: Members) -> frozenset[str]:
    """Everybody the policy names: the members of its groups and the people listed by id."""
    return frozenset(policy.people).union(*(members.get(group, frozenset()) for group in policy.groups))


def who(policy: ApprovalPolicy) -> str:
    """The approvers in words: "@billing or <@U1>"."""
    named = [f"@{group}" for group in policy.groups] + [f"<@{person}>" for person in policy.people]
    if policy.confirm:
        named.insert(0, "the person who asked")
    return " or ".join(named) or "nobody: the policy names no approver"


def objections(request: ApprovalRequest, person: Person, members: Members, now: datetime) -> tuple[str, ...]:
    """Why this person may not vote on this request now; empty means they may."""
    policy = request.policy
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
    asked = person.id == request.requested_by
    if asked and not (policy.requester_may_vote or policy.confirm):
        reasons.append("You asked for this; somebody else has to approve it.")
    elif not (asked and policy.confirm) and person.id not in approvers(policy, members):
        reasons.append(f"Only {who(policy)} may approve this.")
    return tuple(reasons)


def evaluate(request: ApprovalRequest, votes: tuple[Vote, ...], members: Members, now: datetime) -> Verdict:
    """What the votes amount to at `now`. Only the last vote of a person counts; a valid denial decides at once.

    Expiry never means yes: a request past its time is expired even if votes are missing by none later.
    """
    if request.state is not RequestState.PENDING:
        return Verdict(request.state, reasons=(f"Already {request.state}.",))
    if now >= request.expires_at:
        return Verdict(RequestState.EXPIRED, reasons=("Nobody decided in time; nothing was changed.",))
    latest = {vote.person.id: vote for vote in sorted(votes, key=lambda vote: vote.at)}
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
    return " ".join(objections(request, vote.person, members, now))
