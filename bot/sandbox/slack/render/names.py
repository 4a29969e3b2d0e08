"""What the renderer has to be told: how ids are called, and where on the page it is writing."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Names(Protocol):
    """Turns ids into names; `me` is the id of the person who looks, whose mentions are highlighted."""

    @property
    def me(self) -> str:
        """The id of the person who looks."""
        ...

    def user(self, id: str) -> str | None:
        """A person's display name, or None if nobody has this id."""
        ...

    def channel(self, id: str) -> str | None:
        """A channel's name without the hash sign, or None."""
        ...

    def usergroup(self, id: str) -> str | None:
        """A user group's handle without the at sign, or None."""
        ...


@dataclass(frozen=True)
class Scene:
    """One rendering: who looks, what was wrong with which block, and a prefix that makes ids unique on the page."""

    names: Names
    prefix: str
    errors: Mapping[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def new_id(self) -> str:
        """An id no other element of the page has."""
        return f"{re.sub(r'[^A-Za-z0-9]', '-', self.prefix)}-{next(self._numbers)}"
