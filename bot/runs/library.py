"""The runbooks a process knows: the catalogue for new runs, stored versions for runs under way."""

from __future__ import annotations

from bot.authoring.catalogue import Catalogue
from bot.authoring.loader import load_runbook, load_system
from bot.domain.run import Run
from bot.domain.runbook import Runbook
from bot.domain.system import System
from bot.errors import Misconfigured, Mistake
from bot.store import runs
from bot.store.runs import Documents
from bot.store.session import Store


class Library:
    """Runbooks by id from the catalogue, and by version from the store: editing one never changes a run under way."""

    def __init__(self, catalogue: Catalogue, store: Store) -> None:
        self.catalogue = catalogue
        self._store = store
        self._versions: dict[str, tuple[Runbook, System]] = {}

    def known(self, id: str) -> Runbook:
        """The runbook of the catalogue with that id. Raises `Mistake` with what may have been meant."""
        runbook = self.catalogue.get(id)
        if runbook is None:
            close = ", ".join(each.id for each in self.catalogue.suggest(id)[:3])
            hint = f"Did you mean {close}?" if close else "Try /runbook list."
            raise Mistake(f"There is no runbook «{id}».", hint=hint)
        return runbook

    def system(self, runbook: Runbook) -> System:
        """The system a runbook of the catalogue belongs to."""
        return self.catalogue.systems[runbook.system]

    def documents(self, runbook: Runbook) -> Documents:
        """What is stored with the first run of a version."""
        system = self.system(runbook)
        return Documents(runbook.version, runbook.id, system.id, runbook.source, system.source)

    async def of_run(self, run: Run) -> tuple[Runbook, System]:
        """The runbook and system that a run started with."""
        if run.version not in self._versions:
            current = self.catalogue.get(run.runbook)
            if current is not None and current.version == run.version:
                self._versions[run.version] = (current, self.system(current))
            else:
                self._versions[run.version] = await self._stored(run.version)
        return self._versions[run.version]

    async def _stored(self, version: str) -> tuple[Runbook, System]:
        async with self._store.reading() as connection:
            kept = await runs.version(connection, version)
        if kept is None:
            raise Misconfigured(f"The runbook version {version[:12]} is not in the bot's database.")
        system, problems = load_system(kept.system_document, f"{kept.system}/system.yaml")
        if system is not None:
            runbook, problems = load_runbook(kept.document, f"{kept.system}/{kept.runbook}.yaml", system)
            if runbook is not None:
                return runbook, system
        first = problems[0].message if problems else "it cannot be read"
        raise Misconfigured(
            f"The stored version {version[:12]} of {kept.runbook} does not fit this release: {first}.",
            hint="Finish the runs under way with the release that started them.",
        )
