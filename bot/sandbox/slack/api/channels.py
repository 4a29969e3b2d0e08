"""The conversations.* methods that make and change channels: create, invite, rename, topic, archive."""

from __future__ import annotations

import re

from bot.sandbox.slack import membership
from bot.sandbox.slack.api.method import Call, Method
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.limits import T2, T3
from bot.sandbox.slack.records import Channel, Json
from bot.sandbox.slack.wire import channel_json

# https://docs.slack.dev/reference/methods/conversations.create, .setTopic, .invite
LONGEST_NAME = 80
LONGEST_NOTE = 250
MOST_INVITED = 100
_MANAGE = ("channels:manage", "groups:write")


def _may(call: Call, channel: Channel, *narrower: str) -> None:
    word = "channels:manage" if channel.kind == "public" else f"{channel.scope_word}:write"
    call.need(word, *[f"{channel.scope_word}:write.{each}" for each in narrower])


def checked_name(call: Call) -> str:
    """The `name` argument, held against Slack's rules and every channel there ever was."""
    name = call.args.text("name").removeprefix("#")
    if not name:
        raise ApiError("invalid_name_required")
    if len(name) > LONGEST_NAME:
        raise ApiError("invalid_name_maxlength")
    if not re.search(r"\w", name):
        raise ApiError("invalid_name_punctuation")
    if name != name.lower() or not re.fullmatch(r"[\w-]+", name):
        raise ApiError("invalid_name_specials")
    if any(channel.name == name for channel in call.space.channels.values()):
        raise ApiError("name_taken")
    return name


def create(call: Call) -> Json:
    """conversations.create: the app is the first member."""
    private = call.args.flag("is_private")
    call.need("groups:write" if private else "channels:manage")
    channel = membership.create(call.space, checked_name(call), call.space.bot_user, is_private=private)
    return {"channel": channel_json(call.space, channel)}


def _not_direct(call: Call) -> Channel:
    channel = call.channel()
    if channel.is_direct:
        raise ApiError("method_not_supported_for_channel_type")
    return channel


def archive(call: Call) -> Json:
    """conversations.archive."""
    channel = _not_direct(call)
    _may(call, channel)
    if channel.is_general:
        raise ApiError("cant_archive_general")
    if channel.is_archived:
        raise ApiError("already_archived")
    if call.space.bot_user not in channel.members:
        raise ApiError("not_in_channel")
    membership.archive(call.space, channel, call.space.bot_user)
    return {}


def unarchive(call: Call) -> Json:
    """conversations.unarchive."""
    channel = _not_direct(call)
    _may(call, channel)
    if not channel.is_archived:
        raise ApiError("not_archived")
    membership.unarchive(call.space, channel, call.space.bot_user)
    return {}


def rename(call: Call) -> Json:
    """conversations.rename."""
    channel = _not_direct(call)
    _may(call, channel)
    if call.space.bot_user not in channel.members:
        raise ApiError("not_in_channel")
    if channel.creator != call.space.bot_user:
        raise ApiError("not_authorized")
    membership.rename(call.space, channel, checked_name(call), call.space.bot_user)
    return {"channel": channel_json(call.space, channel)}


def join(call: Call) -> Json:
    """conversations.join: public channels only."""
    channel = _not_direct(call)
    if channel.kind != "public":
        raise ApiError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise ApiError("is_archived")
    already = call.space.bot_user in channel.members
    membership.join(call.space, channel, call.space.bot_user)
    answer: Json = {"channel": channel_json(call.space, channel)}
    if already:
        answer |= {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    return answer


def leave(call: Call) -> Json:
    """conversations.leave."""
    channel = _not_direct(call)
    _may(call, channel)
    if channel.is_general:
        raise ApiError("cant_leave_general")
    if call.space.bot_user not in channel.members:
        return {"not_in_channel": True}
    membership.leave(call.space, channel, call.space.bot_user)
    return {}


def invite(call: Call) -> Json:
    """conversations.invite; with `force` the good ones get in although others fail."""
    space = call.space
    channel = _not_direct(call)
    _may(call, channel, "invites")
    if space.bot_user not in channel.members:
        raise ApiError("not_in_channel")
    if channel.is_archived:
        raise ApiError("is_archived")
    users = call.args.listed("users")
    if not users:
        raise ApiError("no_user")
    if len(users) > MOST_INVITED:
        raise ApiError("too_many_users")
    refused = {user: why for user in users if (why := _refusal(call, channel, user))}
    errors = [{"user": user, "ok": False, "error": why} for user, why in refused.items()]
    if refused and (not call.args.flag("force") or len(refused) == len(users)):
        raise ApiError(next(iter(refused.values())), errors=errors)
    for user in users:
        if user not in refused:
            membership.join(space, channel, user, space.bot_user)
    return {"channel": channel_json(space, channel)} | ({"errors": errors} if errors else {})


def _refusal(call: Call, channel: Channel, user: str) -> str | None:
    if user not in call.space.users:
        return "user_not_found"
    if user == call.space.bot_user:
        return "cant_invite_self"
    return "already_in_channel" if user in channel.members else None


def kick(call: Call) -> Json:
    """conversations.kick."""
    channel = _not_direct(call)
    _may(call, channel)
    user = call.args.required("user")
    if call.space.bot_user not in channel.members:
        raise ApiError("not_in_channel")
    if user == call.space.bot_user:
        raise ApiError("cant_kick_self")
    if channel.is_general:
        raise ApiError("cant_kick_from_general")
    if user not in call.space.users:
        raise ApiError("user_not_found")
    if user not in channel.members:
        raise ApiError("not_in_channel")
    membership.leave(call.space, channel, user)
    return {"errors": {}}


def _set_note(call: Call, which: str) -> Channel:
    channel = _not_direct(call)
    _may(call, channel, "topic")
    if call.space.bot_user not in channel.members:
        raise ApiError("not_in_channel")
    if channel.is_archived:
        raise ApiError("is_archived")
    value = call.args.text(which)
    if len(value) > LONGEST_NOTE:
        raise ApiError("too_long")
    membership.set_note(call.space, channel, which, value, call.space.bot_user)
    return channel


def set_topic(call: Call) -> Json:
    """conversations.setTopic."""
    channel = _set_note(call, "topic")
    return {"channel": channel_json(call.space, channel), "topic": channel.topic.value}


def set_purpose(call: Call) -> Json:
    """conversations.setPurpose."""
    channel = _set_note(call, "purpose")
    return {"channel": channel_json(call.space, channel), "purpose": channel.purpose.value}


METHODS = (
    Method("conversations.create", create, _MANAGE, T2),
    Method("conversations.archive", archive, _MANAGE, T2),
    Method("conversations.unarchive", unarchive, _MANAGE, T2),
    Method("conversations.rename", rename, _MANAGE, T2),
    Method("conversations.join", join, ("channels:join",), T3),
    Method("conversations.leave", leave, _MANAGE, T3),
    Method("conversations.invite", invite, (*_MANAGE, "channels:write.invites", "groups:write.invites"), T3),
    Method("conversations.kick", kick, _MANAGE, T3),
    Method("conversations.setTopic", set_topic, (*_MANAGE, "channels:write.topic", "groups:write.topic"), T2),
    Method("conversations.setPurpose", set_purpose, (*_MANAGE, "channels:write.topic", "groups:write.topic"), T2),
)
