"""What a person can do with an incident: each function is one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from bot.authoring.catalogue import Catalogue
from bot.domain.alert import Tally, Tracked
from bot.domain.escalation import due_climb, next_climb
from bot.domain.events import BOT, Event, Happened
from bot.domain.incident import Incident, IncidentState
from bot.domain.insight import PERIOD, Resolution, resolutions
from bot.domain.operations import Ladder, Rung
from bot.domain.paging import PageEvent
from bot.domain.runbook import Severity
from bot.domain.system import System
from bot.errors import Mistake, Refusal
from bot.incidents.climbing import call, ladder_of, show_calls
from bot.incidents.items import draft
from bot.incidents.journal import locked
from bot.incidents.opening import open_incident, raise_severity, reopen
from bot.incidents.paging import answered
from bot.store import alerts, incidents, presses
from bot.store.session import Store, Transaction

UNREACHED = "Nobody of those who were called before can be reached."


async def acknowledge(tx: Transaction, catalogue: Catalogue, incident: Incident, by: str) -> Incident:
    """Somebody is on it, in the caller's transaction: they lead it, the clock of its ladder stands, and who was paged
    is told."""
    instead = incident.acknowledged_by
    about = {"instead_of": instead} if instead else {}
    tx.record(Event(Happened.INCIDENT_ACKNOWLEDGED, by, about), incident_id=incident.id)
    tx.announce("incident", incident_id=incident.id)
    await answered(tx, catalogue.systems.get(incident.system), incident, PageEvent.ACKNOWLEDGED)
    await show_calls(tx, incident)
    return await incidents.acknowledge(tx, incident.id, by, by)


class Incidents:
    """The things people do to incidents, and the reads their screens need. A `press` is taken once."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue

    async def open(
        self,
        system: System,
        title: str,
        severity: Severity,
        by: str,
        *,
        press: str = "",
        channel: str | None = None,
        about: str = "",
    ) -> Incident:
        """Open an incident by hand, in a channel of its own or in a `channel` that is there, perhaps `about` an alert;
        its people are called. Raises `Refusal` for a command that was taken before, and for a channel that belongs to
        an open incident."""
        async with self._store.transaction() as tx:
            if await presses.repeated(tx, press, by):
                raise Refusal("This has been taken already; /incident shows what is open.")
            held = None if channel is None else await incidents.by_channel(tx.connection, channel)
            if held is not None and held.state is IncidentState.OPEN:
                raise Refusal(f"This is the channel of {held.label}, which is open.")
            incident = await open_incident(
                tx, self._catalogue, system, title=title, severity=severity, by=by, channel=channel
            )
            if about:
                await self._about(tx, incident, about)
            return incident

    async def _about(self, tx: Transaction, incident: Incident, alert: str) -> None:
        tracked = await alerts.get(tx.connection, _number(alert))
        if tracked is None:
            return
        await alerts.put_into(tx, tracked, incident.id)
        about = {"origin": tracked.source, "text": f"It began with an alert of {tracked.source}: {tracked.alert.title}"}
        tx.record(Event(Happened.INCIDENT_REPORTED, BOT, about), incident_id=incident.id)
        tx.announce("alerts", incident_id=incident.id)
        tx.announce("alert", body={"source": tracked.source, "name": tracked.alert.name})

    async def alert(self, id: str) -> Tracked:
        """The alert with this number. Raises `Mistake` when there is none, `Refusal` when it has its incident."""
        async with self._store.reading() as connection:
            tracked = await alerts.get(connection, _number(id))
            if tracked is None:
                raise Mistake("This alert is not known here.")
            known = None if tracked.incident is None else await incidents.get(connection, tracked.incident)
        if known is not None and known.state is IncidentState.OPEN:
            raise Refusal(f"{known.label} is open about this alert already.")
        return tracked

    async def alert_named(self, source: str, name: str) -> tuple[Tracked, Incident | None] | None:
        """The latest alert of a name, with the count of all of them, and the incident that it is in."""
        async with self._store.reading() as connection:
            tracked = await alerts.named(connection, source, name)
            if tracked is None:
                return None
            return tracked, None if tracked.incident is None else await incidents.get(connection, tracked.incident)

    async def tallies(self, incident_id: str) -> Sequence[Tally]:
        """The alerts of an incident by name."""
        async with self._store.reading() as connection:
            return await alerts.tallies(connection, incident_id)

    async def acknowledge(self, incident_id: str, by: str, *, press: str = "") -> Incident:
        """Somebody is on it. Raises `Refusal` when it has ended, or when they are on it already."""
        async with self._store.transaction() as tx:
            incident = await locked(tx, incident_id)
            if await presses.repeated(tx, press, by, incident_id=incident.id):
                return incident
            _insist_on_open(incident)
            if incident.acknowledged_by == by:
                raise Refusal("You are on it already.")
            return await acknowledge(tx, self._catalogue, incident, by)

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

    async def resolve(self, incident_id: str, by: str) -> Incident:
        """End an incident; the final summary is posted. Raises `Refusal` when it has ended already."""
        async with self._store.transaction() as tx:
            incident = await locked(tx, incident_id)
            _insist_on_open(incident)
            await incidents.set_state(tx, incident.id, IncidentState.RESOLVED, tx.now)
            minutes = (tx.now - incident.opened_at).total_seconds() / 60
            tx.record(Event(Happened.INCIDENT_RESOLVED, by, {"minutes": round(minutes, 1)}), incident_id=incident.id)
            tx.announce("incident", incident_id=incident.id)
            tx.announce("resolved", incident_id=incident.id)
            await draft(tx, self._catalogue, incident)
            await answered(tx, self._catalogue.systems.get(incident.system), incident, PageEvent.RESOLVED)
            return incident

    async def resolutions(self) -> Sequence[Resolution]:
        """How the incidents of the last thirty days were resolved, by severity."""
        async with self._store.reading() as connection:
            return resolutions(await incidents.resolved_since(connection, self._store.clock.now() - PERIOD))

    async def reopen(self, incident_id: str, by: str, why: str, *, press: str = "") -> Incident:
        """Go on with an incident that was resolved, or undo that it was merged. Raises `Refusal` when it is open."""
        async with self._store.transaction() as tx:
            incident = await locked(tx, incident_id)
            if await presses.repeated(tx, press, by, incident_id=incident.id):
                return incident
            if incident.state is IncidentState.OPEN:
                raise Refusal("This incident is open.")
            return await reopen(tx, self._catalogue, incident, by, why)

    async def change_severity(self, incident_id: str, by: str, severity: Severity, *, press: str = "") -> Incident:
        """Say how bad it is; target and ladder follow. Raises `Refusal` when it has ended or is so already."""
        async with self._store.transaction() as tx:
            incident = await locked(tx, incident_id)
            if await presses.repeated(tx, press, by, incident_id=incident.id):
                return incident
            _insist_on_open(incident)
            if incident.severity is severity:
                raise Refusal(f"It is a {severity} already.")
            return await raise_severity(tx, self._catalogue, incident, severity, by)

    async def assign(self, incident_id: str, by: str, commander: str, *, press: str = "") -> Incident:
        """Say who leads it. Whoever leads it by another's word is not on it yet: the ladder's clock goes on."""
        async with self._store.transaction() as tx:
            incident = await locked(tx, incident_id)
            if await presses.repeated(tx, press, by, incident_id=incident.id):
                return incident
            _insist_on_open(incident)
            about = {"to": commander, "instead_of": incident.commander}
            tx.record(Event(Happened.INCIDENT_ASSIGNED, by, about), incident_id=incident.id)
            tx.announce("incident", incident_id=incident.id)
            tx.announce("assigned", incident_id=incident.id, body={"to": commander, "by": by})
            return await incidents.assign(tx, incident.id, commander)

    async def nobody_there(self, incident_id: str, rung: int) -> None:
        """Nobody of the rung (counted from 1) that was called can be reached: the next one is called at once, if it was
        the last and nobody is on it yet."""
        async with self._store.transaction() as tx:
            incident = await locked(tx, incident_id)
            ladder = ladder_of(self._catalogue, incident)
            climb = due_climb(incident, ladder)
            if incident.rungs == rung and climb is not None and ladder is not None:
                await call(tx, self._catalogue, incident, ladder, climb, BOT, UNREACHED)

    async def escalate(
        self, incident_id: str, by: str, system: System, reason: str, *, press: str = ""
    ) -> Sequence[str]:
        """Call the next people of the incident's ladder, or whom its severity names where it has none; their names, for
        the answer. Raises `Refusal` when there is nobody left to call."""
        async with self._store.transaction() as tx:
            incident = await locked(tx, incident_id)
            ladder = ladder_of(self._catalogue, incident) or _by_severity(system, incident.severity)
            climb = next_climb(incident, ladder)
            if ladder is None:
                raise Refusal(f"{system.title} names nobody to escalate a {incident.severity} to.")
            if await presses.repeated(tx, press, by, incident_id=incident.id):
                return ladder.rungs[max(0, incident.rungs - 1)].to
            if climb is None:
                raise Refusal(f"Everybody on the ladder «{ladder.title}» has been called.")
            await call(tx, self._catalogue, incident, ladder, climb, by, reason)
            return climb.rung.to


def _insist_on_open(incident: Incident) -> None:
    if incident.state is IncidentState.RESOLVED:
        raise Refusal("This incident is resolved already.")
    if incident.state is IncidentState.MERGED:
        raise Refusal("This incident was merged into another one and goes on there.")


def _by_severity(system: System, severity: Severity) -> Ladder | None:
    rule = system.severities.get(severity)
    if rule is None or not rule.escalate_to:
        return None
    return Ladder("", rule.label, (Rung(rule.escalate_to),))


def _number(text: str) -> int:
    """A number that came by a button; -1, which nothing has, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else -1
