"""What may be meant and is dangerous all the same: changes that nothing verifies, or that cannot be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.authoring.document import ActionDoc, RunbookDoc
from bot.authoring.ledger import Ledger
from bot.authoring.stepping import Step
from bot.domain.policy import ApprovalPolicy
from bot.domain.runbook import UndoRule
from bot.errors import Mistake
from bot.steps.sql_shape import Change, Verb, shape

# What cannot be rehearsed is decided by one vote more than its policy says.
UNREHEARSED = frozenset({"command", "http", "manual"})
VERIFIED = frozenset({"sql", "http", "stripe", "command"})
_LOOK = "Add verify: with what must hold afterwards, over the checks."
_TWO = "Write approve: critical, or an undo: that takes it back."


def awaited(said: RunbookDoc) -> frozenset[str]:
    """The actions that some plan lets a wait follow: what it waits for is their verification."""
    waits = {key for key, raw in said.actions.items() if "wait" in raw}
    return frozenset(
        key
        for finding in said.findings.values()
        for key, after in zip(finding.propose, finding.propose[1:], strict=False)
        if after in waits
    )


def warn_of_dangers(
    ledger: Ledger, step: Step[ActionDoc], policy: ApprovalPolicy, undo: UndoRule, followed: frozenset[str]
) -> None:
    """Note a change that nothing verifies, itself or a wait that follows, and one that is gone for good on one person's
    word."""
    if step.kind.name in VERIFIED and step.common.verify is None and step.key not in followed:
        ledger.warning(step.path, "Nothing looks whether this worked.", _LOOK)
    taken_back = undo.automatic or undo.action is not None
    if not taken_back and policy.votes + (step.kind.name in UNREHEARSED) < 2 and (what := _gone_for_good(step)):
        ledger.warning(step.path, f"{what} cannot be taken back, and one vote decides on it.", _TWO)


def _gone_for_good(step: Step[ActionDoc]) -> str:
    """What of the step is known to be irrevocable, in a word or two."""
    spec: Mapping[str, Any] = step.spec
    match step.kind.name:
        case "sql":
            return "A deletion" if _deletes(spec.get("query")) else ""
        case "http":
            return "A deletion" if spec.get("delete") is not None else ""
        case "stripe":
            if spec.get("refund") is not None:
                return "A refund"
            if spec.get("delete") is not None:
                return "A deletion"
            at_once = spec.get("cancel") == "subscriptions" and not spec.get("at_period_end")
            return "A subscription that is ended at once" if at_once else ""
        case _:
            return ""


def _deletes(query: object) -> bool:
    statements = [query] if isinstance(query, str) else query if isinstance(query, list) else []
    try:
        shapes = [shape(str(each)) for each in statements]
    except Mistake:
        return False
    return any(isinstance(each, Change) and each.verb is Verb.DELETE for each in shapes)
