"""The sample customers of WAOOAW and their ids, for its faults and its services; `meera` posts, `ravi` trades."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any
from uuid import UUID

from bot.sandbox.database import Connection
from bot.sandbox.sample import Ground


def key(of: str) -> UUID:
    """The id of a sample row: `key("customer meera")` here is `md5('customer meera')::uuid` in SQL."""
    return UUID(hashlib.md5(of.encode(), usedforsecurity=False).hexdigest())


MEERA, RAVI = key("customer meera"), key("customer ravi")
IDS: Mapping[str, str] = {
    "customer_id": str(MEERA),
    "goal_id": str(key("goal meera instagram")),
    "agent_id": str(key("agent meera")),
    "trader_id": str(RAVI),
    "trader_agent_id": str(key("agent ravi")),
    "trader_goal_id": str(key("goal ravi delta_exchange")),
    "email": "hello@meera.test",
    "waiting_id": str(key("deliverable meera instagram 1")),
    "trade_report_id": str(key("deliverable ravi 1")),
}
"""What drills may call by name, whatever the fault."""


@asynccontextmanager
async def opened(ground: Ground) -> AsyncIterator[Connection]:
    """A superuser's connection to the sample database."""
    connection = await ground.database.connect()
    try:
        yield connection
    finally:
        await connection.close()


async def execute(ground: Ground, statement: str, *values: Any) -> None:
    """One statement, as whoever planted the fault."""
    async with opened(ground) as connection:
        await connection.execute(statement, *values)


async def people_in_order(ground: Ground) -> None:
    """Both sample customers healthy, with nothing left of an earlier fault."""
    script = files("bot.sandbox.waooaw").joinpath("people.sql").read_text(encoding="utf-8")
    async with opened(ground) as connection, connection.transaction():
        await connection.execute(script)
