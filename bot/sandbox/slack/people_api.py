"""The person's side over HTTP under `/_local/`: JSON, server-sent events, faults, the journal; used by the page."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.slack import screen
from bot.sandbox.slack.acting import People
from bot.sandbox.slack.errors import PersonError
from bot.sandbox.slack.faults import Faults, parse_fault
from bot.sandbox.slack.journal import Journal
from bot.sandbox.slack.records import Channel, Json
from bot.sandbox.slack.sockets import SocketHub
from bot.sandbox.slack.state import Workspace

Act = Callable[[str, Json], Awaitable[Json]]
# How long the first look at an app's Home tab waits for the app to publish it.
FIRST_LOOK_SECONDS = 1.0
_CONTAINER = ("channel", "ts", "view_id")


@dataclass(frozen=True)
class PeopleApi:
    """Every `/_local/` route."""

    space: Workspace
    people: People
    faults: Faults
    journal: Journal
    hub: SocketHub

    def routes(self) -> list[web.RouteDef]:
        """The routes to mount."""
        asked = {
            "state": self.state,
            "channel": self.channel,
            "thread": self.thread,
            "view": self.view,
            "home": self.read_home,
            "options": self.options,
        }
        done = {
            "message": self.message,
            "command": self.command,
            "click": self.click,
            "submit": self.submit,
            "close": self.close,
            "home": self.home,
            "shortcut": self.shortcut,
            "react": self.react,
            "join": self.join,
        }
        return [
            *[web.get(f"/_local/{name}", self._reading(act)) for name, act in asked.items()],
            *[web.post(f"/_local/{name}", self._doing(name, act)) for name, act in done.items()],
            web.post("/_local/upload", self.upload),
            web.post("/_local/fault", self.fault),
            web.get("/_local/journal", self.read_journal),
            web.get("/_local/events", self.events),
            web.get("/_local/file/{id}", self.file),
        ]

    def _reading(self, act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            return await self._answer(act, dict(request.query))

        return answer

    def _doing(self, name: str, act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            try:
                body = await request.json()
            except ValueError:
                return refuse("The request must be JSON.")
            if not isinstance(body, dict):
                return refuse("The request must be a JSON object.")
            self.journal.note("person", name, body=body)
            return await self._answer(act, body)

        return answer

    async def _answer(self, act: Act, body: Json) -> web.Response:
        try:
            user = self.people.user(str(body.get("user", "")))
            return web.json_response({"ok": True} | await act(user, body))
        except PersonError as error:
            return refuse(str(error))

    def _channel(self, user: str, body: Json) -> Channel:
        return self.people.channel(user, str(body.get("channel", "")))

    async def state(self, user: str, body: Json) -> Json:
        """GET state."""
        return screen.state_json(self.space, user)

    async def channel(self, user: str, body: Json) -> Json:
        """GET channel."""
        return screen.channel_json(self.space, user, self._channel(user, body))

    async def thread(self, user: str, body: Json) -> Json:
        """GET thread."""
        return screen.thread_json(self.space, user, self._channel(user, body), str(body.get("ts", "")))

    async def view(self, user: str, body: Json) -> Json:
        """GET view."""
        return {"view": screen.view_line(self.space, user)}

    async def read_home(self, user: str, body: Json) -> Json:
        """GET home."""
        return {"html": screen.home_html(self.space, user)}

    async def message(self, user: str, body: Json) -> Json:
        """POST message."""
        channel, text = str(body.get("channel", "")), str(body.get("text", ""))
        return {"ts": await self.people.say(user, channel, text, body.get("thread_ts") or None)}

    async def command(self, user: str, body: Json) -> Json:
        """POST command."""
        await self.people.command(user, str(body.get("channel", "")), str(body.get("text", "")))
        return {}

    async def click(self, user: str, body: Json) -> Json:
        """POST click; `values` may bring the other inputs of a view along."""
        container = body.get("container")
        if not isinstance(container, dict):
            raise PersonError("A click needs a container.")
        await self.people.click(user, container, body.get("block_id"), str(body.get("action_id", "")), body)
        return {}

    async def submit(self, user: str, body: Json) -> Json:
        """POST submit."""
        values = body.get("values") or {}
        errors = await self.people.submit(user, str(body.get("view_id", "")), values)
        return {"errors": errors} if errors else {}

    async def close(self, user: str, body: Json) -> Json:
        """POST close."""
        await self.people.close(user, str(body.get("view_id", "")), clear=bool(body.get("clear")))
        return {}

    async def home(self, user: str, body: Json) -> Json:
        """POST home: what is published, waiting a moment for the first time somebody looks."""
        await self.people.home(user)
        if "app_home_opened" in self.space.manifest.events:
            with contextlib.suppress(TimeoutError):
                await self.space.changes.wait_for(lambda: self.space.homes.get(user), FIRST_LOOK_SECONDS)
        return {"html": screen.home_html(self.space, user)}

    async def shortcut(self, user: str, body: Json) -> Json:
        """POST shortcut."""
        await self.people.shortcut(user, str(body.get("callback_id", "")), body.get("channel"), body.get("ts"))
        return {}

    async def react(self, user: str, body: Json) -> Json:
        """POST react."""
        self.people.react(user, str(body.get("channel", "")), str(body.get("ts", "")), str(body.get("name", "")))
        return {}

    async def join(self, user: str, body: Json) -> Json:
        """POST join."""
        self.people.join(user, str(body.get("channel", "")))
        return {}

    async def options(self, user: str, body: Json) -> Json:
        """GET options: the container's fields, block_id, action_id and what was typed as `value`."""
        container: Json = {key: body[key] for key in _CONTAINER if key in body}
        container["type"] = "view" if "view_id" in body else "message"
        typed = str(body.get("value") or body.get("query") or "")
        found = await self.people.options(user, container, body.get("block_id"), str(body.get("action_id", "")), typed)
        return {"options": found}

    async def upload(self, request: web.Request) -> web.Response:
        """POST upload, multipart."""
        form = await request.post()
        part = form.get("file")
        if not isinstance(part, web.FileField):
            return refuse("The upload has no file.")
        data = part.file.read()

        async def share(user: str, body: Json) -> Json:
            return {"ts": self.people.upload(user, str(body.get("channel", "")), part.filename, data, body["text"])}

        text = str(form.get("text") or "")
        return await self._answer(share, {"user": form.get("user"), "channel": form.get("channel"), "text": text})

    async def fault(self, request: web.Request) -> web.Response:
        """POST fault; a drop without a method cuts the sockets at once."""
        try:
            fault = parse_fault(await request.json())
        except ValueError:
            return refuse("The request must be JSON.")
        except PersonError as error:
            return refuse(str(error))
        if fault.kind == "drop" and fault.method is None:
            return web.json_response({"ok": True, "dropped": self.hub.drop()})
        self.faults.plan(fault)
        return web.json_response({"ok": True})

    async def read_journal(self, request: web.Request) -> web.Response:
        """GET journal."""
        since = request.query.get("since", "0")
        if not since.isdecimal():
            return refuse("since must be a number.")
        return web.json_response([entry.as_json() for entry in self.journal.since(int(since))])

    async def file(self, request: web.Request) -> web.Response:
        """GET file: the bytes, for the page."""
        file = self.space.files.get(request.match_info["id"])
        if file is None or file.data is None:
            raise web.HTTPNotFound
        headers = {"Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=file.data, content_type=file.mimetype, headers=headers)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """GET events: one server-sent event per change this user's page should know of."""
        try:
            user = self.people.user(request.query.get("user", ""))
        except PersonError as error:
            return refuse(str(error))
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await stream.prepare(request)
        with self.space.changes.feed(user) as feed, contextlib.suppress(ConnectionError):
            await stream.write(b": open\n\n")
            # What changed between the page's first look and now would never be told.
            for kind in ("presence", "view", "home"):
                feed.queue.put_nowait({"type": kind})
            while (event := await feed.queue.get()) is not None:
                await stream.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        return stream


def refuse(sentence: Any) -> web.Response:
    """The person API's refusal."""
    return web.json_response({"ok": False, "error": str(sentence)}, status=400)
