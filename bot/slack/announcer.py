"""From the outbox to Slack: one sender among all replicas, in order within an incident, at the pace Slack allows.

A message in the outbox says what changed, not what to show: it is rendered from what is true when it is sent, so
several changes become one update, and a card is always a picture of the present.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import BotError, Unavailable
from bot.slack.desk import Desk
from bot.slack.topics import deliver
from bot.store import outbox
from bot.store.outbox import Outgoing
from bot.store.session import CHART, OUTBOX_CHANNEL, Store

log = structlog.get_logger(__name__)

_LEADER = 7_204_551_192
POLL = timedelta(seconds=2)
GIVE_UP_AFTER = 8
# What everybody looks at goes out before the details in the thread.
_ORDER: Mapping[str, int] = {
    "channel": 0,
    "run": 1,
    "approval": 2,
    "glass": 2,
    "nudge": 3,
    "notice": 3,
    "window": 3,
    "ended": 4,
    "resolved": 4,
    "incident": 5,
    "alerts": 5,
    "alert": 5,
    "copies": 6,
    "homes": 7,
    "rows": 8,
}
_LAST = 9


class Announcer:
    """Sends until stopped; while another replica sends, it stands by."""

    def __init__(self, store: Store, desk: Desk) -> None:
        self._store = store
        self._desk = desk
        self._stopping = asyncio.Event()
        self._woken = asyncio.Event()
        self._woken_to_draw = asyncio.Event()

    def stop(self) -> None:
        """End after the message under way."""
        self._stopping.set()
        self._wake()

    async def run(self) -> None:
        """Stand by, lead, and start over when the database goes away."""
        while not self._stopping.is_set():
            try:
                await self._lead()
            except (BotError, OSError) as error:
                log.warning("announcer lost its database", error=str(error))
            except Exception:
                log.exception("announcer broke")
            await self._pause(POLL)

    async def drain(self) -> int:
        """Send what is waiting, most wanted first; how many messages are gone. Details go one at a time, so that a card
        never waits behind them."""
        async with self._store.reading() as connection:
            waiting = await outbox.take(connection, self._desk.clock.now())
        gone = 0
        blocked: set[str | None] = set()
        batch = _coalesced(waiting)
        for place, (message, ids) in enumerate(batch):
            if message.incident_id is not None and message.incident_id in blocked:
                continue
            if await self._send(message, ids):
                gone += len(ids)
            else:
                blocked.add(message.incident_id)
            if _rank(message) == _LAST and place + 1 < len(batch):
                break
        return gone

    async def draw(self) -> int:
        """Draw and send the charts that are waiting, one after another; how many messages are gone."""
        async with self._store.reading() as connection:
            waiting = await outbox.take(connection, self._desk.clock.now(), charts=True)
        gone = 0
        for message, ids in _coalesced(waiting):
            gone += len(ids) if await self._send(message, ids) else 0
        return gone

    async def _drawing(self) -> None:
        """Draw beside the loop that sends: a chart takes a second, and nobody's card waits for one."""
        while not self._stopping.is_set():
            self._woken_to_draw.clear()
            if not await self.draw():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken_to_draw.wait(), POLL.total_seconds())

    async def _lead(self) -> None:
        engine = self._store.engine.execution_options(isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            if not (await connection.execute(text(f"SELECT pg_try_advisory_lock({_LEADER})"))).scalar_one():
                return
            drawing = asyncio.create_task(self._drawing())
            try:
                await self._listen(connection)
                while not self._stopping.is_set():
                    if drawing.done():
                        drawing.result()
                    self._woken.clear()
                    if not await self.drain():
                        # Proves that the lock's connection, and with it our lead, is still there.
                        await connection.execute(text("SELECT 1"))
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(self._woken.wait(), POLL.total_seconds())
            finally:
                drawing.cancel()
                await asyncio.gather(drawing, return_exceptions=True)
                with contextlib.suppress(Exception):
                    await connection.execute(text(f"SELECT pg_advisory_unlock({_LEADER})"))
                    await self._unlisten(connection)

    async def _listen(self, connection: AsyncConnection) -> None:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.add_listener(OUTBOX_CHANNEL, self._wake)

    async def _unlisten(self, connection: AsyncConnection) -> None:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.remove_listener(OUTBOX_CHANNEL, self._wake)

    def _wake(self, _connection: object = None, _process: int = 0, _channel: str = "", payload: str = CHART) -> None:
        self._woken.set()
        if payload == CHART:
            self._woken_to_draw.set()

    async def _send(self, message: Outgoing, ids: tuple[int, ...]) -> bool:
        try:
            await deliver(message, self._desk, self._store)
        except Unavailable as error:
            await self._later(message, str(error))
            return False
        except BotError as error:
            log.warning("message cannot be sent", topic=message.topic, run=message.run_id, error=str(error))
        except Exception:
            log.exception("message broke", topic=message.topic, run=message.run_id, incident=message.incident_id)
            if message.attempts < GIVE_UP_AFTER:
                await self._later(message, "broke; see the log")
                return False
        async with self._store.transaction() as tx:
            await outbox.sent(tx, *ids)
        return True

    async def _later(self, message: Outgoing, problem: str) -> None:
        delay = timedelta(seconds=min(60, 2**message.attempts))
        async with self._store.transaction() as tx:
            await outbox.postpone(tx, message.id, delay, problem)

    async def _pause(self, length: timedelta) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), length.total_seconds())


def _rank(message: Outgoing) -> int:
    return _ORDER.get(message.topic, _LAST)


def _coalesced(waiting: list[Outgoing] | Any) -> list[tuple[Outgoing, tuple[int, ...]]]:
    """Messages of the same meaning as one, with the ids of all of them; most wanted first."""
    same: dict[tuple[Any, ...], list[Outgoing]] = {}
    for message in waiting:
        key = (message.topic, message.run_id, message.incident_id, repr(sorted(message.body.items())))
        same.setdefault(key, []).append(message)
    batch = [(group[0], tuple(message.id for message in group)) for group in same.values()]
    return sorted(batch, key=lambda pair: (_rank(pair[0]), pair[0].id))
