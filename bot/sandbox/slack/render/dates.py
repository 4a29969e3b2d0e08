"""Slack's date tokens: written in UTC on the server, rewritten by the page in the reader's own time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from markupsafe import Markup

from bot.sandbox.slack.render.html import anchor, el, safe_url

_DAY: Final = "{d:%B} {d.day}, {d.year}"
_SHORT: Final = "{d:%b} {d.day}, {d.year}"
_LONG: Final = "{d:%A}, {d:%B} {d.day}, {d.year}"
_TOKENS: Final = {
    "date_num": "{d:%Y-%m-%d}",
    "date": _DAY,
    "date_pretty": _DAY,
    "date_short": _SHORT,
    "date_short_pretty": _SHORT,
    "date_slash": "{d:%d/%m/%Y}",
    "date_long": _LONG,
    "date_long_pretty": _LONG,
    "date_long_full": _LONG,
    "day_divider_pretty": _LONG,
    "time": "{d:%H:%M} UTC",
    "time_secs": "{d:%H:%M:%S} UTC",
    "ago": "{d:%b} {d.day}, {d:%H:%M} UTC",
}
_TOKEN: Final = re.compile(r"\{(\w+)\}")


def date(timestamp: object, form: str, fallback: str, link: str = "") -> Markup:
    """A moment in Slack's format; the fallback where the timestamp is none."""
    try:
        moment = datetime.fromtimestamp(int(str(timestamp)), UTC)
    except (ValueError, OverflowError, OSError):
        return el("span", None, fallback)
    shown = _TOKEN.sub(lambda token: _TOKENS.get(token[1], token[0]).format(d=moment), form)
    attributes = {"datetime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "data-format": form, "title": fallback or None}
    written = el("time", attributes, shown or fallback)
    return anchor(link, written) if safe_url(link) else written
