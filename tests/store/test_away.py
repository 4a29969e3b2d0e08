"""The store while its database restarts, or takes nobody: said in one sentence, and never mistaken for a bug."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from bot.errors import Unavailable
from bot.store.session import Store, engine_of
from tests.conftest import ManualClock

pytestmark = pytest.mark.production

SSL_REQUEST = 8
REFUSALS = {
    "57P03": "the database system is starting up",
    "57P01": "terminating connection due to administrator command",
    "53300": "sorry, too many clients already",
}
"""https://www.postgresql.org/docs/current/errcodes-appendix.html"""


@asynccontextmanager
async def refusing(code: str) -> AsyncIterator[int]:
    """A server that answers everybody as PostgreSQL does while it starts, stops or is full; its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(4), "big")
        await reader.readexactly(length - 4)
        if length == SSL_REQUEST:
            writer.write(b"N")
            length = int.from_bytes(await reader.readexactly(4), "big")
            await reader.readexactly(length - 4)
        fields = f"SFATAL\0VFATAL\0C{code}\0M{REFUSALS[code]}\0\0".encode()
        writer.write(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("code", REFUSALS)
async def test_a_server_that_takes_nobody(clock: ManualClock, code: str) -> None:
    """Starting, stopping or full: both reads and transactions say that the database does not answer."""
    async with refusing(code) as port:
        store = Store(engine_of(f"postgresql://bot:x@127.0.0.1:{port}/bot"), clock)
        with pytest.raises(Unavailable, match="nothing was recorded"):
            async with store.transaction():
                pass
        with pytest.raises(Unavailable, match="does not answer"):
            async with store.reading():
                pass
        await store.close()


async def test_a_session_that_is_ended_in_the_middle(store: Store) -> None:
    """A restart ends the session: what was asked is not known, and the next one is another session."""
    ending = text("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(Unavailable):
        async with store.reading() as connection:
            await connection.execute(ending)
    with pytest.raises(Unavailable, match="nothing was recorded"):
        async with store.transaction() as tx:
            await tx.connection.execute(ending)
    async with store.reading() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1


async def test_a_process_that_stands_still_lets_go(store: Store) -> None:
    """Whoever stands still inside a transaction is cut off by the server, and the others go on (ten seconds, shortened
    here)."""
    waiting = text("SELECT pg_advisory_xact_lock(1)")

    async def standing_still() -> None:
        async with store.transaction() as still:
            limit = await still.connection.execute(text("SHOW idle_in_transaction_session_timeout"))
            assert limit.scalar_one() == "10s"
            await still.connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '50ms'"))
            await still.connection.execute(waiting)
            async with asyncio.timeout(5), store.transaction() as other:
                await other.connection.execute(waiting)

    with pytest.raises(Unavailable, match="nothing was recorded"):
        await standing_still()
