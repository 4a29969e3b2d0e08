"""Files to runbooks: reads a system and its runbooks and reports every problem of every file at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from bot.authoring.catalogue import Catalogue
from bot.authoring.document import FindingDoc, InputDoc, Part, RunbookDoc, SystemDoc, TriageDoc
from bot.authoring.ledger import Ledger
from bot.authoring.lookups import lookups_of
from bot.authoring.operations import FILES, operations_of
from bot.authoring.problems import Level, Problem, as_text, did_you_mean, in_order
from bot.authoring.reading import MAX_BYTES, Document, read
from bot.authoring.runbooks import runbook_of
from bot.authoring.systems import system_of
from bot.domain.operations import Operations
from bot.domain.runbook import Runbook
from bot.domain.system import System
from bot.domain.triage import Lookups
from bot.errors import Misconfigured

SYSTEM_FILE, TRIAGE_FILE, ALERTS_FILE = "system.yaml", "triage.yaml", "alerts.yaml"


def load_system(text: str | bytes, file: str) -> tuple[System | None, list[Problem]]:
    """The system in the text of a system file, or None when it has errors, and all its problems."""
    document, problems = read(text, file)
    if document is None:
        return None, problems
    ledger = Ledger(document)
    said = ledger.read(SystemDoc, document.data)
    system = None if said is None else system_of(ledger, said, _text(text))
    problems += ledger.problems
    return (None if _broken(problems) else system), in_order(problems)


def load_runbook(text: str | bytes, file: str, system: System) -> tuple[Runbook | None, list[Problem]]:
    """The runbook in the text, resolved against its system, or None when it has errors, and all its problems."""
    document, problems = read(text, file)
    if document is None:
        return None, problems
    ledger = Ledger(document)
    said = _shell(ledger, document.data)
    runbook = None
    if said is not None:
        runbook = runbook_of(ledger, said, system, _version(document, system), _text(text))
    problems += ledger.problems
    return (None if _broken(problems) else runbook), in_order(problems)


def load_tree(path: FilePath, only: Collection[str] = ()) -> tuple[Catalogue, list[Problem]]:
    """Every runbook of every system under a folder, or of those in `only`, and every problem of every file.

    A folder holds `system.yaml`, the system's other files if it has them, and runbooks beside them. A file with errors
    is left out of the catalogue.
    """
    tree, folders = _Tree(path), dict[str, FilePath]()
    for folder in _folders(path, tree.problems):
        if only and folder.name not in only:
            continue
        system = _system_at(folder, path, tree.problems)
        if system is None:
            continue
        if system.id in tree.systems:
            _note(tree.problems, f"{folder.name}/{SYSTEM_FILE}", f"There is another system «{system.id}».")
            continue
        tree.systems[system.id] = system
        for file in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
            if file.name != SYSTEM_FILE and file.name not in FILES:
                tree.take(file, system)
        folders[system.id] = folder
    for id, folder in folders.items():
        # A rule of one system may lead to runbooks of another.
        tree.take_operations(folder, tree.systems[id])
    tree.check_sources()
    tree.check_private()
    for runbook in tree.runbooks.values():
        tree.problems += _leading_nowhere(runbook, tree.runbooks, tree.files[runbook.id.casefold()])
    catalogue = Catalogue(tree.systems.values(), tree.runbooks.values(), tree.lookups, tree.operations)
    return catalogue, in_order(tree.problems)


class _Tree:
    """What has been read of a folder so far."""

    def __init__(self, path: FilePath) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.systems: dict[str, System] = {}
        self.lookups: dict[str, Lookups] = {}
        self.operations: dict[str, Operations] = {}
        self.runbooks: dict[str, Runbook] = {}
        self.files: dict[str, str] = {}

    def take(self, file: FilePath, system: System) -> None:
        """Read one file of a system."""
        name = file.relative_to(self.path).as_posix()
        raw = _bytes(file, name, self.problems)
        if raw is None:
            return
        if file.name == TRIAGE_FILE:
            self.lookups[system.id] = _lookups(raw, name, system, self.problems)
            return
        runbook, found = load_runbook(raw, name, system)
        self.problems += found
        if runbook is None:
            return
        if runbook.id.casefold() in self.files:
            other = self.files[runbook.id.casefold()]
            _note(self.problems, name, f"«{runbook.id}» is the id of {other} already.")
            return
        self.files[runbook.id.casefold()] = name
        self.runbooks[runbook.id] = runbook
        if file.stem != runbook.id:
            said = f"The file of «{runbook.id}» has another name."
            hint = f"Call it {runbook.id}.yaml, so that people find it."
            self.problems.append(Problem(name, 1, "id", said, hint, Level.WARNING))

    def take_operations(self, folder: FilePath, system: System) -> None:
        """Read what the folder holds beside runbooks, once these are known."""
        made = Operations()
        for file in (folder / name for name in FILES):
            name = file.relative_to(self.path).as_posix()
            raw = _bytes(file, name, self.problems) if file.is_file() else None
            document, found = (None, []) if raw is None else read(raw, name)
            if document is not None:
                ledger = Ledger(document)
                more = operations_of(ledger, file.name, system, self.runbooks, made)
                found += ledger.problems
                made = made if _broken(found) else more
            self.problems += found
        self.operations[system.id] = made

    def check_private(self) -> None:
        """Incidents are kept private for runbooks that exist."""
        for id, system in self.systems.items():
            mine = [each.id for each in self.runbooks.values() if each.system == id]
            for place, name in enumerate(system.channels.private):
                if name != "*" and name not in mine:
                    file, path = f"{id}/{SYSTEM_FILE}", ("channels", "private", place)
                    document, _ = read((self.path / file).read_bytes(), file)
                    ledger = Ledger(document or Document(file, {}, {}))
                    ledger.error(path, f"The system «{id}» has no runbook «{name}».", did_you_mean(name, mine))
                    self.problems += ledger.problems

    def check_sources(self) -> None:
        """A source has one address, whatever its system."""
        seen: dict[str, str] = {}
        for system, operations in self.operations.items():
            for name in operations.intake.sources:
                if name in seen:
                    file, path = f"{system}/{ALERTS_FILE}", ("sources", name)
                    document, _ = read((self.path / file).read_bytes(), file)
                    ledger = Ledger(document or Document(file, {}, {}))
                    ledger.error(path, f"«{name}» is a source of {seen[name]} already.", "Give it another name.")
                    self.problems += ledger.problems
                seen.setdefault(name, system)


def catalogue_at(path: FilePath, only: Collection[str] = ()) -> Catalogue:
    """Every runbook under a folder, or of the systems in `only`. Raises `Misconfigured` with all problems at once."""
    catalogue, problems = load_tree(path, only)
    errors = [problem for problem in problems if problem.level is Level.ERROR]
    if errors:
        raise Misconfigured(
            f"The runbooks do not hold together:\n{as_text(errors)}", hint="runbook lint says the same."
        )
    return catalogue


def _shell(ledger: Ledger, data: Any) -> RunbookDoc | None:
    """The document's own fields; where only some are wrong, the rest is still read so that its problems show too."""
    said = ledger.read(RunbookDoc, data)
    if said is not None or not isinstance(data, dict):
        return said
    wrong = {problem.path.split(".")[0].split("[")[0] for problem in ledger.problems}
    mended = {name: value for name, value in data.items() if name not in wrong and name in RunbookDoc.model_fields}
    # A part with an error still lends its name, so that one mistake is not reported again wherever it is mentioned.
    for section, model, keep in (("inputs", InputDoc, True), ("findings", FindingDoc, False)):
        parts = data.get(section)
        if section in wrong and isinstance(parts, dict):
            sound = {name: _reads(ledger, model, each) for name, each in parts.items()}
            mended[section] = {name: parts[name] if sound[name] else {} for name in parts if sound[name] or keep}
    for section in ("checks", "actions"):
        parts = data.get(section)
        if section in wrong and isinstance(parts, dict):
            mended[section] = {name: each for name, each in parts.items() if isinstance(each, dict)}
    stand_in = {"id": "X", "title": "X", "severity": "P3", "resolve_within": "1h"}
    return Ledger(ledger.document).read(RunbookDoc, {**stand_in, **mended})


