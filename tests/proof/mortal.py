"""Workers that die, or stand still, at a chosen await point: a program with everything imported and no loop forks one
for each order.

Usage: python -m tests.proof.mortal RUNBOOKS; an order (JSON) a line on standard input, an ending a line on the output.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

from bot.authoring.catalogue import Catalogue
from bot.authoring.loader import catalogue_at
from bot.main import running
from bot.settings import read_settings
from bot.telemetry import set_up
from tests.proof.points import Points

MOST = 64 * 1024  # what a pipe takes without anybody reading
STOPPED = "stopped"


def serve(runbooks: Path) -> None:
    """Fork a worker for each order, one after the other, and tell how it ended."""
    set_up("CRITICAL")
    catalogue = catalogue_at(runbooks)
    _say({"ready": os.getpid()})
    for line in sys.stdin:
        order = json.loads(line)
        if order.pop("here", False):  # by this process itself: what is then warm is warm in every child
            asyncio.run(_advance(order, catalogue, Points(_pass_by)))
            gc.collect()
            gc.disable()
            gc.freeze()
            _say({"code": 0})
            continue
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _live(order, catalogue, writing)
        os.close(writing)
        _, status = os.waitpid(pid, os.WUNTRACED)
        last = json.loads(os.read(reading, MOST) or b"{}")
        if os.WIFSTOPPED(status):
            _say({**last, "code": STOPPED})
            sys.stdin.readline()  # any line wakes it
            os.kill(pid, signal.SIGCONT)
            _, status = os.waitpid(pid, 0)
        os.close(reading)
        _say({**last, "code": os.waitstatus_to_exitcode(status)})


def _pass_by(_number: int, _moment: str, _place: str) -> None:
    """Nothing happens at this point."""


def _say(ending: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(ending) + "\n")
    sys.stdout.flush()


def _live(order: dict[str, Any], catalogue: Catalogue, report: int) -> NoReturn:
    """The child: advance the run, and die on the way where the order says so."""
    places: list[str] = []

    def reached(number: int, moment: str, place: str) -> None:
        if moment == "before":
            places.append(place)
        if (number, moment) == (order.get("point"), order.get("moment")):
            os.write(report, json.dumps({"place": place}).encode())
            os.kill(os.getpid(), signal.SIGSTOP if order.get("stop") else signal.SIGKILL)

    try:
        asyncio.run(_advance(order, catalogue, Points(reached)))
        os.write(report, json.dumps({"places": places}).encode())
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


async def _advance(order: dict[str, Any], catalogue: Catalogue, points: Points) -> None:
    """A worker as production wires it, and one run; the counting begins when the worker does."""
    environment: dict[str, str] = order["environment"]
    settings = read_settings({name.lower(): value for name, value in environment.items()})
    async with running(settings, environment, listen=False, announce=False, work=False, catalogue=catalogue) as bot:
        points.install(asyncio.get_running_loop())
        await asyncio.create_task(bot.worker.advance(order["run"]))
        asyncio.get_running_loop().set_task_factory(None)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
