"""The vocabulary in which blocks and elements are described: rules for values and `Spec` for objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Surface: TypeAlias = Literal["message", "modal", "home"]

EVERYWHERE: frozenset[Surface] = frozenset({"message", "modal", "home"})


@dataclass(frozen=True, slots=True)
class Str:
    """A string of `min` to `max` characters, one of `choices` if given, matching `pattern` whole if given."""

    max: int | None = None
    min: int = 1
    choices: tuple[str, ...] = ()
    pattern: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""


@dataclass(frozen=True, slots=True)
class Int:
    """A whole number within bounds."""

    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class Num:
    """Any finite JSON number."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text object: plain_text, and mrkdwn too unless `plain`."""

    max: int
    plain: bool = False


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of `min` to `max` items that all obey `item`; `nullable` items may be null."""

    item: Rule
    max: int | None = None
    min: int = 1
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """An object whose `type` is one of `kinds`; its spec comes from the table of blocks or from that of elements."""

    kinds: tuple[str, ...]
    block: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """An object without a `type`, described by the spec itself."""

    spec: Spec


Rule: TypeAlias = Str | Flag | Int | Num | Text | ListOf | Kind | Shape


@dataclass(frozen=True, slots=True)
class Spec:
    """What an object may and must hold.

    `exactly_one` and `at_least_one` are groups of fields; `surfaces` says where a block may stand.
    """

    fields: Mapping[str, Rule]
    required: tuple[str, ...] = ()
    exactly_one: tuple[tuple[str, ...], ...] = ()
    at_least_one: tuple[tuple[str, ...], ...] = ()
    surfaces: frozenset[Surface] = field(default=EVERYWHERE)
