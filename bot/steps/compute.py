"""The `compute` kind: facts from other facts, by expressions alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from bot.domain.facts import Fact, FactStatus, bounded
from bot.domain.runbook import Effect, Section
from bot.domain.system import System
from bot.steps.base import EXPRESSION, Complaint, Look, Spec, StepContext
from bot.steps.forms import reserved
from bot.steps.passive import Passive

SUMMARY = 60


class ComputeSpec(Spec):
    """`expression` gives the fact's `value`; `values` gives several by name."""

    expression: Annotated[Any, EXPRESSION] = None
    values: Annotated[dict[str, Any], EXPRESSION] = Field(default_factory=dict)


class Compute(Passive):
    """Evaluated by the time it is looked at: the rendered spec holds the results."""

    name: ClassVar[str] = "compute"
    spec: ClassVar[type[Spec]] = ComputeSpec
    shorthand: ClassVar[str] = "expression"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.CHECKS})
    repeatable: ClassVar[bool] = True

    def effect(self, spec: ComputeSpec, section: Section) -> Effect:
        """Looks at facts only."""
        return Effect.READ

    def lint(self, spec: ComputeSpec, section: Section, system: System) -> Iterable[Complaint]:
        """Exactly one of expression and values."""
        if (spec.expression is None) == (not spec.values):
            yield Complaint("Say either `expression` or `values`.", "expression")
        for name in reserved(spec.values):
            yield Complaint(f"«{name}» is a name every fact has already.", f"values.{name}", "Call it something else.")

    async def look(self, spec: ComputeSpec, context: StepContext) -> Look:
        """The results as a fact."""
        if spec.values:
            value: Mapping[str, Any] = bounded(dict(spec.values))
            summary = ", ".join(f"{name} {_short(item)}" for name, item in list(value.items())[:3])
        else:
            value = {"value": bounded(spec.expression)}
            summary = _short(value["value"])
        return Fact(FactStatus.DONE, value, summary=context.targets.redact(summary))


def _short(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "nothing"}[value]
    text = f"{len(value):,} items" if isinstance(value, list | dict) else str(value)
    return text if len(text) <= SUMMARY else f"{text[:SUMMARY]}…"
