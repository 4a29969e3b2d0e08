"""What the validator answers with: a `Problem` per fault with a JSON pointer, read by views, tests and local Slack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Code(StrEnum):
    """The closed set of things that can be wrong with a block, a view or a message."""

    WRONG_TYPE = "wrong_type"
    MISSING_FIELD = "missing_field"
    UNKNOWN_FIELD = "unknown_field"
    UNSUPPORTED_TYPE = "unsupported_type"
    NOT_ALLOWED_HERE = "not_allowed_here"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    TOO_MANY = "too_many"
    TOO_FEW = "too_few"
    INVALID_VALUE = "invalid_value"
    CONFLICT = "conflict"
    DUPLICATE = "duplicate"
    TOO_BIG = "too_big"


Constraint: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: `code` for programs, `message` for people, `pointer` (RFC 6901) for the place.

    `field` is the name of the faulty field, or None for an item or a whole document; `constraint` holds the limit that
    was broken, such as `{"max": 75, "actual": 80}`.
    """

    code: str
    message: str
    pointer: str
    field: str | None = None
    constraint: Constraint | None = None

    def __str__(self) -> str:
        return f"{self.message} [json-pointer:{self.pointer}]"


def join(pointer: str, key: object) -> str:
    """The pointer to `key` below `pointer`, escaped as RFC 6901 asks."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


class Report:
    """Collects problems while one document is walked."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, code: Code, message: str, pointer: str, constraint: Constraint | None = None) -> None:
        """Note one fault at `pointer`; the field is the pointer's last part unless that is an index."""
        last = pointer.rsplit("/", 1)[-1].replace("~1", "/").replace("~0", "~")
        field = last if last and not last.isdecimal() else None
        self.problems.append(Problem(str(code), message, pointer, field, constraint))
