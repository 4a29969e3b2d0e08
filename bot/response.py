"""Incident response, where a run meets its incident: the two use-case rooms do not know each other, this one does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.authoring.inputs import parse_inputs
from bot.domain.events import Event, Happened
from bot.domain.incident import Incident, IncidentState
from bot.domain.run import Run
from bot.domain.runbook import Runbook
from bot.incidents.actions import acknowledge
from bot.incidents.opening import open_incident
from bot.runs.actions import start
from bot.runs.library import Library
from bot.store import incidents, runs
from bot.store.session import Store, Transaction

_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Started:
    """A run and the incident it belongs to; `again` when the same command had started it before."""

    run: Run
    incident: Incident
    again: bool = False


class Response:
    """Starting runs: in the incident of the channel they are asked for in, or in an incident of their own."""

    def __init__(self, store: Store, library: Library) -> None:
        self._store = store
        self._library = library

    async def start(
        self,
        runbook: Runbook,
        raw: Mapping[str, str],
        *,
        by: str,
        request_key: str,
        channel: str | None = None,
        support: bool = False,
    ) -> Started:
        """Start a run, a `support` run for support people; durable before this returns. Raises `BadInputs` naming every
        input that does not fit."""
        inputs = parse_inputs(runbook, raw)
        system = self._library.system(runbook)
        async with self._store.transaction() as tx:
            before = await runs.by_request(tx.connection, request_key)
            if before is not None and before.incident is not None:
                known = await incidents.get(tx.connection, before.incident)
                assert known is not None
                return Started(before, known, again=True)
            here = None if channel is None else await _goes_on(tx, channel)
            if here is None or here.state is not IncidentState.OPEN:
                here = await open_incident(
                    tx,
                    self._library.catalogue,
                    system,
                    title=runbook.title,
                    severity=runbook.severity,
                    target=runbook.resolve_within,
                    by=by,
                    runbook=runbook.id,
                    taken=True,
                )
            elif here.acknowledged_at is None and not support:
                here = await acknowledge(tx, self._library.catalogue, here, by)
            run = await start(
                tx,
                self._library,
                runbook,
                inputs,
                requested_by=by,
                request_key=request_key,
                incident=here.id,
                support=support,
            )
            tx.announce("incident", incident_id=here.id)
            tx.announce("reach", run_id=run.id, incident_id=here.id)
            return Started(run, here)

    async def refused(
        self, by: str, reason: str, *, run: Run | None = None, about: Mapping[str, str] = _NOTHING
    ) -> None:
        """Put on record that somebody was turned away, and why."""
        async with self._store.transaction() as tx:
            where = {} if run is None else {"run_id": run.id, "incident_id": run.incident}
            tx.record(Event(Happened.SUPPORT_REFUSED, by, {"reason": reason, **about}), **where)


async def _goes_on(tx: Transaction, channel: str) -> Incident | None:
    """The incident of a channel; that of a duplicate is the one it was merged into."""
    here = await incidents.by_channel(tx.connection, channel)
    while here is not None and here.merged_into is not None:
        here = await incidents.get(tx.connection, here.merged_into)
    return here
