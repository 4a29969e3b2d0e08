"""The `ask` kind: a question to a person, with a form or a list to choose from; the answer becomes the fact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field

from bot.domain.facts import Fact, FactStatus
from bot.domain.runbook import Effect, Input, InputType, Section
from bot.domain.system import System
from bot.steps.base import EXPRESSION, TEMPLATE, Complaint, Look, Question, Spec, StepContext
from bot.steps.forms import FormField, inputs, reserved
from bot.steps.passive import Passive

MOST_OPTIONS = 100
LABEL = 75
ANSWER = "choice"


class Choose(Spec):
    """A choice among rows that another check found: `value` names the field that is the answer, `label` those shown."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    from_: Annotated[Any, EXPRESSION] = Field(alias="from")
    value: str = "id"
    label: str | list[str] = ""


class AskSpec(Spec):
    """`question` with a `form` of fields, or with something to `choose` from; else the answer is one text. `insist`
    keeps the run open until somebody has answered, also when what was found is put right."""

    question: Annotated[str, TEMPLATE]
    form: dict[str, FormField] = Field(default_factory=dict)
    choose: Choose | None = None
    insist: bool = False


class Ask(Passive):
    """Gives the question; runs ask it, and store the answer as the fact. A choice is answered under `choice`."""

    name: ClassVar[str] = "ask"
    spec: ClassVar[type[Spec]] = AskSpec
    shorthand: ClassVar[str] = "question"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.CHECKS})
    repeatable: ClassVar[bool] = True

    def effect(self, spec: AskSpec, section: Section) -> Effect:
        """Asks a person; touches nothing."""
        return Effect.READ

    def lint(self, spec: AskSpec, section: Section, system: System) -> Iterable[Complaint]:
        """A form or a choice, and no field that every fact has already."""
        if spec.form and spec.choose:
            yield Complaint("Say either `form` or `choose`.", "choose")
        for name in reserved(spec.form):
            yield Complaint(f"«{name}» is a name every fact has already.", f"form.{name}", "Call it something else.")

    async def look(self, spec: AskSpec, context: StepContext) -> Look:
        """The question to put to a person; a failed fact when there is nothing to choose from."""
        text = context.targets.redact(spec.question)
        if spec.choose is None:
            form = inputs(spec.form) or (Input("answer", InputType.TEXT, "Answer"),)
            return Question(text, form, insist=spec.insist)
        rows = spec.choose.from_
        if isinstance(rows, str | Mapping) or not isinstance(rows, Iterable):
            return Fact(FactStatus.FAILED, error="There is no list to choose from.")
        options = tuple(_option(row, spec.choose) for row in list(rows)[:MOST_OPTIONS])
        if not options:
            return Fact(FactStatus.FAILED, error="There is nothing to choose from: the list is empty.")
        values = tuple(dict.fromkeys(option["value"] for option in options))
        return Question(text, (Input(ANSWER, InputType.CHOICE, "Choose", choices=values),), options, insist=spec.insist)


def _option(row: Any, choose: Choose) -> Mapping[str, str]:
    if not isinstance(row, Mapping):
        return {"value": str(row), "label": str(row)[:LABEL]}
    names = [choose.label or choose.value] if isinstance(choose.label, str) else choose.label
    shown = [str(row.get(name, "")) for name in names]
    value = str(row.get(choose.value, ""))
    return {"value": value, "label": (" · ".join(part for part in shown if part) or value)[:LABEL]}
