"""Action items in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.items import Item, ItemState
from bot.store.session import Transaction
from bot.store.tables import action_items


async def insert(
    tx: Transaction, incident_id: str, what: str, by: str, owner: str = "", due: date | None = None
) -> Item:
    """A new open item."""
    values = {
        "incident_id": incident_id,
        "what": what,
        "added_by": by,
        "added_at": tx.now,
        "owner": owner,
        "due": due,
        "state": ItemState.OPEN,
    }
    query = action_items.insert().values(values).returning(action_items)
    return _item((await tx.connection.execute(query)).one())


async def lock(tx: Transaction, id: int) -> Item | None:
    """The item with this number, locked until the transaction ends."""
    query = select(action_items).where(action_items.c.id == id).with_for_update()
    row = (await tx.connection.execute(query)).one_or_none()
    return None if row is None else _item(row)


async def change(tx: Transaction, id: int, **values: Any) -> Item:
    """Change an item's columns."""
    query = update(action_items).where(action_items.c.id == id).values(values).returning(action_items)
    return _item((await tx.connection.execute(query)).one())


async def get(connection: AsyncConnection, id: int) -> Item | None:
    """The item with this number."""
    row = (await connection.execute(select(action_items).where(action_items.c.id == id))).one_or_none()
    return None if row is None else _item(row)


async def of_incident(connection: AsyncConnection, incident_id: str) -> Sequence[Item]:
    """The items of an incident, oldest first."""
    query = select(action_items).where(action_items.c.incident_id == incident_id).order_by(action_items.c.id)
    return [_item(row) for row in await connection.execute(query)]


async def open_ones(connection: AsyncConnection, owner: str | None = None) -> Sequence[Item]:
    """Open items, of somebody or of all, oldest first."""
    query = select(action_items).where(action_items.c.state == ItemState.OPEN).order_by(action_items.c.id)
    if owner is not None:
        query = query.where(action_items.c.owner == owner)
    return [_item(row) for row in await connection.execute(query)]


def _item(row: Any) -> Item:
    known: Mapping[str, Any] = row._mapping
    return Item(
        id=known["id"],
        incident=known["incident_id"],
        what=known["what"],
        added_by=known["added_by"],
        added_at=known["added_at"],
        owner=known["owner"],
        due=known["due"],
        state=ItemState(known["state"]),
        ended_by=known["ended_by"],
        ended_at=known["ended_at"],
        reminded_at=known["reminded_at"],
    )
