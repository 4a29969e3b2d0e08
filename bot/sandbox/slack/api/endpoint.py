"""The HTTP side of the web API: merges arguments, checks token, scope and rate, runs the method, obeys faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.slack.api.method import Args, Call, Method, missing_scope
from bot.sandbox.slack.api.table import METHODS
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.faults import Fault, Faults
from bot.sandbox.slack.journal import Journal
from bot.sandbox.slack.limits import Limits
from bot.sandbox.slack.records import Json
from bot.sandbox.slack.state import Workspace

_SECRET = {"token"}
_NOT_JSON = "upstream connect error or disconnect/reset before headers"


@dataclass(frozen=True)
class Tokens:
    """The two tokens of the installed app."""

    bot: str
    app: str

    def check(self, token: str, method: Method) -> None:
        """Refuse a missing, unknown or wrong kind of token."""
        if method.token == "none":
            return
        if not token:
            raise ApiError("not_authed")
        if token not in (self.bot, self.app):
            raise ApiError("invalid_auth")
        if token != (self.app if method.token == "app" else self.bot):
            raise ApiError("not_allowed_token_type")


@dataclass(frozen=True)
class Endpoint:
    """`/api/{method}`, GET and POST."""

    space: Workspace
    tokens: Tokens
    limits: Limits
    faults: Faults
    journal: Journal
    open_socket: Callable[[], str]

    async def serve(self, request: web.Request) -> web.Response:
        """Answer one call; Slack says 200 even to refusals, except 429."""
        name = request.match_info["method"]
        fault = self.faults.take(name)
        if fault is not None:
            spoilt = await self._spoil(request, name, fault)
            if spoilt is not None:
                return spoilt
        try:
            args = Args(await read_arguments(request))
            answer = self._answer(request, name, args)
        except ApiError as error:
            args = Args({})
            answer = _refusal(name, error)
        self._note(name, args, answer)
        if fault is not None and fault.kind == "drop" and fault.after:
            _cut(request)
        if "retry_after" in answer:
            return _ratelimited(answer.pop("retry_after"))
        headers = {"x-oauth-scopes": ",".join(sorted(self.space.manifest.scopes)), "x-slack-req-id": str(id(request))}
        return web.json_response(answer, headers=headers)

    def _answer(self, request: web.Request, name: str, args: Args) -> Json:
        try:
            return self._run(request, name, args)
        except ApiError as error:
            return _refusal(name, error)

    def _run(self, request: web.Request, name: str, args: Args) -> Json:
        method = METHODS.get(name)
        if method is None:
            raise ApiError("unknown_method", req_method=name)
        token = _token(request, args)
        self.tokens.check(token, method)
        call = Call(self.space, args, self.open_socket)
        if method.scopes and method.token == "bot" and not call.allows(*method.scopes):
            raise missing_scope(self.space, method.scopes)
        subject = self._subject(args.text(method.tier.by)) if method.tier.by else ""
        if seconds := self.limits.wait_seconds(name, method.tier, token, subject):
            return {"ok": False, "error": "ratelimited", "retry_after": seconds}
        return {"ok": True} | method.handle(call)

    def _subject(self, channel: str) -> str:
        """One name for a channel, however the call names it."""
        found = self.space.find_channel(channel)
        return found.id if found is not None else channel

    async def _spoil(self, request: web.Request, name: str, fault: Fault) -> web.Response | None:
        match fault.kind:
            case "latency":
                await asyncio.sleep(fault.seconds)
                return None
            case "drop" if fault.after:
                return None
        self.journal.note("call", name, fault=fault.kind, arguments={}, answer=None)
        match fault.kind:
            case "error":
                return web.json_response({"ok": False, "error": fault.error})
            case "ratelimit":
                return _ratelimited(fault.retry_after)
            case "http":
                return web.Response(status=fault.status, text=_NOT_JSON)
            case _:
                _cut(request)
                return web.Response(status=503)

    def _note(self, name: str, args: Args, answer: Json) -> None:
        shown = {key: value for key, value in args.values.items() if key not in _SECRET}
        self.journal.note("call", name, arguments=shown, answer=dict(answer))


def _refusal(name: str, error: ApiError) -> Json:
    return {"ok": False, "error": error.code} | error.fields


def _ratelimited(seconds: int) -> web.Response:
    answer = {"ok": False, "error": "ratelimited"}
    return web.json_response(answer, status=429, headers={"Retry-After": str(seconds)})


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _token(request: web.Request, args: Args) -> str:
    header = request.headers.get("Authorization", "")
    return header.removeprefix("Bearer ").strip() if header else args.text("token")


async def read_arguments(request: web.Request) -> Mapping[str, Any]:
    """A call's arguments wherever they came from: the async SDK sends many POSTs with everything in the query."""
    merged: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        body = await request.text()
        if body:
            merged |= _json_object(body)
    elif request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        merged |= dict(await request.post())
    return merged


def _json_object(body: str) -> Json:
    try:
        tree = json.loads(body)
    except ValueError as error:
        raise ApiError("invalid_json") from error
    if not isinstance(tree, dict):
        raise ApiError("json_not_object")
    return tree