def _reads(ledger: Ledger, model: type[Part], data: Any) -> bool:
    return Ledger(ledger.document).read(model, data) is not None


def _lookups(raw: bytes, file: str, system: System, problems: list[Problem]) -> Lookups:
    """The system's lookups; none when their file has errors."""
    document, found = read(raw, file)
    made = Lookups()
    if document is not None:
        ledger = Ledger(document)
        said = ledger.read(TriageDoc, document.data)
        made = made if said is None else lookups_of(ledger, said, system)
        found += ledger.problems
    problems += found
    return Lookups() if _broken(found) else made


def _leading_nowhere(runbook: Runbook, runbooks: Mapping[str, Runbook], file: str) -> list[Problem]:
    """Steps that start a runbook which is not there, or with inputs that it does not have or lacks."""
    document, _ = read(runbook.source, file)
    ledger = Ledger(document or Document(file, {}, {}))
    mine = {id: each for id, each in runbooks.items() if each.system == runbook.system and id != runbook.id}
    for key, action in runbook.actions.items():
        if action.kind != "runbook":
            continue
        at, other = ("actions", key, "runbook"), mine.get(str(action.spec["start"]))
        given = action.spec.get("inputs") or {}
        if other is None:
            hint = did_you_mean(str(action.spec["start"]), mine)
            ledger.error(at, f"The system «{runbook.system}» has no other runbook «{action.spec['start']}».", hint)
            continue
        for name in given.keys() - {each.name for each in other.inputs}:
            known = [each.name for each in other.inputs]
            ledger.error(at, f"{other.id} has no input «{name}».", did_you_mean(name, known))
        for each in other.inputs:
            if each.required and each.default is None and each.name not in given:
                ledger.error(at, f"{other.id} needs «{each.name}».", "Give it under inputs, as an expression.")
    return ledger.problems


