"""`runbook …` in a process of its own, as a shell starts it: what it prints as it goes, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

PATIENCE = 60.0
START = "from bot.cli import main; main()"


@dataclass
class Ended:
    """How a command ended: its exit code and all that it printed."""

    code: int
    out: str
    err: str


@dataclass
class Command:
    """A command that is running."""

    process: asyncio.subprocess.Process
    out: list[str] = field(default_factory=list)

    async def says(self, words: str) -> str:
        """The next line on either stream with these words; raises AssertionError with everything said instead."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while line := (await self.process.stdout.readline()).decode():
                self.out.append(line)
                if words in line:
                    return line
        raise AssertionError(f"«{words}» was not said but:\n{''.join(self.out)}")

    async def stopped(self, number: signal.Signals = signal.SIGINT) -> Ended:
        """Send the signal and wait for the end."""
        self.process.send_signal(number)
        return await self.ended()

    async def ended(self) -> Ended:
        """Wait for the end."""
        async with asyncio.timeout(PATIENCE):
            rest, err = await self.process.communicate()
        assert self.process.returncode is not None
        return Ended(self.process.returncode, "".join(self.out) + rest.decode(), (err or b"").decode())


async def started(*words: str, env: Mapping[str, str] | None = None) -> Command:
    """Start `runbook` with these words; both its streams are read as one."""
    return Command(await _process(words, env, asyncio.subprocess.STDOUT))


async def answered(*words: str, typed: str, env: Mapping[str, str] | None = None) -> Ended:
    """Run `runbook` with these words to its end, typing this when it asks."""
    process = await _process(words, env, asyncio.subprocess.PIPE, asyncio.subprocess.PIPE)
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate(f"{typed}\n".encode())
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def runbook(*words: str, env: Mapping[str, str] | None = None) -> Ended:
    """Run `runbook` with these words to its end."""
    return await Command(await _process(words, env, asyncio.subprocess.PIPE)).ended()


async def _process(
    words: tuple[str, ...], env: Mapping[str, str] | None, err: int, stdin: int = asyncio.subprocess.DEVNULL
) -> asyncio.subprocess.Process:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        START,
        *words,
        env={**kept, **(env or {})},
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=err,
    )
