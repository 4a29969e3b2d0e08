"""What a change would do, in words and lines: differences of rows, exact requests, and the whole of it as text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.change import Preview, Receipt, RowChange
from bot.slack.views import spell
from bot.slack.views.text import clip, neutral, one_line

CARD_LINES = 8
CARD_VALUE = 48
_NAME = 32
_FULL = 10**9
_PAD = 40


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a fixed-width box; `whole` says that nothing was left out or cut."""

    lines: tuple[str, ...]
    whole: bool

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


def difference(changes: Sequence[RowChange], most: int = CARD_LINES, width: int = CARD_VALUE) -> Lines:
    """Before → after, grouped by table and row, at most `most` columns in all, each value at most `width` long."""
    lines: list[str] = []
    shown, total, whole = 0, sum(len(_columns(change)) for change in changes), True
    for change in changes:
        if shown >= most:
            break
        columns = _columns(change)
        room = columns[: most - shown]
        heading, kept = _heading(change, width)
        body, cut = _body(change, room, width)
        whole = whole and kept and not cut
        lines += [heading, *body]
        shown += max(1, len(room))
    if total > shown or not whole:
        left = total - shown
        lines += [f"… and {left:,} more"] if left > 0 else []
        whole = False
    return Lines(tuple(lines), whole and _rows_in(lines, changes))


def _rows_in(lines: Sequence[str], changes: Sequence[RowChange]) -> bool:
    return sum(not line.startswith(" ") for line in lines) >= len(changes)


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


def _body(change: RowChange, columns: Sequence[str], width: int) -> tuple[list[str], bool]:
    """The lines of one row's columns, aligned, and whether anything in them was cut."""
    cut = any(len(one_line(str(name))) > _NAME for name in columns)
    names = [clip(one_line(str(name)), _NAME) for name in columns]
    pad = max(map(len, names), default=0)
    old = [_value((change.before or {}).get(name), width) for name in columns]
    new = [_value((change.after or {}).get(name), width) for name in columns]
    room = min(_PAD, max((len(text) for text, _ in old), default=0))
    lines = []
    for place, name in enumerate(names):
        (before, before_cut), (after, after_cut) = old[place], new[place]
        cut = cut or (change.before is not None and before_cut) or (change.after is not None and after_cut)
        filled = columns[place] in change.volatile and change.after is not None
        example = "  (set when it is done)" if filled else ""
        if change.before is None:
            lines.append(f"  {name:<{pad}}  {after}{example}")
        elif change.after is None:
            lines.append(f"  {name:<{pad}}  {before}")
        else:
            lines.append(f"  {name:<{pad}}  {before:<{room}} → {'set when it is done' if filled else after}")
    return lines or ["  (no column differs)"], cut


def _value(data: Any, width: int) -> tuple[str, bool]:
    full = spell.literal(data)
    line = one_line(full) or "''"
    short = clip(line, width)
    # Blanks that fold away would hide a difference as surely as a cut does.
    folded = line != neutral(full) and line != "''"
    if folded and width == _FULL:
        return json.dumps(neutral(full), ensure_ascii=False), False
    return short, folded or short != line


def undo_words(preview: Preview) -> str:
    """How it is taken back, or that it cannot be."""
    said = one_line(preview.undo)
    plain = said.lower() in ("", "can be undone", "cannot be undone")
    words = "can be undone" if preview.reversible else "CANNOT BE UNDONE"
    return words if plain else f"{words}: {said}"


def payload_text(payload: Mapping[str, Any], longest: int = 0) -> str:
    """The exact request, field by field; `longest` cuts single values, 0 does not."""
    lines = []
    for name, data in payload.items():
        title = one_line(str(name))
        if isinstance(data, Mapping):
            lines.append(f"{title}:")
            lines += [f"  {one_line(str(key))} = {_cut(spell.literal(item), longest)}" for key, item in data.items()]
            continue
        if isinstance(data, list | tuple) and data and all(isinstance(item, str) and "\n" in item for item in data):
            lines += [f"{title}:", *(_cut(item.strip(), longest) for item in data)]
            continue
        said = _cut(data if isinstance(data, str) else spell.literal(data), longest)
        lines += [f"{title}:", said] if "\n" in said else [f"{title}: {said}"]
    return "\n".join(lines)


def _cut(text: str, longest: int) -> str:
    text = neutral(text)
    return clip(text, longest) if longest else text


def preview_text(title: str, preview: Preview, digest: str = "") -> str:
    """Everything a vote is bound to, uncut, for a file."""
    parts = [one_line(title), one_line(preview.headline), undo_words(preview)]
    parts += [f"! {one_line(warning)}" for warning in preview.warnings]
    parts += ["" if preview.exact else "! This could not be rehearsed."]
    parts += [neutral(line) for line in preview.lines]
    counts = ", ".join(f"{spell.count(number, 'row')} of {one_line(table)}" for table, number in preview.counts.items())
    parts += [f"Rows: {counts}"] if counts else []
    if preview.changes:
        parts += ["", "Before → after", difference(preview.changes, most=10**9, width=_FULL).text]
    parts += ["", "Exactly this is done", payload_text(preview.payload)]
    parts += ["", f"Digest: {digest}"] if digest else []
    return "\n".join(parts) + "\n"


def receipt_text(receipt: Receipt) -> str:
    """What was done, uncut."""
    parts = [one_line(receipt.headline), difference(receipt.changes, most=10**9, width=_FULL).text]
    return "\n".join([*filter(None, parts), payload_text(receipt.detail)]).strip() + "\n"
