"""A sorter that kills itself, as `kill -9` would, at a milestone of a batch; run as a program of its own.

Usage: python -m tests.intake.doomed_sorter MILESTONE FOLDER-OF-RUNBOOKS, with DATABASE_URL.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from bot.authoring.loader import catalogue_at
from bot.incidents.sorting import Sorter
from bot.store.session import Store, engine_of
from tests.conftest import ManualClock


async def sort(deadly: str, folder: str) -> None:
    """Sort until the milestone."""

    async def milestone(name: str) -> None:
        if name == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    store = Store(engine_of(os.environ["DATABASE_URL"]), ManualClock())
    await Sorter(store, catalogue_at(Path(folder)), milestone).sort()


if __name__ == "__main__":
    asyncio.run(sort(sys.argv[1], sys.argv[2]))
