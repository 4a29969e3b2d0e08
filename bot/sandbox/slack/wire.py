"""Turns records into the JSON Slack answers with; used by the web API, the payload builders and the person's side."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.blocks import state_values
from bot.sandbox.slack.records import Bookmark, Channel, File, Json, Message, Usergroup, View
from bot.sandbox.slack.state import SLACKBOT, Workspace


def user_json(space: Workspace, user_id: str, *, with_email: bool = True) -> Json:
    """A user as `users.info` shows it; the address only where the app may read it."""
    user = space.users[user_id]
    profile: Json = {
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "title": user.title,
        "phone": "",
        "status_text": "",
        "status_emoji": "",
        "team": space.team_id,
    }
    if with_email and user.email:
        profile["email"] = user.email
    if user_id == space.bot_user:
        profile |= {"api_app_id": space.app_id, "bot_id": space.bot_id, "always_active": space.manifest.always_online}
    return {
        "id": user.id,
        "team_id": user.team or space.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "color": user.color,
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": 0,
        "profile": profile,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot and user.id != SLACKBOT,
        "is_app_user": False,
        "updated": 0,
    }


def bot_profile(space: Workspace) -> Json:
    """The `bot_profile` of the app's own messages."""
    return {
        "id": space.bot_id,
        "app_id": space.app_id,
        "user_id": space.bot_user,
        "name": space.manifest.bot_name,
        "deleted": False,
        "updated": 0,
        "team_id": space.team_id,
        "icons": {},
    }


OTHER_TEAM = "T0OTHERORG"
"""The other organisation of every shared channel."""


def channel_json(space: Workspace, channel: Channel, *, num_members: bool = False) -> Json:
    """A conversation as `conversations.info` shows it to the bot."""
    base: Json = {
        "id": channel.id,
        "created": channel.created,
        "updated": channel.created * 1000,
        "is_im": channel.kind == "im",
        "is_mpim": channel.kind == "mpim",
        "is_org_shared": False,
        "context_team_id": space.team_id,
    }
    if channel.kind == "im":
        other = next((member for member in channel.members if member != space.bot_user), space.bot_user)
        return base | {"user": other, "is_user_deleted": False, "is_open": True, "priority": 0, "is_archived": False}
    base |= {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == "public",
        "is_group": channel.kind == "private",
        "is_private": channel.kind != "public",
        "is_archived": channel.is_archived,
        "is_general": channel.is_general,
        "is_shared": channel.sharing == "shared",
        "is_ext_shared": channel.sharing == "shared",
        "is_pending_ext_shared": channel.sharing == "pending",
        "pending_shared": [OTHER_TEAM] if channel.sharing == "pending" else [],
        "pending_connected_team_ids": [OTHER_TEAM] if channel.sharing == "pending" else [],
        "unlinked": 0,
        "creator": channel.creator,
        "is_member": space.bot_user in channel.members,
        "topic": vars(channel.topic).copy(),
        "purpose": vars(channel.purpose).copy(),
        "previous_names": list(channel.previous_names),
        "shared_team_ids": [space.team_id, *([OTHER_TEAM] if channel.sharing == "shared" else [])],
    }
    if num_members:
        base["num_members"] = len(channel.members)
    return base


def message_json(space: Workspace, message: Message) -> Json:
    """A message as histories and events carry it."""
    made: Json = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": space.team_id,
    }
    if message.subtype:
        made["subtype"] = message.subtype
    if message.by_bot:
        made |= {"bot_id": space.bot_id, "app_id": space.app_id, "bot_profile": bot_profile(space)}
        if message.username:
            made["username"] = message.username
    for name in ("blocks", "attachments", "edited", "metadata"):
        if value := getattr(message, name):
            made[name] = value
    if message.files:
        made["files"] = [file_json(space, space.files[each]) for each in message.files if each in space.files]
    if message.reactions:
        made["reactions"] = [
            {"name": name, "count": len(users), "users": list(users)} for name, users in message.reactions.items()
        ]
    channel = space.channels.get(message.channel)
    if channel is not None and message.ts in channel.pins:
        made["pinned_to"] = [channel.id]
    return made | _thread_fields(space, message, channel)


