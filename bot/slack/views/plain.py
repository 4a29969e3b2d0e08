"""Blocks as plain words: for terminals, screen readers, and Slack when it refuses a message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.slack.views.text import clip, escape, one_line, unescape

_DATE = re.compile(r"<!date\^\d+\^[^|>]*\|([^>]*)>")
_LINK = re.compile(r"<(?:@|#|!subteam\^)([A-Z0-9]+)(?:\|[^>]*)?>")
# Marks of the bot's own words; those in data are look-alikes by now, but for the ones inside a name_like_this.
_EMPHASIS = re.compile(r"(?<!\w)[*_](\S[^*_\n]*)[*_](?!\w)")
MAX_NOTICE = 300


def notice(text: str) -> str:
    """One line for a message's `text`: what notifications and screen readers say; safe as mrkdwn."""
    return clip(escape(one_line(text)), MAX_NOTICE)


def spoken(mrkdwn: str) -> str:
    """The bot's own mrkdwn as words for a terminal: times, people and entities turned into text."""
    return unescape(_EMPHASIS.sub(r"\1", _LINK.sub(r"@\1", _DATE.sub(r"\1", mrkdwn))))


def text_of(blocks: Sequence[Mapping[str, Any]]) -> str:
    """Everything blocks say, line by line; buttons are left out."""
    return "\n".join(line for block in blocks for line in _lines(block)).strip()


def _lines(block: Mapping[str, Any]) -> Iterator[str]:
    match block.get("type"):
        case "header":
            yield block["text"]["text"]
        case "section":
            if "text" in block:
                yield _words(block["text"])
            yield from (_words(field) for field in block.get("fields", ()))
        case "context":
            yield " · ".join(_words(element) for element in block["elements"])
        case "divider":
            yield ""
        case "rich_text":
            for element in block["elements"]:
                yield from _rich(element)
        case "table":
            yield from (" | ".join(str(cell.get("text", "")) for cell in row) for row in block["rows"])
        case "input":
            yield _words(block["label"])
        case _:
            pass


def _words(text: Mapping[str, Any]) -> str:
    said = str(text.get("text", ""))
    return spoken(said) if text.get("type") == "mrkdwn" else said


def _rich(element: Mapping[str, Any]) -> Iterator[str]:
    if element["type"] == "rich_text_list":
        for item in element["elements"]:
            yield f"• {_inline(item)}"
    else:
        yield _inline(element)


def _inline(element: Mapping[str, Any]) -> str:
    return "".join(_piece(piece) for piece in element["elements"])


def _piece(piece: Mapping[str, Any]) -> str:
    match piece["type"]:
        case "user":
            return f"@{piece['user_id']}"
        case "date":
            return str(piece.get("fallback", ""))
        case "link":
            return str(piece.get("text") or piece["url"])
        case _:
            return str(piece.get("text", ""))
