"""Escalation by the clock: the next people of a ladder are called, each rung once, until somebody is on it."""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot.authoring.catalogue import Catalogue
from bot.domain.escalation import Climb, due_climb
from bot.domain.events import BOT, Event, Happened
from bot.domain.incident import Incident
from bot.domain.operations import Ladder, Operations
from bot.errors import BotError
from bot.incidents.paging import page
from bot.store import audit, incidents
from bot.store.session import Store, Transaction

log = structlog.get_logger(__name__)


class Climber:
    """Calls the rungs that are due. Any worker may do it, at any time and as often as it likes: what an incident has
    come to stands in its row."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue

    async def climb(self, incident_id: str) -> None:
        """Call the next rung if its time has come; else see to it that somebody looks again when it has."""
        try:
            async with self._store.transaction() as tx:
                incident = await incidents.lock(tx, incident_id)
                if incident is None:
                    return
                ladder = ladder_of(self._catalogue, incident)
                climb = due_climb(incident, ladder)
                if climb is None or ladder is None or climb.at > tx.now:
                    await set_clock(tx, incident, ladder)
                else:
                    await call(tx, self._catalogue, incident, ladder, climb, BOT)
        except BotError as error:
            log.warning("nobody could be called", incident=incident_id, error=str(error))

    async def sweep(self) -> int:
        """Have every incident looked at whose rung is due; how many there were."""
        async with self._store.reading() as connection:
            due = await incidents.overdue(connection, self._store.clock.now())
        for incident_id in due:
            async with self._store.transaction() as tx:
                tx.enqueue_climb(incident_id)
        return len(due)


def ladder_of(catalogue: Catalogue, incident: Incident) -> Ladder | None:
    """The incident's ladder as its system has it today."""
    return catalogue.operations.get(incident.system, Operations()).ladders.get(incident.ladder)


async def call(
    tx: Transaction, catalogue: Catalogue, incident: Incident, ladder: Ladder, climb: Climb, by: str, reason: str = ""
) -> Incident:
    """Call a rung in the caller's transaction, in Slack and outside, and set the clock for the one after it."""
    to, number = list(climb.rung.to), climb.place + 1
    waited = round((tx.now - incident.opened_at).total_seconds())
    about = {"to": to, "reason": reason, "rung": number, "of": len(ladder.rungs), "waited_seconds": waited}
    tx.record(Event(Happened.INCIDENT_ESCALATED, by, about), incident_id=incident.id)
    tx.announce(
        "escalated", incident_id=incident.id, body={"to": to, "reason": reason, "rung": number, "waited": waited}
    )
    tx.announce("incident", incident_id=incident.id)
    await page(tx, catalogue.systems.get(incident.system), incident, number, to, reason)
    after = await incidents.called(tx, incident.id, number)
    await set_clock(tx, after, ladder)
    return after


async def show_calls(tx: Transaction, incident: Incident) -> None:
    """Have the calls so far shown as they stand now, in the caller's transaction."""
    for line in await audit.read(tx.connection, incident_id=incident.id, kinds=(Happened.INCIDENT_ESCALATED,)):
        known = {"to": line.data["to"], "reason": line.data["reason"], "rung": line.data["rung"]}
        tx.announce("escalated", incident_id=incident.id, body={**known, "waited": line.data["waited_seconds"]})


async def set_clock(tx: Transaction, incident: Incident, ladder: Ladder | None) -> None:
    """Remember when the next rung is called, if the clock calls one, and have a worker come then."""
    climb = due_climb(incident, ladder)
    await incidents.set_due(tx, incident.id, None if climb is None else climb.at)
    if climb is not None:
        tx.enqueue_climb(incident.id, delay=max(climb.at - tx.now, timedelta(0)))
