"""Proofs in the database: for each runbook, kind and version how the last try ended, and when one last passed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.domain.events import Event, Happened
from bot.domain.proof import Proof, ProofKind
from bot.store.session import Connection, Transaction
from bot.store.tables import proofs


async def record(tx: Transaction, kind: ProofKind, tries: Collection[Proof], by: str) -> Sequence[Proof]:
    """Store how these tries of one kind ended, with a line in the audit trail; those that were newer than what was
    known. What is known already is kept."""
    # In one order, so that two who record at once wait for each other and never in a circle.
    ordered = sorted(tries, key=lambda one: (one.runbook, one.version))
    taken = [each for each in ordered if await _newer(tx, kind, each)]
    if taken:
        failed = [each.runbook for each in taken if not each.passed]
        about = {"kind": kind, "system": sorted({each.system for each in taken})}
        tx.record(Event(Happened.RUNBOOKS_PROVEN, by, {**about, "passed": len(taken) - len(failed), "failed": failed}))
    return taken


async def _newer(tx: Transaction, kind: ProofKind, tried: Proof) -> bool:
    """Whether a try was stored; one that was known, or is older than what is known, is not."""
    values = {
        "system": tried.system,
        "passed": tried.passed,
        "at": tried.at,
        "detail": tried.detail,
        "last_passed": tried.at if tried.passed else None,
    }
    query = upsert(proofs).values(runbook=tried.runbook, kind=kind, version=tried.version, **values)
    fresh: dict[str, Any] = {name: query.excluded[name] for name in values}
    fresh["last_passed"] = func.coalesce(query.excluded.last_passed, proofs.c.last_passed)
    query = query.on_conflict_do_update(
        index_elements=["runbook", "kind", "version"], set_=fresh, where=proofs.c.at < query.excluded.at
    )
    return bool((await tx.connection.execute(query.returning(proofs.c.runbook))).first())


async def known(connection: Connection, systems: Collection[str], versions: Collection[str]) -> Sequence[Proof]:
    """What is known of the runbooks of these systems: of each runbook and kind the try with one of these versions, and
    of all others the one that passed last."""
    current = proofs.c.version.in_(versions).label("current")
    told = select(proofs, current).where(proofs.c.system.in_(systems)).subquery()
    one = (told.c.runbook, told.c.kind, told.c.current)
    query = select(told).ext(distinct_on(*one))
    query = query.order_by(*one, told.c.last_passed.desc().nulls_last(), told.c.at.desc())
    return [
        Proof(
            row.runbook, row.system, row.version, ProofKind(row.kind), row.passed, row.at, row.detail, row.last_passed
        )
        for row in await connection.execute(query)
    ]
