"""A line to PostgreSQL that breaks at a chosen COMMIT: before it arrives, when it has, or after its answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from enum import StrEnum

COMMIT = re.compile(rb"Q.{4}COMMIT;?\x00", re.DOTALL)  # a simple query, as both our drivers send it


class Moment(StrEnum):
    """When the line breaks."""

    BEFORE = "before COMMIT"
    DURING = "during COMMIT"
    AFTER = "after COMMIT"


class Line:
    """A relay on loopback that breaks once, at the COMMIT number `at` or at the first whose transaction says `at`;
    `work` keeps what each transaction said.

    `mend` is awaited after the break and before anybody gets through again.
    """

    def __init__(
        self,
        port: int,
        at: int | bytes = 0,
        moment: Moment = Moment.BEFORE,
        mend: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.port = 0
        self.work: list[bytes] = []
        self.broken = False
        self._last = b""
        self._there, self._at, self._moment = port, at, moment
        self._mend = mend
        self._mending: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def last(self) -> bytes:
        """What was asked in the transaction whose COMMIT broke the line."""
        return self._last

    async def __aenter__(self) -> Line:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        if self._mending is not None:
            await self._mending
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def through(self, url: str) -> str:
        """The same address, by this line."""
        return url.replace(f":{self._there}/", f":{self.port}/")

    async def _accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        if self._mending is not None:
            await asyncio.shield(self._mending)
        answers, server = await asyncio.open_connection("127.0.0.1", self._there)
        last = asyncio.Event()
        tasks = {
            asyncio.create_task(self._upwards(reader, server, client, last)),
            asyncio.create_task(self._downwards(answers, client, last)),
        }
        self._tasks |= tasks
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.close()
        client.close()

    async def _upwards(
        self,
        reader: asyncio.StreamReader,
        server: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
        last: asyncio.Event,
    ) -> None:
        said = b""
        while data := await reader.read(65536):
            said += data
            if COMMIT.search(data):
                self.work.append(said)
                said = b""
                if self._due() and self._breaks(server, client, data, last):
                    return
            server.write(data)
            await server.drain()

    def _due(self) -> bool:
        if self.broken:
            return False
        return self._at in self.work[-1] if isinstance(self._at, bytes) else len(self.work) == self._at

    def _breaks(
        self, server: asyncio.StreamWriter, client: asyncio.StreamWriter, data: bytes, last: asyncio.Event
    ) -> bool:
        """Break the line; False when the answer has to go by before."""
        self.broken, self._last = True, self.work[-1]
        if self._moment is Moment.AFTER:
            last.set()
            return False
        if self._moment is Moment.DURING:
            server.write(data)
        client.transport.abort()
        self._mended()
        return True

    async def _downwards(
        self, answers: asyncio.StreamReader, client: asyncio.StreamWriter, last: asyncio.Event
    ) -> None:
        while data := await answers.read(65536):
            client.write(data)
            await client.drain()
            if last.is_set():
                self._mended()
                return

    def _mended(self) -> None:
        if self._mend is not None:
            self._mending = asyncio.get_running_loop().create_task(_awaited(self._mend))


async def _awaited(work: Callable[[], Awaitable[None]]) -> None:
    await work()
