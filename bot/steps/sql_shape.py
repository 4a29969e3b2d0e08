"""What an action's statement is: a plain change of one table, the ending of sessions, or an index; everything else is
refused with a hint. The pieces are kept verbatim: a preview runs the author's own conditions, not a rewriting."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias

from sqlglot import exp
from sqlglot.errors import SqlglotError

from bot.errors import Mistake
from bot.steps.sql_bind import bind
from bot.steps.sql_functions import MOVING
from bot.steps.sql_guard import calls, reading
from bot.steps.sql_tree import parsed
from bot.steps.sql_words import Token, Word, numbered_words, without_comments, words


class Verb(StrEnum):
    """What a plain change does."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """INSERT, UPDATE or DELETE on one table. `target` is the table as written with its alias, `table` only its name;
    `where` the condition (None: every row); `columns` what is set or inserted; `moving` those set from the moment."""

    verb: Verb
    text: str
    target: str
    table: str
    alias: str
    where: str | None
    columns: tuple[str, ...]
    moving: frozenset[str]
    conflict: str = ""


@dataclass(frozen=True, slots=True)
class Kill:
    """Sessions to end (`terminate`) or to interrupt; `where` tells which rows of pg_stat_activity, under `source`."""

    terminate: bool
    source: str
    where: str


@dataclass(frozen=True, slots=True)
class Index:
    """An index to make (`table` known) or to drop, without blocking anybody."""

    create: bool
    text: str
    name: str
    table: str


Shape: TypeAlias = Change | Kill | Index


class Unshaped(Mistake):
    """The statement is none of the shapes an action may have."""


_OVERRIDING = re.compile(r"\bOVERRIDING\s+(SYSTEM|USER)\s+VALUE\b", re.IGNORECASE)  # the parser has no word for it
_PLAIN = "Write INSERT, UPDATE or DELETE on one table; several statements go in a list and are one transaction."


@lru_cache(maxsize=512)
def shape(statement: str) -> Shape:
    """What the statement is. Raises `Unshaped` (or `Unreadable`) with one sentence and a hint."""
    text = bind_free(statement)
    tokens = words(text)
    if not tokens:
        raise Unshaped("The statement is empty.")
    if any(token.says(";") for token in tokens):
        raise Unshaped("Two statements stand in one text.", hint="Make query a list; it is one transaction.")
    first = tokens[0]
    if first.says("select"):
        return _kill(text, tokens)
    if first.says("create", "drop"):
        return _index(text, tokens)
    if first.says("insert", "update", "delete"):
        return _change(text, tokens)
    hints = {
        "with": "Put the condition of the WITH part into the statement's own WHERE.",
        "merge": "Write the UPDATE and the INSERT as two statements.",
        "truncate": "Use DELETE with max_rows: it can be previewed and undone.",
    }
    raise Unshaped(f"{first.text.upper()} is not a change that can be previewed.", hint=hints.get(first.value, _PLAIN))


def bind_free(statement: str) -> str:
    """The statement without comments and without its last semicolon; names stay names."""
    return without_comments(statement).strip().rstrip(";").rstrip()


def _change(text: str, tokens: Sequence[Token]) -> Change:
    tree = _parsed(text)
    verb = Verb(tokens[0].value)
    top = [token for token in tokens if token.depth == 0]
    marks = {token.value: token for token in reversed(top) if token.word is Word.NAME}
    end = marks["returning"].start if "returning" in marks else len(text)
    where = marks.get("where") if verb is not Verb.INSERT else None
    if where is not None and "current" in text[where.end : end].lower().split()[:1]:
        raise Unshaped("WHERE CURRENT OF needs a cursor, which an action has not.", hint=_PLAIN)
    other = {Verb.UPDATE: "from", Verb.DELETE: "using"}.get(verb, "")
    stop = where.start if where is not None else end
    if other and any(token.says(other) and _joins(top, at) for at, token in enumerate(top) if token.start < stop):
        raise Unshaped(
            f"{verb.upper()} … {other.upper()} changes rows that a second table picks.",
            hint="Use WHERE … IN (SELECT …): then it is plain which rows change.",
        )
    if any(isinstance(node, exp.DML) and node is not tree for node in tree.walk()):
        raise Unshaped("A change hides in a WITH part.", hint=_PLAIN)
    columns, moving = _columns(tree, verb)
    target, table, alias = _target(text, top, verb)
    after = text.index(target) + len(target)
    for complaint in calls([token for token in tokens if token.start >= after], frozenset({"nextval"})):
        raise Unshaped(
            complaint.message, hint="A preview runs the statement: only what a rollback takes back may be in it."
        )
    return Change(
        verb,
        text[:end].rstrip(),
        target,
        table,
        alias,
        None if where is None else text[where.end : end].strip(),
        columns,
        moving,
        _conflict(top) if verb is Verb.INSERT else "",
    )


def _joins(top: Sequence[Token], at: int) -> bool:
    """FROM in `DELETE FROM` and in `IS DISTINCT FROM` joins nothing."""
    return not (at and top[at - 1].says("delete", "distinct"))


def _conflict(top: Sequence[Token]) -> str:
    said = [token.value for token in top if token.word is Word.NAME]
    if "conflict" not in said:
        return ""
    if "nothing" in said[said.index("conflict") :]:
        return "nothing"
    raise Unshaped(
        "INSERT … ON CONFLICT DO UPDATE changes rows that a preview cannot tell apart.",
        hint="Write an UPDATE, or an INSERT … ON CONFLICT DO NOTHING.",
    )


def _target(text: str, top: Sequence[Token], verb: Verb) -> tuple[str, str, str]:
    at = 1 if verb is Verb.UPDATE else 2  # INSERT INTO, DELETE FROM
    start = top[at].start
    if top[at].says("only"):
        at += 1
    named = at
    while at + 2 < len(top) and top[at + 1].says("."):
        at += 2
    table = text[top[named].start : top[at].end]
    end, alias = top[at].end, ""
    if at + 1 < len(top) and top[at + 1].says("as"):
        end, alias = top[at + 2].end, top[at + 2].text
    elif verb is not Verb.INSERT and at + 1 < len(top) and _is_alias(top[at + 1]):
        end, alias = top[at + 1].end, top[at + 1].text
    return text[start:end], table, alias


def _is_alias(token: Token) -> bool:
    return token.word is Word.QUOTED or (
        token.word is Word.NAME and token.value not in ("set", "where", "using", "returning", "from")
    )


def _columns(tree: exp.Expr, verb: Verb) -> tuple[tuple[str, ...], frozenset[str]]:
    """The columns that are set or filled, and those whose value depends on the moment."""
    pairs: list[tuple[str, exp.Expr | None]] = []
    if verb is Verb.UPDATE:
        for each in tree.expressions:
            left, right = each.this, each.expression
            targets = left.expressions if isinstance(left, exp.Tuple) else [left]
            pairs += [(column.name, right) for column in targets]
    elif verb is Verb.INSERT and isinstance(tree.this, exp.Schema):
        named = [column.name for column in tree.this.expressions]
        rows = _rows(tree.args.get("expression"))
        pairs = [(name, row[at] if at < len(row) else None) for row in rows or [[]] for at, name in enumerate(named)]
    moving = frozenset(name for name, value in pairs if value is not None and _moves(value))
    return tuple(dict.fromkeys(name for name, _ in pairs)), moving


def _rows(source: exp.Expr | None) -> list[list[exp.Expr]]:
    if isinstance(source, exp.Values):
        return [list(row.expressions) if isinstance(row, exp.Tuple) else [row] for row in source.expressions]
    return [list(source.expressions)] if isinstance(source, exp.Select) else []


def _moves(value: exp.Expr) -> bool:
    return any(
        token.value in MOVING for token in numbered_words(value.sql(dialect="postgres")) if token.word is Word.NAME
    )


def _kill(text: str, tokens: Sequence[Token]) -> Kill:
    verb = tokens[1].value if len(tokens) > 1 else ""
    if verb not in ("pg_terminate_backend", "pg_cancel_backend") or not tokens[2].says("("):
        raise Unshaped("This SELECT changes nothing.", hint="A SELECT belongs under checks.")
    closing = next(at for at, token in enumerate(tokens) if at > 2 and token.says(")") and token.depth == 0)
    argument = text[tokens[2].end : tokens[closing].start].strip()
    rest = [token for token in tokens[closing + 1 :] if token.depth == 0]
    source = "pg_stat_activity"
    if not rest:
        where = f"pid = ({argument})::int"
    else:
        where_at = next((token for token in rest if token.says("where")), None)
        froms = next((token for token in rest if token.says("from")), None)
        if froms is None or where_at is None:
            raise Unshaped("It is not said which sessions.", hint="Add FROM pg_stat_activity WHERE …, or give one pid.")
        source, where = text[froms.end : where_at.start].strip(), text[where_at.end :].strip()
        if source.split()[0].lower() not in ("pg_stat_activity", "pg_catalog.pg_stat_activity"):
            raise Unshaped("Sessions are picked from pg_stat_activity only.")
    problems = reading(f"SELECT 1 FROM {source} WHERE {where}")
    if problems:
        raise Unshaped(problems[0].message, hint=problems[0].hint)
    return Kill(verb == "pg_terminate_backend", source, where)


def _index(text: str, tokens: Sequence[Token]) -> Index:
    said = [token.value if token.word is Word.NAME else token.text for token in tokens]
    create = said[0] == "create"
    at = 2 if said[1:2] == ["unique"] and create else 1
    if said[at : at + 2] != ["index", "concurrently"]:
        raise Unshaped(
            f"{said[0].upper()} {said[1].upper() if len(said) > 1 else ''} changes the schema.",
            hint="An action may CREATE or DROP an INDEX CONCURRENTLY; the rest is a migration.",
        )
    at += 2
    if said[at] == "if":
        at += 3 if create else 2
    name, at = _dotted(text, tokens, at)
    if not create:
        if at != len(tokens):
            raise Unshaped("One index at a time, and without CASCADE.")
        return Index(False, text, name, "")
    if not (at < len(tokens) and tokens[at].says("on")) or name.lower() == "on":
        raise Unshaped("The index has no name.", hint="Name it: a failed build is found and removed by its name.")
    table, _ = _dotted(text, tokens, at + (2 if tokens[at + 1].says("only") else 1))
    return Index(True, text, name, table)


def _dotted(text: str, tokens: Sequence[Token], at: int) -> tuple[str, int]:
    start = at
    while at + 2 < len(tokens) and tokens[at + 1].says("."):
        at += 2
    return text[tokens[start].start : tokens[at].end], at + 1


def _parsed(text: str) -> exp.Expr:
    try:
        (tree,) = parsed(_OVERRIDING.sub(" ", bind(text).text))
    except (SqlglotError, RecursionError, ValueError) as trouble:
        raise Unshaped("This is not SQL that can be read.", hint=str(trouble).split("\n")[0][:200]) from trouble
    if not isinstance(tree, exp.Update | exp.Insert | exp.Delete):
        raise Unshaped("This is not a plain change.", hint=_PLAIN)
    return tree
