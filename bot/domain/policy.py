"""Who must say yes, how many, when and how sure: the rule that a request for approval is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

ON_CALL = "on_call"
"""The group that every system has without naming it: its people on call."""


class StepUp(StrEnum):
    """What a voter proves beside being who Slack says: nothing, a code of their authenticator, or that they know what
    they are about to change by typing its name."""

    NONE = "none"
    CODE = "code"
    NAME = "name"
    EITHER = "either"

    def met_by(self, proof: StepUp) -> bool:
        """Whether this proof is enough."""
        if self is StepUp.NONE:
            return True
        return proof in (StepUp.CODE, StepUp.NAME) if self is StepUp.EITHER else proof is self


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The hours of the day, in a time zone, in which only an emergency is approved; `weekends` are quiet all day."""

    start: time
    end: time
    zone: str
    weekends: bool = False

    def covers(self, moment: datetime) -> bool:
        """Whether the moment (with its zone) lies in the quiet hours."""
        local = moment.astimezone(ZoneInfo(self.zone))
        if self.weekends and local.weekday() >= 5:
            return True
        now = local.time()
        if self.start <= self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end

    def __str__(self) -> str:
        weekends = " and at weekends" if self.weekends else ""
        return f"between {self.start:%H:%M} and {self.end:%H:%M} {self.zone}{weekends}"


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """Who may say yes to an action and how many must; resolved from the action, its severity and the system.

    `groups` are names of the system's approver groups, `people` are Slack user ids. With `confirm` the person who
    asked may say yes alone: used for messages that a person reads before they go out. An unanswered request reminds
    its approvers after `remind_after` and may also be answered by the group `backup` from `backup_after` on; without
    either, after a third and two thirds of its lifetime. The groups in `break_glass` may go ahead alone with a reason.
    """

    groups: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    votes: int = 1
    requester_may_vote: bool = False
    confirm: bool = False
    vote_lifetime: timedelta = timedelta(minutes=30)
    request_lifetime: timedelta = timedelta(minutes=30)
    backup: str = ""
    remind_after: timedelta | None = None
    backup_after: timedelta | None = None
    quiet_hours: QuietHours | None = None
    break_glass: tuple[str, ...] = ()
    step_up: StepUp = StepUp.NONE

    @property
    def reminds(self) -> timedelta:
        """How long a request waits before its approvers are reminded."""
        return self.request_lifetime / 3 if self.remind_after is None else self.remind_after

    @property
    def climbs(self) -> timedelta:
        """How long a request waits before the backup is asked."""
        return self.request_lifetime * 2 / 3 if self.backup_after is None else self.backup_after

    @property
    def everybody(self) -> tuple[str, ...]:
        """Every group that the policy mentions, without repetition."""
        backup = (self.backup,) if self.backup else ()
        return tuple(dict.fromkeys([*self.groups, *backup, *self.break_glass]))


def joined(policies: Sequence[ApprovalPolicy]) -> ApprovalPolicy | None:
    """The strictest of several policies, for one vote over several actions; None when different people decide."""
    first, *others = policies
    if any((set(each.groups), set(each.people)) != (set(first.groups), set(first.people)) for each in others):
        return None
    if any(each.quiet_hours != first.quiet_hours or each.backup != first.backup for each in others):
        return None
    proofs = {each.step_up for each in policies} - {StepUp.NONE, StepUp.EITHER}
    if len(proofs) > 1:
        return None
    weaker = StepUp.EITHER if any(each.step_up is StepUp.EITHER for each in policies) else StepUp.NONE
    may_break = set(first.break_glass).intersection(*(each.break_glass for each in others))
    return replace(
        first,
        votes=max(each.votes for each in policies),
        requester_may_vote=all(each.requester_may_vote for each in policies),
        confirm=all(each.confirm for each in policies),
        vote_lifetime=min(each.vote_lifetime for each in policies),
        request_lifetime=min(each.request_lifetime for each in policies),
        break_glass=tuple(group for group in first.break_glass if group in may_break),
        step_up=next(iter(proofs), weaker),
    )
