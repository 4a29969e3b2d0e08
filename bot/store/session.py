"""One action is one transaction: the state change, its audit lines, its messages and its next job commit together."""

from __future__ import annotations

import json
import math
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from asyncpg.exceptions import (
    AdminShutdownError,
    CannotConnectNowError,
    CrashShutdownError,
    InsufficientResourcesError,
    ObjectNotInPrerequisiteStateError,
    PostgresConnectionError,
)
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.queries import Queries
from sqlalchemy import text
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from bot.clock import Clock
from bot.domain.events import Event
from bot.domain.facts import to_json
from bot.errors import Unavailable
from bot.store import tables
from bot.store.codec import decode, forget

Connection: TypeAlias = AsyncConnection
"""What reads are given."""

ADVANCE, CLIMB, DIGEST, PAGE, WATCH, SORT = "advance", "climb", "digest", "page", "watch", "sort"
"""The kinds of jobs: a run that goes on, an incident whose next people are called, one whose digest is due, somebody
who is told outside Slack, a system whose monitors are looked at, and alerts that have arrived."""
OUTBOX_CHANNEL = "runbook_outbox"
CHART = "chart"
"""The topic of what takes long to make and nobody waits for: it is sent beside everything else. The channel's payload
says when there is some."""
# A process that stands still inside a transaction keeps the run's row and the audit's lock from every other replica:
# the server ends its session. Between two statements of ours lies no waiting but for the network.
_STANDSTILL = {"idle_in_transaction_session_timeout": "10s"}
_UNREACHABLE = (OperationalError, InterfaceError, OSError, TimeoutError, PoolExhausted, PostgresConnectionError)
# What a server says while it starts, stops, is full or lets nobody in. SQLAlchemy has no class of its own for these.
_AWAY = (
    AdminShutdownError,
    CannotConnectNowError,
    CrashShutdownError,
    InsufficientResourcesError,
    ObjectNotInPrerequisiteStateError,
)

_LEFT, _QUIET = "left", 5.0
_AWAY_NOW = "The bot's database does not answer; please try again in a moment."


