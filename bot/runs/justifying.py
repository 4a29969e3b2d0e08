"""Whether an action is called for: the checks that speak for it, and its finding judged over what they see now."""

from __future__ import annotations

from bot.domain.facts import FactStatus
from bot.domain.run import ActionRun, Run
from bot.domain.runbook import Action, Finding
from bot.runs.concluding import holds
from bot.runs.looking import reread
from bot.runs.work import Work

CURED = "What it was proposed for is no longer so."


def finding_of(work: Work, going: ActionRun) -> Finding | None:
    """The finding that proposed an action; None for one that a person chose."""
    return next((each for each in work.runbook.findings if each.key == going.finding), None)


def evidence_of(work: Work, going: ActionRun, action: Action) -> frozenset[str]:
    """The checks that justify an action: named by the author, or those its finding and its values read."""
    if action.evidence:
        return frozenset(action.evidence)
    finding = finding_of(work, going)
    return (action.needs | (finding.needs if finding else frozenset())) & set(work.runbook.checks)


def follows(run: Run, going: ActionRun) -> bool:
    """Whether an earlier action of the plan has taken effect: what it put right no longer speaks for the later ones,
    and their own conditions decide."""
    earlier = run.plan[: run.plan.index(going.key)] if going.key in run.plan else ()
    return any(run.actions[key].status.effected for key in earlier)


async def cured(work: Work, run: Run, key: str) -> tuple[Run, bool]:
    """Whether what speaks for the first action of a plan is gone since another finding's actions took effect: then
    nobody is asked. What cannot be looked at speaks for it still."""
    going = run.actions[key]
    finding = finding_of(work, going)
    others = key in run.plan and not follows(run, going) and any(each.status.effected for each in run.actions.values())
    if finding is None or going.by or not others:
        return run, False
    spoke = finding.needs & set(work.runbook.checks)
    run, facts = await reread(work, run, spoke | evidence_of(work, going, work.runbook.actions[key]))
    seen = all(facts[each].status is FactStatus.DONE for each in spoke if each in facts)
    return run, seen and not holds(run, finding, facts, work)
