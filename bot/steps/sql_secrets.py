"""What a check's statement must not show or pretend: columns that hold secrets, and placeholders left in quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from bot.steps.base import Complaint
from bot.steps.sql_tree import tree_of

_SECRET = re.compile(
    r"(^|_)(secret|password|passwd|passphrase|token|jwt|api_?key|private_key|access_key|service_role_key|credentials)"
    r"(_value|_plain|_encrypted|_hash)?$",
    re.IGNORECASE,
)
# A comparison, a count or a length says something about a value without saying the value.
_HIDING = (exp.Predicate, exp.Count, exp.Length, exp.Is, exp.Not)
_PLACEHOLDER = re.compile(
    r":[a-z_]\w*|\{\{.*|\{[A-Za-z_ ]+\}|<[A-Za-z_ -]+>|\[[A-Z][A-Z_ ]+\]|\$\{?[A-Z_]{2,}\}?|(YOUR|MY)_[A-Z_]+"
    r"|[A-Z]+(_[A-Z]+)*_(ID|UUID|EMAIL)|\w*_x{4,}|x{4,}",
)
_BIND = "Write :name without quotes; its value is bound, and nobody can slip anything in."
_COMPARE = "Ask whether it is there (… IS NOT NULL), or compare it with a secret step, which never shows it."


def secrets_shown(statement: str) -> Iterator[Complaint]:
    """The columns with a secret's name whose values the statement gives out, and tables of which it gives out all."""
    tree = tree_of(statement)
    if tree is None:
        return  # said elsewhere
    for table in sorted(_whole(tree)):
        said = f"* shows whatever columns {table} has, also those that are still to come."
        yield Complaint(said, "query", "Name the columns.", warning=True)
    for name in sorted(_shown(tree)):
        yield Complaint(f"This would show «{name}», which looks like a secret.", "query", _COMPARE)


def placeholders(statement: str, place: str = "query") -> Iterator[Complaint]:
    """Texts of the statement that somebody was meant to replace."""
    tree = tree_of(statement)
    literals = [] if tree is None else tree.find_all(exp.Literal)
    for text in sorted({str(each.this) for each in literals if each.is_string}):
        if _PLACEHOLDER.fullmatch(text.strip()):
            yield Complaint(f"'{text[:60]}' is a placeholder in quotes: it means just these letters.", place, _BIND)


def _whole(tree: exp.Expr) -> set[str]:
    """The tables that a * stands for."""
    own = {each.alias for each in tree.find_all(exp.CTE, exp.Subquery)}
    found = set()
    for select in tree.find_all(exp.Select):
        if any(given.is_star for given in select.expressions):
            sources = [select.args.get("from_"), *(select.args.get("joins") or ())]
            tables = [each.this for each in sources if each is not None and isinstance(each.this, exp.Table)]
            found |= {table.name for table in tables} - own
    return found


def _shown(tree: exp.Expr) -> set[str]:
    found = set()
    for select in tree.find_all(exp.Select):
        for given in select.expressions:
            found |= {column.name for column in given.find_all(exp.Column) if _gives(column, given)}
    return {name for name in found if _SECRET.search(name)}


def _gives(column: exp.Column, given: exp.Expr) -> bool:
    """Whether the value of a column is in what is given, and not only something said about it."""
    at: exp.Expr | None = column
    while at is not None and at is not given:
        at = at.parent
        if isinstance(at, _HIDING):
            return False
        if isinstance(at, exp.Select):
            return False  # a part of its own, judged where it is found
    return True
