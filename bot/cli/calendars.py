"""`runbook calendar`: a month as it was kept, with who ticked what, from the bot's own database."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.console import as_json, in_loop, out
from bot.cli.database import opened_store
from bot.errors import Mistake

if TYPE_CHECKING:
    from bot.domain.months import Kept

Zoned = tuple[str, "Sequence[Kept]"]


def calendar(
    month: Annotated[str, typer.Option(help="The month, such as 2026-11; this one if not said.")] = "",
    system: Annotated[str, typer.Option(help="Only this system; all of them if not said.")] = "",
    csv: Annotated[bool, typer.Option("--csv", help="Print a table for spreadsheets.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """List what came round in a month.

    When it was planned, started and done, who ticked what and when, and what stayed open; what is still to come is
    listed as planned. Times are those of each calendar.
    """
    from bot.slack.views.calendar import COLUMNS, csv_rows, csv_text, month_rows

    found = in_loop(_months(month, system))
    if json:
        as_json([row for zone, kept in found.values() for each in kept for row in month_rows(each, zone, {})])
    elif csv:
        table = [COLUMNS, *(row for zone, kept in found.values() for row in csv_rows(kept, zone, {}))]
        sys.stdout.buffer.write(csv_text(table).encode("utf-8", "replace"))
    else:
        for id, (zone, kept) in found.items():
            out.print(f"{id}, in the time of {zone}", style="bold", markup=False)
            for each in kept:
                _print(each, zone)


def _print(kept: Kept, zone: str) -> None:
    from bot.slack.views.calendar import local
    from bot.slack.views.text import one_line

    run = "" if kept.run is None else f", run {kept.run}"
    why = f": {one_line(kept.why)}" if kept.why else ""
    out.print(f"  {local(kept.at, zone)}  {one_line(kept.title)}: {kept.stands}{run}{why}", markup=False)
    for each in kept.items:
        who = f"  {each.by or 'the bot'}" if each.done else ""
        when = f" {local(each.at, zone)}" if each.at is not None else ""
        out.print(f"    {'x' if each.done else '-'} {one_line(each.title)}{who}{when}", markup=False)


async def _months(month: str, system: str) -> Mapping[str, Zoned]:
    """The zone and the occurrences of each system. Raises `Mistake` for a month or a system that there is not."""
    from bot.authoring.loader import catalogue_at
    from bot.domain.appointments import month_of
    from bot.runs.library import Library
    from bot.runs.months import Months
    from bot.settings import read_settings

    wanted = _month(month)
    async with opened_store() as store:
        catalogue = catalogue_at(read_settings().runbooks_path)
        if system and system not in catalogue.systems:
            raise Mistake(f"There is no system «{system}».", hint=f"Known ones: {', '.join(catalogue.systems)}.")
        months = Months(store, Library(catalogue, store))
        found = {}
        for id, each in months.calendars(system).items():
            year, number = wanted or month_of(store.clock.now(), each.zone)
            found[id] = (each.zone, await months.month(id, year, number))
        return found


def _month(said: str) -> tuple[int, int] | None:
    year, _, number = said.partition("-")
    if not said:
        return None
    if not (year.isdecimal() and number.isdecimal() and 2000 <= int(year) < 2100 and 1 <= int(number) <= 12):
        raise Mistake(f"«{said}» is no month.", hint="Write it like 2026-11.")
    return int(year), int(number)
