"""How incidents begin: by a person, by a run, or by what the bot or another system has noticed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from bot.authoring.catalogue import Catalogue
from bot.domain.escalation import ladder_for
from bot.domain.events import BOT, Event, Happened
from bot.domain.incident import Incident, Suggestion
from bot.domain.operations import Operations
from bot.domain.runbook import Severity
from bot.domain.system import System
from bot.errors import Refusal
from bot.incidents.climbing import ladder_of, set_clock
from bot.incidents.digesting import set_digest_clock
from bot.store import incidents
from bot.store.session import Transaction

_USUAL = {
    Severity.P0: timedelta(hours=1),
    Severity.P1: timedelta(hours=4),
    Severity.P2: timedelta(days=1),
    Severity.P3: timedelta(days=3),
}
_SUGGESTED = 5


async def open_incident(
    tx: Transaction,
    catalogue: Catalogue,
    system: System,
    *,
    title: str,
    severity: Severity,
    by: str,
    target: timedelta | None = None,
    runbook: str = "",
    taken: bool = False,
    origin: str = "",
    suggestions: Sequence[Suggestion] = (),
    channel: str | None = None,
) -> Incident:
    """A new incident in the caller's transaction; its channel is made by the announcer, or it is held in `channel`,
    which is there. Whoever opens it is on it if it
    is `taken`; else the clock of its ladder begins. Without a `target` it has what is usual for its severity."""
    ladders = catalogue.operations.get(system.id, Operations()).ladders
    ladder = ladder_for(ladders, severity, [runbook] if runbook else [])
    incident = await incidents.insert(
        tx,
        id=str(uuid.uuid4()),
        system=system.id,
        title=title,
        severity=severity,
        target=target or usual_target(catalogue, system.id, severity),
        opened_by=by,
        prefix=system.channel_prefix,
        ladder="" if ladder is None else ladder.key,
        acknowledged_by=by if taken else "",
        origin=origin,
        private=system.channels.hides(runbook),
        suggestions=suggestions[:_SUGGESTED],
        channel=channel,
    )
    about = {"title": title, "severity": severity, "number": incident.number, "label": incident.label}
    tx.record(Event(Happened.INCIDENT_OPENED, by, about), incident_id=incident.id)
    tx.announce("channel", incident_id=incident.id)
    await set_clock(tx, incident, ladder)
    await set_digest_clock(tx, catalogue, incident)
    return incident


async def report(
    tx: Transaction,
    catalogue: Catalogue,
    system: System,
    *,
    origin: str,
    title: str,
    said: str,
    severity: Severity,
    suggestions: Sequence[Suggestion] = (),
) -> Incident:
    """What the bot or another system has noticed, in the caller's transaction: it opens an incident, or joins the open
    one of the same `origin` and raises its severity if this is worse. `said` goes onto the timeline in both cases."""
    found = await incidents.lock_by_origin(tx, system.id, origin)
    if found is None:
        found = await open_incident(
            tx,
            catalogue,
            system,
            title=title,
            severity=severity,
            by=BOT,
            runbook=suggestions[0].runbook if suggestions else "",
            origin=origin,
            suggestions=suggestions,
        )
    else:
        if severity < found.severity:
            found = await raise_severity(tx, catalogue, found, severity, BOT)
        fresh = [each for each in suggestions if each not in found.suggestions]
        if fresh:
            found = await incidents.suggest(tx, found.id, [*found.suggestions, *fresh][:_SUGGESTED])
    tx.record(Event(Happened.INCIDENT_REPORTED, BOT, {"origin": origin, "text": said}), incident_id=found.id)
    tx.announce("incident", incident_id=found.id)
    return found


async def raise_severity(
    tx: Transaction, catalogue: Catalogue, incident: Incident, severity: Severity, by: str
) -> Incident:
    """Change an incident's severity in the caller's transaction, up or down; target and ladder follow it. A ladder that
    was chosen for its runbook stays."""
    ladders = catalogue.operations.get(incident.system, Operations()).ladders
    present = ladders.get(incident.ladder)
    ladder = present if present is not None and present.runbooks else ladder_for(ladders, severity)
    target = usual_target(catalogue, incident.system, severity)
    key = "" if ladder is None else ladder.key
    about = {"severity": severity, "instead_of": incident.severity}
    tx.record(Event(Happened.INCIDENT_RAISED, by, about), incident_id=incident.id)
    tx.announce("incident", incident_id=incident.id)
    after = await incidents.raised(tx, incident.id, severity, target, key)
    await set_clock(tx, after, ladder)
    await set_digest_clock(tx, catalogue, after)
    return after


async def reopen(tx: Transaction, catalogue: Catalogue, incident: Incident, by: str, why: str) -> Incident:
    """A resolved incident goes on, in the caller's transaction: nobody is on it, its ladder goes on where it was.
    Raises `Refusal` while another one of the same origin is open."""
    if incident.origin:
        other = await incidents.lock_by_origin(tx, incident.system, incident.origin)
        if other is not None and other.id not in (incident.id, incident.merged_into):
            raise Refusal(f"{other.label} is open about the same; go on there.")
    tx.record(Event(Happened.INCIDENT_REOPENED, by, {"reason": why}), incident_id=incident.id)
    tx.announce("channel", incident_id=incident.id)
    after = await incidents.reopened(tx, incident.id)
    await set_clock(tx, after, ladder_of(catalogue, after))
    await set_digest_clock(tx, catalogue, after)
    return after


def usual_target(catalogue: Catalogue, system: str, severity: Severity) -> timedelta:
    """When an incident that no runbook stands for is to be resolved: the longest that the system's runbooks of this
    severity give themselves, or what is usual where there are none."""
    own = [runbook.resolve_within for runbook in catalogue.of_system(system) if runbook.severity is severity]
    return max(own, default=_USUAL[severity])
