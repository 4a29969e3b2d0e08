"""Charts as PNG, each drawn by a process of its own that is given a limit of time and nothing of the bot's."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import Protocol

import structlog

from bot.errors import BotError
from bot.steps.processes import Program, run

log = structlog.get_logger(__name__)

LIMIT = 20.0
LARGEST = 4_000_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAID = 500


class Drawable(Protocol):
    """What the pen draws."""

    def as_json(self) -> str:
        """The picture as it is given to the pen."""


class NotDrawn(BotError):
    """A chart could not be drawn; the sentence says why."""


async def png(picture: Drawable, seconds: float = LIMIT) -> bytes:
    """The picture as a PNG. Raises `NotDrawn`; a process that is late or no longer wanted is ended."""
    try:
        with tempfile.TemporaryDirectory(prefix="runbook-chart-") as folder:
            content = await _drawn(picture, Path(folder), seconds)
    except TimeoutError:
        raise NotDrawn(f"drawing took longer than {seconds:g} s") from None
    except OSError as error:
        log.warning("a chart could not be drawn", error=str(error))
        raise NotDrawn("the program that draws could not be started, or left nothing") from error
    if not content.startswith(_SIGNATURE) or len(content) > LARGEST:
        raise NotDrawn("the program that draws gave no picture")
    return content


async def _drawn(picture: Drawable, folder: Path, seconds: float) -> bytes:
    source, target = folder / "picture.json", folder / "picture.png"
    await asyncio.to_thread(source.write_text, picture.as_json(), encoding="utf-8")
    program = Program(sys.executable, _environment(str(folder)), str(folder))
    ended = await run(program, ["-P", "-m", "bot.slack.pen", str(source), str(target)], seconds)
    if ended.code == 0:
        return await asyncio.to_thread(_content, target)
    log.warning("a chart could not be drawn", code=ended.code, said=ended.err.decode("utf-8", "replace")[-_SAID:])
    how = f"was ended by signal {-ended.code}" if ended.code < 0 else "failed"
    raise NotDrawn(f"the program that draws {how}")


def _content(target: Path) -> bytes:
    with target.open("rb") as stream:
        return stream.read(LARGEST + 1)


def _environment(folder: str) -> dict[str, str]:
    """All that the process is told: where our code and its parts lie, and a folder of its own to write to."""
    return {
        "PYTHONPATH": os.pathsep.join(os.path.abspath(each) for each in sys.path),
        "PYTHONUTF8": "1",
        "MPLCONFIGDIR": folder,
        "MPLBACKEND": "Agg",
        "HOME": folder,
        "TMPDIR": folder,
        # More threads than one only keep the bot waiting for a processor.
        "OPENBLAS_NUM_THREADS": "1",
    }
