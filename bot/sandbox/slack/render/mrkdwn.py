"""Slack's mrkdwn and text objects as HTML: emphasis, code, quotes, links, mentions, dates and emoji."""

from __future__ import annotations

import re
from typing import Final

from markupsafe import Markup

from bot.sandbox.slack.render.dates import date
from bot.sandbox.slack.render.emoji import emoji, known, with_emoji
from bot.sandbox.slack.render.html import BREAK, anchor, el, join, lines, safe_url
from bot.sandbox.slack.render.names import Names
from bot.sandbox.slack.render.reading import Json, string

_FENCE: Final = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_QUOTE: Final = re.compile(r"(?:&gt;|>)\s?")
_REST_QUOTE: Final = re.compile(r"(?:&gt;){3}|>>>")
_TOKEN: Final = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|<(?P<entity>[^<>\n]+)>"
    r"|(?P<url>https?://[^\s<>|`]*[^\s<>|`.,;:!?'\")\]}*_~])"
    r"|(?<![\w*])\*(?=\S)(?P<bold>[^*\n]*[^*\s])\*(?![\w*])"
    r"|(?<![\w_])_(?=\S)(?P<italic>[^_\n]*[^_\s])_(?![\w_])"
    r"|(?<![\w~])~(?=\S)(?P<strike>[^~\n]*[^~\s])~(?![\w~])"
    r"|:(?P<emoji>[a-z0-9_+'-]+(?:::skin-tone-[2-6])?):"
)
_STYLES: Final = {"bold": "strong", "italic": "em", "strike": "s"}
_EVERYBODY: Final = frozenset({"here", "channel", "everyone"})


def text(value: Json, names: Names) -> Markup:
    """A text object of either type as HTML."""
    written = string(value, "text")
    if string(value, "type") == "mrkdwn":
        return mrkdwn(written, names)
    return lines(written) if value.get("emoji") is False else with_emoji(written)


def mrkdwn(written: str, names: Names) -> Markup:
    """Slack's markup as HTML."""
    parts = _FENCE.split(written)
    shown: list[Markup] = []
    for index, part in enumerate(parts):
        if index % 2:
            shown.append(el("pre", {"class": "code"}, _entities_as_text(part, names)))
        elif part:
            before, after = index > 0, index < len(parts) - 1
            trimmed = part.removeprefix("\n") if before else part
            shown.append(_paragraphs(trimmed.removesuffix("\n") if after else trimmed, names))
    return join(shown)


def _paragraphs(written: str, names: Names) -> Markup:
    """Lines, with runs of quoted lines gathered into quotes."""
    shown: list[Markup] = []
    open_lines: list[str] = []
    quoted = False

    def close() -> None:
        if open_lines:
            inner = join((_inline(line, names) for line in open_lines), BREAK)
            shown.append(el("blockquote", None, inner) if quoted else inner)
            open_lines.clear()

    remaining = written.split("\n") if written else []
    for index, line in enumerate(remaining):
        rest = _REST_QUOTE.match(line)
        mark = _QUOTE.match(line)
        if rest:
            close()
            quoted = True
            open_lines.extend([line[rest.end() :].lstrip(), *remaining[index + 1 :]])
            break
        if bool(mark) is not quoted:
            close()
            quoted = bool(mark)
        open_lines.append(line[mark.end() :] if mark else line)
    close()
    return join(shown)


def _inline(written: str, names: Names) -> Markup:
    shown: list[Markup] = []
    at = 0
    for token in _TOKEN.finditer(written):
        shown.append(_unescaped(written[at : token.start()]))
        shown.append(_token(token, names))
        at = token.end()
    shown.append(_unescaped(written[at:]))
    return join(shown)


def _token(token: re.Match[str], names: Names) -> Markup:
    kind, inner = token.lastgroup or "", token[token.lastgroup or 0]
    match kind:
        case "code":
            return el("code", None, _entities_as_text(inner, names))
        case "entity":
            return _entity(inner, names, token[0])
        case "url":
            address = _plainly(inner)
            return anchor(address, address)
        case "emoji":
            return emoji(inner) if known(inner) else _unescaped(token[0])
        case _:
            return el(_STYLES[kind], None, _inline(inner, names))


def _entity(inner: str, names: Names, whole: str) -> Markup:
    """What stands between angle brackets: a mention, a date or a link."""
    target, _, label = inner.partition("|")
    match target[:1]:
        case "@":
            return user(target[1:], names, label)
        case "#":
            return channel(target[1:], names, label)
        case "!":
            return _special(target[1:], label, names)
        case _:
            address = _plainly(target)
            if safe_url(address) is None:
                return _unescaped(label or whole)
            return anchor(address, with_emoji(_plainly(label)) if label else address.removeprefix("mailto:"))


def _special(target: str, label: str, names: Names) -> Markup:
    name, *arguments = target.split("^")
    if name in _EVERYBODY:
        return broadcast(name)
    if name == "subteam" and arguments:
        return usergroup(arguments[0], names, label)
    if name == "date" and len(arguments) > 1:
        link = "^".join(arguments[2:])
        return date(arguments[0], _plainly(arguments[1]), _plainly(label), _plainly(link))
    return _unescaped(label or f"<!{target}>")


def user(id: str, names: Names, label: str = "") -> Markup:
    """A mention of a person; highlighted when it is the one who looks."""
    name = names.user(id) or _plainly(label).lstrip("@") or id
    kind = "mention mention-me" if id == names.me else "mention"
    return el("span", {"class": kind, "data-user-id": id}, f"@{name}")


def channel(id: str, names: Names, label: str = "") -> Markup:
    """A mention of a channel, which the page opens on a click."""
    name = names.channel(id) or _plainly(label).lstrip("#") or id
    return el("button", {"type": "button", "class": "mention channel-link", "data-channel-id": id}, f"#{name}")


def usergroup(id: str, names: Names, label: str = "") -> Markup:
    """A mention of a user group."""
    name = names.usergroup(id) or _plainly(label).lstrip("@") or id
    return el("span", {"class": "mention", "data-usergroup-id": id}, f"@{name}")


def broadcast(audience: str) -> Markup:
    """A mention of everybody: here, channel or everyone."""
    return el("span", {"class": "mention mention-me"}, f"@{audience}")


def _entities_as_text(written: str, names: Names) -> Markup:
    """Inside code links and mentions are only named, never active."""
    named = re.sub(r"<([^<>\n]+)>", lambda found: _named(found[1], names), written)
    return join([_plainly(named)])


def _named(inner: str, names: Names) -> str:
    target, _, label = inner.partition("|")
    match target[:1]:
        case "@":
            return f"@{names.user(target[1:]) or label or target[1:]}"
        case "#":
            return f"#{names.channel(target[1:]) or label or target[1:]}"
        case "!":
            return label or f"@{target[1:].split('^')[0]}"
        case _ if safe_url(target):
            return label or target
        case _:
            return f"<{inner}>"


def _plainly(written: str) -> str:
    """Slack's three escapes undone; the text is escaped again when it is written."""
    return written.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _unescaped(written: str) -> Markup:
    return lines(_plainly(written))
