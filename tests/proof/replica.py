"""A whole bot as a program of its own, one of several that live beside each other, until its input is closed.

Usage: python -m tests.proof.replica, with the environment of a bot.
"""

from __future__ import annotations

import asyncio
import sys

from bot.main import running
from bot.settings import environment, read_settings
from bot.slack.pacing import RATES, Rate
from bot.telemetry import set_up


async def live() -> None:
    """Listen, work and announce. How fast Slack lets us answer two hundred people is not what is tried here."""
    RATES["chat.postEphemeral"] = Rate(60_000, 1_000)
    async with running(read_settings(), environment(), rate_limits=False):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    set_up("WARNING")
    asyncio.run(live())
