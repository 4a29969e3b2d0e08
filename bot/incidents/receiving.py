"""Alerts at the door: kept in one transaction, sorted afterwards by a worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.domain.alert import Alert
from bot.store import alerts
from bot.store.session import Store


class Receiver:
    """Keeps what arrives. Whoever is told that it was taken may forget it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def take(self, source: str, system: str, found: Sequence[Alert], delivery: str = "") -> bool:
        """Keep these alerts of a source, and have a worker sort them; False when this delivery was taken before. Raises
        `Unavailable`, and then nothing was kept."""
        async with self._store.transaction() as tx:
            if delivery and await alerts.delivered(tx, f"{source}:{delivery}"):
                return False
            # Where others wait to be sorted, whoever sorts them looks once more afterwards and finds these as well:
            # a storm makes one job, not ten thousand.
            wake = not await alerts.waiting(tx.connection)
            if found:
                await alerts.arrive(tx, source, system, found)
            if wake and found:
                tx.enqueue_sort(delay=timedelta(0))
        return True
