"""Whether runbooks carry what their sources say: facts with ids on one side, places in the runbooks on the other.

For each system a folder holds `facts.yaml` (kinds of facts, each an id and a few words) and `carried.yaml` (for each
id one place or several, or `{because: reason}` where nothing is to be carried). A place is a path:
`RB-011.checks.account`, `RB-011.follow_ups/words that stand in one of them`, `system.templates.paid`,
`monitors.late_invoices`, `appointments.daily`, `windows.upkeep`, `ladders.urgent`, `triage.email`, or `RB-011` alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.authoring.catalogue import Catalogue
from bot.domain.operations import Operations
from bot.domain.runbook import Runbook
from bot.domain.triage import Lookups
from bot.errors import Misconfigured

FACTS, CARRIED = "facts.yaml", "carried.yaml"
CHANGES = "changes"
# Where a step that changes a system may be carried: where it is gated, or where people are told to do it themselves.
GATED = ("actions", "follow_ups", "notes")
LISTS = ("symptoms", "follow_ups", "notes")


@dataclass(frozen=True, slots=True)
class Carried:
    """How much of one kind of facts is carried, and how much of that by a reason not to."""

    kind: str
    facts: int
    carried: int
    reasons: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one system's runbooks carry of its sources; `wrong` has a sentence for each fact that is not carried."""

    system: str
    kinds: tuple[Carried, ...]
    wrong: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """The coverage for machines."""
        return asdict(self)


def coverage(catalogue: Catalogue, folder: Path) -> list[Coverage]:
    """What is carried, by system. Raises `Misconfigured` when the folder holds no facts or files of another shape."""
    found = [
        _of_system(catalogue, each.parent.name, _read(each), _read(each.parent / CARRIED))
        for each in sorted(folder.glob(f"*/{FACTS}"))
    ]
    if not found:
        raise Misconfigured(f"{folder} holds no {FACTS}.", hint="It is a folder with a folder for each system.")
    return found


def _of_system(
    catalogue: Catalogue, system: str, facts: Mapping[str, Mapping[str, str]], carried: Mapping[str, Any]
) -> Coverage:
    places = _Places(catalogue, system)
    wrong: list[str] = []
    kinds = []
    for kind, ids in facts.items():
        good = reasons = 0
        for id, says in ids.items():
            where = carried.get(id)
            trouble = _trouble(where, places, kind)
            if trouble:
                wrong.append(f"{id} ({says}): {trouble}")
            good += not trouble
            reasons += not trouble and isinstance(where, Mapping)
        kinds.append(Carried(kind, len(ids), good, reasons))
    known = {id for ids in facts.values() for id in ids}
    wrong += [f"{id}: there is no such fact" for id in carried if id not in known]
    return Coverage(system, tuple(kinds), tuple(wrong))


def _trouble(where: Any, places: _Places, kind: str) -> str:
    """What is wrong with how a fact is carried; nothing when it is carried."""
    if where is None:
        return "not carried"
    if isinstance(where, Mapping):
        reason = where.get("because")
        return "" if isinstance(reason, str) and len(where) == 1 and reason.strip() else "«because» gives no reason"
    named = [where] if isinstance(where, str) else where
    if not isinstance(named, Sequence) or not named or not all(isinstance(each, str) for each in named):
        return "carried.yaml has neither places nor a reason"
    if (lost := next((each for each in named if not places.has(each)), None)) is not None:
        return f"there is no {lost}"
    if kind == CHANGES and not any(_part(each) in GATED for each in named):
        return f"a change is carried by an action, a follow-up or a note, not by {', '.join(named)}"
    return ""


def _part(place: str) -> str:
    """The section a place is in: "actions" of "RB-011.actions.unfreeze"."""
    _, _, rest = place.partition(".")
    return rest.split(".")[0].split("/")[0]


class _Places:
    """Every place there is in the files of one system."""

    def __init__(self, catalogue: Catalogue, system: str) -> None:
        self._keys: set[str] = set()
        self._lines: dict[str, tuple[str, ...]] = {}
        for runbook in catalogue.of_system(system):
            self._runbook(runbook)
        if system in catalogue.systems:
            about = catalogue.systems[system]
            for part in ("databases", "services", "commands", "logs", "secrets", "groups", "contacts", "templates"):
                self._add(f"system.{part}", getattr(about, part))
            self._add("system.severities", about.severities)
        self._operations(catalogue.operations.get(system, Operations()))
        self._add("triage", [each.name for each in catalogue.lookups.get(system, Lookups()).inputs])

    def has(self, place: str) -> bool:
        """Whether there is such a place; after a slash come words of one of its lines."""
        path, slash, words = place.partition("/")
        if not slash:
            return place in self._keys
        return bool(words) and any(words.casefold() in line.casefold() for line in self._lines.get(path, ()))

    def _runbook(self, runbook: Runbook) -> None:
        self._keys.add(runbook.id)
        for part in ("checks", "actions"):
            self._add(f"{runbook.id}.{part}", getattr(runbook, part))
        self._add(f"{runbook.id}.findings", [each.key for each in runbook.findings])
        self._add(f"{runbook.id}.inputs", [each.name for each in runbook.inputs])
        for part in LISTS:
            self._lines[f"{runbook.id}.{part}"] = getattr(runbook, part)

    def _operations(self, made: Operations) -> None:
        self._add("monitors", made.monitors)
        self._add("appointments", made.calendar.appointments)
        self._add("windows", made.calendar.windows)
        self._add("ladders", made.ladders)
        self._lines["operations.notes"] = made.notes

    def _add(self, path: str, names: Iterable[str]) -> None:
        self._keys.update(f"{path}.{name}" for name in names)


def _read(file: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Misconfigured(f"{file} cannot be read: {type(error).__name__}.") from error
    wanted: Collection[type] = (dict,) if file.name == FACTS else (dict, list, str)
    if not isinstance(data, dict) or not all(isinstance(each, tuple(wanted)) for each in data.values()):
        raise Misconfigured(f"{file} is not of the shape that coverage reads.", hint="See bot/authoring/coverage.py.")
    return data
