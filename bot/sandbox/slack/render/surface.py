"""Whole surfaces as HTML: a message, a modal, a Home tab."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from bot.sandbox.slack.render import mrkdwn
from bot.sandbox.slack.render.blocks import blocks
from bot.sandbox.slack.render.html import anchor, el, image_url, join, lines
from bot.sandbox.slack.render.names import Names, Scene
from bot.sandbox.slack.render.reading import Json, flag, seq, string

_COLOR: Final = re.compile(r"#?([0-9a-fA-F]{6})")
_COLORS: Final = {"good": "2eb67d", "warning": "ecb22e", "danger": "e01e5a"}


def render_message(message: Mapping[str, Any], names: Names) -> str:
    """A message's blocks, or its text where it has none, and its attachments."""
    scene = Scene(names, f"m-{string(message, 'ts')}")
    found = seq(message, "blocks")
    words = string(message, "text")
    parts: list[Markup] = []
    if found:
        parts.append(blocks(found, scene))
    elif words:
        shown = lines(words) if message.get("mrkdwn") is False else mrkdwn.mrkdwn(words, names)
        parts.append(el("div", {"class": "message-text"}, shown))
    parts.extend(_attachment(attachment, scene) for attachment in seq(message, "attachments"))
    return str(join(parts))


def render_view(view: Mapping[str, Any], names: Names, errors: Mapping[str, str] | None = None) -> str:
    """The blocks of a modal, each input with the error that belongs to its block."""
    scene = Scene(names, f"v-{string(view, 'id') or string(view, 'callback_id')}", errors or {})
    return str(blocks(seq(view, "blocks"), scene))


def render_home(view: Mapping[str, Any], names: Names) -> str:
    """The blocks of a Home tab, in a box that names the view, which a click has to tell."""
    inner = blocks(seq(view, "blocks"), Scene(names, "h"))
    return str(el("div", {"class": "home-view", "data-view-id": string(view, "id")}, inner))


def _attachment(attachment: Any, scene: Scene) -> Markup:
    """A secondary attachment, with blocks or with the older fields, beside its coloured bar."""
    given = string(attachment, "color")
    color = _COLOR.fullmatch(_COLORS.get(given, given))
    title = string(attachment, "title")
    picture = image_url(string(attachment, "image_url"))
    fields = [
        el(
            "div",
            {"class": "attachment-field" + (" short" if flag(field, "short") else "")},
            el("strong", None, string(field, "title")),
            el("div", None, _words(field, "value", scene)),
        )
        for field in seq(attachment, "fields")
    ]
    inner = [
        _words(attachment, "pretext", scene),
        el("div", {"class": "attachment-author"}, string(attachment, "author_name") or None),
        el("div", {"class": "attachment-title"}, anchor(string(attachment, "title_link"), title)) if title else None,
        _words(attachment, "text", scene),
        el("div", {"class": "attachment-fields"}, join(fields)) if fields else None,
        el("img", {"src": picture, "alt": string(attachment, "fallback"), "class": "picture"}) if picture else None,
        el("div", {"class": "attachment-footer"}, _words(attachment, "footer", scene)),
    ]
    found = seq(attachment, "blocks")
    body = blocks(found, scene) if found else join(inner)
    return el("div", {"class": "attachment", "data-color": f"#{color[1]}" if color else None}, body)


def _words(value: Json, key: str, scene: Scene) -> Markup:
    words = string(value, key)
    return el("div", None, mrkdwn.mrkdwn(words, scene.names)) if words else Markup("")
