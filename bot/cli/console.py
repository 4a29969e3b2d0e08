"""What the command line prints with, and how it ends: 0 done, 1 not as wished, 2 a mistake, 3 a part is missing."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Coroutine
from enum import IntEnum
from typing import Any, NoReturn, TypeVar

import typer
from rich.console import Console

from bot.errors import BadInputs, BotError, Misconfigured, Mistake, Refusal, Unavailable

T = TypeVar("T")

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Exit(IntEnum):
    """Exit codes."""

    DONE = 0
    NOT_AS_WISHED = 1
    MISTAKE = 2
    MISSING = 3


def fail(sentence: str, code: Exit, hint: str = "") -> NoReturn:
    """Say one sentence on standard error and end."""
    err.print(sentence, style="red", markup=False)
    if hint:
        err.print(hint, markup=False)
    raise typer.Exit(int(code))


def in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; Ctrl-C and a termination cancel it, and every expected error becomes its sentence."""
    try:
        return asyncio.run(_interruptible(work))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise typer.Exit(int(Exit.DONE)) from None
    except BadInputs as error:
        fail("\n".join(f"{name}: {problem}" for name, problem in error.problems.items()), Exit.MISTAKE)
    except Mistake as error:
        fail(str(error), Exit.MISTAKE, error.hint)
    except Refusal as error:
        fail(" ".join(error.reasons), Exit.NOT_AS_WISHED, error.hint)
    except (Unavailable, Misconfigured) as error:
        fail(str(error), Exit.MISSING, error.hint)
    except BotError as error:
        fail(str(error), Exit.NOT_AS_WISHED, error.hint)


def as_json(data: Any) -> None:
    """Print JSON for machines."""
    print(json.dumps(data, indent=2, ensure_ascii=False, default=str))


async def _interruptible(work: Coroutine[Any, Any, T]) -> T:
    """A termination ends the work as Ctrl-C does: in order, leaving nothing behind."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    return await task
