"""What a monitor shows: its value over the facts of the system's checks, and whether anybody should be told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.authoring.templates import TemplateError, compile_expression, compile_template
from bot.domain.events import BOT
from bot.domain.facts import Fact, FactStatus
from bot.domain.monitoring import Reading
from bot.domain.operations import Monitor, Operations
from bot.domain.runbook import Check
from bot.domain.system import System
from bot.runs.sight import Sight
from bot.steps.targets import Targets

log = structlog.get_logger(__name__)

TIME_BOX = timedelta(seconds=45)


@dataclass(frozen=True, slots=True)
class _Moment:
    """One moment for everything that is looked at together: monitors that ask the same are told the same."""

    at: datetime

    def now(self) -> datetime:
        """That moment."""
        return self.at


def read(monitor: Monitor, scope: Mapping[str, Any]) -> Reading:
    """What the monitor shows over a scope of facts."""
    try:
        value = compile_expression(monitor.value).evaluate(scope) if monitor.value else None
        seen = {**scope, "value": value}
        warns, pages = (
            bool(compile_expression(each).evaluate(seen)) if each else False for each in (monitor.warn, monitor.page)
        )
        said = compile_template(monitor.say).render(seen) if monitor.say else ""
    except TemplateError as error:
        return Reading(failed=str(error))
    return Reading(value, warns or pages, pages, said, inputs=_inputs(monitor, seen) if pages else {})


def needs(monitor: Monitor, checks: Mapping[str, Check]) -> Mapping[str, Check]:
    """The checks that a monitor reads, and those that they need, in the order of the file."""
    texts = (monitor.value, monitor.warn, monitor.page, *monitor.inputs.values())
    todo = {name for text in texts if text for name in compile_expression(text).names}
    todo |= set(compile_template(monitor.say).names) if monitor.say else set()
    wanted: set[str] = set()
    while todo:
        key = todo.pop()
        if key in checks and key not in wanted:
            wanted.add(key)
            todo |= set(checks[key].needs)
    return {key: check for key, check in checks.items() if key in wanted}


async def look(
    targets: Targets,
    system: System,
    operations: Operations,
    monitors: Sequence[Monitor],
    at: datetime,
    *,
    box: timedelta = TIME_BOX,
) -> Mapping[str, Reading]:
    """What these monitors show, by key. Each check they share is carried out once, all at the same time; one that has
    not ended within the `box` is given up, and the monitors that wait for it have no reading. Nothing is changed."""
    sight = Sight(targets, system, _Moment(at), BOT)
    looking = {
        asyncio.create_task(_reading(sight, each, needs(each, operations.checks))): each.key for each in monitors
    }
    late: Iterable[asyncio.Task[Reading]] = looking
    try:
        if looking:
            _, late = await asyncio.wait(looking, timeout=box.total_seconds())
        gone = Reading(failed=f"It took longer than {box.total_seconds():g} s to look.")
        return {key: gone if task in late else task.result() for task, key in looking.items()}
    finally:
        await sight.close(late)


async def _reading(sight: Sight, monitor: Monitor, checks: Mapping[str, Check]) -> Reading:
    """One monitor, never raising: a monitor that breaks is one that cannot be read."""
    try:
        facts = await sight.facts(checks, {})
        reading = read(monitor, sight.scope({}, facts))
    except Exception:
        log.exception("monitor broke", system=sight.system.id, monitor=monitor.key)
        return Reading(failed="The bot itself failed here.")
    if reading.failed and (why := _why(checks, facts)):
        return Reading(failed=why)
    return reading


def _why(checks: Mapping[str, Check], facts: Mapping[str, Fact]) -> str:
    """What went wrong with the first of the checks that failed."""
    for key, fact in facts.items():
        if fact.status in (FactStatus.FAILED, FactStatus.TIMED_OUT):
            return f"{checks[key].title}: {fact.error}"
    return ""


def _inputs(monitor: Monitor, scope: Mapping[str, Any]) -> dict[str, str]:
    """What the monitor's runbook would be started with; what is not known is left to whoever starts it."""
    found: dict[str, str] = {}
    for name, text in monitor.inputs.items():
        try:
            value = compile_expression(text).evaluate(scope)
        except TemplateError:
            continue
        if value is not None:
            found[name] = str(value)
    return found
