"""`runbook monitors`: how every monitor stands, from the bot's own database; nothing is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.console import Exit, as_json, fail, in_loop, out
from bot.cli.database import opened_store
from bot.domain.monitoring import Standing
from bot.errors import BotError
from bot.slack.views import spell
from bot.slack.views.monitors import sparkline, standing_word
from bot.slack.views.text import clip, one_line

SHIPPED = Path(__file__).resolve().parents[2] / "runbooks"


def monitors(
    system: Annotated[str, typer.Argument(help="Only this system's.")] = "",
    runbooks: Annotated[Path, typer.Option("--runbooks", help="The folder with one folder a system.")] = SHIPPED,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """List the monitors: state, last value, next look.

    From DATABASE_URL; nothing is looked at.
    """
    from bot.authoring.loader import catalogue_at
    from bot.incidents.monitors import Monitors

    async def work() -> list[Standing]:
        async with opened_store() as store:
            return list(await Monitors(store, catalogue_at(runbooks)).standing(system.lower()))

    try:
        found = in_loop(work())
    except BotError as error:
        fail(str(error), Exit.MISTAKE, error.hint)
    if json:
        as_json([data_of(each) for each in found])
        return
    for each in found:
        out.print(line_of(each), markup=False, soft_wrap=True)


def line_of(standing: Standing) -> str:
    """A monitor in one line."""
    monitor, watched = standing.monitor, standing.watched
    value = clip(one_line(f"{watched.value} {monitor.unit}".strip() if watched.value else ""), 20)
    line = (
        f"{standing.system:12} {standing_word(standing):9} {monitor.key:22} {value:20} {sparkline(watched.history):20}"
    )
    rest = [f"alert {monitor.alert}"] if monitor.alert is not None else []
    rest += [f"since {spell.day_and_time(watched.since)}"] if watched.since is not None else []
    rest += [f"next {spell.utc(watched.next_at)}"] if watched.next_at is not None else []
    rest += [f"muted by {one_line(standing.muted)}"] if standing.muted else []
    rest += [one_line(watched.failed)] if watched.failed else []
    return f"{line} {' · '.join(rest)}".rstrip()


def data_of(standing: Standing) -> dict[str, Any]:
    """A monitor as data for machines; times are ISO 8601 in UTC."""
    monitor, watched = standing.monitor, standing.watched
    times = {
        name: None if moment is None else moment.isoformat()
        for name, moment in (
            ("since", watched.since),
            ("last_at", watched.last_at),
            ("next_at", watched.next_at),
            ("pending_since", watched.pending_since),
            ("unreadable_since", watched.broken_since),
        )
    }
    return {
        "system": standing.system,
        "key": monitor.key,
        "title": monitor.title,
        "severity": monitor.severity,
        "state": standing_word(standing),
        "value": watched.value,
        "unit": monitor.unit,
        "said": watched.said,
        **times,
        "told": watched.told,
        "muted_by": standing.muted,
        "failed": watched.failed,
        "runbook": monitor.runbook,
        "alert": monitor.alert,
        "history": [[point.at.isoformat(), point.value] for point in watched.history],
    }
