"""The test's side of `mortal`: gives orders and hears how each worker ended."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.cli.sandbox import ROOT
from tests.proof.mortal import STOPPED

PATIENCE = 60.0
LINE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kill:
    """Die at the await point of this number: before control goes to the loop, or after it came back."""

    point: int
    moment: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How a worker ended: killed at `place`, or by itself after the await points `places`."""

    killed: bool
    place: str = ""
    places: tuple[str, ...] = ()


class Mortals:
    """One forking program; its workers live one after the other."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def work(self, environment: Mapping[str, str], run: str, kill: Kill | None = None) -> Ending:
        """A fresh worker advances the run until it is idle or killed."""
        order: dict[str, Any] = {"environment": dict(environment), "run": run}
        return await self._ordered(order if kill is None else {**order, "point": kill.point, "moment": kill.moment})

    async def stopped(self, environment: Mapping[str, str], run: str, kill: Kill) -> str:
        """A fresh worker advances the run until it stands still, as a machine does that is out of memory: where."""
        order = {"environment": dict(environment), "run": run, "point": kill.point, "moment": kill.moment}
        said = await self._heard_after({**order, "stop": True})
        assert said["code"] == STOPPED
        return str(said["place"])

    async def woken(self) -> None:
        """The worker that stood still goes on, knowing nothing of what happened meanwhile, until it ends by itself."""
        assert (await self._heard_after({}))["code"] == 0

    async def warm(self, environment: Mapping[str, str], run: str) -> None:
        """The forking program advances a run itself, once, so that its children find everything loaded."""
        await self._ordered({"environment": dict(environment), "run": run, "here": True})

    async def _ordered(self, order: Mapping[str, Any]) -> Ending:
        said = await self._heard_after(order)
        if said["code"] not in (0, -signal.SIGKILL):
            raise AssertionError(f"A worker ended with {said['code']}; what it said is above.")
        return Ending(said["code"] != 0, said.get("place", ""), tuple(said.get("places", ())))

    async def _heard_after(self, order: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return await self.heard()

    async def heard(self) -> dict[str, Any]:
        """The next line of the program."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        said: dict[str, Any] = json.loads(line or b'{"code": "nothing more"}')
        return said


@asynccontextmanager
async def mortals(runbooks: Path) -> AsyncIterator[Mortals]:
    """A forking program with these runbooks; gone, with what it forked, when the block is left."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.proof.mortal",
        str(runbooks),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE,
    )
    try:
        made = Mortals(process)
        assert "ready" in await made.heard()
        yield made
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.wait(), PATIENCE)
