"""What a screen needs to show a run: loaded once, rendered by pure views in Slack and in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.approval import ApprovalRequest, Verdict, Vote
from bot.domain.change import Preview, Receipt
from bot.domain.checklist import Item
from bot.domain.facts import Fact
from bot.domain.incident import Incident
from bot.domain.run import CheckRun, Run
from bot.domain.runbook import Input, Runbook


@dataclass(frozen=True, slots=True)
class ApprovalShown:
    """One request for approval as approvers see it: the previews its digest was made of, by action, and how the votes
    stand. `masked` says that the previews are not shown whole."""

    request: ApprovalRequest
    previews: Mapping[str, Preview]
    votes: tuple[Vote, ...]
    verdict: Verdict
    masked: bool = False

    @property
    def preview(self) -> Preview:
        """What would be done first."""
        return self.previews[self.request.action]


@dataclass(frozen=True, slots=True)
class QuestionShown:
    """A question of the run that waits for a person: its form, a list to choose from, or items to tick."""

    check: str
    text: str
    form: tuple[Input, ...]
    options: tuple[Mapping[str, str], ...] = ()
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class RunShown:
    """A run with everything its card, its thread and its summary say.

    `approvals` and `receipts` are by action key; `previous` names the last run of this runbook with these inputs, which
    the `changed` marks of the checks compare with. `left` counts, by check, the rows that support people do not see.
    """

    run: Run
    runbook: Runbook
    now: datetime
    facts: Mapping[str, Fact] = field(default_factory=dict)
    approvals: Mapping[str, ApprovalShown] = field(default_factory=dict)
    receipts: Mapping[str, Receipt] = field(default_factory=dict)
    questions: tuple[QuestionShown, ...] = ()
    reports: Mapping[str, QuestionShown] = field(default_factory=dict)
    incident: Incident | None = None
    previous: int | None = None
    left: Mapping[str, int] = field(default_factory=dict)

    @property
    def checks(self) -> tuple[CheckRun, ...]:
        """The run's checks in the runbook's order."""
        order = [*self.runbook.checks, *(key for key in self.run.checks if key not in self.runbook.checks)]
        return tuple(self.run.checks[key] for key in order if key in self.run.checks)
