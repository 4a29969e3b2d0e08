"""The addresses that alerts come to: `/alerts/<source>` for each declared source, `/stripe/webhook` for Stripe.

Every answer is JSON. 202: kept, and the sender may forget it. 400: understood and not what this source sends; to send
it again changes nothing. 401: not signed as the source signs. 404, 405, 413: no such source, not a POST, too large.
503: not kept, to be sent again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import structlog
from aiohttp import web

from bot.authoring.catalogue import Catalogue
from bot.clock import Clock
from bot.domain.alert import Kind, Source
from bot.domain.system import SecretRef
from bot.errors import Unavailable
from bot.incidents.receiving import Receiver
from bot.intake.fields import Malformed, parsed
from bot.intake.products import PRODUCTS
from bot.intake.signing import signed, stripe_signed, values
from bot.telemetry import ALERTS

log = structlog.get_logger(__name__)

MAX_BODY = 1024 * 1024
RETRY_AFTER = "5"
NOT_SIGNED = "Not signed as this source signs."


class Door:
    """Lets in what its senders have signed. It opens nothing: what it keeps is sorted by a worker."""

    def __init__(self, catalogue: Catalogue, receiver: Receiver, environment: Mapping[str, str], clock: Clock) -> None:
        self._catalogue = catalogue
        self._receiver = receiver
        self._environment = environment
        self._clock = clock

    def routes(self) -> Sequence[web.RouteDef]:
        """The addresses, for the server they are put on."""
        return [web.route("*", "/alerts/{source}", self.alerts), web.route("*", "/stripe/webhook", self.stripe)]

    async def alerts(self, request: web.Request) -> web.Response:
        """What one of the declared sources delivers."""
        found = self._source(request.match_info["source"])
        if found is None:
            return _answer(404, "There is no such source.")
        system, source = found
        body = await _body(request)
        if isinstance(body, web.Response):
            return _counted(source.name, body)
        if not signed(source, request.headers, body, self._environment, self._clock.now()):
            if not values((*source.tokens, *source.secrets), self._environment):
                log.warning("no secret of an alert source is set", source=source.name)
            return _counted(source.name, _answer(401, NOT_SIGNED))
        return _counted(source.name, await self._take(source.name, source.kind, system, body))

    async def stripe(self, request: web.Request) -> web.Response:
        """An event of Stripe, of the system with whose secret it is signed."""
        endpoints = {id: each.intake.stripe for id, each in self._catalogue.operations.items() if each.intake.stripe}
        if not endpoints:
            return _answer(404, "No system takes Stripe's events.")
        body = await _body(request)
        if isinstance(body, web.Response):
            return _counted(Kind.STRIPE, body)
        header, now = request.headers.get("Stripe-Signature", ""), self._clock.now()
        fits = [id for id, refs in endpoints.items() if stripe_signed(body, header, self._values(refs), now)]
        if not fits:
            return _counted(Kind.STRIPE, _answer(401, NOT_SIGNED))
        return _counted(Kind.STRIPE, await self._take(f"{Kind.STRIPE}:{fits[0]}", Kind.STRIPE, fits[0], body))

    def _values(self, refs: Sequence[SecretRef]) -> list[str]:
        return values(refs, self._environment)

    def _source(self, name: str) -> tuple[str, Source] | None:
        for system, each in self._catalogue.operations.items():
            if name in each.intake.sources:
                return system, each.intake.sources[name]
        return None

    async def _take(self, source: str, kind: Kind, system: str, body: bytes) -> web.Response:
        try:
            delivery = PRODUCTS[kind](parsed(body), self._clock.now())
        except Malformed as error:
            log.warning("malformed alert", source=source, error=str(error))
            return _answer(400, str(error))
        event = delivery.event
        if kind is Kind.SENTRY:
            # Its request's id is not signed, and its body is: the same body is the same delivery.
            event = hashlib.sha256(body).hexdigest()
        try:
            taken = await self._receiver.take(source, system, delivery.alerts, event)
        except Unavailable as error:
            return _answer(503, str(error))
        kept = len(delivery.alerts) if taken else 0
        return web.json_response({"ok": True, "taken": kept, "repeated": not taken}, status=202)


async def _body(request: web.Request) -> bytes | web.Response:
    if request.method != "POST":
        return _answer(405, "Alerts are sent with POST.", {"Allow": "POST"})
    too_large = _answer(413, f"The body is larger than {MAX_BODY:,} bytes; send it in parts.")
    if (request.content_length or 0) > MAX_BODY:
        return too_large
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        return too_large
    except web.HTTPException:
        raise
    except Exception as error:  # a body that is not encoded as its headers say ends in errors of several libraries
        log.warning("unreadable alert", error=type(error).__name__)
        answer = _answer(400, "The body cannot be read.")
        answer.force_close()  # what is left of the body would be taken for the next request
        return answer


def _answer(status: int, error: str, headers: Mapping[str, str] | None = None) -> web.Response:
    given = dict(headers or {}) | ({"Retry-After": RETRY_AFTER} if status == 503 else {})
    return web.json_response({"ok": False, "error": error}, status=status, headers=given)


def _counted(source: str, response: web.Response) -> web.Response:
    ALERTS.labels(source, str(response.status)).inc()
    return response
