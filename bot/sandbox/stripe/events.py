"""The local Stripe's events and webhook endpoints, with signed deliveries that can be made to fail."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.sandbox.stripe.objects import Objects
from bot.sandbox.stripe.routing import Call, Route, family
from bot.sandbox.stripe.wire import PAGING, Json, boolean, created_within, missing_param, page, snapshot

DELIVERY_SECONDS = 10.0
SUCCESS = range(200, 300)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Delivery:
    """One attempt to deliver an event; without an answer from the endpoint `status` is None and `error` says why."""

    event_id: str
    endpoint_id: str
    url: str
    status: int | None
    error: str
    at: int

    @property
    def succeeded(self) -> bool:
        """Stripe counts every 2xx answer as delivered."""
        return self.status in SUCCESS


class Webhooks:
    """Makes events and delivers each once, in the background, to the endpoints that want it; nothing is retried.

    `lose(n)` lets the next n deliveries get lost, as a network does. What was not delivered stays in the event's
    `pending_webhooks` and is found by `delivery_success=false`; `deliver` tries one event again with a fresh signature.
    Nothing leaves loopback: `detours` says which local address stands for the beginning of a real one.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._to_lose = 0
        self.deliveries: list[Delivery] = []
        self.detours: dict[str, str] = {}

    def lose(self, times: int) -> None:
        """Let the next `times` deliveries fail without reaching their endpoint."""
        self._to_lose = times

    def emit(self, kind: str, about: Json, before: Mapping[str, Any]) -> None:
        """Record an event and start its deliveries; needs a running event loop."""
        event = self._objects.event(kind, about)
        if before:
            event["data"]["previous_attributes"] = snapshot(dict(before))
        endpoints = [row["id"] for row in self._objects.of("webhook_endpoint") if _wants(row, kind)]
        event["pending_webhooks"] = len(endpoints)
        for endpoint in endpoints:
            task = asyncio.create_task(self._deliver_and_record(event, endpoint))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until every delivery under way has ended."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def deliver(self, event_id: str, endpoint_id: str | None = None) -> list[Delivery]:
        """Deliver an event again, to one endpoint or to all that want its type, and return the attempts."""
        event = self._objects.get(event_id)
        wanting = [row["id"] for row in self._objects.of("webhook_endpoint") if _wants(row, event["type"])]
        before = len(self.deliveries)
        for endpoint in wanting if endpoint_id is None else [endpoint_id]:
            await self._deliver_and_record(event, endpoint)
        return self.deliveries[before:]

    async def close(self) -> None:
        """End what is under way and close the connections."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _deliver_and_record(self, event: Json, endpoint_id: str) -> None:
        url = self._objects.get(endpoint_id)["url"]
        status, error = await self._post(url, event, self._objects.webhook_secrets[endpoint_id])
        done = Delivery(event["id"], endpoint_id, url, status, error, self._objects.now())
        self.deliveries.append(done)
        if done.succeeded:
            event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)

    async def _post(self, url: str, event: Json, secret: str) -> tuple[int | None, str]:
        if self._to_lose > 0:
            self._to_lose -= 1
            return None, "the delivery was lost"
        known = next((real for real in self.detours if url.startswith(real)), None)
        url = url if known is None else self.detours[known] + url.removeprefix(known)
        if urlsplit(url).hostname not in LOOPBACK:
            return None, "nobody listens there"
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DELIVERY_SECONDS))
        payload = json.dumps(event, indent=2)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        headers["Stripe-Signature"] = signature(payload, secret, self._objects.now())
        try:
            async with self._session.post(url, data=payload.encode(), headers=headers) as answer:
                await answer.read()
                return answer.status, ""
        except (aiohttp.ClientError, TimeoutError) as trouble:
            return None, f"{type(trouble).__name__}: {trouble}"


def signature(payload: str, secret: str, at: int) -> str:
    """The Stripe-Signature header: https://docs.stripe.com/webhooks#verify-manually."""
    signed = hmac.new(secret.encode(), f"{at}.{payload}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def _wants(endpoint: Json, kind: str) -> bool:
    return endpoint["status"] == "enabled" and ("*" in endpoint["enabled_events"] or kind in endpoint["enabled_events"])


def list_events(call: Call) -> Json:
    """GET /v1/events: by type (a trailing * matches the rest), types[], created and delivery_success."""
    rows = [row for row in call.objects.of("event") if created_within(call.params, int(row["created"]))]
    types = call.params.get("types", [])
    if "type" in call.params:
        types = [call.params["type"]]
    if types:
        rows = [row for row in rows if any(_is_type(row["type"], wanted) for wanted in types)]
    delivered = boolean(call.params, "delivery_success")
    if delivered is not None:
        rows = [row for row in rows if (row["pending_webhooks"] == 0) == delivered]
    return page(rows, call.params, url="/v1/events", noun="event")


def _is_type(kind: str, wanted: str) -> bool:
    return kind.startswith(wanted[:-1]) if wanted.endswith("*") else kind == wanted


def create_endpoint(call: Call) -> Json:
    """POST /v1/webhook_endpoints: the only answer that shows the signing secret."""
    for name in ("url", "enabled_events"):
        if name not in call.params:
            raise missing_param(name)
    row = call.objects.webhook_endpoint(call.params["url"], list(call.params["enabled_events"]))
    return row | {"secret": call.objects.webhook_secrets[row["id"]]}


def update_endpoint(call: Call) -> Json:
    """POST /v1/webhook_endpoints/{id}: its address, its events, and whether it is on."""
    row = call.needed("webhook_endpoint", "webhook endpoint")
    row.update({name: call.params[name] for name in ("url", "enabled_events", "description") if name in call.params})
    disabled = boolean(call.params, "disabled")
    if disabled is not None:
        row["status"] = "disabled" if disabled else "enabled"
    return row


def delete_endpoint(call: Call) -> Json:
    """DELETE /v1/webhook_endpoints/{id}."""
    row = call.needed("webhook_endpoint", "webhook endpoint")
    call.objects.remove(row)
    return call.objects.get(row["id"])


ENDPOINT_KNOWN = frozenset(("url", "enabled_events", "description", "metadata", "api_version"))
ROUTES = (
    Route("GET", "/v1/events", list_events, PAGING | {"type", "types", "created", "delivery_success"}),
    family("event", "events", "event", {})[1],
    *family("webhook_endpoint", "webhook_endpoints", "webhook endpoint", {}),
    Route("POST", "/v1/webhook_endpoints", create_endpoint, ENDPOINT_KNOWN),
    Route("POST", "/v1/webhook_endpoints/{id}", update_endpoint, ENDPOINT_KNOWN | {"disabled"}),
    Route("DELETE", "/v1/webhook_endpoints/{id}", delete_endpoint),
)
