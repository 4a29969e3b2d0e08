"""The `runbook` kind: another runbook of the system is started in the same incident and asks for its own changes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar

from pydantic import Field

from bot.domain.change import EffectKey, Preview
from bot.domain.facts import to_json
from bot.domain.runbook import Effect, Section
from bot.domain.system import System
from bot.steps.base import EXPRESSION, Complaint, Outcome, Spec, Starts, StepContext
from bot.steps.passive import Passive

_ID = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")


class RunbookSpec(Spec):
    """`start` is the id of a runbook of this system, `inputs` what it is given."""

    start: str
    inputs: Annotated[dict[str, Any], EXPRESSION] = Field(default_factory=dict)


class Runbook(Passive):
    """Starting is a row in the bot's own database; whoever advances the run writes it."""

    name: ClassVar[str] = "runbook"
    spec: ClassVar[type[Spec]] = RunbookSpec
    shorthand: ClassVar[str] = "start"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.ACTIONS})
    repeatable: ClassVar[bool] = True

    def effect(self, spec: RunbookSpec, section: Section) -> Effect:
        """Its checks only look, and each of its actions has an approval of its own."""
        return Effect.NONE

    def lint(self, spec: RunbookSpec, section: Section, system: System) -> Iterable[Complaint]:
        """The id is one; whether there is such a runbook, and what it needs, is known when all files are read."""
        if _ID.fullmatch(getattr(spec, "start", "")) is None:
            yield Complaint("This is not the id of a runbook.", "start", "Write it as its file is called: RB-005.")

    async def preview(self, spec: RunbookSpec, context: StepContext) -> Preview:
        """What is started with what."""
        return Preview(
            headline=f"Starts {spec.start} in this incident",
            payload={"start": spec.start, "inputs": to_json(dict(spec.inputs))},
            undo="nothing to undo",
        )

    async def act(self, spec: RunbookSpec, approved: Preview, key: EffectKey, context: StepContext) -> Outcome:
        """Have it started."""
        return Starts(spec.start, spec.inputs)

    async def settle(self, spec: RunbookSpec, key: EffectKey, context: StepContext) -> Outcome:
        """It is started in the transaction that says so: if nothing says so, it was not."""
        return Starts(spec.start, spec.inputs)
