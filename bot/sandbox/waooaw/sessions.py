"""Sessions that the sample system's programs hold open, for the faults of its database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import asyncpg

from bot.sandbox.database import SampleDatabase
from bot.sandbox.waooaw.desk import MEERA

WAIT_SECONDS = 20.0
POLL_SECONDS = 0.02
IDLE, IN_TRANSACTION, ACTIVE = "idle", "idle in transaction", "active"
SLEEPS = "SELECT count(*) FROM rate_limit_tiers, pg_sleep(240)"


class Sessions:
    """Sessions of one program; `gone` is called as soon as the last of them has ended or stopped what it did."""

    def __init__(self, gone: Callable[[], None] | None = None) -> None:
        self._open: list[asyncpg.Connection[asyncpg.Record]] = []
        self._running: list[asyncio.Task[object]] = []
        self._left = 0
        self._gone = gone
        self.pids: list[int] = []

    async def add(
        self, database: SampleDatabase, state: str, statement: str, count: int = 1, *, program: str = "plant-backend"
    ) -> Sessions:
        """Open so many sessions that run the statement and stay in that state."""
        for _ in range(count):
            connection = await asyncpg.connect(database.app_url, server_settings={"application_name": program})
            self._open.append(connection)
            self.pids.append(connection.get_server_pid())
            self._left += 1
            if state == ACTIVE:
                running: asyncio.Task[object] = asyncio.create_task(connection.execute(statement))
                running.add_done_callback(lambda _: self._one_less())
                self._running.append(running)
                continue
            connection.add_termination_listener(lambda _: self._one_less())
            if state == IN_TRANSACTION:
                await connection.execute("BEGIN")
            await connection.execute(statement)
        await self._until(database, state)
        return self

    async def close(self) -> None:
        """End those that are still there."""
        self._gone = None
        for connection in self._open:
            connection.terminate()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _one_less(self) -> None:
        self._left -= 1
        if self._left == 0 and self._gone is not None:
            self._gone()

    async def _until(self, database: SampleDatabase, state: str) -> None:
        watcher = await database.connect()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                there = False
                while not there:
                    there = all(shown == state for shown in await self._states(watcher))
                    await asyncio.sleep(0 if there else POLL_SECONDS)
        finally:
            await watcher.close()

    async def _states(self, watcher: asyncpg.Connection[asyncpg.Record]) -> Sequence[str]:
        rows = await watcher.fetch("SELECT state FROM pg_stat_activity WHERE pid = ANY ($1::int[])", self.pids)
        return [row["state"] for row in rows]


def change_of_meera() -> str:
    """A change of a row that is never committed."""
    return f"UPDATE customers SET updated_at = now() WHERE id = '{MEERA}'"
