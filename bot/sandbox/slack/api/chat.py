"""The chat.* methods: posting, changing, deleting and scheduling messages."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.api.checking import check_message
from bot.sandbox.slack.api.method import Call, Method
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.limits import POSTING, T3, T4, UNLIMITED
from bot.sandbox.slack.posting import draft, edit, post, post_ephemeral, remove
from bot.sandbox.slack.records import Channel, Json, Message, Scheduled
from bot.sandbox.slack.state import Workspace
from bot.sandbox.slack.wire import message_json

# The furthest a message may be scheduled ahead (https://docs.slack.dev/reference/methods/chat.scheduleMessage).
FURTHEST_SECONDS = 120 * 24 * 3600


def destination(call: Call, name: str = "channel") -> Channel:
    """The channel to post in: by id or name, a user's id for a direct message; refuses where the app may not write."""
    space, reference = call.space, call.args.text(name)
    if not reference:
        raise ApiError("channel_not_found")
    if reference in space.users:
        return space.direct_channel(space.bot_user, reference)
    channel = space.find_channel(reference)
    if channel is None or not space.can_see(space.bot_user, channel):
        raise ApiError("channel_not_found")
    if space.bot_user not in channel.members and not call.allows("chat:write.public"):
        raise ApiError("not_in_channel")
    if channel.is_archived:
        raise ApiError("is_archived")
    return channel


def content(call: Call) -> Json:
    """The text, blocks and attachments of a call, checked; `markdown_text` becomes a markdown block."""
    args = call.args
    given: Json = {"text": args.text("text")}
    for name in ("blocks", "attachments"):
        if args.has(name):
            tree = args.tree(name)
            if tree is not None and not isinstance(tree, list):
                raise ApiError(f"invalid_{name}")
            given[name] = tree or []
    if args.has("markdown_text"):
        if given.get("blocks") or given["text"]:
            raise ApiError("markdown_text_conflict")
        given["text"] = args.text("markdown_text")
        given["blocks"] = [{"type": "markdown", "text": given["text"]}]
    if not any(given.values()):
        raise ApiError("no_text")
    check_message(given)
    return given


def post_message(call: Call) -> Json:
    """chat.postMessage."""
    space, channel, given = call.space, destination(call), content(call)
    thread = call.args.text("thread_ts") or None
    if thread and thread not in channel.messages:
        raise ApiError("thread_not_found")
    more: Json = {"metadata": call.args.tree("metadata"), "thread_ts": thread}
    if call.args.has("username"):
        call.need("chat:write.customize")
        more["username"] = call.args.text("username")
    if thread and call.args.flag("reply_broadcast"):
        more["subtype"] = "thread_broadcast"
    message = post(space, channel, draft(space, channel, space.bot_user, **given, **more))
    return {"channel": channel.id, "ts": message.ts, "message": message_json(space, message)}


def post_ephemeral_message(call: Call) -> Json:
    """chat.postEphemeral."""
    space, channel, given = call.space, destination(call), content(call)
    user = call.args.required("user")
    if user not in space.users:
        raise ApiError("user_not_found")
    if user not in channel.members:
        raise ApiError("user_not_in_channel")
    thread = call.args.text("thread_ts") or None
    message = draft(space, channel, space.bot_user, **given, thread_ts=thread)
    post_ephemeral(space, channel, message, user)
    return {"message_ts": message.ts}


def _own(call: Call, refusal: str) -> tuple[Channel, Message]:
    channel = call.channel()
    message = call.message(channel, "ts")
    if message.user != call.space.bot_user or message.subtype not in (None, "thread_broadcast"):
        raise ApiError(refusal)
    return channel, message


def update(call: Call) -> Json:
    """chat.update: fields that are not given stay as they are."""
    channel, message = _own(call, "cant_update_message")
    given = content(call)
    if not call.args.has("text") and not call.args.has("markdown_text"):
        del given["text"]
    if call.args.has("metadata"):
        given["metadata"] = call.args.tree("metadata")
    shown: dict[str, Any] = {"text": message.text, "blocks": message.blocks} | given
    changed = edit(call.space, channel, message, given, mark=not shown["blocks"], by=call.space.bot_user)
    return {
        "channel": channel.id,
        "ts": changed.ts,
        "text": changed.text,
        "message": message_json(call.space, changed),
    }


def delete(call: Call) -> Json:
    """chat.delete."""
    channel, message = _own(call, "cant_delete_message")
    remove(call.space, channel, message)
    return {"channel": channel.id, "ts": message.ts}


def get_permalink(call: Call) -> Json:
    """chat.getPermalink."""
    channel = call.channel()
    message = call.message(channel, "message_ts")
    link = f"{call.space.origin}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts and message.thread_ts != message.ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def schedule(call: Call) -> Json:
    """chat.scheduleMessage."""
    space, channel, given = call.space, destination(call), content(call)
    post_at = call.args.number("post_at", 0)
    if post_at <= space.clock():
        raise ApiError("time_in_past")
    if post_at > space.clock() + FURTHEST_SECONDS:
        raise ApiError("time_too_far")
    given["thread_ts"] = call.args.text("thread_ts") or None
    identity = space.new_id("Q")
    space.scheduled[identity] = Scheduled(identity, channel.id, post_at, given)
    space.tell("scheduled", channel, frozenset())
    told: Json = {"text": given["text"], "type": "delayed_message", "user": space.bot_user, "bot_id": space.bot_id}
    return {"channel": channel.id, "scheduled_message_id": identity, "post_at": post_at, "message": told}


def delete_scheduled(call: Call) -> Json:
    """chat.deleteScheduledMessage."""
    channel = call.channel()
    found = call.space.scheduled.get(call.args.required("scheduled_message_id"))
    if found is None or found.channel != channel.id:
        raise ApiError("invalid_scheduled_message_id")
    del call.space.scheduled[found.id]
    return {}


def post_due(space: Workspace) -> None:
    """Post every scheduled message whose time has come."""
    for waiting in sorted(space.scheduled.values(), key=lambda each: each.post_at):
        if waiting.post_at <= space.clock():
            del space.scheduled[waiting.id]
            channel = space.channels[waiting.channel]
            post(space, channel, draft(space, channel, space.bot_user, **waiting.message))


METHODS = (
    Method("chat.postMessage", post_message, ("chat:write",), POSTING),
    Method("chat.postEphemeral", post_ephemeral_message, ("chat:write",), T4),
    Method("chat.update", update, ("chat:write",), T3),
    Method("chat.delete", delete, ("chat:write",), T3),
    Method("chat.getPermalink", get_permalink, (), UNLIMITED),
    Method("chat.scheduleMessage", schedule, ("chat:write",), T3),
    Method("chat.deleteScheduledMessage", delete_scheduled, ("chat:write",), T3),
)
