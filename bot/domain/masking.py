"""What support people do not see: values masked by the name of their column, and wherever they turn up in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, final

from bot.domain.change import sha256_of
from bot.domain.facts import to_json

MASK = "•••"
_SHORTEST = 2
_SHORTEST_NUMBER = 10_000
_WORD = re.compile(r"\w+")
_ADDRESS = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.])\+\d[\d\s()./-]{5,}\d")


@final
class Masked(str):
    """Reads as the mask whatever is done with it, and equals what the value it stands for equals (and its own looks): a
    sentence that compares stays true, one that prints tells nothing."""

    __slots__ = ("_digest",)
    _digest: str

    def __new__(cls, value: Any) -> Masked:
        """The mask of a value."""
        made = super().__new__(cls, MASK)
        made._digest = _digest(value)
        return made

    def __eq__(self, other: object) -> bool:
        return (type(other) is str and str.__eq__(self, other)) or self._digest == _digest(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._digest)


def _digest(value: object) -> str:
    return value._digest if isinstance(value, Masked) else sha256_of(to_json(value))


@dataclass(frozen=True, slots=True)
class Mask:
    """Which columns are masked: patterns of names, in any case, `*` standing for anything. `businesses.name` is the
    column of that table, or of that check, only."""

    patterns: tuple[str, ...]

    def of(self, owner: str) -> Mask:
        """What is masked of one table or check."""
        parts = [pattern.rpartition(".") for pattern in self.patterns]
        return Mask(tuple(name for whose, _, name in parts if not whose or _fits(owner, whose)))

    def hides(self, name: str) -> bool:
        """Whether values under this name are masked."""
        return any(_fits(name, pattern) for pattern in self.patterns)

    def over(self, data: Any, also: frozenset[str] = frozenset()) -> Any:
        """The data with everything under a masked name, or one of `also`, masked; what is null stays null."""
        if isinstance(data, Masked):
            return data
        if isinstance(data, Mapping):
            return {
                key: covered(item) if key in also or self.hides(str(key)) else self.over(item, also)
                for key, item in data.items()
            }
        if isinstance(data, list | tuple | set | frozenset):
            return [self.over(item, also) for item in data]
        return data

    def hidden(self, data: Any, also: frozenset[str] = frozenset()) -> Iterator[str]:
        """The texts that `over` masks."""
        if isinstance(data, Mapping):
            for key, item in data.items():
                yield from _texts(item) if key in also or self.hides(str(key)) else self.hidden(item, also)
        elif isinstance(data, list | tuple | set | frozenset):
            for item in data:
                yield from self.hidden(item, also)


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name.lower(), pattern.lower())


def covered(data: Any) -> Any:
    """Every value masked, in the structure they have; what is null stays null."""
    if data is None or isinstance(data, Masked):
        return data
    if isinstance(data, Mapping):
        return {key: covered(item) for key, item in data.items()}
    if isinstance(data, list | tuple | set | frozenset):
        return [covered(item) for item in data]
    return Masked(data)


def token(text: str) -> str:
    """What stands for a masked text where it has to be told from others."""
    return f"masked-{sha256_of(text)[:32]}"


def _texts(data: Any) -> Iterator[str]:
    """What of a masked value could be told in words; small numbers and times are too common to be looked for."""
    match data:
        case None | bool() | float():
            return
        case str():
            yield data
        case int():
            if abs(data) >= _SHORTEST_NUMBER:
                yield str(data)
        case Mapping():
            for item in data.values():
                yield from _texts(item)
        case Sequence() | set() | frozenset():
            for item in data:
                yield from _texts(item)
        case _:
            yield str(data)


class Censor:
    """Masks known values wherever they stand in words, in any case; and, where such columns are masked, whatever looks
    like an e-mail address or an international telephone number."""

    def __init__(self, mask: Mask, texts: Iterable[str]) -> None:
        self.mask = mask
        self._shapes = [shape for name, shape in (("email", _ADDRESS), ("phone", _PHONE)) if mask.hides(name)]
        self._by_word: dict[str, list[str]] = {}
        for text in {_folded(each).strip() for each in texts}:
            first = _WORD.search(text)
            if first is not None and len(text) >= _SHORTEST:
                self._by_word.setdefault(first.group(), []).append(text[first.start() :])
        for known in self._by_word.values():
            known.sort(key=len, reverse=True)

    def words(self, text: str) -> str:
        """The text with every known value masked."""
        for shape in self._shapes:
            text = shape.sub(MASK, text)
        folded, done, at = _folded(text), [], 0
        for word in _WORD.finditer(folded):
            if word.start() < at:
                continue
            found = next((each for each in self._by_word.get(word.group(), ()) if _stands(folded, each, word)), None)
            if found is not None:
                done += [text[at : word.start()], MASK]
                at = word.start() + len(found)
        return "".join([*done, text[at:]])

    def data(self, data: Any) -> Any:
        """The same for every text in plain data."""
        if isinstance(data, Masked):
            return data
        if isinstance(data, str):
            return self.words(data)
        if isinstance(data, Mapping):
            return {key: self.data(item) for key, item in data.items()}
        if isinstance(data, list | tuple):
            return [self.data(item) for item in data]
        return data


def _folded(text: str) -> str:
    """Without regard to case, sign by sign: each keeps its place."""
    if text.isascii():
        return text.lower()
    return "".join(folded if len(folded := sign.casefold()) == 1 else sign for sign in text)


def _stands(text: str, known: str, word: re.Match[str]) -> bool:
    """Whether the known value begins with this word and ends where a word ends."""
    end = word.start() + len(known)
    inside = known[-1:].isalnum() and text[end : end + 1].isalnum()
    return text.startswith(known, word.start()) and not inside
