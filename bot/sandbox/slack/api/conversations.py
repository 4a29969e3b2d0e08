"""The conversations.* methods that find, read and open conversations."""

from __future__ import annotations

from bot.sandbox.slack.api.method import Call, Method, page, page_messages
from bot.sandbox.slack.errors import ApiError, invalid_arguments
from bot.sandbox.slack.limits import T2, T3, T4
from bot.sandbox.slack.records import Channel, Json, Message
from bot.sandbox.slack.wire import channel_json, message_json

_WORDS = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}
_KINDS = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}
_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
# More people than this cannot share one direct conversation (https://docs.slack.dev/reference/methods/conversations.open).
MOST_IN_DIRECT = 8


def wanted_kinds(call: Call) -> set[str]:
    """The kinds of conversation a list asks for; each needs its own read scope."""
    types = call.args.listed("types") or ["public_channel"]
    if unknown := [name for name in types if name not in _KINDS]:
        raise invalid_arguments(f"invalid types: {', '.join(unknown)}")
    for name in types:
        call.need(f"{_WORDS[name]}:read")
    return {_KINDS[name] for name in types}


def list_conversations(call: Call) -> Json:
    """conversations.list."""
    space, kinds = call.space, wanted_kinds(call)
    hide_archived = call.args.flag("exclude_archived")
    found = [
        channel
        for channel in space.channels.values()
        if channel.kind in kinds
        and space.can_see(space.bot_user, channel)
        and not (hide_archived and channel.is_archived)
    ]
    some, metadata = page(call, found)
    return {
        "channels": [channel_json(space, channel, num_members=True) for channel in some],
        "response_metadata": metadata,
    }


def info(call: Call) -> Json:
    """conversations.info."""
    channel = call.channel()
    call.need(f"{channel.scope_word}:read")
    return {"channel": channel_json(call.space, channel, num_members=call.args.flag("include_num_members"))}


def members(call: Call) -> Json:
    """conversations.members."""
    channel = call.channel()
    call.need(f"{channel.scope_word}:read")
    some, metadata = page(call, channel.members)
    return {"members": some, "response_metadata": metadata}


def open_conversation(call: Call) -> Json:
    """conversations.open: a direct conversation with one or several people."""
    space = call.space
    if call.args.has("channel"):
        channel = call.channel()
        return {"channel": _opened(call, channel)}
    users = call.args.listed("users")
    if not users:
        raise ApiError("users_list_not_supplied")
    if len(users) > MOST_IN_DIRECT:
        raise ApiError("too_many_users")
    if any(user not in space.users for user in users):
        raise ApiError("user_not_found")
    call.need("im:write" if len(users) == 1 else "mpim:write")
    before = len(space.channels)
    channel = space.direct_channel(space.bot_user, *users)
    repeated = len(space.channels) == before
    return ({"no_op": True, "already_open": True} if repeated else {}) | {"channel": _opened(call, channel)}


def _opened(call: Call, channel: Channel) -> Json:
    return channel_json(call.space, channel) if call.args.flag("return_im") else {"id": channel.id}


def _readable(call: Call) -> Channel:
    channel = call.channel()
    call.need(f"{channel.scope_word}:history")
    if call.space.bot_user not in channel.members:
        raise ApiError("not_in_channel")
    return channel


def _within(call: Call, message: Message) -> bool:
    oldest, latest = call.args.text("oldest") or "0", call.args.text("latest") or "9" * 12
    try:
        at, first, last = float(message.ts), float(oldest), float(latest)
    except ValueError as error:
        raise ApiError("invalid_ts_oldest" if call.args.has("oldest") else "invalid_ts_latest") from error
    return first <= at <= last if call.args.flag("inclusive") else first < at < last


def history(call: Call) -> Json:
    """conversations.history: newest first, without replies (broadcast ones excepted)."""
    space, channel = call.space, _readable(call)
    found = [
        message
        for message in reversed(channel.messages.values())
        if (message.thread_ts in (None, message.ts) or message.subtype == "thread_broadcast") and _within(call, message)
    ]
    some, metadata = page_messages(call, found)
    return {
        "messages": [_shown(call, message) for message in some],
        "has_more": bool(metadata["next_cursor"]),
        "pin_count": len(channel.pins),
        "channel_actions_ts": None,
        "channel_actions_count": 0,
        "response_metadata": metadata,
    } | ({"latest": call.args.text("latest")} if call.args.has("latest") and space else {})


def replies(call: Call) -> Json:
    """conversations.replies: the parent, then its replies, oldest first."""
    space, channel = call.space, _readable(call)
    parent = call.message(channel, "ts", "thread_not_found")
    if parent.thread_ts and parent.thread_ts in channel.messages:
        parent = channel.messages[parent.thread_ts]
    thread = [parent, *[each for each in space.replies(channel, parent.ts) if _within(call, each)]]
    some, metadata = page(call, thread, default=1000)
    return {
        "messages": [_shown(call, message) for message in some],
        "has_more": bool(metadata["next_cursor"]),
        "response_metadata": metadata,
    }


def _shown(call: Call, message: Message) -> Json:
    made = message_json(call.space, message)
    if not call.args.flag("include_all_metadata"):
        made.pop("metadata", None)
    return made


def mark(call: Call) -> Json:
    """conversations.mark: move the app's own read cursor."""
    channel = call.joined()
    channel.last_read[call.space.bot_user] = call.args.required("ts")
    return {}


METHODS = (
    Method("conversations.list", list_conversations, _READ, T2),
    Method("conversations.info", info, _READ, T3),
    Method("conversations.members", members, _READ, T4),
    Method("conversations.open", open_conversation, ("im:write", "mpim:write"), T3),
    Method("conversations.history", history, _HISTORY, T3),
    Method("conversations.replies", replies, _HISTORY, T3),
    Method("conversations.mark", mark, ("channels:manage", "groups:write", "im:write", "mpim:write"), T3),
)
