"""Every runbook a process knows, by id and by what it is about; commands and searches ask here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from bot.domain.operations import Operations
from bot.domain.runbook import Runbook
from bot.domain.system import System
from bot.domain.triage import Lookups

MAX_WORDS = 20
MAX_WORD = 40
FEWEST_LETTERS_TO_MISSPELL = 4
ALIKE = 0.8

_WORD = re.compile(r"[a-z0-9]+")
_ENDINGS = ("ations", "ation", "ings", "ing", "ions", "ion", "ed", "es", "s")
_STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "can",
        "cannot",
        "do",
        "does",
        "for",
        "from",
        "has",
        "have",
        "in",
        "is",
        "it",
        "its",
        "my",
        "not",
        "of",
        "on",
        "or",
        "our",
        "still",
        "that",
        "the",
        "their",
        "they",
        "this",
        "to",
        "too",
        "was",
        "when",
        "with",
    ]
)
_TITLE, _SYMPTOM, _SUMMARY = 6.0, 3.0, 1.0


@dataclass(frozen=True, slots=True)
class _Entry:
    runbook: Runbook
    words: dict[str, float] = field(default_factory=dict)
    stems: dict[str, float] = field(default_factory=dict)


class Catalogue:
    """The runbooks and systems in use. It is updated in place, so that everybody who holds it sees what is new."""

    def __init__(
        self,
        systems: Iterable[System] = (),
        runbooks: Iterable[Runbook] = (),
        lookups: Mapping[str, Lookups] | None = None,
        operations: Mapping[str, Operations] | None = None,
    ) -> None:
        self.systems: dict[str, System] = {}
        self.lookups: Mapping[str, Lookups] = {}
        self.operations: Mapping[str, Operations] = {}
        self._entries: dict[str, _Entry] = {}
        self.take(systems, runbooks, lookups, operations)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Runbook]:
        return iter(self.list())

    def take(
        self,
        systems: Iterable[System],
        runbooks: Iterable[Runbook],
        lookups: Mapping[str, Lookups] | None = None,
        operations: Mapping[str, Operations] | None = None,
    ) -> tuple[str, ...]:
        """Hold these from now on, `lookups` and `operations` by system; the ids of the runbooks that are new, different
        or gone."""
        before = {key: entry.runbook.version for key, entry in self._entries.items()}
        self.systems = {system.id: system for system in systems}
        self.lookups = dict(lookups or {})
        self.operations = dict(operations or {})
        self._entries = {runbook.id.casefold(): _entry(runbook) for runbook in runbooks}
        after = {key: entry.runbook.version for key, entry in self._entries.items()}
        return tuple(sorted(key.upper() for key in before.keys() | after if before.get(key) != after.get(key)))

    def get(self, id: str) -> Runbook | None:
        """The runbook with this id, however its letters are cased."""
        entry = self._entries.get(id.strip().casefold())
        return None if entry is None else entry.runbook

    def list(self) -> Sequence[Runbook]:
        """Every runbook, by id."""
        return [self._entries[key].runbook for key in sorted(self._entries)]

    def of_system(self, system: str) -> Sequence[Runbook]:
        """The runbooks of a system, by id."""
        return [runbook for runbook in self.list() if runbook.system == system]

    def search(self, words: str) -> Sequence[Runbook]:
        """The runbooks these words are about, best first; misspelt words count for less."""
        asked = _words(words)
        scored = []
        for key in sorted(self._entries):
            entry = self._entries[key]
            hits = [_best(word, entry.words) for word in asked]
            found = sum(1 for hit in hits if hit)
            if same_id(words, entry.runbook.id):
                scored.append((1000.0, entry.runbook))
            elif asked and 2 * found >= len(asked):
                scored.append((sum(hits) * found / len(asked), entry.runbook))
        scored.sort(key=lambda each: -each[0])
        return [runbook for _, runbook in scored]

    def fitting(self, system: str, words: str) -> Sequence[tuple[float, Runbook]]:
        """The runbooks of a system that words of a machine are about, best first, each with its score: as `search` has
        it, but for misspelt words, which machines do not write and which take a thousand times as long to look for."""
        asked = _words(words)
        scored = []
        for key in sorted(self._entries):
            entry = self._entries[key]
            if entry.runbook.system != system or not asked:
                continue
            hits = [entry.words.get(word) or 0.9 * entry.stems.get(_stem(word), 0.0) for word in asked]
            found = sum(1 for hit in hits if hit)
            if 2 * found >= len(asked):
                scored.append((sum(hits) * found / len(asked), entry.runbook))
        return sorted(scored, key=lambda each: -each[0])

    def suggest(self, text: str) -> Sequence[Runbook]:
        """What may have been meant by an id or words that fit nothing: RB-11 is near RB-011."""
        wanted = text.strip()[:MAX_WORD].casefold()
        near = [entry.runbook for entry in self._entries.values() if same_id(wanted, entry.runbook.id)]
        found = [runbook for runbook in self.search(text) if runbook not in near]
        alike = sorted(
            ((SequenceMatcher(None, wanted, key).ratio(), key) for key in self._entries),
            key=lambda each: (-each[0], each[1]),
        )
        likely = [self._entries[key].runbook for ratio, key in alike if ratio >= ALIKE]
        return [*near, *found, *(runbook for runbook in likely if runbook not in [*near, *found])][:5]


def same_id(text: str, id: str) -> bool:
    """Whether a text means an id, but for zeros, dashes and case: "rb 11", "RB11" and "11" all mean RB-011."""
    asked, known = _id_parts(text), _id_parts(id)
    return bool(asked) and (asked == known or (len(asked) == 1 and asked[0].isdigit() and asked == known[-1:]))


def _id_parts(text: str) -> tuple[str, ...]:
    parts = re.findall(r"[a-z]+|\d{1,9}", text.strip().casefold()[:MAX_WORD])
    return tuple(part.lstrip("0") or "0" if part.isdigit() else part for part in parts)


def _entry(runbook: Runbook) -> _Entry:
    words: dict[str, float] = {}
    for weight, texts in (
        (_SUMMARY, (runbook.summary, *(finding.say for finding in runbook.findings))),
        (_SYMPTOM, runbook.symptoms),
        (_TITLE, (runbook.title,)),
    ):
        for text in texts:
            for word in _words(text, limit=400):
                words[word] = max(weight, words.get(word, 0))
    stems: dict[str, float] = {}
    for word, weight in words.items():
        stems[_stem(word)] = max(weight, stems.get(_stem(word), 0))
    return _Entry(runbook, words, stems)


def _words(text: str, limit: int = MAX_WORDS) -> Sequence[str]:
    found = _WORD.findall(text[: limit * MAX_WORD].casefold().replace("'", ""))
    return tuple(dict.fromkeys(word[:MAX_WORD] for word in found if word not in _STOP and len(word) > 1))[:limit]


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending)
    return word


def _best(word: str, known: dict[str, float]) -> float:
    """How well a word fits the best of the known ones."""
    if word in known:
        return known[word]
    stem = _stem(word)
    best = 0.0
    for other, weight in known.items():
        if weight <= best:
            continue
        if _stem(other) == stem:
            best = max(best, 0.9 * weight)
        elif len(word) >= 3 and other.startswith(word):
            best = max(best, 0.7 * weight)
        elif min(len(word), len(other)) >= FEWEST_LETTERS_TO_MISSPELL and abs(len(word) - len(other)) <= 2:
            ratio = SequenceMatcher(None, stem, _stem(other)).ratio()
            if ratio >= ALIKE:
                best = max(best, 0.6 * ratio * weight)
    return best
