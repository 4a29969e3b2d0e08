"""The health that every fault starts from, and what it leaves when it is over."""

from __future__ import annotations

from bot.sandbox.phase1.app import install
from bot.sandbox.phase1.desk import desk
from bot.sandbox.phase1.members import MEMBERS
from bot.sandbox.sample import Ground


async def settle(ground: Ground) -> None:
    """The application up, every sample member healthy at both sides, nothing left over at Stripe."""
    install(ground)
    for member in MEMBERS:
        async with desk(ground, member):
            pass
