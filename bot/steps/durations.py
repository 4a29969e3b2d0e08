"""Time spans as authors write them in a step (`30s`, `5m`, `1h 30m`), read by the kinds that wait or time out."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator

_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def span(text: str | float) -> timedelta:
    """The time span; a plain number is seconds. Raises ValueError with a sentence."""
    if isinstance(text, int | float):
        return timedelta(seconds=text)
    total, at = timedelta(0), 0
    for part in _PART.finditer(text):
        if part.start() != at:
            break
        total, at = total + timedelta(**{_UNITS[part[2]]: float(part[1])}), part.end()
    if not text.strip() or text[at:].strip() or not total:
        raise ValueError(f"«{text}» is not a time span; write 30s, 5m or 1h 30m")
    return total


def _checked(text: str) -> str:
    span(text)
    return text


Span = Annotated[str, AfterValidator(_checked)]
"""A field that holds a time span as text; read it with `span`."""
