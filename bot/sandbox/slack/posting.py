"""Puts messages into channels, changes and removes them, with their events; used by the web API and by people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.sandbox.slack.blocks import with_ids
from bot.sandbox.slack.records import Channel, Json, Message
from bot.sandbox.slack.state import SLACKBOT, Workspace
from bot.sandbox.slack.wire import message_json

# Slack cuts a text longer than this (https://docs.slack.dev/reference/methods/chat.postMessage#truncating).
LONGEST_TEXT = 40_000
CHANNEL_TYPES = {"public": "channel", "private": "group", "im": "im", "mpim": "mpim"}


def post(space: Workspace, channel: Channel, message: Message) -> Message:
    """Store a prepared message (see `draft`), tell pages and waiters, and emit the message event."""
    channel.messages[message.ts] = message
    if message.thread_ts and message.thread_ts != message.ts:
        channel.threads.setdefault(message.thread_ts, []).append(message.ts)
    if message.by_bot:
        channel.last_read[message.user] = message.ts
    space.tell("message", channel, ts=message.ts, thread_ts=message.thread_ts)
    event = message_json(space, message) | _where(channel)
    space.emit(event | {"event_ts": message.ts}, channel)
    mentions_app = f"<@{space.bot_user}>" in message.text and message.user != space.bot_user
    if mentions_app and not channel.is_direct and message.subtype is None:
        space.emit(event | {"type": "app_mention", "event_ts": message.ts}, channel)
    return message


def draft(space: Workspace, channel: Channel, user: str, text: str = "", **more: Any) -> Message:
    """A message with a fresh time stamp and ids filled into its blocks; not stored yet.

    `more` are further fields of Message; a reply to a reply is moved to the thread's parent.
    """
    thread = more.get("thread_ts")
    parent = channel.messages.get(thread) if thread else None
    if parent is not None and parent.thread_ts and parent.thread_ts != parent.ts:
        more["thread_ts"] = parent.thread_ts
    blocks = with_ids(more.pop("blocks", None) or [], lambda: new_word(space))
    return Message(
        ts=space.new_ts(),
        channel=channel.id,
        user=user,
        text=text[:LONGEST_TEXT],
        blocks=blocks,
        by_bot=user == space.bot_user,
        **more,
    )


def new_word(space: Workspace) -> str:
    """An id for a block or element that came without one."""
    return "b" + space.new_id("b").lower()[-5:]


def post_ephemeral(space: Workspace, channel: Channel, message: Message, user: str) -> Message:
    """Show a prepared message to one user only; no event, no history."""
    message.ephemeral_to = user
    channel.ephemerals[message.ts] = message
    space.tell("message", channel, frozenset({user}), ts=message.ts, thread_ts=message.thread_ts, ephemeral=True)
    return message


def slackbot_says(space: Workspace, channel: Channel, user: str, text: str) -> Message:
    """A note only this user sees, from Slackbot."""
    return post_ephemeral(space, channel, draft(space, channel, SLACKBOT, text), user)


def edit(space: Workspace, channel: Channel, message: Message, fields: Json, *, mark: bool, by: str) -> Message:
    """Replace fields of a stored message; `mark` shows it as edited. Emits message_changed."""
    before = message_json(space, message)
    if "blocks" in fields:
        fields = fields | {"blocks": with_ids(fields["blocks"] or [], lambda: new_word(space))}
    changed = replace(message, **fields)
    if mark:
        changed.edited = {"user": by, "ts": space.new_ts()}
    if message.ephemeral_to is not None:
        channel.ephemerals[message.ts] = changed
        space.tell("message", channel, frozenset({message.ephemeral_to}), ts=message.ts, ephemeral=True)
        return changed
    channel.messages[message.ts] = changed
    space.tell("message", channel, ts=message.ts, thread_ts=message.thread_ts)
    ts = space.new_ts()
    event: Json = {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "message": message_json(space, changed),
        "previous_message": before,
        "ts": ts,
        "event_ts": ts,
    }
    space.emit(event | _where(channel), channel)
    return changed


def remove(space: Workspace, channel: Channel, message: Message) -> None:
    """Delete a stored or ephemeral message; emits message_deleted for a stored one."""
    if message.ephemeral_to is not None:
        channel.ephemerals.pop(message.ts, None)
        space.tell("message", channel, frozenset({message.ephemeral_to}), ts=message.ts, deleted=True, ephemeral=True)
        return
    before = message_json(space, message)
    channel.messages.pop(message.ts, None)
    if message.thread_ts and message.ts in channel.threads.get(message.thread_ts, ()):
        channel.threads[message.thread_ts].remove(message.ts)
    channel.pins.pop(message.ts, None)
    space.tell("message", channel, ts=message.ts, thread_ts=message.thread_ts, deleted=True)
    ts = space.new_ts()
    event: Json = {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "deleted_ts": message.ts,
        "previous_message": before,
        "ts": ts,
        "event_ts": ts,
    }
    space.emit(event | _where(channel), channel)


def announce(space: Workspace, channel: Channel, user: str, subtype: str, text: str) -> Message:
    """A line such as "has joined the channel" in the channel's history."""
    return post(space, channel, draft(space, channel, user, text, subtype=subtype))


def _where(channel: Channel) -> Json:
    return {"channel": channel.id, "channel_type": CHANNEL_TYPES[channel.kind]}
