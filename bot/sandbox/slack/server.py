"""Local Slack itself: one loopback port with the web API, Socket Mode, response_urls, files and the person's side."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hmac
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.sandbox.slack import page
from bot.sandbox.slack.acting import People
from bot.sandbox.slack.api.chat import post_due
from bot.sandbox.slack.api.endpoint import Endpoint, Tokens
from bot.sandbox.slack.delivery import Delivery
from bot.sandbox.slack.errors import ApiError, LocalSlackError
from bot.sandbox.slack.faults import Fault, Faults
from bot.sandbox.slack.journal import Journal
from bot.sandbox.slack.limits import Limits
from bot.sandbox.slack.manifest import read_manifest
from bot.sandbox.slack.membership import regroup
from bot.sandbox.slack.people_api import PeopleApi
from bot.sandbox.slack.person import Person
from bot.sandbox.slack.requests import HttpTransport, is_loopback
from bot.sandbox.slack.responding import use_hook
from bot.sandbox.slack.seeds import Seed, read_seed
from bot.sandbox.slack.sockets import SocketHub
from bot.sandbox.slack.state import SLACKBOT, Timing, Workspace

Found = TypeVar("Found")
# The largest file one upload may bring, in bytes; Slack's own is 1 GB, which memory would not thank us for.
LARGEST_UPLOAD = 64 * 1024 * 1024


@web.middleware
async def only_own_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other web sites: a page elsewhere must not be able to click as one of the people here."""
    host = urlsplit(f"//{request.host}")
    origin = request.headers.get("Origin")
    if not is_loopback(host.hostname or "") or (origin is not None and urlsplit(origin).netloc != host.netloc):
        raise web.HTTPForbidden(text="Local Slack answers only pages of its own address.")
    return await handler(request)


class PortInUseError(LocalSlackError):
    """The wanted port is taken by another program."""


