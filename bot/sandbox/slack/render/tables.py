"""table and data_table blocks as HTML: scrollable in their own box, numbers aligned to the right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from markupsafe import Markup

from bot.sandbox.slack.render.html import el, join, lines
from bot.sandbox.slack.render.names import Names
from bot.sandbox.slack.render.reading import Json, flag, obj, seq, string
from bot.sandbox.slack.render.richtext import rich_text, unsupported

_NUMBER: Final = re.compile(r"[-+]?[€$£]?\s?\d[\d,.  ]*\s?(%|ms|s|min|h|[kMG]?B|[€$£])?")
_ALIGNMENTS: Final = frozenset({"left", "center", "right"})


def table(block: Json, names: Names) -> Markup:
    """A table block; its first row is the header, as Slack shows it."""
    return _box(block, names, None)


def data_table(block: Json, names: Names) -> Markup:
    """A data table: caption, header, and a column that heads its rows."""
    index = block.get("row_header_column_index", 0)
    return _box(block, names, index if isinstance(index, int) and not isinstance(index, bool) else 0)


def _box(block: Json, names: Names, row_header: int | None) -> Markup:
    rows = [row if isinstance(row, list | tuple) else () for row in seq(block, "rows")]
    caption = string(block, "caption")
    width = max((len(row) for row in rows), default=0)
    classes = [_column_class(rows, seq(block, "column_settings"), column) for column in range(width)]
    first = rows[0] if rows else ()
    head = [el("th", {"scope": "col", "class": classes[i]}, _cell(cell, names)) for i, cell in enumerate(first)]
    body = [_row(row, classes, row_header, names) for row in rows[1:]]
    inner = el(
        "table",
        {"class": "table"},
        el("caption", None, caption) if caption else None,
        el("thead", None, el("tr", None, join(head))),
        el("tbody", None, join(body)),
    )
    attributes = {"class": "table-scroll", "tabindex": "0", "role": "region", "aria-label": caption or "Table"}
    return el("div", attributes, inner)


def _row(row: Sequence[Any], classes: Sequence[str], row_header: int | None, names: Names) -> Markup:
    cells = []
    for column, cell in enumerate(row):
        tag = "th" if column == row_header else "td"
        scope = "row" if tag == "th" else None
        cells.append(el(tag, {"scope": scope, "class": classes[column]}, _cell(cell, names)))
    return el("tr", None, join(cells))


def _column_class(rows: Sequence[Sequence[Any]], settings: Sequence[Any], column: int) -> str:
    setting = obj({"it": settings[column]}, "it") if column < len(settings) else {}
    align = string(setting, "align")
    if align not in _ALIGNMENTS:
        cells = [row[column] for row in rows[1:] if column < len(row)]
        align = "right" if cells and all(_is_number(cell) for cell in cells) else "left"
    return f"align-{align}" + (" wrapped" if flag(setting, "is_wrapped") else "")


def _is_number(cell: Any) -> bool:
    return string(cell, "type") == "raw_number" or bool(_NUMBER.fullmatch(string(cell, "text").strip()))


def _cell(cell: Any, names: Names) -> Markup:
    match string(cell, "type"):
        case "raw_text":
            return lines(string(cell, "text"))
        case "raw_number":
            return el("span", {"data-value": string(cell, "value")}, string(cell, "text") or string(cell, "value"))
        case "rich_text":
            return rich_text(cell, names)
        case other:
            return unsupported(other)