def engine_of(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """An engine on asyncpg for a plain `postgresql://` URL."""
    plain = url.replace("postgres://", "postgresql://", 1)
    engine = create_async_engine(
        plain.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_use_lifo=True,
        pool_timeout=5,
        json_deserializer=decode,
        connect_args={"timeout": 5, "server_settings": {"application_name": "runbook-bot", **_STANDSTILL}},
    )
    listen(engine.sync_engine, "checkin", _left)
    listen(engine.sync_engine, "checkout", _insist_on_alive)
    return engine


def _left(_: Any, record: ConnectionPoolEntry) -> None:
    record.info[_LEFT] = time.monotonic()


def _insist_on_alive(adapted: Any, record: ConnectionPoolEntry, _: Any) -> None:
    """Replace a connection that has died in the pool. One that the server closed knows it; only a network that went
    away without a word has to be asked, and only after a pause: SQLAlchemy's own ping takes three round trips."""
    lost = adapted.driver_connection.is_closed()
    if not lost and time.monotonic() - record.info.get(_LEFT, math.inf) > _QUIET:
        try:
            adapted.ping()
        except Exception:  # whatever it says, it is of no use
            lost = True
    if lost:
        raise InvalidatePoolError


@dataclass
class Transaction:
    """What one action does to the bot's database. `connection` runs statements; `record`, `announce` and `enqueue`
    collect what is written at the end, just before the commit."""

    connection: AsyncConnection
    now: datetime
    _events: list[dict[str, Any]] = field(default_factory=list)
    _messages: list[dict[str, Any]] = field(default_factory=list)
    _jobs: list[tuple[str, str, timedelta]] = field(default_factory=list)

    def record(self, *events: Event, run_id: str | None = None, incident_id: str | None = None) -> None:
        """Append to the audit trail."""
        for event in events:
            line = {"kind": event.kind, "actor": event.actor, "run": run_id, "incident": incident_id}
            self._events.append({**line, "at": self.now.isoformat(), "data": to_json(event.data)})

    def announce(
        self,
        topic: str,
        *,
        run_id: str | None = None,
        incident_id: str | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        """Put a message for Slack in the outbox; it is sent after the commit, in order within its incident."""
        row = {"topic": topic, "run_id": run_id, "incident_id": incident_id, "body": to_json(body or {})}
        if row not in self._messages:
            self._messages.append(row)

    def enqueue(self, run_id: str, *, delay: timedelta = timedelta(0)) -> None:
        """Wake a worker for a run, now or later."""
        self._enqueue(ADVANCE, run_id, delay)

    def enqueue_climb(self, incident_id: str, *, delay: timedelta = timedelta(0)) -> None:
        """Have an incident's ladder looked at, now or later."""
        self._enqueue(CLIMB, incident_id, delay)

    def enqueue_digest(self, incident_id: str, *, delay: timedelta = timedelta(0)) -> None:
        """Have an incident's digest looked at, now or later."""
        self._enqueue(DIGEST, incident_id, delay)

    def enqueue_page(self, page_id: str, *, delay: timedelta = timedelta(0)) -> None:
        """Have somebody told outside Slack, now or later."""
        self._enqueue(PAGE, page_id, delay)

    def enqueue_watch(self, system: str) -> None:
        """Have the monitors of a system looked at now."""
        self._enqueue(WATCH, system, timedelta(0))

    def enqueue_sort(self, *, delay: timedelta = timedelta(0)) -> None:
        """Have the alerts sorted that have arrived, now or later."""
        self._enqueue(SORT, "", delay)

    def _enqueue(self, kind: str, id: str, delay: timedelta) -> None:
        if (kind, id, delay) not in self._jobs:
            self._jobs.append((kind, id, delay))

    async def flush(self) -> None:
        """Write what was collected. The audit comes last: its lock is held only until the commit."""
        if self._messages:
            rows = [{**row, "created_at": self.now} for row in self._messages]
            await self.connection.execute(tables.outbox.insert(), rows)
            payload = CHART if any(row["topic"] == CHART for row in rows) else ""
            await self.connection.execute(text(f"SELECT pg_notify('{OUTBOX_CHANNEL}', '{payload}')"))
        if self._jobs:
            # SQLAlchemy's adapter begins its transaction at the first statement: without one, the raw connection
            # would commit the job by itself.
            await self.connection.execute(text("SELECT 1"))
            raw = (await self.connection.get_raw_connection()).driver_connection
            assert raw is not None
            await Queries(AsyncpgDriver(raw)).enqueue(
                [kind for kind, _, _ in self._jobs],
                [id.encode() for _, id, _ in self._jobs],
                [0] * len(self._jobs),
                [delay for _, _, delay in self._jobs],
            )
        if self._events:
            lines = [json.dumps(line, sort_keys=True, ensure_ascii=False, default=str) for line in self._events]
            await self.connection.execute(text("SELECT audit_append(:lines)"), {"lines": lines})


class Store:
    """The bot's database; `transaction` is the only way to change it."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        # Reads commit nothing and see what is committed, statement by statement: a BEGIN would only cost time.
        self._reads = engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One commit; anything raised inside rolls everything back. Raises `Unavailable` when the database is."""
        try:
            async with self.engine.begin() as connection:
                transaction = Transaction(connection, self.clock.now())
                yield transaction
                await transaction.flush()
        except _UNREACHABLE as error:
            raise Unavailable("The bot's database does not answer; nothing was recorded.") from error
        except DBAPIError as error:
            if _is_away(error):
                raise Unavailable("The bot's database went away; nothing was recorded.") from error
            raise

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reads, each of which sees what is committed when it begins; `snapshot` is for what has to
        see one moment, or is more than fits in memory."""
        try:
            async with self._reads.connect() as connection:
                yield connection
        except _UNREACHABLE as error:
            raise Unavailable(_AWAY_NOW) from error
        except DBAPIError as error:
            if _is_away(error):
                raise Unavailable(_AWAY_NOW) from error
            raise

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A connection for several reads that all see the same moment."""
        async with self.reading() as connection:
            still = await connection.execution_options(isolation_level="REPEATABLE READ")
            # Whoever reads the lines may take their time: nothing is locked here.
            await still.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            yield still

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
        forget()


def _is_away(error: DBAPIError) -> bool:
    """Whether the database went away or takes nobody for the moment: that is no bug of ours, and it passes."""
    return error.connection_invalidated or isinstance(getattr(error.orig, "__cause__", None), _AWAY)
