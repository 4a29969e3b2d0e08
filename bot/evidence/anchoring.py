"""Keeping the head of the audit trail where the database's administrators cannot reach it: by the bot, every hour."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import structlog

from bot.clock import Clock
from bot.errors import BotError, Mistake, Unavailable
from bot.store import audit
from bot.store.audit import Head
from bot.store.leading import leading
from bot.store.session import Store

log = structlog.get_logger(__name__)

_LEADER = 7_204_551_193
EVERY = timedelta(hours=1)
LOOK_EVERY = timedelta(seconds=30)
RETRY_AFTER = timedelta(minutes=5)
# Shorter than what an orderly stop waits for.
_ANSWER_WITHIN = 5.0


async def anchor(store: Store, destination: str, now: datetime) -> Head:
    """Write the head of the trail to a file, or post it to an address. Raises `Unavailable` with a sentence that does
    not say the address, for it may hold a secret."""
    async with store.reading() as connection:
        head = await audit.head(connection)
    line = as_line(head, now)
    if "://" in destination:
        await _post(destination, line)
        return head
    try:
        await asyncio.to_thread(_append, Path(destination), line)
    except OSError as error:
        raise Unavailable(f"The anchor cannot be written to {destination}: {error.strerror or error}.") from error
    return head


def as_line(head: Head, now: datetime) -> str:
    """A head as one line of JSON."""
    at = None if head.at is None else head.at.isoformat()
    return json.dumps({"seq": head.seq, "hash": head.hash, "at": at, "anchored_at": now.isoformat()})


def anchors_in(path: Path) -> list[Head]:
    """The heads that a file holds. Raises `Mistake` when it cannot be read or a line of it is not an anchor."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Mistake(f"{path} cannot be read: {reason}.") from error
    return [_head(line, f"Line {number} of {path}") for number, line in enumerate(lines, 1) if line.strip()]


def _head(line: str, where: str) -> Head:
    try:
        told = json.loads(line)
        seq, digest = told["seq"], told["hash"]
    except (ValueError, KeyError, TypeError) as error:
        raise Mistake(f"{where} is not an anchor.") from error
    if not isinstance(seq, int) or seq < 0 or not isinstance(digest, str):
        raise Mistake(f"{where} is not an anchor.")
    return Head(seq, digest)


def _append(path: Path, line: str) -> None:
    """Append a line and see it onto the disk; half a line is taken back."""
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(fd).st_size
        torn = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
        data = ("\n" if torn else "").encode() + f"{line}\n".encode()
        if os.write(fd, data) != len(data):
            os.ftruncate(fd, size)
            raise OSError("there is no room left")
        os.fsync(fd)
    finally:
        os.close(fd)


async def _post(address: str, line: str) -> None:
    host = urlsplit(address).hostname
    timeout = aiohttp.ClientTimeout(total=_ANSWER_WITHIN)
    headers = {"Content-Type": "application/json"}
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            async with session.post(address, data=line, headers=headers, allow_redirects=False) as answer:
                status = answer.status
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise Unavailable(f"The anchor at {host} does not answer ({type(error).__name__}).") from None
    if not 200 <= status < 300:
        raise Unavailable(f"The anchor at {host} does not take the head: it answers {status}.")


class Anchorer:
    """Anchors until stopped: when it comes to lead, every hour (five minutes after one that failed), and at the end;
    while another replica leads, it stands by. What goes wrong is a warning and never stops the bot."""

    def __init__(
        self,
        store: Store,
        destination: str,
        clock: Clock,
        *,
        every: timedelta = EVERY,
        look_every: timedelta = LOOK_EVERY,
    ) -> None:
        self._store = store
        self._destination = destination
        self._clock = clock
        self._every = every
        self._look_every = look_every
        self._anchored: Head | None = None
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Anchor once more and end."""
        self._stopping.set()

    async def run(self) -> None:
        """Stand by, lead, and start over when the database goes away."""
        while not self._stopping.is_set():
            try:
                async with leading(self._store, _LEADER) as still:
                    if still is not None:
                        await self._lead(still)
            except (BotError, OSError) as error:
                log.warning("audit trail not anchored", error=str(error))
            except Exception:
                log.exception("anchoring broke")
            await self._pause()

    async def _lead(self, still: Callable[[], Awaitable[None]]) -> None:
        due = self._clock.now()
        while not self._stopping.is_set():
            if self._clock.now() >= due:
                due = self._clock.now() + (self._every if await self._anchor() else RETRY_AFTER)
            await still()
            await self._pause()
        async with self._store.reading() as connection:
            newest = await audit.head(connection)
        if newest != self._anchored:
            await self._anchor()

    async def _anchor(self) -> bool:
        try:
            self._anchored = await anchor(self._store, self._destination, self._clock.now())
        except BotError as error:
            log.warning("audit trail not anchored", error=str(error))
            return False
        return True

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), self._look_every.total_seconds())
