"""Anchoring: the head is kept elsewhere, every hour and at the end, by one replica, and nothing stops the bot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bot.domain.events import Event, Happened
from bot.errors import Unavailable
from bot.evidence.anchoring import Anchorer, anchor, anchors_in
from bot.store import audit
from bot.store.session import Store, engine_of
from tests.conftest import ManualClock

pytestmark = pytest.mark.production

NOTED = Event(Happened.INCIDENT_NOTED, "U_ANA", {"text": "x"})
PATIENCE = 10.0
SOON = timedelta(milliseconds=5)


async def noted(store: Store) -> None:
    """One more line."""
    async with store.transaction() as tx:
        tx.record(NOTED)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition, at most `PATIENCE` seconds."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - a file does not say when it grows
            await asyncio.sleep(0.005)


def written(path: Path) -> list[int]:
    """How many lines each anchor saw."""
    return [head.seq for head in anchors_in(path)] if path.exists() else []


@asynccontextmanager
async def receiving(answer: Callable[[], Awaitable[web.Response]]) -> AsyncIterator[tuple[str, list[Any]]]:
    """An address that takes JSON, and what it got."""
    got: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        got.append(await request.json())
        return await answer()

    server = web.Application()
    server.add_routes([web.post("/anchor", take)])
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/anchor?token=of-its-own", got
    finally:
        await runner.cleanup()


async def test_the_head_goes_to_a_file(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    """A line a time is appended; half a line that somebody left does not spoil the next one."""
    file = tmp_path / "anchors"
    assert (await anchor(store, str(file), clock.now())).seq == 0
    await noted(store)
    head = await anchor(store, str(file), clock.now())
    with file.open("a", encoding="utf-8") as left:
        left.write('{"seq": 1')
    await anchor(store, str(file), clock.now())
    lines = file.read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[1]) == {
        "seq": 1,
        "hash": head.hash,
        "at": clock.now().isoformat(),
        "anchored_at": clock.now().isoformat(),
    }
    assert lines[3] == lines[1]
    file.write_text("\n".join([*lines[:2], lines[3], ""]), encoding="utf-8")
    async with store.snapshot() as connection:
        report = await audit.verify_chain(connection, anchors_in(file))
    assert (report.broken_at, report.anchors) == (None, 3)


async def test_the_head_goes_to_an_address(store: Store, clock: ManualClock) -> None:
    """It is posted as JSON; a refusal, a redirection or silence is one sentence without the address's secrets."""

    async def fine() -> web.Response:
        return web.Response(status=204)

    async def refused() -> web.Response:
        return web.Response(status=403)

    async def elsewhere() -> web.Response:
        return web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})

    await noted(store)
    async with receiving(fine) as (address, got):
        head = await anchor(store, address, clock.now())
    assert [(each["seq"], each["hash"]) for each in got] == [(1, head.hash)]
    for answer in (refused, elsewhere):
        async with receiving(answer) as (address, got):
            with pytest.raises(Unavailable, match=r"does not take the head: it answers (403|302)") as raised:
                await anchor(store, address, clock.now())
            assert len(got) == 1
            assert "of-its-own" not in str(raised.value)
    with pytest.raises(Unavailable, match=r"127.0.0.1 does not answer \(ClientConnectorError\)"):
        await anchor(store, address, clock.now())


class Watch(ManualClock):
    """A clock that counts how often it is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def now(self) -> datetime:
        """The time it was set to."""
        self.looks += 1
        return super().now()

    async def looked_at(self) -> None:
        """Wait until it was looked at a few times more."""
        enough = self.looks + 5
        await until(lambda: self.looks >= enough)


@asynccontextmanager
async def running(anchorer: Anchorer) -> AsyncIterator[None]:
    """The loop, told to stop and waited for at the end."""
    task = asyncio.create_task(anchorer.run())
    try:
        yield
    finally:
        anchorer.stop()
        await asyncio.wait_for(task, PATIENCE)


async def test_every_hour_and_at_the_end(store: Store, tmp_path: Path) -> None:
    """Once when it begins, again when an hour has passed and not before, and at the end if anything is new."""
    file, watch = tmp_path / "anchors", Watch()
    async with running(Anchorer(store, str(file), watch, look_every=SOON)):
        await until(lambda: written(file) == [0])
        await noted(store)
        watch.pass_(minutes=59)
        await watch.looked_at()
        assert written(file) == [0]
        watch.pass_(minutes=1)
        await until(lambda: written(file) == [0, 1])
        await noted(store)
        await watch.looked_at()
        assert written(file) == [0, 1]
    assert written(file) == [0, 1, 2]
    async with running(Anchorer(store, str(file), watch, look_every=SOON)):
        await until(lambda: written(file) == [0, 1, 2, 2])
    assert written(file) == [0, 1, 2, 2]


async def test_one_of_many_anchors(store: Store, database: str, tmp_path: Path) -> None:
    """While one replica leads, another one writes nothing; when the first has ended, the other takes over."""
    file, watch = tmp_path / "anchors", Watch()
    other = Store(engine_of(database, pool_size=2), watch)
    second = Anchorer(other, str(file), watch, look_every=SOON)
    async with running(Anchorer(store, str(file), watch, look_every=SOON)):
        await until(lambda: written(file) == [0])
        task = asyncio.create_task(second.run())
        watch.pass_(hours=1)
        await until(lambda: written(file) == [0, 0])
        await watch.looked_at()
        assert written(file) == [0, 0]
    await until(lambda: written(file) == [0, 0, 0])
    second.stop()
    await asyncio.wait_for(task, PATIENCE)
    await other.close()


async def test_what_goes_wrong_is_one_warning(store: Store, tmp_path: Path) -> None:
    """A place that cannot be written to is a warning each time; it is tried again every five minutes until it can."""
    folder, watch = tmp_path / "not-yet", Watch()
    file = folder / "anchors"
    with capture_logs() as logs:
        async with running(Anchorer(store, str(file), watch, look_every=SOON)):
            await until(lambda: len(logs) == 1)
            await watch.looked_at()
            folder.mkdir()
            watch.pass_(minutes=5)
            await until(lambda: written(file) == [0])
    assert [(each["event"], each["log_level"]) for each in logs] == [("audit trail not anchored", "warning")]
    assert "No such file or directory" in logs[0]["error"]


async def test_a_lost_lead_is_taken_again(store: Store, database: str, tmp_path: Path) -> None:
    """The session that holds the lead is ended by the server: a warning, and it leads again."""
    file, watch = tmp_path / "anchors", Watch()
    with capture_logs() as logs:
        async with running(Anchorer(store, str(file), watch, look_every=SOON)):
            await until(lambda: written(file) == [0])
            admin = await asyncpg.connect(database)
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            )
            await admin.close()
            await until(lambda: written(file) == [0, 0])
    assert [each["log_level"] for each in logs] == ["warning"], logs
