"""Charts and CSV through the wire: what the database holds is what the thread shows: table, picture and file."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from functools import partial

import pytest

from bot.cli.sandbox import populated
from bot.domain.run import RunState
from bot.sandbox.postgres import Postgres
from bot.sandbox.slack.records import File
from bot.slack import attaching
from bot.slack.drawing import png
from bot.slack.views.charts import Picture
from bot.store import outbox
from tests.acceptance.conftest import PATIENCE, Scene

pytestmark = pytest.mark.runbooks

PNG = b"\x89PNG\r\n\x1a\n"
SHARES = "Members near and above a limit"


@pytest.fixture
async def quotas(postgres: Postgres) -> AsyncIterator[Scene]:
    """A world with Phase 1 in it, and somebody above a limit."""
    async with populated(postgres, systems=("phase1",), rate_limits=False) as sandbox:
        await sandbox.world.plant("phase1", "quota_exceeded")
        yield Scene(sandbox)


def files(scene: Scene, name: str) -> list[File]:
    """The files of this name that stand in a channel, oldest first."""
    known = scene.sandbox.world.slack.space.files.values()
    return [file for file in known if file.name == name and file.shares]


async def came(scene: Scene, name: str, count: int = 1) -> list[File]:
    """So many files of this name, once they are there."""

    async def probe() -> list[File] | None:
        found = files(scene, name)
        return found if len(found) >= count else None

    return await scene.until(probe, f"{count} of {name}")


async def nothing_to_send(scene: Scene) -> None:
    """Wait until the outbox is empty, of which nobody is told."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if not await waiting(scene):
                return
            await asyncio.sleep(0.02)


async def waiting(scene: Scene) -> int:
    """How many messages wait to be sent."""
    async with scene.sandbox.bot.store.reading() as connection:
        return await outbox.waiting(connection)


