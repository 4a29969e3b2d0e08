"""What a person can do with an incident: each function is one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from bot.domain.events import Event, Happened
from bot.domain.incident import Incident, IncidentState
from bot.domain.runbook import Severity
from bot.domain.system import System
from bot.errors import Mistake, Refusal
from bot.store import incidents, presses
from bot.store.session import Store, Transaction


async def open_incident(
    tx: Transaction, system: System, *, title: str, severity: Severity, target: timedelta, by: str
) -> Incident:
    """A new incident in the caller's transaction; its channel is made by the announcer."""
    incident = await incidents.insert(
        tx,
        id=str(uuid.uuid4()),
        system=system.id,
        title=title,
        severity=severity,
        target=target,
        opened_by=by,
        prefix=system.channel_prefix,
    )
    about = {"title": title, "severity": severity, "number": incident.number, "label": incident.label}
    tx.record(Event(Happened.INCIDENT_OPENED, by, about), incident_id=incident.id)
    tx.announce("channel", incident_id=incident.id)
    return incident


class Incidents:
    """The things people do to incidents, and the reads their screens need. A `press` is taken once."""

    def __init__(self, store: Store) -> None:
        self._store = store

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
        """Call the people the severity's rule names; their names, for the answer."""
        async with self._store.transaction() as tx:
            incident = await self._locked(tx, incident_id)
            rule = system.severities.get(incident.severity)
            called = rule.escalate_to if rule is not None else ()
            if not called:
                raise Refusal(f"{system.title} names nobody to escalate a {incident.severity} to.")
            if await presses.repeated(tx, press, by, incident_id=incident.id):
                return called
            about = {"to": list(called), "reason": reason}
            tx.record(Event(Happened.INCIDENT_ESCALATED, by, about), incident_id=incident.id)
            tx.announce("escalated", incident_id=incident.id, body={"to": list(called), "by": by, "reason": reason})
            return called

    async def _locked(self, tx: Transaction, incident_id: str) -> Incident:
        incident = await incidents.lock(tx, incident_id)
        if incident is None:
            raise Mistake("This incident is not known here.")
        return incident
