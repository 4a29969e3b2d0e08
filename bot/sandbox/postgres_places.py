"""Where a server lives: for good, or for as long as somebody needs it."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

from bot.sandbox.postgres_account import Account, PostgresUnavailable
from bot.sandbox.postgres_lock import Lock, end_orphan

MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3
TEMPORARY = "runbook-postgres-"
# A server that is only just being made has not taken its lock yet.
YOUNG_SECONDS = 60.0


def default_home() -> Path:
    """Where a server lives when nobody says; as root, a place the unprivileged account reaches, never root's home."""
    if os.geteuid() == 0:
        base = Path("/var/lib") if os.access("/var/lib", os.W_OK) else Path("/var/tmp")
        return base / "runbook-sandbox" / "postgres"
    data_home = os.environ.get("XDG_DATA_HOME")
    return (Path(data_home) if data_home else Path.home() / ".local" / "share") / "runbook-sandbox" / "postgres"


def copies_home() -> Path:
    """Where the binaries are copied for an account that cannot reach the installed ones."""
    return default_home().parent / "binaries"


def temporary_home(*, in_memory: bool) -> Path:
    """A new directory for a server that is soon gone; those that killed processes left behind are removed.

    In memory where there is room: on disk, many short-lived databases cost a third of the processor, since ext4
    searches past every file deleted lately. Else, as root, in /var/tmp, which any account reaches.
    """
    place = MEMORY if in_memory and _roomy(MEMORY) else None
    if place is None:
        place = Path("/var/tmp") if os.geteuid() == 0 else Path(tempfile.gettempdir())
    _sweep(place)
    return Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=place))


def _roomy(place: Path) -> bool:
    try:
        there = os.statvfs(place)
    except OSError:
        return False
    return there.f_bavail * there.f_frsize >= ROOM and os.access(place, os.W_OK | os.X_OK)


def _sweep(place: Path) -> None:
    ours = {os.geteuid(), Account.choose().uid}
    for home in place.glob(f"{TEMPORARY}*"):
        try:
            found = home.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in ours:
                continue
            if time.time() - found.st_mtime > YOUNG_SECONDS:
                _remove(home)
        except (PostgresUnavailable, OSError):
            continue


def _remove(home: Path) -> None:
    """Remove a server's directory. Raises PostgresUnavailable when somebody uses it."""
    lock = Lock(home / "lock")
    lock.take()
    end_orphan(home / "data")
    shutil.rmtree(home, ignore_errors=True)
    lock.release()
