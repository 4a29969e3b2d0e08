"""What a change would do, in words: how it is taken back, exact requests, and the whole of it as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.change import Preview, Receipt
from bot.slack.views import spell
from bot.slack.views.difference import UNCUT, difference
from bot.slack.views.text import clip, neutral, one_line


def undo_words(preview: Preview) -> str:
    """How it is taken back, or that it cannot be."""
    said = one_line(preview.undo)
    plain = said.lower() in ("", "can be undone", "cannot be undone")
    words = "Can be undone" if preview.reversible else "CANNOT BE UNDONE"
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
    parts = [one_line(title), one_line(preview.headline), one_line(undo_words(preview))]
    parts += [f"! {one_line(warning)}" for warning in preview.warnings]
    parts += ["" if preview.exact else "! This could not be rehearsed."]
    parts += [neutral(line) for line in preview.lines]
    counts = ", ".join(f"{spell.count(number, 'row')} of {one_line(table)}" for table, number in preview.counts.items())
    parts += [f"Rows: {counts}"] if counts else []
    if preview.changes:
        parts += ["", "Before → after", difference(preview.changes, most=UNCUT, width=UNCUT).text]
    parts += ["", "Exactly this is done", payload_text(preview.payload)]
    parts += ["", f"Digest: {digest}"] if digest else []
    return "\n".join(parts) + "\n"


def request_text(previews: Sequence[tuple[str, Preview]], digest: str) -> str:
    """Everything that one vote decides, uncut: each action with its title, in order."""
    return "\n".join([*(preview_text(title, preview) for title, preview in previews), f"Digest: {digest}\n"])


def receipt_text(receipt: Receipt) -> str:
    """What was done, uncut."""
    parts = [one_line(receipt.headline), difference(receipt.changes, most=UNCUT, width=UNCUT).text]
    return "\n".join([*filter(None, parts), payload_text(receipt.detail)]).strip() + "\n"
