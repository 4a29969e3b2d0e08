"""An open incident whose channel people have archived or deleted, or that has put the bot out, goes on in a new one."""

from __future__ import annotations

from bot.domain.events import BOT, Event, Happened
from bot.domain.incident import Incident, IncidentState
from bot.errors import BotError
from bot.slack.desk import Desk
from bot.slack.replies import Archived, ChannelGone
from bot.store import incidents, outbox, runs
from bot.store.outbox import Outgoing
from bot.store.session import Store


async def left(
    message: Outgoing, error: Archived | ChannelGone, desk: Desk, store: Store
) -> tuple[Incident, str] | None:
    """The open incident whose channel was lost, as what this message ran into shows, and how: another channel is to be
    made for it. None where the bot has come back into the channel. Raises the error where that is not what it means,
    and `BotError` where nobody waits for the message any more."""
    incident = await _about(message, desk)
    if incident is None or incident.channel is None:
        raise error
    place = await desk.directory.place(incident.channel, afresh=True)
    if place is not None and not place.archived:
        if place.member:
            raise error
        if await desk.client.join(place.id):
            return None
    if incident.state is not IncidentState.OPEN:
        raise BotError(f"The channel of {incident.label} is gone, and it is over.")
    why = "was archived" if place is not None and place.archived else "is gone, or I was removed from it"
    await _leave(incident, f"it {why}", store)
    return incident, why


async def _about(message: Outgoing, desk: Desk) -> Incident | None:
    id = message.incident_id
    if id is None and message.run_id is not None:
        id = (await desk.reads.run(message.run_id)).incident
    return None if id is None else await desk.incidents.get(id)


async def _leave(incident: Incident, reason: str, store: Store) -> None:
    """Forget the channel and what stands in it, and have everything made and shown anew; once, whoever comes first."""
    async with store.transaction() as tx:
        current = await incidents.lock(tx, incident.id)
        if current is None or current.channel is None or current.channel != incident.channel:
            return
        await incidents.lose_channel(tx, incident.id)
        await outbox.forget_posts(tx, current.channel)
        about = {"channel": current.channel, "name": current.channel_name, "reason": reason}
        tx.record(Event(Happened.CHANNEL_LOST, BOT, about), incident_id=incident.id)
        tx.announce("channel", incident_id=incident.id)
        for run in await runs.of_incident(tx.connection, incident.id):
            tx.announce("run", run_id=run.id, incident_id=incident.id)
