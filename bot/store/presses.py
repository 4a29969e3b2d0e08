"""Presses that were taken: whoever delivers one again, Slack or somebody else, changes nothing by it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from bot.domain.events import Event, Happened
from bot.store.session import Transaction
from bot.store.tables import presses

REMEMBERED = timedelta(days=1)  # signed requests are taken for five minutes; Slack delivers again within the hour


async def repeated(
    tx: Transaction, press: str, by: str, *, run_id: str | None = None, incident_id: str | None = None
) -> bool:
    """Whether a press was taken before, which is put on record; else it is taken now, if the transaction commits. An
    empty press, one that came by no message of Slack's, is always new."""
    if not press:
        return False
    taken = insert(presses).values(key=press, at=tx.now).on_conflict_do_nothing().returning(presses.c.key)
    if (await tx.connection.execute(taken)).one_or_none() is not None:
        await tx.connection.execute(delete(presses).where(presses.c.at < tx.now - REMEMBERED))
        return False
    tx.record(Event(Happened.PRESS_REPEATED, by, {"press": press}), run_id=run_id, incident_id=incident_id)
    return True
