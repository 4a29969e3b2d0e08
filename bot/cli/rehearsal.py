"""`runbook drill` as a command: which drills, in how many processes, and what is printed while they are played."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from bot.cli.console import err, out
from bot.cli.drill import playing
from bot.cli.drills import Drill, Played, Report, drills_of, never_drilled, played_from, shared, undrilled
from bot.cli.proving import keep, ready
from bot.clock import SystemClock
from bot.domain.proof import Proof


@dataclass(frozen=True, slots=True)
class Wanted:
    """The words of the command: ids, or all of them; one branch; a share of what these mean."""

    ids: tuple[str, ...]
    every: bool = False
    branch: str = ""
    share: str = ""

    def drills(self) -> list[Drill]:
        """The drills that are meant. Raises `Mistake`."""
        found = drills_of(self.ids, every=self.every, branch=self.branch)
        return shared(found, self.share) if self.share else found

    def words(self) -> list[str]:
        """The same as arguments of the command."""
        branch = ["--branch", self.branch] if self.branch else []
        return [*self.ids, *(["--all"] if self.every else []), *branch]


async def rehearse(wanted: Wanted, processes: int, *, quiet: bool) -> Report:
    """Play them, each told as it ends. With several processes each has a PostgreSQL of its own."""
    drills = wanted.drills()
    apart = min(processes or os.cpu_count() or 1, len(drills))
    going = playing(drills) if apart == 1 else playing_apart(wanted.words(), apart)
    ended = []
    async for one in going:
        ended.append(one)
        if not quiet:
            out.print(one.text(), markup=False)
    order = {(each.runbook, each.branch): place for place, each in enumerate(drills)}
    missing = len(drills) - len(ended)
    if missing:
        err.print(f"{missing} drills were not played to their end.", markup=False)
    whole = not wanted.branch and not wanted.share and not missing
    left_out = undrilled(ended, drills) if whole else ()
    left_out += never_drilled() if whole and wanted.every else ()
    played = tuple(sorted(ended, key=lambda one: order[one.runbook, one.branch]))
    branches = Counter(each.runbook for each in drills_of([each.runbook for each in drills]))
    return Report(played, len(drills), branches, SystemClock().now(), left_out)


async def recorded(wanted: Wanted, processes: int, *, quiet: bool) -> tuple[Report, Sequence[Proof]]:
    """Play them, and record what they prove."""
    await ready()
    report = await rehearse(wanted, processes, quiet=quiet)
    return report, await keep(report.proofs())


async def playing_apart(arguments: Sequence[str], processes: int) -> AsyncIterator[Played]:
    """Play the drills that these words of `runbook drill` mean in so many processes; each as it ends."""
    ended: asyncio.Queue[Played | None] = asyncio.Queue()

    async def share(number: int) -> None:
        words = (*arguments, "--share", f"{number}/{processes}", "--lines")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "drill", *words, stdout=asyncio.subprocess.PIPE, limit=1 << 24
        )
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                await ended.put(played_from(json.loads(line)))
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                await process.wait()
            await ended.put(None)

    sharing = [asyncio.create_task(share(number)) for number in range(1, processes + 1)]
    try:
        going = processes
        while going:
            one = await ended.get()
            if one is None:
                going -= 1
            else:
                yield one
    finally:
        for task in sharing:
            task.cancel()
        await asyncio.gather(*sharing, return_exceptions=True)


async def in_lines(wanted: Wanted) -> None:
    """Play them and print a line of JSON for each, for the process that asked."""
    async for one in playing(wanted.drills()):
        print(json.dumps(one.data()), flush=True)
