"""What the catalogue says of a table that is about to change: columns, key, triggers, and what a delete takes along."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import Refusal
from bot.steps.sql_functions import MOVING
from bot.steps.sql_shape import Verb
from bot.steps.sql_words import Word, words
from bot.steps.targets import Connection

OUTSIDE = re.compile(r"\b(dblink|http|net|program|lo_export|pg_logical_emit_message|foreign)\b|\bhttp_", re.IGNORECASE)
TRUSTED_LANGUAGES = frozenset({"plpgsql", "sql", "internal"})
ROW_TRIGGER, EVENTS = 1, {Verb.INSERT: 4, Verb.DELETE: 8, Verb.UPDATE: 16}
CASCADE, DEEPEST = "c", 5

_TABLE = """
SELECT c.oid, c.relkind::text AS kind, format('%I.%I', n.nspname, c.relname) AS quoted,
       CASE WHEN n.nspname = 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END AS shown,
       EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN') AS has_rules
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)
"""
_COLUMNS = """
SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attidentity <> '' AS identity,
       a.attgenerated <> '' AS generated, coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS default,
       t.typname IN ('json', 'jsonb') AS json, has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS readable,
       coalesce(a.attnum = ANY (i.indkey::int2[]), false) AS key
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_TRIGGERS = """
SELECT t.tgname::text AS name, t.tgtype::int AS type, p.prosrc AS source, l.lanname::text AS language,
       t.tgdeferrable AS deferrable
FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang
WHERE t.tgrelid = $1 AND NOT t.tgisinternal AND t.tgenabled <> 'D'
"""
_CHILDREN = """
SELECT con.oid, con.confdeltype::text AS rule, con.conrelid AS child, format('%I.%I', n.nspname, c.relname) AS quoted,
       CASE WHEN n.nspname = 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END AS shown,
       (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.ord)
        FROM unnest(con.conkey) WITH ORDINALITY k(num, ord)
        JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.num) AS columns,
       (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.ord)
        FROM unnest(con.confkey) WITH ORDINALITY k(num, ord)
        JOIN pg_attribute a ON a.attrelid = con.confrelid AND a.attnum = k.num) AS referenced
FROM pg_constraint con JOIN pg_class c ON c.oid = con.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE con.confrelid = $1 AND con.contype = 'f' AND con.confdeltype IN ('c', 'n', 'd') AND con.conparentid = 0
ORDER BY shown, con.conname
"""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `filled` says that its default gives another value at another moment."""

    name: str
    type: str
    key: bool
    generated: bool
    identity: bool
    filled: bool
    json: bool


@dataclass(frozen=True, slots=True)
class Table:
    """One table: `quoted` for statements, `shown` for people. `outside` says why a change of it cannot be rehearsed."""

    oid: int
    quoted: str
    shown: str
    columns: tuple[Column, ...]
    whole: bool
    outside: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key; empty when there is none."""
        return tuple(column.name for column in self.columns if column.key)

    @property
    def images(self) -> str:
        """A select list: every column as it is and as text, in turn."""
        return ", ".join(f"{quoted(column.name)}, {quoted(column.name)}::text" for column in self.columns)


@dataclass(frozen=True, slots=True)
class Along:
    """Rows of another table that a delete takes along: removed (`removed`) or with their reference emptied."""

    table: str
    quoted: str
    where: str
    removed: bool
    outside: str


def quoted(name: str) -> str:
    """An identifier in double quotes."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


class Tables:
    """The tables that the statements of one transaction change, each looked up once however often it is named."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, Verb], Table] = {}

    async def named(self, written: str, verb: Verb) -> Table:
        """The table as the catalogue knows it. Raises Refusal when there is none, or when it is not a table."""
        if (written, verb) not in self._known:
            self._known[written, verb] = await _table_of(self._connection, written, verb)
        return self._known[written, verb]


async def _table_of(connection: Connection, written: str, verb: Verb) -> Table:
    found = await connection.fetchrow(_TABLE, written)
    if found is None:
        raise Refusal(f"There is no table {written} in this database, or this role may not see it.")
    if found["kind"] not in ("r", "p", "f"):
        raise Refusal(f"{written} is not a table.", hint="Name the table behind the view.")
    records = await connection.fetch(_COLUMNS, found["oid"])
    columns = tuple(
        Column(
            record["name"],
            record["type"],
            record["key"],
            record["generated"],
            record["identity"],
            record["identity"] or _fills(record["default"]),
            record["json"],
        )
        for record in records
        if record["readable"]
    )
    if found["kind"] == "f":
        outside = f"{found['shown']} is a foreign table: a rollback may not reach it"
    elif found["has_rules"]:
        outside = f"{found['shown']} has rules that rewrite the statement"
    else:
        outside = await _outside(connection, found["oid"], found["shown"], verb)
    whole = all(record["readable"] for record in records)
    return Table(found["oid"], found["quoted"], found["shown"], columns, whole, outside)


def _fills(default: str) -> bool:
    return bool(default) and any(token.value in MOVING for token in words(default) if token.word is Word.NAME)


async def _outside(connection: Connection, oid: int, shown: str, verb: Verb) -> str:
    """Why the table's triggers forbid a rehearsal, or nothing."""
    for trigger in await connection.fetch(_TRIGGERS, oid):
        if not trigger["type"] & EVENTS[verb]:
            continue
        plain = trigger["type"] & ROW_TRIGGER and trigger["language"] in TRUSTED_LANGUAGES
        if not plain or trigger["deferrable"] or OUTSIDE.search(trigger["source"]):
            return f"the trigger {trigger['name']} of {shown} may reach outside the transaction"
    return ""


async def along(connection: Connection, table: Table, source: str, where: str | None) -> list[Along]:
    """What deleting the rows of `source` under `where` takes along in other tables, through every cascade."""
    return await _along(connection, table.oid, source, where or "true", ())


async def _along(connection: Connection, oid: int, source: str, where: str, path: Sequence[int]) -> list[Along]:
    found: list[Along] = []
    for record in await connection.fetch(_CHILDREN, oid):
        if record["oid"] in path or len(path) >= DEEPEST:
            continue
        condition = f"({record['columns']}) IN (SELECT {record['referenced']} FROM {source} WHERE {where})"
        removed = record["rule"] == CASCADE
        verb = Verb.DELETE if removed else Verb.UPDATE
        outside = await _outside(connection, record["child"], record["shown"], verb)
        found.append(Along(record["shown"], record["quoted"], condition, removed, outside))
        if removed:
            deeper = (*path, record["oid"])
            found += await _along(connection, record["child"], record["quoted"], condition, deeper)
    return found
