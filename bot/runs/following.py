"""Starting another runbook from a run: in its incident, in the transaction that records it, and never in circles."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeAlias

from bot.authoring.inputs import parse_inputs
from bot.domain.change import EffectKey, Receipt
from bot.domain.run import ActionRun, Run
from bot.errors import BadInputs
from bot.runs.actions import start
from bot.runs.work import Work
from bot.steps.base import Done, Failed, Starts
from bot.store import runs
from bot.store.session import Connection, Transaction

Begin: TypeAlias = Callable[[Transaction], Awaitable[None]]


async def followed(work: Work, going: ActionRun, effect: EffectKey, wanted: Starts) -> tuple[Done | Failed, Begin]:
    """How the step ends, and what starts the other run in the transaction that records that end.

    A runbook that ran in this incident with the same inputs is not started again: two that name each other end here.
    """
    runbook = work.library.catalogue.get(wanted.runbook)
    if runbook is None or runbook.system != work.system.id:
        return Failed(f"{work.system.title} has no runbook {wanted.runbook} any more."), _nothing
    try:
        inputs = parse_inputs(runbook, _as_text(wanted.inputs))
    except BadInputs as error:
        return Failed(f"{runbook.id} cannot be started: {error}"), _nothing
    async with work.store.reading() as connection:
        run = await runs.get(connection, work.lease.run_id)
        assert run is not None
        here = await _here(connection, run)
    before = next((each for each in here if (each.runbook, each.inputs) == (runbook.id, inputs)), None)
    if before is not None:
        where = "here" if run.incident is None else "in this incident"
        return Done(Receipt(f"{runbook.id} has run {where} already, as run {before.number}")), _nothing

    async def begin(tx: Transaction) -> None:
        made = await start(
            tx,
            work.library,
            runbook,
            inputs,
            requested_by=going.by or run.requested_by,
            request_key=f"from:{effect}",
            incident=run.incident,
            askers=tuple(dict.fromkeys([run.requested_by, *run.askers, *going.askers])),
            support=run.support,
            channel=run.channel,
            origin="" if run.incident else run.origin or run.id,
        )
        if run.incident is not None:
            tx.announce("incident", incident_id=run.incident)
        tx.announce("reach", run_id=made.id, incident_id=run.incident)

    return Done(Receipt(f"{runbook.id} was started: {runbook.title}")), begin


async def _here(connection: Connection, run: Run) -> Sequence[Run]:
    """The runs of its incident, or of what began with the same run outside of one."""
    if run.incident is not None:
        return await runs.of_incident(connection, run.incident)
    return await runs.led_to(connection, run.origin or run.id)


async def _nothing(_tx: Transaction) -> None:
    return None


def _as_text(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Values as a person would type them; what is null is not given."""
    return {name: _typed(value) for name, value in inputs.items() if value is not None}


def _typed(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
