"""A sandbox whose bot logs in as docs/audit.md recommends: a role that can read the trail and append to it, no more."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bot.cli.sandbox import MANIFEST, ROOT, Sandbox, settings_in
from bot.main import running
from bot.sandbox.postgres import Postgres
from bot.sandbox.world import opened
from bot.store.migrate import migrate
from bot.store.session import engine_of
from tests.acceptance.conftest import Scene

LOGIN, PASSWORD = "evidence_bot", "a-password-of-its-own"


@pytest.fixture
async def scene(postgres: Postgres) -> AsyncIterator[Scene]:
    """A fresh world with a bot in it that is no superuser."""
    page = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    setup = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)[0]
    async with opened(postgres, MANIFEST, rate_limits=False) as world:
        connection = await postgres.connect(world.database)
        await connection.execute(setup.replace("runbook_bot", LOGIN).replace("choose one", PASSWORD))
        owner = engine_of(postgres.url(world.database))
        await migrate(owner)
        await owner.dispose()
        url = postgres.url(world.database, LOGIN, PASSWORD)
        settings = settings_in(world).model_copy(update={"database_url": SecretStr(url)})
        async with running(settings, world.environment(), rate_limits=False) as bot:
            yield Scene(Sandbox(world, bot))
        await connection.execute(f"DROP OWNED BY {LOGIN}")
        await connection.execute(f"DROP ROLE {LOGIN}")
        await connection.close()
