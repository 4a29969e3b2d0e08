"""Changing rows: shown first by running it and rolling back, done later only if it still is what was shown, once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from asyncpg import exceptions as pg

from bot.domain.change import EffectKey, Preview, Receipt, RowChange, carried, comparable
from bot.domain.facts import MAX_CELL, to_json
from bot.errors import BotError, Mistake, Refusal
from bot.steps import sql_receipts as receipts
from bot.steps.base import Done, Failed, Outcome
from bot.steps.sql_errors import LOST, TROUBLE, sentence
from bot.steps.sql_read import opening
from bot.steps.sql_rehearsal import LINES, Effect, inverse_rows, key_line, looks_outside, rehearse
from bot.steps.sql_shape import Change, Verb
from bot.steps.targets import Connection, ReachedDatabase, Targets, end

ISOLATION = "ISOLATION LEVEL REPEATABLE READ, READ WRITE"  # the rows shown and the rows changed are of one moment
DIFFERENCES = 3


@dataclass(frozen=True, slots=True)
class Job:
    """Changes of rows with everything they need: the statements as written, read, and the limits the author set."""

    reached: ReachedDatabase
    targets: Targets
    statements: tuple[str, ...]
    changes: tuple[Change, ...]
    values: Mapping[str, Any]
    timeout: timedelta
    expect_rows: int | None
    max_rows: int | None

    def said(self, trouble: BaseException) -> str:
        """The trouble as one sentence."""
        return sentence(trouble, self.reached, self.targets, self.timeout.total_seconds())


class _Drift(BotError):
    """What is about to happen is not what was approved."""


async def preview(job: Job) -> Preview:
    """What the changes would do, found by doing them and rolling back. Raises Refusal and Misconfigured."""
    try:
        async with job.reached.connection(job.timeout) as connection:
            if job.reached.database.receipts is not None:
                await receipts.must_exist(connection, job.reached.database.receipts)
            effect = await _rolled_back(connection, job)
    except Mistake as mistake:
        raise Refusal(job.targets.redact(mistake.sentence), hint=mistake.hint) from mistake
    except TROUBLE as trouble:
        raise Refusal(job.said(trouble)) from trouble
    _check_rows(job, effect)
    return _shown(job, effect)


async def _rolled_back(connection: Connection, job: Job) -> Effect:
    await connection.execute(opening(ISOLATION, job.timeout))
    try:
        outside = await looks_outside(connection, job.changes)
        effect = await rehearse(connection, job.changes, job.values, run=not outside)
        effect.outside = outside
        return effect
    finally:
        await end(connection)


def _check_rows(job: Job, effect: Effect) -> None:
    unknown = effect.outside and any(change.verb is Verb.INSERT for change in job.changes)
    if job.expect_rows is not None and effect.rows != job.expect_rows and not unknown:
        raise Refusal(f"Expected {_rows(job.expect_rows)} to change, and it would be {effect.rows:,}.")
    if job.max_rows is not None and effect.rows > job.max_rows:
        raise Refusal(f"{_rows(effect.rows)} would change, and at most {job.max_rows:,} may.")
    if not effect.rows and not unknown:
        raise Refusal("Nothing would change: no row matches.")


def _shown(job: Job, effect: Effect) -> Preview:
    exact = not effect.outside
    payload: dict[str, Any] = {
        "database": job.reached.database.name,
        "statements": list(job.statements),
        "values": {name: _value(job.targets, value) for name, value in sorted(job.values.items())},
    }
    lines = list(effect.lines)
    warnings = [f"This could not be rehearsed: {why}." for why in effect.outside]
    if not exact:
        payload["matching"] = _matching(effect)
        lines += [key_line(row) for row in effect.touched[:LINES]]
        if len(effect.touched) > LINES:
            lines.append(f"… and {len(effect.touched) - LINES:,} more rows.")
    warnings += _every_row(job)
    reversible = exact and effect.restorable
    return Preview(
        headline=_headline(job.changes, effect),
        payload=payload,
        changes=effect.changes() if exact else (),
        counts=dict(effect.counts),
        lines=tuple(lines),
        warnings=tuple(warnings),
        exact=exact,
        reversible=reversible,
        undo="the rows are set back, if nobody changed them since" if reversible else _why_not(effect),
    )


def _every_row(job: Job) -> list[str]:
    return [
        f"{change.verb.upper()} of {change.table} has no WHERE: it takes every row."
        for change in job.changes
        if change.verb is not Verb.INSERT and change.where is None
    ]


def _why_not(effect: Effect) -> str:
    if effect.taken_along:
        return "cannot be undone: rows of other tables go along"
    if effect.outside:
        return "cannot be undone: what it does could not be rehearsed"
    return "cannot be undone: a table has no primary key, or columns this role may not read"


def _value(targets: Targets, value: Any) -> Any:
    """A bound value as it is shown: masked, and if long, cut and named by its hash."""
    if not isinstance(value, str):
        return value
    masked = targets.redact(value)
    if len(masked) <= MAX_CELL and masked == value:
        return value
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{masked[:200]}… ({len(value):,} characters, SHA-256 {digest}…)"


def _matching(effect: Effect) -> str:
    rows = sorted(
        json.dumps([row.table.shown, to_json((row.before or row.after or _NO).text)]) for row in effect.touched
    )
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Nothing:
    text: Mapping[str, str | None]


_NO = _Nothing({})
_VERBS = {Verb.INSERT: "inserted", Verb.UPDATE: "changed", Verb.DELETE: "deleted"}


def _headline(changes: Sequence[Change], effect: Effect) -> str:
    verbs = {_VERBS[change.verb] for change in changes}
    verb = verbs.pop() if len(verbs) == 1 else "changed"
    parts = [f"{_rows(number)} of {table}" for table, number in effect.counts.items() if number]
    total = sum(effect.counts.values())
    return f"{', '.join(parts) or 'No row'} {'is' if total == 1 else 'are'} {verb}"


def _rows(number: int) -> str:
    return f"{number:,} {'row' if number == 1 else 'rows'}"


# -- acting ------------------------------------------------------------------------------------------------------------


class _Progress:
    """Whether COMMIT has been sent: from there on a broken connection says nothing about the outcome."""

    committing = False


async def apply(job: Job, approved: Preview, key: EffectKey) -> Outcome:
    """Do the changes in one transaction with their receipt, if they still are what was approved; never twice."""
    progress = _Progress()
    try:
        async with job.reached.connection(job.timeout) as connection:
            try:
                return await _in_transaction(connection, job, approved, key, progress)
            finally:
                await end(connection)
    except _Drift as drift:
        return Failed(drift.sentence, drift=True)
    except BotError as refused:
        return Failed(refused.sentence, drift=isinstance(refused, Refusal))
    except TROUBLE as trouble:
        if progress.committing and isinstance(trouble, LOST):
            return await receipts.settle(job.reached, key)
        moved = isinstance(trouble, pg.SerializationError | pg.DeadlockDetectedError)
        if moved and job.reached.database.receipts is not None:  # the rows may have been changed by this very effect
            settled = await receipts.settle(job.reached, key)
            if isinstance(settled, Done):
                return settled
        return Failed(f"{job.said(trouble)} Nothing was changed.", drift=moved)


async def _in_transaction(
    connection: Connection, job: Job, approved: Preview, key: EffectKey, progress: _Progress
) -> Outcome:
    kept = job.reached.database.receipts
    await connection.execute(opening(ISOLATION, job.timeout))
    if kept is not None:
        await receipts.hold(connection, key)
        done = await receipts.find(connection, kept, key)
        if done is not None:
            return Done(done)
    effect = await _redo(connection, job, approved)
    receipt = Receipt(
        _headline(job.changes, effect), effect.changes(), dict(effect.counts), _detail(job, approved, effect)
    )
    if kept is not None:
        try:
            await receipts.write(connection, kept, key, receipt)
        except pg.UniqueViolationError:
            await connection.execute("ROLLBACK")
            return await receipts.settle(job.reached, key)
    progress.committing = True
    if await connection.execute("COMMIT") != "COMMIT":
        return Failed("The database rolled the change back: nothing was changed.")
    return Done(receipt)


async def _redo(connection: Connection, job: Job, approved: Preview) -> Effect:
    """Run the changes again, and raise `_Drift` unless they are the approved ones."""
    if not approved.exact:
        found = await rehearse(connection, job.changes, job.values, run=False)
        if _matching(found) != approved.payload.get("matching"):
            raise _Drift("The rows that match are no longer the ones that were approved.")
    elif await looks_outside(connection, job.changes):
        raise _Drift("A trigger or table was changed since the approval: what happens could reach further.")
    effect = await rehearse(connection, job.changes, job.values, run=True)
    _check_rows(job, effect)
    if approved.exact:
        difference = differs(approved, effect.changes(), effect.counts)
        if difference:
            raise _Drift(difference)
    return effect


def _detail(job: Job, approved: Preview, effect: Effect) -> dict[str, Any]:
    detail: dict[str, Any] = {"database": job.reached.database.name}
    if approved.reversible and effect.restorable:
        detail["undo"] = inverse_rows(effect)
    return detail


def differs(approved: Preview, changes: Sequence[RowChange], counts: Mapping[str, int]) -> str:
    """What is different from the approved preview, in words; empty when nothing is."""
    changes = carried(changes, approved.changes)
    was = {_canonical(change): change for change in approved.changes}
    now = {_canonical(change): change for change in changes}
    if dict(approved.counts) == dict(counts) and sorted(map(_canonical, approved.changes)) == sorted(
        map(_canonical, changes)
    ):
        return ""
    if dict(approved.counts) != dict(counts):
        then = ", ".join(f"{number:,} of {table}" for table, number in approved.counts.items()) or "none"
        today = ", ".join(f"{number:,} of {table}" for table, number in counts.items()) or "none"
        return f"Approved were rows: {then}; now it would be {today}. Nothing was changed."
    said = [_moved(was[key], now) for key in was if key not in now][:DIFFERENCES]
    return f"{' '.join(said)} Nothing was changed."


def _canonical(change: RowChange) -> str:
    return json.dumps(comparable(change), sort_keys=True)


def _moved(change: RowChange, now: Mapping[str, RowChange]) -> str:
    """How one approved row differs from what is there now."""
    name = ", ".join(f"{key} = {value}" for key, value in change.key.items()) or "a row"
    twin = next((each for each in now.values() if each.table == change.table and each.key == change.key), None)
    if twin is None:
        return f"{change.table} ({name}) is no longer among the rows."
    for side, then, today in (("", change.before, twin.before), (" after the change", change.after, twin.after)):
        for column, value in (then or {}).items():
            if column in change.assumed or (side and column in change.volatile):
                continue
            if (today or {}).get(column) != value:
                seen = (today or {}).get(column)
                return f"{change.table} ({name}): {column} was {value}{side} when approved and is {seen} now."
    return f"{change.table} ({name}) has changed since the approval."
