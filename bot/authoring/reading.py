"""YAML text to plain data and the line of every place in it; what is wrong becomes a problem, never an exception."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from bot.authoring.problems import Level, Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 20_000

Path: TypeAlias = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"[-+]?(\d{1,40}\.\d{0,40}|\.\d{1,40}|\d{1,40})([eE][-+]?\d{1,3})?")
_NUMERIC = re.compile(r"[-+.]?\d")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRAPS = frozenset(
    spelling for word in ("on", "off", "yes", "no", "y", "n") for spelling in (word, word.capitalize(), word.upper())
)


@dataclass(frozen=True, slots=True)
class Document:
    """The data of a file and the line on which each of its parts begins, by path."""

    file: str
    data: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """The line of a place, or of the nearest place around it that the file has."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


def spelled(path: Path) -> str:
    """A path as people write it: "checks.account.bind" or "symptoms[2]"."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read(text: str | bytes, file: str) -> tuple[Document | None, list[Problem]]:
    """The document in the text, or None when it cannot be read, and everything that is wrong with its form."""
    problems: list[Problem] = []
    plain = _decoded(text, file, problems)
    if plain is None:
        return None, problems
    builder = _Builder(file, problems)
    try:
        root = builder.build(plain)
        data = None if root is None else builder.plain(root, ())
    except yaml.YAMLError as error:
        problems.append(_syntax(error, file, plain))
        return None, problems
    except _Stop as stop:
        problems.append(stop.problem)
        return None, problems
    if root is None:
        problems.append(Problem(file, 1, "", "The file is empty.", "Begin with id: and title:."))
        return None, problems
    return Document(file, data, builder.lines), problems


def _decoded(text: str | bytes, file: str, problems: list[Problem]) -> str | None:
    """The text without a byte order mark, or None when it is not text of bearable size."""
    try:
        raw = text.encode() if isinstance(text, str) else text
        plain = raw[: MAX_BYTES + 1].decode() if len(raw) <= MAX_BYTES else ""
    except UnicodeError as error:
        at = getattr(error, "start", 0)
        line = 1 + (text.count("\n", 0, at) if isinstance(text, str) else text.count(b"\n", 0, at))
        problems.append(
            Problem(file, line, "", "The file is not UTF-8 text.", "Save it again with the encoding UTF-8.")
        )
        return None
    if len(raw) > MAX_BYTES:
        problems.append(Problem(file, 1, "", f"The file is larger than {MAX_BYTES:,} bytes.", "Split the runbook."))
        return None
    if plain.startswith("\ufeff"):
        hint = "Save it as UTF-8 without BOM."
        problems.append(Problem(file, 1, "", "The file begins with a byte order mark.", hint, Level.WARNING))
    return plain.removeprefix("\ufeff")


def _syntax(error: yaml.YAMLError, file: str, text: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = 1 if mark is None else mark.line + 1
    said = str(getattr(error, "problem", "") or getattr(error, "reason", "") or "it cannot be read")
    hint = "Text with «: », «#», «{» or «*» in it needs quotes, or a block after «|»."
    if mark is not None and text[mark.index : mark.index + 1] == "\t":
        said, hint = "a tab is used for indentation", "Indent with blanks."
    return Problem(file, line, "", f"This is not YAML: {said}.", hint)


def _line(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1


class _Stop(Exception):
    """Reading cannot go on."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(slots=True)
class _Node:
    line: int
    scalar: str | None = None
    quoted: bool = False
    pairs: list[tuple[_Node, _Node]] | None = None
    items: list[_Node] | None = None
    pending: _Node | None = None
    anchor: str | None = None

    def take(self, child: _Node) -> None:
        """A child in document order: an item, or by turns a key and its value."""
        if self.items is not None:
            self.items.append(child)
        elif self.pending is None:
            self.pending = child
        elif self.pairs is not None:
            self.pairs.append((self.pending, child))
            self.pending = None


