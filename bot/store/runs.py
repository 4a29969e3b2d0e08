"""Runs, their facts and their leases in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.change import digest_of
from bot.domain.facts import Fact
from bot.domain.run import Run, RunState
from bot.domain.tasks import due_at
from bot.store import tables
from bot.store.codec import pack, unpack
from bot.store.session import Transaction

LIVE = tuple(state for state in RunState if not state.final)


@dataclass(frozen=True, slots=True)
class Documents:
    """The text a run keeps working from: one version of a runbook and of its system."""

    version: str
    runbook: str
    system: str
    document: str
    system_document: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to advance one run for a while; the token fences whoever held it before."""

    run_id: str
    owner: str
    token: int


class LeaseLost(Exception):
    """Another worker has taken the run over; whatever this one was about to record is void."""


async def keep_version(tx: Transaction, documents: Documents) -> None:
    """Store a runbook version, once."""
    values = {
        "version": documents.version,
        "runbook": documents.runbook,
        "system": documents.system,
        "document": documents.document,
        "system_document": documents.system_document,
        "stored_at": tx.now,
    }
    await tx.connection.execute(upsert(tables.versions).values(values).on_conflict_do_nothing())


async def version(connection: AsyncConnection, name: str) -> Documents | None:
    """The documents of a stored version."""
    row = (await connection.execute(select(tables.versions).where(tables.versions.c.version == name))).one_or_none()
    if row is None:
        return None
    return Documents(row.version, row.runbook, row.system, row.document, row.system_document)


async def insert(tx: Transaction, run: Run, request_key: str) -> Run | None:
    """Store a new run and give it its number; None when the same request has started one already."""
    values: dict[str, Any] = {
        "id": run.id,
        "request_key": request_key,
        "incident_id": run.incident,
        "runbook": run.runbook,
        "version": run.version,
        "inputs_digest": digest_of(run.inputs),
        "requested_by": run.requested_by,
        "requested_at": run.requested_at,
        "state": run.state,
        "body": {},
        "support": run.support,
    }
    query = upsert(tables.runs).values(values).on_conflict_do_nothing(index_elements=["request_key"])
    number = (await tx.connection.execute(query.returning(tables.runs.c.number))).scalar_one_or_none()
    if number is None:
        return None
    numbered = unpack(Run, {**pack(run), "number": number})
    await save(tx, numbered)
    return numbered


async def save(tx: Transaction, run: Run) -> None:
    """Store where a run stands now."""
    values = {"state": run.state, "body": pack(run), "due": due_at(run, tx.now), "finished_at": run.finished_at}
    await tx.connection.execute(update(tables.runs).where(tables.runs.c.id == run.id).values(values))


async def get(connection: AsyncConnection, run_id: str) -> Run | None:
    """The run with this id."""
    body = (await connection.execute(select(tables.runs.c.body).where(tables.runs.c.id == run_id))).scalar_one_or_none()
    return None if body is None else unpack(Run, body)


async def by_number(connection: AsyncConnection, number: int) -> Run | None:
    """The run with this number."""
    query = select(tables.runs.c.body).where(tables.runs.c.number == number)
    body = (await connection.execute(query)).scalar_one_or_none()
    return None if body is None else unpack(Run, body)


async def by_request(connection: AsyncConnection, request_key: str) -> Run | None:
    """The run that a request started."""
    query = select(tables.runs.c.body).where(tables.runs.c.request_key == request_key)
    body = (await connection.execute(query)).scalar_one_or_none()
    return None if body is None else unpack(Run, body)


async def lock(tx: Transaction, run_id: str, lease: Lease | None = None) -> Run | None:
    """The run, locked until the transaction ends; raises `LeaseLost` when `lease` no longer holds."""
    columns = (tables.runs.c.body, tables.runs.c.lease_token)
    row = (
        await tx.connection.execute(select(*columns).where(tables.runs.c.id == run_id).with_for_update())
    ).one_or_none()
    if row is None:
        return None
    if lease is not None and row.lease_token != lease.token:
        raise LeaseLost(run_id)
    return unpack(Run, row.body)


async def recent(
    connection: AsyncConnection, limit: int = 20, *, live: bool = False, by: str | None = None
) -> Sequence[Run]:
    """The newest runs; with `live`, only those that have not ended, and of one person only where `by` names them."""
    query = select(tables.runs.c.body).order_by(tables.runs.c.number.desc()).limit(limit)
    if by is not None:
        query = query.where(tables.runs.c.requested_by == by)
    if live:
        query = query.where(tables.runs.c.state.in_(LIVE))
    return [unpack(Run, body) for body in (await connection.execute(query)).scalars()]


async def of_support(connection: AsyncConnection, run_ids: Collection[str]) -> Sequence[Run]:
    """Those of these runs that were started for support people."""
    query = select(tables.runs.c.body).where(tables.runs.c.id.in_(run_ids), tables.runs.c.support)
    return [unpack(Run, body) for body in (await connection.execute(query)).scalars()]


async def of_incident(connection: AsyncConnection, incident_id: str) -> Sequence[Run]:
    """The runs of an incident, oldest first."""
    query = select(tables.runs.c.body).where(tables.runs.c.incident_id == incident_id).order_by(tables.runs.c.number)
    return [unpack(Run, body) for body in (await connection.execute(query)).scalars()]


