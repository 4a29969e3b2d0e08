"""Digests: on the severity's interval an open incident says what has happened since the last one, if anything has."""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot.authoring.catalogue import Catalogue
from bot.domain.events import BOT, Event, Happened
from bot.domain.incident import Incident, IncidentState
from bot.domain.system import SeverityRule
from bot.domain.timeline import timeline
from bot.errors import BotError
from bot.store import audit, incidents
from bot.store.session import Store, Transaction

log = structlog.get_logger(__name__)


class Digester:
    """Posts the digests that are due. Any worker may do it, at any time and as often as it likes: what an incident has
    told stands in its row."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue

    async def digest(self, incident_id: str) -> None:
        """Post the digest if its time has come and there is something to tell; then set the clock for the next one."""
        try:
            async with self._store.transaction() as tx:
                incident = await incidents.lock(tx, incident_id)
                if incident is None or incident.state is not IncidentState.OPEN or incident.digest_due is None:
                    return
                if incident.digest_due > tx.now:
                    tx.enqueue_digest(incident.id, delay=incident.digest_due - tx.now)
                    return
                lines = await audit.read(tx.connection, incident_id=incident.id, after=incident.digest_seq)
                if timeline(lines):
                    await self._post(tx, incident, lines[-1].seq)
                await set_digest_clock(tx, self._catalogue, incident)
                tx.announce("incident", incident_id=incident.id)
        except BotError as error:
            log.warning("no digest could be posted", incident=incident_id, error=str(error))

    async def sweep(self) -> int:
        """Have every incident looked at whose digest is due; how many there were."""
        async with self._store.reading() as connection:
            due = await incidents.undigested(connection, self._store.clock.now())
        for incident_id in due:
            async with self._store.transaction() as tx:
                tx.enqueue_digest(incident_id)
        return len(due)

    async def _post(self, tx: Transaction, incident: Incident, upto: int) -> None:
        about = {"number": incident.digests + 1, "after": incident.digest_seq, "upto": upto}
        tx.record(Event(Happened.DIGEST_POSTED, BOT, about), incident_id=incident.id)
        tx.announce("digest", incident_id=incident.id, body=about)
        await incidents.digested(tx, incident.id, upto)


async def set_digest_clock(tx: Transaction, catalogue: Catalogue, incident: Incident) -> None:
    """Have the next digest posted when the severity's interval has passed from now on."""
    due = tx.now + interval(catalogue, incident)
    await incidents.set_digest_due(tx, incident.id, due)
    tx.enqueue_digest(incident.id, delay=due - tx.now)


def interval(catalogue: Catalogue, incident: Incident) -> timedelta:
    """How often an incident of this severity tells what has happened, as its system says."""
    system = catalogue.systems.get(incident.system)
    rule = None if system is None else system.severities.get(incident.severity)
    return (rule or SeverityRule(incident.severity, "")).digest_every
