"""The partners of the sample system in good order: Razorpay, the exchange and the platforms that are posted to."""

from __future__ import annotations

from importlib.resources import files

from bot.sandbox.sample import Ground
from bot.sandbox.waooaw.desk import opened
from bot.sandbox.waooaw.exchange import Exchange
from bot.sandbox.waooaw.publisher import Publisher
from bot.sandbox.waooaw.razorpay import Razorpay


async def partners_in_order(ground: Ground) -> None:
    """Both sample customers in good order at every partner, after `people_in_order`."""
    script = files("bot.sandbox.waooaw").joinpath("partners.sql").read_text(encoding="utf-8")
    async with opened(ground) as connection, connection.transaction():
        await connection.execute(script)
    Razorpay(ground).serve()
    Exchange(ground).serve()
    Publisher(ground).serve()
