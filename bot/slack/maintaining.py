"""What comes to channels without a run: maintenance windows at each stage, and the charts of monitors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import structlog

from bot.authoring.templates import TemplateError, compile_template
from bot.domain.incident import Incident
from bot.domain.maintenance import Occurrence, Stage
from bot.domain.operations import Operations
from bot.domain.policy import ON_CALL
from bot.domain.system import System
from bot.errors import BotError, Unavailable
from bot.slack.desk import Desk
from bot.slack.drawing import NotDrawn, png
from bot.slack.replies import Archived, ChannelGone, SlackRefused
from bot.slack.views.kit import Message, PictureFile
from bot.slack.views.maintenance import window_message
from bot.slack.views.monitors import monitor_picture, picture_words
from bot.store.outbox import Posted

log = structlog.get_logger(__name__)


class Places(Protocol):
    """Where things stand on Slack."""

    async def posted(self, key: str) -> Posted | None:
        """Where something was posted."""
        ...

    async def remember(self, key: str, posted: Posted) -> Posted:
        """Remember where something was posted."""
        ...


async def say_window(places: Places, desk: Desk, id: str, stage: Stage) -> None:
    """Tell the system's calendar channel of a window, once at each stage; where that channel is gone, the one for
    announcements, else the people on call themselves. Raises `BotError` where nobody can be told."""
    key = f"window:{id}:{stage}"
    if await places.posted(key) is not None:
        return
    occurrence = await desk.windows.get(id)
    system = desk.library.catalogue.systems.get(occurrence.system)
    if system is None:
        raise BotError(f"The system {occurrence.system} is not known to this bot any more.")
    message = window_message(occurrence, stage, system.title, _text(desk, system, occurrence, stage))
    told = await _told(desk, list(filter(None, (system.channels.calendar, system.channels.announcements))), message)
    if not told:
        on_call = {name: group for name, group in system.groups.items() if name == ON_CALL}
        people = sorted((await desk.directory.members(on_call)).get(ON_CALL, ()))
        told = [posted for person in people for posted in await _told(desk, [person], message)]
    if not told:
        raise BotError(f"No channel of {system.title} took the maintenance window «{occurrence.title}».")
    await places.remember(key, told[0])


async def _told(desk: Desk, channels: Sequence[str], message: Message) -> list[Posted]:
    """Where a message stands now: in the first of the channels that is there."""
    for channel in channels:
        try:
            return [Posted(channel, await desk.client.post(channel, message))]
        except (Archived, ChannelGone, SlackRefused) as error:
            log.warning("a channel does not take messages", channel=channel, error=str(error))
    return []


def _text(desk: Desk, system: System, occurrence: Occurrence, stage: Stage) -> str:
    """The system's own words for an announcement; without them, or where a fact is missing in them, the bot's own have
    to do."""
    windows = desk.library.catalogue.operations.get(system.id, Operations()).calendar.windows
    window = windows.get(occurrence.key)
    template = None if window is None or window.announce is None else system.templates.get(window.announce)
    if template is None or stage is not Stage.ANNOUNCED:
        return ""
    about = {"title": occurrence.title, "starts_at": occurrence.starts_at, "ends_at": occurrence.ends_at}
    try:
        return compile_template(template.body).render({"window": about, "system": system.title, **about})
    except TemplateError as error:
        log.warning("an announcement could not be filled in", template=template.name, error=str(error))
        return ""


async def draw_monitor(places: Places, desk: Desk, incident_id: str, key: str) -> None:
    """The last values of a monitor as a picture in the incident that it opened; none where there are too few to draw.
    Raises `Unavailable` while the incident has no channel."""
    incident: Incident = await desk.incidents.get(incident_id)
    if incident.channel is None:
        raise Unavailable("The incident's channel is not there yet.")
    standing = await desk.monitors.one(incident.system, key)
    picture = monitor_picture(standing)
    if picture is None:
        return
    place = f"monitor:{incident.id}:{key}:{picture.digest}"
    if await places.posted(place) is not None:
        return
    try:
        content = await png(picture)
    except NotDrawn as error:
        log.info("no chart", monitor=key, why=str(error))
        return
    file = PictureFile(f"{key}.png", content, picture.alt)
    await desk.client.upload(incident.channel, (file,), None, picture_words(standing))
    await places.remember(place, Posted(incident.channel, ""))
