"""Reading outside JSON: every value is checked, cleaned and bounded; what does not fit is `Malformed`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.alert import Alert, AlertState
from bot.errors import Mistake

MAX_ALERTS = 2_000
MAX_LABELS, MAX_KEY, MAX_VALUE = 40, 80, 300
MAX_NAME, MAX_TITLE, MAX_TEXT, MAX_URL, MAX_FINGERPRINT = 150, 150, 2_000, 500, 120
AHEAD = timedelta(minutes=5)
"""How far a sender's clock may be ahead: what is dated later counts as said now, or nothing could ever end it."""

_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?")


class Malformed(Mistake):
    """What was delivered is not what this source sends; the sentence says what is wrong with it."""


def parsed(body: bytes) -> Mapping[str, Any]:
    """The JSON record in a body. Raises `Malformed`."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is not JSON in UTF-8.") from error
    return record(data, "the body")


def record(data: Any, where: str) -> Mapping[str, Any]:
    """A record. Raises `Malformed`."""
    if not isinstance(data, dict):
        raise Malformed(f"A record was expected in {where}.")
    return data


def inner(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The record under a name; an empty one where there is none."""
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def listed(data: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """The records of a list, at least one. Raises `Malformed`."""
    found = data.get(name)
    if not isinstance(found, list) or not found:
        raise Malformed(f"«{name}» must be a list with something in it.")
    if len(found) > MAX_ALERTS:
        raise Malformed(f"«{name}» holds more than {MAX_ALERTS:,}; send them in parts.")
    return [record(each, f"«{name}»") for each in found]


def said(data: Mapping[str, Any], name: str, limit: int = MAX_VALUE) -> str:
    """A text or number as clean text, "" where there is none."""
    return clean(data.get(name), limit)


def needed(data: Mapping[str, Any], name: str, limit: int = MAX_VALUE) -> str:
    """A text that must be there. Raises `Malformed`."""
    found = said(data, name, limit)
    if not found:
        raise Malformed(f"«{name}» is missing.")
    return found


def clean(value: Any, limit: int) -> str:
    """A value as text that can be stored and is no longer than the limit; "" for what is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        value = format(value, "g") if abs(value) > 10**18 or isinstance(value, float) else str(value)
    if not isinstance(value, str):
        return ""
    text = _UNSTORABLE.sub("", value[: 4 * limit]).strip()
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def labels_of(*many: Any) -> dict[str, str]:
    """The plain values of records as labels; a later record goes before an earlier one."""
    labels: dict[str, str] = {}
    for data in many:
        for key, value in data.items() if isinstance(data, dict) else ():
            name, text = clean(key, MAX_KEY), clean(value, MAX_VALUE)
            if name and text and (name in labels or len(labels) < MAX_LABELS):
                labels[name] = text
    return labels


def moment(value: Any, now: datetime) -> datetime:
    """A time as senders write it, ISO 8601 or seconds since 1970; now for anything else and for the future."""
    found = None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 4e9:
        found = datetime.fromtimestamp(value, UTC)
    elif isinstance(value, str) and (parts := _TIME.fullmatch(value.strip())):
        zone = (parts[3] or "Z").replace("Z", "+00:00")
        try:
            found = datetime.fromisoformat(f"{parts[1]}{(parts[2] or '')[:7]}{zone}").astimezone(UTC)
        except (ValueError, OverflowError):
            found = None
    # Go's empty time is the year 1.
    return now if found is None or found.year < 2000 or found > now + AHEAD else found


def made(
    *,
    name: str,
    state: AlertState,
    at: datetime,
    fingerprint: str = "",
    title: str = "",
    severity: str = "",
    labels: Mapping[str, str],
    text: str = "",
    url: str = "",
) -> Alert:
    """An alert; one without a fingerprint is known by its name and labels."""
    if not fingerprint:
        same = json.dumps([name, sorted(labels.items())], ensure_ascii=False)
        fingerprint = hashlib.sha256(same.encode("utf-8", "replace")).hexdigest()[:32]
    elif len(fingerprint) > MAX_FINGERPRINT:
        fingerprint = hashlib.sha256(fingerprint.encode("utf-8", "replace")).hexdigest()
    link = url if url.startswith(("https://", "http://")) and not re.search(r"[\s<>|]", url) else ""
    return Alert(fingerprint, name, title or name, state, at, severity[:40], labels, text, link)
