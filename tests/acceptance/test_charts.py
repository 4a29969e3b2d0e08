"""Charts and CSV through the wire: what the database holds is what the thread shows, in a table, a picture and a file."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.cli.sandbox import populated
from bot.domain.run import RunState
from bot.sandbox.postgres import Postgres
from bot.sandbox.slack.records import File
from bot.slack import attaching
from bot.slack.drawing import NotDrawn, png
from bot.slack.views.charts import Picture
from tests.acceptance.conftest import Scene

pytestmark = pytest.mark.runbooks

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
async def quotas(postgres: Postgres) -> AsyncIterator[Scene]:
    """A world with Phase 1 in it, and somebody above a limit."""
    async with populated(postgres, systems=("phase1",), rate_limits=False) as sandbox:
        await sandbox.world.plant("phase1", "quota_exceeded")
        yield Scene(sandbox)


def files(scene: Scene, ending: str) -> list[File]:
    """The files of the workspace with such a name, oldest first."""
    return [file for file in scene.sandbox.world.slack.space.files.values() if file.name.endswith(ending) and file.shares]


async def came(scene: Scene, ending: str, count: int = 1) -> list[File]:
    """So many files with such a name, once they are there."""

    async def probe() -> list[File] | None:
        found = files(scene, ending)
        return found if len(found) >= count else None

    return await scene.until(probe, ending)


async def rows_of(scene: Scene, statement: str, system: str = "phase1", **values: Any) -> list[Mapping[str, Any]]:
    """What a statement finds in the sample database."""
    connection = await scene.sandbox.world.grounds[system].database.connect()
    try:
        return [dict(row) for row in await connection.fetch(statement, *values.values())]
    finally:
        await connection.close()


async def test_quota_usage_as_table_picture_and_file(quotas: Scene) -> None:
    """P1-05 in people's words: the thread has the table, a picture that says in words what it shows, and on request a
    file with the database's own rows; the same once more brings nothing new."""
    ana = quotas.person("ana")
    await ana.types("/runbook P1-05")
    await ana.submits(near_at="80")
    await quotas.run_is(RunState.DECIDING)
    (shares,) = await came(quotas, "-shares.png")
    await came(quotas, "-by_tier.png")
    assert shares.data is not None
    assert shares.data.startswith(PNG)
    print(shares.alt_text)
