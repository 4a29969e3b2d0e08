"""The one place where HTML is made and text is escaped; everything in this room builds its markup with `el`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from markupsafe import Markup, escape

Attribute: TypeAlias = str | int | bool | None
Child: TypeAlias = Markup | str | None

_VOID: Final = frozenset({"br", "hr", "img", "input"})
_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
_LINK_SCHEMES: Final = frozenset({"http", "https", "mailto"})
# What a browser drops or trims before it reads the scheme, so that "java\tscript:" must not pass as harmless.
_INVISIBLE: Final = re.compile(r"[\x00-\x20\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060\ufeff]")
EMPTY: Final = Markup("")
BREAK: Final = Markup("<br>")


def el(tag: str, attributes: Mapping[str, Attribute] | None = None, *children: Child) -> Markup:
    """One element. Strings are escaped, Markup is kept; an attribute that is None or False is left out."""
    written = [f"<{_checked(tag)}"]
    for name, value in (attributes or {}).items():
        if value is True:
            written.append(f" {_checked(name)}")
        elif value is not None and value is not False:
            written.append(f' {_checked(name)}="{escape(str(value))}"')
    written.append(">")
    if tag not in _VOID:
        written.extend(escape(child) for child in children if child is not None)
        written.append(f"</{tag}>")
    return Markup("".join(written))


def join(children: Iterable[Child], separator: Markup = EMPTY) -> Markup:
    """Children one after another, strings escaped."""
    return separator.join(child for child in children if child is not None)


def lines(text: str) -> Markup:
    """Text with its line breaks kept."""
    return join(text.split("\n"), BREAK)


def safe_url(url: object) -> str | None:
    """The address if it is one a person may follow (http, https, mailto), else None."""
    if not isinstance(url, str) or _INVISIBLE.search(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme.lower() not in _LINK_SCHEMES or not (parts.netloc or parts.scheme.lower() == "mailto"):
        return None
    return url


def image_url(url: object) -> str | None:
    """The address if a picture may be loaded from it (http, https), else None."""
    address = safe_url(url)
    return None if address is None or address.lower().startswith("mailto:") else address


def anchor(url: object, label: Child) -> Markup:
    """A link that opens in a new tab, or the bare label where the address may not be followed."""
    address = safe_url(url)
    if address is None:
        return el("span", {"class": "no-link"}, label)
    return el("a", {"href": address, "target": "_blank", "rel": "noopener noreferrer nofollow"}, label)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name of an element or attribute: {name!r}")
    return name
