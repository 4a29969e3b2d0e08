"""Rows as a Slack table within its limits, and as a CSV file when they do not fit."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.blockkit import json_characters, limits
from bot.slack.views import kit, spell
from bot.slack.views.kit import Block, CsvFile, Element
from bot.slack.views.text import DASH, clip, json_cost, neutral, one_line

MAX_CELL = 120
_BUDGET = 8_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Tabled:
    """Rows made presentable: the table, how many of them it shows, and the file with all when that is not all. `more`
    when there were more rows than anybody kept."""

    block: Block
    shown: int
    total: int
    file: CsvFile | None = None
    more: bool = False

    @property
    def note(self) -> str:
        """What to say under the table; empty when it shows everything."""
        if self.more:
            return f"The first {self.shown:,} of more than {spell.count(self.total, 'row')}; CSV gives {self.total:,}."
        if self.file is None:
            return ""
        if self.shown == self.total:
            return "Some cells or columns are cut; CSV gives them whole."
        return f"The first {self.shown:,} of {spell.count(self.total, 'row')}; CSV gives all of them."


def table(rows: Sequence[Mapping[str, Any]], name: str, budget: int = _BUDGET, *, more: bool = False) -> Tabled | None:
    """A table of the rows, in order, as many as fit `budget` characters of JSON; None when there is nothing to show."""
    columns = columns_of(rows)
    if not columns:
        return None
    shown = columns[: limits.TABLE_COLUMNS]
    numeric = {column for column in shown if _numeric(rows, column)}
    body: list[list[Element]] = [[_text(column) for column in shown]]
    settings = [{"align": "right" if column in numeric else "left"} for column in shown]
    left, characters = budget - json_characters([body[0], settings]), sum(len(cell["text"]) for cell in body[0])
    for row in rows[: limits.TABLE_ROWS - 1]:
        cells = [_cell(row.get(column), column in numeric) for column in shown]
        left -= json_characters(cells) + 1
        characters += sum(len(cell["text"]) for cell in cells)
        if left < 0 or characters > limits.TABLE_CHARACTERS:
            break
        body.append(cells)
    count = len(body) - 1
    block: Block = {"type": "table", "rows": body, "column_settings": settings}
    whole = count == len(rows) and shown == columns and not any(_cut(row.get(c)) for row in rows for c in shown)
    file = None if whole else CsvFile(f"{name}.csv", as_csv(rows, columns))
    return Tabled(block, count, len(rows), file, more)


def columns_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every column that occurs, in the order of first sight."""
    return list(dict.fromkeys(str(column) for row in rows for column in row))


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """All rows as CSV in UTF-8 with a mark that spreadsheets need; nothing in it is run as a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([harmless(column) for column in columns])
    for row in rows:
        writer.writerow([harmless(row.get(column)) for column in columns])
    return out.getvalue().encode("utf-8-sig", "replace")


def harmless(data: Any) -> str:
    """A value as the text of a CSV cell that no spreadsheet runs as a formula."""
    if data is None:
        return ""
    text = neutral(spell.value(data))
    return f"'{text}" if isinstance(data, str) and text.startswith(_FORMULA) else text


def _text(data: Any) -> Element:
    return {"type": "raw_text", "text": clip(one_line(spell.value(data)), MAX_CELL) or DASH}


def _cell(data: Any, numeric: bool) -> Element:
    if numeric and data is not None:
        number = int(data) if isinstance(data, int) else float(data)
        return {"type": "raw_number", "value": number, "text": spell.value(data)}
    return _text(data)


def _numeric(rows: Sequence[Mapping[str, Any]], column: str) -> bool:
    """Whether a column holds numbers only, all of them exact in JSON."""
    present = [row.get(column) for row in rows if row.get(column) is not None]
    return bool(present) and all(map(_plain_number, present))


def _plain_number(data: Any) -> bool:
    if isinstance(data, bool) or not isinstance(data, int | float | Decimal):
        return False
    if isinstance(data, Decimal):
        return data.is_finite() and abs(data) < 2**53 and len(str(data)) <= 20
    return math.isfinite(data) and abs(data) < 2**53 if isinstance(data, float) else abs(data) < 2**53


def _cut(data: Any) -> bool:
    return isinstance(data, str | bytes | list | tuple | Mapping) and _text(data)["text"] != spell.value(data)


def field_points(values: Mapping[str, Any], most: int = 30, budget: int = 2_200) -> list[Element]:
    """Scalar values as rich text, a point each: "name value", at most `most` and `budget` characters of JSON text."""
    rows: list[list[Element]] = []
    for name, item in values.items():
        label, said = clip(one_line(str(name)), 40), clip(one_line(spell.value(item)), 200)
        budget -= json_cost(label) + json_cost(said)
        if len(rows) == most or budget < 0:
            break
        rows.append([kit.t(f"{label}  "), kit.t(said, bold=item is not None)])
    left = len(values) - len(rows)
    points = [kit.bullets(rows)] if rows else []
    return [*points, kit.line(kit.t(f"… and {left:,} more"))] if left else points


def fields_cut(values: Mapping[str, Any], most: int = 30, budget: int = 2_200) -> bool:
    """Whether `field_points` leaves something out or cuts a value."""
    said = [spell.value(item) for item in values.values()]
    cost = sum(json_cost(one_line(str(name))) for name in values) + sum(map(json_cost, map(one_line, said)))
    return len(said) > most or cost > budget or any(len(text) > 200 or one_line(text) != text for text in said)
