"""The sample system's other services on loopback: health, status pages, functions, received webhooks and mails."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiohttp import web

Json = dict[str, Any]
Check = Callable[[str, bool], Awaitable[Json | None]]

OPERATIONAL = "none"
DESCRIPTIONS = {
    OPERATIONAL: "All Systems Operational",
    "minor": "Partially Degraded Service",
    "major": "Partial System Outage",
    "critical": "Major Service Outage",
}
PROVIDERS = ("meta", "twilio", "supabase", "resend")


@dataclass
class Switch:
    """How an endpoint behaves: the status it answers with, how late in seconds, and for how many calls (None: all)."""

    status: int = 200
    seconds: float = 0.0
    times: int | None = None

    def take(self) -> tuple[int, float]:
        """What to do for one call; a used-up switch is a healthy one."""
        if self.times is None:
            return self.status, self.seconds
        if self.times == 0:
            return 200, 0.0
        self.times -= 1
        return self.status, self.seconds


@dataclass(frozen=True)
class Hook:
    """A webhook that somebody sent us: the last part of its address, its headers in lower case, and its raw body."""

    name: str
    headers: dict[str, str]
    body: bytes


async def _nothing_known(_business_id: str, _apply: bool) -> Json | None:
    return None


class LocalServices:
    """One HTTP server for everything of the sample system that is neither its database nor Stripe.

    `/health`; `/status/{provider}/api/v2/status.json` as Statuspage does; `/functions/v1/check-subscription` with the
    bearer token `token`, answered by `check(business_id, apply)`, where GET only looks and POST also applies;
    `/hooks/{name}`, which keeps what it gets in `hooks`. `switches` makes a path fail or slow, `statuses` sets a page.
    """

    def __init__(self, *, port: int = 0, token: str = "", check: Check = _nothing_known) -> None:
        self.token = token or secrets.token_urlsafe(18)
        self.check = check
        self.switches: dict[str, Switch] = {}
        self.statuses: dict[str, str] = dict.fromkeys(PROVIDERS, OPERATIONAL)
        self.hooks: list[Hook] = []
        self.url = ""
        self._port = port
        self._runner: web.AppRunner | None = None
        self._arrived = asyncio.Condition()

    async def start(self) -> LocalServices:
        """Listen on 127.0.0.1, on the given port or any free one."""
        app = web.Application(middlewares=[self._switched])
        app.router.add_get("/health", self._health)
        app.router.add_get("/status/{provider}/api/v2/status.json", self._status)
        app.router.add_get("/functions/v1/check-subscription", self._check_subscription)
        app.router.add_post("/functions/v1/check-subscription", self._check_subscription)
        app.router.add_post("/hooks/{name}", self._receive)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def stop(self) -> None:
        """Stop listening; what was received stays."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> LocalServices:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def received(self, count: int, *, seconds: float = 5.0) -> list[Hook]:
        """The hooks once there are `count` of them; TimeoutError when they do not come in time."""
        async with asyncio.timeout(seconds), self._arrived:
            await self._arrived.wait_for(lambda: len(self.hooks) >= count)
        return self.hooks

    @web.middleware
    async def _switched(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        status, seconds = self.switches.get(request.path, Switch()).take()
        await asyncio.sleep(seconds)
        if status >= web.HTTPBadRequest.status_code:
            return web.json_response({"error": f"switched to {status}"}, status=status)
        return await handler(request)

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "version": "2025.11.1"})

    async def _status(self, request: web.Request) -> web.Response:
        provider = request.match_info["provider"]
        if provider not in self.statuses:
            raise web.HTTPNotFound
        indicator = self.statuses[provider]
        shown = {"indicator": indicator, "description": DESCRIPTIONS.get(indicator, indicator)}
        return web.json_response({"page": {"id": provider, "name": provider.capitalize()}, "status": shown})

    async def _check_subscription(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        if not secrets.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
            return web.json_response({"error": "unauthorized"}, status=401)
        apply = request.method == "POST"
        asked = await _json_of(request) if apply else request.query
        business_id = asked.get("business_id")
        if not business_id:
            return web.json_response({"error": "business_id is missing"}, status=400)
        answer = await self.check(str(business_id), apply)
        if answer is None:
            return web.json_response({"error": "no such business"}, status=404)
        return web.json_response(answer)

    async def _receive(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        hook = Hook(request.match_info["name"], headers, await request.read())
        async with self._arrived:
            self.hooks.append(hook)
            self._arrived.notify_all()
        return web.json_response({"received": True})


async def _json_of(request: web.Request) -> Json:
    try:
        given = await request.json()
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


@dataclass(frozen=True)
class Mail:
    """A mail as it came: the envelope's addresses, and the message."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def subject(self) -> str:
        """The subject line."""
        return str(self.message["Subject"] or "")

    @property
    def text(self) -> str:
        """The plain text, empty when there is none."""
        body = self.message.get_body(("plain",))
        return "" if body is None else str(body.get_content())


@dataclass
class _Envelope:
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)


class MailSink:
    """An SMTP server (RFC 5321 with 8BITMIME only) on loopback that keeps every mail in `mails` and sends none.

    `refuse` answers the next recipients with that code and text, as a full mailbox does.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.mails: list[Mail] = []
        self.refuse: str | None = None
        self.host, self.port = "127.0.0.1", port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._arrived = asyncio.Condition()

    async def start(self) -> MailSink:
        """Listen on 127.0.0.1, on the given port or any free one."""
        self._server = await asyncio.start_server(self._talk, self.host, self.port, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Stop listening and end the conversations; the mails stay."""
        if self._server is not None:
            self._server.close()
            for writer in tuple(self._writers):
                writer.close()
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> MailSink:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def received(self, count: int, *, seconds: float = 5.0) -> list[Mail]:
        """The mails once there are `count` of them; TimeoutError when they do not come in time."""
        async with asyncio.timeout(seconds), self._arrived:
            await self._arrived.wait_for(lambda: len(self.mails) >= count)
        return self.mails

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        envelope = _Envelope()
        try:
            await _say(writer, "220 localhost mail sink")
            while line := await reader.readline():
                verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
                answer = await self._answer(verb.upper(), rest, envelope, reader, writer)
                await _say(writer, answer)
                if verb.upper() == "QUIT":
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(
        self,
        verb: str,
        rest: str,
        envelope: _Envelope,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> str:
        match verb:
            case "EHLO" | "HELO":
                answer = "250-localhost\r\n250 8BITMIME" if verb == "EHLO" else "250 localhost"
            case "MAIL":
                envelope.sender, envelope.recipients = _address(rest), []
                answer = "250 OK"
            case "RCPT" if self.refuse is not None:
                answer = self.refuse
            case "RCPT":
                envelope.recipients.append(_address(rest))
                answer = "250 OK"
            case "DATA" if envelope.sender is None or not envelope.recipients:
                answer = "503 Say MAIL and RCPT first"
            case "DATA":
                await _say(writer, "354 End with a dot on a line of its own")
                await self._keep(envelope, await _data(reader))
                answer = "250 Kept"
            case "RSET":
                envelope.sender, envelope.recipients = None, []
                answer = "250 OK"
            case "NOOP":
                answer = "250 OK"
            case "QUIT":
                answer = "221 Bye"
            case _:
                answer = "502 Not implemented"
        return answer

    async def _keep(self, envelope: _Envelope, raw: bytes) -> None:
        message = message_from_bytes(raw, policy=policy.default)
        mail = Mail(envelope.sender or "", tuple(envelope.recipients), message)
        envelope.sender, envelope.recipients = None, []
        async with self._arrived:
            self.mails.append(mail)
            self._arrived.notify_all()


async def _say(writer: asyncio.StreamWriter, line: str) -> None:
    writer.write(f"{line}\r\n".encode())
    await writer.drain()


async def _data(reader: asyncio.StreamReader) -> bytes:
    lines: list[bytes] = []
    while (line := await reader.readuntil(b"\n")) != b".\r\n":
        lines.append(line[1:] if line.startswith(b".") else line)
    return b"".join(lines)


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
