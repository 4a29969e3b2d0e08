"""What comes into a run's thread beside its words: charts of what its checks saw, and rows that somebody asked for."""

from __future__ import annotations

import hashlib
from typing import Protocol, assert_never

import structlog

from bot.errors import BotError, Unavailable
from bot.runs.shown import RunShown
from bot.slack.desk import Desk
from bot.slack.drawing import NotDrawn, png
from bot.slack.views.charts import Picture, Undrawn, charted, picture_comment, picture_name, undrawn_message
from bot.slack.views.checks import check_rows, rows_comment
from bot.slack.views.course import course, course_name
from bot.slack.views.kit import File, Message, PictureFile
from bot.slack.views.text import escape
from bot.store.outbox import Posted

log = structlog.get_logger(__name__)


class Thread(Protocol):
    """Where things stand on Slack."""

    async def channel_of(self, shown: RunShown) -> str:
        """The channel of the run's incident, or of a run without one."""
        ...

    async def thread(self, shown: RunShown) -> str | None:
        """The card's thread."""
        ...

    async def posted(self, key: str) -> Posted | None:
        """Where something was posted."""
        ...

    async def remember(self, key: str, posted: Posted) -> Posted:
        """Remember where something was posted."""
        ...

    async def put(self, key: str, channel: str, message: Message, thread: str | None = None) -> Posted:
        """Post or update a message."""
        ...


class Attacher:
    """Brings files into threads, the same one once."""

    def __init__(self, sender: Thread, desk: Desk) -> None:
        self._sender = sender
        self._desk = desk

    async def chart(self, run_id: str, key: str) -> None:
        """The chart of what a check saw, or a line that says why there is none. A look that saw the same brings nothing
        new. Whatever happens, the run goes on."""
        shown = await self._desk.reads.shown(run_id)
        picture = charted(shown, key)
        match picture:
            case None:
                return
            case Undrawn():
                await self._undrawn(shown, key, picture)
            case Picture():
                await self._picture(shown, key, picture)
            case _:
                assert_never(picture)

    async def course(self, incident_id: str) -> None:
        """The course of an incident that is over, under its summary. Where it cannot be drawn, the summary has it in
        words."""
        incident = await self._desk.incidents.get(incident_id)
        summary = await self._sender.posted(f"summary:{incident_id}")
        if incident.channel is None or summary is None:
            raise Unavailable("The summary is not there yet.")
        runs = await self._desk.reads.of_incident(incident_id)
        lines = await self._desk.reads.audit(incident_id=incident_id)
        named = {shown.run.id: f"{shown.run.runbook} run {shown.run.number}" for shown in runs}
        drawn = course(incident, named, lines, self._desk.clock.now())
        place = f"file:course:{incident_id}:{drawn.digest}"
        if await self._sender.posted(place) is not None:
            return
        try:
            file = PictureFile(course_name(incident), await png(drawn), drawn.alt)
        except NotDrawn as error:
            log.info("no course", incident=incident.label, why=str(error))
            return
        await self._desk.client.upload(summary.channel, (file,), summary.ts, escape(drawn.title))
        await self._sender.remember(place, summary)

    async def rows(self, run_id: str, key: str, by: str) -> None:
        """All rows a check saw, for somebody who asked for them. Whoever asks for what is there already is told so."""
        shown = await self._desk.reads.shown(run_id)
        channel, thread = await self._sender.channel_of(shown), await self._sender.thread(shown)
        file = check_rows(shown, key)
        if file is None:
            await self._desk.client.whisper(channel, by, "This check saw no rows.", thread_ts=thread)
            return
        try:
            fresh = await self._uploaded(shown, key, file, digest_of(file), rows_comment(shown, key, by))
        except Unavailable:
            raise
        except BotError as error:
            await self._desk.client.whisper(channel, by, escape(f"The file was not taken: {error}"), thread_ts=thread)
            return
        if not fresh:
            told = f"{file.name} is in this thread already, with the same rows."
            await self._desk.client.whisper(channel, by, escape(told), thread_ts=thread)

    async def _picture(self, shown: RunShown, key: str, picture: Picture) -> None:
        if await self._sender.posted(_place(shown, key, picture_name(shown, key), picture.digest)) is not None:
            return
        try:
            content = await png(picture)
        except NotDrawn as error:
            await self._undrawn(shown, key, Undrawn(picture.title, str(error)))
            return
        file = PictureFile(picture_name(shown, key), content, picture.alt)
        await self._uploaded(shown, key, file, picture.digest, picture_comment(picture))

    async def _undrawn(self, shown: RunShown, key: str, undrawn: Undrawn) -> None:
        log.info("no chart", run=shown.run.id, check=key, why=undrawn.reason)
        place = f"undrawn:{shown.run.id}:{key}"
        thread = await self._sender.thread(shown)
        await self._sender.put(place, await self._sender.channel_of(shown), undrawn_message(undrawn), thread)

    async def _uploaded(self, shown: RunShown, key: str, file: File, digest: str, comment: str) -> bool:
        """Whether the file has come into the thread now; False when it was there."""
        place = _place(shown, key, file.name, digest)
        if await self._sender.posted(place) is not None:
            return False
        channel, thread = await self._sender.channel_of(shown), await self._sender.thread(shown)
        await self._desk.client.upload(channel, (file,), thread, comment)
        await self._sender.remember(place, Posted(channel, thread or ""))
        return True


def digest_of(file: File) -> str:
    """The same for the same content."""
    return hashlib.sha256(file.content).hexdigest()[:16]


def _place(shown: RunShown, key: str, name: str, digest: str) -> str:
    return f"file:{shown.run.id}:{key}:{digest}:{name}"
