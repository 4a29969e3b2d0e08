"""The `http` kind: a request to a named service; status, latency and body are facts, and a change is gated."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import Annotated, Any, ClassVar
from urllib.parse import quote, urljoin, urlsplit

import aiohttp
from aiohttp.client_middlewares import ClientHandlerType, ClientMiddlewareType
from pydantic import ConfigDict, Field, model_validator

from bot.domain.change import EffectKey, Preview, Receipt
from bot.domain.facts import Fact, FactStatus, bounded, to_json
from bot.domain.runbook import Effect, Section
from bot.domain.system import System
from bot.errors import BotError, Mistake
from bot.steps.base import EXPRESSION, TEMPLATE, Complaint, Done, Failed, InDoubt, Look, Outcome, Spec, StepContext
from bot.steps.durations import Span, span
from bot.steps.redaction import MASK
from bot.steps.targets import ReachedService

METHODS = ("get", "head", "post", "put", "patch", "delete")
SAFE_METHODS = frozenset({"get", "head"})
BODY_BYTES = 256 * 1024
MOST_HOPS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
SHOWN_HEADERS = (
    *("content-type", "content-length", "retry-after", "location", "x-request-id", "date", "server"),
    *("cache-control", "age", "via", "x-cache", "cf-cache-status"),
)
OK = range(200, 300)
OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection"})


class HttpSpec(Spec):
    """One of get, head, post, put, patch, delete with the path on the `service`; `{name}` in the path is filled from
    `params`, encoded, and `query`, `json` and `form` are encoded for their place. `json` is texts; `values` are fields
    of it that are lists, numbers or records. `expect_status` (default any 2xx) decides whether the look succeeded."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    get: Annotated[str | None, TEMPLATE] = None
    head: Annotated[str | None, TEMPLATE] = None
    post: Annotated[str | None, TEMPLATE] = None
    put: Annotated[str | None, TEMPLATE] = None
    patch: Annotated[str | None, TEMPLATE] = None
    delete: Annotated[str | None, TEMPLATE] = None
    service: str | None = None
    params: Annotated[dict[str, Any], EXPRESSION] = Field(default_factory=dict)
    query: Annotated[dict[str, Any], TEMPLATE] = Field(default_factory=dict)
    body: Annotated[Any, TEMPLATE] = Field(default=None, alias="json")
    values: Annotated[dict[str, Any], EXPRESSION] = Field(default_factory=dict)
    form: Annotated[dict[str, Any], TEMPLATE] = Field(default_factory=dict)
    headers: Annotated[dict[str, str], TEMPLATE] = Field(default_factory=dict)
    expect_status: int | list[int] | None = None
    timeout: Span | None = None

    @model_validator(mode="after")
    def _one_method(self) -> HttpSpec:
        """Exactly one method."""
        if len([name for name in METHODS if getattr(self, name) is not None]) != 1:
            raise ValueError(f"say exactly one of {', '.join(METHODS)}")
        return self

    @property
    def method(self) -> str:
        """The method in lower case."""
        return next(name for name in METHODS if getattr(self, name) is not None)

    @property
    def path(self) -> str:
        """The path on the service."""
        return str(getattr(self, self.method))


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    form: Mapping[str, str]
    timeout: float


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool
    seconds: float


