"""`runbook prove` and `runbook canary`: what was drilled elsewhere goes on record here, and live checks are tried."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.console import Exit, as_json, in_loop, out
from bot.cli.database import opened_store
from bot.clock import SystemClock
from bot.domain.proof import Proof, ProofKind
from bot.errors import Mistake

if TYPE_CHECKING:
    from bot.runs.canary import Looked

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
_CLOCKS_DIFFER = timedelta(minutes=5)


def prove(
    file: Annotated[Path, typer.Argument(help="The report that `runbook drill --all --json` printed.")],
) -> None:
    """Record what was drilled elsewhere.

    A release is drilled before it goes out; this takes its report into the database of the place where it runs.
    """
    taken = in_loop(_proved(file))
    failed = [each.runbook for each in taken if not each.passed]
    out.print(recorded(taken), markup=False)
    raise typer.Exit(int(Exit.NOT_AS_WISHED if failed else Exit.DONE))


async def _proved(file: Path) -> Sequence[Proof]:
    from bot.cli.reports import proofs_in

    return await keep(proofs_in(file))


async def keep(drilled: Sequence[Proof]) -> Sequence[Proof]:
    """Record how drills ended; what is newer is taken. Raises `Mistake` for one that lies in the future."""
    from bot.store import proofs

    ahead = [each.runbook for each in drilled if each.at > SystemClock().now() + _CLOCKS_DIFFER]
    if ahead:
        raise Mistake(f"The drill of {ahead[0]} lies in the future.", hint="Is the clock right, here and there?")
    async with opened_store() as store, store.transaction() as tx:
        return await proofs.record(tx, ProofKind.DRILL, drilled, _somebody())


async def ready() -> None:
    """Raise or end unless there is a database to record into: before drills are played, and not after."""
    async with opened_store():
        return


def recorded(taken: Sequence[Proof]) -> str:
    """What was recorded, in a sentence."""
    failed = [each.runbook for each in taken if not each.passed]
    said = f"Recorded: {len(taken) - len(failed)} passed, {len(failed)} failed{': ' if failed else ''}"
    return f"{said}{', '.join(failed)}." if taken else "Nothing newer than what is on record."


def canary(
    ids: Annotated[list[str] | None, typer.Argument(help="Runbooks to try; all without any.")] = None,
    json: AsJson = False,
) -> None:
    """Try the checks of runbooks against the real targets.

    Only looks: asks nobody, proposes and changes nothing. Those are tried that need no inputs or whose inputs have a
    declared probe. How it went is recorded; the bot does the same every night.
    """
    from bot.telemetry import set_up

    set_up("ERROR")
    looked = in_loop(_tried(ids or []))
    if json:
        as_json([_data(each) for each in looked])
    else:
        for each in looked:
            out.print(_said(each), markup=False)
    tried = [each.proof for each in looked if each.proof is not None]
    if not json:
        passed = sum(each.passed for each in tried)
        out.print(f"{passed} of {len(tried)} passed; {len(looked) - len(tried)} not looked at.", markup=False)
    raise typer.Exit(int(Exit.DONE if tried and all(each.passed for each in tried) else Exit.NOT_AS_WISHED))


async def _tried(ids: Sequence[str]) -> Sequence[Looked]:
    from bot.authoring.loader import catalogue_at
    from bot.runs.canary import Canary
    from bot.runs.library import Library
    from bot.settings import environment, read_settings
    from bot.steps.targets import Targets

    async with opened_store() as store, Targets(environment()) as targets:
        catalogue = catalogue_at(read_settings().runbooks_path)
        return await Canary(store, Library(catalogue, store), targets, store.clock).tried(ids, _somebody())


def _somebody() -> str:
    return f"terminal:{getpass.getuser()}"


def _said(looked: Looked) -> str:
    if looked.proof is None:
        return f"--   {looked.runbook.id} not looked at: {looked.why}"
    lines = [f"{'ok  ' if looked.proof.passed else 'BAD '} {looked.runbook.id} {looked.proof.detail}"]
    return "\n".join([*lines, *(f"       {each}" for each in looked.silent)])


def _data(looked: Looked) -> dict[str, object]:
    proof = looked.proof
    return {
        "runbook": looked.runbook.id,
        "version": looked.runbook.version,
        "passed": None if proof is None else proof.passed,
        "detail": looked.why if proof is None else proof.detail,
        "not_looked_at": list(looked.silent),
    }
