"""rich_text blocks as HTML: sections, lists, quotes, code, and everything that stands in a line."""

from __future__ import annotations

import re
from typing import Any, Final

from markupsafe import Markup

from bot.sandbox.slack.render import mrkdwn
from bot.sandbox.slack.render.dates import date
from bot.sandbox.slack.render.emoji import emoji
from bot.sandbox.slack.render.html import anchor, el, join, lines
from bot.sandbox.slack.render.names import Names
from bot.sandbox.slack.render.reading import flag, obj, seq, string

_STYLES: Final = (("code", "code"), ("strike", "s"), ("italic", "em"), ("bold", "strong"), ("underline", "u"))
_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_DEEPEST: Final = 8


def rich_text(value: object, names: Names) -> Markup:
    """The parts of a rich_text block one below the other; neighbouring lists become one nested list."""
    parts, shown, at = seq(value, "elements"), [], 0
    while at < len(parts):
        end = at
        while end < len(parts) and string(parts[end], "type") == "rich_text_list":
            end += 1
        if end > at:
            shown.append(_lists(parts[at:end], names))
            at = end
        else:
            shown.append(_part(parts[at], names))
            at += 1
    return el("div", {"class": "rich-text"}, join(shown))


def _part(part: Any, names: Names) -> Markup:
    inner = join(_inline(element, names) for element in seq(part, "elements"))
    match string(part, "type"):
        case "rich_text_section":
            return el("div", {"class": "rich-section"}, inner)
        case "rich_text_quote":
            return el("blockquote", None, inner)
        case "rich_text_preformatted":
            return el("pre", {"class": "code"}, inner)
        case other:
            return unsupported(other)


def _lists(parts: Any, names: Names) -> Markup:
    return join(_list(part, names) for part in parts)


def _list(part: Any, names: Names) -> Markup:
    indent = obj({"part": part}, "part").get("indent")
    depth = min(indent, _DEEPEST) if isinstance(indent, int) and not isinstance(indent, bool) and indent > 0 else 0
    ordered = string(part, "style") == "ordered"
    items = [
        el("li", None, join(_inline(element, names) for element in seq(item, "elements")))
        for item in seq(part, "elements")
    ]
    offset = obj({"part": part}, "part").get("offset")
    start = offset + 1 if ordered and isinstance(offset, int) and offset > 0 else None
    return el("ol" if ordered else "ul", {"class": f"rich-list indent-{depth}", "start": start}, join(items))


def _inline(element: Any, names: Names) -> Markup:
    shown = _plain_inline(element, names)
    style = obj(element, "style")
    for key, tag in _STYLES:
        if flag(style, key):
            shown = el(tag, None, shown)
    return shown


def _plain_inline(element: Any, names: Names) -> Markup:
    def read(key: str) -> str:
        return string(element, key)

    match read("type"):
        case "text":
            return lines(read("text"))
        case "link":
            return anchor(read("url"), read("text") or read("url"))
        case "emoji":
            return emoji(read("name"))
        case "date":
            return date(read("timestamp"), read("format"), read("fallback"), read("url"))
        case "color":
            return _color(read("value"))
        case _:
            return _mention(element, names)


def _mention(element: Any, names: Names) -> Markup:
    match string(element, "type"):
        case "user":
            return mrkdwn.user(string(element, "user_id"), names)
        case "usergroup":
            return mrkdwn.usergroup(string(element, "usergroup_id"), names)
        case "channel":
            return mrkdwn.channel(string(element, "channel_id"), names)
        case "broadcast":
            return mrkdwn.broadcast(string(element, "range"))
        case other:
            return unsupported(other)


def _color(value: str) -> Markup:
    swatch = {"class": "swatch", "data-color": value if _COLOR.fullmatch(value) else None, "aria-hidden": "true"}
    return el("span", {"class": "color"}, el("span", swatch), value)


def unsupported(kind: str) -> Markup:
    """The honest box for what this page cannot show."""
    return el("span", {"class": "unsupported", "role": "note"}, f"unsupported block: {kind or 'without a type'}")
