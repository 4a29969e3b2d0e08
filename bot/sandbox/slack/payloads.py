"""The payloads Slack sends to an app: events, commands, clicks, submissions, shortcuts; built from the workspace."""

from __future__ import annotations

from bot.sandbox.slack.blocks import Element, state_values
from bot.sandbox.slack.records import Channel, Json, Message, View
from bot.sandbox.slack.state import Workspace
from bot.sandbox.slack.wire import message_json, view_json

# Slack's deprecated verification token; every app checks the signature instead.
VERIFICATION_TOKEN = "local-verification-token"


def event_callback(space: Workspace, event: Json) -> Json:
    """The outer wrapping of an Events API event."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": space.team_id,
        "context_team_id": space.team_id,
        "context_enterprise_id": None,
        "api_app_id": space.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": space.new_id("Ev"),
        "event_time": space.now(),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": space.team_id,
                "user_id": space.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": _shared(space, event),
        "event_context": f"4-{space.new_id('ctx')}",
    }


def _shared(space: Workspace, event: Json) -> bool:
    where = event.get("channel") or (event.get("item") or {}).get("channel")
    channel = space.channels.get(where) if isinstance(where, str) else None
    return channel is not None and channel.sharing == "shared"


def slash_command(space: Workspace, user: str, channel: Channel, word: str, text: str) -> Json:
    """Every field of a slash command's form."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": space.team_id,
        "team_domain": space.team_domain,
        "channel_id": channel.id,
        "channel_name": _channel_name(channel),
        "user_id": user,
        "user_name": space.users[user].name,
        "command": word,
        "text": text,
        "api_app_id": space.app_id,
        "is_enterprise_install": "false",
        "response_url": space.new_hook("commands", channel.id, user),
        "trigger_id": space.new_trigger(user).id,
    }


def _channel_name(channel: Channel) -> str:
    match channel.kind:
        case "im":
            return "directmessage"
        case "private":
            return "privategroup"
        case "public" | "mpim":
            return channel.name


def _common(space: Workspace, kind: str, user: str, view: View | None = None) -> Json:
    person = space.users[user]
    return {
        "type": kind,
        "user": {"id": user, "username": person.name, "name": person.name, "team_id": person.team or space.team_id},
        "api_app_id": space.app_id,
        "token": VERIFICATION_TOKEN,
        "trigger_id": space.new_trigger(user, view.id if view else None).id,
        "team": {"id": space.team_id, "domain": space.team_domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def message_container(space: Workspace, channel: Channel, message: Message) -> Json:
    """The `container`, `channel`, `message` and `state` of an interaction with a message."""
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.ephemeral_to is not None,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    return {"container": container, "channel": {"id": channel.id, "name": _channel_name(channel)}}


def block_actions_message(space: Workspace, user: str, channel: Channel, message: Message, action: Json) -> Json:
    """A click in a message. Slack leaves `message` out when the message is ephemeral."""
    hook = space.new_hook("actions", channel.id, user, original=message.ts)
    blocks = blocks_of(message)
    made = _common(space, "block_actions", user) | message_container(space, channel, message)
    made["state"] = {"values": state_values(blocks, message.inputs.get(user, {}))}
    if message.ephemeral_to is None:
        made["message"] = message_json(space, message)
    return made | {"response_url": hook, "actions": [action]}


def blocks_of(message: Message) -> list[Json]:
    """A message's blocks, those of its attachments included."""
    inner = [block for attachment in message.attachments for block in attachment.get("blocks") or ()]
    return [*message.blocks, *inner]


def block_actions_view(space: Workspace, user: str, view: View, action: Json) -> Json:
    """A click in a modal or on the Home tab."""
    return _common(space, "block_actions", user, view) | {
        "container": {"type": "view", "view_id": view.id},
        "view": view_json(space, view),
        "actions": [action],
    }


def action_json(space: Workspace, element: Element, chosen: Json) -> Json:
    """One entry of `actions`: the element as it was used."""
    made: Json = {"type": element.type, "action_id": element.action_id, "block_id": element.block_id}
    for name in ("text", "value", "style", "placeholder", "url", "confirm"):
        if name in element.data:
            made[name] = element.data[name]
    return made | chosen | {"action_ts": space.new_ts()}


def view_submission(space: Workspace, view: View) -> Json:
    """A submitted modal; selects with `response_url_enabled` bring a response_url each."""
    urls = []
    values = state_values(view.payload.get("blocks") or [], view.inputs)
    for block in view.payload.get("blocks") or []:
        element = block.get("element") or {}
        if element.get("response_url_enabled"):
            state = values.get(block["block_id"], {}).get(element["action_id"], {})
            channel = state.get("selected_conversation") or state.get("selected_channel")
            if channel:
                urls.append(
                    {
                        "block_id": block["block_id"],
                        "action_id": element["action_id"],
                        "channel_id": channel,
                        "response_url": space.new_hook("actions", channel, view.user),
                    }
                )
    made = _common(space, "view_submission", view.user, view)
    return made | {"view": view_json(space, view), "response_urls": urls}


def view_closed(space: Workspace, view: View, *, cleared: bool) -> Json:
    """A modal closed by the person."""
    made = _common(space, "view_closed", view.user, view)
    del made["trigger_id"]
    return made | {"view": view_json(space, view), "is_cleared": cleared}


def shortcut(space: Workspace, user: str, callback_id: str) -> Json:
    """A global shortcut."""
    return _common(space, "shortcut", user) | {"callback_id": callback_id, "action_ts": space.new_ts()}


def message_action(space: Workspace, user: str, callback_id: str, channel: Channel, message: Message) -> Json:
    """A message shortcut."""
    return _common(space, "message_action", user) | {
        "callback_id": callback_id,
        "action_ts": space.new_ts(),
        "message_ts": message.ts,
        "channel": {"id": channel.id, "name": _channel_name(channel)},
        "message": message_json(space, message),
        "response_url": space.new_hook("actions", channel.id, user, original=message.ts),
    }


def block_suggestion(space: Workspace, user: str, element: Element, typed: str, place: Json) -> Json:
    """A person typing into an external select; `place` is the container part."""
    made = _common(space, "block_suggestion", user)
    del made["trigger_id"]
    return made | place | {"action_id": element.action_id, "block_id": element.block_id, "value": typed}
