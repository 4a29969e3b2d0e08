"""How a change of rows is taken back: one guarded statement a row, made from the images in the receipt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.change import Receipt
from bot.steps.sql_tables import quoted


def inverse(receipt: Receipt, database: str | None) -> Mapping[str, Any] | None:
    """The rendered spec that takes the receipt back, or None. Every statement names its row and what it must still
    hold, so that a row that somebody changed since is left alone, the count is short and the whole undo is refused."""
    rows = receipt.detail.get("undo")
    if not rows:
        return None
    writer = _Writer()
    statements = [writer.statement(row) for row in rows]
    return {"query": statements, "database": database, "bind": writer.values, "expect_rows": len(statements)}


class _Writer:
    def __init__(self) -> None:
        self.values: dict[str, str | None] = {}

    def statement(self, row: Mapping[str, Any]) -> str:
        """The statement that takes one row back."""
        before, after = row["before"], row["after"]
        if before is None:
            return f"DELETE FROM {row['table']} WHERE {self._still(row)}"
        if after is None:
            return self._insert(row)
        sets = ", ".join(f"{quoted(name)} = {self._bound(value, row['types'][name])}" for name, value in before.items())
        return f"UPDATE {row['table']} SET {sets} WHERE {self._still(row)}"

    def _insert(self, row: Mapping[str, Any]) -> str:
        names = ", ".join(quoted(name) for name in row["before"])
        values = ", ".join(self._bound(value, row["types"][name]) for name, value in row["before"].items())
        overriding = " OVERRIDING SYSTEM VALUE" if row["identity"] else ""
        return f"INSERT INTO {row['table']} ({names}){overriding} VALUES ({values})"

    def _still(self, row: Mapping[str, Any]) -> str:
        """The row's key, and that it still holds what the change left there (compared as text: any type has one)."""
        key = [f"{quoted(name)} = {self._bound(value, row['key_types'][name])}" for name, value in row["key"].items()]
        held = [
            f"{quoted(name)}::text IS NOT DISTINCT FROM {self._bound(value, 'text')}"
            for name, value in row["after"].items()
            if name not in row["key"]
        ]
        return " AND ".join([*key, *held])

    def _bound(self, value: str | None, kind: str) -> str:
        name = f"u{len(self.values) + 1}"
        self.values[name] = value
        return f"(:{name})::text" if kind == "text" else f"(:{name})::text::{kind}"
