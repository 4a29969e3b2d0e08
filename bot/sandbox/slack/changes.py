"""The one signal that something in the workspace changed; waited on by test persons and streamed to browser pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

Found = TypeVar("Found")


@dataclass(eq=False)
class Feed:
    """What one page still has to be told; None ends the stream."""

    user: str
    queue: asyncio.Queue[dict[str, Any] | None] = field(default_factory=asyncio.Queue)


class Changes:
    """Wakes every waiter and feeds every page on each change.

    All of it runs on one event loop, so a probe that finds nothing and the wait that follows it cannot miss a change.
    """

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()
        self._feeds: set[Feed] = set()

    def publish(self, event: dict[str, Any], users: frozenset[str] | None = None) -> None:
        """Announce a change; `users` None means everybody's page hears of it."""
        for feed in self._feeds:
            if users is None or feed.user in users:
                feed.queue.put_nowait(event)
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def wake(self) -> None:
        """Let every waiter look again without telling any page."""
        self.publish({}, frozenset())

    async def wait_for(self, probe: Callable[[], Found | None], seconds: float) -> Found:
        """The first thing `probe` finds, asked again after every change; raises TimeoutError after `seconds`."""
        async with asyncio.timeout(seconds):
            while (found := probe()) is None:
                waiter = asyncio.get_running_loop().create_future()
                self._waiters.add(waiter)
                try:
                    await waiter
                finally:
                    self._waiters.discard(waiter)
            return found

    async def next_one(self, seconds: float) -> None:
        """Wait until something changes; raises TimeoutError after `seconds`."""
        asked = iter((None, True))
        await self.wait_for(lambda: next(asked, True), seconds)

    @contextmanager
    def feed(self, user: str) -> Iterator[Feed]:
        """A stream of the changes this user's page should know of."""
        feed = Feed(user)
        self._feeds.add(feed)
        try:
            yield feed
        finally:
            self._feeds.discard(feed)

    def close(self) -> None:
        """End every stream."""
        for feed in self._feeds:
            feed.queue.put_nowait(None)
