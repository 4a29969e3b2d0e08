"""The sample system's vendors: what its database lets whom see and change, and what Storage's API does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from itertools import count

import asyncpg
import pytest

from bot.sandbox.database import SampleDatabase, build
from bot.sandbox.postgres import Postgres

NUMBERS = count(1)
CONVERSATION = "md5('conversation 1')::uuid"


@pytest.fixture
async def alacarte(server: Postgres) -> AsyncIterator[SampleDatabase]:
    """A copy of the sample database for one test."""
    made = await build(server, "alacarte", name=f"alacarte_vendors_{next(NUMBERS)}")
    yield made
    await made.drop()


async def _seen_by(connection: asyncpg.Connection[asyncpg.Record], user: str) -> int:
    """How many messages of the conversation a signed-in customer sees."""
    async with connection.transaction():
        await connection.execute("SET LOCAL ROLE authenticated")
        await connection.execute("SELECT set_config('request.jwt.claims', $1, true)", json.dumps({"sub": user}))
        return int(await connection.fetchval(f"SELECT count(*) FROM messages WHERE conversation_id = {CONVERSATION}"))


async def test_members_read_their_messages_and_nobody_else_does(alacarte: SampleDatabase) -> None:
    """Row level security does what RB-013 takes it to do; the services' logins pass it."""
    connection = await alacarte.connect()
    try:
        owner = "SELECT user_id FROM business_members m JOIN conversations c USING (business_id)"
        member = await connection.fetchval(f"{owner} WHERE c.id = {CONVERSATION}")
        stranger = await connection.fetchval(f"{owner} WHERE c.id <> {CONVERSATION} AND user_id <> $1 LIMIT 1", member)
        assert await _seen_by(connection, str(member)) > 0
        assert await _seen_by(connection, str(stranger)) == 0
        await connection.execute("DROP POLICY members_read ON messages")
        assert await _seen_by(connection, str(member)) == 0
    finally:
        await connection.close()
    reader = await asyncpg.connect(alacarte.read_url)
    try:
        assert await reader.fetchval(f"SELECT count(*) FROM messages WHERE conversation_id = {CONVERSATION}") > 0
    finally:
        await reader.close()


@pytest.mark.parametrize("url", ["read_url", "act_url", "app_url"])
async def test_no_login_removes_files_by_their_rows(alacarte: SampleDatabase, url: str) -> None:
    """Files go through the Storage API alone."""
    connection = await asyncpg.connect(getattr(alacarte, url))
    try:
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)):
            await connection.execute("DELETE FROM storage.objects WHERE bucket_id = 'temp-uploads'")
    finally:
        await connection.close()
