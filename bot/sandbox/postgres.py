"""The sandbox's own PostgreSQL, on loopback with passwords, gone when its owner goes; for the sandbox and tests."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import asyncpg

from bot.sandbox.postgres_account import Account, PostgresUnavailable
from bot.sandbox.postgres_binaries import Binaries, find
from bot.sandbox.postgres_lock import Lock, end_orphan
from bot.sandbox.postgres_places import copies_home, default_home, temporary_home

__all__ = ["Postgres", "PostgresUnavailable", "free_port", "quoted"]

HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_STEPS = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
NEW_PORT_TRIES = 3
BUILTIN_LOCALES_SINCE = 17
SETTINGS_AT_INIT_SINCE = 16
READY_LINE = 7  # of postmaster.pid: "ready" once connections are accepted
BASE_OPTIONS = {
    "max_connections": "120",
    "shared_preload_libraries": "pg_stat_statements",
    "track_activities": "on",
    "track_counts": "on",
    "track_io_timing": "on",
    "log_min_duration_statement": "5s",
}
FAST_OPTIONS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "128MB"}


class Postgres:
    """One PostgreSQL server in one directory (`home`), owned by this process.

    `port` None means any free one, new at every start; `options` add to the server's `-c` options. `durable=False`
    gives up crash safety for speed: tests only. What cannot be started raises PostgresUnavailable with one sentence.
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        port: int | None = None,
        durable: bool = True,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.home = (home or default_home()).absolute()
        self.data = self.home / "data"
        self.log = self.home / "server.log"
        self._password_file = self.home / "password"
        self._wanted_port = port
        self._durable = durable
        self._options = BASE_OPTIONS | ({} if durable else FAST_OPTIONS) | dict(options or {})
        self._lock = Lock(self.home / "lock")
        self._keeper: _Keeper | None = None
        self._remove_after = False
        self.port = 0
        self.password = ""

    @classmethod
    def temporary(
        cls, *, durable: bool = False, port: int | None = None, options: Mapping[str, str] | None = None
    ) -> Postgres:
        """A server in a directory of its own that `stop()` removes."""
        server = cls(temporary_home(in_memory=not durable), port=port, durable=durable, options=options)
        server._remove_after = True
        return server

    def __enter__(self) -> Postgres:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return None if self._keeper is None else self._keeper.process.pid

    def start(self) -> None:
        """Start, making the data directory if there is none; returns when it accepts connections, from any thread."""
        if self._keeper is not None:
            return
        account = Account.choose()
        try:
            _claim(self.home, account)
            self._lock.take()
            end_orphan(self.data)
            binaries = find(account, copies_home())
            self._ensure_data(account, binaries)
            self.password = self._password_file.read_text(encoding="ascii")
            self._launch(account, binaries)
        except OSError as trouble:
            self._let_go()
            raise PostgresUnavailable(
                f"PostgreSQL cannot use {trouble.filename or self.home}: {trouble.strerror}.",
                hint="Choose a data directory that can be written.",
            ) from trouble
        except BaseException:
            self._let_go()
            raise
        atexit.register(self._stop_at_exit, os.getpid())

    def stop(self) -> None:
        """End the server's sessions, stop it, and let go of the directory; harmless when it does not run."""
        atexit.unregister(self._stop_at_exit)
        if self._keeper is not None:
            self._keeper.stop()
            self._keeper = None
        self._let_go()

    def _let_go(self) -> None:
        self._lock.release()
        if self._remove_after:
            shutil.rmtree(self.home, ignore_errors=True)

    def _stop_at_exit(self, owner: int) -> None:
        if os.getpid() == owner:  # a forked child inherits the hook, not the server
            self.stop()

    def url(self, database: str = "postgres", user: str = "postgres", password: str | None = None) -> str:
        """A postgresql:// URL; without `password` the superuser's, which fits only the user postgres."""
        secret = self.password if password is None else password
        account = f"{quote(user, safe='')}:{quote(secret, safe='')}"
        return f"postgresql://{account}@{HOST}:{self.port}/{quote(database, safe='')}"

    async def connect(self, database: str = "postgres") -> asyncpg.Connection[asyncpg.Record]:
        """A superuser's connection; the caller closes it."""
        return await asyncpg.connect(self.url(database))

    async def create_database(self, name: str, template: str | None = None, *, owner: str | None = None) -> None:
        """Make a database, empty or as a copy of `template`, which nobody may be connected to."""
        copied = f" TEMPLATE {quoted(template)}" if template is not None else ""
        owned = f" OWNER {quoted(owner)}" if owner is not None else ""
        # Each strategy where it is the quicker one: copied files have to reach the disk when the server is durable.
        strategy = "wal_log" if self._durable else "file_copy"
        await self._run(f"CREATE DATABASE {quoted(name)}{owned}{copied} STRATEGY {strategy}")

    async def drop_database(self, name: str) -> None:
        """Remove a database and end its sessions; harmless when there is none."""
        await self._run(f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")

    async def _run(self, statement: str) -> None:
        connection = await self.connect()
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _ensure_data(self, account: Account, binaries: Binaries) -> None:
        marker = self.data / "PG_VERSION"
        if marker.exists():
            made_by = marker.read_text(encoding="ascii").strip()
            if made_by != str(binaries.major):
                raise PostgresUnavailable(
                    f"{self.data} was made by PostgreSQL {made_by}, and this one is {binaries.major}.",
                    hint="Remove the directory or choose another.",
                )
            return
        if not account.can_reach(self.data):
            raise PostgresUnavailable(
                f"The account {account.name}, which PostgreSQL runs as because this is root, cannot reach {self.home}.",
                hint="Choose a data directory below /var/lib or /var/tmp.",
            )
        _initialise(self.data, self._password_file, account, binaries, durable=self._durable)

    def _launch(self, account: Account, binaries: Binaries) -> None:
        tries = 1 if self._wanted_port else NEW_PORT_TRIES
        while True:
            tries -= 1
            self.port = self._wanted_port or free_port()
            _refuse_taken(self.port)
            said = self._try(account, binaries)
            if said is None:
                return
            if "pg_stat_statements" in said and self._options.get("shared_preload_libraries"):
                self._options["shared_preload_libraries"] = ""  # a system server may come without the contrib package
            elif tries <= 0 or "could not bind" not in said:
                raise PostgresUnavailable(f"PostgreSQL did not start: {_last_line(said)}", hint=f"See {self.log}.")

    def _try(self, account: Account, binaries: Binaries) -> str | None:
        """Start once: None when it is ready, else what it said before it ended."""
        own = {"listen_addresses": HOST, "unix_socket_directories": "", "port": str(self.port)}
        arguments = [str(binaries.server), "-D", str(self.data)]
        for name, value in (self._options | own).items():
            arguments += ["-c", f"{name}={value}"]
        keeper = _Keeper(account, arguments, self.log)
        deadline = time.monotonic() + START_SECONDS
        while not _is_ready(self.data, keeper.process.pid):
            if keeper.ended.wait(0.01):
                return self.log.read_text(encoding="utf-8", errors="replace")
            if time.monotonic() > deadline:
                keeper.stop()
                raise PostgresUnavailable(
                    f"PostgreSQL was not ready within {START_SECONDS:.0f} seconds.", hint=f"See {self.log}."
                )
        self._keeper = keeper
        return None


class _Keeper:
    """The thread that forks the server and lives as long: the parent-death signal follows the thread that forked."""

    def __init__(self, account: Account, arguments: list[str], log: Path) -> None:
        self.ended = threading.Event()
        self._forked = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._trouble: OSError | None = None
        self._thread = threading.Thread(
            target=self._keep, args=(account, arguments, log), name="postgres-keeper", daemon=True
        )
        self._thread.start()
        self._forked.wait()
        if self._trouble is not None:
            raise self._trouble

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server's process."""
        if self._process is None:
            raise PostgresUnavailable("PostgreSQL was not started.")
        return self._process

    def _keep(self, account: Account, arguments: list[str], log: Path) -> None:
        try:
            with log.open("wb") as written:
                self._process = account.spawn(arguments, written)
        except OSError as trouble:
            self._trouble = trouble
            return
        finally:
            self._forked.set()
        self._process.wait()
        self.ended.set()

    def stop(self) -> None:
        """Ask it to stop, ever less politely, and wait until it is gone."""
        for number, seconds in STOP_STEPS:
            if self.ended.is_set():
                break
            self.process.send_signal(number)
            self.ended.wait(seconds)
        self._thread.join()


def free_port() -> int:
    """A TCP port nobody listens on at this moment, on loopback."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def quoted(identifier: str) -> str:
    """An SQL identifier in double quotes."""
    doubled = identifier.replace('"', '""')
    return f'"{doubled}"'


def _claim(home: Path, account: Account) -> None:
    """Make the directory, private to the account; refuse one that is somebody else's. No existing parent is changed."""
    if not home.exists():
        for parent in [place for place in reversed(home.parents) if not place.exists()]:
            parent.mkdir()
            parent.chmod(0o755)  # whatever the umask: the account has to pass
        home.mkdir(mode=0o700)
        account.own(home)
        return
    found = home.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), account.uid}:
        raise PostgresUnavailable(f"{home} belongs to somebody else.", hint="Choose another data directory.")
    if found.st_uid != account.uid and not any(home.iterdir()):
        account.own(home)


