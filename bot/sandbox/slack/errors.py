"""The errors of local Slack: for the bot (Slack's error names), for a person (a sentence), for whoever starts it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.errors import Unavailable


class LocalSlackError(Unavailable):
    """Local Slack cannot start or go on; the text is one sentence for a person."""


class PersonError(Exception):
    """What a person tried cannot be done; the text is one sentence for that person."""


class ApiError(Exception):
    """A web API method answers `{"ok": false, "error": code}` with the given further fields."""

    def __init__(self, code: str, **fields: Any) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields


def invalid_arguments(*messages: str) -> ApiError:
    """Slack's answer to arguments that do not fit a method, with its `[ERROR] …` lines."""
    return ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {text}" for text in messages]})


def missing_field(name: str) -> ApiError:
    """Slack's answer to a required argument that is not there."""
    return invalid_arguments(f"missing required field: {name}")


def invalid_blocks(code: str, messages: Sequence[str]) -> ApiError:
    """Slack's answer to blocks it refuses: the same lines under `errors` and `response_metadata.messages`."""
    lines = list(messages)
    return ApiError(code, errors=lines, response_metadata={"messages": [f"[ERROR] {text}" for text in lines]})
