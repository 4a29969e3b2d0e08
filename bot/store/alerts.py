"""Alerts in the database: as they arrive, what was delivered already, and what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.alert import Alert, AlertState, Tally, Tracked
from bot.domain.facts import from_json, to_json
from bot.domain.incident import IncidentState
from bot.store.codec import pack, unpack
from bot.store.session import Transaction
from bot.store.tables import alert_arrivals, alert_deliveries, alerts, incidents

REMEMBERED = timedelta(days=4)  # Stripe delivers again for three days
OF_ALERTS = "alert:"
"""How the origin of an incident begins that alerts have opened."""
_SORTING = 7_204_551_195
_SOUND = alert_arrivals.c.problem == ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One alert as it was delivered, not yet looked at."""

    id: int
    source: str
    system: str
    alert: Alert


# -- at the door -------------------------------------------------------------------------------------------------------


async def delivered(tx: Transaction, key: str) -> bool:
    """Whether this was delivered before; else it is now, if the transaction commits."""
    taken = insert(alert_deliveries).values(key=key, at=tx.now).on_conflict_do_nothing()
    if (await tx.connection.execute(taken.returning(alert_deliveries.c.key))).one_or_none() is None:
        return True
    await tx.connection.execute(delete(alert_deliveries).where(alert_deliveries.c.at < tx.now - REMEMBERED))
    return False


async def waiting(connection: AsyncConnection) -> bool:
    """Whether alerts have arrived that nobody has sorted."""
    query = select(exists(select(alert_arrivals.c.id).where(_SOUND)))
    return bool((await connection.execute(query)).scalar_one())


async def arrive(tx: Transaction, source: str, system: str, found: Iterable[Alert]) -> None:
    """Keep what was delivered, in its order."""
    rows = [{"source": source, "system": system, "alert": pack(each), "at": tx.now} for each in found]
    await tx.connection.execute(alert_arrivals.insert(), rows)


# -- sorting -----------------------------------------------------------------------------------------------------------


async def take(tx: Transaction, limit: int) -> Sequence[Arrival]:
    """The oldest arrivals, which are gone once the transaction commits. One transaction sorts at a time: whoever comes
    second waits for the first, and sees what that has made."""
    await alone(tx)
    oldest = select(alert_arrivals.c.id).where(_SOUND).order_by(alert_arrivals.c.id).limit(limit)
    taken = delete(alert_arrivals).where(alert_arrivals.c.id.in_(oldest)).returning(alert_arrivals)
    rows = sorted((await tx.connection.execute(taken)).all(), key=lambda row: int(row.id))
    return [Arrival(row.id, row.source, row.system, unpack(Alert, row.alert)) for row in rows]


async def set_aside(tx: Transaction, id: int, problem: str) -> None:
    """Keep an arrival that cannot be sorted out of the way of the others; it stays where it is."""
    await tx.connection.execute(update(alert_arrivals).where(alert_arrivals.c.id == id).values(problem=problem))


async def alone(tx: Transaction) -> None:
    """Keep everybody else from sorting until the transaction ends."""
    await tx.connection.execute(select(func.pg_advisory_xact_lock(_SORTING)))


async def known(tx: Transaction, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Tracked]:
    """What is known of alerts, by source and fingerprint, locked."""
    wanted = sorted(set(keys))
    query = select(alerts).where(tuple_(alerts.c.source, alerts.c.fingerprint).in_(wanted)).with_for_update()
    return {(row.source, row.fingerprint): _tracked(row) for row in await tx.connection.execute(query)}


async def restless(tx: Transaction) -> Sequence[Tracked]:
    """The alerts that flap, locked."""
    query = select(alerts).where(alerts.c.flapping).order_by(alerts.c.id).with_for_update()
    return [_tracked(row) for row in await tx.connection.execute(query)]


async def any_restless(connection: AsyncConnection) -> bool:
    """Whether an alert flaps."""
    return bool((await connection.execute(select(exists(select(alerts.c.id).where(alerts.c.flapping))))).scalar_one())


async def keep(tx: Transaction, changed: Iterable[Tracked]) -> None:
    """Write what has become of alerts."""
    rows = [_row(each) for each in changed]
    if not rows:
        return
    query = insert(alerts)
    changing = {name: query.excluded[name] for name in rows[0] if name not in ("source", "fingerprint", "first_at")}
    await tx.connection.execute(
        query.on_conflict_do_update(index_elements=["source", "fingerprint"], set_=changing), rows
    )


async def states(tx: Transaction, ids: Iterable[str]) -> Mapping[str, datetime | None]:
    """When each of these incidents was resolved; None while it is open."""
    query = select(incidents.c.id, incidents.c.state, incidents.c.resolved_at).where(incidents.c.id.in_(sorted(ids)))
    rows = await tx.connection.execute(query)
    return {row.id: None if row.state == IncidentState.OPEN else row.resolved_at for row in rows}


