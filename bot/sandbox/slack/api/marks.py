"""The methods that mark messages and channels: pins.*, bookmarks.*, reactions.*."""

from __future__ import annotations

import re

from bot.sandbox.slack import reacting
from bot.sandbox.slack.api.method import Call, Method, page
from bot.sandbox.slack.errors import ApiError, missing_field
from bot.sandbox.slack.limits import T2, T3
from bot.sandbox.slack.records import Bookmark, Channel, Json, Message
from bot.sandbox.slack.wire import bookmark_json, message_json

# https://docs.slack.dev/reference/methods/pins.add and bookmarks.add
MOST_PINS = 100
MOST_BOOKMARKS = 100


def pins_add(call: Call) -> Json:
    """pins.add."""
    channel = call.writable()
    message = call.message(channel, "timestamp")
    if message.ts in channel.pins:
        raise ApiError("already_pinned")
    if len(channel.pins) >= MOST_PINS:
        raise ApiError("too_many_pins")
    channel.pins[message.ts] = {"created": call.space.now(), "created_by": call.space.bot_user}
    _pin_event(call, "pin_added", channel, message)
    return {}


def pins_remove(call: Call) -> Json:
    """pins.remove."""
    channel = call.writable()
    message = call.message(channel, "timestamp")
    if channel.pins.pop(message.ts, None) is None:
        raise ApiError("no_pin")
    _pin_event(call, "pin_removed", channel, message)
    return {}


def _pin_event(call: Call, kind: str, channel: Channel, message: Message) -> None:
    item = {"type": "message", "channel": channel.id, "message": message_json(call.space, message)}
    call.space.tell("message", channel, ts=message.ts)
    event = {"type": kind, "user": call.space.bot_user, "channel_id": channel.id, "item": item}
    call.space.emit(event, channel)


def pins_list(call: Call) -> Json:
    """pins.list, newest first."""
    channel = call.joined()
    items = [
        {
            "type": "message",
            "channel": channel.id,
            "message": message_json(call.space, channel.messages[ts]),
            **about,
        }
        for ts, about in reversed(channel.pins.items())
    ]
    return {"items": items}


def _link(value: str) -> str:
    if not re.match(r"https?://|mailto:", value):
        raise ApiError("invalid_link")
    return value


def bookmarks_add(call: Call) -> Json:
    """bookmarks.add."""
    channel, args = call.writable("channel_id"), call.args
    title = args.required("title")
    if args.required("type") != "link":
        raise ApiError("invalid_bookmark_type")
    if not args.has("link"):
        raise ApiError("invalid_link")
    if len(channel.bookmarks) >= MOST_BOOKMARKS:
        raise ApiError("too_many_bookmarks")
    bookmark = Bookmark(
        call.space.new_id("Bk"), title, _link(args.text("link")), args.text("emoji"), created=call.space.now()
    )
    channel.bookmarks.append(bookmark)
    call.space.tell("channel", channel)
    return {"bookmark": bookmark_json(channel, bookmark)}


def _bookmark(call: Call) -> tuple[Channel, Bookmark]:
    channel = call.writable("channel_id")
    identity = call.args.required("bookmark_id")
    found = next((each for each in channel.bookmarks if each.id == identity), None)
    if found is None:
        raise ApiError("not_found")
    return channel, found


def bookmarks_edit(call: Call) -> Json:
    """bookmarks.edit."""
    channel, bookmark = _bookmark(call)
    if call.args.has("link"):
        bookmark.link = _link(call.args.text("link"))
    bookmark.title = call.args.text("title", bookmark.title)
    bookmark.emoji = call.args.text("emoji", bookmark.emoji)
    bookmark.updated = call.space.now()
    call.space.tell("channel", channel)
    return {"bookmark": bookmark_json(channel, bookmark)}


def bookmarks_remove(call: Call) -> Json:
    """bookmarks.remove."""
    channel, bookmark = _bookmark(call)
    channel.bookmarks.remove(bookmark)
    call.space.tell("channel", channel)
    return {}


def bookmarks_list(call: Call) -> Json:
    """bookmarks.list."""
    channel = call.joined("channel_id")
    return {"bookmarks": [bookmark_json(channel, each) for each in channel.bookmarks]}


def _reaction(call: Call) -> tuple[Channel, Message, str]:
    name = call.args.text("name").strip(":")
    if not re.fullmatch(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?", name):
        raise ApiError("invalid_name")
    channel = call.channel()
    message = call.message(channel, "timestamp")
    if call.space.bot_user not in channel.members and channel.kind != "public":
        raise ApiError("not_in_channel")
    return channel, message, name


def reactions_add(call: Call) -> Json:
    """reactions.add."""
    channel, message, name = _reaction(call)
    if channel.is_archived:
        raise ApiError("is_archived")
    if not reacting.add(call.space, channel, message, name, call.space.bot_user):
        raise ApiError("already_reacted")
    return {}


def reactions_remove(call: Call) -> Json:
    """reactions.remove."""
    channel, message, name = _reaction(call)
    if not reacting.remove(call.space, channel, message, name, call.space.bot_user):
        raise ApiError("no_reaction")
    return {}


def reactions_get(call: Call) -> Json:
    """reactions.get, of a message."""
    if not call.args.has("channel"):
        raise missing_field("channel")
    channel = call.channel()
    message = call.message(channel, "timestamp")
    return {"type": "message", "channel": channel.id, "message": message_json(call.space, message)}


def reactions_list(call: Call) -> Json:
    """reactions.list: what a user (by default the app) reacted to, newest first."""
    user = call.args.text("user") or call.space.bot_user
    found = [
        {"type": "message", "channel": channel.id, "message": message_json(call.space, message)}
        for channel in call.space.channels.values()
        if call.space.can_see(call.space.bot_user, channel)
        for message in reversed(channel.messages.values())
        if any(user in users for users in message.reactions.values())
    ]
    some, metadata = page(call, found)
    return {"items": some, "response_metadata": metadata}


METHODS = (
    Method("pins.add", pins_add, ("pins:write",), T2),
    Method("pins.remove", pins_remove, ("pins:write",), T2),
    Method("pins.list", pins_list, ("pins:read",), T2),
    Method("bookmarks.add", bookmarks_add, ("bookmarks:write",), T2),
    Method("bookmarks.edit", bookmarks_edit, ("bookmarks:write",), T2),
    Method("bookmarks.remove", bookmarks_remove, ("bookmarks:write",), T2),
    Method("bookmarks.list", bookmarks_list, ("bookmarks:read",), T3),
    Method("reactions.add", reactions_add, ("reactions:write",), T3),
    Method("reactions.remove", reactions_remove, ("reactions:write",), T2),
    Method("reactions.get", reactions_get, ("reactions:read",), T3),
    Method("reactions.list", reactions_list, ("reactions:read",), T2),
)
