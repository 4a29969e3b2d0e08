"""What a person sees: channels, messages, modals, the Home tab; as data for tests, as JSON with HTML for the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from bot.sandbox.slack import views_stack
from bot.sandbox.slack.blocks import visible_text
from bot.sandbox.slack.records import Channel, Json, Message, View
from bot.sandbox.slack.render import render_home, render_message, render_view
from bot.sandbox.slack.state import Workspace
from bot.sandbox.slack.wire import message_json, view_json

Surface = Literal["message", "ephemeral", "modal", "home"]


@dataclass(frozen=True)
class Seen:
    """One thing on a person's screen; `raw` is Slack's JSON of it, `text` all its words."""

    surface: Surface
    text: str
    raw: Json
    channel: str | None = None
    ts: str | None = None
    view_id: str | None = None
    thread_ts: str | None = None

    @property
    def container(self) -> Json:
        """Where a click in it happens."""
        if self.view_id is not None:
            return {"type": "view", "view_id": self.view_id}
        return {"type": "message", "channel": self.channel, "ts": self.ts}


@dataclass(frozen=True)
class Names:
    """Looks up names for the renderer; `me` is who is looking."""

    space: Workspace
    me: str

    def user(self, identity: str) -> str | None:
        """A user's shown name."""
        found = self.space.users.get(identity)
        return found.real_name if found else None

    def channel(self, identity: str) -> str | None:
        """A channel's name; a private one's is shown only to its members."""
        found = self.space.channels.get(identity)
        return found.name if found is not None and self.space.can_see(self.me, found) else None

    def usergroup(self, identity: str) -> str | None:
        """A user group's handle."""
        found = self.space.usergroups.get(identity)
        return found.handle if found else None


def messages_for(space: Workspace, user: str, channel: Channel) -> list[Message]:
    """The channel's messages and this user's ephemeral ones, oldest first."""
    hidden = [message for message in channel.ephemerals.values() if message.ephemeral_to == user]
    return sorted([*channel.messages.values(), *hidden], key=lambda message: message.ts)


def seen_by(space: Workspace, user: str) -> Iterator[Seen]:
    """Everything this user can look at: the open modal, then messages newest first, then the Home tab."""
    view = views_stack.top(space, user)
    if view is not None:
        yield _seen_view(space, view)
    visible = [
        message
        for channel in space.channels.values()
        if space.can_see(user, channel)
        for message in messages_for(space, user, channel)
    ]
    for message in sorted(visible, key=lambda each: each.ts, reverse=True):
        yield seen_message(space, message)
    if user in space.homes:
        yield _seen_view(space, space.homes[user])


def seen_message(space: Workspace, message: Message) -> Seen:
    """A message as something seen."""
    raw = message_json(space, message)
    files = "\n".join(
        space.files[each].title or space.files[each].name for each in message.files if each in space.files
    )
    words = [visible_text(message.blocks) or message.text, visible_text(message.attachments), files]
    return Seen(
        "message" if message.ephemeral_to is None else "ephemeral",
        "\n".join(word for word in words if word),
        raw,
        channel=message.channel,
        ts=message.ts,
        thread_ts=message.thread_ts,
    )


def _seen_view(space: Workspace, view: View) -> Seen:
    payload = view.payload
    shown = {key: payload.get(key) for key in ("title", "submit", "close", "blocks")}
    words = [visible_text(shown), *view.errors.values()]
    surface: Surface = "modal" if view.type == "modal" else "home"
    return Seen(surface, "\n".join(words), view_json(space, view), view_id=view.id)


def state_json(space: Workspace, user: str) -> Json:
    """The sidebar: people, channels, commands and shortcuts, and what a newcomer might try."""
    manifest = space.manifest
    return {
        "team": {"name": space.team_name, "id": space.team_id},
        "me": user,
        "hint": list(space.hints),
        "users": [
            {
                "id": each.id,
                "name": each.name,
                "real_name": each.real_name,
                "title": each.title,
                "color": each.color,
                "is_bot": each.is_bot or each.id == "USLACKBOT",
            }
            for each in space.users.values()
        ],
        "channels": [
            _channel_line(space, user, each) for each in space.channels.values() if _listed(space, user, each)
        ],
        "commands": [
            {"command": each.command, "description": each.description, "usage_hint": each.usage_hint}
            for each in manifest.commands
        ],
        "shortcuts": [vars(each).copy() for each in manifest.shortcuts],
        "app": {"name": manifest.bot_name, "bot_user_id": space.bot_user, "home_tab": manifest.home_tab},
    }