async def opened_since(tx: Transaction, system: str, since: datetime) -> int:
    """How many incidents alerts have opened in a system since then."""
    mine = (incidents.c.system == system) & incidents.c.origin.startswith(OF_ALERTS) & (incidents.c.opened_at > since)
    return int((await tx.connection.execute(select(func.count()).select_from(incidents).where(mine))).scalar_one())


async def last_opened(tx: Transaction, system: str, origin: str) -> tuple[str, datetime | None] | None:
    """The newest incident of an origin, and when it was resolved (None: it is open); None when there was none."""
    mine = (incidents.c.system == system) & (incidents.c.origin == origin)
    query = select(incidents.c.id, incidents.c.state, incidents.c.resolved_at).where(mine)
    row = (await tx.connection.execute(query.order_by(incidents.c.number.desc()).limit(1))).one_or_none()
    return None if row is None else (row.id, None if row.state == IncidentState.OPEN else row.resolved_at)


async def lately_in(tx: Transaction, incident_id: str, since: datetime) -> bool:
    """Whether an alert has come into an incident since then."""
    mine = (alerts.c.incident_id == incident_id) & (alerts.c.first_at > since)
    return bool((await tx.connection.execute(select(exists(select(alerts.c.id).where(mine))))).scalar_one())


async def names_in(connection: AsyncConnection, incident_id: str) -> frozenset[str]:
    """The names of the alerts of an incident."""
    query = select(alerts.c.name).where(alerts.c.incident_id == incident_id).distinct()
    return frozenset((await connection.execute(query)).scalars())


# -- what people see ---------------------------------------------------------------------------------------------------


async def tallies(connection: AsyncConnection, incident_id: str) -> Sequence[Tally]:
    """The alerts of an incident by name and source, the most frequent first."""
    query = text(
        """
        SELECT name, source, count(*) AS alerts, count(*) FILTER (WHERE state = :firing OR flapping) AS firing,
               sum(count)::bigint AS count, min(first_at) AS first_at, max(last_at) AS last_at,
               (array_agg(alert ->> 'url' ORDER BY last_at DESC, id DESC))[1] AS url
        FROM alerts WHERE incident_id = CAST(:id AS uuid) GROUP BY name, source ORDER BY sum(count) DESC, name, source
        """
    )
    rows = await connection.execute(query, {"id": incident_id, "firing": AlertState.FIRING})
    return [Tally(*row) for row in rows]


async def get(connection: AsyncConnection, id: int) -> Tracked | None:
    """The alert with this number."""
    row = (await connection.execute(select(alerts).where(alerts.c.id == id))).one_or_none()
    return None if row is None else _tracked(row)


async def named(connection: AsyncConnection, source: str, name: str) -> Tracked | None:
    """The latest alert of a name from a source, with the count of all of them."""
    mine = (alerts.c.source == source) & (alerts.c.name == name)
    latest = select(alerts).where(mine).order_by(alerts.c.last_at.desc(), alerts.c.id.desc()).limit(1)
    row = (await connection.execute(latest)).one_or_none()
    if row is None:
        return None
    count = (await connection.execute(select(func.sum(alerts.c.count)).where(mine))).scalar_one()
    return replace(_tracked(row), count=int(count))


async def put_into(tx: Transaction, tracked: Tracked, incident_id: str) -> None:
    """Somebody has opened an incident about an alert: it and those of its name that are in none are in it."""
    mine = (alerts.c.source == tracked.source) & (alerts.c.name == tracked.alert.name) & alerts.c.incident_id.is_(None)
    values = {"incident_id": incident_id, "told_at": tx.now}
    await tx.connection.execute(update(alerts).where((alerts.c.id == tracked.id) | mine).values(values))


def _row(each: Tracked) -> dict[str, Any]:
    return {
        "source": each.source,
        "fingerprint": each.alert.fingerprint,
        "system": each.system,
        "name": each.alert.name,
        "alert": pack(each.alert),
        "state": each.state,
        "changed_at": each.at,
        "first_at": each.first_at,
        "last_at": each.last_at,
        "count": each.count,
        "changes": to_json(each.changes),
        "flapping": each.flapping,
        "incident_id": each.incident,
        "told_at": each.told_at,
    }


def _tracked(row: Any) -> Tracked:
    return Tracked(
        source=row.source,
        system=row.system,
        alert=unpack(Alert, row.alert),
        state=AlertState(row.state),
        at=row.changed_at,
        first_at=row.first_at,
        last_at=row.last_at,
        count=row.count,
        changes=tuple(from_json(row.changes)),
        flapping=row.flapping,
        incident=row.incident_id,
        told_at=row.told_at,
        id=row.id,
    )
