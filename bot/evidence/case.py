"""Everything the bot has on record about one run, read at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.authoring.catalogue import Catalogue
from bot.domain.change import sha256_of, shown
from bot.domain.facts import to_json
from bot.domain.incident import Incident
from bot.domain.items import Item
from bot.domain.run import Run
from bot.domain.runbook import Runbook
from bot.errors import Misconfigured, Mistake
from bot.runs.library import Library
from bot.store import approvals, audit, incidents, items, runs
from bot.store.approvals import Asked, FiledEffect, FiledRequest
from bot.store.audit import AuditLine, ChainReport
from bot.store.runs import Documents, StoredFact
from bot.store.session import Connection, Store


@dataclass(frozen=True, slots=True)
class Part:
    """What was asked for one action; `holds` is whether the data that its digest was made of gives it and says what is
    stored beside them, or None when an earlier release did not keep them."""

    action: str
    asked: Asked
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Request:
    """One request with its parts, and the data whose SHA-256 is the digest that votes are bound to."""

    filed: FiledRequest
    parts: tuple[Part, ...]
    material: Any
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Case:
    """What is known about a run. `runbook` is None when this release cannot read the stored version; then actions are
    named by their keys."""

    run: Run
    runbook: Runbook | None
    incident: Incident | None
    documents: Documents | None
    facts: Sequence[StoredFact]
    requests: Sequence[Request]
    effects: Sequence[FiledEffect]
    lines: Sequence[AuditLine]
    chain: ChainReport


@dataclass(frozen=True, slots=True)
class IncidentCase:
    """What is known about an incident: its runs, oldest first, and its lines of the audit trail."""

    incident: Incident
    cases: Sequence[Case]
    lines: Sequence[AuditLine]
    chain: ChainReport
    items: Sequence[Item] = ()


async def case_of(store: Store, number: int) -> Case:
    """The case of the run with this number; the whole trail is verified on the way. Raises `Mistake` when there is no
    such run."""
    async with store.snapshot() as connection:
        run = await runs.by_number(connection, number)
        if run is None:
            raise Mistake(f"There is no run {number}.")
        incident = None if run.incident is None else await incidents.get(connection, run.incident)
        return await _case(store, connection, run, incident, await audit.verify_chain(connection))


async def incident_case(store: Store, incident_id: str) -> IncidentCase:
    """The case of an incident with those of its runs, read at one moment; the trail is verified once. Raises `Mistake`
    when there is no such incident."""
    async with store.snapshot() as connection:
        incident = await incidents.get(connection, incident_id)
        if incident is None:
            raise Mistake("This incident is not known here.")
        chain = await audit.verify_chain(connection)
        of_it = await runs.of_incident(connection, incident_id)
        cases = [await _case(store, connection, run, incident, chain) for run in of_it]
        lines = await audit.read(connection, incident_id=incident_id)
        return IncidentCase(incident, cases, lines, chain, await items.of_incident(connection, incident_id))


async def _case(store: Store, connection: Connection, run: Run, incident: Incident | None, chain: ChainReport) -> Case:
    return Case(
        run=run,
        runbook=await _runbook(store, run),
        incident=incident,
        documents=await runs.version(connection, run.version),
        facts=await runs.stored_facts(connection, run.id),
        requests=[proven(each) for each in await approvals.filed(connection, run_id=run.id)],
        effects=await approvals.every_effect(connection, run.id),
        lines=await audit.read(connection, run_id=run.id),
        chain=chain,
    )


async def _runbook(store: Store, run: Run) -> Runbook | None:
    """The runbook as the run has it, never as a folder has it today."""
    try:
        return (await Library(Catalogue(), store).of_run(run))[0]
    except Misconfigured:
        return None


def proven(filed: FiledRequest) -> Request:
    """A request with the proof of its digest. A request for one action is bound to that action's digest, one for a plan
    to those of all its actions and the policy that joins theirs."""
    parts = tuple(_part(action, asked) for action, asked in filed.stored.parts.items())
    material = parts[0].asked.bound
    if len(parts) > 1:
        material = to_json({"plan": [part.asked.digest for part in parts], "policy": filed.policy})
    known = None not in [part.holds for part in parts]
    holds = all(part.holds for part in parts) and sha256_of(material) == filed.request.digest
    return Request(filed, parts, material, holds if known else None)


def _part(action: str, asked: Asked) -> Part:
    bound = asked.bound
    if bound is None:
        return Part(action, asked, None)
    same = bound["spec"] == to_json(asked.spec) and bound["shown"] == to_json(shown(asked.preview))
    return Part(action, asked, same and sha256_of(bound) == asked.digest)
