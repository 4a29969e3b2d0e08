"""What an incident tells people beside its headline: calls, digests, updates, and where a duplicate goes on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from bot.domain.events import BOT
from bot.domain.incident import Incident, IncidentState, topic
from bot.domain.items import ItemState
from bot.domain.system import Group, System, contact_named, groups_called, paged_by
from bot.errors import Unavailable
from bot.slack.desk import Desk
from bot.slack.views import kit
from bot.slack.views.incident import escalation
from bot.slack.views.items import items_message, reminder_message
from bot.slack.views.kit import Message
from bot.slack.views.telling import (
    assigned_message,
    digest,
    merged_message,
    moved_message,
    unreached_message,
    update_message,
)
from bot.store.outbox import Posted

_PERSON = re.compile(r"[UW][A-Z0-9]{2,20}")


def _ids(data: Any) -> list[str]:
    """The people's ids in a value of an event."""
    listed = data if isinstance(data, list | tuple) else [data]
    return [each for each in listed if isinstance(each, str) and _PERSON.fullmatch(each)]


@dataclass(frozen=True, slots=True)
class Called:
    """A rung (counted from 1) that was called: whom, why, and how long after the incident began."""

    to: Sequence[str]
    reason: str
    rung: int
    waited: timedelta


def _elsewhere(system: System, groups: Mapping[str, Group], name: str) -> bool:
    """Whether somebody can be reached though no group of Slack is theirs."""
    return name not in groups or paged_by(system, name) is not None


class Putting(Protocol):
    """Who posts messages and knows where they stand."""

    async def put(self, key: str, channel: str, message: Message, thread: str | None = None) -> Posted:
        """Post or update a message."""
        ...


class Teller:
    """Says each thing once, under a key of its own."""

    def __init__(self, sender: Putting, desk: Desk) -> None:
        self._sender = sender
        self._desk = desk

    async def escalated(self, incident_id: str, called: Called) -> None:
        """Bring the people of a rung into the channel, and call them there. Where nobody of them can be reached, that
        is said, and the next rung is called."""
        incident = await self._desk.incidents.get(incident_id)
        channel = self._channel(incident)
        system = self._desk.library.catalogue.systems.get(incident.system)
        groups = {} if system is None else groups_called(system, called.to)
        members = await self._desk.directory.members(groups)
        there = await self._active({user for users in members.values() for user in users})
        reached = bool(there) or system is None or any(_elsewhere(system, groups, each) for each in called.to)
        await self._desk.client.invite(channel, there)
        named = [
            kit.group(mentions[0])
            if (mentions := await self._desk.directory.mentions({each: groups[each]} if each in groups else {}))
            else kit.t(contact_named(system, each))
            for each in called.to
        ]
        runs = await self._desk.reads.of_incident(incident_id)
        told = escalation(incident, runs, named, called.reason, called.waited, self._desk.clock.now(), reached=reached)
        await self._sender.put(f"escalated:{incident.id}:{called.rung}", channel, told)
        if not reached:
            await self._desk.incidents.nobody_there(incident.id, called.rung)

    async def _active(self, users: Iterable[str]) -> list[str]:
        """Those of the people who still work here."""
        return [user for user in sorted(users) if not (await self._desk.directory.person(user)).deactivated]

    async def unreached(self, incident_id: str, told: Mapping[str, Any]) -> None:
        """Somebody could not be paged."""
        incident = await self._desk.incidents.get(incident_id)
        message = unreached_message(str(told["to"]), str(told["via"]), str(told["problem"]))
        await self._sender.put(f"unreached:{told['page']}", self._channel(incident), message)

    async def moved(self, incident: Incident, why: str) -> None:
        """The first words in the new channel of an incident whose old one was lost."""
        now = await self._desk.incidents.get(incident.id)
        channel = self._channel(now)
        await self._sender.put(f"moved:{incident.id}:{channel}", channel, moved_message(incident, why))

    async def digest(self, incident_id: str, number: int, after: int, upto: int) -> None:
        """What has happened since the last digest; not any more once it is over."""
        incident = await self._desk.incidents.get(incident_id)
        if incident.state is not IncidentState.OPEN or incident.channel is None:
            return
        runs = await self._desk.reads.of_incident(incident_id)
        lines = await self._desk.reads.audit(incident_id=incident_id)
        since = [line for line in lines if after < line.seq <= upto]
        people = {*(line.actor for line in since), incident.opened_by, incident.commander} - {BOT, ""}
        people |= {user for line in since for name in ("by", "author", "to") for user in _ids(line.data.get(name))}
        names = {id: (await self._desk.directory.person(id)).name or id for id in sorted(people)}
        told = digest(incident, runs, since, self._desk.clock.now(), names)
        await self._sender.put(f"digest:{incident.id}:{number}", incident.channel, told)

    async def merged(self, incident_id: str) -> None:
        """A duplicate says where it goes on, and its people are brought there."""
        incident = await self._desk.incidents.get(incident_id)
        into = None if incident.merged_into is None else await self._desk.incidents.get(incident.merged_into)
        if into is None:
            return
        if into.channel is None:
            raise Unavailable("The other incident's channel is not there yet.")
        channel = self._channel(incident)
        members = await self._desk.client.members(channel)
        await self._desk.client.invite(into.channel, members)
        await self._sender.put(f"merged:{incident.id}:{into.id}", channel, merged_message(incident, into))
        await self._desk.client.set_topic(channel, topic(incident, f"goes on in {into.label}"))

    async def assigned(self, incident_id: str, to: str, by: str) -> None:
        """Somebody who is to lead is brought into the channel and asked there."""
        incident = await self._desk.incidents.get(incident_id)
        channel = self._channel(incident)
        await self._desk.client.invite(channel, [to])
        await self._sender.put(f"assigned:{incident.id}:{to}", channel, assigned_message(to, by, incident))

    async def update(self, incident_id: str, told: Mapping[str, Any]) -> None:
        """What somebody has told the stakeholders, in their channel, once."""
        incident = await self._desk.incidents.get(incident_id)
        place = await self._desk.directory.place_named(str(told["channel"]))
        if place is None:
            raise Unavailable(f"There is no channel {told['channel']} that I can see.")
        await self._sender.put(
            f"update:{told['key']}", place.id, update_message(incident, str(told["text"]), str(told["by"]))
        )

    async def items(self, incident_id: str) -> None:
        """The action items of an incident, in one message that follows them; none while there are none."""
        incident = await self._desk.incidents.get(incident_id)
        found = await self._desk.items.of_incident(incident_id)
        if found:
            told = items_message(incident, found, self._desk.clock.now())
            await self._sender.put(f"items:{incident.id}", self._channel(incident), told)

    async def remind(self, told: Mapping[str, Any]) -> None:
        """Somebody is asked about an action item in a direct message, as long as it is open."""
        item = await self._desk.items.get(int(told["item"]))
        if item.state is not ItemState.OPEN or not told["to"]:
            return
        incident = await self._desk.incidents.get(item.incident)
        message = reminder_message(incident, item, self._desk.clock.now())
        direct = await self._desk.client.direct(str(told["to"]))
        await self._sender.put(f"item:{item.id}:{told['at']}", direct, message)

    def _channel(self, incident: Incident) -> str:
        if incident.channel is None:
            raise Unavailable("The incident's channel is not there yet.")
        return incident.channel
