"""Everything around the sample database in good order, and small helpers for the faults that are planted there."""

from __future__ import annotations

from bot.sandbox.alacarte.vendors import Vendors
from bot.sandbox.sample import Ground

PLANTED = "planted: "
_IN_ORDER = (
    "ALTER PUBLICATION supabase_realtime SET TABLE messages, conversations",
    "DROP POLICY IF EXISTS members_read ON messages",
    "CREATE POLICY members_read ON messages FOR SELECT TO authenticated"
    " USING (conversation_id IN (SELECT c.id FROM conversations c))",
    f"DELETE FROM messages WHERE content LIKE '{PLANTED}%'",
    "UPDATE conversations SET contact_address = '+1555' || lpad(replace(contact_name, 'Contact ', ''), 7, '0')"
    " WHERE channel = 'sms' AND contact_address !~ '^[+]1555'",
    "DELETE FROM message_attachments WHERE object_name LIKE 'planted/%'",
    "DELETE FROM storage.objects WHERE name LIKE 'planted/%'",
    "UPDATE storage.buckets SET allowed_mime_types = NULL",
    "INSERT INTO secrets (name, value) VALUES ('TWILIO_AUTH_TOKEN', md5(random()::text)) ON CONFLICT (name) DO NOTHING",
    "UPDATE businesses SET outbound_calls_blocked_at = NULL, voice_credits_balance = 12.50 + length(name)"
    " WHERE name ~ '^Sample Business [0-9]*5$'",
)


async def settled(ground: Ground, vendors: Vendors | None = None) -> None:
    """Nothing is left of an earlier fault, and the vendors answer as they should, or as is said."""
    await run(ground, *_IN_ORDER)
    ground.services.switches.clear()
    (vendors or Vendors()).serve(ground)


async def run(ground: Ground, *statements: str) -> None:
    """Change the database as its superuser."""
    connection = await ground.database.connect()
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def told(ground: Ground, **queries: str) -> dict[str, str]:
    """Values from the database by name, for the inputs of drills: each the statement that gives it."""
    connection = await ground.database.connect()
    try:
        return {name: str(await connection.fetchval(query)) for name, query in queries.items()}
    finally:
        await connection.close()
