"""What a person can do with an incident: each function is one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from bot.authoring.catalogue import Catalogue
from bot.domain.escalation import next_climb
from bot.domain.events import Event, Happened
from bot.domain.incident import Incident, IncidentState
from bot.domain.operations import Ladder, Rung
from bot.domain.runbook import Severity
from bot.domain.system import System
from bot.errors import Mistake, Refusal
from bot.incidents.climbing import call, ladder_of
from bot.incidents.opening import open_incident
from bot.store import incidents, presses
from bot.store.session import Store, Transaction


async def acknowledge(tx: Transaction, incident: Incident, by: str) -> Incident:
    """Somebody is on it, in the caller's transaction: they lead it, and the clock of its ladder stands."""
    instead = incident.acknowledged_by
    about = {"instead_of": instead} if instead else {}
    tx.record(Event(Happened.INCIDENT_ACKNOWLEDGED, by, about), incident_id=incident.id)
    tx.announce("incident", incident_id=incident.id)
    return await incidents.acknowledge(tx, incident.id, by, by)


class Incidents:
    """The things people do to incidents, and the reads their screens need. A `press` is taken once."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue

    async def open(self, system: System, title: str, severity: Severity, by: str, *, press: str = "") -> Incident:
        """Open an incident by hand; its people are called. Raises `Refusal` for a command that was taken before."""
        async with self._store.transaction() as tx:
            if await presses.repeated(tx, press, by):
                raise Refusal("This has been taken already; /incident shows what is open.")
            return await open_incident(tx, self._catalogue, system, title=title, severity=severity, by=by)

    async def acknowledge(self, incident_id: str, by: str, *, press: str = "") -> Incident:
        """Somebody is on it. Raises `Refusal` when it has ended, or when they are on it already."""
        async with self._store.transaction() as tx:
            incident = await self._locked(tx, incident_id)
            if await presses.repeated(tx, press, by, incident_id=incident.id):
                return incident
            if incident.state is IncidentState.RESOLVED:
                raise Refusal("This incident is resolved already.")
            if incident.acknowledged_by == by:
                raise Refusal("You are on it already.")
            return await acknowledge(tx, incident, by)

    def ladder(self, incident: Incident) -> Ladder | None:
        """The escalation ladder of an incident."""
        return ladder_of(self._catalogue, incident)

    async def get(self, incident_id: str) -> Incident:
        """The incident with this id. Raises `Mistake` when there is none."""
        async with self._store.reading() as connection:
            found = await incidents.get(connection, incident_id)
        if found is None:
            raise Mistake("This incident is not known here.")
        return found

    async def in_channel(self, channel: str) -> Incident | None:
        """The newest incident that lives in a channel."""
        async with self._store.reading() as connection:
            return await incidents.by_channel(connection, channel)

    async def open_ones(self) -> Sequence[Incident]:
        """Open incidents, newest first."""
        async with self._store.reading() as connection:
            return await incidents.open_ones(connection)

    async def note(self, incident_id: str, by: str, text: str, *, press: str = "") -> None:
        """Put a person's words on the timeline."""
        if not text.strip():
            raise Mistake("A note needs words: `/incident note the provider confirms the outage`.")
        async with self._store.transaction() as tx:
            incident = await self._locked(tx, incident_id)
            if await presses.repeated(tx, press, by, incident_id=incident.id):
                return
            tx.record(Event(Happened.INCIDENT_NOTED, by, {"text": text.strip()}), incident_id=incident.id)
            tx.announce("incident", incident_id=incident.id)

    async def resolve(self, incident_id: str, by: str) -> Incident:
        """End an incident; the final summary is posted. Raises `Refusal` when it has ended already."""
        async with self._store.transaction() as tx:
            incident = await self._locked(tx, incident_id)
            if incident.state is IncidentState.RESOLVED:
                raise Refusal("This incident is resolved already.")
            await incidents.set_state(tx, incident.id, IncidentState.RESOLVED, tx.now)
            minutes = (tx.now - incident.opened_at).total_seconds() / 60
            tx.record(Event(Happened.INCIDENT_RESOLVED, by, {"minutes": round(minutes, 1)}), incident_id=incident.id)
            tx.announce("incident", incident_id=incident.id)
            tx.announce("resolved", incident_id=incident.id)
            return incident

    async def escalate(
        self, incident_id: str, by: str, system: System, reason: str, *, press: str = ""
    ) -> Sequence[str]:
        """Call the next people of the incident's ladder, or whom its severity names where it has none; their names, for
        the answer. Raises `Refusal` when there is nobody left to call."""
        async with self._store.transaction() as tx:
            incident = await self._locked(tx, incident_id)
            ladder = ladder_of(self._catalogue, incident) or _by_severity(system, incident.severity)
            climb = next_climb(incident, ladder)
            if ladder is None:
                raise Refusal(f"{system.title} names nobody to escalate a {incident.severity} to.")
            if await presses.repeated(tx, press, by, incident_id=incident.id):
                return ladder.rungs[max(0, incident.rungs - 1)].to
            if climb is None:
                raise Refusal(f"Everybody on the ladder «{ladder.title}» has been called.")
            await call(tx, incident, ladder, climb, by, reason)
            return climb.rung.to

    async def _locked(self, tx: Transaction, incident_id: str) -> Incident:
        incident = await incidents.lock(tx, incident_id)
        if incident is None:
            raise Mistake("This incident is not known here.")
        return incident


def _by_severity(system: System, severity: Severity) -> Ladder | None:
    rule = system.severities.get(severity)
    if rule is None or not rule.escalate_to:
        return None
    return Ladder("", rule.label, (Rung(rule.escalate_to),))