async def database(scene: Scene, check: str) -> Sequence[Sequence[str]]:
    """What the statement of one of P1-05's checks finds when somebody else runs it, as texts."""
    statement = str((await scene.shown()).runbook.checks[check].spec["query"]).replace(":near_at", "80")
    connection = await scene.sandbox.world.grounds["phase1"].database.connect()
    try:
        return [["" if each is None else str(each) for each in row] for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def test_quota_usage_as_table_picture_and_file(quotas: Scene) -> None:
    """P1-05 as people use it: the thread has the table in the statement's order, a picture that says in words what the
    database holds, and for the asking a file with its rows; asking once more brings no second file."""
    ana = quotas.person("ana")
    await ana.types("/runbook P1-05")
    run = await quotas.run_is(RunState.DECIDING)
    (drawn,) = await came(quotas, f"run-{run.number}-shares.png")
    rows = await database(quotas, "shares")
    assert (drawn.data or b"").startswith(PNG)
    said = "; ".join(f"{t} · {f}: near {n}, used up {u}, above {a}" for t, f, _, n, u, a in rows)
    assert drawn.alt_text == f"Bar chart: {SHARES}. {said}."
    await came(quotas, f"run-{run.number}-spread.png")
    await nothing_to_send(quotas)
    table = await ana.sees(
        lambda seen: "Members near and above a limit, by feature" in seen.text and "CSV" in seen.text
    )
    head = next(block for block in table.raw["blocks"] if block["type"] == "table")["rows"][0]
    assert [cell["text"] for cell in head] == ["tier", "feature", "included", "near", "used_up", "above"]
    picture = await ana.sees(lambda seen: f"run-{run.number}-shares.png" in seen.text)
    assert (picture.thread_ts, picture.thread_ts is None) == (table.thread_ts, False)

    await ana.clicks("CSV", table)
    (file,) = await came(quotas, f"run-{run.number}-shares.csv")
    head_row, *found = csv.reader(io.StringIO((file.data or b"").decode("utf-8-sig")))
    assert head_row == ["tier", "feature", "included", "near", "used_up", "above"]
    assert found == rows
    asked = await ana.sees("Asked for by")
    assert "6 rows" in asked.text
    await ana.clicks("CSV", table)
    await ana.sees("is in this thread already, with the same rows", surface="ephemeral")
    assert len(files(quotas, file.name)) == 1
    lines = await quotas.sandbox.bot.desk.reads.audit(run_id=run.id)
    assert [(line.actor, line.data["check"]) for line in lines if line.kind == "check.rows_asked"] == [
        ("U0ANA", "shares")
    ] * 2


async def test_another_look_brings_what_changed_and_nothing_else(quotas: Scene) -> None:
    """Looking again at the same figures uploads nothing. Once they are others, the file of the rows that do not fit
    into the table comes anew: the thread never keeps only the rows of the first look."""
    ana = quotas.person("ana")
    await ana.types("/runbook P1-05")
    run = await quotas.run_is(RunState.DECIDING)
    names = [f"run-{run.number}-{each}" for each in ("shares.png", "spread.png", "nearest.csv")]
    for name in names:
        await came(quotas, name)
    await nothing_to_send(quotas)
    await ana.clicks("Look again")
    await quotas.until(lambda: _looked_again(quotas), "a second look")
    await nothing_to_send(quotas)
    assert [len(files(quotas, name)) for name in names] == [1, 1, 1]
    connection = await quotas.sandbox.world.grounds["phase1"].database.connect()
    try:
        await connection.execute("UPDATE rate_limits SET used = 95 WHERE feature = 'masks' AND used = 90")
    finally:
        await connection.close()
    await ana.clicks("Look again")
    latest = (await came(quotas, names[2], 2))[-1]
    wanted = await database(quotas, "nearest")
    found = list(csv.reader(io.StringIO((latest.data or b"").decode("utf-8-sig"))))[1:]
    assert [row[:6] for row in found] == [list(row[:6]) for row in wanted]
    await nothing_to_send(quotas)
    assert len(files(quotas, names[1])) == 1  # the bands are the same as before


async def test_a_chart_that_takes_too_long_is_a_line(quotas: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that draws is over its time: the thread says so, the tables are there, and the run goes on."""
    monkeypatch.setattr(attaching, "png", partial(png, seconds=0.02))
    ana = quotas.person("ana")
    await ana.types("/runbook P1-05")
    run = await quotas.run_is(RunState.DECIDING)
    told = await ana.sees(f"The chart «{SHARES}» could not be drawn: drawing took longer than 0.02 s")
    assert told.thread_ts is not None
    await nothing_to_send(quotas)
    assert files(quotas, f"run-{run.number}-shares.png") == []
    await ana.clicks("Close")
    await quotas.run_is(RunState.DONE)


async def test_nobody_waits_for_a_picture(quotas: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a picture is being drawn, cards, tables and answers go out; it comes when it is ready."""
    begun, ready = asyncio.Event(), asyncio.Event()

    async def slowly(picture: Picture) -> bytes:
        begun.set()
        await ready.wait()
        return await png(picture)

    monkeypatch.setattr(attaching, "png", slowly)
    ana = quotas.person("ana")
    await ana.types("/runbook P1-05")
    run = await quotas.run_is(RunState.DECIDING)
    await asyncio.wait_for(begun.wait(), 10)
    await ana.types("/runbook P1-05 near_at=90")
    other = await quotas.until(lambda: _newer(quotas, run.number), "the second run")
    card = await ana.sees(lambda seen: f"run {other}" in seen.text and "Close" in seen.text)
    await ana.clicks("Close", card)
    await quotas.run_is(RunState.DONE)
    assert files(quotas, f"run-{run.number}-shares.png") == []
    ready.set()
    await came(quotas, f"run-{run.number}-shares.png")


async def _looked_again(scene: Scene) -> bool | None:
    run = (await scene.shown()).run
    lines = await scene.sandbox.bot.desk.reads.audit(run_id=run.id)
    looked = [line.kind for line in lines].count("findings.concluded")
    return True if looked == 2 and run.state is RunState.DECIDING else None


async def _newer(scene: Scene, number: int) -> int | None:
    newest = (await scene.sandbox.bot.desk.reads.recent(1))[0]
    return newest.number if newest.number > number and newest.state is RunState.DECIDING else None
