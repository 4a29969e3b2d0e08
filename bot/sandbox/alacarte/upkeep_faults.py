"""What the round of the calendar finds (RB-CAL): backups that were not made, queries that are slow day after day."""

from __future__ import annotations

import asyncio

import asyncpg

from bot.sandbox.alacarte.ground import settled
from bot.sandbox.alacarte.vendors import Vendors
from bot.sandbox.sample import Fault, Ground, Planted

TIMES, SECONDS = 20, 1.1


async def backup_missed(ground: Ground) -> Planted:
    """The last backup that succeeded is of the week before."""
    await settled(ground, Vendors(backups=tuple(200.0 + 24 * n for n in range(3))))
    return Planted()


async def backup_never(ground: Ground) -> Planted:
    """No backup ever succeeded."""
    await settled(ground, Vendors(backups=()))
    return Planted()


async def slow_statements(ground: Ground) -> Planted:
    """One query takes more than a second each time."""

    async def slowly() -> None:
        connection = await asyncpg.connect(ground.database.app_url)
        try:
            await connection.execute(f"SELECT count(*) FROM plan_prices, pg_sleep({SECONDS})")
        finally:
            await connection.close()

    await asyncio.gather(*(slowly() for _ in range(TIMES)))
    return Planted()


UPKEEP_FAULTS: dict[str, Fault] = {
    "backup_missed": backup_missed,
    "backup_never": backup_never,
    "slow_statements": slow_statements,
}
