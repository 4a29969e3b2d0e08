"""The `wait` kind: go on when a condition over facts holds, or fail at a deadline; changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from bot.domain.change import EffectKey, Preview
from bot.domain.runbook import Effect, Section
from bot.domain.system import System
from bot.steps.base import AwaitCondition, Complaint, Outcome, Spec, StepContext
from bot.steps.durations import Span, span
from bot.steps.passive import Passive


class WaitSpec(Spec):
    """`until` is an expression over facts, kept as text: its checks are read again every `every`, for `at_most`."""

    until: str
    every: Span = "15s"
    at_most: Span = "10m"


class Wait(Passive):
    """Waiting is a row with a due time; this only says for what."""

    name: ClassVar[str] = "wait"
    spec: ClassVar[type[Spec]] = WaitSpec
    shorthand: ClassVar[str] = "until"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.ACTIONS})
    repeatable: ClassVar[bool] = True

    def effect(self, spec: WaitSpec, section: Section) -> Effect:
        """Changes nothing: needs no approval."""
        return Effect.NONE

    def lint(self, spec: WaitSpec, section: Section, system: System) -> Iterable[Complaint]:
        """The deadline lies behind the first look."""
        if span(spec.every) > span(spec.at_most):
            yield Complaint("It would never look: `every` is longer than `at_most`.", "every")

    async def preview(self, spec: WaitSpec, context: StepContext) -> Preview:
        """What is waited for."""
        return Preview(
            headline=f"Waits until {spec.until}, at most {spec.at_most}",
            payload={"until": spec.until, "every": spec.every, "at_most": spec.at_most},
            undo="nothing to undo",
        )

    async def act(self, spec: WaitSpec, approved: Preview, key: EffectKey, context: StepContext) -> Outcome:
        """Start waiting."""
        return AwaitCondition(spec.until, span(spec.every), span(spec.at_most))

    async def settle(self, spec: WaitSpec, key: EffectKey, context: StepContext) -> Outcome:
        """Waiting changed nothing: it starts over."""
        return AwaitCondition(spec.until, span(spec.every), span(spec.at_most))