class Http:
    """Speaks only to services that the system names, and never follows a redirect to another host."""

    name: ClassVar[str] = "http"
    spec: ClassVar[type[Spec]] = HttpSpec
    shorthand: ClassVar[str] = "get"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.CHECKS, Section.ACTIONS})
    repeatable: ClassVar[bool] = False

    def effect(self, spec: HttpSpec, section: Section) -> Effect:
        """GET and HEAD look; everything else changes, except a declared probe in a check."""
        return Effect.READ if section is Section.CHECKS or spec.method in SAFE_METHODS else Effect.WRITE

    def lint(self, spec: HttpSpec, section: Section, system: System) -> Iterable[Complaint]:
        """A known service, a path and not an address, and no change in a check."""
        known = ", ".join(sorted(system.services)) or "none: add one to the system's file"
        if spec.service is None and len(system.services) != 1:
            yield Complaint("Say which service.", "service", f"Known: {known}.")
        elif spec.service is not None and spec.service not in system.services:
            yield Complaint(f"There is no service «{spec.service}».", "service", f"Known: {known}.")
        methods = [name for name in METHODS if getattr(spec, name, None) is not None]
        if len(methods) != 1:
            return
        if not spec.path.startswith("/") and not spec.path.startswith("{{"):
            yield Complaint("A path begins with /; the service knows its address.", spec.method)
        if "?" in spec.path or "#" in spec.path:
            yield Complaint("A path has no ? and no #.", spec.method, "Write what follows the ? under `query`.")
        if spec.body is not None and spec.form:
            yield Complaint("Say either `json` or `form`.", "form")
        if spec.values and (spec.form or not isinstance(spec.body or {}, Mapping)):
            yield Complaint("`values` are fields of a `json` record.", "values")
        if section is Section.CHECKS and spec.method not in SAFE_METHODS:
            service = system.services.get(spec.service or next(iter(system.services), ""))
            if service is None or spec.method != "post" or spec.path not in service.safe_posts:
                hint = "Put it under actions, or list the path in the service's safe_posts if it changes nothing."
                yield Complaint(f"A check does not {spec.method.upper()}.", spec.method, hint)

    async def look(self, spec: HttpSpec, context: StepContext) -> Look:
        """status, ok_status, latency_ms, json, text, headers as a fact; failed, with all of them, on a wrong status."""
        started = perf_counter()
        try:
            service = context.targets.service(context.system, spec.service)
            if spec.method not in SAFE_METHODS and not (spec.method == "post" and spec.path in service.safe_posts):
                raise Mistake(f"A check does not {spec.method.upper()}.")
            response = await _send(_request(spec, service, context), context)
        except BotError as refused:
            return _failed(context.targets.redact(refused.sentence), started)
        except (aiohttp.ClientError, TimeoutError, OSError) as trouble:
            return _failed(_said(trouble, spec, context), started)
        return _fact(response, spec, context)

    async def preview(self, spec: HttpSpec, context: StepContext) -> Preview:
        """The exact request, secrets masked; what the service does with it cannot be rehearsed."""
        request = _request(spec, context.targets.service(context.system, spec.service), context)
        mask = context.targets.redact
        payload = {
            "method": request.method.upper(),
            "url": mask(request.url),
            "query": _masked(request.query, mask),
            "headers": {name: MASK if _secret(name) else mask(value) for name, value in request.headers.items()},
            "json": _masked(request.body, mask),
            "form": _masked(request.form, mask),
        }
        shown = urlsplit(payload["url"]).path
        return Preview(
            headline=f"{payload['method']} {shown} on {spec.service or 'the service'}",
            payload={name: value for name, value in payload.items() if value not in (None, {})},
            warnings=("The service decides what this does; it could not be rehearsed.",),
            exact=False,
            undo="cannot be undone by the bot",
        )

    async def act(self, spec: HttpSpec, approved: Preview, key: EffectKey, context: StepContext) -> Outcome:
        """Send it once. No answer after it was sent is in doubt; it is never sent again."""
        try:
            request = _request(spec, context.targets.service(context.system, spec.service), context, key)
            response = await _send(request, context)
        except BotError as refused:
            return Failed(context.targets.redact(refused.sentence))
        except aiohttp.ClientConnectorError as trouble:
            return Failed(f"{_said(trouble, spec, context)} Nothing was sent.")
        except (aiohttp.ClientError, TimeoutError, OSError) as trouble:
            return InDoubt(f"{_said(trouble, spec, context)} The request may have taken effect.")
        detail = {name: value for name, value in _value(response, context).items() if name != "headers"}
        if _expected(response.status, spec):
            return Done(Receipt(f"{request.method.upper()} answered {response.status}", detail=detail))
        if response.status >= 500:
            return InDoubt(f"The service answered {response.status}: the request may have taken effect in part.")
        return Failed(f"The service refused the request with status {response.status}.")

    async def settle(self, spec: HttpSpec, key: EffectKey, context: StepContext) -> Outcome:
        """Only the service knows."""
        return InDoubt("The bot was interrupted while it sent this request: look whether it took effect.")

    def inverse(self, spec: HttpSpec, receipt: Receipt) -> Mapping[str, Any] | None:
        """The bot does not know what a request did, so it can't take it back."""
        return None


def _request(spec: HttpSpec, service: ReachedService, context: StepContext, key: EffectKey | None = None) -> _Request:
    """The request, encoded for its places. Raises Mistake for a path that leads to another host."""
    path = quote(spec.path, safe="/{}:@!$&'()*+,;=-._~")
    for name, value in spec.params.items():
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    url = f"{service.base}/{path.lstrip('/')}" if path.strip("/") else service.base
    if urlsplit(url)[:2] != urlsplit(service.base)[:2] or ".." in urlsplit(url).path.split("/"):
        raise Mistake("The path leads away from the service.")
    headers = {**spec.headers, **service.headers}
    for name, value in headers.items():
        if name.lower() in OWN_HEADERS or any(mark in f"{name}{value}" for mark in "\r\n\x00"):
            raise Mistake(f"The header {name!r} cannot be sent.")
    if key is not None and spec.method not in SAFE_METHODS:
        headers.setdefault("Idempotency-Key", str(key))
    limit = context.timeout if spec.timeout is None else min(span(spec.timeout), context.timeout)
    body = {**(spec.body or {}), **spec.values} if spec.values else spec.body
    body = to_json(body) if isinstance(body, Mapping | list) else body
    query = {name: str(value) for name, value in spec.query.items() if value is not None}
    form = {name: str(value) for name, value in spec.form.items()}
    return _Request(spec.method, url, headers, query, body, form, limit.total_seconds())


