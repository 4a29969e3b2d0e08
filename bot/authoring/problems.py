"""What is wrong with a document, with place and hint; the loader collects these, the terminal and editors show them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """An `error` keeps a document from being used; a `warning` does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one file. `line` counts from 1; `path` is where in the document ("actions.freeze.sql")."""

    file: str
    line: int
    path: str
    message: str
    hint: str = ""
    level: Level = Level.ERROR


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint naming the nearest of the known words, or all of a few, or nothing."""
    words = sorted({str(each) for each in known})
    near = nearest(word, words)
    if near:
        return f"Did you mean «{near}»?"
    return f"Known here: {', '.join(words)}." if 0 < len(words) <= 12 else ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like this one, if any is like it at all."""
    by_folded = {each.casefold(): each for each in known}
    near = get_close_matches(word[:100].casefold(), list(by_folded), n=1, cutoff=0.6)
    return by_folded[near[0]] if near else None


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """By file and line, each said once."""
    return sorted(dict.fromkeys(problems), key=lambda each: (each.file, each.line, each.path, each.message))


def errors_of(problems: Iterable[Problem]) -> list[Problem]:
    """Those that keep a document from being used."""
    return [each for each in problems if each.level is Level.ERROR]


def as_text(problems: Sequence[Problem]) -> str:
    """One problem a paragraph, the way compilers say it, so that editors can jump to the line."""
    lines = []
    for each in problems:
        at = f" at {each.path}" if each.path else ""
        lines.append(f"{each.file}:{each.line}: {each.level}{at}: {each.message}")
        if each.hint:
            lines.append(f"    {each.hint}")
    return "\n".join(lines)


def as_data(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """The problems as plain data, for machines."""
    return [{**asdict(each), "level": each.level.value} for each in problems]


def as_json(problems: Sequence[Problem]) -> str:
    """The problems as JSON text."""
    return json.dumps(as_data(problems), indent=2, ensure_ascii=False)
