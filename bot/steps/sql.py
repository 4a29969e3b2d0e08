"""The `sql` kind: a statement on a named database of the system; a look in checks, a gated change in actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from time import perf_counter
from typing import Annotated, Any, ClassVar, Literal, assert_never

from pydantic import Field

from bot.domain.change import EffectKey, Preview, Receipt
from bot.domain.facts import MAX_ROWS, Fact, FactStatus
from bot.domain.runbook import Effect, Section
from bot.domain.system import System
from bot.errors import BotError, Mistake, Refusal
from bot.steps import sql_change, sql_index, sql_sessions, sql_undo
from bot.steps import sql_receipts as receipts
from bot.steps.base import EXPRESSION, Complaint, Failed, InDoubt, Look, Outcome, Spec, StepContext
from bot.steps.sql_bind import names
from bot.steps.sql_change import Job
from bot.steps.sql_errors import TROUBLE, sentence
from bot.steps.sql_guard import reading
from bot.steps.sql_index import IndexJob
from bot.steps.sql_read import Rows, read
from bot.steps.sql_secrets import placeholders, secrets_shown
from bot.steps.sql_sessions import KillJob
from bot.steps.sql_shape import Change, Index, Kill, Shape, Verb, shape
from bot.steps.targets import ReachedDatabase, Role

Expected = Literal["one_row", "at_most_one_row", "rows", "none", "any"]


class SqlSpec(Spec):
    """`query` is literal SQL with `:name` for every value; `bind` says what a name stands for (an input or a fact of
    the same name needs no entry). In actions `query` may be a list: one transaction."""

    query: str | list[str]
    database: str | None = None
    bind: Annotated[dict[str, Any], EXPRESSION] = Field(default_factory=dict)
    expect: Expected = "any"
    expect_rows: int | None = None
    max_rows: int | None = None
    autocommit: bool = False


class Sql:
    """Reads with the reading role, changes with the acting one; every value is bound."""

    name: ClassVar[str] = "sql"
    spec: ClassVar[type[Spec]] = SqlSpec
    shorthand: ClassVar[str] = "query"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.CHECKS, Section.ACTIONS})
    repeatable: ClassVar[bool] = False

    def effect(self, spec: SqlSpec, section: Section) -> Effect:
        """A look in checks, a change in actions."""
        return Effect.READ if section is Section.CHECKS else Effect.WRITE

    def lint(self, spec: SqlSpec, section: Section, system: System) -> Iterable[Complaint]:
        """Unknown database, unreadable SQL, a write in a check, a change that cannot be previewed, no limit on rows."""
        yield from _lint_database(spec, section, system)
        yield from _lint_bind(spec)
        if section is Section.CHECKS:
            yield from _lint_check(spec)
        else:
            yield from _lint_action(spec)

    async def look(self, spec: SqlSpec, context: StepContext) -> Look:
        """The rows as a fact: rows, row (the first, or null), count, more, columns."""
        started = perf_counter()
        query = spec.query if isinstance(spec.query, str) else ""
        complaint = next((each for each in reading(query) if not each.warning), None)
        if complaint is not None:
            return _failed(complaint.message, started)
        reached: ReachedDatabase | None = None
        try:
            reached = context.targets.database(context.system, spec.database, Role.READ)
            async with reached.connection(context.timeout) as connection:
                limit = min(spec.max_rows or MAX_ROWS, MAX_ROWS)
                found = await read(connection, query, spec.bind, context.timeout, limit)
        except BotError as refused:
            return _failed(context.targets.redact(refused.sentence), started)
        except TROUBLE as trouble:
            if reached is None:
                raise
            return _failed(sentence(trouble, reached, context.targets, context.timeout.total_seconds()), started)
        return _fact(found, spec, started)

    async def preview(self, spec: SqlSpec, context: StepContext) -> Preview:
        """What the change does, found by doing it and rolling back (sessions and indexes: by looking)."""
        job = _job(spec, context)
        match job:
            case Job():
                return await sql_change.preview(job)
            case KillJob():
                return await sql_sessions.preview(job)
            case IndexJob():
                return await sql_index.preview(job)
            case _:
                assert_never(job)

    async def act(self, spec: SqlSpec, approved: Preview, key: EffectKey, context: StepContext) -> Outcome:
        """Do what was approved, once."""
        try:
            job = _job(spec, context)
        except BotError as refused:
            return Failed(refused.sentence)
        match job:
            case Job():
                return await sql_change.apply(job, approved, key)
            case KillJob():
                return await sql_sessions.apply(job, approved)
            case IndexJob():
                return await sql_index.apply(job)
            case _:
                assert_never(job)

    async def settle(self, spec: SqlSpec, key: EffectKey, context: StepContext) -> Outcome:
        """What became of it: the receipts table knows of changes, the catalogue of indexes, nobody of sessions."""
        try:
            job = _job(spec, context)
            match job:
                case Job():
                    return await receipts.settle(job.reached, key)
                case KillJob():
                    return InDoubt(
                        "The bot was interrupted while it ended sessions: look whether they are still there."
                    )
                case IndexJob():
                    return await sql_index.settle(job)
                case _:
                    assert_never(job)
        except BotError as refused:
            return InDoubt(refused.sentence)

    def inverse(self, spec: SqlSpec, receipt: Receipt) -> Mapping[str, Any] | None:
        """A rendered spec (its values are values, not expressions) that takes the receipt back, or None."""
        if spec.autocommit:
            return sql_index.inverse(receipt)
        return sql_undo.inverse(receipt, receipt.detail.get("database"))


def _statements(spec: SqlSpec) -> tuple[str, ...]:
    return (spec.query,) if isinstance(spec.query, str) else tuple(spec.query)


def _shapes(spec: SqlSpec) -> tuple[Shape, ...]:
    return tuple(shape(each) for each in _statements(spec))


def _job(spec: SqlSpec, context: StepContext) -> Job | KillJob | IndexJob:
    try:
        shapes = _shapes(spec)
        statements = _statements(spec)
        values = {name: spec.bind[name] for name in names(statements) if name in spec.bind}
    except Mistake as mistake:
        raise Refusal(mistake.sentence, hint=mistake.hint) from mistake
    reached = context.targets.database(context.system, spec.database, Role.ACT)
    first = shapes[0] if shapes else None
    if isinstance(first, Index) and len(shapes) == 1:
        return IndexJob(reached, context.targets, statements[0], first, context.timeout)
    if isinstance(first, Kill) and len(shapes) == 1:
        limits = (spec.expect_rows, spec.max_rows)
        return KillJob(reached, context.targets, statements[0], first, values, context.timeout, *limits)
    changes = tuple(each for each in shapes if isinstance(each, Change))
    if not changes or len(changes) != len(shapes):
        raise Refusal(_MIXED)
    limit = context.timeout if context.timeout > timedelta(0) else timedelta(seconds=1)
    return Job(reached, context.targets, statements, changes, values, limit, spec.expect_rows, spec.max_rows)


_MIXED = "Changes of rows, ending sessions and indexes do not mix in one action."


# -- what a look says --------------------------------------------------------------------------------------------------


def _failed(error: str, started: float, value: Mapping[str, Any] | None = None) -> Fact:
    return Fact(FactStatus.FAILED, value or {}, error=error, duration=timedelta(seconds=perf_counter() - started))


def _fact(found: Rows, spec: SqlSpec, started: float) -> Fact:
    count = len(found.rows)
    unmet = _unmet(spec, count, found.more)
    if unmet:
        return _failed(unmet, started, found.value())
    said = f"{count:,}{'+' if found.more else ''} {'row' if count == 1 and not found.more else 'rows'}"
    duration = timedelta(seconds=perf_counter() - started)
    return Fact(FactStatus.DONE, found.value(), summary="no rows" if not count else said, duration=duration)


def _unmet(spec: SqlSpec, count: int, more: bool) -> str:
    """Which expectation does not hold, as a sentence; empty when all do."""
    found = "none" if not count else f"{'more than ' if more else ''}{count:,}"
    if spec.expect_rows is not None and (count != spec.expect_rows or more):
        return f"Expected {spec.expect_rows:,} {'row' if spec.expect_rows == 1 else 'rows'}, found {found}."
    match spec.expect:
        case "one_row":
            return "" if count == 1 and not more else f"Expected one row, found {found}."
        case "at_most_one_row":
            return "" if count <= 1 and not more else f"Expected at most one row, found {found}."
        case "rows":
            return "" if count else "Expected rows, found none."
        case "none":
            return "" if not count else f"Expected no rows, found {found}."
        case "any":
            return ""
        case _:
            assert_never(spec.expect)


# -- lint --------------------------------------------------------------------------------------------------------------


def _lint_database(spec: SqlSpec, section: Section, system: System) -> Iterable[Complaint]:
    known = ", ".join(sorted(system.databases)) or "none: add one to system.yaml"
    if spec.database is None and len(system.databases) != 1:
        yield Complaint(
            f"{system.title} has {len(system.databases)} databases: say which.", "database", f"Known: {known}."
        )
        return
    name = spec.database or next(iter(system.databases))
    database = system.databases.get(name)
    if database is None:
        yield Complaint(f"There is no database «{name}».", "database", f"Known: {known}.")
    elif section is Section.ACTIONS and database.act is None:
        yield Complaint(f"The database «{name}» has no acting role.", "database", "Give it an `act` address.")


def _lint_bind(spec: SqlSpec) -> Iterable[Complaint]:
    try:
        used = names(_statements(spec))
    except Mistake:
        return  # said where the statement itself is read
    for name in spec.bind:
        if name not in used:
            yield Complaint(
                f":{name} does not occur in the query.", f"bind.{name}", f"It has: {', '.join(used) or 'none'}."
            )


def _lint_check(spec: SqlSpec) -> Iterable[Complaint]:
    if not isinstance(spec.query, str):
        yield Complaint("A check has one statement.", "query", "Make each statement its own check: they run at once.")
        return
    for complaint in reading(spec.query):
        yield Complaint(complaint.message, "query", complaint.hint)
    yield from secrets_shown(spec.query)
    yield from placeholders(spec.query)
    if spec.autocommit:
        yield Complaint("A check never commits.", "autocommit", "Leave it out.")


def _lint_action(spec: SqlSpec) -> Iterable[Complaint]:
    shapes: list[Shape] = []
    for at, statement in enumerate(_statements(spec)):
        place = "query" if isinstance(spec.query, str) else f"query.{at}"
        try:
            made = shape(statement)
        except Mistake as mistake:
            yield Complaint(mistake.sentence, place, mistake.hint)
            continue
        yield from placeholders(statement, place)
        shapes.append(made)
        if isinstance(made, Change) and made.verb is not Verb.INSERT and made.where is None and spec.max_rows is None:
            hint = "Add a WHERE, or say with max_rows how many rows it may take."
            yield Complaint(f"{made.verb.upper()} without WHERE takes every row of {made.table}.", place, hint)
    if spec.expect != "any":
        yield Complaint("`expect` is for checks.", "expect", "Say expect_rows: how many rows change.")
    indexes = any(isinstance(each, Index) for each in shapes)
    if indexes != spec.autocommit and shapes:
        said = "An index is made outside a transaction." if indexes else "Only an index needs autocommit."
        yield Complaint(said, "autocommit", "Write autocommit: true." if indexes else "Leave it out.")
    if len(shapes) > 1 and not all(isinstance(each, Change) for each in shapes):
        yield Complaint(_MIXED, "query", "Make them separate actions of a plan.")
    if not _statements(spec):
        yield Complaint("The list of statements is empty.", "query")
    changes = any(isinstance(each, Change) for each in shapes)
    if changes and spec.expect_rows is None and spec.max_rows is None:
        yield Complaint(
            "It is not said how many rows may change.", "expect_rows", "Add expect_rows or max_rows.", warning=True
        )
