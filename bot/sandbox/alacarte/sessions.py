"""What goes wrong inside the sample database (RB-004): sessions too long or idle with locks, scans without an index."""

from __future__ import annotations

import asyncio

import asyncpg

from bot.sandbox.database import SampleDatabase

WAIT_SECONDS = 10.0
POLL_SECONDS = 0.02
SCANS = 1200
INDEX = "idx_messages_conversation_created"
LONG_QUERY = "SELECT count(*) FROM messages WHERE status = 'failed' AND pg_sleep(30) IS NOT NULL"
HOLDING_QUERY = "UPDATE conversations SET last_message_at = now() WHERE id = md5('conversation 1')::uuid"
SCAN = f"""
DO $$
DECLARE
    n integer;
BEGIN
    FOR n IN 1..{SCANS} LOOP
        PERFORM 1 FROM messages LIMIT 1;
    END LOOP;
    FOR n IN 1..20 LOOP
        PERFORM count(*) FROM messages WHERE conversation_id = md5('conversation ' || n)::uuid;
    END LOOP;
    PERFORM pg_stat_force_next_flush();
END
$$
"""

SCAN_OTHER = f"""
DO $$
BEGIN
    INSERT INTO storage.objects (bucket_id, name, metadata)
    SELECT 'avatars', 'planted/' || md5('scanned ' || n), '{{"size": 100}}' FROM generate_series(1, 8000) AS n;
    FOR n IN 1..{SCANS} LOOP
        PERFORM 1 FROM storage.objects LIMIT 1;
    END LOOP;
    PERFORM pg_stat_force_next_flush();
END
$$
"""


class PlantedSession:
    """A session of the application that stays until it is closed, or until somebody terminates it."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], running: asyncio.Task[object] | None) -> None:
        self._connection = connection
        self._running = running
        self.pid = connection.get_server_pid()

    @property
    def is_alive(self) -> bool:
        """Whether the server still has it; false once it was terminated and its end has arrived here."""
        return not self._connection.is_closed() and (self._running is None or not self._running.done())

    async def close(self) -> None:
        """End it if it is still there; harmless when it was terminated."""
        self._connection.terminate()
        if self._running is not None:
            await asyncio.gather(self._running, return_exceptions=True)


async def long_query(alacarte: SampleDatabase) -> PlantedSession:
    """A dashboard's query that goes on for hours, already active when this returns."""
    connection = await asyncpg.connect(alacarte.app_url, server_settings={"application_name": "dashboard"})
    running: asyncio.Task[object] = asyncio.create_task(connection.fetchval(LONG_QUERY))
    session = PlantedSession(connection, running)
    await _until(alacarte, session, "active")
    return session


async def idle_in_transaction(alacarte: SampleDatabase) -> PlantedSession:
    """A worker that changed a row and forgot to commit: it holds the row's lock and does nothing."""
    connection = await asyncpg.connect(alacarte.app_url, server_settings={"application_name": "inbox-worker"})
    session = PlantedSession(connection, None)
    await connection.execute("BEGIN")
    await connection.execute(HOLDING_QUERY)
    await _until(alacarte, session, "idle in transaction")
    return session


async def missing_index(alacarte: SampleDatabase) -> None:
    """Scan messages often enough that its statistics show it: over 1000 sequential scans and hardly an index scan."""
    connection = await alacarte.connect()
    try:
        await connection.execute(f"DROP INDEX IF EXISTS {INDEX}")
        await connection.execute(SCAN)
    finally:
        await connection.close()


async def index_invalid(alacarte: SampleDatabase) -> None:
    """What a build that failed leaves: an index that is kept up to date and that no query may use."""
    connection = await alacarte.connect()
    try:
        await connection.execute(f"DROP INDEX IF EXISTS {INDEX}")
        await connection.execute(f"CREATE INDEX {INDEX} ON messages (conversation_id)")
        await connection.execute(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{INDEX}'::regclass")
    finally:
        await connection.close()


async def index_built(alacarte: SampleDatabase) -> None:
    """The index came after the scans that it would have spared."""
    await missing_index(alacarte)
    connection = await alacarte.connect()
    try:
        await connection.execute(f"CREATE INDEX {INDEX} ON messages (conversation_id, created_at DESC)")
    finally:
        await connection.close()


async def other_scans(alacarte: SampleDatabase) -> None:
    """Another large table is read row by row."""
    connection = await alacarte.connect()
    try:
        await connection.execute(SCAN_OTHER)
    finally:
        await connection.close()


async def _until(alacarte: SampleDatabase, session: PlantedSession, state: str) -> None:
    """Wait until the server shows the session in that state; TimeoutError when it does not come to it."""
    watcher = await alacarte.connect()
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            shown = ""
            while shown != state:
                shown = await watcher.fetchval("SELECT state FROM pg_stat_activity WHERE pid = $1", session.pid)
                await asyncio.sleep(0 if shown == state else POLL_SECONDS)
    except TimeoutError:
        await session.close()
        raise
    finally:
        await watcher.close()
