"""Domain data to JSON columns and back, with types kept."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter

from bot.domain.facts import from_json, to_json

T = TypeVar("T")

_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def pack(value: Any) -> Any:
    """A frozen dataclass as JSON data; times, decimals and identifiers are tagged."""
    return to_json(_adapter(type(value)).dump_python(value))


def unpack(kind: type[T], data: Any) -> T:
    """The inverse of `pack`."""
    result: T = _adapter(kind).validate_python(from_json(data))
    return result
