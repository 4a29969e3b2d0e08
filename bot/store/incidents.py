"""Incidents in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.incident import Incident, IncidentState, Suggestion, channel_name
from bot.domain.runbook import Severity
from bot.store.codec import pack, unpack
from bot.store.session import Transaction
from bot.store.tables import incidents


async def insert(
    tx: Transaction,
    *,
    id: str,
    system: str,
    title: str,
    severity: Severity,
    target: timedelta,
    opened_by: str,
    prefix: str,
    ladder: str = "",
    acknowledged_by: str = "",
    origin: str = "",
    private: bool = False,
    suggestions: Sequence[Suggestion] = (),
    channel: str | None = None,
) -> Incident:
    """A new open incident, which somebody may be on from the start; its number and channel name are given here. One
    that is held in a `channel` that is there needs none of its own."""
    values = {
        "id": id,
        "system": system,
        "title": title,
        "severity": severity,
        "target_seconds": round(target.total_seconds()),
        "opened_by": opened_by,
        "opened_at": tx.now,
        "state": IncidentState.OPEN,
        "channel": channel,
        "channel_name": "",
        "ladder": ladder,
        "acknowledged_by": acknowledged_by,
        "acknowledged_at": tx.now if acknowledged_by else None,
        "origin": origin,
        "private": private,
        "suggestions": [pack(each) for each in suggestions],
    }
    row = (await tx.connection.execute(incidents.insert().values(values).returning(incidents))).one()
    name = channel_name(prefix, row.number, title)
    changed = update(incidents).where(incidents.c.id == id).values(channel_name=name).returning(incidents)
    return _incident((await tx.connection.execute(changed)).one())


async def get(connection: AsyncConnection, id: str) -> Incident | None:
    """The incident with this id."""
    row = (await connection.execute(select(incidents).where(incidents.c.id == id))).one_or_none()
    return None if row is None else _incident(row)


async def lock(tx: Transaction, id: str) -> Incident | None:
    """The incident with this id, locked until the transaction ends."""
    row = (await tx.connection.execute(select(incidents).where(incidents.c.id == id).with_for_update())).one_or_none()
    return None if row is None else _incident(row)


async def by_channel(connection: AsyncConnection, channel: str) -> Incident | None:
    """The newest incident that lives in a channel."""
    query = select(incidents).where(incidents.c.channel == channel).order_by(incidents.c.number.desc()).limit(1)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _incident(row)


async def lock_by_origin(tx: Transaction, system: str, origin: str) -> Incident | None:
    """The open incident that this origin has opened, or the one that it was merged into, locked until the transaction
    ends. Whoever asks next about the same origin waits until then, also where there is none yet."""
    await tx.connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{system} {origin}", 0))))
    mine = (incidents.c.system == system) & (incidents.c.origin == origin)
    own = select(incidents).where(mine & (incidents.c.state == IncidentState.OPEN)).with_for_update()
    row = (await tx.connection.execute(own)).one_or_none()
    if row is None:
        merged = select(incidents.c.merged_into).where(mine & incidents.c.merged_into.is_not(None)).scalar_subquery()
        other = incidents.c.id.in_(merged) & (incidents.c.state == IncidentState.OPEN)
        row = (await tx.connection.execute(select(incidents).where(other).limit(1).with_for_update())).one_or_none()
    return None if row is None else _incident(row)


async def by_number(connection: AsyncConnection, number: int) -> Incident | None:
    """The incident with this number."""
    row = (await connection.execute(select(incidents).where(incidents.c.number == number))).one_or_none()
    return None if row is None else _incident(row)


async def known(connection: AsyncConnection, ids: Sequence[str]) -> Sequence[Incident]:
    """Those of the incidents that exist, oldest first."""
    rows = await connection.execute(select(incidents).where(incidents.c.id.in_(ids)).order_by(incidents.c.number))
    return [_incident(row) for row in rows]


async def merged_with(connection: AsyncConnection, id: str) -> Sequence[Incident]:
    """The duplicates that were merged into an incident, oldest first."""
    query = select(incidents).where(incidents.c.merged_into == id).order_by(incidents.c.number)
    return [_incident(row) for row in await connection.execute(query)]


async def open_ones(connection: AsyncConnection, limit: int = 50) -> Sequence[Incident]:
    """Open incidents, newest first."""
    query = select(incidents).where(incidents.c.state == IncidentState.OPEN)
    rows = await connection.execute(
        query.order_by(incidents.c.opened_at.desc(), incidents.c.number.desc()).limit(limit)
    )
    return [_incident(row) for row in rows]


async def resolved_since(connection: AsyncConnection, since: datetime, limit: int = 1_000) -> Sequence[Incident]:
    """The incidents that were resolved since then, newest first."""
    query = select(incidents).where(incidents.c.state == IncidentState.RESOLVED, incidents.c.resolved_at >= since)
    rows = await connection.execute(query.order_by(incidents.c.number.desc()).limit(limit))
    return [_incident(row) for row in rows]


async def set_channel(tx: Transaction, id: str, channel: str, name: str) -> None:
    """Remember the Slack channel that was made for an incident."""
    await tx.connection.execute(
        update(incidents).where(incidents.c.id == id).values(channel=channel, channel_name=name)
    )


async def lose_channel(tx: Transaction, id: str) -> None:
    """Forget the Slack channel of an incident: another one is to be made."""
    await tx.connection.execute(update(incidents).where(incidents.c.id == id).values(channel=None))


async def acknowledge(tx: Transaction, id: str, by: str, commander: str) -> Incident:
    """Remember who is on an incident and who leads it; the clock of its ladder stands."""
    values = {"acknowledged_by": by, "acknowledged_at": tx.now, "commander": commander, "due": None}
    return await _changed(tx, id, values)


async def called(tx: Transaction, id: str, rungs: int) -> Incident:
    """Remember how many rungs of its ladder have been called by now."""
    return await _changed(tx, id, {"rungs": rungs, "called_at": tx.now})


async def raised(tx: Transaction, id: str, severity: Severity, target: timedelta, ladder: str) -> Incident:
    """Change the severity of an incident with what follows from it. Another ladder is climbed from its foot."""
    same = incidents.c.ladder == ladder
    values = {
        "severity": severity,
        "target_seconds": round(target.total_seconds()),
        "ladder": ladder,
        "rungs": case((same, incidents.c.rungs), else_=0),
        "called_at": case((same, incidents.c.called_at), else_=None),
    }
    return await _changed(tx, id, values)


async def reopened(tx: Transaction, id: str) -> Incident:
    """A resolved incident is open again, and nobody is on it."""
    values = {
        "state": IncidentState.OPEN,
        "resolved_at": None,
        "acknowledged_by": "",
        "acknowledged_at": None,
        "merged_into": None,
    }
    return await _changed(tx, id, values)


async def merge(tx: Transaction, id: str, into: str) -> Incident:
    """An incident is a duplicate of another, where it goes on."""
    ended = {"state": IncidentState.MERGED, "resolved_at": tx.now, "merged_into": into}
    return await _changed(tx, id, {**ended, "due": None, "digest_due": None})


async def relate(tx: Transaction, id: str, related: Sequence[str]) -> Incident:
    """Remember with which incidents it is linked."""
    return await _changed(tx, id, {"related": list(related)})


async def assign(tx: Transaction, id: str, commander: str) -> Incident:
    """Remember who leads it."""
    return await _changed(tx, id, {"commander": commander})


async def digested(tx: Transaction, id: str, seq: int) -> Incident:
    """Another digest has been posted, which told the trail up to this line."""
    return await _changed(tx, id, {"digests": incidents.c.digests + 1, "digest_seq": seq})


async def set_digest_due(tx: Transaction, id: str, due: datetime | None) -> None:
    """Set the moment at which the next digest is due, or none."""
    await tx.connection.execute(update(incidents).where(incidents.c.id == id).values(digest_due=due))


async def undigested(connection: AsyncConnection, now: datetime) -> Sequence[str]:
    """The incidents whose next digest is due by now."""
    query = select(incidents.c.id).where(incidents.c.digest_due <= now).order_by(incidents.c.digest_due)
    return [str(id) for id in (await connection.execute(query)).scalars()]


async def suggest(tx: Transaction, id: str, suggestions: Sequence[Suggestion]) -> Incident:
    """Remember which runbooks speak for themselves."""
    return await _changed(tx, id, {"suggestions": [pack(each) for each in suggestions]})


async def set_due(tx: Transaction, id: str, due: datetime | None) -> None:
    """Set the moment at which the next rung is called, or none."""
    await tx.connection.execute(update(incidents).where(incidents.c.id == id).values(due=due))


async def overdue(connection: AsyncConnection, now: datetime) -> Sequence[str]:
    """The incidents whose next rung is to be called by now."""
    query = select(incidents.c.id).where(incidents.c.due <= now).order_by(incidents.c.due)
    return [str(id) for id in (await connection.execute(query)).scalars()]


async def _changed(tx: Transaction, id: str, values: Mapping[str, Any]) -> Incident:
    changed = update(incidents).where(incidents.c.id == id).values(values).returning(incidents)
    return _incident((await tx.connection.execute(changed)).one())


async def set_state(tx: Transaction, id: str, state: IncidentState, resolved_at: datetime | None) -> None:
    """Change the state of an incident."""
    await tx.connection.execute(
        update(incidents)
        .where(incidents.c.id == id)
        .values(state=state, resolved_at=resolved_at, due=None, digest_due=None)
    )


def _incident(row: Any) -> Incident:
    return Incident(
        id=row.id,
        number=row.number,
        system=row.system,
        title=row.title,
        severity=Severity(row.severity),
        target=timedelta(seconds=row.target_seconds),
        opened_by=row.opened_by,
        opened_at=row.opened_at,
        state=IncidentState(row.state),
        channel=row.channel,
        channel_name=row.channel_name,
        commander=row.commander,
        resolved_at=row.resolved_at,
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
        ladder=row.ladder,
        rungs=row.rungs,
        called_at=row.called_at,
        origin=row.origin,
        private=row.private,
        suggestions=tuple(unpack(Suggestion, each) for each in row.suggestions),
        merged_into=row.merged_into,
        related=tuple(row.related),
        digests=row.digests,
        digest_seq=row.digest_seq,
        digest_due=row.digest_due,
    )
