"""The calendar on its way to people: what is left of a list, how it ended, and the month that is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from bot.domain.months import ticked
from bot.domain.policy import ON_CALL
from bot.domain.system import System
from bot.errors import BotError, Unavailable
from bot.runs.shown import RunShown
from bot.slack.desk import Desk
from bot.slack.views import kit
from bot.slack.views.calendar import (
    drill_message,
    drilled_message,
    ended_message,
    failed_message,
    left_message,
    local,
    month_csv,
    month_message,
    people_in,
    reminder_message,
)
from bot.slack.views.kit import CsvFile, Element, Message
from bot.store.outbox import Posted


class Placing(Protocol):
    """Finds the channel that is wanted, or the one that stands in for it."""

    async def of_system(self, system: System, wanted: str, key: str, about: str) -> str:
        """The channel; where it is not the one that is wanted, that is said."""
        ...


class Posting(Protocol):
    """Posts messages, and remembers where."""

    async def in_thread(self, shown: RunShown, key: str, message: Message) -> None:
        """Say something in the run's thread, once."""
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


class Caretaker:
    """Says what the calendars have to say; `sender` posts and remembers where, `placer` knows where that is."""

    def __init__(self, sender: Posting, placer: Placing, desk: Desk) -> None:
        self._sender = sender
        self._placer = placer
        self._desk = desk

    async def remind(self, run_id: str, about: Mapping[str, Any]) -> None:
        """Ask those on call, in the run's thread, for what is left now; nothing when nothing is."""
        shown = await self._desk.reads.shown(run_id)
        left = await self._desk.months.left(shown.run)
        if left:
            message = reminder_message(shown, left, await self._on_call(shown))
            await self._sender.in_thread(shown, f"remind:{run_id}:{about['times']}", message)

    async def left(self, run_id: str, about: Mapping[str, Any]) -> None:
        """Say in the new run's thread what was left of the time before."""
        shown = await self._desk.reads.shown(run_id)
        message = left_message(shown, int(about["number"]), [str(each) for each in about["items"]])
        await self._sender.in_thread(shown, f"left:{run_id}:{about['number']}", message)

    async def ended(self, shown: RunShown) -> None:
        """How a run without an incident ended, in its thread."""
        if shown.run.channel is None:
            return
        items = ticked(shown.run, shown.runbook, shown.facts, {})
        done = [(each.title, each.by) for each in items if each.done]
        message = ended_message(shown, done, [each.title for each in items if not each.done])
        await self._sender.in_thread(shown, f"ended:{shown.run.id}", message)

    async def drill(self, run_id: str, about: Mapping[str, Any]) -> None:
        """Say in the thread which runbook is played this time, and how."""
        shown = await self._desk.reads.shown(run_id)
        runbook = self._desk.library.catalogue.get(str(about["runbook"]))
        if runbook is not None:
            proven = await self._desk.proven(runbook)
            await self._sender.in_thread(shown, f"drill:{run_id}", drill_message(runbook, proven.drill, shown.now))

    async def drilled(self, run_id: str, about: Mapping[str, Any]) -> None:
        """Say in the thread how the drill went."""
        shown = await self._desk.reads.shown(run_id)
        message = drilled_message(str(about["runbook"]), str(about["detail"]), passed=bool(about["passed"]))
        await self._sender.in_thread(shown, f"drilled:{run_id}", message)

    async def failed(self, about: Mapping[str, Any]) -> None:
        """Say that something came round and could not be started."""
        system = self._desk.library.catalogue.systems[str(about["system"])]
        key = f"calendar:{system.id}:{about['appointment']}:{about['at']}"
        channel = await self._placer.of_system(system, system.channels.calendar or "", key, str(about["title"]))
        zone = self._desk.months.calendars(system.id)[system.id].zone
        planned = f"{local(datetime.fromisoformat(about['at']), zone)} ({zone})"
        await self._sender.put(key, channel, failed_message(str(about["title"]), str(about["reason"]), planned))

    async def month(self, about: Mapping[str, Any]) -> None:
        """Post a month that is over as a table, once."""
        system, said = self._desk.library.catalogue.systems[str(about["system"])], str(about["month"])
        key = f"month:{system.id}:{said}"
        if await self._sender.posted(key) is not None:
            return
        year, month = map(int, said.split("-"))
        kept = await self._desk.months.month(system.id, year, month)
        zone = self._desk.months.calendars(system.id)[system.id].zone
        rows = month_csv(kept, zone, await self._names(people_in(kept)))
        file = CsvFile(f"calendar-{system.id}-{said}.csv", rows.encode("utf-8-sig", "replace"))
        channel = await self._placer.of_system(system, system.channels.calendar or "", key, f"The calendar of {said}")
        message = month_message(system.title, said, kept, file)
        await self._desk.client.upload(channel, message.files, comment=message.text)
        await self._sender.remember(key, Posted(channel, ""))

    async def _names(self, people: tuple[str, ...]) -> Mapping[str, str]:
        names = {}
        for user in people:
            try:
                names[user] = (await self._desk.directory.person(user)).name
            except Unavailable:
                raise
            except BotError:
                continue
        return names

    async def _on_call(self, shown: RunShown) -> list[Element]:
        _, system = await self._desk.library.of_run(shown.run)
        groups = {name: group for name, group in system.groups.items() if name == ON_CALL}
        handles = await self._desk.directory.mentions(groups)
        people = sorted({user for group in groups.values() for user in group.people})
        return [*(kit.group(handle) for handle in handles), *(kit.person(user) for user in people)]
