"""What came round in the calendars, in the database: each occurrence is taken once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.appointments import Occurrence, Taken
from bot.domain.run import Run
from bot.store.codec import unpack
from bot.store.runs import LIVE
from bot.store.session import Transaction
from bot.store.tables import appointments, runs

_SHOWN = (Taken.STARTED, Taken.FAILED)


async def kept_since(connection: AsyncConnection, system: str) -> dict[str, datetime]:
    """Since when each appointment of a system is kept."""
    query = select(appointments.c.key, func.min(appointments.c.at).label("since"))
    query = query.where(appointments.c.system == system, appointments.c.state == Taken.KEPT)
    return {row.key: row.since for row in await connection.execute(query.group_by(appointments.c.key))}


async def take(tx: Transaction, occurrence: Occurrence) -> bool:
    """Take an occurrence; False when somebody has."""
    values = {
        "system": occurrence.system,
        "key": occurrence.key,
        "at": occurrence.at,
        "state": occurrence.state,
        "title": occurrence.title,
        "started_at": occurrence.started_at,
    }
    query = upsert(appointments).values(values).on_conflict_do_nothing().returning(appointments.c.key)
    return (await tx.connection.execute(query)).one_or_none() is not None


async def started(tx: Transaction, occurrence: Occurrence, run_id: str, drill: str) -> None:
    """Remember what was started for an occurrence, and the runbook of its fire drill, if any."""
    await _change(tx, occurrence, {"run_id": run_id, "drill": drill})


async def undrilled(connection: AsyncConnection, system: str, since: datetime) -> Sequence[Occurrence]:
    """The occurrences since then whose fire drill nobody has held."""
    mine = (appointments.c.system == system) & (appointments.c.drill != "") & appointments.c.drilled_at.is_(None)
    rows = await connection.execute(select(appointments).where(mine, appointments.c.at >= since))
    return [_occurrence(row) for row in rows]


async def drilled(tx: Transaction, occurrence: Occurrence) -> bool:
    """Remember that the fire drill was held; False when that was known."""
    query = update(appointments).where(*_same(occurrence), appointments.c.drilled_at.is_(None))
    return bool((await tx.connection.execute(query.values(drilled_at=tx.now))).rowcount)


async def failed(tx: Transaction, occurrence: Occurrence, problem: str) -> None:
    """Remember why nothing could be started for an occurrence."""
    await _change(tx, occurrence, {"state": Taken.FAILED, "problem": problem})


async def reminded(tx: Transaction, occurrence: Occurrence) -> None:
    """Remember that people were reminded now, once more."""
    await _change(tx, occurrence, {"reminders": occurrence.reminders + 1, "reminded_at": tx.now})


async def lock(tx: Transaction, occurrence: Occurrence) -> Occurrence | None:
    """An occurrence as it stands, locked until the transaction ends."""
    query = select(appointments).where(*_same(occurrence)).with_for_update()
    row = (await tx.connection.execute(query)).one_or_none()
    return None if row is None else _occurrence(row)


async def of_run(connection: AsyncConnection, run_id: str) -> Occurrence | None:
    """What a run was started for, if the calendar started it."""
    query = select(appointments).where(appointments.c.run_id == run_id).limit(1)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _occurrence(row)


async def under_way(connection: AsyncConnection, system: str, key: str = "") -> Sequence[tuple[Occurrence, Run]]:
    """The occurrences of a system, or of one of its appointments, whose runs have not ended, oldest first."""
    query = select(appointments, runs.c.body).join(runs, runs.c.id == appointments.c.run_id)
    query = query.where(appointments.c.system == system, runs.c.state.in_(LIVE)).order_by(appointments.c.at)
    if key:
        query = query.where(appointments.c.key == key)
    return [(_occurrence(row), unpack(Run, row.body)) for row in await connection.execute(query)]


async def between(
    connection: AsyncConnection, system: str, start: datetime, end: datetime
) -> Sequence[tuple[Occurrence, Run | None]]:
    """What came round from `start` on and before `end`, with its runs, in order."""
    query = select(appointments, runs.c.body).outerjoin(runs, runs.c.id == appointments.c.run_id)
    query = query.where(appointments.c.system == system, appointments.c.state.in_(_SHOWN))
    query = query.where(appointments.c.at >= start, appointments.c.at < end)
    rows = await connection.execute(query.order_by(appointments.c.at, appointments.c.key))
    return [(_occurrence(row), None if row.body is None else unpack(Run, row.body)) for row in rows]


async def _change(tx: Transaction, occurrence: Occurrence, values: dict[str, Any]) -> None:
    await tx.connection.execute(update(appointments).where(*_same(occurrence)).values(values))


def _same(occurrence: Occurrence) -> tuple[Any, ...]:
    columns = appointments.c
    return columns.system == occurrence.system, columns.key == occurrence.key, columns.at == occurrence.at


def _occurrence(row: Any) -> Occurrence:
    return Occurrence(
        system=row.system,
        key=row.key,
        at=row.at,
        state=Taken(row.state),
        title=row.title,
        run=None if row.run_id is None else str(row.run_id),
        started_at=row.started_at,
        reminders=row.reminders,
        reminded_at=row.reminded_at,
        problem=row.problem,
        drill=row.drill,
    )
