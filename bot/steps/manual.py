"""The `manual` kind: a person looks at, or changes, a place the bot cannot reach, and reports; gated all the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar

from pydantic import Field

from bot.domain.change import EffectKey, Preview
from bot.domain.runbook import Effect, Input, InputType, Section
from bot.domain.system import System
from bot.steps.base import TEMPLATE, AwaitPerson, Complaint, InDoubt, Look, Outcome, Question, Spec, StepContext
from bot.steps.forms import FormField, inputs, reserved
from bot.steps.passive import Passive

HEADLINE = 120


class ManualSpec(Spec):
    """`instructions` say what to do and where, `link` leads there, `form` is what to report."""

    instructions: Annotated[str, TEMPLATE]
    link: Annotated[str, TEMPLATE] = ""
    form: dict[str, FormField] = Field(default_factory=dict)


class Manual(Passive):
    """A question in checks; in actions an approved instruction that somebody reports as done."""

    name: ClassVar[str] = "manual"
    spec: ClassVar[type[Spec]] = ManualSpec
    shorthand: ClassVar[str] = "instructions"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.CHECKS, Section.ACTIONS})
    repeatable: ClassVar[bool] = True

    def effect(self, spec: ManualSpec, section: Section) -> Effect:
        """A person looks, or changes something."""
        return Effect.READ if section is Section.CHECKS else Effect.WRITE

    def lint(self, spec: ManualSpec, section: Section, system: System) -> Iterable[Complaint]:
        """Links are addresses; no field that every fact has already."""
        if spec.link and "{{" not in spec.link and not spec.link.startswith(("https://", "http://")):
            yield Complaint("The link is not an address.", "link", "Begin it with https://.")
        for name in reserved(spec.form):
            yield Complaint(f"«{name}» is a name every fact has already.", f"form.{name}", "Call it something else.")

    async def look(self, spec: ManualSpec, context: StepContext) -> Look:
        """What a person should look at and report."""
        return Question(
            _text(spec, context), inputs(spec.form) or (Input("note", InputType.TEXT, "What did you see?"),)
        )

    async def preview(self, spec: ManualSpec, context: StepContext) -> Preview:
        """The instructions, whole; the bot cannot rehearse what a person does."""
        text = _text(spec, context)
        return Preview(
            headline=f"A person does this: {text.splitlines()[0][:HEADLINE] if text else ''}",
            payload={"instructions": text, "report": [each.label for each in inputs(spec.form)]},
            exact=False,
            undo="by hand",
        )

    async def act(self, spec: ManualSpec, approved: Preview, key: EffectKey, context: StepContext) -> Outcome:
        """Wait for the person's report."""
        return AwaitPerson(_text(spec, context), inputs(spec.form))

    async def settle(self, spec: ManualSpec, key: EffectKey, context: StepContext) -> Outcome:
        """Only a person knows."""
        return InDoubt("The bot was interrupted while a person was asked to do this: ask whether it was done.")


def _text(spec: ManualSpec, context: StepContext) -> str:
    parts: list[Any] = [spec.instructions.strip(), spec.link.strip()]
    return context.targets.redact("\n".join(part for part in parts if part))
