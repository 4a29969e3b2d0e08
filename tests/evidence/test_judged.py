"""Which votes count in the record, and when a digest is proven: judged as it was judged when the votes came."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.approval import ApprovalRequest, Choice, Person, RequestState, Vote
from bot.domain.change import Preview, digest_of, sha256_of, shown
from bot.domain.facts import to_json
from bot.domain.policy import ApprovalPolicy
from bot.evidence.case import proven
from bot.evidence.judged import approvers, judged
from bot.store.approvals import Asked, FiledRequest, StoredRequest
from bot.store.codec import pack

pytestmark = pytest.mark.production

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
POLICY = ApprovalPolicy(groups=("billing",), votes=2, break_glass=("leads",))
REQUEST = ApprovalRequest("r", "run", "fix", "d", POLICY, "U_ANA", NOW, NOW + timedelta(hours=2), RequestState.APPROVED)


def vote(person: str, choice: Choice = Choice.APPROVE, minutes: int = 0, reason: str = "") -> Vote:
    """A vote some minutes after the request."""
    return Vote(Person(person), choice, "d", NOW + timedelta(minutes=minutes), reason)


GLASS = "the site is down"


@pytest.mark.parametrize(
    ("votes", "reasons", "yes"),
    [
        ((), [], []),
        ((vote("U_BEN"), vote("U_DEV", minutes=1)), ["", ""], ["U_BEN", "U_DEV"]),
        ((vote("U_BEN"), vote("U_DEV", Choice.DENY, 1, "no")), ["somebody denied", ""], []),
        (
            (vote("U_BEN", Choice.DENY, 0), vote("U_BEN", minutes=1)),
            ["replaced by a later vote of the same person", ""],
            ["U_BEN"],
        ),
        ((vote("U_BEN"), vote("U_DEV", minutes=31)), ["the vote is too old", ""], ["U_DEV"]),
        ((vote("U_CHLOE", Choice.BREAK_GLASS, 1, GLASS),), [""], ["U_CHLOE"]),
    ],
)
def test_which_votes_count(votes: tuple[Vote, ...], reasons: list[str], yes: list[str]) -> None:
    """A vote counts unless a later one replaced it, it was too old, or a denial decided; the decision that came later
    changes nothing of it."""
    for state in (RequestState.APPROVED, RequestState.VOIDED, RequestState.EXPIRED):
        request = replace(REQUEST, state=state)
        assert [each.reason for each in judged(request, votes)] == reasons
        assert [person.id for person in approvers(request, votes)] == yes


def asked(action: str) -> Asked:
    """One action as it is stored, with what its digest is made of."""
    spec, preview = {"query": f"UPDATE {action}", "at": NOW}, Preview("1 row", {"at": NOW})
    bound = to_json({"action": action, "spec": spec, "shown": shown(preview)})
    return Asked(sha256_of(bound), spec, preview, bound)


def filed(*parts: tuple[str, Asked], digest: str = "") -> FiledRequest:
    """A request over these actions."""
    digests = [part.digest for _, part in parts]
    right = digests[0] if len(parts) == 1 else digest_of({"plan": digests, "policy": pack(POLICY)})
    stored = StoredRequest(replace(REQUEST, digest=digest or right), dict(parts))
    return FiledRequest(stored, 1, None, "", (), pack(POLICY))


def test_a_digest_is_proven_or_not() -> None:
    """It holds for one action and for a plan; not after the digest, the statement, the preview or what they were bound
    to was changed; and nobody can say where an earlier release kept nothing."""
    one, two = ("fix", asked("fix")), ("tell", asked("tell"))
    assert proven(filed(one)).holds is True
    plan = proven(filed(one, two))
    assert plan.holds is True
    assert sha256_of(plan.material) == plan.filed.request.digest
    assert proven(filed(one, digest="e" * 64)).holds is False
    assert proven(filed(one, two, digest=one[1].digest)).holds is False
    fix = one[1]
    for changed in (
        replace(fix, spec={**fix.spec, "query": "DELETE"}),
        replace(fix, preview=replace(fix.preview, lines=("harmless",))),
        replace(fix, bound={**fix.bound, "action": "other"}),
        replace(fix, digest="e" * 64),
    ):
        assert proven(filed(("fix", changed), digest=fix.digest)).holds is False
    assert proven(filed(("fix", replace(fix, bound=None)))).holds is None
