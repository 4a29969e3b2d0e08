"""A line to PostgreSQL that breaks at the worst moment."""

from __future__ import annotations

import asyncio


class Cutting:
    """A relay between us and PostgreSQL that cuts the line when COMMIT goes by: before it arrives, or after."""

    def __init__(self, port: int, *, deliver: bool) -> None:
        self.port = port
        self.deliver = deliver
        self.cut = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", self.port)
        tasks = {
            asyncio.create_task(self._upwards(reader, there[1], writer)),
            asyncio.create_task(self._downwards(there[0], writer)),
        }
        self._tasks |= tasks
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        there[1].close()
        writer.close()

    async def _upwards(
        self, reader: asyncio.StreamReader, server: asyncio.StreamWriter, client: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(65536):
            if b"COMMIT" in data and not self.cut.is_set():
                self.cut.set()
                if self.deliver:
                    server.write(data)
                    await server.drain()
                client.transport.abort()
                return
            server.write(data)
            await server.drain()

    async def _downwards(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            client.write(data)
            await client.drain()


class Freezing:
    """A relay between us and PostgreSQL that says nothing more, in both ways, once a word has gone by."""

    def __init__(self, port: int, word: bytes) -> None:
        self.port = port
        self.word = word
        self.frozen = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, upwards = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers += [writer, upwards]
        self._tasks |= {
            asyncio.create_task(self._relay(reader, upwards)),
            asyncio.create_task(self._relay(there, writer)),
        }

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self.word in data:
                self.frozen.set()
            if self.frozen.is_set():
                continue
            writer.write(data)
            await writer.drain()
