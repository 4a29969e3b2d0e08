"""A sample system's other services on loopback: health, status pages, functions and received webhooks."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
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
class Asked:
    """One request to an answer that was given by `LocalServices.answer`."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    json: Any


@dataclass(frozen=True)
class Reply:
    """What a request is answered with; `then` is called first, and what it returns, if anything, is the answer's JSON,
    or the whole reply. With `token`, whoever does not send the services' bearer token is refused."""

    status: int = 200
    json: Any = None
    text: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    then: Callable[[Asked], Awaitable[Any]] | None = None
    token: bool = False


@dataclass(frozen=True)
class Hook:
    """A webhook that somebody sent us: the last part of its address, its headers in lower case, and its raw body."""

    name: str
    headers: dict[str, str]
    body: bytes


async def _nothing_known(_business_id: str, _apply: bool) -> Json | None:
    return None


class LocalServices:
    """One HTTP server for everything of a sample system that is neither its database nor Stripe.

    `/health`; `/status/{provider}/api/v2/status.json` as Statuspage does; `/functions/v1/check-subscription` with the
    bearer token `token`, answered by `check(business_id, apply)`, where GET only looks and POST also applies;
    `/hooks/{name}`, which keeps what it gets in `hooks`. `switches` makes a path fail or slow, `statuses` sets a page.
    Everything else is what `answer` made of it; `asked` keeps those requests.
    """

    def __init__(self, *, port: int = 0, token: str = "", check: Check = _nothing_known) -> None:
        self.token = token or secrets.token_urlsafe(18)
        self.check = check
        self.switches: dict[str, Switch] = {}
        self.statuses: dict[str, str] = dict.fromkeys(PROVIDERS, OPERATIONAL)
        self.hooks: list[Hook] = []
        self.asked: list[Asked] = []
        self._replies: dict[tuple[str, str], Reply] = {}
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
        app.router.add_route("*", "/{path:.*}", self._replied)
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

    def answer(self, method: str, path: str, reply: Reply) -> None:
        """From now on a request like this gets this reply. In `path`, {any} stands for one part of it."""
        self._replies.pop((method, path), None)
        self._replies[method, path] = reply

    async def _replied(self, request: web.Request) -> web.Response:
        reply = next(
            (
                reply
                for (method, path), reply in reversed(self._replies.items())
                if method == request.method and re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", path), request.path)
            ),
            None,
        )
        asked = Asked(request.method, request.path, dict(request.query), dict(request.headers), await _json_of(request))
        self.asked.append(asked)
        if reply is None:
            return web.json_response({"error": "not found"}, status=404)
        if reply.token and not self._trusted(request):
            return web.json_response({"error": "unauthorized"}, status=401)
        said = await reply.then(asked) if reply.then is not None else None
        if isinstance(said, Reply):
            reply, said = said, None
        if reply.text is not None:
            return web.Response(text=reply.text, status=reply.status, headers=reply.headers)
        return web.json_response(reply.json if said is None else said, status=reply.status, headers=reply.headers)

    def _trusted(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        return secrets.compare_digest(given.encode(), f"Bearer {self.token}".encode())

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
        if not self._trusted(request):
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
    except (ValueError, ConnectionError):  # whoever asked may be gone by now
        return {}
    return given if isinstance(given, dict) else {}
