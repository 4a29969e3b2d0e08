"""The queue loop: pgqueuer hands out jobs, each wakes something; the loop survives the database going away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import structlog
from pgqueuer import PgQueuer
from pgqueuer.models import Job, Schedule

from bot.errors import BotError
from bot.store.session import SORT

log = structlog.get_logger(__name__)

HEARTBEAT = timedelta(seconds=12)
POLL = timedelta(seconds=5)
SWEEP_EVERY = timedelta(seconds=30)
RESTART_AFTER = timedelta(seconds=1)
ALONE = frozenset({SORT})
"""The kinds of jobs of which a replica does one at a time."""


@dataclass(frozen=True, slots=True)
class Nightly:
    """Work that one of all replicas does once a day: its name, the time in UTC as HH:MM, and what is done."""

    name: str
    at: str
    work: Callable[[], Awaitable[None]]

    @property
    def expression(self) -> str:
        """The time as cron has it."""
        hour, minute = self.at.split(":")
        return f"{int(minute)} {int(hour)} * * *"


@dataclass(frozen=True, slots=True)
class Minutely:
    """Work that one of all replicas does every minute: its name, and what is done."""

    name: str
    work: Callable[[], Awaitable[object]]
    expression: str = "* * * * *"


class Queue:
    """Takes jobs until stopped: `work` is what each kind of job wakes, with the id it carries; `sweeps` wake what was
    lost. `ready` is set whenever the loop listens."""

    def __init__(
        self,
        url: str,
        work: Mapping[str, Callable[[str], Awaitable[object]]],
        sweeps: Sequence[Callable[[], Awaitable[int]]] = (),
        *,
        jobs: int = 20,
        scheduled: Sequence[Nightly | Minutely] = (),
    ) -> None:
        self._url = url.replace("postgresql+asyncpg://", "postgresql://", 1)
        self._work = work
        self._sweeps = sweeps
        self._jobs = jobs
        self._scheduled = scheduled
        self._stopping = asyncio.Event()
        self._running: PgQueuer | None = None
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop`; pgqueuer ends when Postgres restarts, so it is started again."""
        sweeping = asyncio.create_task(self._sweep())
        try:
            while not self._stopping.is_set():
                try:
                    await self._listen()
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                    log.warning("queue lost its database", error=str(error))
                except Exception:
                    # A connection cut in the middle of an answer ends in errors of the driver that derive from nothing.
                    # Whatever it was: a worker that takes no more jobs would look alive.
                    log.exception("queue broke")
                self.ready.clear()
                if not self._stopping.is_set():
                    await self._pause(RESTART_AFTER)
        finally:
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)

    def stop(self) -> None:
        """Take no more jobs; `run` returns when those under way have ended."""
        self._stopping.set()
        if self._running is not None:
            self._running.shutdown.set()

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self._url, timeout=5)
        try:
            queue = PgQueuer.from_asyncpg_connection(connection)
            self._running = queue

            for kind, work in self._work.items():
                self._take(queue, kind, work)
            for each in self._scheduled:
                self._schedule(queue, each)
            self.ready.set()
            if not self._stopping.is_set():
                await queue.run(
                    dequeue_timeout=POLL,
                    batch_size=max(1, self._jobs // 2),
                    max_concurrent_tasks=self._jobs,
                    heartbeat_timeout=HEARTBEAT,
                )
        finally:
            self._running = None
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                await connection.close(timeout=2)

    def _take(self, queue: PgQueuer, kind: str, work: Callable[[str], Awaitable[object]]) -> None:
        @queue.entrypoint(kind, on_failure="hold", concurrency_limit=1 if kind in ALONE else 0)
        async def take(job: Job) -> None:
            await work((job.payload or b"").decode())

    def _schedule(self, queue: PgQueuer, scheduled: Nightly | Minutely) -> None:
        """pgqueuer keeps the next time in a row, which one replica takes; a night without any is made up for."""

        @queue.schedule(scheduled.name, scheduled.expression)
        async def work(_schedule: Schedule) -> None:
            working = asyncio.ensure_future(scheduled.work())
            stopping = asyncio.create_task(self._stopping.wait())
            try:
                await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (working, stopping):
                    task.cancel()
                ended, _ = await asyncio.gather(working, stopping, return_exceptions=True)
            if isinstance(ended, BotError):
                log.warning("scheduled work not done", name=scheduled.name, error=str(ended))
            elif isinstance(ended, Exception):
                log.error("scheduled work broke", name=scheduled.name, exc_info=ended)

    async def _sweep(self) -> None:
        while not self._stopping.is_set():
            await self._pause(SWEEP_EVERY)
            for sweep in self._sweeps:
                try:
                    woken = await sweep()
                except Exception:
                    log.exception("sweep broke")
                    continue
                if woken:
                    log.info("swept", what=sweep.__qualname__, woken=woken)

    async def _pause(self, length: timedelta) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), length.total_seconds())
