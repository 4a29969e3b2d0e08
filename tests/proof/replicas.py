"""The test's side of `replica`: starts bots in processes of their own and ends them in order."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.cli.sandbox import ROOT
from bot.sandbox.world import World

PATIENCE = 60.0


@asynccontextmanager
async def replicas(world: World, runbooks: Path, count: int) -> AsyncIterator[None]:
    """So many bots in one world; when the block is left each has ended by itself, without an error."""
    env = {**os.environ, **world.environment(), "RUNBOOKS_PATH": str(runbooks)}
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.proof.replica",
            env=env,
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(count)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).strip() == b"ready"
        yield
    finally:
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
        codes = [await asyncio.wait_for(process.wait(), PATIENCE) for process in processes]
    assert codes == [0] * count
