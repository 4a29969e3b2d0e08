"""Statements as trees, each read once: guard, lint, masks and charts all look at the same one."""

from __future__ import annotations

from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from bot.steps.sql_bind import bind
from bot.steps.sql_words import Unreadable


@lru_cache(maxsize=2_048)
def parsed(text: str) -> tuple[exp.Expr, ...]:
    """The statements of a text whose values are bound, for reading only: whoever would change one takes a copy. Raises
    what sqlglot raises, and `RecursionError`."""
    return tuple(each for each in sqlglot.parse(text, dialect="postgres") if each is not None)


def tree_of(statement: str) -> exp.Expr | None:
    """The one statement, as `parsed`; None for what cannot be read."""
    try:
        (tree,) = parsed(bind(statement).text)
    except (Unreadable, SqlglotError, RecursionError, ValueError):
        return None
    return tree
