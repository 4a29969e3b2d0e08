"""Counting await points: every suspension of every task of an event loop, and something deadly at a chosen one."""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from typing import Any

BOT = str(Path(__file__).resolve().parents[2] / "bot")
BEFORE, AFTER = "before", "after"
"""Just before control is handed to the loop: what was asked is on its way. Just after it came back: nothing was done
with the answer, and what comes next has not been asked."""

Reached = Callable[[int, str, str], None]


class Points:
    """Counts suspensions and tells `reached` the number, the moment (`BEFORE`, `AFTER`) and the place in the bot."""

    def __init__(self, reached: Reached) -> None:
        self.count = 0
        self._reached = reached

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on every task of this loop is counted, those that libraries make too."""

        def factory(
            running: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any] | Generator[Any, None, Any], **more: Any
        ) -> asyncio.Task[Any]:
            assert asyncio.iscoroutine(work)
            return asyncio.Task(self.driven(work), loop=running, **more)

        loop.set_task_factory(factory)

    async def driven(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The coroutine, with every one of its suspensions counted."""
        return await _Driven(work, self)

    def suspended(self, work: Coroutine[Any, Any, Any]) -> tuple[int, str]:
        """One more await point: its number and its place."""
        self.count += 1
        place = place_of(work)
        self._reached(self.count, BEFORE, place)
        return self.count, place

    def resumed(self, number: int, place: str) -> None:
        """Control came back to that point."""
        self._reached(number, AFTER, place)


class _Driven:
    """Forwards what a coroutine waits for, so that the loop sees the same futures and we see each of them go by."""

    def __init__(self, work: Coroutine[Any, Any, Any], points: Points) -> None:
        self._work = work
        self._points = points

    def __await__(self) -> Generator[Any, Any, Any]:
        trouble: BaseException | None = None
        while True:
            try:
                waited = self._work.send(None) if trouble is None else self._work.throw(trouble)
            except StopIteration as stop:
                return stop.value
            trouble = None
            number, place = self._points.suspended(self._work)
            try:
                yield waited
            except BaseException as thrown:  # a cancellation: it belongs to the coroutine
                trouble = thrown
            self._points.resumed(number, place)


def place_of(work: Any) -> str:
    """Where in the bot a suspended coroutine stands: the innermost of our own lines, or the library's name."""
    ours, outermost = "", ""
    while work is not None:
        frame = getattr(work, "cr_frame", None) or getattr(work, "ag_frame", None) or getattr(work, "gi_frame", None)
        if frame is not None:
            name = frame.f_code.co_filename
            outermost = outermost or f"{Path(name).stem}.{frame.f_code.co_name}"
            if name.startswith(BOT):
                ours = f"bot{name.removeprefix(BOT)}:{frame.f_lineno} {frame.f_code.co_name}"
        work = _inside(work)
    return ours or f"({outermost})"


def _inside(work: Any) -> Any:
    """What it waits for. An `async with` over a generator stands behind an object that tells nothing by itself."""
    for name in ("cr_await", "ag_await", "gi_yieldfrom"):
        if hasattr(work, name):
            return getattr(work, name)
    return next((each for each in gc.get_referents(work) if inspect.isasyncgen(each)), None)