def _listed(space: Workspace, user: str, channel: Channel) -> bool:
    return space.can_see(user, channel) and not channel.is_archived


def _channel_line(space: Workspace, user: str, channel: Channel) -> Json:
    other = next((member for member in channel.members if member != user), user) if channel.kind == "im" else None
    read = channel.last_read.get(user, "0")
    unread = [
        message
        for message in channel.messages.values()
        if message.ts > read and message.user != user and message.subtype is None
    ]
    return {
        "id": channel.id,
        "name": space.users[other].real_name if other in space.users else channel.name,
        "is_private": channel.kind != "public",
        "is_member": user in channel.members,
        "topic": channel.topic.value,
        "unread": len(unread) if user in channel.members else 0,
        "is_im": channel.is_direct,
        "im_user": other,
    }


def channel_json(space: Workspace, user: str, channel: Channel) -> Json:
    """An open channel: its head and its messages without replies. Looking at it makes it read."""
    messages = [each for each in messages_for(space, user, channel) if each.thread_ts in (None, each.ts)]
    broadcast = [each for each in channel.messages.values() if each.subtype == "thread_broadcast"]
    shown = sorted([*messages, *broadcast], key=lambda each: each.ts)
    if channel.messages:
        channel.last_read[user] = max(channel.messages)
    line = _channel_line(space, user, channel)
    return {
        "channel": {
            "id": channel.id,
            "name": line["name"],
            "topic": channel.topic.value,
            "purpose": channel.purpose.value,
            "members": list(channel.members),
            "pins": list(channel.pins),
            "bookmarks": [{"title": each.title, "link": each.link} for each in channel.bookmarks],
            "is_archived": channel.is_archived,
            "is_member": user in channel.members,
            "is_private": line["is_private"],
            "is_im": line["is_im"],
        },
        "messages": [shown_message(space, user, each) for each in shown],
    }


def thread_json(space: Workspace, user: str, channel: Channel, ts: str) -> Json:
    """A thread, its parent first."""
    thread = [each for each in messages_for(space, user, channel) if ts in (each.ts, each.thread_ts)]
    return {"messages": [shown_message(space, user, each) for each in thread]}


def shown_message(space: Workspace, user: str, message: Message) -> Json:
    """A message as the page shows it, with its HTML."""
    author = space.users.get(message.user)
    raw = message_json(space, message)
    replies = raw.get("reply_count", 0)
    return {
        "ts": message.ts,
        "user": message.user,
        "bot": space.bot_id if message.by_bot else None,
        "name": message.username or (author.real_name if author else message.user),
        "color": author.color if author else "757575",
        "time": datetime.fromtimestamp(float(message.ts), UTC).strftime("%H:%M"),
        "html": render_message(raw, Names(space, user)),
        "subtype": message.subtype,
        "thread": {"count": replies, "last_ts": raw["latest_reply"]} if replies else None,
        "thread_ts": message.thread_ts,
        "ephemeral": message.ephemeral_to is not None,
        "edited": message.edited is not None,
        "reactions": raw.get("reactions", []),
        "pinned": "pinned_to" in raw,
        "files": [
            {
                "id": each["id"],
                "name": each["name"],
                "alt": each.get("alt_txt", ""),
                "mimetype": each["mimetype"],
                "size": each["size"],
                "url": f"/_local/file/{each['id']}",
            }
            for each in raw.get("files", [])
        ],
    }


def view_line(space: Workspace, user: str) -> Json | None:
    """The open modal as the page shows it."""
    view = views_stack.top(space, user)
    if view is None:
        return None
    raw = view_json(space, view)
    return {
        "id": view.id,
        "html": render_view(raw, Names(space, user), view.errors),
        "title": _plain(raw["title"]),
        "submit": _plain(raw["submit"]),
        "close": _plain(raw["close"]) or ("Cancel" if raw["submit"] else "Close"),
        "depth": len(space.stacks[user]),
        "hash": view.hash,
        "errors": dict(view.errors),
    }


def home_html(space: Workspace, user: str) -> str:
    """The Home tab as the page shows it; empty before anything was published."""
    view = space.homes.get(user)
    return render_home(view_json(space, view), Names(space, user)) if view is not None else ""


def _plain(text: Any) -> str | None:
    return str(text["text"]) if isinstance(text, dict) else None
