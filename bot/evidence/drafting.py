"""Reviews drafted when an incident is resolved: the Markdown file, and an archive for each run."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from bot.evidence.archive import archive
from bot.evidence.case import IncidentCase, incident_case
from bot.evidence.entries import entries
from bot.evidence.review import archive_name, people_in, review, wanted
from bot.runs.reads import Reads
from bot.slack.directory import Directory
from bot.slack.views.incident import review_message
from bot.slack.views.kit import ArchiveFile, Message, TextFile
from bot.store.session import Store


class Reviews:
    """Drafts from the record; what the announcer posts under an incident's summary."""

    def __init__(self, store: Store, directory: Directory, reads: Reads) -> None:
        self._store = store
        self._directory = directory
        self._reads = reads

    async def draft(self, incident_id: str) -> Message | None:
        """The message with its files; None for an incident that needs no review. Raises `Mistake` for one not known."""
        case = await incident_case(self._store, incident_id)
        if not wanted(case):
            return None
        # What is on record of a support run is whole, and the incident's channel is not where that may be read.
        open_ones = [each for each in case.cases if not each.run.support]
        archives = [ArchiveFile(archive_name(each), archive(entries(each))) for each in open_ones]
        if len(open_ones) < len(case.cases):
            case = await self._masked(case)
        sums = {file.name: hashlib.sha256(file.content).hexdigest() for file in archives}
        names = {id: (await self._directory.person(id)).name for id in sorted(people_in(case))}
        text = review(case, sums, {id: name for id, name in names.items() if name})
        file = TextFile(f"{case.incident.label}-review.md", text.encode("utf-8", "replace"))
        return review_message(case.incident, (file, *archives))

    async def _masked(self, case: IncidentCase) -> IncidentCase:
        """The case as its channel may read it."""
        cases = [
            replace(
                each,
                run=await self._reads.run(each.run.id),
                lines=await self._reads.audit(run_id=each.run.id),
            )
            for each in case.cases
        ]
        return replace(case, cases=cases, lines=await self._reads.audit(incident_id=case.incident.id))
