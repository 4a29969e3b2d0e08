"""What a monitor shows: its value over the facts of the system's checks, and whether anybody should be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.authoring.templates import TemplateError, compile_expression, compile_template
from bot.domain.operations import Monitor


@dataclass(frozen=True, slots=True)
class Reading:
    """One look of a monitor. `failed` says why there is none: then it neither warns nor pages, and is itself a matter
    for somebody."""

    value: Any = None
    warns: bool = False
    pages: bool = False
    said: str = ""
    failed: str = ""


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
    return Reading(value, warns or pages, pages, said)
