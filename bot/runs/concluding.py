"""Drawing the findings: pure conditions over the facts, each said in its own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import structlog

from bot.authoring.templates import TemplateError, UndefinedFact, compile_expression, compile_template
from bot.domain.facts import Fact
from bot.domain.masking import Censor
from bot.domain.run import Conclusion, Run
from bot.domain.runbook import Finding, Runbook
from bot.runs.masking import Veil, rule_of
from bot.runs.scope import scope_of
from bot.runs.work import Work

log = structlog.get_logger(__name__)


def conclusions(run: Run, runbook: Runbook, facts: Mapping[str, Fact], work: Work) -> tuple[Conclusion, ...]:
    """The findings of a run that hold."""
    now = work.clock.now()
    found = concluded(runbook.findings, scope_of(run, facts, now))
    if not run.support:
        return found
    veil = Veil.over(rule_of(work.system), runbook.checks)
    return in_masks(found, runbook.findings, veil.scope(run, facts, now), veil.censor(facts, run.inputs))


UNSAID = "but its sentence could not be made"


def concluded(findings: Iterable[Finding], scope: Mapping[str, Any]) -> tuple[Conclusion, ...]:
    """The findings that hold, in the runbook's order. One that reads a fact which is not there does not hold."""
    return tuple(
        Conclusion(finding.key, _said(finding, scope), finding.propose, finding.together)
        for finding in findings
        if _holds(finding, scope)
    )


def in_masks(
    found: Iterable[Conclusion], findings: Iterable[Finding], scope: Mapping[str, Any], censor: Censor
) -> tuple[Conclusion, ...]:
    """What holds over the whole facts, said over masked ones as well."""
    by_key = {finding.key: finding for finding in findings}
    return tuple(replace(each, masked=_said_in_masks(by_key[each.key], scope, censor)) for each in found)


def _said_in_masks(finding: Finding, scope: Mapping[str, Any], censor: Censor) -> str:
    try:
        return censor.words(compile_template(finding.say).render(scope).strip())
    except TemplateError as error:
        log.info("finding cannot be said in masks", finding=finding.key, error=str(error))
        return f"«{finding.key}» holds; its sentence is made of values that are masked here."


def holds(run: Run, finding: Finding, facts: Mapping[str, Fact], work: Work) -> bool:
    """Whether one finding holds over these facts."""
    return _holds(finding, scope_of(run, facts, work.clock.now()))


def _holds(finding: Finding, scope: Mapping[str, Any]) -> bool:
    try:
        return bool(compile_expression(finding.when).evaluate(scope))
    except UndefinedFact:
        return False
    except TemplateError as error:
        log.warning("finding cannot be judged", finding=finding.key, error=str(error))
        return False


def _said(finding: Finding, scope: Mapping[str, Any]) -> str:
    try:
        return compile_template(finding.say).render(scope).strip()
    except TemplateError as error:
        log.warning("finding cannot be said", finding=finding.key, error=str(error))
        return f"«{finding.key}» holds, {UNSAID}: {error}"
