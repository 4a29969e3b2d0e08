"""The contract every step kind keeps, and what a kind is given to work with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict

from bot.clock import Clock
from bot.domain.change import EffectKey, Preview, Receipt
from bot.domain.checklist import Item
from bot.domain.facts import Fact
from bot.domain.runbook import Effect, Input, Section
from bot.domain.system import System

if TYPE_CHECKING:
    from bot.steps.targets import Targets


class Rendered:
    """Marks how an author's text in a spec becomes a value: `template` gives text, `expression` gives any value, and
    `possibly` is an expression that gives none where it reads what is not known.

    The mark stands on the field (`Annotated[dict[str, Any], EXPRESSION]`): in a mapping or a list it is meant for every
    text inside, however deep; numbers, booleans and null stay as they are.
    """

    def __init__(self, how: str) -> None:
        self.how = how


TEMPLATE = Rendered("template")
EXPRESSION = Rendered("expression")
POSSIBLY = Rendered("possibly")


class Spec(BaseModel):
    """What an author writes for a kind. Fields annotated `TEMPLATE` or `EXPRESSION` are rendered over facts; all other
    text is literal and never rendered: that is how values stay out of statements."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something wrong with a spec: `field` is a dotted path inside it ("" for the whole), `hint` how to mend it."""

    message: str
    field: str = ""
    hint: str = ""
    warning: bool = False


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a kind may use: time, the targets of the system, who asked, and how long it may take."""

    clock: Clock
    targets: Targets
    system: System
    timeout: timedelta
    actor: str = ""
    run: str = ""


# -- how an act ended: a closed set ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """The effect happened, once."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Failed:
    """The effect did not happen: nothing changed. `drift` means what was approved no longer matches what is there."""

    reason: str
    drift: bool = False


@dataclass(frozen=True, slots=True)
class InDoubt:
    """It cannot be known whether the effect happened; a person has to look. `why` says what was interrupted."""

    why: str


@dataclass(frozen=True, slots=True)
class AwaitPerson:
    """Approved, and now a person does it and reports (manual steps)."""

    instructions: str
    form: tuple[Input, ...] = ()


@dataclass(frozen=True, slots=True)
class AwaitCondition:
    """The step waits until an expression over facts holds, looked at every `every`, for `at_most`."""

    until: str
    every: timedelta
    at_most: timedelta


@dataclass(frozen=True, slots=True)
class Starts:
    """Another runbook of the system is to be started in the same incident, with these inputs; nothing has happened."""

    runbook: str
    inputs: Mapping[str, Any]


Outcome: TypeAlias = Done | Failed | InDoubt | AwaitPerson | AwaitCondition | Starts


@dataclass(frozen=True, slots=True)
class Question:
    """What a check that asks needs from a person: a form, a choice among options, or ticks on items; what they say
    becomes the fact. A list of items, and a question that insists, keep the run open."""

    text: str
    form: tuple[Input, ...]
    options: tuple[Mapping[str, str], ...] = field(default_factory=tuple)
    items: tuple[Item, ...] = ()
    insist: bool = False

    @property
    def holds(self) -> bool:
        """Whether the run does not end before this is answered."""
        return self.insist or bool(self.items)


Look: TypeAlias = Fact | Question


class StepKind(Protocol):
    """One kind of step. All methods take the rendered spec: the same model with values in place of templates.

    `repeatable` says whether an act that was interrupted may simply be done again. No method raises for what the world
    does: looks return a failed fact, acts return `Failed` or `InDoubt`; `Refusal` and `Misconfigured` may be raised by
    `preview`.
    """

    name: ClassVar[str]
    spec: ClassVar[type[Spec]]
    shorthand: ClassVar[str]
    sections: ClassVar[frozenset[Section]]
    repeatable: ClassVar[bool]

    def effect(self, spec: Any, section: Section) -> Effect:
        """What a step of this kind, so specified, does to the world."""
        ...

    def lint(self, spec: Any, section: Section, system: System) -> Iterable[Complaint]:
        """Everything wrong with the spec that can be known without running it."""
        ...

    async def look(self, spec: Any, context: StepContext) -> Look:
        """Run as a check: read, bounded in time and size; failures are facts."""
        ...

    async def preview(self, spec: Any, context: StepContext) -> Preview:
        """What acting would do, without doing it."""
        ...

    async def act(self, spec: Any, approved: Preview, key: EffectKey, context: StepContext) -> Outcome:
        """Do it, once, and only if it still is what was approved."""
        ...

    async def settle(self, spec: Any, key: EffectKey, context: StepContext) -> Outcome:
        """What became of an act that was interrupted: looked up, never guessed."""
        ...

    def inverse(self, spec: Any, receipt: Receipt) -> Mapping[str, Any] | None:
        """The spec of an action of the same kind that takes the receipt back, or None."""
        ...
