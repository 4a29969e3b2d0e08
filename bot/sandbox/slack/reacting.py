"""Adding and taking away emoji reactions with their events; used by the web API and by people."""

from __future__ import annotations

from bot.sandbox.slack.records import Channel, Message
from bot.sandbox.slack.state import Workspace


def add(space: Workspace, channel: Channel, message: Message, name: str, user: str) -> bool:
    """React; False when this user already did."""
    users = message.reactions.setdefault(name, [])
    if user in users:
        return False
    users.append(user)
    _say(space, "reaction_added", channel, message, name, user)
    return True


def remove(space: Workspace, channel: Channel, message: Message, name: str, user: str) -> bool:
    """Take the reaction back; False when there was none."""
    users = message.reactions.get(name, [])
    if user not in users:
        return False
    users.remove(user)
    if not users:
        del message.reactions[name]
    _say(space, "reaction_removed", channel, message, name, user)
    return True


def _say(space: Workspace, kind: str, channel: Channel, message: Message, name: str, user: str) -> None:
    space.tell("message", channel, ts=message.ts, thread_ts=message.thread_ts)
    space.emit(
        {
            "type": kind,
            "user": user,
            "reaction": name,
            "item": {"type": "message", "channel": channel.id, "ts": message.ts},
            "item_user": message.user,
        },
        channel,
    )
