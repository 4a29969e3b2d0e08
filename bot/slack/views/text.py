"""Any data as safe text: neutralised, escaped for Slack's mark-up, and cut only between whole characters."""

from __future__ import annotations

import json
import re
import unicodedata

ELLIPSIS = "…"
DASH = "–"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# A flag made of tag characters is an emoji; tag characters anywhere else are text nobody can see.
_HIDDEN = re.compile(
    "(?P<flag>\U0001f3f4[\U000e0020-\U000e007e]{1,16}\U000e007f)"
    "|(?P<control>[\x00-\x08\x0b-\x1f\x7f])"
    "|[\x80-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]"
    "|[\ud800-\udfff\U000e0000-\U000e0fff]"
)
_ENTITY = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MARKS = re.compile("[&<>`*_~]")
_ENTITY_TAIL = re.compile(r"&[a-z]{0,4}$")
_ZWJ = "\u200d"


def neutral(text: str) -> str:
    """The text with nothing in it that hides, reorders or rings: controls become visible signs, emoji stay."""
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub(_visible, text.replace("\r\n", "\n"))


def _visible(found: re.Match[str]) -> str:
    if found["flag"]:
        return found["flag"]
    control = found["control"]
    if not control:
        return _REPLACEMENT
    return "\N{SYMBOL FOR DELETE}" if control == "\x7f" else chr(0x2400 + ord(control))


def one_line(text: str) -> str:
    """The text neutralised, with line breaks and tabs shown as blanks."""
    return " ".join(neutral(text).split())


def escape(text: str) -> str:
    """The text for a mrkdwn field: no mention, link, code span or emphasis can come out of it."""
    return _MARKS.sub(_unmarked, neutral(text))


def _unmarked(found: re.Match[str]) -> str:
    mark = found[0]
    if mark in _ENTITY:
        return _ENTITY[mark]
    # Look-alikes: a mark between word characters (user_id) means nothing to Slack and stays what it is.
    before, after = found.start() > 0 and found.string[found.start() - 1], found.string[found.end() : found.end() + 1]
    if mark == "_" and before and before.isalnum() and after.isalnum():
        return mark
    return {"`": "\u02cb", "*": "\u2217", "_": "\uff3f", "~": "\u223c"}[mark]


def unescape(text: str) -> str:
    """Slack's three entities turned back, for a terminal."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, ending in "…" when cut; never inside an entity, an emoji or an accented letter."""
    if len(text) <= limit:
        return text
    if limit <= 1:
        return ELLIPSIS[:limit]
    return text[: _boundary(text, limit - 1)].rstrip() + ELLIPSIS


def _boundary(text: str, cut: int) -> int:
    """The last place at or before `cut` that is between two whole characters."""
    place = cut
    while place > max(0, cut - 64) and _joined(text, place):
        place -= 1
    tail = _ENTITY_TAIL.search(text, max(0, place - 5), place)
    if tail is not None and text[place : place + 5].find(";") >= 0:
        place = tail.start()
    return place


def _joined(text: str, place: int) -> bool:
    """Whether the characters on both sides of `place` make one sign."""
    after, before = text[place], text[place - 1]
    if after == _ZWJ or before == _ZWJ or "\ufe00" <= after <= "\ufe0f" or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True
    if unicodedata.combining(after) or unicodedata.category(after) in ("Mn", "Me", "Mc"):
        return True
    if "\U000e0020" <= after <= "\U000e007f":
        return True
    return _regional(after) and _regional(before) and _run_of_regional(text, place) % 2 == 1


def _regional(sign: str) -> bool:
    return "\U0001f1e6" <= sign <= "\U0001f1ff"


def _run_of_regional(text: str, place: int) -> int:
    count = 0
    while count < place and count < 64 and _regional(text[place - 1 - count]):
        count += 1
    return count


def json_cost(text: str) -> int:
    """How many characters a text takes as a JSON string."""
    return len(json.dumps(text, ensure_ascii=False))


def clip_cost(text: str, budget: int) -> str:
    """The text cut so that its JSON form takes at most `budget` characters."""
    text = clip(text, max(1, budget))
    while text and (cost := json_cost(text)) > budget:
        text = clip(text, max(0, min(len(text) - 1, len(text) * budget // cost)))
    return text
