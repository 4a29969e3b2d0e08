"""The whole sample system healthy: the start of a sandbox, and the end of every fault."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.sandbox.aias import logs, scripts
from bot.sandbox.aias.desk import Desk
from bot.sandbox.aias.vendors import Vendors
from bot.sandbox.sample import Ground
from bot.sandbox.services import Reply


async def settle(ground: Ground) -> None:
    """Nothing is wrong anywhere."""
    async with desk_of(ground) as desk:
        await desk.reset()
    ground.services.switches.clear()
    Vendors().serve(ground)
    scripts.settle(ground)
    logs.write(ground)
    ground.secrets.update(
        AIAS_WEBHOOK_SECRET="whsec_sample_of_the_sandbox",
        AIAS_WEBHOOK_SECRET_DEPLOYED="whsec_sample_of_the_sandbox",
        AIAS_SENTRY_TOKEN=f"Bearer {ground.services.token}",
    )
    ground.services.answer("POST", "/api/billing/reconcile", Reply(200, {"changed": 0}, token=True))


@asynccontextmanager
async def desk_of(ground: Ground) -> AsyncIterator[Desk]:
    """A desk over both sides, in one transaction."""
    connection = await ground.database.connect()
    try:
        async with connection.transaction():
            yield Desk(connection, ground.stripe, f"{ground.services.url}/api/stripe/webhook")
    finally:
        await connection.close()
