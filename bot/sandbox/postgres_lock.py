"""One process at a time on a data directory: a lock file that dies with its holder, and the end of orphaned servers."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from bot.sandbox.postgres_account import PostgresUnavailable

ORPHAN_SECONDS = 20.0


class Lock:
    """An advisory lock on a file next to the data directory; the kernel lets go of it when the holder dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def take(self) -> None:
        """Take it or raise PostgresUnavailable naming the process that has it. The file is removed on release."""
        while self._fd is None:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as busy:
                holder = os.read(fd, 32).decode("ascii", "replace").strip() or "unknown"
                os.close(fd)
                raise PostgresUnavailable(
                    f"Another process (pid {holder}) already runs the PostgreSQL in {self._path.parent}.",
                    hint="Stop it, or choose another data directory.",
                ) from busy
            if self._still_the_file(fd):
                os.ftruncate(fd, 0)
                os.write(fd, str(os.getpid()).encode("ascii"))
                self._fd = fd
            else:
                os.close(fd)

    def _still_the_file(self, fd: int) -> bool:
        """A holder may have removed the file between our open and our lock: then what we locked protects nothing."""
        try:
            return os.stat(self._path).st_ino == os.fstat(fd).st_ino
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Remove the file and let go; harmless when it was not taken."""
        if self._fd is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = None


def end_orphan(data: Path) -> None:
    """With the lock held, end a server whose owner was killed: macOS has no parent-death signal, Linux needs a moment.

    Raises PostgresUnavailable when it does not go.
    """
    pidfile = data / "postmaster.pid"
    pid = _pid_in(pidfile)
    if pid is None:
        return
    if not _is_server_of(pid, data):
        pidfile.unlink(missing_ok=True)  # a reused pid would make the new server refuse to start
        return
    _signal(pid, signal.SIGINT)
    deadline = time.monotonic() + ORPHAN_SECONDS
    while _is_server_of(pid, data):
        if time.monotonic() > deadline:
            raise PostgresUnavailable(
                f"A PostgreSQL left over in {data} (pid {pid}) does not stop.", hint=f"Stop it with: kill {pid}"
            )
        time.sleep(0.05)


def _pid_in(pidfile: Path) -> int | None:
    try:
        first = pidfile.read_text(encoding="utf-8", errors="replace").split("\n", 1)[0].strip()
    except OSError:
        return None
    return int(first) if first.isdecimal() else None


def _is_server_of(pid: int, data: Path) -> bool:
    """Whether that pid is alive and is a server of exactly this data directory, by its command line."""
    words = _command_of(pid)
    return "postgres" in words and f" -D {data} " in f"{words} "


def _command_of(pid: int) -> str:
    """The process's command line, empty when it is gone; on Linux from /proc, since small images lack `ps`."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            return ""
    asked = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, errors="replace", check=False).stdout


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
