"""What an incident tells people beside its headline: calls, digests, updates, and where a duplicate goes on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bot.domain.events import BOT
from bot.domain.incident import Incident, IncidentState, topic
from bot.domain.system import contact_named, groups_called
from bot.errors import Unavailable
from bot.slack.desk import Desk
from bot.slack.views import kit
from bot.slack.views.incident import escalation
from bot.slack.views.kit import Message
from bot.slack.views.telling import assigned_message, digest, merged_message, update_message
from bot.store.outbox import Posted

_PERSON = re.compile(r"[UW][A-Z0-9]{2,20}")


def _ids(data: Any) -> list[str]:
    """The people's ids in a value of an event."""
    listed = data if isinstance(data, list | tuple) else [data]
    return [each for each in listed if isinstance(each, str) and _PERSON.fullmatch(each)]


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

    async def escalated(self, incident_id: str, to: Sequence[str], reason: str, rung: int) -> None:
        """Bring the next people of the ladder into the channel, and call them there."""
        incident = await self._desk.incidents.get(incident_id)
        if incident.channel is None:
            raise Unavailable("The incident's channel is not there yet.")
        system = self._desk.library.catalogue.systems.get(incident.system)
        groups = {} if system is None else groups_called(system, to)
        members = await self._desk.directory.members(groups)
        await self._desk.client.invite(incident.channel, sorted({user for users in members.values() for user in users}))
        named = [
            kit.group(mentions[0])
            if (mentions := await self._desk.directory.mentions({each: groups[each]} if each in groups else {}))
            else kit.t(contact_named(system, each))
            for each in to
        ]
        runs = await self._desk.reads.of_incident(incident_id)
        told = escalation(incident, runs, named, reason, self._desk.clock.now())
        await self._sender.put(f"escalated:{incident.id}:{rung}", incident.channel, told)

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
        place = await self._desk.directory.channel_called(str(told["channel"]))
        if place is None:
            raise Unavailable(f"There is no channel {told['channel']} that I can see.")
        await self._sender.put(
            f"update:{told['key']}", place.id, update_message(incident, str(told["text"]), str(told["by"]))
        )

    def _channel(self, incident: Incident) -> str:
        if incident.channel is None:
            raise Unavailable("The incident's channel is not there yet.")
        return incident.channel