async def led_to(connection: AsyncConnection, origin: str) -> Sequence[Run]:
    """A run outside of incidents and all that it has led to, oldest first."""
    first = select(tables.runs.c.number).where(tables.runs.c.id == origin).scalar_subquery()
    mine = or_(tables.runs.c.id == origin, tables.runs.c.body["origin"].as_string() == origin)
    query = select(tables.runs.c.body).where(tables.runs.c.number >= first, mine).order_by(tables.runs.c.number)
    return [unpack(Run, body) for body in (await connection.execute(query)).scalars()]


async def previous(connection: AsyncConnection, run: Run) -> Run | None:
    """The last run of the same runbook with the same inputs that had drawn its findings."""
    query = (
        select(tables.runs.c.body)
        .where(
            tables.runs.c.runbook == run.runbook,
            tables.runs.c.inputs_digest == digest_of(run.inputs),
            tables.runs.c.number < run.number,
            tables.runs.c.body["concluded"].as_boolean().is_(True),
        )
        .order_by(tables.runs.c.number.desc())
        .limit(1)
    )
    body = (await connection.execute(query)).scalar_one_or_none()
    return None if body is None else unpack(Run, body)


# -- facts -------------------------------------------------------------------------------------------------------------


async def put_fact(tx: Transaction, run_id: str, key: str, fact: Fact) -> None:
    """Store or replace the fact of a check."""
    values = {"run_id": run_id, "check_key": key, "fact": pack(fact), "at": tx.now}
    query = upsert(tables.facts).values(values)
    query = query.on_conflict_do_update(
        index_elements=["run_id", "check_key"], set_={"fact": query.excluded.fact, "at": query.excluded.at}
    )
    await tx.connection.execute(query)


async def facts(connection: AsyncConnection, run_id: str) -> dict[str, Fact]:
    """Every fact of a run, by check."""
    query = select(tables.facts.c.check_key, tables.facts.c.fact).where(tables.facts.c.run_id == run_id)
    return {row.check_key: unpack(Fact, row.fact) for row in await connection.execute(query)}


async def seen_since(connection: AsyncConnection, run_id: str, moment: datetime) -> set[str]:
    """The checks of a run whose facts are younger than that."""
    query = select(tables.facts.c.check_key).where(tables.facts.c.run_id == run_id, tables.facts.c.at > moment)
    return set((await connection.execute(query)).scalars())


@dataclass(frozen=True, slots=True)
class StoredFact:
    """A fact as it is stored: JSON data, redacted before it was stored, and when it was."""

    key: str
    data: Any
    at: datetime


async def stored_facts(connection: AsyncConnection, run_id: str) -> Sequence[StoredFact]:
    """The facts of a run as they are stored, by check."""
    query = select(tables.facts).where(tables.facts.c.run_id == run_id).order_by(tables.facts.c.check_key)
    return [StoredFact(row.check_key, row.fact, row.at) for row in await connection.execute(query)]


# -- leases ------------------------------------------------------------------------------------------------------------
# Leases are timed by the database's own clock: it is the one clock that all replicas share.


async def take_lease(tx: Transaction, run_id: str, owner: str, ttl: timedelta) -> Lease | None:
    """The right to advance a run, if nobody else holds it."""
    runs = tables.runs
    free = or_(runs.c.lease_until.is_(None), runs.c.lease_until < func.clock_timestamp())
    query = (
        update(runs)
        .where(and_(runs.c.id == run_id, free))
        .values(lease_owner=owner, lease_token=runs.c.lease_token + 1, lease_until=func.clock_timestamp() + ttl)
        .returning(runs.c.lease_token)
    )
    token = (await tx.connection.execute(query)).scalar_one_or_none()
    return None if token is None else Lease(run_id, owner, token)


async def keep_lease(tx: Transaction, lease: Lease, ttl: timedelta) -> bool:
    """Hold on to a lease for longer; False when it was lost."""
    runs = tables.runs
    query = (
        update(runs)
        .where(and_(runs.c.id == lease.run_id, runs.c.lease_token == lease.token))
        .values(lease_until=func.clock_timestamp() + ttl)
    )
    return bool((await tx.connection.execute(query)).rowcount)


async def drop_lease(tx: Transaction, lease: Lease) -> None:
    """Let a run go, unless somebody else holds it by now."""
    runs = tables.runs
    mine = and_(runs.c.id == lease.run_id, runs.c.lease_token == lease.token)
    await tx.connection.execute(update(runs).where(mine).values(lease_until=None))


async def stranded(connection: AsyncConnection, now: datetime) -> Sequence[str]:
    """Runs that want a worker and have neither one nor a job that is about to start: what a sweeper wakes."""
    query = text(
        """
        SELECT id::text FROM runs
        WHERE due <= :now
          AND (lease_until IS NULL OR lease_until < clock_timestamp())
          AND NOT EXISTS (
            SELECT 1 FROM pgqueuer
            WHERE entrypoint = 'advance' AND payload = convert_to(runs.id::text, 'UTF8')
              AND status IN ('queued', 'picked') AND execute_after < clock_timestamp() + interval '5 seconds'
          )
        """
    )
    return list((await connection.execute(query, {"now": now})).scalars())