def _version(document: Document, system: System) -> str:
    """The hash of what both documents say, in order; comments and layout do not count."""
    about, _ = read(system.source, SYSTEM_FILE)
    said = [None if about is None else about.data, document.data]
    canonical = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def _folders(path: FilePath, problems: list[Problem]) -> Iterator[FilePath]:
    if not path.is_dir():
        _note(problems, path.name, "There is no such folder.")
        return
    for folder in sorted(path.iterdir()):
        if folder.is_dir() and not folder.name.startswith((".", "_")):
            yield folder


def _system_at(folder: FilePath, root: FilePath, problems: list[Problem]) -> System | None:
    file = folder / SYSTEM_FILE
    name = file.relative_to(root).as_posix()
    if not file.is_file():
        if any(folder.glob("*.y*ml")):
            _note(problems, name, f"The folder «{folder.name}» has runbooks and no {SYSTEM_FILE}.")
        return None
    raw = _bytes(file, name, problems)
    system, found = (None, []) if raw is None else load_system(raw, name)
    problems += found
    if system is not None and system.id != folder.name:
        _note(problems, name, f"The folder of «{system.id}» is called «{folder.name}».")
    return system


def _bytes(file: FilePath, name: str, problems: list[Problem]) -> bytes | None:
    """The file's bytes; one that is too large is not read to its end."""
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        _note(problems, name, f"The file cannot be read: {error.strerror or type(error).__name__}.")
        return None


def _note(problems: list[Problem], file: str, message: str) -> None:
    problems.append(Problem(file, 1, "", message))


def _broken(problems: list[Problem]) -> bool:
    return any(each.level is Level.ERROR for each in problems)


def _text(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "replace")


def reload_tree(catalogue: Catalogue, path: FilePath) -> tuple[tuple[str, ...], list[Problem]]:
    """Bring the catalogue to what the folder holds now: the ids that changed, and all problems.

    A runbook whose file has errors stays as it was, as long as its system is still there.
    """
    fresh, problems = load_tree(path)
    broken = {problem.file for problem in problems if problem.level is Level.ERROR}
    systems = {**catalogue.systems, **fresh.systems} if broken else dict(fresh.systems)
    kept = [
        old
        for old in catalogue.list()
        if fresh.get(old.id) is None
        and any(FilePath(file).stem == old.id or file == f"{old.system}/{SYSTEM_FILE}" for file in broken)
    ]
    changed = catalogue.take(systems.values(), [*fresh.list(), *kept], fresh.lookups, fresh.operations)
    return changed, problems
