"""One step as written: which kind it is, what of it belongs to the kind, and what the kind says about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from bot.authoring.ledger import Ledger, place, written_fields
from bot.authoring.marks import marked
from bot.authoring.problems import did_you_mean
from bot.authoring.reading import Path
from bot.authoring.references import References
from bot.authoring.rendering import SQL, statement_names
from bot.domain.runbook import Effect, Section
from bot.domain.system import System
from bot.steps.base import Spec, StepKind
from bot.steps.registry import KINDS

WAIT, NOTIFY = "wait", "notify"

_Common = TypeVar("_Common", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Step(Generic[_Common]):
    """A step of a kind: `common` is what every step of its section may say, `spec` what its kind understands.

    `path` is where it stands in the document; `made` is the spec as a model, None when it has errors.
    """

    key: str
    path: Path
    kind: StepKind
    common: _Common
    spec: dict[str, Any]
    places: Mapping[str, Path]
    made: Spec | None

    def at(self, field: str) -> Path:
        """Where a field of the spec, by its dotted path, stands in the document."""
        first, *rest = field.split(".")
        return (*self.places.get(first, self.path), *(int(part) if part.isdecimal() else part for part in rest))

    def effect(self, section: Section) -> Effect:
        """What the step does to the world; as long as it has errors, the worst its section allows."""
        if self.made is None:
            return Effect.READ if section is Section.CHECKS else Effect.WRITE
        return self.kind.effect(self.made, section)


def read_step(
    ledger: Ledger, section: Section, key: str, raw: object, common: type[_Common], system: System
) -> Step[_Common] | None:
    """The step, or None when not even its kind is clear; everything that is wrong with it is noted."""
    path: Path = (section.value, key)
    if not isinstance(raw, Mapping):
        ledger.error(path, "This must be a record: lines of «name: value».")
        return None
    kind = _kind(ledger, section, path, raw)
    if kind is None:
        return None
    shared = {name: value for name, value in raw.items() if name in common.model_fields}
    said = ledger.read(common, shared, path)
    spec, places = _spec(ledger, path, kind, {name: value for name, value in raw.items() if name not in shared})
    _drafted(kind, spec, places, system)
    made = _made(ledger, kind, spec, places, path, common.model_fields)
    step = Step(key, path, kind, said if said is not None else common(), spec, places, made)
    if section not in kind.sections:
        places_ = " and ".join(sorted(kind.sections))
        ledger.error(
            places.get(kind.name, path), f"«{kind.name}» does not belong in {section}: it belongs in {places_}."
        )
    elif made is not None:
        _lint(ledger, step, section, system)
    return step


def reads_of(step: Step[Any], references: References) -> frozenset[str]:
    """The checks that the step's own texts read."""
    needs: frozenset[str] = frozenset()
    for how, text, within in marked(step.kind.spec, step.spec):
        at = (*step.places.get(str(within[0]), step.path), *within[1:])
        needs |= references.template(text, at) if how == "template" else references.expression(text, at)
    if step.kind.name == SQL:
        bind = step.spec.get("bind")
        given = frozenset(bind) if isinstance(bind, Mapping) else frozenset[str]()
        needed = frozenset(statement_names(step.kind, step.spec))
        needs |= references.bound(needed - given, step.at(step.kind.shorthand))
    if step.kind.name == WAIT and isinstance(until := step.spec.get("until"), str):
        # Kept as text in the spec: it is judged again and again.
        needs |= references.expression(until, step.at("until"))
    return needs


def _kind(ledger: Ledger, section: Section, path: Path, raw: Mapping[str, object]) -> StepKind | None:
    kinds = [name for name in raw if name in KINDS]
    if len(kinds) > 1:
        # A kind may have a field that is called like another kind.
        kinds = [
            name for name in kinds if all(other in written_fields(KINDS[name].spec) for other in kinds if other != name)
        ]
    if len(kinds) == 1:
        return KINDS[kinds[0]]
    known = sorted(name for name, kind in KINDS.items() if section in kind.sections)
    near = next((hint for name in raw if (hint := did_you_mean(name, known)).startswith("Did")), "")
    said = (
        "It is not clear what kind of step this is." if any(name in KINDS for name in raw) else "This step has no kind."
    )
    ledger.error(path, said, near or f"Write one of {', '.join(known)}.")
    return None


def _spec(ledger: Ledger, path: Path, kind: StepKind, raw: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Path]]:
    """What belongs to the kind: its own value, and the fields written beside it."""
    own = raw[kind.name]
    fields = written_fields(kind.spec)
    at = (*path, kind.name)
    if isinstance(own, Mapping) and not (_takes_mapping(kind) and not own.keys() <= fields):
        spec, places = dict(own), {str(name): (*at, name) for name in own}
    elif own is None:
        spec, places = {}, {}
    else:
        spec, places = {kind.shorthand: own}, {kind.shorthand: at}
    for name, value in raw.items():
        if name == kind.name:
            continue
        if name in spec:
            ledger.error((*path, name), f"«{name}» is said twice: here and in «{kind.name}».")
        spec[name] = value
        places[name] = (*path, name)
    places[""] = path
    return spec, places


def _drafted(kind: StepKind, spec: dict[str, Any], places: dict[str, Path], system: System) -> None:
    """Put the text of the system's template into a notice, where it is rendered and versioned like its own."""
    name = spec.get("template")
    if kind.name != NOTIFY or not isinstance(name, str) or name not in system.templates:
        return
    template = system.templates[name]
    for field, text in (("subject", template.subject), ("body", template.body)):
        spec.setdefault(field, text)
        places.setdefault(field, places["template"])


def _takes_mapping(kind: StepKind) -> bool:
    annotation = kind.spec.model_fields[kind.shorthand].annotation
    arms = [annotation, *get_args(annotation)]
    return any(isinstance(origin := get_origin(arm) or arm, type) and issubclass(origin, Mapping) for arm in arms)


def _made(
    ledger: Ledger, kind: StepKind, spec: dict[str, Any], places: Mapping[str, Path], path: Path, beside: Iterable[str]
) -> Spec | None:
    try:
        return kind.spec.model_validate(spec)
    except ValidationError as trouble:
        waiting = {within for _, _, within in marked(kind.spec, spec)}
        clean = True
        for error in trouble.errors(include_url=False):
            within = place(spec, error["loc"])
            if within in waiting:
                continue  # a text that becomes a value: judged once it is one
            clean = False
            at = (*places.get(str(within[0]), path), *within[1:]) if within else path
            ledger.invalid(kind.spec, error, spec, path, at, beside if len(within) == 1 else ())
        return None if not clean else kind.spec.model_construct(**spec)


def _lint(ledger: Ledger, step: Step[Any], section: Section, system: System) -> None:
    for complaint in step.kind.lint(step.made, section, system):
        at = step.at(complaint.field)
        if complaint.warning:
            ledger.warning(at, complaint.message, complaint.hint)
        else:
            ledger.error(at, complaint.message, complaint.hint)
