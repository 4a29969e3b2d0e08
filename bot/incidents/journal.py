"""What people put on an incident's timeline: notes, messages they marked, and corrections, with nothing lost."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.events import Event, Happened
from bot.domain.incident import Incident
from bot.domain.timeline import timeline
from bot.errors import Mistake, Refusal
from bot.store import audit, incidents, presses
from bot.store.session import Store, Transaction

LONGEST_ENTRY = 2_500


@dataclass(frozen=True, slots=True)
class Marked:
    """A message that somebody marked: where it stands, who wrote it, and its words."""

    channel: str
    ts: str
    author: str
    text: str
    link: str = ""

    @property
    def key(self) -> str:
        """The same for the same message."""
        return f"{self.channel}:{self.ts}"


class Journal:
    """Writes to timelines, each entry in one transaction. A `press` is taken once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def note(self, incident_id: str, by: str, text: str, *, press: str = "") -> None:
        """Put a person's words on the timeline."""
        said = _worded(text, "A note needs words: `/incident note the provider confirms the outage`.")
        async with self._store.transaction() as tx:
            incident = await locked(tx, incident_id)
            if await presses.repeated(tx, press, by, incident_id=incident.id):
                return
            tx.record(Event(Happened.INCIDENT_NOTED, by, {"text": said}), incident_id=incident.id)
            tx.announce("incident", incident_id=incident.id)

    async def mark(self, incident_id: str, by: str, marked: Marked) -> bool:
        """Put a message onto the timeline; False when it stands there already."""
        async with self._store.transaction() as tx:
            incident = await locked(tx, incident_id)
            if await self._stands(tx, incident, marked.key) is not None:
                return False
            words = marked.text.strip()[:LONGEST_ENTRY] or "a message without words"
            about = {"message": marked.key, "author": marked.author, "text": words, "link": marked.link}
            tx.record(Event(Happened.INCIDENT_MARKED, by, about), incident_id=incident.id)
            tx.announce("incident", incident_id=incident.id)
            return True

    async def unmark(self, incident_id: str, by: str, channel: str, ts: str) -> bool:
        """Take a message off the timeline, for whoever has marked it; the audit trail keeps both. False when it does
        not stand there by them."""
        key = f"{channel}:{ts}"
        async with self._store.transaction() as tx:
            incident = await locked(tx, incident_id)
            if await self._stands(tx, incident, key) != by:
                return False
            tx.record(Event(Happened.INCIDENT_UNMARKED, by, {"message": key}), incident_id=incident.id)
            tx.announce("incident", incident_id=incident.id)
            return True

    async def correct(self, incident_id: str, by: str, entry: int, text: str, *, press: str = "") -> None:
        """Say an entry of the timeline in other words; what it said before stays with it. Raises `Mistake` for no
        words, `Refusal` for what is no entry of this incident or says so already."""
        said = _worded(text, "What is to be said instead?")
        async with self._store.transaction() as tx:
            incident = await locked(tx, incident_id)
            if await presses.repeated(tx, press, by, incident_id=incident.id):
                return
            entries = timeline(await audit.read(tx.connection, incident_id=incident.id))
            found = next((line for line in entries if line.seq == entry), None)
            if found is None:
                raise Refusal("This is no entry of this incident's timeline.")
            if found.data.get("text") == said:
                raise Refusal("That is what it says already.")
            tx.record(Event(Happened.ENTRY_CORRECTED, by, {"entry": entry, "text": said}), incident_id=incident.id)
            tx.announce("incident", incident_id=incident.id)

    async def tell(self, incident_id: str, by: str, channel: str, text: str, *, press: str) -> None:
        """Send the stakeholders what somebody has confirmed, once for each `press`."""
        said = _worded(text, "Say what they need to know.")
        async with self._store.transaction() as tx:
            incident = await locked(tx, incident_id)
            if await presses.repeated(tx, press, by, incident_id=incident.id):
                return
            tx.record(Event(Happened.UPDATE_SENT, by, {"text": said, "channel": channel}), incident_id=incident.id)
            told = {"channel": channel, "text": said, "by": by, "key": press}
            tx.announce("update", incident_id=incident.id, body=told)
            tx.announce("incident", incident_id=incident.id)

    async def _stands(self, tx: Transaction, incident: Incident, key: str) -> str | None:
        """Who has marked a message that stands on the timeline."""
        marks = (Happened.INCIDENT_MARKED, Happened.INCIDENT_UNMARKED)
        lines = await audit.read(tx.connection, incident_id=incident.id, kinds=marks)
        newest = next((line for line in reversed(lines) if line.data.get("message") == key), None)
        return newest.actor if newest is not None and newest.kind == Happened.INCIDENT_MARKED else None


async def locked(tx: Transaction, incident_id: str) -> Incident:
    """The incident, locked until the transaction ends. Raises `Mistake` when there is none."""
    incident = await incidents.lock(tx, incident_id)
    if incident is None:
        raise Mistake("This incident is not known here.")
    return incident


def _worded(text: str, empty: str) -> str:
    said = text.strip()
    if not said:
        raise Mistake(empty)
    if len(said) > LONGEST_ENTRY:
        raise Mistake(f"An entry has at most {LONGEST_ENTRY:,} characters.")
    return said
