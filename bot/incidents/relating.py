"""Incidents that belong together: duplicates become one, others point at each other."""

from __future__ import annotations

from collections.abc import Sequence

from bot.authoring.catalogue import Catalogue
from bot.domain.events import Event, Happened
from bot.domain.incident import Incident, IncidentState
from bot.domain.paging import PageEvent
from bot.errors import Mistake, Refusal
from bot.incidents.actions import acknowledge
from bot.incidents.journal import locked
from bot.incidents.opening import raise_severity
from bot.incidents.paging import answered
from bot.store import incidents, presses
from bot.store.session import Store, Transaction

MOST_RELATED = 10


class Relations:
    """Merges and links incidents, each in one transaction. A `press` is taken once."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue

    async def numbered(self, number: int) -> Incident:
        """The incident with this number. Raises `Mistake` when there is none."""
        async with self._store.reading() as connection:
            found = await incidents.by_number(connection, number)
        if found is None:
            raise Mistake(f"There is no incident {number}.")
        return found

    async def around(self, incident: Incident) -> tuple[Sequence[Incident], Sequence[Incident], Incident | None]:
        """Those that were merged into it, those it is linked with, and the one it was merged into itself."""
        async with self._store.reading() as connection:
            merged = await incidents.merged_with(connection, incident.id)
            related = await incidents.known(connection, incident.related) if incident.related else ()
            into = None if incident.merged_into is None else await incidents.get(connection, incident.merged_into)
        return merged, related, into

    async def merge(self, incident_id: str, into_id: str, by: str, *, press: str = "") -> tuple[Incident, Incident]:
        """Make an incident a duplicate of another: its clock stands, its people go on in the other one, which is as
        severe as the worse of both and taken if one of them was. Its runs stay in its channel. Raises `Refusal`."""
        async with self._store.transaction() as tx:
            incident, into = await self._both(tx, incident_id, into_id)
            if await presses.repeated(tx, press, by, incident_id=incident.id):
                return incident, into
            for each in (incident, into):
                if each.state is not IncidentState.OPEN:
                    raise Refusal(f"{each.label} is {each.state}; only open incidents are merged.")
            if incident.private and not into.private:
                raise Refusal(
                    f"{incident.label} is private and {into.label} is not: its people would come into the open."
                )
            if incident.severity < into.severity:
                into = await raise_severity(tx, self._catalogue, into, incident.severity, by)
            if into.acknowledged_at is None and incident.acknowledged_at is not None:
                into = await acknowledge(tx, self._catalogue, into, incident.acknowledged_by)
            fresh = [each for each in incident.suggestions if each not in into.suggestions]
            into = await incidents.suggest(tx, into.id, [*into.suggestions, *fresh]) if fresh else into
            merged = await incidents.merge(tx, incident.id, into.id)
            tx.record(Event(Happened.INCIDENT_MERGED, by, {"into": into.label}), incident_id=merged.id)
            tx.record(Event(Happened.INCIDENT_MERGED, by, {"took_in": merged.label}), incident_id=into.id)
            await answered(tx, self._catalogue.systems.get(merged.system), merged, PageEvent.RESOLVED)
            tx.announce("merged", incident_id=merged.id)
            tx.announce("incident", incident_id=merged.id)
            tx.announce("incident", incident_id=into.id)
            return merged, into

    async def link(self, incident_id: str, other_id: str, by: str, *, press: str = "") -> Incident:
        """Have two incidents point at each other. Raises `Refusal` when they do."""
        async with self._store.transaction() as tx:
            incident, other = await self._both(tx, incident_id, other_id)
            if await presses.repeated(tx, press, by, incident_id=incident.id):
                return other
            if other.id in incident.related:
                raise Refusal(f"{other.label} is linked already.")
            for one, another in ((incident, other), (other, incident)):
                if len(one.related) >= MOST_RELATED:
                    raise Refusal(f"{one.label} is linked with {MOST_RELATED} incidents; that is as many as it takes.")
                await incidents.relate(tx, one.id, (*one.related, another.id))
                tx.record(Event(Happened.INCIDENT_LINKED, by, {"with": another.label}), incident_id=one.id)
                tx.announce("incident", incident_id=one.id)
            return other

    async def _both(self, tx: Transaction, incident_id: str, other_id: str) -> tuple[Incident, Incident]:
        """Both, locked in the same order whoever asks."""
        if incident_id == other_id:
            raise Refusal("That is this incident itself.")
        found = {id: await locked(tx, id) for id in sorted((incident_id, other_id))}
        return found[incident_id], found[other_id]
