"""Where a step's values come from: the texts of a spec that its kind marks as templates or expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, cast, get_args, get_origin

from pydantic import BaseModel

from bot.authoring.reading import Path
from bot.steps.base import Rendered, Spec

How: TypeAlias = Literal["template", "expression", "possibly"]
Change: TypeAlias = Callable[[How, str, Path], Any]


def changed(model: type[Spec], spec: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The spec with every marked text replaced by what `change(how, text, path)` gives; other values stay."""
    return _record(model, spec, (), change)


def marked(model: type[Spec], spec: Mapping[str, Any]) -> list[tuple[How, str, Path]]:
    """Every marked text of the spec with its place in it."""
    found: list[tuple[How, str, Path]] = []

    def note(how: How, text: str, path: Path) -> str:
        found.append((how, text, path))
        return text

    changed(model, spec, note)
    return found


def field_marks(model: type[BaseModel]) -> dict[str, How]:
    """The fields that are rendered as a whole, by the name authors write."""
    marks = {field.alias or name: _mark(field.metadata) for name, field in model.model_fields.items()}
    return {name: how for name, how in marks.items() if how is not None}


def _record(model: type[BaseModel], data: Mapping[str, Any], path: Path, change: Change) -> dict[str, Any]:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    fields |= {name: field for name, field in model.model_fields.items() if name not in fields}
    result = {}
    for name, value in data.items():
        field = fields.get(name)
        if field is None:
            result[name] = value
        elif (how := _mark(field.metadata)) is not None:
            result[name] = _every(value, how, (*path, name), change)
        else:
            result[name] = _inside(field.annotation, value, (*path, name), change)
    return result


def _inside(annotation: Any, value: Any, path: Path, change: Change) -> Any:  # noqa: PLR0911 - one arm a shape
    """Marks that stand deeper than on the field: in unions, lists, mappings and nested models."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        how = _mark(arguments[1:])
        if how is not None:
            return _every(value, how, path, change)
        return _inside(arguments[0], value, path, change)
    if origin in (Union, UnionType):
        arms = [arm for arm in arguments if _takes(arm, value)]
        return _inside(arms[0], value, path, change) if arms else value
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and isinstance(value, Mapping):
        return _record(annotation, value, path, change)
    if isinstance(value, Mapping) and len(arguments) == 2:
        return {key: _inside(arguments[1], item, (*path, key), change) for key, item in value.items()}
    if isinstance(value, list) and arguments:
        return [_inside(arguments[0], item, (*path, index), change) for index, item in enumerate(value)]
    return value


def _takes(arm: Any, value: Any) -> bool:
    """Whether an arm of a union is the one for this shape of value."""
    if get_origin(arm) is Annotated:
        arm = get_args(arm)[0]
    origin = get_origin(arm) or arm
    if not isinstance(origin, type):
        return False
    if isinstance(value, Mapping):
        return issubclass(origin, Mapping | BaseModel)
    if isinstance(value, list):
        return issubclass(origin, list | tuple)
    return issubclass(origin, str) if isinstance(value, str) else isinstance(value, origin)


def _every(value: Any, how: How, path: Path, change: Change) -> Any:
    if isinstance(value, str):
        return change(how, value, path)
    if isinstance(value, Mapping):
        return {key: _every(item, how, (*path, key), change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_every(item, how, (*path, index), change) for index, item in enumerate(value)]
    return value


def _mark(metadata: Any) -> How | None:
    return next((cast(How, each.how) for each in metadata if isinstance(each, Rendered)), None)
