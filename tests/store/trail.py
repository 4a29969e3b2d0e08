"""Lines for an audit trail."""

from __future__ import annotations

from bot.domain.events import Event, Happened
from bot.store import audit
from bot.store.audit import Head
from bot.store.session import Store

NOTED = Event(Happened.INCIDENT_NOTED, "U_ANA", {"text": "naïve 😀 \u202e rtl", "n": 1.5})


async def ten_lines(store: Store) -> Head:
    """Ten lines, and the head of the trail."""
    for number in range(5):
        async with store.transaction() as tx:
            tx.record(NOTED, Event(Happened.INCIDENT_NOTED, "U_BEN", {"text": f"rtl {number}"}))
    async with store.reading() as connection:
        return await audit.head(connection)
