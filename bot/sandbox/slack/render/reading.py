"""Reading untrusted JSON: each reader answers with an empty value of its kind where the document holds another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]


def obj(value: object, key: str) -> Json:
    """The object below `key`, or an empty one."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def seq(value: object, key: str) -> Sequence[Any]:
    """The list below `key`, or an empty one."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list | tuple) else ()


def string(value: object, key: str) -> str:
    """The string or number below `key` as text, or an empty one."""
    found = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(found, str):
        return found
    return str(found) if isinstance(found, int | float) and not isinstance(found, bool) else ""


def flag(value: object, key: str) -> bool:
    """Whether the field below `key` is true."""
    return isinstance(value, Mapping) and value.get(key) is True


def text_of(value: object, key: str) -> str:
    """The raw text of the text object below `key`, or of a plain string there."""
    return string(obj(value, key), "text") or string(value, key)
