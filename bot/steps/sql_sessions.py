"""Ending or interrupting database sessions: the very ones that were shown, recognised by when they began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg

from bot.domain.change import Preview, Receipt
from bot.errors import BotError, Mistake, Refusal
from bot.steps.base import Done, Failed, InDoubt, Outcome
from bot.steps.sql_errors import LOST, TROUBLE, sentence
from bot.steps.sql_read import cell, opening
from bot.steps.sql_rehearsal import fetch
from bot.steps.sql_shape import Kill
from bot.steps.targets import Connection, ReachedDatabase, Targets, end

MOST_SESSIONS = 50
QUERY_SHOWN = 300

_SESSIONS = """
SELECT pid, usename::text AS "user", application_name AS application, client_addr::text AS client, state,
       backend_start::text AS since, query_start::text AS query_since,
       left(query, 300) AS query
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND pid IN ({chosen})
ORDER BY backend_start, pid LIMIT 51
"""
_SAME = "pid = $1 AND backend_start::text = $2 AND query_start::text IS NOT DISTINCT FROM $3"


@dataclass(frozen=True, slots=True)
class KillJob:
    """Sessions to end, with everything that needs."""

    reached: ReachedDatabase
    targets: Targets
    statement: str
    kill: Kill
    values: Mapping[str, Any]
    timeout: timedelta
    expect_rows: int | None
    max_rows: int | None

    @property
    def verb(self) -> str:
        """What happens to a session, as a past participle."""
        return "ended" if self.kill.terminate else "interrupted"

    def said(self, trouble: BaseException) -> str:
        """The trouble as one sentence."""
        return sentence(trouble, self.reached, self.targets, self.timeout.total_seconds())


async def preview(job: KillJob) -> Preview:
    """The sessions that would end. Raises Refusal when there are none, or not as many as expected."""
    try:
        async with job.reached.connection(job.timeout) as connection:
            sessions = await _sessions(connection, job)
    except Mistake as mistake:
        raise Refusal(job.targets.redact(mistake.sentence), hint=mistake.hint) from mistake
    except TROUBLE as trouble:
        raise Refusal(job.said(trouble)) from trouble
    if job.expect_rows is not None and len(sessions) != job.expect_rows:
        raise Refusal(f"Expected {_count(job.expect_rows)}, and there are {len(sessions)}.")
    most = MOST_SESSIONS if job.max_rows is None else min(job.max_rows, MOST_SESSIONS)
    if len(sessions) > most:
        raise Refusal(f"More than {_count(most)} would be {job.verb}.", hint="Narrow the condition.")
    if not sessions:
        raise Refusal("No such session is there any more.")
    names = dict(sorted(job.values.items()))
    shown = [{**session, "query": job.targets.redact(session["query"])} for session in sessions]
    return Preview(
        headline=f"{_count(len(sessions))} of {job.reached.database.name} {_are(sessions)} {job.verb}",
        payload={
            "database": job.reached.database.name,
            "statements": [job.statement],
            "values": names,
            "sessions": shown,
        },
        counts={"sessions": len(sessions)},
        lines=tuple(_line(session) for session in shown),
        undo="cannot be undone: what an ended session had not committed is rolled back",
    )


async def _sessions(connection: Connection, job: KillJob) -> list[dict[str, Any]]:
    query = _SESSIONS.format(chosen=f"SELECT pid FROM {job.kill.source} WHERE {job.kill.where}")
    await connection.execute(opening("READ ONLY", job.timeout))
    try:
        return [_session(record) for record in await fetch(connection, query, job.values)]
    finally:
        await end(connection)


def _session(record: asyncpg.Record) -> dict[str, Any]:
    session = {name: cell(value) for name, value in record.items()}
    return {**session, "query": (session["query"] or "")[:QUERY_SHOWN]}


def _line(session: Mapping[str, Any]) -> str:
    who = f"pid {session['pid']}, {session['user']}, {session['application'] or 'no application name'}"
    return f"{who}: {session['state']} since {session['query_since']}: {session['query']}"


async def apply(job: KillJob, approved: Preview) -> Outcome:
    """End the approved sessions that are still the same; a pid that somebody else has now is left alone."""
    wanted = approved.payload.get("sessions") or []
    ended: list[int] = []
    try:
        async with job.reached.connection(job.timeout) as connection:
            for session in wanted:
                ended += [session["pid"]] if await _end(connection, job, session) else []
    except BotError as refused:
        return Failed(refused.sentence)
    except TROUBLE as trouble:
        if ended or isinstance(trouble, LOST):
            return InDoubt(f"{job.said(trouble)} It is not known how many sessions were {job.verb}.")
        return Failed(job.said(trouble))
    gone = len(wanted) - len(ended)
    if not ended:
        return Failed(
            "The sessions that were approved are gone or do something else now; nobody was touched.", drift=True
        )
    rest = f"; {_count(gone)} had moved on and {'was' if gone == 1 else 'were'} left alone" if gone else ""
    headline = f"{_count(len(ended))} {job.verb}{rest}"
    return Done(Receipt(headline, counts={"sessions": len(ended)}, detail={"pids": ended}))


async def _end(connection: Connection, job: KillJob, session: Mapping[str, Any]) -> bool:
    function = "pg_terminate_backend" if job.kill.terminate else "pg_cancel_backend"
    await connection.execute(opening("READ ONLY", job.timeout))
    try:
        query = f"SELECT {function}(pid) FROM pg_stat_activity WHERE {_SAME}"
        return bool(await connection.fetchval(query, session["pid"], session["since"], session["query_since"]))
    finally:
        await end(connection)


def _count(number: int) -> str:
    return f"{number} {'session' if number == 1 else 'sessions'}"


def _are(sessions: list[dict[str, Any]]) -> str:
    return "is" if len(sessions) == 1 else "are"
