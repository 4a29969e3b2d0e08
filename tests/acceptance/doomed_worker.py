"""A worker that kills itself, as `kill -9` would, when it comes to a milestone; run as a program of its own.

Usage: python -m tests.acceptance.doomed_worker MILESTONE, with the environment of a bot.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from bot.main import running
from bot.settings import environment, read_settings
from bot.telemetry import set_up


async def work(deadly: str) -> None:
    """Work until the milestone."""

    async def milestone(name: str) -> None:
        if name == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    async with running(read_settings(), environment(), listen=False, announce=False, milestone=milestone):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    set_up("ERROR")
    asyncio.run(work(sys.argv[1]))
