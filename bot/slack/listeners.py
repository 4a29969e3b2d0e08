"""The door from Slack: one listener a kind of delivery, routed by our own tables; every person gets an answer.

What a person did is committed by the handler before Slack is acknowledged. An expected error is told in its own
sentence; a bug is logged whole here and told with a reference.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, assert_never

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.errors import BotError, Refusal
from bot.slack.desk import (
    Answer,
    Arrival,
    Command,
    Desk,
    Form,
    Later,
    Mention,
    Open,
    Press,
    Quiet,
    Reaction,
    Routes,
    Say,
    Wrong,
)
from bot.slack.directory import PEOPLE_LIFETIME
from bot.slack.verbs import Ref, verb_of
from bot.telemetry import ACK_SECONDS, CLICKS

log = structlog.get_logger(__name__)

AT_ONCE = timedelta(0)
_EVERYTHING = re.compile(r".*", re.DOTALL)


class Listeners:
    """Registers with Bolt and carries answers back to the person."""

    def __init__(self, routes: Routes, desk: Desk) -> None:
        self._routes = routes
        self._desk = desk
        self._following: set[asyncio.Task[None]] = set()

    def register(self, app: AsyncApp) -> None:
        """One listener a kind: Bolt's dispatch costs time for each one registered."""
        app.command(_EVERYTHING)(self.command)
        app.action(_EVERYTHING)(self.press)
        app.view(_EVERYTHING)(self.form)
        app.shortcut(_EVERYTHING)(self.shortcut)
        app.event(_EVERYTHING)(self.event)

    async def settled(self) -> None:
        """Wait until every answer under way has been given; for an orderly stop."""
        while self._following:
            await asyncio.gather(*self._following, return_exceptions=True)

    async def command(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """A slash command."""
        started = time.perf_counter()
        command = Command(
            name=body["command"],
            text=body.get("text", ""),
            user=body["user_id"],
            channel=body["channel_id"],
            trigger=body["trigger_id"],
            key=f"command:{body['trigger_id']}",
        )
        handler = self._routes.commands.get(command.name)
        if handler is None:
            answer: Answer = Say(f"{command.name} is not a command of this bot.")
        else:
            answer = await self._answered(command.user, partial(handler, command, self._desk))
        match answer:
            case Say(text=text, blocks=blocks, public=public):
                shape = "in_channel" if public else "ephemeral"
                await ack(text=text, blocks=list(blocks) or None, response_type=shape)  # type: ignore[arg-type]  # plain dicts are accepted
            case Open(view=view):
                await ack()
                self._follow(self._open(command.trigger, view, command.channel, command.user))
            case Later(text=text):
                await ack(text=text)
                self._follow(self._afterwards(command.channel, command.user, answer))
            case Quiet() | Wrong():
                await ack()
            case _:
                assert_never(answer)
        self._taken("command", started)

    async def press(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """A button or an option in a message, a form or the Home tab."""
        started = time.perf_counter()
        user = body["user"]["id"]
        channel = (body.get("channel") or {}).get("id", "")
        thread = _thread_of(body.get("message") or {})
        try:
            press = _press_of(body)
        except BotError as error:
            await ack()
            self._follow(self._whisper(channel, user, Say(str(error)), thread))
            return
        if press is None:
            await ack()
            return
        handler = self._routes.presses.get(press.verb)
        answer: Answer = Quiet()
        if handler is not None:
            answer = await self._answered(user, partial(handler, press, self._desk), press.ref)
        await ack()
        match answer:
            case Say() if press.form:
                self._follow(self._replace(press.view, _notice(answer.text)))
            case Say():
                self._follow(self._whisper(channel or user, user, answer, thread))
            case Open(view=view) if press.form:
                self._follow(self._replace(press.view, view))
            case Open(view=view):
                self._follow(self._open(press.trigger, view, channel or user, user))
            case Later():
                self._follow(self._afterwards(channel or user, user, answer, thread))
            case Quiet() if press.form:
                self._follow(self._replace(press.view, _notice("Taken. The card in the channel shows what follows.")))
            case Quiet() | Wrong():
                pass
            case _:
                assert_never(answer)
        self._taken("press", started)

    async def form(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """A submitted form."""
        started = time.perf_counter()
        view, user = body["view"], body["user"]["id"]
        try:
            verb = verb_of(view["callback_id"])
            ref = Ref.decode(view.get("private_metadata") or "{}")
        except BotError as error:
            await ack(response_action="update", view=_notice(str(error)))
            return
        form = Form(verb, ref, user, f"form:{view['id']}:{view.get('hash', '')}", view["state"]["values"], view)
        handler = self._routes.forms.get(verb)
        answer: Answer = Quiet()
        if handler is not None:
            answer = await self._answered(user, partial(handler, form, self._desk), ref)
        match answer:
            case Wrong(errors=errors):
                await ack(response_action="errors", errors=dict(errors))
            case Say() if ref.channel:
                await ack()
                self._follow(self._whisper(ref.channel, user, answer))
            case Say(text=text):
                await ack(response_action="update", view=_notice(text))
            case Open(view=opened):
                await ack(response_action="update", view=dict(opened))
            case Later(text=text):
                await ack(response_action="update", view=_notice(text))
                self._follow(self._afterwards(ref.channel or user, user, answer))
            case Quiet():
                await ack()
            case _:
                assert_never(answer)
        self._taken("form", started)

    async def shortcut(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """The message shortcut."""
        await ack()
        message = body.get("message") or {}
        mention = Mention(
            user=body["user"]["id"],
            channel=(body.get("channel") or {}).get("id", ""),
            ts=message.get("ts", ""),
            text=message.get("text", ""),
            thread=message.get("thread_ts", ""),
            trigger=body["trigger_id"],
        )
        handler = self._routes.shortcuts.get(verb_of(body["callback_id"]))
        if handler is not None:
            await self._reply(mention, await self._answered(mention.user, partial(handler, mention, self._desk)))

    async def event(self, body: Mapping[str, Any]) -> None:
        """Mentions, the Home tab, reactions, people who come, and changes of user groups. Bolt acknowledges events by
        itself."""
        event = body["event"]
        match event.get("type"):
            case "app_home_opened" if self._routes.home is not None and event.get("tab", "home") == "home":
                self._follow(self._home(event["user"]))
            case "app_mention" if self._routes.mention is not None:
                mention = Mention(
                    event["user"], event["channel"], event["ts"], event.get("text", ""), event.get("thread_ts", "")
                )
                self._follow(self._mentioned(mention))
            case "reaction_added" | "reaction_removed" if self._routes.reacted is not None:
                item, gone = event.get("item") or {}, event["type"] == "reaction_removed"
                if item.get("type") == "message":
                    reaction = Reaction(event["user"], event["reaction"], item["channel"], item["ts"], gone)
                    self._follow(_awaited(self._routes.reacted(reaction, self._desk)))
            case "member_joined_channel" if self._routes.arrived is not None:
                arrival = Arrival(event["user"], event["channel"])
                self._follow(_awaited(self._routes.arrived(arrival, self._desk)))
            case "subteam_members_changed" | "subteam_updated":
                self._desk.directory.invalidate()
            case _:
                pass

    async def _answered(self, user: str, handling: Callable[[], Awaitable[Answer]], ref: Ref | None = None) -> Answer:
        """What the handler answers; an expected error becomes its sentence, a bug a reference. Whoever is turned away
        from a request for approval (`ref`) is on record there."""
        try:
            # Whoever decides on a request is looked up at that moment.
            within = AT_ONCE if ref is not None and ref.request else PEOPLE_LIFETIME
            person = await self._desk.directory.person(user, within=within)
            if person.bot or person.deactivated or person.stranger:
                if ref is not None and ref.request:
                    await self._desk.people.turn_away(ref.request, person)
                return Say("Only people of this workspace can use the bot.")
            return await handling()
        except Refusal as error:
            return Say(" ".join((*error.reasons, error.hint)).strip())
        except BotError as error:
            return Say(f"{error} {error.hint}".strip())
        except Exception:
            reference = uuid.uuid4().hex[:8]
            log.exception("handler broke", user=user, reference=reference)
            return Say(f"The bot itself failed (reference {reference}); nothing was recorded. Please try again.")

    async def _reply(self, mention: Mention, answer: Answer) -> None:
        match answer:
            case Say():
                await self._whisper(mention.channel, mention.user, answer, mention.thread)
            case Open(view=view):
                await self._open(mention.trigger, view, mention.channel, mention.user)
            case Later():
                await self._afterwards(mention.channel, mention.user, answer, mention.thread)
            case Quiet() | Wrong():
                pass
            case _:
                assert_never(answer)

    async def _mentioned(self, mention: Mention) -> None:
        assert self._routes.mention is not None
        await self._reply(
            mention, await self._answered(mention.user, partial(self._routes.mention, mention, self._desk))
        )

    async def _afterwards(self, channel: str, user: str, later: Later, thread: str = "") -> None:
        """What an answer comes to that was promised; an error of it is said as any other."""
        said = await self._answered(user, later.making)
        await self._whisper(channel, user, said if isinstance(said, Say) else Say(later.text), thread)

    async def _whisper(self, channel: str, user: str, say: Say, thread: str = "") -> None:
        await self._desk.client.whisper(channel, user, say.text, say.blocks, thread or None)

    async def _open(self, trigger: str, view: Mapping[str, Any], channel: str, user: str) -> None:
        try:
            await self._desk.client.open_view(trigger, view)
        except BotError as error:
            await self._whisper(channel, user, Say(f"The form could not be opened: {error} Please try again."))

    async def _replace(self, view_id: str, view: Mapping[str, Any]) -> None:
        """What was pressed stood in a form: the answer takes its place."""
        await self._desk.client.update_view(view_id, view)

    async def _home(self, user: str) -> None:
        assert self._routes.home is not None
        await self._desk.client.publish_home(user, await self._routes.home(user, self._desk))

    def _follow(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what comes after the acknowledgement; kept track of, and never silent when it fails."""

        async def guarded() -> None:
            try:
                await work
            except BotError as error:
                log.warning("an answer could not be given", error=str(error))
            except Exception:
                log.exception("an answer broke")

        task = asyncio.create_task(guarded())
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    def _taken(self, kind: str, started: float) -> None:
        CLICKS.labels(kind).inc()
        ACK_SECONDS.labels(kind).observe(time.perf_counter() - started)


async def _awaited(work: Awaitable[None]) -> None:
    await work


def _press_of(body: Mapping[str, Any]) -> Press | None:
    """What was pressed; None for a link button or an input, which mean nothing by themselves."""
    action = body["actions"][0]
    if action.get("type") == "button" and action.get("url"):
        return None
    verb = verb_of(action["action_id"])
    option = action.get("selected_option") or {}
    container = body.get("container") or {}
    carried = option.get("value", "") if option else action.get("value", "")
    if option and not carried.startswith("{"):
        # Where an option's value is what was picked, the menu carries the reference in its block id.
        carried = action.get("block_id", "").partition("#")[2]
    return Press(
        verb=verb,
        ref=Ref.decode(carried or "{}"),
        user=body["user"]["id"],
        trigger=body["trigger_id"],
        key=f"press:{body['trigger_id']}",
        channel=(body.get("channel") or {}).get("id", ""),
        ts=container.get("message_ts", ""),
        thread=_thread_of(body.get("message") or {}),
        value=option.get("value", ""),
        view=container.get("view_id", ""),
        form=(body.get("view") or {}).get("type") == "modal",
    )


def _thread_of(message: Mapping[str, Any]) -> str:
    """The thread a message stands in. The head of a thread stands in the channel, and an answer to it belongs there."""
    thread = str(message.get("thread_ts") or "")
    return "" if thread == message.get("ts") else thread


def _notice(text: str) -> dict[str, Any]:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text[:3000]}}
    title = {"type": "plain_text", "text": "Runbook Bot"}
    return {"type": "modal", "title": title, "close": {"type": "plain_text", "text": "Close"}, "blocks": [section]}
