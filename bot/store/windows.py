"""Maintenance windows in the database: one row each time one is announced, held or opened by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.domain.maintenance import Occurrence
from bot.store.session import Connection, Transaction
from bot.store.tables import windows


async def add(tx: Transaction, occurrence: Occurrence) -> bool:
    """Store an occurrence; False when it is known already."""
    values = {
        "id": occurrence.id,
        "system": occurrence.system,
        "key": occurrence.key,
        "title": occurrence.title,
        "mutes": list(occurrence.mutes),
        "starts_at": occurrence.starts_at,
        "ends_at": occurrence.ends_at,
        "announced_at": occurrence.announced_at,
        "started_at": occurrence.started_at,
        "opened_by": occurrence.opened_by,
    }
    query = upsert(windows).values(values).on_conflict_do_nothing().returning(windows.c.id)
    return (await tx.connection.execute(query)).first() is not None


async def get(connection: Connection, id: str) -> Occurrence | None:
    """The occurrence with this id."""
    row = (await connection.execute(select(windows).where(windows.c.id == id))).one_or_none()
    return None if row is None else _occurrence(row)


async def unfinished(connection: Connection, system: str = "") -> Sequence[Occurrence]:
    """What is announced or open, of one system or of all, the earliest first."""
    query = select(windows).where(windows.c.ended_at.is_(None))
    query = query.where(windows.c.system == system) if system else query
    return [_occurrence(row) for row in await connection.execute(query.order_by(windows.c.starts_at, windows.c.id))]


async def lock_unfinished(tx: Transaction, system: str) -> Sequence[Occurrence]:
    """The same of one system, locked until the transaction ends. Whoever asks next about that system waits until then,
    also where there is none yet."""
    await tx.connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"windows {system}", 0))))
    query = select(windows).where((windows.c.system == system) & windows.c.ended_at.is_(None))
    query = query.order_by(windows.c.starts_at, windows.c.id).with_for_update()
    return [_occurrence(row) for row in await tx.connection.execute(query)]


async def start(tx: Transaction, id: str) -> None:
    """Remember that it has begun."""
    await tx.connection.execute(update(windows).where(windows.c.id == id).values(started_at=tx.now))


async def end(tx: Transaction, id: str, at: datetime, by: str) -> None:
    """Remember that it is over, and by whom."""
    await tx.connection.execute(update(windows).where(windows.c.id == id).values(ended_at=at, ended_by=by))


def _occurrence(row: Any) -> Occurrence:
    return Occurrence(
        id=row.id,
        system=row.system,
        key=row.key,
        title=row.title,
        mutes=tuple(row.mutes),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        announced_at=row.announced_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        opened_by=row.opened_by,
        ended_by=row.ended_by,
    )
