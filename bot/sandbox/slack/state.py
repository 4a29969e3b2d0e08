"""The workspace in memory: users, channels, messages, files, views, triggers; changed by the web API and by people."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.changes import Changes
from bot.sandbox.slack.manifest import Manifest
from bot.sandbox.slack.records import (
    Channel,
    File,
    Hook,
    HookKind,
    Json,
    Message,
    Scheduled,
    Trigger,
    User,
    Usergroup,
    View,
)
from bot.sandbox.slack.seeds import Seed

SLACKBOT = "USLACKBOT"
Clock = Callable[[], float]


@dataclass(frozen=True)
class Timing:
    """How long things last, in seconds; the defaults are Slack's."""

    ack: float = 3.0
    trigger: float = 3.0
    response_url: float = 1800.0
    ticket: float = 30.0
    retries: tuple[float, ...] = (0.0, 60.0, 300.0)


@dataclass
class Workspace:
    """One Slack workspace with one app installed. Everything runs on one event loop; nothing here waits."""

    manifest: Manifest
    clock: Clock
    timing: Timing = field(default_factory=Timing)
    team_id: str = "T0LOCAL001"
    team_name: str = "Local Workspace"
    team_domain: str = "local"
    app_id: str = "A0LOCAL001"
    bot_id: str = "B0LOCAL001"
    bot_user: str = "U0LOCALBOT"
    origin: str = ""
    hints: tuple[str, ...] = ()
    users: dict[str, User] = field(default_factory=dict)
    usergroups: dict[str, Usergroup] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    stacks: dict[str, list[str]] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)
    scheduled: dict[str, Scheduled] = field(default_factory=dict)
    offered: dict[tuple[str, str, str], list[Json]] = field(default_factory=dict)
    changes: Changes = field(default_factory=Changes)
    on_event: list[Callable[[Json, Channel | None], None]] = field(default_factory=list)
    _counters: dict[str, int] = field(default_factory=dict)
    _last_ts: int = 0

    @classmethod
    def of(cls, seed: Seed, manifest: Manifest, clock: Clock, timing: Timing) -> Workspace:
        """A workspace holding the seed, the app's bot user and Slackbot."""
        space = cls(manifest, clock, timing, team_name=seed.team, team_domain=seed.domain)
        bot_name = manifest.bot_name
        space.users[space.bot_user] = User(
            space.bot_user, bot_name.lower().replace(" ", "_"), bot_name, is_bot=True, color="2b6836"
        )
        space.users[SLACKBOT] = User(SLACKBOT, "slackbot", "Slackbot", color="757575")
        for user in deepcopy(seed.users):
            space.users[user.id] = user
        for group in deepcopy(seed.usergroups):
            space.usergroups[group.id] = group
        for channel in deepcopy(seed.channels):
            channel.created = int(clock())
            if channel.id in seed.bot_channels and space.bot_user not in channel.members:
                channel.members.append(space.bot_user)
            space.channels[channel.id] = channel
        for user in seed.users:
            space.direct_channel(space.bot_user, user.id)
        return space

    # Names and numbers

    def new_id(self, prefix: str) -> str:
        """A fresh id such as C0000000A1, counting per prefix."""
        self._counters[prefix] = number = self._counters.get(prefix, 0) + 1
        return f"{prefix}0{number:08X}"

    def new_ts(self) -> str:
        """A message time stamp "seconds.micros": unique in the workspace, never going back."""
        self._last_ts = max(int(self.clock() * 1_000_000), self._last_ts + 100)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def now(self) -> int:
        """The time in whole seconds since the epoch."""
        return int(self.clock())

    # Looking things up

    def find_channel(self, reference: str) -> Channel | None:
        """A channel by id, name or "#name"."""
        if reference in self.channels:
            return self.channels[reference]
        name = reference.removeprefix("#")
        return next((channel for channel in self.channels.values() if channel.name == name and name), None)

    def find_user(self, reference: str) -> User | None:
        """A user by id or name."""
        return self.users.get(reference) or next(
            (user for user in self.users.values() if user.name == reference.removeprefix("@")), None
        )

    def channels_of(self, user: str) -> list[Channel]:
        """Every conversation this user is in."""
        return [channel for channel in self.channels.values() if user in channel.members]

    def can_see(self, user: str, channel: Channel) -> bool:
        """Whether this user may read the channel."""
        return channel.kind == "public" or user in channel.members

    def find_message(self, channel: Channel, ts: str, user: str | None = None) -> Message | None:
        """A message of the channel; with `user`, also one that only this user sees."""
        message = channel.messages.get(ts)
        if message is None and user is not None:
            hidden = channel.ephemerals.get(ts)
            return hidden if hidden is not None and hidden.ephemeral_to == user else None
        return message

    def replies(self, channel: Channel, thread_ts: str) -> list[Message]:
        """The replies in a thread, oldest first, without its parent."""
        return [channel.messages[ts] for ts in channel.threads.get(thread_ts, ())]

    def direct_channel(self, *users: str) -> Channel:
        """The direct conversation of exactly these people, made if it does not exist."""
        wanted = set(users)
        for channel in self.channels.values():
            if channel.is_direct and set(channel.members) == wanted:
                return channel
        kind = "im" if len(wanted) <= 2 else "mpim"
        prefix = "D" if kind == "im" else "G"
        identity = self.new_id(prefix)
        names = [self.users[user].name for user in users if user in self.users]
        channel = Channel(
            identity,
            "" if kind == "im" else f"mpdm-{'--'.join(names)}-1",
            kind="im" if kind == "im" else "mpim",
            creator=users[0],
            created=self.now(),
            members=list(dict.fromkeys(users)),
        )
        self.channels[identity] = channel
        self.changes.publish({"type": "channel", "channel": identity}, frozenset(channel.members))
        return channel

    # Triggers and response_urls

    def new_trigger(self, user: str, view: str | None = None) -> Trigger:
        """A trigger for an interaction of this user; `view` is the view it came from."""
        number = self.new_id("").lstrip("0")
        identity = f"{self.now()}.{number}.{secrets.token_hex(16)}"
        trigger = Trigger(identity, user, self.clock() + self.timing.trigger, view)
        self.triggers[identity] = trigger
        return trigger

    def new_hook(self, kind: HookKind, channel: str, user: str, original: str | None = None) -> str:
        """A fresh response_url; `original` is the `ts` of the message it came from."""
        identity, secret = self.new_id("H"), secrets.token_hex(12)
        expires = self.clock() + self.timing.response_url
        hook = Hook(identity, secret, channel, user, expires, kind, original)
        self.hooks[identity] = hook
        return f"{self.origin}/hooks/{hook.kind}/{self.team_id}/{identity}/{secret}"

    # Telling

    def emit(self, event: Json, channel: Channel | None = None) -> None:
        """Hand an Events API event to whoever delivers; `channel` is where it happened."""
        event.setdefault("event_ts", self.new_ts())
        for listener in self.on_event:
            listener(event, channel)

    def tell(self, kind: str, channel: Channel | None = None, users: frozenset[str] | None = None, **more: Any) -> None:
        """Announce a change to waiting tests and open pages; a channel's change reaches those who can read it."""
        event: Json = {"type": kind, **more}
        if channel is not None:
            event["channel"] = channel.id
            if users is None and channel.kind != "public":
                users = frozenset(channel.members)
        self.changes.publish(event, users)