async def _send(request: _Request, context: StepContext) -> _Response:
    """One request; a read follows redirects on the same host; the body is cut at `BODY_BYTES`."""
    started = perf_counter()
    url, query = request.url, dict(request.query)
    async with asyncio.timeout(request.timeout):
        for _ in range(MOST_HOPS + 1):
            async with context.targets.session.request(
                request.method,
                url,
                params=query,
                headers=request.headers,
                json=request.body,
                data=request.form or None,
                allow_redirects=False,
                middlewares=() if request.method in SAFE_METHODS else (_once(),),
            ) as response:
                following = _following(request, url, response)
                if following is None:
                    body = await _body(response)
                    seconds = perf_counter() - started
                    return _Response(
                        response.status, response.headers, body[:BODY_BYTES], len(body) > BODY_BYTES, seconds
                    )
                url, query = following, {}
    raise Mistake("The service redirects in circles.")


def _once() -> ClientMiddlewareType:
    """aiohttp sends a PUT or a DELETE again by itself when the line breaks; a change is sent once, whatever happens."""
    sent = False

    async def guard(request: aiohttp.ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
        nonlocal sent
        if sent:
            raise aiohttp.ClientError("the line broke")
        sent = True
        return await handler(request)

    return guard


def _following(request: _Request, url: str, response: aiohttp.ClientResponse) -> str | None:
    """Where a redirect leads, if it may be followed."""
    location = response.headers.get("Location", "")
    if response.status not in REDIRECTS or not location or request.method not in SAFE_METHODS:
        return None
    following = urljoin(url, location)
    return following if urlsplit(following)[:2] == urlsplit(url)[:2] else None


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """At most one byte more than is kept."""
    pieces, size = [], 0
    async for piece in response.content.iter_chunked(16 * 1024):
        pieces.append(piece)
        size += len(piece)
        if size > BODY_BYTES:
            break
    return b"".join(pieces)[: BODY_BYTES + 1]


def _expected(status: int, spec: HttpSpec) -> bool:
    if spec.expect_status is None:
        return status in OK
    return status in (spec.expect_status if isinstance(spec.expect_status, list) else [spec.expect_status])


def _fact(response: _Response, spec: HttpSpec, context: StepContext) -> Fact:
    value = {**_value(response, context), "ok_status": _expected(response.status, spec)}
    duration = timedelta(seconds=response.seconds)
    if value["ok_status"]:
        return Fact(FactStatus.DONE, value, summary=f"{response.status}", duration=duration)
    error = f"The service answered with status {response.status}."
    if response.status in REDIRECTS:
        error = f"The service redirects elsewhere (status {response.status}), which is not followed."
    return Fact(FactStatus.FAILED, value, summary=f"{response.status}", error=error, duration=duration)


def _value(response: _Response, context: StepContext) -> dict[str, Any]:
    text = context.targets.redact(response.body.decode("utf-8", "replace"))
    headers = {name: context.targets.redact(value) for name, value in response.headers.items()}
    return {
        "status": response.status,
        "latency_ms": round(response.seconds * 1000, 1),
        "json": None if response.cut else bounded(_parsed(text)),
        "text": bounded(text),
        "headers": {name.lower(): value for name, value in headers.items() if name.lower() in SHOWN_HEADERS},
    }


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _failed(error: str, started: float) -> Fact:
    return Fact(FactStatus.FAILED, error=error, duration=timedelta(seconds=perf_counter() - started))


def _said(trouble: BaseException, spec: HttpSpec, context: StepContext) -> str:
    """One sentence; the address stays out, for it may be private."""
    name = f"The service {spec.service}" if spec.service else "The service"
    match trouble:
        case TimeoutError():
            limit = context.timeout if spec.timeout is None else min(span(spec.timeout), context.timeout)
            return f"{name} did not answer within {limit.total_seconds():g} s."
        case aiohttp.ClientConnectorDNSError():
            return f"{name} has an address that cannot be resolved."
        case aiohttp.ClientSSLError():
            return f"{name} has a certificate that is not accepted."
        case aiohttp.ClientConnectorError():
            return f"{name} cannot be reached: connection refused."
        case aiohttp.InvalidURL():
            return f"{name} has an address that cannot be used."
        case _:
            return f"The connection to {name[0].lower()}{name[1:]} broke."


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {name: _masked(item, mask) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, mask) for item in value]
    return value


def _secret(header: str) -> bool:
    """Whether a header usually carries a secret, wherever its value came from."""
    name = header.lower()
    return any(word in name for word in ("authorization", "cookie", "token", "api-key", "apikey", "secret"))
