"""The `checklist` kind: items in order, ticked by the bot where a fact shows them done and by people otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar

from pydantic import Field

from bot.domain.checklist import Checklist as Listed
from bot.domain.checklist import Item
from bot.domain.runbook import Effect, Section
from bot.domain.system import System
from bot.steps.base import POSSIBLY, TEMPLATE, Complaint, Look, Question, Spec, StepContext
from bot.steps.passive import Passive

MOST_ITEMS = 40


class ItemSpec(Spec):
    """One item: `done` is an expression that shows it to be so (left out: only people can tell), `help` says what to do
    or look for, `link` leads there."""

    title: Annotated[str, TEMPLATE]
    help: Annotated[str, TEMPLATE] = ""
    link: Annotated[str, TEMPLATE] = ""
    done: Annotated[Any, POSSIBLY] = None


class ChecklistSpec(Spec):
    """The items by their keys, in order."""

    items: dict[str, ItemSpec] = Field(min_length=1, max_length=MOST_ITEMS)


class Checklist(Passive):
    """Done at once when everything is seen to be so; else it waits for ticks, and closes with the last one."""

    name: ClassVar[str] = "checklist"
    spec: ClassVar[type[Spec]] = ChecklistSpec
    shorthand: ClassVar[str] = "items"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.CHECKS})
    repeatable: ClassVar[bool] = True

    def effect(self, spec: ChecklistSpec, section: Section) -> Effect:
        """Asks people; touches nothing."""
        return Effect.READ

    def lint(self, spec: ChecklistSpec, section: Section, system: System) -> Iterable[Complaint]:
        """Keys that can stand in expressions, and links that are addresses."""
        for key, item in _items(spec).items():
            if not key.isidentifier():
                yield Complaint(f"«{key}» is no name.", "items", "Use letters, digits and underscores.")
            if item.link and "{{" not in item.link and not item.link.startswith(("https://", "http://")):
                yield Complaint("The link is not an address.", f"items.{key}.link", "Begin it with https://.")

    async def look(self, spec: ChecklistSpec, context: StepContext) -> Look:
        """The list with what the facts show; a fact when nothing is left to tick."""
        redact = context.targets.redact
        listed = Listed(
            tuple(
                Item(key, redact(item.title), redact(item.help), redact(item.link), _seen(item.done))
                for key, item in _items(spec).items()
            )
        )
        return Question(listed.summary, (), items=listed.items) if listed.left else listed.fact()


def _items(spec: ChecklistSpec) -> dict[str, ItemSpec]:
    """The items as models, also of a spec that was not validated because its texts are still to be rendered."""
    return {
        key: item if isinstance(item, ItemSpec) else ItemSpec.model_construct(**item)
        for key, item in spec.items.items()
        if isinstance(item, ItemSpec | dict)
    }


def _seen(done: Any) -> bool | None:
    return None if done is None else bool(done)
