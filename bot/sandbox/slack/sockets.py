"""Socket Mode: single-use tickets, up to ten connections, one envelope to one of them, an ack from any of them."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import uuid
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import WSMsgType, web

from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.journal import Journal
from bot.sandbox.slack.records import Json
from bot.sandbox.slack.state import Workspace
from bot.sandbox.slack.transport import Acked, Envelope, Outcome, Retry, Unanswered, delivery_name

# https://docs.slack.dev/apis/events-api/using-socket-mode
MOST_CONNECTIONS = 10
Farewell = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]


@dataclass(eq=False)
class Connection:
    """One open WebSocket; a draining one gets nothing new but may still acknowledge."""

    number: int
    socket: web.WebSocketResponse
    request: web.Request
    draining: bool = False


@dataclass
class SocketHub:
    """All of the app's Socket Mode connections."""

    space: Workspace
    faults: Faults
    journal: Journal
    connections: list[Connection] = field(default_factory=list)
    _tickets: dict[str, float] = field(default_factory=dict)
    _pending: dict[str, asyncio.Future[Json | None]] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _turn: int = 0

    def open_ticket(self) -> str:
        """The address for one new connection, good once and for a short while."""
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = self.space.clock() + self.space.timing.ticket
        origin = self.space.origin.replace("http://", "ws://")
        return f"{origin}/link/?ticket={ticket}&app_id={self.space.app_id}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Accept a connection and read its acknowledgements until it closes."""
        expires = self._tickets.pop(request.query.get("ticket", ""), None)
        fault = self.faults.take_socket()
        if fault is not None:
            self.journal.note("socket", "refused", reason="fault")
            return web.Response(status=fault.status)
        if expires is None or self.space.clock() > expires:
            self.journal.note("socket", "refused", reason="ticket")
            return web.Response(status=401, text="The ticket is unknown, used or expired.")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        connection = Connection(next(self._numbers), socket, request)
        if len(self.connections) >= MOST_CONNECTIONS:
            await self._dismiss(connection, "too_many_websockets")
            await socket.close()
            return socket
        self.connections.append(connection)
        try:
            await self._read(connection)
        finally:
            self.connections.remove(connection)
            self._changed("closed", connection)
        return socket

    async def _read(self, connection: Connection) -> None:
        hello = {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {"host": "local-slack", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self.space.app_id},
        }
        await connection.socket.send_json(hello)
        self._changed("opened", connection)
        async for frame in connection.socket:
            if frame.type is WSMsgType.TEXT:
                self._acknowledge(connection, frame.data)

    def _changed(self, what: str, connection: Connection) -> None:
        self.journal.note("socket", what, connection=connection.number)
        self.space.tell("presence", online=bool(self.connections))

    def _acknowledge(self, connection: Connection, text: str) -> None:
        try:
            ack = json.loads(text)
        except ValueError:
            ack = None
        if not isinstance(ack, dict):
            self.journal.note("ack", "malformed", connection=connection.number, text=text)
            return
        identity = str(ack.get("envelope_id", ""))
        waiting = self._pending.get(identity)
        late = waiting is None or waiting.done()
        body = ack.get("payload")
        self.journal.note(
            "ack", "late" if late else "ack", envelope_id=identity, connection=connection.number, payload=body
        )
        if waiting is not None and not waiting.done():
            waiting.set_result(body if isinstance(body, dict) else None)

    async def send(self, kind: Envelope, payload: Json, retry: Retry | None = None) -> Outcome:
        """Hand an envelope to exactly one connection, in turn, and wait for its ack on any."""
        identity = str(uuid.uuid4())
        envelope: Json = {
            "envelope_id": identity,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": retry.attempt if retry else 0, "retry_reason": retry.reason if retry else ""}
        waiting: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        self._pending[identity] = waiting
        try:
            async with asyncio.timeout(self.space.timing.ack):
                if not await self._hand_over(envelope, delivery_name(kind, payload)):
                    return Unanswered("no_connection")
                return Acked(await waiting)
        except TimeoutError:
            return Unanswered("timeout")
        finally:
            del self._pending[identity]

    async def _hand_over(self, envelope: Json, name: str) -> bool:
        fault = self.faults.take_delivery()
        if fault is not None and fault.kind == "latency":
            await asyncio.sleep(fault.seconds)
        details = {key: value for key, value in envelope.items() if key != "type"}
        while open_ones := [each for each in self.connections if not each.draining and not each.socket.closed]:
            self._turn += 1
            chosen = open_ones[self._turn % len(open_ones)]
            lost = fault is not None and fault.kind == "drop"
            self.journal.note(
                "delivery", name, envelope=envelope["type"], connection=chosen.number, lost=lost, **details
            )
            if lost:
                return True
            try:
                await chosen.socket.send_json(envelope)
            except (ConnectionError, RuntimeError):
                chosen.draining = True
                continue
            return True
        self.journal.note("delivery", name, envelope=envelope["type"], connection=None, lost=True, **details)
        return False

    async def dismiss(self, reason: Farewell = "refresh_requested") -> None:
        """Tell every connection that it must go; a warning leaves it working, anything else drains it."""
        for connection in list(self.connections):
            await self._dismiss(connection, reason)

    async def _dismiss(self, connection: Connection, reason: Farewell) -> None:
        if reason != "warning":
            connection.draining = True
        farewell = {"type": "disconnect", "reason": reason, "debug_info": {"host": "local-slack"}}
        await connection.socket.send_json(farewell)
        self.journal.note("socket", "disconnect", connection=connection.number, reason=reason)

    def drop(self) -> int:
        """Cut every connection without a word, as a broken network does; returns how many."""
        dropped = 0
        for connection in self.connections:
            connection.draining = True
            if (transport := connection.request.transport) is not None:
                transport.abort()
                dropped += 1
        return dropped

    async def close(self) -> None:
        """Close every connection politely."""
        for connection in list(self.connections):
            await connection.socket.close()
