"""A program started without a shell, given only what it is meant to have, and surely ended, with everything it started,
at its limit and when nobody waits for it any more. What one that ended by itself leaves running is left alone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

OUTPUT_BYTES = 256 * 1024
SEARCHED = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
POLITE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Program:
    """What is started: an absolute `path`, all of its environment, and the folder it works in."""

    path: str
    environment: Mapping[str, str]
    folder: str = "/"


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended: exit code (negative: the signal that ended it), what it wrote, and whether that was cut."""

    code: int
    out: bytes
    err: bytes
    cut: bool
    seconds: float


async def run(program: Program, arguments: Sequence[str], seconds: float) -> Ended:
    """Start it and wait until it has ended. Raises OSError when it could not be started (then nothing ran), and
    TimeoutError when it took longer: then it was ended, and what it did until then is done."""
    started = perf_counter()
    async with _Head.opened() as out, _Head.opened() as err:
        process = await asyncio.create_subprocess_exec(
            program.path,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out.writing,
            stderr=err.writing,
            env=dict(program.environment),
            cwd=program.folder,
            start_new_session=True,
        )
        out.handed_over()
        err.handed_over()
        try:
            async with asyncio.timeout(seconds):
                code = await process.wait()
        except BaseException:
            await _end(process)
            raise
        # What it started itself may hold its output open for ever.
        await asyncio.wait({out.reading, err.reading}, timeout=POLITE_SECONDS)
    return Ended(code, bytes(out.kept), bytes(err.kept), out.cut or err.cut, perf_counter() - started)


class _Head:
    """The beginning of what is written; the rest is taken as well, so that the program is never held up by us.

    The pipe is our own: with asyncio's, a program has not ended before everything that holds its output has.
    """

    def __init__(self, stream: asyncio.StreamReader, writing: int) -> None:
        self.writing = writing
        self.kept = bytearray()
        self.cut = False
        self.reading = asyncio.ensure_future(self._read(stream))
        self._open = True

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls) -> AsyncIterator[_Head]:
        """A pipe, read until the block is left."""
        source, writing = os.pipe()
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(source, "rb", 0)
        )
        head = cls(stream, writing)
        try:
            yield head
        finally:
            head.handed_over()
            head.reading.cancel()
            await asyncio.gather(head.reading, return_exceptions=True)
            transport.close()

    def handed_over(self) -> None:
        """The program has its end of the pipe; ours is closed, so that the output ends with the program."""
        if self._open:
            self._open = False
            os.close(self.writing)

    async def _read(self, stream: asyncio.StreamReader) -> None:
        while piece := await stream.read(16 * 1024):
            room = OUTPUT_BYTES - len(self.kept)
            self.kept += piece[:room]
            self.cut = self.cut or len(piece) > room


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the program and all it started: they are one session, which is the group of its first process."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    # Killed is not gone: nobody else would ever ask how it ended.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(POLITE_SECONDS):
            await process.wait()