def _initialise(data: Path, password_file: Path, account: Account, binaries: Binaries, *, durable: bool) -> None:
    """Make the data directory under another name first, so that a killed attempt is never taken for a good one."""
    building = data.with_name("data.new")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=0o700)
    account.own(building)
    password_file.unlink(missing_ok=True)
    fd = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w", encoding="ascii") as written:
        written.write(secrets.token_urlsafe(18))
    account.own(password_file)
    arguments = [str(binaries.initdb), "-D", str(building), "-U", "postgres", "-E", "UTF8", "--no-sync"]
    arguments += ["--auth=scram-sha-256", f"--pwfile={password_file}", *_locale(binaries.major)]
    if not durable and binaries.major >= SETTINGS_AT_INIT_SINCE:
        # Long random passwords of a server that is thrown away: stretching them only makes each connection slower.
        arguments += ["-c", "scram_iterations=1"]
    made = account.run(arguments)
    if made.returncode != 0:
        shutil.rmtree(building, ignore_errors=True)
        raise PostgresUnavailable(f"PostgreSQL could not make its data directory: {_last_line(made.stderr)}")
    building.rename(data)


def _locale(major: int) -> list[str]:
    """The same ordering on every machine; the built-in provider came with PostgreSQL 17."""
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C", *(builtin if major >= BUILTIN_LOCALES_SINCE else [])]


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free for a server
        try:
            probe.bind((HOST, port))
        except OSError as taken:
            raise PostgresUnavailable(
                f"Port {port} on {HOST} cannot be used: {taken.strerror}.",
                hint="Choose another port, or none for a free one.",
            ) from taken


def _is_ready(data: Path, pid: int) -> bool:
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return len(lines) > READY_LINE and lines[0].strip() == str(pid) and lines[READY_LINE].strip() == "ready"


def _last_line(said: str) -> str:
    """The line that tells most: the last FATAL or error one, else the last."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL:" in line or "error:" in line or "ERROR:" in line]
    return (telling or lines or ["it said nothing."])[-1]
