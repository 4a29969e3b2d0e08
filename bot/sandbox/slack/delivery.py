"""Brings events, commands and interactions to the bot by the transport in use, and repeats unanswered events."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.payloads import event_callback
from bot.sandbox.slack.records import Channel, Json
from bot.sandbox.slack.state import Workspace
from bot.sandbox.slack.transport import Acked, Outcome, Retry, Transport

_MESSAGE_SUBSCRIPTIONS = {
    "public": ("message.channels", "channels:history"),
    "private": ("message.groups", "groups:history"),
    "im": ("message.im", "im:history"),
    "mpim": ("message.mpim", "mpim:history"),
}

# Which scope an event needs besides its subscription (https://docs.slack.dev/reference/events); others need none.
_SCOPES = {
    "app_mention": ("app_mentions:read",),
    "reaction_added": ("reactions:read",),
    "reaction_removed": ("reactions:read",),
    "pin_added": ("pins:read",),
    "pin_removed": ("pins:read",),
    "file_shared": ("files:read",),
    "member_joined_channel": ("channels:read", "groups:read"),
    "member_left_channel": ("channels:read", "groups:read"),
    "channel_created": ("channels:read",),
    "channel_rename": ("channels:read",),
    "channel_archive": ("channels:read",),
    "channel_unarchive": ("channels:read",),
    "group_rename": ("groups:read",),
    "group_archive": ("groups:read",),
    "group_unarchive": ("groups:read",),
    "subteam_members_changed": ("usergroups:read",),
    "subteam_updated": ("usergroups:read",),
    "team_join": ("users:read",),
    "user_change": ("users:read",),
}

# Events about a public channel that reach the app although it is not a member.
_FROM_OUTSIDE = {"channel_created", "channel_rename", "channel_archive", "channel_unarchive"}


@dataclass
class Delivery:
    """The way out of local Slack towards the bot."""

    space: Workspace
    transport: Transport
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def event(self, event: Json, channel: Channel | None) -> None:
        """Deliver an event in the background, if the manifest asks for it and the app may see it."""
        if self._wanted(event, channel):
            self.run(self._deliver(event_callback(self.space, event)))

    def _wanted(self, event: Json, channel: Channel | None) -> bool:
        manifest, kind = self.space.manifest, str(event["type"])
        name, scopes = kind, _SCOPES.get(kind, ())
        if kind == "message":
            if channel is None:
                return False
            name, scope = _MESSAGE_SUBSCRIPTIONS[channel.kind]
            scopes = (scope,)
        if name not in manifest.events or (scopes and not manifest.scopes.intersection(scopes)):
            return False
        if channel is None:
            return True
        inside = self.space.bot_user in channel.members
        return inside or (kind in _FROM_OUTSIDE and channel.kind == "public")

    async def _deliver(self, payload: Json) -> None:
        outcome = await self.transport.send("events_api", payload)
        for attempt, seconds in enumerate(self.space.timing.retries, start=1):
            if isinstance(outcome, Acked) or not outcome.retry:
                return
            await asyncio.sleep(seconds)
            reason = "timeout" if outcome.reason == "no_connection" else outcome.reason
            outcome = await self.transport.send("events_api", payload, Retry(attempt, reason))

    async def command(self, payload: Json) -> Outcome:
        """Deliver a slash command and wait for its acknowledgement."""
        return await self.transport.send("slash_commands", payload)

    async def interaction(self, payload: Json) -> Outcome:
        """Deliver a click, a submission, a shortcut … and wait for its acknowledgement."""
        return await self.transport.send("interactive", payload)

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the background until it is finished or local Slack stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until no event is under way any more."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Give up on everything still under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
