"""What a response_url accepts and a slash command's acknowledgement may say; used by the hooks route and by acks."""

from __future__ import annotations

from bot.sandbox.slack.api.checking import check_message
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.posting import draft, edit, post, post_ephemeral, remove
from bot.sandbox.slack.records import Channel, Hook, Json, Message
from bot.sandbox.slack.state import Workspace

# https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
MOST_USES = 5


def use_hook(space: Workspace, identity: str, secret: str, body: Json) -> None:
    """Act on a post to a response_url; raises ApiError for an unknown, expired or used-up one and for bad blocks."""
    hook = space.hooks.get(identity)
    if hook is None or hook.secret != secret:
        raise ApiError("no_service")
    if space.clock() > hook.expires:
        raise ApiError("expired_url")
    if hook.uses >= MOST_USES:
        raise ApiError("used_url")
    respond(space, hook, body)
    hook.uses += 1


def respond(space: Workspace, hook: Hook, body: Json) -> None:
    """Delete or replace the hook's message, or post a new one that only its user sees unless `in_channel`."""
    channel = space.channels[hook.channel]
    original = space.find_message(channel, hook.original, hook.user) if hook.original else None
    if body.get("delete_original"):
        if original is None:
            raise ApiError("message_not_found")
        remove(space, channel, original)
        return
    content: Json = {"text": str(body.get("text") or "")}
    for name in ("blocks", "attachments"):
        if body.get(name):
            content[name] = body[name]
    if not any(content.values()):
        raise ApiError("no_text")
    check_message(content)
    if body.get("replace_original") and original is not None:
        _replace(space, channel, original, content)
        return
    thread = body.get("thread_ts") or None
    message = draft(space, channel, space.bot_user, **content, thread_ts=thread)
    if body.get("response_type") == "in_channel":
        post(space, channel, message)
    else:
        post_ephemeral(space, channel, message, hook.user)


def _replace(space: Workspace, channel: Channel, original: Message, content: Json) -> None:
    whole: Json = {"blocks": [], "attachments": []} | content
    mark = original.ephemeral_to is None and not content.get("blocks")
    edit(space, channel, original, whole, mark=mark, by=space.bot_user)


def respond_to_command(space: Workspace, channel: Channel, user: str, body: Json) -> None:
    """Show what a slash command's acknowledgement carried; it does not count as a use of the response_url."""
    respond(space, Hook("", "", channel.id, user, 0, "commands"), body)
