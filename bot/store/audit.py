"""The append-only, hash-chained audit trail: reading it, and proving that nothing was changed or left out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import audit

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One recorded event; `data` is what the event carried."""

    seq: int
    at: datetime
    kind: str
    actor: str
    run_id: str | None
    incident_id: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChainReport:
    """Whether the chain holds: how many lines were read, and the first line that does not fit, if any."""

    lines: int
    broken_at: int | None = None


async def read(
    connection: AsyncConnection, *, run_id: str | None = None, incident_id: str | None = None
) -> list[AuditLine]:
    """The lines about a run or an incident, oldest first."""
    query = select(audit).order_by(audit.c.seq)
    if run_id is not None:
        query = query.where(audit.c.run_id == run_id)
    if incident_id is not None:
        query = query.where(audit.c.incident_id == incident_id)
    rows = await connection.execute(query)
    return [
        AuditLine(row.seq, row.at, row.kind, row.actor, row.run_id, row.incident_id, json.loads(row.body)["data"])
        for row in rows
    ]


async def verify_chain(connection: AsyncConnection) -> ChainReport:
    """Recompute every hash from the first line on."""
    previous, count = GENESIS, 0
    rows = await connection.stream(select(audit).order_by(audit.c.seq))
    async for row in rows:
        count += 1
        digest = hashlib.sha256(f"{previous}\n{row.body}".encode()).hexdigest()
        if row.seq != count or row.previous != previous or row.hash != digest:
            return ChainReport(count, row.seq)
        previous = row.hash
    return ChainReport(count)
