"""The account the sandbox's PostgreSQL runs as, and how a child is started as it; used by the launcher."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bot.errors import Unavailable

UNPRIVILEGED = ("postgres", "nobody")
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


class PostgresUnavailable(Unavailable):
    """The sandbox's PostgreSQL cannot be started, or not here; nothing was left running."""


@dataclass(frozen=True)
class Account:
    """Who runs the server: our own user, or (`is_other`) an unprivileged one because PostgreSQL refuses root."""

    name: str
    uid: int
    gid: int
    is_other: bool

    @classmethod
    def choose(cls) -> Account:
        """This user, or an existing unprivileged account when this is root. No account is ever made."""
        if os.geteuid() != 0:
            return cls(str(os.geteuid()), os.geteuid(), os.getegid(), is_other=False)
        for name in UNPRIVILEGED:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(name, entry.pw_uid, entry.pw_gid, is_other=True)
        raise PostgresUnavailable(
            f"PostgreSQL refuses to run as root and this machine has none of the accounts {', '.join(UNPRIVILEGED)}.",
            hint="Run as an ordinary user.",
        )

    def own(self, path: Path) -> None:
        """Give `path` to this account (a no-op when the account is our own)."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)

    def can_reach(self, path: Path) -> bool:
        """Whether every directory above `path` lets this account through, by owner, group and others bits."""
        return not self.is_other or all(self._passes(parent) for parent in path.parents)

    def _passes(self, directory: Path) -> bool:
        found = directory.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & 0o100)
        return bool(found.st_mode & (0o010 if found.st_gid == self.gid else 0o001))

    def run(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run to the end as this account and capture what it says; the child dies if we are killed meanwhile."""
        return subprocess.run(
            arguments, capture_output=True, text=True, errors="replace", check=False, **self._as(signal.SIGKILL)
        )

    def spawn(self, arguments: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start as this account, writing to `log`; on Linux it gets SIGINT when the calling *thread* ends."""
        return subprocess.Popen(arguments, stdout=log, stderr=log, start_new_session=True, **self._as(signal.SIGINT))

    def _as(self, at_parent_death: signal.Signals) -> dict[str, Any]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        environment["LC_ALL"] = "C"
        settings: dict[str, Any] = {"stdin": subprocess.DEVNULL, "cwd": "/", "env": environment}
        if self.is_other:
            settings |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        if sys.platform == "linux":
            prctl = ctypes.CDLL(None).prctl
            parent = os.getpid()

            def die_with_parent() -> None:
                prctl(PR_SET_PDEATHSIG, int(at_parent_death))
                if os.getppid() != parent:  # it was killed between fork and prctl
                    os._exit(1)

            settings["preexec_fn"] = die_with_parent
        return settings
