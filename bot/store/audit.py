"""The append-only, hash-chained audit trail: reading it, and proving that nothing was changed or left out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import audit

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One recorded event; `data` is what the event carried. `hash` is the SHA-256 of `previous`, which is the hash of
    the line before, a line break and `body`, the line's canonical JSON."""

    seq: int
    at: datetime
    kind: str
    actor: str
    run_id: str | None
    incident_id: str | None
    data: Mapping[str, Any]
    body: str = ""
    previous: str = ""
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest line of the trail, which stands for all before it; `seq` is 0 and `at` None while there is none."""

    seq: int
    hash: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChainReport:
    """Whether the chain holds: how many lines fit from the first one on, and the first one that does not, if any.

    `problem` says in a sentence what is wrong there, `head` is the last line that fits, and `anchors` counts the
    anchored heads that were found in the chain.
    """

    lines: int
    broken_at: int | None = None
    problem: str = ""
    head: Head = field(default=Head(0, GENESIS), compare=False)
    anchors: int = field(default=0, compare=False)


async def read(
    connection: AsyncConnection,
    *,
    run_id: str | None = None,
    incident_id: str | None = None,
    kinds: Sequence[str] = (),
    after: int = 0,
) -> list[AuditLine]:
    """The lines about a run or an incident, of these kinds (empty: of all) and after a line of the trail, oldest
    first."""
    query = select(audit).where(audit.c.seq > after).order_by(audit.c.seq)
    if kinds:
        query = query.where(audit.c.kind.in_(kinds))
    if run_id is not None:
        query = query.where(audit.c.run_id == run_id)
    if incident_id is not None:
        query = query.where(audit.c.incident_id == incident_id)
    return [_line(row) for row in await connection.execute(query)]


async def between(
    connection: AsyncConnection, since: datetime, until: datetime | None = None, *, run_id: str | None = None
) -> AsyncGenerator[AuditLine, None]:
    """The lines from `since` on and before `until`, oldest first, read as they are asked for, from a snapshot."""
    query = select(audit).where(audit.c.at >= since).order_by(audit.c.seq)
    if until is not None:
        query = query.where(audit.c.at < until)
    if run_id is not None:
        query = query.where(audit.c.run_id == run_id)
    async with connection.stream(query) as rows:
        async for row in rows:
            yield _line(row)


async def head(connection: AsyncConnection) -> Head:
    """The newest line."""
    query = select(audit.c.seq, audit.c.hash, audit.c.at).order_by(audit.c.seq.desc()).limit(1)
    row = (await connection.execute(query)).one_or_none()
    return Head(0, GENESIS) if row is None else Head(row.seq, row.hash, row.at)


async def verify_chain(connection: AsyncConnection, anchors: Sequence[Head] = ()) -> ChainReport:
    """Recompute every hash from the first line on, compare each line's columns with the text that was hashed, and find
    every anchored head, in a snapshot. An anchor has to be older than this look at the trail."""
    expected: dict[int, list[Head]] = {}
    for anchor in anchors:
        expected.setdefault(anchor.seq, []).append(anchor)
    last, found = Head(0, GENESIS), 0
    problem = _not_anchored(last, expected.get(0, ()))
    if problem:
        return ChainReport(0, 0, problem)
    async with connection.stream(select(audit).order_by(audit.c.seq)) as rows:
        async for row in rows:
            place, problem = last.seq + 1, _misfit(row, last)
            if not problem:
                anchored = expected.get(place, ())
                problem = _not_anchored(Head(row.seq, row.hash), anchored)
                found += 0 if problem else len(anchored)
            if problem:
                return ChainReport(last.seq, place if row.seq > place else row.seq, problem, last, found)
            last = Head(row.seq, row.hash, row.at)
    furthest = max(expected, default=0)
    if furthest > last.seq:
        missing = f"line {last.seq + 1:,} is missing: the anchor saw {furthest:,} lines, and the trail ends before"
        return ChainReport(last.seq, last.seq + 1, missing, last, found)
    return ChainReport(last.seq, None, "", last, found + len(expected.get(0, ())))


def digest(previous: str, body: str) -> str:
    """The hash of a line: SHA-256 in hex of the hash before, a line break and the line's text."""
    return hashlib.sha256(f"{previous}\n{body}".encode("utf-8", "surrogatepass")).hexdigest()


def told(body: str) -> Mapping[str, Any]:
    """What a line's text says; nothing when somebody has made it something else."""
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _misfit(row: Any, last: Head) -> str:
    """Why a line does not follow the last one; empty when it does."""
    if row.seq != last.seq + 1:
        return f"line {last.seq + 1:,} is missing" if row.seq > last.seq else f"line {row.seq:,} has no place"
    if row.previous != last.hash:
        return f"line {row.seq:,} does not follow the line before it"
    if row.hash != digest(row.previous, row.body):
        return f"the text of line {row.seq:,} is not what was hashed"
    body = told(row.body)
    try:
        columns = {
            "at": datetime.fromisoformat(body["at"]),
            "kind": body["kind"],
            "actor": body["actor"],
            "run_id": body["run"],
            "incident_id": body["incident"],
        }
    except (ValueError, KeyError, TypeError):
        return f"the text of line {row.seq:,} is not a line of an audit trail"
    wrong = [name for name, value in columns.items() if getattr(row, name) != value]
    return f"«{wrong[0]}» of line {row.seq:,} is not what was hashed" if wrong else ""


def _not_anchored(line: Head, anchors: Sequence[Head]) -> str:
    if all(anchor.hash == line.hash for anchor in anchors):
        return ""
    return f"line {line.seq:,} is not the one that was anchored"


def _line(row: Any) -> AuditLine:
    data = told(row.body).get("data") or {}
    where = (row.run_id, row.incident_id)
    return AuditLine(row.seq, row.at, row.kind, row.actor, *where, data, row.body, row.previous, row.hash)
