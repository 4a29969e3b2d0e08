"""Where the columns of a result come from: an alias, a function or a subquery does not hide whose value it carries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from sqlglot import exp

from bot.domain.masking import Mask
from bot.steps.sql_tree import tree_of

# What only tells of a value whether it is there, how many there are or how it compares.
_TELLS_LITTLE = (exp.Count, exp.Predicate, exp.Is, exp.Exists, exp.Length, exp.Not)


@lru_cache(maxsize=1_024)
def carrying(statement: str, mask: Mask) -> frozenset[str] | None:
    """The columns of the statement's result, or of a part of it, that carry the value of a masked column under another
    name, or of one that is masked for its table. None for a statement that cannot be read: what it carries is not
    known."""
    tree = tree_of(statement)
    if tree is None:
        return None
    found: set[str] = set()
    while True:
        more = {
            name
            for select in tree.find_all(exp.Select)
            for name, column in (*_projected(select), *_starred(select, mask))
            if not mask.hides(name) and any(_hidden(each, _tables(select), mask, found) for each in _read(column))
        }
        if more <= found:
            return frozenset(found)
        found |= more


def _hidden(column: exp.Column, tables: Mapping[str, str], mask: Mask, found: set[str]) -> bool:
    """Whether this column's value is masked: by its name, by its table's, or as one of those found already."""
    if mask.hides(column.name) or column.name in found:
        return True
    whose = [tables.get(column.table, column.table)] if column.table else tables.values()
    return any(mask.of(table).hides(column.name) for table in whose)


def _tables(select: exp.Select) -> dict[str, str]:
    """The tables that a query reads from, by the names it gives them."""
    inside = select.parent_select
    above = {} if inside is None else _tables(inside)
    own = [each for each in select.find_all(exp.Table) if each.parent_select is select]
    return above | {each.alias_or_name: each.name for each in own}


def _projected(select: exp.Select) -> Iterator[tuple[str, exp.Expr]]:
    for column in select.expressions:
        name = column.alias_or_name or (column.sql_name().lower() if isinstance(column, exp.Func) else "")
        yield name, _plain(column)
    # The columns of a named part may be named anew: WITH part (a, b) AS (…).
    above = select.parent
    while isinstance(above, exp.SetOperation):
        # Of SELECT … UNION SELECT … the first gives the names.
        yield from zip(above.named_selects, map(_plain, select.expressions), strict=False)
        above = above.parent
    alias = above.args.get("alias") if isinstance(above, exp.CTE | exp.Subquery) else None
    names = [each.name for each in alias.columns] if isinstance(alias, exp.TableAlias) else []
    yield from zip(names, map(_plain, select.expressions), strict=False)


def _starred(select: exp.Select, mask: Mask) -> Iterator[tuple[str, exp.Expr]]:
    """What SELECT * may give of the columns that are masked for their tables."""
    if any(column.is_star for column in select.expressions):
        for table in _tables(select).values():
            yield from ((name, exp.column(name, table)) for name in mask.of(table).patterns)


def _plain(column: exp.Expr) -> exp.Expr:
    return column.unalias() if isinstance(column, exp.Alias) else column


def _read(column: exp.Expr) -> Iterator[exp.Column]:
    """The columns whose values go into this one."""
    if isinstance(column, _TELLS_LITTLE):
        return
    if isinstance(column, exp.Column):
        yield column
    if isinstance(column, exp.Case):
        # What a case is decided by is no part of what it gives.
        kept = [*(each.args["true"] for each in column.args["ifs"]), column.args.get("default")]
        for part in kept:
            if part is not None:
                yield from _read(part)
        return
    for part in column.iter_expressions():
        yield from _read(part)
