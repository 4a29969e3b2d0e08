"""What a person can do in the workspace, with Slack's own manners: type, run commands, click, submit, react, upload."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack import membership, payloads, reacting, views_stack
from bot.sandbox.slack.api.checking import check_view
from bot.sandbox.slack.api.files import new_file, share
from bot.sandbox.slack.blocks import STATE_FIELDS, Element, find_element
from bot.sandbox.slack.choices import chosen, form_errors, raw_of
from bot.sandbox.slack.delivery import Delivery
from bot.sandbox.slack.errors import ApiError, PersonError
from bot.sandbox.slack.manifest import Command
from bot.sandbox.slack.posting import draft, post, slackbot_says
from bot.sandbox.slack.records import Channel, Json, Message, View
from bot.sandbox.slack.responding import respond_to_command
from bot.sandbox.slack.state import Workspace
from bot.sandbox.slack.transport import Acked, Unanswered
from bot.sandbox.slack.wire import view_json

TROUBLE = "We had some trouble connecting. Try again?"
_NO_COMMAND = (
    '{word} is not a valid command. In Slack, all messages that start with the "/" character are interpreted as '
    'commands. If you are trying to send a message and not run a command, try preceding the "/" with an empty space.'
)
_TOKEN = re.compile(r"(<(?:[@#!][^<>\s]+|https?://[^<>\s]+)>)")


@dataclass(frozen=True)
class Place:
    """Where an element stands: a message in a channel, or a view."""

    channel: Channel | None = None
    message: Message | None = None
    view: View | None = None

    @property
    def key(self) -> str:
        """A name for the place."""
        if self.view is not None:
            return self.view.id
        return f"{self.message.channel}/{self.message.ts}" if self.message else ""

    @property
    def blocks(self) -> list[Json]:
        """The blocks there."""
        if self.view is not None:
            return self.view.payload.get("blocks") or []
        return payloads.blocks_of(self.message) if self.message else []


@dataclass
class People:
    """The acts of every person; each raises PersonError with a sentence when Slack would not let them."""

    space: Workspace
    delivery: Delivery

    def user(self, reference: str) -> str:
        """The id of a person, by id or name."""
        user = self.space.find_user(reference)
        if user is None or user.is_bot:
            raise PersonError(f"There is no person {reference!r} in this workspace.")
        return user.id

    def channel(self, user: str, reference: str) -> Channel:
        """A channel this person can see; "@name" or a user's id is a direct message."""
        other = self.space.find_user(reference) if reference.startswith("@") else self.space.users.get(reference)
        if other is not None:
            return self.space.direct_channel(user, other.id)
        channel = self.space.find_channel(reference)
        if channel is None or not self.space.can_see(user, channel):
            raise PersonError(f"There is no channel {reference!r} that {user} can see.")
        return channel

    def _writable(self, user: str, reference: str) -> Channel:
        channel = self.channel(user, reference)
        if channel.is_archived:
            raise PersonError(f"#{channel.name} is archived.")
        if user not in channel.members:
            raise PersonError(f"Join #{channel.name} before writing in it.")
        return channel

    async def say(self, user: str, reference: str, text: str, thread_ts: str | None = None) -> str | None:
        """Type something; a line beginning with "/" is a command (and returns None), else the message's `ts`."""
        if text.startswith("/"):
            word = text.split(maxsplit=1)[0]
            if self.space.manifest.command(word) is None:
                raise PersonError(_NO_COMMAND.format(word=word))
            if thread_ts is not None:
                raise PersonError(f"{word} is not supported in threads. Sorry!")
            await self.command(user, reference, text)
            return None
        channel = self._writable(user, reference)
        if not text.strip():
            raise PersonError("There is nothing to send.")
        if thread_ts is not None and thread_ts not in channel.messages:
            raise PersonError("The thread's first message is gone.")
        stored = self.escape(text)
        message = post(self.space, channel, draft(self.space, channel, user, stored, thread_ts=thread_ts))
        channel.last_read[user] = message.ts
        mentions_app = f"<@{self.space.bot_user}>" in stored
        if mentions_app and self.space.bot_user not in channel.members and not channel.is_direct:
            name = self.space.manifest.bot_name
            slackbot_says(self.space, channel, user, f"You mentioned @{name}, but they're not in this channel.")
        return message.ts

    def escape(self, text: str) -> str:
        """A typed text as Slack stores it: names become mentions, the rest has &, < and > escaped."""
        parts = _TOKEN.split(text)
        return "".join(part if place % 2 else self._escape_part(part) for place, part in enumerate(parts))

    def _escape_part(self, text: str) -> str:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        mentions: dict[str, str] = {f"@{each}": f"<!{each}>" for each in ("here", "channel", "everyone")}
        for user in self.space.users.values():
            mentions |= {f"@{user.real_name}": f"<@{user.id}>", f"@{user.name}": f"<@{user.id}>"}
        mentions |= {f"@{group.handle}": f"<!subteam^{group.id}>" for group in self.space.usergroups.values()}
        mentions |= {f"#{each.name}": f"<#{each.id}|{each.name}>" for each in self.space.channels.values() if each.name}
        longest_first = sorted(mentions, key=len, reverse=True)
        pattern = re.compile("|".join(rf"(?<![\w]){re.escape(word)}(?![\w-])" for word in longest_first))
        return pattern.sub(lambda found: mentions[found.group()], text)

    async def command(self, user: str, reference: str, line: str) -> None:
        """Run a slash command; what went wrong is shown to the person as Slack shows it."""
        channel = self.channel(user, reference)
        if user not in channel.members:
            raise PersonError(f"Join #{channel.name} before writing in it.")
        word, _, text = line.strip().partition(" ")
        command = self.space.manifest.command(word)
        if command is None:
            raise PersonError(_NO_COMMAND.format(word=word))
        payload = payloads.slash_command(self.space, user, channel, word, self._command_text(command, text.strip()))
        outcome = await self.delivery.command(payload)
        match outcome:
            case Unanswered(reason):
                error = "operation_timeout" if reason == "timeout" else "dispatch_failed"
                slackbot_says(self.space, channel, user, f'{word} failed with the error "{error}"')
            case Acked(body) if body:
                try:
                    respond_to_command(self.space, channel, user, body)
                except ApiError as refusal:
                    slackbot_says(self.space, channel, user, f'{word} failed with the error "{refusal.code}"')

    def _command_text(self, command: Command, text: str) -> str:
        if not command.should_escape:
            return text
        escaped = self.escape(text)
        return re.sub(r"<@(\w+)>", lambda found: f"<@{found[1]}|{self.space.users[found[1]].name}>", escaped)

    def place(self, user: str, container: Mapping[str, Any]) -> Place:
        """The message or view a click happens in."""
        if container.get("type") == "view":
            view = self.space.views.get(str(container.get("view_id", "")))
            if view is None or view.user != user:
                raise PersonError("That window is no longer open.")
            return Place(view=view)
        channel = self.channel(user, str(container.get("channel", "")))
        message = self.space.find_message(channel, str(container.get("ts", "")), user)
        if message is None:
            raise PersonError("That message is gone.")
        return Place(channel, message)

    async def click(
        self, user: str, container: Mapping[str, Any], block_id: str | None, action_id: str, given: Mapping[str, Any]
    ) -> None:
        """Use an element; `given` holds what was chosen and, in a view, maybe the other inputs' `values`."""
        place = self.place(user, container)
        element = find_element(place.blocks, block_id, action_id)
        if element is None:
            raise PersonError(f"There is nothing called {action_id!r} there any more.")
        if place.view is not None:
            self.enter(place.view, given.get("values") or {})
        state = chosen(element, raw_of(given), self._offered(user, place, element))
        if element.type in STATE_FIELDS:
            inputs = place.view.inputs if place.view else self._message_inputs(user, place)
            inputs.setdefault(element.block_id, {})[element.action_id] = state
        if not element.dispatches:
            return
        if not self.space.manifest.interactivity:
            raise PersonError("This app is not set up for interactivity.")
        action = payloads.action_json(self.space, element, state)
        payload = self._click_payload(user, place, action)
        outcome = await self.delivery.interaction(payload)
        if isinstance(outcome, Unanswered):
            self._show_trouble(user, place, outcome)

    def _click_payload(self, user: str, place: Place, action: Json) -> Json:
        if place.view is not None:
            return payloads.block_actions_view(self.space, user, place.view, action)
        if place.channel is None or place.message is None:
            raise PersonError("There is nothing to click.")
        return payloads.block_actions_message(self.space, user, place.channel, place.message, action)

    def _message_inputs(self, user: str, place: Place) -> dict[str, dict[str, Json]]:
        return place.message.inputs.setdefault(user, {}) if place.message else {}

    def _show_trouble(self, user: str, place: Place, outcome: Unanswered) -> None:
        name = self.space.manifest.bot_name
        error = "operation_timeout" if outcome.reason == "timeout" else "dispatch_failed"
        if place.channel is not None:
            slackbot_says(self.space, place.channel, user, f'{name} did not respond: the click failed with "{error}"')
            return
        raise PersonError(TROUBLE)

    def enter(self, view: View, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Fill in a view's inputs from raw values by block and action id."""
        for block_id, by_action in values.items():
            for action_id, raw in by_action.items():
                element = find_element(view.payload.get("blocks") or [], block_id, action_id)
                if element is None:
                    raise PersonError(f"There is no field {block_id}/{action_id} in this window.")
                state = chosen(element, raw, self._offered(view.user, Place(view=view), element))
                if element.type in STATE_FIELDS:
                    view.inputs.setdefault(element.block_id, {})[action_id] = state

    async def submit(self, user: str, view_id: str, values: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """Submit a modal; returns the errors shown in it by block id, empty when it was accepted."""
        view = self._open_view(user, view_id)
        self.enter(view, values)
        view.errors = form_errors(view)
        if not view.errors:
            outcome = await self.delivery.interaction(payloads.view_submission(self.space, view))
            if isinstance(outcome, Unanswered):
                raise PersonError(TROUBLE)
            self._answer_submission(view, outcome.body or {})
        self.space.tell("view", users=frozenset({user}), view_id=view_id)
        return view.errors

    def _open_view(self, user: str, view_id: str) -> View:
        view = views_stack.top(self.space, user)
        if view is None or view.id != view_id:
            raise PersonError("That window is no longer open.")
        return view

    def _answer_submission(self, view: View, answer: Json) -> None:
        try:
            match answer.get("response_action"):
                case None:
                    self._pop(view)
                case "clear":
                    views_stack.close_all(self.space, view.user)
                case "errors":
                    view.errors = self._known_errors(view, answer.get("errors"))
                case "update":
                    views_stack.replace(self.space, view, check_view(answer.get("view")))
                case "push":
                    views_stack.push(self.space, view.user, check_view(answer.get("view")))
                case _:
                    raise PersonError(TROUBLE)
        except ApiError as error:
            raise PersonError(f"{TROUBLE} ({error.code}: {error.fields or ''})") from error

    def _pop(self, view: View) -> None:
        # The app may have opened something else meanwhile; only the submitted view goes.
        if views_stack.top(self.space, view.user) is view:
            views_stack.close_top(self.space, view.user)

    def _known_errors(self, view: View, errors: Any) -> dict[str, str]:
        blocks = {str(block.get("block_id")) for block in view.payload["blocks"] if block.get("type") == "input"}
        if not isinstance(errors, dict) or not errors or not blocks.issuperset(errors):
            raise PersonError(TROUBLE)
        return {str(block): str(text) for block, text in errors.items()}

    async def close(self, user: str, view_id: str, *, clear: bool = False) -> None:
        """Close the modal (or the whole stack); the app hears of it only where it asked to."""
        view = self._open_view(user, view_id)
        everything = clear or bool(view.payload.get("clear_on_close"))
        gone = views_stack.close_all(self.space, user) if everything else [views_stack.close_top(self.space, user)]
        for each in gone:
            if each is not None and each.payload.get("notify_on_close"):
                await self.delivery.interaction(payloads.view_closed(self.space, each, cleared=everything))

    async def home(self, user: str) -> View | None:
        """Open the app's Home tab: tells the app, and returns what is published so far."""
        if not self.space.manifest.home_tab:
            raise PersonError("This app has no Home tab.")
        channel = self.space.direct_channel(user, self.space.bot_user)
        event: Json = {"type": "app_home_opened", "user": user, "channel": channel.id, "tab": "home"}
        view = self.space.homes.get(user)
        if view is not None:
            event["view"] = view_json(self.space, view)
        self.space.emit(event)
        return view

    async def shortcut(self, user: str, callback_id: str, reference: str | None = None, ts: str | None = None) -> None:
        """Run a global shortcut, or a message shortcut on a message."""
        declared = next((each for each in self.space.manifest.shortcuts if each.callback_id == callback_id), None)
        if declared is None:
            raise PersonError(f"The app has no shortcut {callback_id!r}.")
        if declared.type == "message":
            channel = self.channel(user, reference or "")
            message = channel.messages.get(ts or "")
            if message is None:
                raise PersonError("A message shortcut needs a message.")
            payload = payloads.message_action(self.space, user, callback_id, channel, message)
        else:
            channel = None
            payload = payloads.shortcut(self.space, user, callback_id)
        outcome = await self.delivery.interaction(payload)
        if isinstance(outcome, Unanswered):
            if channel is None:
                raise PersonError(TROUBLE)
            self._show_trouble(user, Place(channel), outcome)

    async def options(
        self, user: str, container: Mapping[str, Any], block_id: str | None, action_id: str, typed: str
    ) -> list[Json]:
        """What an external select offers for what was typed so far."""
        place = self.place(user, container)
        element = find_element(place.blocks, block_id, action_id)
        if element is None:
            raise PersonError(f"There is nothing called {action_id!r} there any more.")
        if place.view is not None:
            where: Json = {
                "container": {"type": "view", "view_id": place.view.id},
                "view": view_json(self.space, place.view),
            }
        elif place.channel is not None and place.message is not None:
            where = payloads.message_container(self.space, place.channel, place.message)
        else:
            where = {}
        outcome = await self.delivery.interaction(payloads.block_suggestion(self.space, user, element, typed, where))
        if isinstance(outcome, Unanswered):
            raise PersonError("The options could not be loaded.")
        body = outcome.body or {}
        groups = body.get("option_groups") or []
        options = [*(body.get("options") or []), *[option for group in groups for option in group.get("options") or []]]
        self.space.offered[user, place.key, element.action_id] = options
        return options

    def _offered(self, user: str, place: Place, element: Element) -> list[Json]:
        return self.space.offered.get((user, place.key, element.action_id), [])

    def react(self, user: str, reference: str, ts: str, name: str) -> None:
        """Add an emoji reaction, or take it back."""
        channel = self._writable(user, reference)
        message = channel.messages.get(ts)
        if message is None:
            raise PersonError("That message is gone.")
        word = name.strip(":")
        if not reacting.add(self.space, channel, message, word, user):
            reacting.remove(self.space, channel, message, word, user)

    def join(self, user: str, reference: str) -> None:
        """Join a public channel."""
        channel = self.channel(user, reference)
        if channel.is_archived:
            raise PersonError(f"#{channel.name} is archived.")
        membership.join(self.space, channel, user)

    def archive(self, user: str, reference: str) -> None:
        """Close a channel."""
        channel = self._writable(user, reference)
        if channel.is_general or channel.is_direct:
            raise PersonError(f"#{channel.name} cannot be archived.")
        membership.archive(self.space, channel, user)

    def upload(self, user: str, reference: str, name: str, data: bytes, comment: str = "") -> str:
        """Share a file in a channel; returns the message's `ts`."""
        channel = self._writable(user, reference)
        file = new_file(self.space, name, len(data), user)
        file.data, file.completed = data, True
        return share(self.space, channel, [file], user, self.escape(comment))
