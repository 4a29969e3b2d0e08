"""Bring the bot's database to the newest revision; safe to run from several replicas at once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.errors import Misconfigured, Unavailable

_LOCK = 7_204_551_190
_MIGRATIONS = Path(__file__).parent / "migrations"


def config() -> Config:
    """Alembic's configuration, without a file of its own."""
    made = Config()
    made.set_main_option("script_location", str(_MIGRATIONS))
    made.set_main_option("path_separator", "os")
    return made


@cache
def head() -> str:
    """The newest revision the code knows."""
    newest = ScriptDirectory.from_config(config()).get_current_head()
    assert newest is not None
    return newest


def content() -> bytes:
    """What all migrations say, in their order: another content makes another database."""
    return b"".join(path.read_bytes() for path in sorted(_MIGRATIONS.rglob("*.py")))


async def migrate(engine: AsyncEngine) -> None:
    """Run every migration that is missing. Raises `Unavailable` when the database does not answer, `Misconfigured` when
    it belongs to a newer release."""
    _refuse_newer(await revision(engine))

    def run(connection: Connection) -> None:
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")

    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        await connection.run_sync(run)


async def revision(engine: AsyncEngine) -> str | None:
    """The revision the database is at, None when it is empty. Raises `Unavailable` when it does not answer."""
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    except (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        translated = getattr(error, "orig", None)
        reason = type(getattr(translated, "__cause__", None) or translated or error).__name__
        raise Unavailable(
            f"The bot's database does not answer ({reason}).",
            hint="Check host, port, user, password and name in DATABASE_URL.",
        ) from error


async def require_head(engine: AsyncEngine) -> str:
    """The revision, which has to be this release's. Raises `Misconfigured` with what to do, or `Unavailable`."""
    at = await revision(engine)
    _refuse_newer(at)
    if at != head():
        raise Misconfigured(
            f"The bot's database is at revision {at or 'none'}, not {head()}.", hint="Run: runbook migrate"
        )
    return at


@cache
def _known() -> frozenset[str]:
    return frozenset(script.revision for script in ScriptDirectory.from_config(config()).walk_revisions())


def _refuse_newer(at: str | None) -> None:
    if at is not None and at not in _known():
        raise Misconfigured(
            f"The bot's database is at revision {at}, which this release does not know.",
            hint="It was migrated by a newer release: run that one.",
        )