class LocalSlack:
    """A workspace with one app, served on loopback from `start()` to `stop()`; also an async context manager.

    `seed` is described at `seeds.read_seed`, `manifest` is a path or a parsed app manifest, `port` 0 takes a free one,
    `clock` gives seconds since the epoch and rules time stamps, expiry and rate limits, `hints` are commands
    the page suggests.
    """

    def __init__(
        self,
        seed: Seed | Mapping[str, Any] | None,
        manifest: str | Path | Mapping[str, Any],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        rate_limits: bool = True,
        clock: Callable[[], float] = time.time,
        timing: Timing | None = None,
        bot_token: str | None = None,
        app_token: str | None = None,
        signing_secret: str | None = None,
        hints: Sequence[str] = (),
    ) -> None:
        if not is_loopback(host):
            raise LocalSlackError(f"Local Slack listens only on this machine's loopback address, not on {host}.")
        self.host, self.port = host, port
        self.bot_token = bot_token or f"xoxb-local-{secrets.token_hex(8)}"
        self.app_token = app_token or f"xapp-1-A0LOCAL001-{secrets.token_hex(8)}"
        self.signing_secret = signing_secret or secrets.token_hex(16)
        self.space = Workspace.of(read_seed(seed), read_manifest(manifest), clock, timing or Timing())
        self.space.hints = tuple(hints)
        self.journal = Journal(clock, self.space.changes.wake)
        self.faults = Faults()
        self.limits = Limits(clock, enabled=rate_limits)
        self.sockets = SocketHub(self.space, self.faults, self.journal)
        self.delivery = Delivery(self.space, self.sockets)
        self.people = People(self.space, self.delivery)
        self.space.on_event.append(self.delivery.event)
        self._http: HttpTransport | None = None
        self._runner: web.AppRunner | None = None
        self._post_office: asyncio.Task[None] | None = None

    @property
    def origin(self) -> str:
        """Where the person's page is, without a final slash."""
        return self.space.origin

    @property
    def base_url(self) -> str:
        """What the SDK's client takes as `base_url`."""
        return f"{self.space.origin}/api/"

    async def start(self) -> LocalSlack:
        """Listen; raises PortInUseError when the port is taken."""
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self.host, self.port).start()
        except OSError as error:
            await self._runner.cleanup()
            if error.errno == errno.EADDRINUSE:
                raise PortInUseError(
                    f"Local Slack cannot listen on {self.host}:{self.port}: the port is in use; choose another one."
                ) from error
            raise LocalSlackError(f"Local Slack cannot listen on {self.host}:{self.port}: {error.strerror}.") from error
        self.port = int(self._runner.addresses[0][1])
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.space.origin = f"http://{host}:{self.port}"
        self._post_office = asyncio.get_running_loop().create_task(self._post_scheduled())
        return self

    async def stop(self) -> None:
        """Close every connection and give the port back."""
        if self._post_office is not None:
            self._post_office.cancel()
            await asyncio.gather(self._post_office, return_exceptions=True)
        self.space.changes.close()
        await self.delivery.close()
        await self.sockets.close()
        if self._http is not None:
            await self._http.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> LocalSlack:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def person(self, name: str) -> Person:
        """Somebody to act as, by user name or id; raises PersonError when there is nobody of that name."""
        return Person(self.space, self.people, self.people.user(name))

    def regroup(self, handle: str, *names: str) -> None:
        """Put exactly these people into a user group; the bot hears of it where it subscribed."""
        regroup(self.space, handle, [self.people.user(name) for name in names])

    def fault(self, kind: Any, method: str | None = None, **more: Any) -> None:
        """Plan a misbehaviour; see `faults.Fault`."""
        self.faults.plan(Fault(kind, method, **more))

    async def use_request_url(self, url: str) -> None:
        """Deliver by signed HTTP posts from now on, after the url_verification challenge was echoed."""
        transport = HttpTransport(self.space, self.journal, self.signing_secret, url)
        try:
            await transport.verify()
        except LocalSlackError:
            await transport.close()
            raise
        if self._http is not None:
            await self._http.close()
        self._http = self.delivery.transport = transport

    async def wait_for(self, probe: Callable[[], Found | None], within: float = 5.0) -> Found:
        """The first thing `probe` finds, asked again after every change and journal entry; raises TimeoutError."""
        return await self.space.changes.wait_for(probe, within)

    async def wait_connected(self, connections: int = 1, within: float = 10.0) -> None:
        """Wait until the bot holds this many Socket Mode connections; raises TimeoutError after `within` seconds."""
        await self.wait_for(lambda: True if len(self.sockets.connections) >= connections else None, within)

    def tick(self) -> None:
        """Post scheduled messages that have become due; a test calls this after moving its clock."""
        post_due(self.space)

    async def _post_scheduled(self) -> None:
        while True:
            self.tick()
            due = min((each.post_at for each in self.space.scheduled.values()), default=None)
            pause = 3600.0 if due is None else max(0.05, due - self.space.clock())
            with contextlib.suppress(TimeoutError):
                await self._rescheduled(frozenset(self.space.scheduled), pause)

    async def _rescheduled(self, known: frozenset[str], seconds: float) -> None:
        """Wait until another set of messages is scheduled than the one known; raises TimeoutError."""
        await self.space.changes.wait_for(lambda: True if self.space.scheduled.keys() != known else None, seconds)

    def _application(self) -> web.Application:
        tokens = Tokens(self.bot_token, self.app_token)
        endpoint = Endpoint(self.space, tokens, self.limits, self.faults, self.journal, self.sockets.open_ticket)
        app = web.Application(client_max_size=LARGEST_UPLOAD, middlewares=[only_own_pages])
        app.add_routes(
            [
                web.get("/api/{method}", endpoint.serve),
                web.post("/api/{method}", endpoint.serve),
                web.get("/link/", self.sockets.serve),
                web.post("/upload/{file}/{secret}", self._receive_file),
                web.get("/files-pri/{file}/{name}", self._send_file),
                web.post("/hooks/{kind}/{team}/{hook}/{secret}", self._receive_hook),
                web.get("/", self._send_page),
                web.get("/_local/static/{name}", self._send_static),
                *PeopleApi(self.space, self.people, self.faults, self.journal, self.sockets).routes(),
            ]
        )
        return app

    async def _send_page(self, _: web.Request) -> web.Response:
        first = next((user.id for user in self.space.users.values() if not user.is_bot and user.id != SLACKBOT), "")
        headers = {"Content-Security-Policy": page.CONTENT_SECURITY_POLICY, "Cache-Control": "no-store"}
        return web.Response(
            text=page.index_html(self.space.team_name, first), content_type="text/html", headers=headers
        )

    async def _send_static(self, request: web.Request) -> web.Response:
        found = page.static_file(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        body, content_type = found
        return web.Response(body=body, content_type=content_type, headers={"Cache-Control": "no-cache"})

    async def _receive_file(self, request: web.Request) -> web.Response:
        file = self.space.files.get(request.match_info["file"])
        if file is None or not hmac.compare_digest(file.secret, request.match_info["secret"]) or file.completed:
            return web.Response(status=404, text="not_found")
        if request.content_type == "multipart/form-data":
            form = await request.post()
            part = next((each for each in form.values() if isinstance(each, web.FileField)), None)
            file.data = part.file.read() if part is not None else b""
        else:
            file.data = await request.read()
        return web.Response(text=f"OK - {len(file.data)}")

    async def _send_file(self, request: web.Request) -> web.Response:
        file = self.space.files.get(request.match_info["file"].partition("-")[2])
        if request.headers.get("Authorization") != f"Bearer {self.bot_token}":
            return web.Response(status=401, text="A token with files:read is needed.")
        if "files:read" not in self.space.manifest.scopes:
            return web.Response(status=403, text="missing_scope")
        if file is None or file.data is None:
            return web.Response(status=404, text="not_found")
        return web.Response(body=file.data, content_type=file.mimetype)

    async def _receive_hook(self, request: web.Request) -> web.Response:
        path = request.match_info
        try:
            body = await request.json()
        except ValueError:
            return web.Response(status=400, text="invalid_payload")
        answer: dict[str, Any] = {"ok": True}
        status = 200
        try:
            if not isinstance(body, dict):
                raise ApiError("invalid_payload")
            use_hook(self.space, path["hook"], path["secret"], body)
        except ApiError as error:
            answer = {"ok": False, "error": error.code} | error.fields
            status = 404 if error.code in ("no_service", "used_url", "expired_url", "message_not_found") else 400
        self.journal.note("hook", path["kind"], body=body, answer=answer)
        return web.json_response(answer, status=status)
