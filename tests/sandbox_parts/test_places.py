"""Where temporary servers live, and what becomes of those that a killed process left behind."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from bot.sandbox import postgres_places
from bot.sandbox.postgres import Postgres
from bot.sandbox.postgres_lock import Lock
from bot.sandbox.postgres_places import MEMORY, TEMPORARY, temporary_home

pytestmark = pytest.mark.production


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of the test's own for servers in memory."""
    monkeypatch.setattr(postgres_places, "MEMORY", tmp_path)
    monkeypatch.setattr(postgres_places, "ROOM", 0)
    return tmp_path


def left_behind(place: Path, name: str) -> Path:
    """A server's directory, an hour old."""
    home = place / f"{TEMPORARY}{name}"
    (home / "data").mkdir(parents=True)
    (home / "lock").write_text("12345")
    os.utime(home, (home.stat().st_atime, home.stat().st_mtime - 3600))
    return home


def test_what_a_killed_process_left_is_removed(place: Path) -> None:
    """The next server in that place removes it; one in use and one just being made stay."""
    old, used = left_behind(place, "old"), left_behind(place, "used")
    young = place / f"{TEMPORARY}young"
    young.mkdir()
    lock = Lock(used / "lock")
    lock.take()
    try:
        made = temporary_home(in_memory=True)
    finally:
        lock.release()
    assert made.parent == place
    assert not old.exists()
    assert (used / "data").exists()
    assert young.exists()


def test_nothing_elsewhere_is_touched(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A link of that name, which anybody can put there, leads to nothing being written or removed."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "kept").touch()
    os.utime(elsewhere, (0, 0))
    (place / f"{TEMPORARY}link").symlink_to(elsewhere)
    temporary_home(in_memory=True)
    assert [each.name for each in elsewhere.iterdir()] == ["kept"]


def test_on_disk_where_memory_is_short(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too little memory, none at all, or a server that has to be durable: then it lives on disk."""
    made = [temporary_home(in_memory=False)]
    monkeypatch.setattr(postgres_places, "ROOM", 2**62)
    made.append(temporary_home(in_memory=True))
    monkeypatch.setattr(postgres_places, "MEMORY", place / "nowhere")
    made.append(temporary_home(in_memory=True))
    assert {home.parent for home in made} <= {Path("/var/tmp"), Path(tempfile.gettempdir())}
    for home in made:
        home.rmdir()


@pytest.mark.skipif(not postgres_places._roomy(MEMORY), reason="no room in memory here")
def test_durable_ones_are_on_disk() -> None:
    """What has to survive is never in memory."""
    quick, durable = Postgres.temporary(), Postgres.temporary(durable=True)
    quick.home.rmdir()
    durable.home.rmdir()
    assert quick.home.parent == MEMORY
    assert durable.home.parent != MEMORY
