"""Where a run that belongs to no incident is spoken of: in its system's channel, or where people still read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import structlog

from bot.domain.policy import ON_CALL
from bot.domain.run import Run
from bot.domain.system import System
from bot.errors import Unavailable
from bot.slack.desk import Desk
from bot.slack.directory import Place
from bot.slack.views.calendar import elsewhere_message
from bot.slack.views.kit import Message
from bot.store.outbox import Posted

log = structlog.get_logger(__name__)

MOST_CALLED = 10


class Posting(Protocol):
    """Posts messages, and remembers where."""

    async def posted(self, key: str) -> Posted | None:
        """Where something was posted."""
        ...

    async def remember(self, key: str, posted: Posted) -> Posted:
        """Remember where something was posted."""
        ...

    async def put(self, key: str, channel: str, message: Message, thread: str | None = None) -> Posted:
        """Post or update a message."""
        ...


@dataclass(frozen=True, slots=True)
class _Closed:
    """A channel that nothing can be said in: `why` follows its name."""

    why: str


class Placer:
    """Finds channels by name or id. A name that was found once is remembered by its id: a channel may be renamed."""

    def __init__(self, sender: Posting, desk: Desk) -> None:
        self._sender = sender
        self._desk = desk

    async def of_run(self, run: Run) -> str:
        """The channel of a run without an incident: where its card stands, as long as anything can be said there."""
        card = await self._sender.posted(f"run:{run.id}")
        if card is not None and await self._open_still(card.channel):
            return card.channel
        _, system = await self._desk.library.of_run(run)
        return await self.of_system(system, run.channel or "", f"run:{run.id}", f"{run.runbook} {run.title}")

    async def of_system(self, system: System, wanted: str, key: str, about: str) -> str:
        """The channel that is `wanted`; else that for announcements, or a direct message to who is on call, where it is
        said once, under `key`, why `about` is not where it belongs. Raises `Unavailable` while there is nobody."""
        why = "" if wanted else "its calendar has no channel"
        for name in dict.fromkeys(filter(None, (wanted, system.channels.announcements))):
            found = await self._found(name, system)
            if isinstance(found, Place):
                if why:
                    await self._excuse(key, found.id, elsewhere_message(system, about, wanted, why))
                return found.id
            why = why or found.why
        return await self._directly(system, key, about, wanted, why)

    async def _directly(self, system: System, key: str, about: str, wanted: str, why: str) -> str:
        """Direct messages to everybody on call; the channel of the first, where it goes on."""
        groups = {name: group for name, group in system.groups.items() if name == ON_CALL}
        members = await self._desk.directory.members(groups)
        reached: list[tuple[str, str]] = []
        for user in sorted(members.get(ON_CALL, ()))[:MOST_CALLED]:
            try:
                person = await self._desk.directory.person(user)
                if not (person.deactivated or person.bot):
                    reached.append((user, await self._desk.client.direct(user)))
            except Unavailable as error:
                log.info("cannot be written to", user=user, error=str(error))
        if not reached:
            raise Unavailable(f"There is no channel and nobody on call to post {about} to: {wanted} {why}.")
        first = reached[0][0]
        for user, channel in reached:
            message = elsewhere_message(system, about, wanted, why, holder="" if user == first else first)
            await self._excuse(key, channel, message)
        return reached[0][1]

    async def _excuse(self, key: str, channel: str, message: Message) -> None:
        place = f"elsewhere:{key}:{channel}"
        if await self._sender.posted(place) is None:
            log.warning("posted elsewhere", about=key, channel=channel, why=message.text)
            await self._sender.put(place, channel, message)

    # -- channels ------------------------------------------------------------------------------------------------------

    async def _found(self, name: str, system: System) -> Place | _Closed:
        """A channel that can be spoken in, by its name or id."""
        key = f"place:{name}"
        known = await self._sender.posted(key)
        if known is not None:
            found = await self._entered(await self._desk.directory.place(known.channel), system)
            if isinstance(found, Place):
                return found
        named = await self._desk.directory.place_named(name)
        found = await self._entered(named, system)
        if isinstance(found, Place) and (known is None or known.channel != found.id):
            await self._sender.remember(key, Posted(found.id, ""))
        return found

    async def _entered(self, place: Place | None, system: System) -> Place | _Closed:
        if place is None:
            return _Closed("does not exist, or I cannot see it")
        if place.archived:
            return _Closed("is archived")
        if place.shared and system.support is not None:
            return _Closed("is shared with another organisation")
        if not place.member and not await self._desk.client.join(place.id):
            return _Closed("is closed to me: invite me")
        return place

    async def _open_still(self, channel: str) -> bool:
        """Whether something can be said where it was said before."""
        if channel.startswith("D"):
            return True
        place = await self._desk.directory.place(channel)
        return place is not None and not place.archived and (place.member or await self._desk.client.join(place.id))
