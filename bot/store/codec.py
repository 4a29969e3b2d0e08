"""Domain data to JSON columns and back, with types kept; the same text is read once."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import TypeAdapter

from bot.domain.facts import from_json, to_json

T = TypeVar("T")

MOST_KEPT = 8_000_000

_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


@dataclass(slots=True)
class _Known:
    """A text that was read, its data, and what was made of them."""

    data: Any
    made: dict[Any, Any] = field(default_factory=dict)


class _Memory:
    """The texts read last, `most` characters of them. A card, a thread and a headline are drawn from the same rows, and
    reading a large preview each time would cost more than all of the drawing."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._texts: OrderedDict[str, _Known] = OrderedDict()
        self._owners: dict[int, _Known] = {}

    def data(self, text: str) -> Any:
        """The data of a JSON text."""
        known = self._texts.get(text)
        if known is not None:
            self._texts.move_to_end(text)
            return known.data
        if len(text) > self._most:
            return json.loads(text)
        known = _Known(json.loads(text))
        self._texts[text] = self._owners[id(known.data)] = known
        self._size += len(text)
        while self._size > self._most:
            left, gone = self._texts.popitem(last=False)
            self._size -= len(left)
            if self._owners.get(id(gone.data)) is gone:
                del self._owners[id(gone.data)]
        return known.data

    def forget(self) -> None:
        """Read everything anew."""
        self._size = 0
        self._texts.clear()
        self._owners.clear()

    def made(self, data: Any, key: Any, make: Callable[[Any], T]) -> T:
        """What `make` makes of the data: once for each `key`, while its text is known."""
        known = self._owners.get(id(data))
        if known is None or known.data is not data:
            return make(data)
        if key not in known.made:
            known.made[key] = make(data)
        result: T = known.made[key]
        return result


_memory = _Memory(MOST_KEPT)


def decode(text: str) -> Any:
    """The data of a JSON column. Whoever is given it changes nothing in it: the next one gets the same."""
    return _memory.data(text)


def once(data: Any, make: Callable[[Any], T]) -> T:
    """What a function of a module makes of a column's data; made once while the same text is read again and again."""
    return _memory.made(data, make, make)


def forget() -> None:
    """Let go of what was read: nobody needs it when its database is closed."""
    _memory.forget()


def pack(value: Any) -> Any:
    """A frozen dataclass as JSON data; times, decimals and identifiers are tagged."""
    return to_json(_adapter(type(value)).dump_python(value))


def unpack(kind: type[T], data: Any) -> T:
    """The inverse of `pack`."""

    def make(plain: Any) -> T:
        result: T = _adapter(kind).validate_python(from_json(plain))
        return result

    return _memory.made(data, kind, make)
