"""Who must say yes: what an action or the system file writes, over what it starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.authoring.document import ApproveDoc
from bot.authoring.ledger import Ledger
from bot.authoring.problems import did_you_mean
from bot.authoring.reading import Path
from bot.domain.runbook import ApprovalPolicy
from bot.domain.system import Group, System


def policy_over(said: ApproveDoc, base: ApprovalPolicy) -> ApprovalPolicy:
    """The policy with everything replaced that is written; naming approvers replaces all approvers."""
    groups = tuple(dict.fromkeys([*([said.group] if said.group else []), *said.groups]))
    named = bool(groups or said.people)
    return replace(
        base,
        groups=groups if named else base.groups,
        people=tuple(said.people) if named else base.people,
        votes=said.votes if said.votes is not None else 1 if said.confirm else base.votes,
        requester_may_vote=base.requester_may_vote if said.requester_may_vote is None else said.requester_may_vote,
        confirm=said.confirm or base.confirm,
        vote_lifetime=said.vote_lifetime or base.vote_lifetime,
        request_lifetime=said.request_lifetime or base.request_lifetime,
    )


def policy_of(said: ApproveDoc | None, system: System) -> ApprovalPolicy:
    """The policy of one action: the system's default or critical one, with what the action writes over it."""
    if said is None:
        return system.default_policy
    return policy_over(said, system.critical_policy if said.critical else system.default_policy)


def check_policy(
    ledger: Ledger, path: Path, policy: ApprovalPolicy, groups: Mapping[str, Group], *, rehearsed: bool = True
) -> None:
    """Note what is wrong with a policy: groups nobody knows, and votes that can never come together.

    What cannot be rehearsed needs one vote more than its policy says, and nobody confirms it alone.
    """
    for name in policy.groups:
        if name not in groups:
            ledger.error(path, f"There is no group «{name}».", did_you_mean(name, groups))
    if policy.confirm and policy.votes == 1 and rehearsed:
        return
    if not rehearsed:
        policy = replace(policy, votes=policy.votes + 1, confirm=False)
    if not policy.groups and not policy.people:
        hint = "Name a group: approve: {group: …}, or give the system a default."
        ledger.error(path, "Nobody may approve this: it names no group and no person.", hint)
    elif not can_be_met(policy, groups):
        hint = "" if rehearsed else "One vote is added because this cannot be rehearsed."
        ledger.error(path, f"{policy.votes} votes can never come together: too few people are named.", hint)


def can_be_met(policy: ApprovalPolicy, groups: Mapping[str, Group]) -> bool:
    """Whether enough people are named; a Slack user group may hold any number."""
    known = [groups[name] for name in policy.groups if name in groups]
    if len(known) < len(policy.groups) or any(group.slack for group in known):
        return True
    people = {*policy.people, *(person for group in known for person in group.people)}
    return len(people) >= policy.votes
