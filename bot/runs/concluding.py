"""Drawing the findings: pure conditions over the facts, each said in its own words."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from bot.authoring.templates import TemplateError, UndefinedFact, compile_expression, compile_template
from bot.domain.facts import Fact
from bot.domain.run import Conclusion, Run
from bot.domain.runbook import Finding, Runbook
from bot.runs.scope import scope_of
from bot.runs.work import Work

log = structlog.get_logger(__name__)


def conclusions(run: Run, runbook: Runbook, facts: Mapping[str, Fact], work: Work) -> tuple[Conclusion, ...]:
    """The findings that hold, in the runbook's order. One that reads a fact which is not there does not hold."""
    return tuple(
        Conclusion(finding.key, _said(run, finding, facts, work), finding.propose, finding.together)
        for finding in runbook.findings
        if holds(run, finding, facts, work)
    )


def holds(run: Run, finding: Finding, facts: Mapping[str, Fact], work: Work) -> bool:
    """Whether one finding holds over these facts."""
    try:
        return bool(compile_expression(finding.when).evaluate(scope_of(run, facts, work.clock.now())))
    except UndefinedFact:
        return False
    except TemplateError as error:
        log.warning("finding cannot be judged", run=run.id, finding=finding.key, error=str(error))
        return False


def _said(run: Run, finding: Finding, facts: Mapping[str, Fact], work: Work) -> str:
    try:
        return compile_template(finding.say).render(scope_of(run, facts, work.clock.now())).strip()
    except TemplateError as error:
        log.warning("finding cannot be said", run=run.id, finding=finding.key, error=str(error))
        return f"«{finding.key}» holds, but its sentence could not be made: {error}"
