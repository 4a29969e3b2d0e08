"""How a fault of Storytailor is planted: everything well and the family in order first, then what is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

import asyncpg

from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.storytailor import clouds
from bot.sandbox.storytailor.desk import PRICES, Desk, price_of
from bot.sandbox.storytailor.families import FAMILIES, Family

Ids = dict[str, str]
# What faults take away from everybody, as the seed has it.
SHARED = (
    "UPDATE plans SET api_requests_per_minute = 60 WHERE tier = 'individual'",
    "INSERT INTO production_functions (name, purpose)"
    " VALUES ('storytailor-smart-home-agent-production', 'dims the lights') ON CONFLICT DO NOTHING",
)
SOLD = "INSERT INTO plan_prices (price_id, tier, interval, unit_amount) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"


@dataclass(frozen=True)
class Scene:
    """Where a fault is planted: the family's desk, and the ground with everything else."""

    desk: Desk
    ground: Ground


Plant = Callable[[Scene], Awaitable[Ids | None]]


def faults_of(family: Family, plants: Mapping[str, Plant]) -> dict[str, Fault]:
    """The faults of one family by name."""
    return {name: partial(_planted, family, plant) for name, plant in plants.items()}


async def _planted(family: Family, plant: Plant, ground: Ground) -> Planted:
    clouds.well(ground)
    connection = await ground.database.connect()
    try:
        async with connection.transaction():
            await _restored(connection)
            desk = Desk(connection, ground.stripe, family)
            await desk.reset()
            ids = await plant(Scene(desk, ground))
    finally:
        await connection.close()
    own = {"email": family.email, "user_id": str(family.id()), "name": family.name, "customer": family.customer_id}
    own |= {"subscription": family.subscription_id, "invoice": family.invoice_id}
    return Planted({**own, **(ids or {})})


async def settle(ground: Ground) -> None:
    """Every family and every cloud healthy: the start of a sandbox, and the end of its faults."""
    clouds.install(ground)
    clouds.well(ground)
    connection = await ground.database.connect()
    try:
        async with connection.transaction():
            await _restored(connection)
            await everybody(Scene(Desk(connection, ground.stripe, FAMILIES[0]), ground))
    finally:
        await connection.close()


async def _restored(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """What all families share is as it was at the start."""
    for statement in SHARED:
        await connection.execute(statement)
    sold = [(price_of(tier, interval), tier, interval, amount) for (tier, interval), amount in PRICES.items()]
    await connection.executemany(SOLD, sold)


async def everybody(scene: Scene) -> None:
    """Nothing is wrong with anybody, whatever was planted before."""
    for family in FAMILIES:
        await Desk(scene.desk.connection, scene.ground.stripe, family).reset()


async def healthy(_scene: Scene) -> None:
    """Nothing is wrong."""


async def free(scene: Scene) -> None:
    """A Free family, which never paid anything."""
    await scene.desk.reset("free")
