"""The health that every fault starts from, whatever the one before has left."""

from __future__ import annotations

from bot.sandbox.phase1.app import install
from bot.sandbox.phase1.desk import desk
from bot.sandbox.phase1.members import MEMBERS
from bot.sandbox.sample import Ground

HOLD = "legal_holds"
BYSTANDER = "md5('profile 1')::uuid"
"""A seeded member who has nothing at Stripe."""


async def settle(ground: Ground) -> None:
    """The application up, every sample member healthy at both sides, nothing left over at Stripe or in the database."""
    install(ground)
    ground.stripe.faults.clear()
    await limit_sessions(ground, -1)
    await open_to_logins(ground, True)
    connection = await ground.database.connect()
    try:
        await connection.execute(f"DROP TABLE IF EXISTS {HOLD}")
        await connection.execute(f"UPDATE subscriptions SET stripe_customer_id = NULL WHERE profile_id = {BYSTANDER}")
        await connection.execute("DELETE FROM plan_features WHERE id > 8")
    finally:
        await connection.close()
    for member in MEMBERS:
        async with desk(ground, member):
            pass


async def limit_sessions(ground: Ground, most: int) -> None:
    """How many sessions the database takes beside a superuser's (-1: as many as the server)."""
    connection = await ground.database.connect()
    try:
        await connection.execute(f'ALTER DATABASE "{ground.database.name}" CONNECTION LIMIT {most}')
    finally:
        await connection.close()


async def open_to_logins(ground: Ground, opened: bool) -> None:
    """Whether the database takes the logins of the bot and of the application."""
    rights = f'CONNECT ON DATABASE "{ground.database.name}"'
    logins = "phase1_read, phase1_act, phase1_app"
    connection = await ground.database.connect()
    try:
        await connection.execute(f"GRANT {rights} TO {logins}" if opened else f"REVOKE {rights} FROM {logins}")
    finally:
        await connection.close()
