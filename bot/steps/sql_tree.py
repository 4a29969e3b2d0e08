"""Statements as trees, each read once: lint, masks and charts all look at the same one."""

from __future__ import annotations

from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from bot.steps.sql_bind import bind
from bot.steps.sql_words import Unreadable


@lru_cache(maxsize=2_048)
def tree_of(statement: str) -> exp.Expr | None:
    """The statement, for reading only: whoever would change it takes a copy. None for one that cannot be read."""
    try:
        return sqlglot.parse_one(bind(statement).text, dialect="postgres")
    except (Unreadable, SqlglotError, RecursionError):
        return None
