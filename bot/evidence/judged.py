"""Which votes on a request counted, and why the others did not: as it was judged when the last of them came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.approval import ApprovalRequest, Choice, Members, Person, RequestState, Vote, evaluate


@dataclass(frozen=True, slots=True)
class Judged:
    """A vote; `reason` says why it did not count and is empty when it did."""

    vote: Vote
    reason: str = ""


def judged(request: ApprovalRequest, votes: Sequence[Vote]) -> list[Judged]:
    """Every recorded vote in the order they came. Nobody who was not an approver is among them: their clicks were
    refused and are on the trail only."""
    if not votes:
        return []
    voters = frozenset(vote.person.id for vote in votes)
    members: Members = dict.fromkeys(request.policy.everybody, voters)
    pending = replace(request, state=RequestState.PENDING)
    verdict = evaluate(pending, tuple(votes), members, max(vote.at for vote in votes))
    dismissed = {id(each.vote): each.reason for each in verdict.dismissed}
    counted = {id(vote) for vote in verdict.counted}
    return [Judged(vote, _reason(vote, votes[place + 1 :], counted, dismissed)) for place, vote in enumerate(votes)]


def _reason(vote: Vote, later: Sequence[Vote], counted: set[int], dismissed: dict[int, str]) -> str:
    if id(vote) in counted:
        return ""
    if any(each.person.id == vote.person.id for each in later):
        return "replaced by a later vote of the same person"
    return dismissed.get(id(vote), "somebody denied")


def approvers(request: ApprovalRequest, votes: Sequence[Vote]) -> list[Person]:
    """Who approved a request, by the votes that counted; breaking the glass is one."""
    counted = [each.vote for each in judged(request, votes) if not each.reason]
    return [vote.person for vote in counted if vote.choice is not Choice.DENY]
