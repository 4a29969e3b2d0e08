"""Fields of a question's form as authors write them, and as the domain knows them; for the kinds that ask a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from bot.domain.runbook import Input, InputType
from bot.steps.base import Spec


class FormField(Spec):
    """One field of a form; its name is its key in the form. `choices` makes it a choice."""

    type: InputType | None = None
    label: str = ""
    help: str = ""
    required: bool = True
    default: Any = None
    choices: list[str] = Field(default_factory=list)
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None

    def input(self, name: str) -> Input:
        """The field as the domain knows it."""
        usual = InputType.CHOICE if self.choices else InputType.TEXT
        return Input(
            name,
            self.type or usual,
            self.label or name.replace("_", " ").capitalize(),
            self.help,
            self.required,
            self.default,
            tuple(self.choices),
            self.pattern,
            self.minimum,
            self.maximum,
        )


def inputs(form: Mapping[str, FormField | Mapping[str, Any]]) -> tuple[Input, ...]:
    """The form's fields in order."""
    fields = (
        (name, each if isinstance(each, FormField) else FormField.model_validate(each)) for name, each in form.items()
    )
    return tuple(field.input(name) for name, field in fields)


def reserved(names: Mapping[str, Any]) -> list[str]:
    """Field names that a fact already uses for itself."""
    return [name for name in names if name in ("ok", "failed", "skipped", "answered", "error", "duration_ms")]
