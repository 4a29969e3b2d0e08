"""`runbook fault`: what can go wrong in the sandbox's systems, and making it so."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import Exit, as_json, fail, in_loop, out

fault = typer.Typer(no_args_is_help=True, help="Break the systems of a running sandbox, and heal them.")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Data = Annotated[Path | None, typer.Option(help="The sandbox's folder, as given to runbook sandbox.")]


@fault.command("list")
def list_(system: Annotated[str, typer.Argument(help="Only this system.")] = "", json: AsJson = False) -> None:
    """Name every fault, and the runbooks whose drills use it."""
    from bot.cli.drills import drills_of
    from bot.sandbox.systems import SYSTEMS

    used: dict[str, set[str]] = {}
    for drill in drills_of([], every=True):
        used.setdefault(f"{drill.system}/{drill.fault}", set()).add(drill.runbook)
    known = [f"{each.id}/{name}" for each in SYSTEMS.values() for name in each.faults if system in ("", each.id)]
    if json:
        as_json([{"fault": name, "runbooks": sorted(used.get(name, ()))} for name in known])
        return
    for name in known:
        out.print(f"{name:44} {', '.join(sorted(used.get(name, ())))}".rstrip(), markup=False)


@fault.command()
def plant(name: Annotated[str, typer.Argument(help="Such as alacarte/webhook_missed.")], data: Data = None) -> None:
    """Plant a fault in the sandbox that is running."""
    system, planted = _named(name)
    ids = _told(data, "plant", system, planted)
    out.print(f"Planted {system}/{planted}. {' '.join(f'{key}={value}' for key, value in ids.items())}", markup=False)


@fault.command()
def heal(system: Annotated[str, typer.Argument(help="Such as alacarte.")], data: Data = None) -> None:
    """Make a system healthy again, whatever was planted in it."""
    from bot.sandbox.systems import SYSTEMS

    if system not in SYSTEMS:
        fail(f"There is no system «{system}».", Exit.MISTAKE, f"Known: {', '.join(SYSTEMS)}.")
    _told(data, "heal", system)
    out.print(f"{system} is healthy again.", markup=False)


def _named(name: str) -> tuple[str, str]:
    """A fault's system and name; dashes are as good as underscores."""
    from bot.sandbox.systems import SYSTEMS

    system, _, planted = name.partition("/")
    planted = planted.replace("-", "_")
    if system not in SYSTEMS or planted not in SYSTEMS[system].faults:
        fail(f"There is no fault «{name}».", Exit.MISTAKE, "runbook fault list names them all.")
    return system, planted


def _told(data: Path | None, what: str, system: str, name: str = "") -> dict[str, str]:
    from bot.sandbox.control import tell
    from bot.sandbox.postgres_places import default_home

    return in_loop(tell((data or default_home()).absolute(), what, system, name))
