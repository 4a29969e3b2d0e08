"""What a check's statement may be: read-only by parser, deny by default; the first of four locks (then the role, the
read-only transaction and the timeouts)."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from functools import lru_cache

from sqlglot import exp
from sqlglot.errors import SqlglotError

from bot.steps.base import Complaint
from bot.steps.sql_bind import bind
from bot.steps.sql_functions import NOT_CALLS, SAFE, SIZED_TYPES, never
from bot.steps.sql_tree import parsed, tree_of
from bot.steps.sql_words import Token, Unreadable, Word, numbered_words

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # "unsupported syntax, falling back" is our refusal, not a warning

READING = (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)
STATEMENTS: tuple[type[exp.Expr], ...] = (
    *(exp.DML, exp.DDL, exp.Command, exp.Drop, exp.Alter, exp.TruncateTable, exp.Set, exp.Use, exp.Copy, exp.Into),
    *(exp.Transaction, exp.Commit, exp.Rollback, exp.Analyze, exp.Pragma, exp.Kill, exp.Comment),
)
EXPLAIN_WORDS = frozenset(
    """
    costs false format generic_plan json off on settings summary text true verbose xml yaml
    """.split()  # noqa: SIM905 - a word list reads better as words
)
SHOWABLE = re.compile(r"[a-z_][a-z0-9_.]*( [a-z_]+)?")
WRITE_HINT = "A check only looks: put what changes something under actions."


@lru_cache(maxsize=1024)
def reading(statement: str) -> tuple[Complaint, ...]:
    """Why the statement may not run as a check; empty when it may. Never runs it, never raises."""
    try:
        text = bind(statement).text
        tokens = numbered_words(text)
    except Unreadable as unreadable:
        return (Complaint(unreadable.sentence),)
    if not tokens:
        return (Complaint("The statement is empty."),)
    if tokens[0].says("explain"):
        return _explain(text, tokens)
    if tokens[0].says("show"):
        shown = text[tokens[0].end :].strip().lower()
        return () if SHOWABLE.fullmatch(shown) else (Complaint(f"SHOW {shown} is not a setting's name."),)
    return _query(text, tokens)


def columns(statement: str) -> tuple[str, ...] | None:
    """The names of a reading statement's columns, or None where only the database knows them."""
    tree = tree_of(statement)
    if not isinstance(tree, exp.Query) or tree.is_star:
        return None
    names = tuple(tree.named_selects)
    return names if names and all(names) else None


def _explain(text: str, tokens: Sequence[Token]) -> tuple[Complaint, ...]:
    at = 1
    if at < len(tokens) and tokens[at].says("("):
        while at < len(tokens) and not (tokens[at].says(")") and tokens[at].depth == 0):
            at += 1
        at += 1
    else:
        while at < len(tokens) and tokens[at].says("verbose", "analyze", "analyse"):
            at += 1
    options = {token.value for token in tokens[1:at] if token.word is not Word.SIGN}
    if not options <= EXPLAIN_WORDS:
        refused = ", ".join(sorted(options - EXPLAIN_WORDS)).upper()
        return (Complaint(f"EXPLAIN with {refused} is not a plain reading.", hint="Use EXPLAIN without ANALYZE."),)
    rest = re.sub(r"(?is)^\s*explain\s*(\([^)]*\)|(\s*verbose)*)", "", text)
    return _query(rest, numbered_words(rest)) if at < len(tokens) else (Complaint("EXPLAIN explains nothing."),)


def _query(text: str, tokens: Sequence[Token]) -> tuple[Complaint, ...]:
    if any(token.says(";") for token in tokens):
        return (Complaint("One statement at a time: a second one follows a semicolon.", hint="Make it another check."),)
    try:
        trees = parsed(text)
    except (SqlglotError, RecursionError) as trouble:
        return (Complaint(f"This is not SQL that can be read: {_first_line(trouble)}"),)
    if len(trees) != 1 or not isinstance(trees[0], READING):
        what = tokens[0].text.upper()
        return (Complaint(f"{what} is not a reading statement.", hint=WRITE_HINT),)
    return (*_structure(trees[0]), *calls(tokens, _aliases(trees[0])))


def _structure(tree: exp.Expr) -> list[Complaint]:
    found: list[Complaint] = []
    for node in tree.walk():
        if isinstance(node, exp.Into):
            found.append(Complaint("SELECT … INTO makes a table.", hint=WRITE_HINT))
        elif isinstance(node, exp.Lock):
            found.append(Complaint("FOR UPDATE and FOR SHARE lock rows.", hint="Leave the locking clause out."))
        elif isinstance(node, exp.CTE) and not isinstance(node.this, READING):
            found.append(Complaint("A WITH part changes data.", hint=WRITE_HINT))
        elif isinstance(node, STATEMENTS) and not isinstance(node, READING):
            found.append(Complaint(f"{type(node).__name__.upper()} is not a reading statement.", hint=WRITE_HINT))
        elif isinstance(node, exp.Operator):
            found.append(Complaint("OPERATOR(…) may name anybody's operator.", hint="Write the operator itself."))
    return found


def calls(tokens: Sequence[Token], known: frozenset[str]) -> list[Complaint]:
    """Every name before an opening parenthesis must be a reading function or `known`; a name that is never allowed must
    not occur at all."""
    found: list[Complaint] = []
    for at, token in enumerate(tokens):
        if token.word not in (Word.NAME, Word.QUOTED) or token.value in known:
            continue
        if never(token.value.lower()):
            found.append(Complaint(f"{token.text} is not allowed here: it does more than look.", hint=WRITE_HINT))
        elif at + 1 < len(tokens) and tokens[at + 1].says("("):
            found.extend(_call(tokens, at))
    return found


def _call(tokens: Sequence[Token], at: int) -> list[Complaint]:
    token = tokens[at]
    qualified = at >= 1 and tokens[at - 1].says(".")
    if qualified:
        schema = tokens[at - 2].value if at >= 2 else ""
        deeper = at >= 3 and tokens[at - 3].says(".")
        if schema == "pg_catalog" and not deeper and token.value in SAFE:
            return []
        return [Complaint(f"The function {schema}.{token.text} is not known to only look.", hint=_ASK)]
    if token.word is Word.NAME and (token.value in NOT_CALLS or token.value in SIZED_TYPES):
        return []
    if token.value in SAFE:
        return []
    return [Complaint(f"The function {token.text} is not known to only look.", hint=_ASK)]


_ASK = "PostgreSQL's own reading functions may be called; a view can hold what needs more."


def _aliases(tree: exp.Expr) -> frozenset[str]:
    """Names that list their columns in parentheses: WITH parts and table aliases that no call hides behind."""
    called = {call.name.lower() for call in tree.find_all(exp.Anonymous)}
    named = {alias.name for alias in tree.find_all(exp.TableAlias) if alias.columns}
    return frozenset(name for name in named if name.lower() not in called and name.upper() not in exp.FUNCTION_BY_NAME)


def _first_line(trouble: Exception) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", str(trouble)).split("\n")[0][:200] or type(trouble).__name__
