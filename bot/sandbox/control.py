"""How another process reaches a running sandbox, to break its systems and to heal them: loopback, with a token."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.errors import Mistake, Unavailable
from bot.sandbox.sample import Planted
from bot.sandbox.systems import SYSTEMS
from bot.sandbox.world import World

FILE = "control.json"


class Control:
    """Listens while the block lasts. Whoever can read `control.json` in the sandbox's folder may use it."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self._file = folder / FILE
        self._token = secrets.token_urlsafe(24)
        self._planted: list[Planted] = []
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Control:
        app = web.Application()
        app.router.add_post("/plant", self._plant)
        app.router.add_post("/heal", self._heal)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._say_where(f"http://127.0.0.1:{self._runner.addresses[0][1]}")
        return self

    def _say_where(self, url: str) -> None:
        with open(self._file, "w", opener=_for_the_owner, encoding="utf-8") as file:
            json.dump({"url": url, "token": self._token}, file)

    async def __aexit__(self, *_: object) -> None:
        self._file.unlink(missing_ok=True)
        await self._end_sessions()
        if self._runner is not None:
            await self._runner.cleanup()

    async def plant(self, system: str, fault: str) -> Planted:
        """Break something; what it holds open is ended with the sandbox or when the system is healed."""
        planted = await self._world.plant(system, fault)
        self._planted.append(planted)
        return planted

    async def _plant(self, request: web.Request) -> web.Response:
        asked = await self._asked(request)
        try:
            planted = await self.plant(asked["system"], asked["fault"])
        except Mistake as error:
            return web.json_response({"error": f"{error} {error.hint}".strip()}, status=422)
        return web.json_response({"ids": dict(planted.ids)})

    async def _heal(self, request: web.Request) -> web.Response:
        asked = await self._asked(request)
        await self._end_sessions()
        await SYSTEMS[asked["system"]].settle(self._world.grounds[asked["system"]])
        return web.json_response({"ids": {}})

    async def _asked(self, request: web.Request) -> dict[str, str]:
        given = request.headers.get("Authorization", "")
        if not secrets.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            raise web.HTTPUnauthorized
        asked: Any = await request.json()
        if not isinstance(asked, dict) or asked.get("system") not in self._world.grounds:
            raise web.HTTPUnprocessableEntity
        return {"system": str(asked["system"]), "fault": str(asked.get("fault", ""))}

    async def _end_sessions(self) -> None:
        while self._planted:
            await self._planted.pop().close()


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


async def tell(folder: Path, what: str, system: str, fault: str = "") -> dict[str, str]:
    """Ask the sandbox that runs in a folder to `plant` or to `heal`; what was planted, by name. Raises `Mistake` for a
    fault it does not know, `Unavailable` when no sandbox runs there."""
    try:
        known = json.loads((folder / FILE).read_text(encoding="utf-8"))
        headers = {"Authorization": f"Bearer {known['token']}"}
        async with (
            aiohttp.ClientSession(trust_env=False) as session,
            session.post(f"{known['url']}/{what}", json={"system": system, "fault": fault}, headers=headers) as answer,
        ):
            said: Any = {}
            with contextlib.suppress(ValueError, aiohttp.ContentTypeError):
                said = await answer.json()
            if answer.status != web.HTTPOk.status_code:
                raise Mistake(str(said.get("error") or f"The sandbox refused this with status {answer.status}."))
            return {str(name): str(value) for name, value in said["ids"].items()}
    except (OSError, ValueError, aiohttp.ClientError) as trouble:
        raise Unavailable("No sandbox is running here.", hint="Start one with: runbook sandbox") from trouble
