"""One among all replicas does what must not be done twice: the lead is an advisory lock that goes with its session."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.errors import Unavailable
from bot.store.session import Store


@contextlib.asynccontextmanager
async def leading(store: Store, key: int) -> AsyncIterator[Callable[[], Awaitable[None]] | None]:
    """Lead until the block is left; gives None while another replica leads. What it gives otherwise is to be called now
    and then: it raises `Unavailable` when the session, and with it the lead, is gone."""
    async with store.reading() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        if not (await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key})).scalar_one():
            yield None
            return

        async def still() -> None:
            try:
                await connection.execute(text("SELECT 1"))
            except DBAPIError as error:
                raise Unavailable("The session that led has gone.") from error

        try:
            yield still
        finally:
            with contextlib.suppress(SQLAlchemyError, OSError):
                await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
