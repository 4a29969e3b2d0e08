"""Collecting what is wrong with one document: places become lines, and what pydantic finds becomes our words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.authoring.problems import Level, Problem, did_you_mean
from bot.authoring.reading import Document, Path, spelled

_MISSING = object()

_Model = TypeVar("_Model", bound=BaseModel)


class Ledger:
    """The problems of one document, in the order in which they are found."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    @property
    def clean(self) -> bool:
        """Whether no error has been found; warnings do not count."""
        return all(each.level is Level.WARNING for each in self.problems)

    def error(self, path: Path, message: str, hint: str = "", *, line: int = 1) -> None:
        """Something that keeps the document from being used; `line` counts within the text at `path`."""
        self._add(path, message, hint, Level.ERROR, line)

    def warning(self, path: Path, message: str, hint: str = "") -> None:
        """Something that may be meant, and should be looked at."""
        self._add(path, message, hint, Level.WARNING, 1)

    def read(self, model: type[_Model], data: Any, path: Path = ()) -> _Model | None:
        """The data as a model, or None with everything that is wrong noted."""
        if not isinstance(data, Mapping):
            self.error(path, "This must be a record: lines of «name: value».")
            return None
        try:
            return model.model_validate(data)
        except ValidationError as trouble:
            for error in trouble.errors(include_url=False):
                self.invalid(model, error, data, path)
            return None

    def invalid(
        self,
        model: type[BaseModel],
        error: ErrorDetails,
        data: Any,
        path: Path,
        at: Path | None = None,
        beside: Iterable[str] = (),
    ) -> None:
        """One of pydantic's errors, in our words and at its line: where the data says, or `at`; `beside` are names that
        may stand there too."""
        within = place(data, error["loc"])
        message, hint = _worded(model, error, within, beside)
        self.error((*path, *within) if at is None else at, message, hint)

    def _add(self, path: Path, message: str, hint: str, level: Level, line: int) -> None:
        # Text of several lines stands in a block, which begins on the line after its key.
        at = self.document.line(path) + (line if line > 1 else 0)
        self.problems.append(Problem(self.document.file, at, spelled(path), message, hint, level))


def place(data: Any, loc: tuple[int | str, ...]) -> Path:
    """Where in the data pydantic means, without the names of union arms and validators that it puts between."""
    path: list[str | int] = []
    here = data
    for position, part in enumerate(loc):
        inside: Any = _MISSING
        if isinstance(here, Mapping):
            inside = here.get(part, _MISSING)
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            inside = here[part]
        if inside is not _MISSING:
            here = inside
            path.append(part)
        elif position == len(loc) - 1 and isinstance(here, Mapping) and isinstance(part, str) and part.isidentifier():
            path.append(part)
    return tuple(path)


def _worded(  # noqa: PLR0911 - one arm a kind of error
    model: type[BaseModel], error: ErrorDetails, within: Path, beside: Iterable[str]
) -> tuple[str, str]:
    name = str(within[-1]) if within else ""
    given = str(error.get("input"))[:60]
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return f"«{name}» is missing.", ""
        case "extra_forbidden":
            return f"«{name}» is not a field here.", did_you_mean(name, [*fields_at(model, within[:-1]), *beside])
        case "enum" | "literal_error":
            expected = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
            return f"«{given}» is not one of {expected}.", did_you_mean(given, expected.split(", "))
        case "value_error":
            return f"{str(context.get('error', error['msg'])).rstrip('.')}.", ""
        case "string_pattern_mismatch":
            return f"«{given}» is not written the way it must be: {context.get('pattern')}.", ""
        case "string_type":
            return "This must be text.", "Put it in quotes." if isinstance(
                error.get("input"), int | float | bool
            ) else ""
        case "dict_type" | "mapping_type" | "model_type" | "model_attributes_type":
            return "This must be a record: lines of «name: value».", ""
        case "list_type":
            return "This must be a list: lines that begin with «- ».", ""
        case _:
            return f"{error['msg'].replace('Input should', 'This should')}.", ""


def fields_at(model: type[BaseModel], within: Path) -> frozenset[str]:
    """The fields of the model that stands at a place inside another."""
    here: Any = model
    for part in within:
        if isinstance(here, type) and issubclass(here, BaseModel) and part in here.model_fields:
            here = _model_in(here.model_fields[str(part)].annotation)
    if not isinstance(here, type) or not issubclass(here, BaseModel):
        return frozenset()
    return written_fields(here)


def written_fields(model: type[BaseModel]) -> frozenset[str]:
    """The fields of a model by the names that authors write."""
    return frozenset(field.alias or name for name, field in model.model_fields.items())


def _model_in(annotation: Any) -> Any:
    """The first model that an annotation mentions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _model_in(each)) is not None), None)
