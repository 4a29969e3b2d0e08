"""Asking for the rows of a check: somebody wants them as a file, which is on record."""

from __future__ import annotations

from bot.domain.events import Event, Happened
from bot.errors import Mistake
from bot.store import presses, runs
from bot.store.session import Store


class Rows:
    """Takes requests for rows; the files are made when they are sent."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def ask(self, run_id: str, check: str, by: str, *, press: str = "") -> None:
        """Somebody wants the rows that a check saw. Raises `Mistake` when there is no such check."""
        async with self._store.transaction() as tx:
            run = await runs.get(tx.connection, run_id)
            if run is None or check not in run.checks:
                raise Mistake("This check is not known here.")
            if await presses.repeated(tx, press, by, run_id=run.id, incident_id=run.incident):
                return
            tx.record(Event(Happened.ROWS_ASKED, by, {"check": check}), run_id=run.id, incident_id=run.incident)
            tx.announce("rows", run_id=run.id, body={"check": check, "by": by})