@dataclass(slots=True)
class _Builder:
    """Builds from the parser's events, so that depth and size are bounded before anything is built."""

    file: str
    problems: list[Problem]
    lines: dict[Path, int] = field(default_factory=dict)
    anchors: dict[str, _Node] = field(default_factory=dict)
    count: int = 0

    def build(self, text: str) -> _Node | None:
        """The tree of the first document; a second one is a problem."""
        root: _Node | None = None
        made = 0
        open_: list[_Node] = []
        for event in self._events(text):
            match event:
                case yaml.DocumentStartEvent():
                    if root is not None:
                        raise self._stop(event, "The file holds more than one document.", "One runbook a file.")
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._anchored(open_.pop())
                case yaml.AliasEvent() | yaml.ScalarEvent() | yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    node = self._node(event)
                    made += 1
                    if made > MAX_NODES:
                        raise self._stop(event, f"There are more than {MAX_NODES:,} values here.")
                    if open_:
                        open_[-1].take(node)
                    else:
                        root = node
                    if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                        open_.append(node)
                        if len(open_) > MAX_DEPTH:
                            raise self._stop(event, f"This is nested deeper than {MAX_DEPTH} levels.")
        return root

    def plain(self, node: _Node, path: Path) -> Any:
        """The node as data, noting the line of every place and what is doubtful about it."""
        self.count += 1
        if self.count > MAX_NODES:
            raise _Stop(Problem(self.file, node.line, spelled(path), f"There are more than {MAX_NODES:,} values here."))
        self.lines.setdefault(path, node.line)
        if node.items is not None:
            return [self.plain(item, (*path, index)) for index, item in enumerate(node.items)]
        if node.pairs is not None:
            return self._mapping(node.pairs, path)
        return self._scalar(node, path)

    def _events(self, text: str) -> Iterator[yaml.Event]:
        loader = yaml.CSafeLoader(text)
        try:
            while loader.check_event():
                event = loader.get_event()
                if event is not None:
                    yield event
        finally:
            loader.dispose()

    def _node(self, event: yaml.Event) -> _Node:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent):
            known = self.anchors.get(event.anchor or "")
            if known is None:
                raise self._stop(event, f"There is no anchor «&{event.anchor}» before this.")
            return known
        if getattr(event, "tag", None) is not None:
            raise self._stop(event, "Tags such as «!!python/…» are not read here.", "Leave the tag out.")
        anchor = getattr(event, "anchor", None)
        match event:
            case yaml.MappingStartEvent():
                return _Node(line, pairs=[], anchor=anchor)
            case yaml.SequenceStartEvent():
                return _Node(line, items=[], anchor=anchor)
            case _:
                node = _Node(line, str(getattr(event, "value", "")), bool(getattr(event, "style", "")), anchor=anchor)
                self._anchored(node)
                return node

    def _anchored(self, node: _Node) -> None:
        # Known only once it is whole: an alias inside its own anchor would make a circle.
        if node.anchor is not None:
            self.anchors[node.anchor] = node

    def _mapping(self, pairs: list[tuple[_Node, _Node]], path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            name = key.scalar
            if name is None or (name == "" and not key.quoted):
                self._problem(key, path, "A key must be text.")
                continue
            place = (*path, name)
            if name in found:
                self._problem(key, place, f"«{name}» is written twice; it is on line {self.lines[place]} already.")
                continue
            if name in _TRAPS and not key.quoted:
                hint = f'Other readers of YAML take it for true or false: write "{name}":.'
                self._problem(key, place, f"The key «{name}» is not quoted.", hint, Level.WARNING)
            self.lines[place] = key.line
            found[name] = self.plain(value, place)
        return found

    def _scalar(self, node: _Node, path: Path) -> Any:  # noqa: PLR0911 - one arm a form
        text = node.scalar or ""
        if node.quoted:
            return text
        if text in _NULLS:
            return None
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        if text in _TRAPS:
            hint = f'Write true or false, or "{text}" in quotes for the word.'
            self._problem(node, path, f"«{text}» is true or false to some readers of YAML and a word to others.", hint)
            return text
        if not _NUMERIC.match(text):
            return text
        if _INTEGER.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text) and not text.lstrip("+-").isdigit():
            number = float(text)
            return number if math.isfinite(number) else text
        return text

    def _problem(self, node: _Node, path: Path, message: str, hint: str = "", level: Level = Level.ERROR) -> None:
        self.problems.append(Problem(self.file, node.line, spelled(path), message, hint, level))

    def _stop(self, event: yaml.Event, message: str, hint: str = "") -> _Stop:
        return _Stop(Problem(self.file, _line(event), "", message, hint))
