"""Pages in the database: who is called outside Slack, and what has become of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.paging import Page, PageEvent, PageState
from bot.store.session import Transaction
from bot.store.tables import pages


async def ask(tx: Transaction, incident_id: str, rung: int, name: str, event: PageEvent, reason: str = "") -> None:
    """Have somebody told, once for each event of a rung."""
    values = {
        "id": str(uuid.uuid4()),
        "incident_id": incident_id,
        "rung": rung,
        "name": name,
        "event": event,
        "reason": reason,
        "state": PageState.WAITING,
        "asked_at": tx.now,
        "due": tx.now,
    }
    query = insert(pages).values(values).on_conflict_do_nothing().returning(pages.c.id)
    made = (await tx.connection.execute(query)).scalar_one_or_none()
    if made is not None:
        tx.enqueue_page(str(made))


async def claim(tx: Transaction, id: str, within: timedelta) -> Page | None:
    """A page whose time has come, which is this worker's for so long; None when there is nothing to do."""
    mine = (pages.c.id == id) & (pages.c.due <= tx.now)
    values = {"attempts": pages.c.attempts + 1, "due": tx.now + within}
    row = (await tx.connection.execute(update(pages).where(mine).values(values).returning(pages))).one_or_none()
    return None if row is None else _page(row)


async def end(tx: Transaction, id: str, state: PageState, problem: str = "") -> None:
    """Nothing is left to do about a page."""
    await tx.connection.execute(update(pages).where(pages.c.id == id).values(state=state, problem=problem, due=None))


async def retry(tx: Transaction, id: str, after: timedelta, problem: str) -> None:
    """Try a page again later."""
    due = tx.now + after
    await tx.connection.execute(update(pages).where(pages.c.id == id).values(problem=problem, due=due))
    tx.enqueue_page(id, delay=after)


async def of_incident(connection: AsyncConnection, incident_id: str) -> Sequence[Page]:
    """Every page of an incident, oldest first."""
    query = select(pages).where(pages.c.incident_id == incident_id).order_by(pages.c.asked_at, pages.c.name)
    return [_page(row) for row in await connection.execute(query)]


async def overdue(connection: AsyncConnection, now: datetime) -> Sequence[str]:
    """The pages that are to be tried by now."""
    query = select(pages.c.id).where(pages.c.due <= now).order_by(pages.c.due)
    return [str(id) for id in (await connection.execute(query)).scalars()]


def _page(row: Any) -> Page:
    return Page(
        id=row.id,
        incident=row.incident_id,
        rung=row.rung,
        name=row.name,
        event=PageEvent(row.event),
        reason=row.reason,
        state=PageState(row.state),
        attempts=row.attempts,
        asked_at=row.asked_at,
    )
