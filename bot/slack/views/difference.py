"""Rows before → after: as a list that wraps on a phone, and as aligned text for files and terminals."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.change import RowChange
from bot.slack.views import kit, spell
from bot.slack.views.kit import Element
from bot.slack.views.text import clip, neutral, one_line

CARD_LINES = 16
CARD_VALUE = 48
UNCUT = 10**9
CHANGE_COLUMNS = ("table", "row", "column", "before", "after")
_NAME = 32
_PAD = 40
_FILLED = "set when it is done"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a row; None where the row did not exist before or will not afterwards. `filled` says that the
    database sets the value when it is done."""

    name: str
    before: str | None
    after: str | None
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row that changes, by table and key."""

    heading: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs, presentable; `left` counts the columns that are not shown, `whole` says that nothing was left out
    or cut."""

    rows: tuple[Row, ...]
    left: int
    whole: bool

    @property
    def text(self) -> str:
        """As aligned lines."""
        lines = [line for row in self.rows for line in (row.heading, *_aligned(row.columns))]
        return "\n".join([*lines, *([f"… and {self.left:,} more"] if self.left else [])])

    def parts(self) -> list[Element]:
        """As rich text: a paragraph a row, a point a column; values stand apart from words, so none can fake one."""
        parts = []
        for row in self.rows:
            parts.append(kit.line(kit.t(row.heading, italic=True)))
            parts.append(kit.bullets([_point(column) for column in row.columns] or [[kit.t("no column differs")]]))
        return [*parts, kit.line(kit.t(f"… and {self.left:,} more"))] if self.left else parts


def difference(changes: Sequence[RowChange], most: int = CARD_LINES, width: int = CARD_VALUE) -> Difference:
    """Before → after, grouped by table and row, at most `most` columns in all, each value at most `width` long."""
    rows: list[Row] = []
    shown, total, whole = 0, sum(max(1, len(_columns(change))) for change in changes), True
    for change in changes:
        if shown >= most:
            break
        names = _columns(change)
        room = names[: most - shown]
        heading, kept = _heading(change, width)
        columns, cut = _presented(change, room, width)
        whole = whole and kept and not cut
        rows.append(Row(heading, columns))
        shown += max(1, len(room))
    return Difference(tuple(rows), total - shown, whole and total == shown)


def change_rows(changes: Sequence[RowChange]) -> list[dict[str, Any]]:
    """Every column that differs as a row of its own, for a spreadsheet."""
    return [
        {
            "table": change.table,
            "row": ", ".join(f"{name} = {spell.value(value)}" for name, value in change.key.items()),
            "column": name,
            "before": None if change.before is None else change.before.get(name),
            "after": None if change.after is None else _FILLED if name in change.volatile else change.after.get(name),
        }
        for change in changes
        for name in _columns(change)
    ]


def _columns(change: RowChange) -> list[str]:
    """The columns worth a line: those that differ, or all of a row that comes or goes."""
    if change.before is None or change.after is None:
        return list(change.before or change.after or {})
    names = dict.fromkeys([*change.before, *change.after])
    missing = object()
    differ = [name for name in names if not _same(change.before.get(name, missing), change.after.get(name, missing))]
    # What the database fills in by itself is the least interesting.
    return sorted(differ, key=lambda name: name in change.volatile)


def _same(old: Any, new: Any) -> bool:
    return type(old) is type(new) and bool(old == new)


def _heading(change: RowChange, width: int) -> tuple[str, bool]:
    kind = " (new row)" if change.before is None else " (row removed)" if change.after is None else ""
    key = ", ".join(f"{one_line(str(name))} = {_value(value, 200)[0]}" for name, value in change.key.items())
    text = f"{one_line(change.table) or 'row'} {key}".rstrip()
    short = clip(text, 3 * width)
    return short + kind, short == text and not any(_value(value, 200)[1] for value in change.key.values())


def _presented(change: RowChange, names: Sequence[str], width: int) -> tuple[tuple[Column, ...], bool]:
    """The columns of one row, and whether anything in them was cut."""
    cut, columns = False, []
    for name in names:
        title = one_line(str(name))
        before, before_cut = _value((change.before or {}).get(name), width)
        after, after_cut = _value((change.after or {}).get(name), width)
        cut = cut or len(title) > _NAME or (change.before is not None and before_cut)
        cut = cut or (change.after is not None and after_cut)
        columns.append(
            Column(
                clip(title, _NAME),
                None if change.before is None else before,
                None if change.after is None else after,
                filled=name in change.volatile and change.after is not None,
            )
        )
    return tuple(columns), cut


def _value(data: Any, width: int) -> tuple[str, bool]:
    full = spell.literal(data)
    line = one_line(full) or "''"
    short = clip(line, width)
    # Blanks that fold away would hide a difference as surely as a cut does.
    folded = line != neutral(full) and line != "''"
    if folded and width == UNCUT:
        return json.dumps(neutral(full), ensure_ascii=False), False
    return short, folded or short != line


def _aligned(columns: Sequence[Column]) -> list[str]:
    pad = max((len(column.name) for column in columns), default=0)
    room = min(_PAD, max((len(column.before or "") for column in columns), default=0))
    lines = []
    for column in columns:
        lead = f"  {column.name:<{pad}}  "
        if column.before is None:
            lines.append(f"{lead}{column.after}{f'  ({_FILLED})' if column.filled else ''}")
        elif column.after is None:
            lines.append(f"{lead}{column.before}")
        else:
            lines.append(f"{lead}{column.before:<{room}} → {_FILLED if column.filled else column.after}")
    return lines or ["  (no column differs)"]


def _point(column: Column) -> list[Element]:
    pieces = [kit.t(f"{column.name}  ")]
    if column.before is not None:
        pieces.append(kit.t(column.before, code=True))
    if column.before is not None and column.after is not None:
        pieces.append(kit.t(" → "))
        pieces.append(kit.t(_FILLED, italic=True) if column.filled else kit.t(column.after, bold=True, code=True))
    elif column.after is not None:
        pieces.append(kit.t(column.after, bold=True, code=True))
        pieces += [kit.t(f" ({_FILLED})", italic=True)] if column.filled else []
    return pieces
