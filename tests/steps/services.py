"""A small HTTP service and a small SMTP server that tests command and break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiohttp import web


@dataclass
class Api:
    """What it was asked, and how it answers."""

    url: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    body: bytes = b'{"state": "up", "nested": {"n": 1}}'
    location: str = ""
    drop: bool = False
    silent: asyncio.Event | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Note the request, and answer as told."""
        self.seen.append(
            {
                "method": request.method,
                "path": request.raw_path,
                "query": dict(request.query),
                "headers": dict(request.headers),
                "body": await request.text(),
            }
        )
        if self.drop and request.transport is not None:
            request.transport.abort()
        if self.silent is not None:
            await self.silent.wait()
        if self.location and request.path != "/landed":
            return web.Response(status=302, headers={"Location": self.location})
        return web.Response(status=self.status, body=self.body, content_type="application/json")


@asynccontextmanager
async def api() -> AsyncIterator[Api]:
    """A running service."""
    made = Api()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        if made.silent is not None:
            made.silent.set()
        await runner.cleanup()


@dataclass
class Mailbox:
    """What arrived; `refuse` answers RCPT with 550, `hang_up` closes the line after DATA."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    refuse: bool = False
    hang_up: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One SMTP conversation."""
        writer.write(b"220 ready\r\n")
        try:
            while line := (await reader.readline()).strip().upper():
                if line.startswith(b"DATA"):
                    writer.write(b"354 go on\r\n")
                    data = await reader.readuntil(b"\r\n.\r\n")
                    if self.hang_up:
                        break
                    message = message_from_bytes(data[:-5], policy=policy.default)
                    assert isinstance(message, EmailMessage)
                    self.mails.append(message)
                writer.write(b"550 nobody\r\n" if self.refuse and line.startswith(b"RCPT") else b"250 fine\r\n")
                if line.startswith(b"QUIT"):
                    break
        finally:
            writer.close()


@asynccontextmanager
async def mailbox() -> AsyncIterator[Mailbox]:
    """A running mail server."""
    made = Mailbox()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = int(server.sockets[0].getsockname()[1])
    try:
        yield made
    finally:
        server.close()
