"""How each monitor stands, in the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.domain.monitoring import State, Watched
from bot.store.codec import pack, unpack
from bot.store.session import Connection, Transaction
from bot.store.tables import monitors


async def add(tx: Transaction, system: str, keys: Iterable[str]) -> None:
    """Know these monitors from now on; those that are known stay as they are."""
    rows = [_row(Watched(system, key)) for key in keys]
    if rows:
        await tx.connection.execute(upsert(monitors).on_conflict_do_nothing(), rows)


async def claim(tx: Transaction, system: str, keys: Iterable[str], lease: timedelta) -> Sequence[str]:
    """Those of the monitors whose look has come and on whose way nobody is; from now on, and for as long as the lease,
    somebody is."""
    mine = (monitors.c.system == system) & monitors.c.key.in_(list(keys))
    free = or_(monitors.c.looking_until.is_(None), monitors.c.looking_until <= tx.now)
    come = or_(monitors.c.next_at.is_(None), monitors.c.next_at <= tx.now)
    return await _change(tx, system, mine & free & come, looking_until=tx.now + lease)


async def lost(connection: Connection, system: str, now: datetime) -> Sequence[str]:
    """The monitors to which a worker was sent that has not come back in its time."""
    come = or_(monitors.c.next_at.is_(None), monitors.c.next_at <= now)
    mine = (monitors.c.system == system) & (monitors.c.looking_until <= now) & come
    return list((await connection.execute(select(monitors.c.key).where(mine).order_by(monitors.c.key))).scalars())


async def of_system(connection: Connection, system: str) -> Sequence[Watched]:
    """The monitors of a system as they stand, by key."""
    query = select(monitors).where(monitors.c.system == system).order_by(monitors.c.key)
    return [_watched(row) for row in await connection.execute(query)]


async def due(connection: Connection, system: str, now: datetime) -> Sequence[str]:
    """The monitors of a system whose look has come."""
    come = or_(monitors.c.next_at.is_(None), monitors.c.next_at <= now)
    query = select(monitors.c.key).where((monitors.c.system == system) & come).order_by(monitors.c.key)
    return list((await connection.execute(query)).scalars())


async def lock(tx: Transaction, system: str, keys: Iterable[str]) -> Sequence[Watched]:
    """These monitors as they stand, locked until the transaction ends, always in the same order."""
    mine = (monitors.c.system == system) & monitors.c.key.in_(list(keys))
    query = select(monitors).where(mine).order_by(monitors.c.key).with_for_update()
    return [_watched(row) for row in await tx.connection.execute(query)]


async def look_again(tx: Transaction, system: str) -> None:
    """Have everything of a system that is not calm looked at in the next round, however seldom it is watched."""
    mine = (monitors.c.system == system) & (monitors.c.state != State.OK)
    await _change(tx, system, mine, next_at=tx.now)


async def put(tx: Transaction, watched: Watched) -> None:
    """Remember how a monitor stands after a look; nobody is on the way to it any more."""
    mine = (monitors.c.system == watched.system) & (monitors.c.key == watched.key)
    await tx.connection.execute(update(monitors).where(mine).values({**_row(watched), "looking_until": None}))


async def _change(tx: Transaction, system: str, which: ColumnElement[bool], **values: datetime) -> Sequence[str]:
    """Change some of a system's monitors, locked in the order in which everybody locks them; their keys."""
    query = select(monitors.c.key).where(which).order_by(monitors.c.key).with_for_update()
    keys = list((await tx.connection.execute(query)).scalars())
    if keys:
        mine = (monitors.c.system == system) & monitors.c.key.in_(keys)
        await tx.connection.execute(update(monitors).where(mine).values(values))
    return keys


def _row(watched: Watched) -> dict[str, object]:
    named = {"system": watched.system, "key": watched.key, "state": watched.state, "since": watched.since}
    return {**named, "last_at": watched.last_at, "next_at": watched.next_at, "body": pack(watched)}


def _watched(row: Any) -> Watched:
    return replace(unpack(Watched, row.body), next_at=row.next_at)