def _thread_fields(space: Workspace, message: Message, channel: Channel | None) -> Json:
    if message.thread_ts is not None and message.thread_ts != message.ts:
        parent = channel.messages.get(message.thread_ts) if channel else None
        return {"thread_ts": message.thread_ts} | ({"parent_user_id": parent.user} if parent else {})
    replies = space.replies(channel, message.ts) if channel and message.ephemeral_to is None else []
    if not replies:
        return {}
    users = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(users),
        "latest_reply": replies[-1].ts,
        "reply_users": users,
        "is_locked": False,
        "subscribed": False,
    }


def file_json(space: Workspace, file: File) -> Json:
    """A file as `files.info` shows it."""
    filetype = file.name.rsplit(".", 1)[-1].lower() if "." in file.name else "binary"
    private = f"{space.origin}/files-pri/{space.team_id}-{file.id}/{file.name}"
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": file.mimetype,
        "filetype": filetype,
        "pretty_type": filetype.upper(),
        "user": file.user,
        "user_team": space.team_id,
        "editable": False,
        "size": len(file.data) if file.data is not None else file.length,
        "mode": "hosted",
        "is_external": False,
        "is_public": any(space.channels[each].kind == "public" for each in file.channels if each in space.channels),
        "url_private": private,
        "url_private_download": f"{private}?download=1",
        "permalink": f"{space.origin}/files/{file.user}/{file.id}/{file.name}",
        "channels": [each for each in file.channels if each.startswith("C")],
        "groups": [each for each in file.channels if each.startswith("G")],
        "ims": [each for each in file.channels if each.startswith("D")],
        "shares": {"public": {where: [{"ts": ts} for ts in stamps] for where, stamps in file.shares.items()}},
        "comments_count": 0,
    } | ({"alt_txt": file.alt_text} if file.alt_text else {})


def view_json(space: Workspace, view: View) -> Json:
    """A view as `views.*` answers and interactions carry it."""
    payload = view.payload
    made: Json = {
        "id": view.id,
        "team_id": space.team_id,
        "type": view.type,
        "blocks": payload.get("blocks") or [],
        "private_metadata": payload.get("private_metadata") or "",
        "callback_id": payload.get("callback_id") or "",
        "state": {"values": state_values(payload.get("blocks") or [], view.inputs)},
        "hash": view.hash,
        "title": _text(payload.get("title")),
        "clear_on_close": bool(payload.get("clear_on_close")),
        "notify_on_close": bool(payload.get("notify_on_close")),
        "close": _text(payload.get("close")),
        "submit": _text(payload.get("submit")),
        "previous_view_id": view.previous,
        "root_view_id": view.root,
        "app_id": space.app_id,
        "external_id": payload.get("external_id") or "",
        "app_installed_team_id": space.team_id,
        "bot_id": space.bot_id,
    }
    return made


def _text(value: Any) -> Any:
    return {"emoji": True} | value if isinstance(value, dict) else None


def usergroup_json(space: Workspace, group: Usergroup, *, with_users: bool, with_count: bool) -> Json:
    """A user group as `usergroups.list` shows it."""
    made: Json = {
        "id": group.id,
        "team_id": space.team_id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": 0,
        "date_update": 0,
        "date_delete": 0,
        "auto_type": None,
        "created_by": SLACKBOT,
        "updated_by": SLACKBOT,
        "deleted_by": None,
        "prefs": {"channels": [], "groups": []},
    }
    if with_users:
        made["users"] = list(group.users)
    if with_count:
        made["user_count"] = len(group.users)
    return made


def bookmark_json(channel: Channel, bookmark: Bookmark) -> Json:
    """A bookmark as `bookmarks.*` answer it."""
    return {
        "id": bookmark.id,
        "channel_id": channel.id,
        "title": bookmark.title,
        "link": bookmark.link,
        "emoji": bookmark.emoji,
        "icon_url": None,
        "type": "link",
        "entity_id": None,
        "date_created": bookmark.created,
        "date_updated": bookmark.updated,
        "rank": "i",
        "last_updated_by_user_id": "",
        "last_updated_by_team_id": "",
        "shortcut_id": "",
        "app_id": None,
    }
