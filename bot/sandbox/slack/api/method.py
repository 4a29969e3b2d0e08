"""What a web API method is: its arguments, scopes and tier, and how lists are cut into pages; used by every family."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from bot.sandbox.slack.errors import ApiError, invalid_arguments, missing_field
from bot.sandbox.slack.limits import T3, Tier
from bot.sandbox.slack.records import Channel, Json, Message
from bot.sandbox.slack.state import Workspace

Item = TypeVar("Item")
_FALSE = {"", "0", "false", "none", "null"}


@dataclass(frozen=True)
class Args:
    """A call's arguments, merged from query, form, JSON and multipart; values may be strings or parsed JSON."""

    values: Mapping[str, Any]

    def has(self, name: str) -> bool:
        """Whether the argument was given and is not null."""
        return self.values.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        """The argument as a string."""
        value = self.values.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        """The argument as a non-empty string; refuses the call without it."""
        value = self.text(name)
        if not value:
            raise missing_field(name)
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """The argument as a truth value; the SDK sends 1 and 0."""
        value = self.values.get(name)
        return default if value is None else str(value).lower() not in _FALSE

    def number(self, name: str, default: int) -> int:
        """The argument as a whole number."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        try:
            return int(value)
        except (TypeError, ValueError) as error:
            raise invalid_arguments(f"must be a valid integer [json-pointer:/{name}]") from error

    def tree(self, name: str) -> Any:
        """The argument as JSON, parsed when it came as a string."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError as error:
            raise ApiError(f"invalid_{name}_format" if name == "blocks" else "invalid_arguments") from error

    def listed(self, name: str) -> list[str]:
        """The argument as a list of strings, from a JSON list or a comma-separated string."""
        value = self.values.get(name)
        if isinstance(value, str) and value.startswith("["):
            value = self.tree(name)
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [str(each) for each in value]
        return [each.strip() for each in str(value or "").split(",") if each.strip()]


@dataclass(frozen=True)
class Call:
    """One call of a method by the app."""

    space: Workspace
    args: Args
    open_socket: Callable[[], str]

    def allows(self, *scopes: str) -> bool:
        """Whether the app was granted one of these scopes."""
        return any(scope in self.space.manifest.scopes for scope in scopes)

    def need(self, *scopes: str) -> None:
        """Refuse the call unless one of these scopes was granted; the first is the one Slack asks for."""
        if not self.allows(*scopes):
            raise missing_scope(self.space, scopes)

    def channel(self, name: str = "channel") -> Channel:
        """The channel an argument names; one the app cannot see is not found."""
        reference = self.args.required(name)
        channel = self.space.find_channel(reference)
        if channel is None or not self.space.can_see(self.space.bot_user, channel):
            raise ApiError("channel_not_found")
        return channel

    def joined(self, name: str = "channel") -> Channel:
        """The channel an argument names, of which the app must be a member."""
        channel = self.channel(name)
        if self.space.bot_user not in channel.members:
            raise ApiError("not_in_channel")
        return channel

    def writable(self, name: str = "channel") -> Channel:
        """The channel an argument names, joined and not archived."""
        channel = self.joined(name)
        if channel.is_archived:
            raise ApiError("is_archived")
        return channel

    def message(self, channel: Channel, name: str, error: str = "message_not_found") -> Message:
        """The stored message an argument names."""
        message = channel.messages.get(self.args.required(name))
        if message is None:
            raise ApiError(error)
        return message


@dataclass(frozen=True)
class Method:
    """A web API method. Any of `scopes` suffices; `token` says which kind of token it takes."""

    name: str
    handle: Callable[[Call], Json]
    scopes: tuple[str, ...] = ()
    tier: Tier = T3
    token: Literal["bot", "app", "none"] = "bot"


def missing_scope(space: Workspace, scopes: Sequence[str]) -> ApiError:
    """Slack's refusal of a call whose scope was not granted."""
    return ApiError("missing_scope", needed=scopes[0], provided=",".join(sorted(space.manifest.scopes)))


def page(call: Call, items: Sequence[Item], *, default: int = 100, most: int = 1000) -> tuple[list[Item], Json]:
    """One page of a list and the `response_metadata` with its next cursor."""
    limit = _limit(call, default, most)
    start = int(read_cursor(call, "offset") or 0)
    following = make_cursor("offset", str(start + limit)) if start + limit < len(items) else ""
    return list(items[start : start + limit]), {"next_cursor": following}


def _limit(call: Call, default: int, most: int) -> int:
    limit = call.args.number("limit", default) or default
    if limit < 0:
        raise ApiError("invalid_limit")
    return min(limit, most)


def page_messages(call: Call, newest_first: Sequence[Message], default: int = 100) -> tuple[list[Message], Json]:
    """One page of a history; its cursor names a message, so that new ones do not shift the pages."""
    limit = _limit(call, default, 999)
    if after := read_cursor(call, "next_ts"):
        newest_first = [message for message in newest_first if message.ts <= after]
    taken = list(newest_first[:limit])
    following = make_cursor("next_ts", newest_first[limit].ts) if len(newest_first) > limit else ""
    return taken, {"next_cursor": following}


def make_cursor(kind: str, value: str) -> str:
    """An opaque cursor."""
    return base64.b64encode(f"{kind}:{value}".encode()).decode()


def read_cursor(call: Call, kind: str) -> str:
    """The value inside the call's cursor, or "" on the first page."""
    cursor = call.args.text("cursor")
    if not cursor:
        return ""
    try:
        found, _, value = base64.b64decode(cursor, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ApiError("invalid_cursor") from error
    if found != kind or not value.replace(".", "").isdecimal():
        raise ApiError("invalid_cursor")
    return value
