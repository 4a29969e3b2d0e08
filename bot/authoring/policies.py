"""Who must say yes: what an action or the system file writes, over what it starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.authoring.document import ApproveDoc, QuietDoc
from bot.authoring.ledger import Ledger
from bot.authoring.problems import did_you_mean
from bot.authoring.reading import Path
from bot.domain.policy import ApprovalPolicy, QuietHours
from bot.domain.runbook import Severity
from bot.domain.system import Group, System

_SHORTEST_VOTE = timedelta(minutes=1)


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
        backup=base.backup if said.backup is None else said.backup,
        remind_after=base.remind_after if said.remind_after is None else said.remind_after,
        backup_after=base.backup_after if said.backup_after is None else said.backup_after,
        quiet_hours=base.quiet_hours if said.quiet_hours is None else _quiet(said.quiet_hours),
        break_glass=base.break_glass if said.break_glass is None else tuple(dict.fromkeys(said.break_glass)),
        step_up=base.step_up if said.step_up is None else said.step_up,
    )


def policy_of(said: ApproveDoc | None, system: System, severity: Severity) -> ApprovalPolicy:
    """The policy of one action: the system's for this severity or its critical one, with what the action writes over
    it."""
    usual = system.severity_policies.get(severity, system.default_policy)
    if said is None:
        return usual
    return policy_over(said, system.critical_policy if said.critical else usual)


def check_policy(
    ledger: Ledger, path: Path, policy: ApprovalPolicy, groups: Mapping[str, Group], *, rehearsed: bool = True
) -> None:
    """Note what is wrong with a policy: groups nobody knows, and votes that can never come together.

    What cannot be rehearsed needs one vote more than its policy says, and nobody confirms it alone.
    """
    for name in policy.everybody:
        if name not in groups:
            ledger.error(path, f"There is no group «{name}».", did_you_mean(name, groups))
    _check_times(ledger, path, policy)
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
    wanted = [*policy.groups, *([policy.backup] if policy.backup else [])]
    known = [groups[name] for name in wanted if name in groups]
    if len(known) < len(wanted) or any(group.slack for group in known):
        return True
    people = {*policy.people, *(person for group in known for person in group.people)}
    return len(people) >= policy.votes


def warn_if_alone(ledger: Ledger, path: Path, policy: ApprovalPolicy) -> None:
    """Note an action that one person could ask for and approve."""
    if policy.votes == 1 and (policy.requester_may_vote or policy.confirm):
        hint = "Leave out confirm and requester_may_vote, or ask for two votes."
        ledger.warning(path, "One person alone can ask for this and approve it.", hint)


def _check_times(ledger: Ledger, path: Path, policy: ApprovalPolicy) -> None:
    if policy.backup and policy.climbs >= policy.request_lifetime:
        ledger.error(path, "The backup would be asked when the request has expired already.", "Shorten backup_after.")
    if policy.remind_after is not None and policy.remind_after >= policy.request_lifetime:
        ledger.error(path, "The reminder would come when the request has expired already.", "Shorten remind_after.")
    if policy.vote_lifetime < policy.request_lifetime and policy.votes > 1 and policy.vote_lifetime < _SHORTEST_VOTE:
        ledger.warning(path, "A vote is good for less than a minute: two people will hardly ever meet.")
    if policy.quiet_hours is not None:
        try:
            ZoneInfo(policy.quiet_hours.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            hint = "Write one such as Europe/Berlin or UTC."
            ledger.error(path, f"There is no time zone «{policy.quiet_hours.zone[:60]}».", hint)


def _quiet(said: QuietDoc) -> QuietHours:
    return QuietHours(time.fromisoformat(said.start), time.fromisoformat(said.end), said.zone, said.weekends)
