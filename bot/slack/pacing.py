"""The one budget for calls to Slack: tiers per method, a message a second per channel, and every Retry-After shared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from bot.errors import Unavailable

Sleep: TypeAlias = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls a minute, of which `burst` may come at once."""

    per_minute: float
    burst: int


TIER_1, TIER_2, TIER_3, TIER_4 = Rate(1, 1), Rate(20, 10), Rate(50, 20), Rate(100, 40)
CHANNEL = Rate(60, 3)
MESSAGE = Rate(60, 2)

# Source: docs.slack.dev/apis/web-api/rate-limits and the method pages; a method that is not named here has tier 3.
RATES = {
    "auth.test": Rate(600, 100),
    "chat.postMessage": Rate(300, 60),
    "chat.postEphemeral": TIER_4,
    "chat.getPermalink": Rate(300, 60),
    "conversations.create": TIER_2,
    "conversations.list": TIER_2,
    "conversations.setTopic": TIER_2,
    "conversations.setPurpose": TIER_2,
    "files.getUploadURLExternal": TIER_4,
    "files.completeUploadExternal": TIER_4,
    "pins.add": TIER_2,
    "bookmarks.add": TIER_2,
    "usergroups.list": TIER_2,
    "usergroups.users.list": TIER_2,
    "users.info": TIER_4,
    "views.open": TIER_4,
    "views.push": TIER_4,
    "views.update": TIER_4,
    "views.publish": TIER_4,
}
# Retry-After of this method is per channel, so one busy channel does not hold the others.
_PER_CHANNEL = frozenset({"chat.postMessage"})


class Pacer:
    """Gives every call its turn. Turns of one method are given in the order they were asked for.

    At most `room` calls wait, and none longer than `patience` seconds: beyond that `turn` raises `Unavailable` at once.
    Without `limits`, for a Slack that has none, calls wait only when Slack asks for it.
    """

    def __init__(
        self,
        *,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        room: int = 500,
        patience: float = 120.0,
        limits: bool = True,
    ) -> None:
        self._limits = limits
        self._ticks = ticks
        self._sleep = sleep
        self._room = room
        self._patience = patience
        self._waiting = 0
        self._next: dict[str, float] = {}
        self._held: dict[str, float] = {}

    async def turn(self, method: str, channel: str = "", message: str = "") -> None:
        """Wait until this call may be made."""
        shares = self._shares(method, channel, message)
        place = _place(method, channel)
        now = self._ticks()
        pause = max([self._held.get(place, now) - now, *(self._pause(key, rate, now) for key, rate in shares)])
        if self._waiting >= self._room or pause > self._patience:
            raise Unavailable("Slack takes fewer messages than the bot has to send; this one was not sent.")
        for key, rate in shares:
            self._take(key, rate, now)
        self._waiting += 1
        try:
            await self._until(now + pause, place)
        finally:
            self._waiting -= 1
            self._forget()

    def _shares(self, method: str, channel: str, message: str) -> list[tuple[str, Rate]]:
        if not self._limits:
            return []
        shares = [(method, RATES.get(method, TIER_3))]
        if channel and method in _PER_CHANNEL:
            shares.append((f"{method}:{channel}", CHANNEL))
        if message:
            shares.append((f"{method}:{channel}:{message}", MESSAGE))
        return shares

    def hold(self, method: str, channel: str, seconds: float) -> None:
        """Slack asked for a pause: nobody calls this method before it is over."""
        place = _place(method, channel)
        self._held[place] = max(self._held.get(place, 0.0), self._ticks() + seconds)

    async def _until(self, moment: float, place: str) -> None:
        while (pause := max(moment, self._held.get(place, moment)) - self._ticks()) > 0:
            await self._sleep(pause)

    def _pause(self, key: str, rate: Rate, now: float) -> float:
        spacing = 60.0 / rate.per_minute
        return self._next.get(key, now) - (rate.burst - 1) * spacing - now

    def _take(self, key: str, rate: Rate, now: float) -> None:
        self._next[key] = max(self._next.get(key, now), now) + 60.0 / rate.per_minute

    def _forget(self) -> None:
        """Drop what lies in the past, so that channels and messages long gone take no memory."""
        if len(self._next) + len(self._held) > 1_000:
            now = self._ticks()
            self._next = {key: moment for key, moment in self._next.items() if moment > now}
            self._held = {key: moment for key, moment in self._held.items() if moment > now}


def _place(method: str, channel: str) -> str:
    return f"{method}:{channel}" if method in _PER_CHANNEL else method
