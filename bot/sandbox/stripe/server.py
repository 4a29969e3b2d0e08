"""The local Stripe: a server on loopback that answers the official SDK as Stripe does; run by the sandbox and tests."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import assert_never
from urllib.parse import parse_qsl

from aiohttp import web

from bot.clock import Clock, SystemClock
from bot.sandbox.stripe import billing, customers, events, payments
from bot.sandbox.stripe.faults import Fault, FaultKind, Faults, error_for
from bot.sandbox.stripe.idempotency import Answer, IdempotencyKeys
from bot.sandbox.stripe.objects import API_VERSION, Objects
from bot.sandbox.stripe.pages import invoice_page, invoice_pdf
from bot.sandbox.stripe.routing import Call, Route
from bot.sandbox.stripe.wire import Json, StripeError, decode, expanded, refuse_unknown, snapshot

ROUTES: tuple[Route, ...] = (*customers.ROUTES, *billing.ROUTES, *payments.ROUTES, *events.ROUTES)
OK = 200
LONGEST_SILENCE_SECONDS = 600.0


@dataclass(frozen=True)
class Received:
    """One line of the journal: what was asked and answered. `status` None: the answer never left."""

    method: str
    path: str
    params: Json
    idempotency_key: str | None
    status: int | None
    replayed: bool
    at: int


class LocalStripe:
    """One Stripe account in memory. Point the SDK at `url` with `key`, or with `read_only_key`, which may only read.

    `objects` seeds it, `faults` breaks it, `webhooks` delivers, `journal` remembers every call.
    """

    def __init__(self, *, port: int = 0, clock: Clock | None = None, key: str = "", read_only_key: str = "") -> None:
        self.key = key or f"sk_test_{secrets.token_hex(12)}"
        self.read_only_key = read_only_key or f"rk_test_{secrets.token_hex(12)}"
        self.objects = Objects(clock or SystemClock())
        self.webhooks = events.Webhooks(self.objects)
        self.faults = Faults()
        self.journal: list[Received] = []
        self._idempotency = IdempotencyKeys()
        self._port = port
        self._runner: web.AppRunner | None = None
        self._closing = asyncio.Event()

    @property
    def url(self) -> str:
        """The base address, without a trailing slash; known once started."""
        return self.objects.base_url

    async def start(self) -> LocalStripe:
        """Listen on 127.0.0.1, on the given port or any free one."""
        app = web.Application()
        app.router.add_get("/i/{id}", self._invoice_page)
        app.router.add_get("/i/{id}/pdf", self._invoice_pdf)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._closing.clear()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.objects.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def stop(self) -> None:
        """End silent answers and deliveries, and stop listening; what is stored stays."""
        self._closing.set()
        await self.webhooks.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> LocalStripe:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        text = request.query_string if request.method != "POST" else await request.text()
        fault = self.faults.take(request.method, request.path)
        params: Json = {}
        replayed = False
        try:
            self._authorise(request)
            params = decode(parse_qsl(text, keep_blank_values=True))
            if fault is not None:
                await self._trouble_before(fault, request)
            answer, replayed = await self._once(request, key, params, fault.seconds if fault else 0.0)
        except StripeError as error:
            answer = Answer(error.status, error.body)
        except ConnectionAbortedError:
            self._note(request, params, key, None, replayed=False)
            return web.Response()
        if fault is not None and await self._trouble_after(fault, request):
            self._note(request, params, key, None, replayed=replayed)
            return web.Response()
        self._note(request, params, key, answer.status, replayed=replayed)
        return self._response(answer, key, replayed=replayed)

    def _note(self, request: web.Request, params: Json, key: str | None, status: int | None, *, replayed: bool) -> None:
        now = self.objects.now()
        self.journal.append(Received(request.method, request.path, params, key, status, replayed, now))

    def _authorise(self, request: web.Request) -> None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not given:
            raise StripeError(401, "You did not provide an API key; it is given as a bearer token.")
        if secrets.compare_digest(given.encode(), self.key.encode()):
            return
        if not secrets.compare_digest(given.encode(), self.read_only_key.encode()):
            shown = f"{given[:8]}{'*' * 8}{given[-4:]}"
            raise StripeError(401, f"Invalid API Key provided: {shown}", code="api_key_invalid")
        if request.method != "GET":
            message = "The provided key does not have the required permissions for this endpoint: it may only read."
            raise StripeError(403, message, code="more_permissions_required")

    async def _once(self, request: web.Request, key: str | None, params: Json, seconds: float) -> tuple[Answer, bool]:
        """Do the work, or replay what the same key was answered before; (answer, replayed)."""
        route, wanted = _route(request)
        if key is None:
            await self._silence(seconds)
            return self._work(route, wanted, params), False
        told = json.dumps([request.method, request.path, params], sort_keys=True)
        first = self._idempotency.begin(key, hashlib.sha256(told.encode()).hexdigest(), self.objects.now())
        if first is not None:
            return first, True
        try:
            await self._silence(seconds)
            answer = self._work(route, wanted, params)
        except StripeError as error:
            if error.before_work:
                self._idempotency.forget(key)
                raise
            answer = Answer(error.status, error.body)
        self._idempotency.finish(key, answer)
        return answer, False

    def _work(self, route: Route, wanted: str, params: Json) -> Answer:
        refuse_unknown(params, route.known)
        body = route.work(Call(params, wanted, self.objects, self.webhooks.emit))
        return Answer(OK, snapshot(expanded(body, params, self.objects.find)))

    async def _trouble_before(self, fault: Fault, request: web.Request) -> None:
        match fault.kind:
            case FaultKind.STATUS:
                raise error_for(fault.status)
            case FaultKind.SILENT_BEFORE:
                await self._silence(LONGEST_SILENCE_SECONDS)
                raise ConnectionAbortedError
            case FaultKind.DROP_BEFORE:
                _drop(request)
                raise ConnectionAbortedError
            case FaultKind.SLOW | FaultKind.SILENT_AFTER | FaultKind.DROP_AFTER:
                return
            case _:
                assert_never(fault.kind)

    async def _trouble_after(self, fault: Fault, request: web.Request) -> bool:
        """Whether the answer is withheld, the work being done."""
        if fault.kind is FaultKind.SILENT_AFTER:
            await self._silence(LONGEST_SILENCE_SECONDS)
            return True
        if fault.kind is FaultKind.DROP_AFTER:
            _drop(request)
            return True
        return False

    async def _silence(self, seconds: float) -> None:
        """Wait that long, or until the server is to stop."""
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return

    def _response(self, answer: Answer, key: str | None, *, replayed: bool) -> web.Response:
        headers = {"Request-Id": self.objects.new_id("req"), "Stripe-Version": API_VERSION}
        if key is not None:
            headers["Idempotency-Key"] = key
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        return web.json_response(answer.body, status=answer.status, headers=headers)

    async def _invoice_page(self, request: web.Request) -> web.Response:
        return web.Response(text=invoice_page(self._shown(request)), content_type="text/html")

    async def _invoice_pdf(self, request: web.Request) -> web.Response:
        return web.Response(body=invoice_pdf(self._shown(request)), content_type="application/pdf")

    def _shown(self, request: web.Request) -> Json:
        row = self.objects.find(request.match_info["id"])
        if row is None or row["object"] != "invoice" or row["hosted_invoice_url"] is None:
            raise web.HTTPNotFound
        return row


def _route(request: web.Request) -> tuple[Route, str]:
    for route in ROUTES:
        wanted = route.match(request.method, request.path)
        if wanted is not None:
            return route, wanted
    message = f"Unrecognized request URL ({request.method}: {request.path}). Please see https://stripe.com/docs."
    raise StripeError(404, message)


def _drop(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
