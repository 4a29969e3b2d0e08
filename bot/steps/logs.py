"""The `logs` kind: which of the last lines of a log say what is looked for; counts and samples are facts."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import stat
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Annotated, ClassVar

import aiohttp
from pydantic import Field, StringConstraints

from bot.domain.facts import Fact, FactStatus
from bot.domain.runbook import Effect, Section
from bot.domain.system import LogSource, System
from bot.errors import BotError, Mistake
from bot.steps.base import TEMPLATE, Complaint, Look, Spec, StepContext
from bot.steps.durations import Span, span
from bot.steps.log_lines import Line, Search, lines_in, lines_of
from bot.steps.passive import Passive
from bot.steps.processes import OUTPUT_BYTES, run

TAIL_BYTES = 16 * 1024**2
BODY_BYTES = 4 * 1024**2
MOST_SAMPLES = 20
LONGEST_WINDOW = timedelta(days=7)
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class LogsSpec(Spec):
    """`source` is one of the system's logs; `find` names what is looked for, each as one text or several, without
    regard to case and never as a pattern; `within` is how far back, `samples` how many lines of each are kept."""

    source: str
    find: Annotated[dict[Name, str | list[str]], TEMPLATE] = Field(min_length=1)
    within: Span = "1h"
    samples: int = Field(default=3, ge=0, le=MOST_SAMPLES)
    timeout: Span | None = None


class Logs(Passive):
    """Reads the end of a log, once, and never follows it."""

    name: ClassVar[str] = "logs"
    spec: ClassVar[type[Spec]] = LogsSpec
    shorthand: ClassVar[str] = "source"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.CHECKS})
    repeatable: ClassVar[bool] = True

    def effect(self, spec: LogsSpec, section: Section) -> Effect:
        """It only looks."""
        return Effect.READ

    def lint(self, spec: LogsSpec, section: Section, system: System) -> Iterable[Complaint]:
        """A known log, words to look for, and a window that ends somewhere."""
        known = ", ".join(sorted(system.logs)) or "none: add one to the system's file"
        source = getattr(spec, "source", "")
        if source not in system.logs:
            yield Complaint(f"There is no log «{source}».", "source", f"Known: {known}.")
        for name, words in (getattr(spec, "find", None) or {}).items():
            if not all(word.strip() for word in ([words] if isinstance(words, str) else words)) or not words:
                yield Complaint("Nothing is looked for: every line would be found.", f"find.{name}")
        if span(getattr(spec, "within", "1h")) > LONGEST_WINDOW:
            yield Complaint("A log is looked through for seven days at most.", "within")

    async def look(self, spec: LogsSpec, context: StepContext) -> Look:
        """lines, since, cut, untimed, and under `found` by name count, first, last and samples, as a fact."""
        started = perf_counter()
        try:
            return await self._look(spec, context, started)
        except BotError as refused:
            return _failed(context.targets.redact(refused.sentence), started)
        except (TimeoutError, aiohttp.ServerTimeoutError):
            return _failed(f"The log «{spec.source}» was not read within {_limit(spec, context):g} s.", started)
        except aiohttp.ClientError:
            return _failed(f"The service that keeps the log «{spec.source}» cannot be reached.", started)
        except OSError as trouble:
            return _failed(f"The log «{spec.source}» cannot be read ({trouble.strerror or 'no access'}).", started)

    async def _look(self, spec: LogsSpec, context: StepContext, started: float) -> Fact:
        source = context.system.logs.get(spec.source)
        if source is None:
            raise Mistake(f"There is no log «{spec.source}».")
        wanted = {name: [words] if isinstance(words, str) else words for name, words in spec.find.items()}
        if not all(words and all(word.strip() for word in words) for words in wanted.values()):
            raise Mistake("Nothing is looked for: a value is empty, and every line would be found.")
        now = context.clock.now()
        since = now - min(span(spec.within), LONGEST_WINDOW)
        search = Search(wanted, since, spec.samples)
        cut = await _searched(search, source, spec, context, since, now)
        found = search.found(context.targets.redact)
        # What was cut off is older: it matters when it would still belong to the window.
        incomplete = cut and (search.oldest is None or search.oldest > since)
        value = {
            "found": found,
            "lines": search.lines,
            "since": search.oldest if incomplete else since,
            "cut": incomplete,
            "untimed": search.untimed,
        }
        counted = ", ".join(f"{name} {each['count']}" for name, each in found.items())
        duration = timedelta(seconds=perf_counter() - started)
        return Fact(FactStatus.DONE, value, summary=f"{counted} in {search.lines} lines", duration=duration)


async def _searched(
    search: Search, source: LogSource, spec: LogsSpec, context: StepContext, since: datetime, until: datetime
) -> bool:
    """Look through the source; whether its beginning was cut off."""
    limit = _limit(spec, context)
    if source.file is not None:
        path = context.targets.address(source.file)
        async with asyncio.timeout(limit):
            return await asyncio.to_thread(_tail, search, path)
    if source.command:
        name, *arguments = (_filled(part, since, until) for part in source.command)
        declared, program = context.targets.command(context.system, name)
        if not declared.only_looks(arguments):
            raise Mistake(f"The log «{source.name}» gives «{name}» arguments that are not declared to change nothing.")
        ended = await run(program, arguments, limit)
        if ended.code != 0:
            raise Mistake(f"The log «{source.name}» cannot be read: «{name}» ended with exit code {ended.code}.")
        for text in (ended.out, ended.err):
            search.take(lines_of(_whole(text, cut=len(text) >= OUTPUT_BYTES)))
        return ended.cut
    lines, cut = await _asked(source, context, since, until, limit)
    search.take(lines)
    return cut


def _tail(search: Search, path: str) -> bool:
    with open(path, "rb", opener=_opened) as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - TAIL_BYTES))
        text = file.read(TAIL_BYTES).decode("utf-8", "replace")
    cut = size > TAIL_BYTES
    search.take(lines_of(text.partition("\n")[2] if cut else text))
    return cut


def _opened(path: str, flags: int) -> int:
    """Open a plain file; anything else could keep its reader waiting for ever."""
    found = os.open(path, flags | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise OSError(errno.EINVAL, "it is no plain file")
    return found


async def _asked(
    source: LogSource, context: StepContext, since: datetime, until: datetime, limit: float
) -> tuple[Iterator[Line], bool]:
    """What the service answers. Raises Mistake for an answer that is none."""
    service = context.targets.service(context.system, source.service)
    query = {name: _filled(value, since, until) for name, value in source.query.items()}
    address = f"{service.base}/{source.path.lstrip('/')}"
    async with (
        asyncio.timeout(limit),
        context.targets.session.get(address, params=query, headers=service.headers, allow_redirects=False) as response,
    ):
        body = await response.content.read(BODY_BYTES + 1)
        while len(body) <= BODY_BYTES and (piece := await response.content.read(BODY_BYTES + 1 - len(body))):
            body += piece
    if response.status != 200:
        raise Mistake(f"The service that keeps the log «{source.name}» answered with status {response.status}.")
    if not source.entries:
        cut = len(body) > BODY_BYTES
        return lines_of(_whole(body[:BODY_BYTES], cut=cut)), cut
    if len(body) > BODY_BYTES:
        raise Mistake(f"The log «{source.name}» has more to say than can be read; look at a shorter time.")
    try:
        return iter(list(lines_in(json.loads(body), source.entries, source.text, source.at))), False
    except (ValueError, RecursionError) as trouble:
        raise Mistake(
            f"The service that keeps the log «{source.name}» gave an answer that cannot be read."
        ) from trouble


def _whole(text: bytes, *, cut: bool) -> str:
    """The text up to its last whole line, when it was cut: half a secret would not be known."""
    return (text.rpartition(b"\n")[0] if cut else text).decode("utf-8", "replace")


def _filled(part: str, since: datetime, until: datetime) -> str:
    for name, at in (("since", since), ("until", until)):
        part = part.replace(f"{{{name}}}", at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    return part


def _limit(spec: LogsSpec, context: StepContext) -> float:
    limit = context.timeout if spec.timeout is None else min(span(spec.timeout), context.timeout)
    return limit.total_seconds()


def _failed(error: str, started: float) -> Fact:
    return Fact(FactStatus.FAILED, error=error, duration=timedelta(seconds=perf_counter() - started))
