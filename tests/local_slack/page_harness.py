"""Serves the page with canned content over the person API's routes, and remembers what the page sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from playwright.async_api import Page

from bot.sandbox.slack import page
from bot.sandbox.slack.render import render_home, render_message, render_view
from tests.local_slack import page_content as content

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class CannedNames:
    """Names of the sample workspace."""

    def __init__(self, me: str) -> None:
        self.me = me

    def user(self, id: str) -> str | None:
        """A person's name."""
        return next((user["real_name"] for user in content.STATE["users"] if user["id"] == id), None)

    def channel(self, id: str) -> str | None:
        """A channel's name."""
        return next((channel["name"] for channel in content.STATE["channels"] if channel["id"] == id), None)

    def usergroup(self, id: str) -> str | None:
        """The one user group."""
        return "billing" if id == "S0BILLING" else None


async def show(page: Page, slack: CannedSlack, more: str = "&channel=C0INC", user: str = content.ANA) -> None:
    """Open the page and wait until it listens for changes."""
    await page.goto(f"{slack.origin}/?user={user}{more}")
    await page.wait_for_selector("body[data-ready]")


class CannedSlack:
    """The server half of the page, with just enough behaviour for a browser test."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = json.loads(json.dumps(content.STATE))
        self.messages: dict[str, list[dict[str, Any]]] = {
            channel["id"]: list(content.CHANNEL_MESSAGES) if channel["id"] == "C0INC" else []
            for channel in self.state["channels"]
        }
        self.view: dict[str, Any] | None = None
        self.view_errors: dict[str, str] = {}
        self.refusals: dict[str, str] = {}
        self.hold: asyncio.Event | None = None
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.arrived = asyncio.Event()
        self.feeds: set[asyncio.Queue[dict[str, Any] | None]] = set()
        self.origin = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> CannedSlack:
        app = web.Application()
        app.router.add_get("/", self._index)
        app.router.add_get("/_local/static/{name}", self._static)
        app.router.add_get("/_local/events", self._events)
        app.router.add_get("/_local/file/{id}", self._file)
        app.router.add_get("/_local/{what}", self._read)
        app.router.add_post("/_local/{what}", self._write)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.origin = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.drop()
        if self._runner is not None:
            await self._runner.cleanup()

    def tell(self, **event: Any) -> None:
        """Send an event to every open page."""
        for feed in self.feeds:
            feed.put_nowait(event)

    def drop(self) -> None:
        """Cut every open stream."""
        for feed in self.feeds:
            feed.put_nowait(None)

    async def receives(self, what: str) -> dict[str, Any]:
        """The last body posted to a route, once there is one."""
        async with asyncio.timeout(5):
            while not (found := [body for name, body in self.sent if name == what]):
                self.arrived.clear()
                await self.arrived.wait()
        return found[-1]

    async def _index(self, request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": page.CONTENT_SECURITY_POLICY}
        text = page.index_html("Northwind Ops", content.ANA)
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def _static(self, request: web.Request) -> web.Response:
        found = page.static_file(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        return web.Response(body=found[0], content_type=found[1], headers={"Cache-Control": "no-store"})

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=content.PIXEL, content_type="image/png")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        feed: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.feeds.add(feed)
        await stream.write(b": open\n\n")
        while (event := await feed.get()) is not None:
            await stream.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        self.feeds.discard(feed)
        return stream

    async def _read(self, request: web.Request) -> web.Response:
        user, query = request.query.get("user", ""), request.query
        match request.match_info["what"]:
            case "state":
                return web.json_response({**self.state, "me": user})
            case "channel" if query["channel"] in self.messages:
                return web.json_response(self._channel(query["channel"], user))
            case "thread":
                return web.json_response({"ok": True, "messages": [self._shown(each, user) for each in content.THREAD]})
            case "view":
                return web.json_response({"ok": True, "view": self._view(user)})
            case "home":
                return web.json_response({"ok": True, "html": self._home(user)})
            case _:
                return web.json_response({"ok": False, "error": "There is nothing of that name."}, status=400)

    async def _write(self, request: web.Request) -> web.Response:
        what, body = request.match_info["what"], await request.json()
        self.sent.append((what, body))
        self.arrived.set()
        if self.hold is not None:
            await self.hold.wait()
        if what in self.refusals:
            return web.json_response({"ok": False, "error": self.refusals[what]}, status=400)
        answer: dict[str, Any] = {"ok": True}
        match what:
            case "home":
                answer["html"] = self._home(body["user"])
            case "message":
                self.post(body["channel"], body["user"], body["text"])
            case "submit" if self.view_errors:
                answer["errors"] = self.view_errors
            case "submit" | "close":
                self.view = None
        return web.json_response(answer)

    def post(self, channel: str, user: str, text: str, **more: Any) -> str:
        """Store a message and tell the pages; returns its `ts`."""
        stored = content.message(300 + len(self.messages[channel]), user, text, **more)
        self.messages[channel].append(stored)
        self.tell(type="message", channel=channel, ts=stored["ts"])
        return str(stored["ts"])

    def _home(self, user: str) -> str:
        return render_home({"id": "VH", "blocks": content.HOME}, CannedNames(user))

    def _view(self, user: str) -> dict[str, Any] | None:
        if self.view is None:
            return None
        html = render_view(self.view, CannedNames(user), self.view_errors)
        words: dict[str, Any] = {
            key: self.view[key]["text"] for key in ("title", "submit", "close") if key in self.view
        }
        return {"id": self.view["id"], "html": html, "depth": 1, "hash": "1", "errors": self.view_errors, **words}

    def _channel(self, identity: str, user: str) -> dict[str, Any]:
        line = next(channel for channel in self.state["channels"] if channel["id"] == identity)
        pins = [message["ts"] for message in self.messages[identity] if message.get("pinned")]
        bookmarks = [{"title": "Dashboard", "link": "https://grafana.example.com"}] if identity == "C0INC" else []
        head = {"members": [content.ANA, content.BEN, content.CHLOE, content.BOT], "pins": pins, "bookmarks": bookmarks}
        shown = [self._shown(message, user) for message in self.messages[identity]]
        return {"ok": True, "channel": {**line, "purpose": "", **head}, "messages": shown}

    def _shown(self, message: dict[str, Any], user: str) -> dict[str, Any]:
        author = next(each for each in self.state["users"] if each["id"] == message["user"])
        replies = message.get("replies", 0)
        return {
            "ts": message["ts"],
            "user": message["user"],
            "bot": "B0BOT" if author["is_bot"] else None,
            "name": author["real_name"],
            "color": author["color"],
            "time": datetime.fromtimestamp(float(message["ts"]), UTC).strftime("%H:%M"),
            "html": render_message(message, CannedNames(user)),
            "thread": {"count": replies, "last_ts": content.THREAD[-1]["ts"]} if replies else None,
            "ephemeral": message.get("ephemeral", False),
            "edited": message.get("edited", False),
            "reactions": message.get("reactions", []),
            "pinned": message.get("pinned", False),
            "files": message.get("files", []),
        }
