"""The methods about the workspace and who is in it: auth, team, bots, users, usergroups; and the odd ones out."""

from __future__ import annotations

from bot.sandbox.slack.api.checking import blocks_validate
from bot.sandbox.slack.api.conversations import wanted_kinds
from bot.sandbox.slack.api.method import Call, Method, page
from bot.sandbox.slack.errors import ApiError, missing_field
from bot.sandbox.slack.limits import AUTH_TEST, CONNECTING, T2, T3, T4
from bot.sandbox.slack.records import Json
from bot.sandbox.slack.wire import bot_profile, channel_json, user_json, usergroup_json


def auth_test(call: Call) -> Json:
    """auth.test."""
    space = call.space
    return {
        "url": f"{space.origin}/",
        "team": space.team_name,
        "user": space.users[space.bot_user].name,
        "team_id": space.team_id,
        "user_id": space.bot_user,
        "bot_id": space.bot_id,
        "is_enterprise_install": False,
    }


def connections_open(call: Call) -> Json:
    """apps.connections.open: a URL with a single-use ticket."""
    if not call.space.manifest.socket_mode:
        raise ApiError("socket_mode_not_enabled")
    return {"url": call.open_socket()}


def validate(call: Call) -> Json:
    """blocks.validate: needs no token, lists every problem."""
    if not call.args.has("blocks"):
        raise missing_field("blocks")
    errors = blocks_validate(call.args.tree("blocks"), call.args.text("surface", "message"))
    if errors:
        raise ApiError("invalid_blocks", errors=errors)
    return {"valid": True}


def team_info(call: Call) -> Json:
    """team.info."""
    space = call.space
    return {
        "team": {
            "id": space.team_id,
            "name": space.team_name,
            "domain": space.team_domain,
            "email_domain": "example.com",
            "icon": {"image_default": True},
            "url": f"{space.origin}/",
        }
    }


def bots_info(call: Call) -> Json:
    """bots.info."""
    if call.args.has("bot") and call.args.text("bot") != call.space.bot_id:
        raise ApiError("bot_not_found")
    return {"bot": bot_profile(call.space)}


def emoji_list(call: Call) -> Json:
    """emoji.list: this workspace has no emoji of its own."""
    return {"emoji": {}, "cache_ts": call.space.new_ts()}


def _show(call: Call, user: str) -> Json:
    return user_json(call.space, user, with_email=call.allows("users:read.email"))


def users_info(call: Call) -> Json:
    """users.info."""
    user = call.args.required("user")
    if user not in call.space.users:
        raise ApiError("user_not_found")
    return {"user": _show(call, user)}


def users_list(call: Call) -> Json:
    """users.list."""
    some, metadata = page(call, list(call.space.users), default=1000)
    return {
        "members": [_show(call, user) for user in some],
        "cache_ts": call.space.now(),
        "response_metadata": metadata,
    }


def lookup_by_email(call: Call) -> Json:
    """users.lookupByEmail."""
    email = call.args.required("email").lower()
    found = next((user.id for user in call.space.users.values() if user.email.lower() == email), None)
    if found is None:
        raise ApiError("users_not_found")
    return {"user": _show(call, found)}


def users_conversations(call: Call) -> Json:
    """users.conversations: the conversations a user (by default the app) is in, as far as the app may see them."""
    space, kinds = call.space, wanted_kinds(call)
    user = call.args.text("user") or space.bot_user
    if user not in space.users:
        raise ApiError("user_not_found")
    hide_archived = call.args.flag("exclude_archived")
    found = [
        channel
        for channel in space.channels_of(user)
        if channel.kind in kinds
        and space.can_see(space.bot_user, channel)
        and not (hide_archived and channel.is_archived)
    ]
    some, metadata = page(call, found)
    return {"channels": [channel_json(space, channel) for channel in some], "response_metadata": metadata}


def usergroups_list(call: Call) -> Json:
    """usergroups.list."""
    with_users, with_count = call.args.flag("include_users"), call.args.flag("include_count")
    groups = call.space.usergroups.values()
    return {
        "usergroups": [
            usergroup_json(call.space, group, with_users=with_users, with_count=with_count) for group in groups
        ]
    }


def usergroups_users_list(call: Call) -> Json:
    """usergroups.users.list."""
    group = call.space.usergroups.get(call.args.required("usergroup"))
    if group is None:
        raise ApiError("no_such_subteam")
    return {"users": list(group.users)}


METHODS = (
    Method("auth.test", auth_test, (), AUTH_TEST),
    Method("apps.connections.open", connections_open, ("connections:write",), CONNECTING, token="app"),
    Method("blocks.validate", validate, (), T3, token="none"),
    Method("team.info", team_info, ("team:read",), T3),
    Method("bots.info", bots_info, ("users:read",), T3),
    Method("emoji.list", emoji_list, ("emoji:read",), T2),
    Method("users.info", users_info, ("users:read",), T4),
    Method("users.list", users_list, ("users:read",), T2),
    Method("users.lookupByEmail", lookup_by_email, ("users:read.email",), T3),
    Method("users.conversations", users_conversations, ("channels:read", "groups:read", "im:read", "mpim:read"), T3),
    Method("usergroups.list", usergroups_list, ("usergroups:read",), T2),
    Method("usergroups.users.list", usergroups_users_list, ("usergroups:read",), T2),
)
