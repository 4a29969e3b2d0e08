"""The bot's own database, for commands that only need that; what it imports it imports when it is opened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.cli.console import Exit, fail
from bot.clock import SystemClock

if TYPE_CHECKING:
    from bot.store.session import Store


@asynccontextmanager
async def opened_store() -> AsyncIterator[Store]:
    """The database that the environment names, at this release's revision."""
    from bot.settings import read_settings
    from bot.store.migrate import require_head
    from bot.store.session import Store, engine_of

    url = read_settings().database_url.get_secret_value()
    if not url:
        fail("DATABASE_URL is not set.", Exit.MISSING, "docs/settings.md lists every variable.")
    store = Store(engine_of(url, pool_size=2), SystemClock())
    try:
        await require_head(store.engine)
        yield store
    finally:
        await store.close()
