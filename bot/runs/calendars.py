"""Keeping the calendars: what comes round is started once, people are reminded of the rest, and months are posted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.authoring.inputs import parse_inputs
from bot.domain import outcomes as o
from bot.domain.appointments import (
    Due,
    Occurrence,
    Taken,
    before,
    bounds,
    due,
    left_open,
    month_of,
    reminder_due,
    settled,
    to_drill,
)
from bot.domain.events import BOT, Event, Happened
from bot.domain.operations import Calendar
from bot.domain.proof import ProofKind, proven
from bot.domain.run import Run
from bot.domain.runbook import Runbook
from bot.domain.turns import OutOfTurn
from bot.errors import BadInputs, BotError, Mistake
from bot.runs.actions import cancel, start
from bot.runs.changes import apply, locked
from bot.runs.library import Library
from bot.store import appointments, proofs, runs
from bot.store.session import Store, Transaction

log = structlog.get_logger(__name__)

DRILL_WITHIN = timedelta(days=35)
_UNFINISHED = "not finished before it came round again"


class Calendars:
    """Looks what is due. Any replica may look, at any time and as often as it likes: what has been done about an
    occurrence stands in its row, and that is written in the transaction that does it."""

    def __init__(self, store: Store, library: Library) -> None:
        self._store = store
        self._library = library

    async def look(self) -> None:
        """Do all that is due now. What goes wrong with one system keeps nothing from the others."""
        for system, operations in self._library.catalogue.operations.items():
            try:
                await self._keep(system, operations.calendar)
            except BotError as error:
                log.warning("calendar not kept", system=system, error=str(error))
            except Exception:
                log.exception("calendar broke", system=system)

    async def _keep(self, system: str, calendar: Calendar) -> None:
        if not calendar.appointments:
            return
        async with self._store.transaction() as tx:
            since = await appointments.kept_since(tx.connection, system)
            for key in sorted(calendar.appointments.keys() - since.keys()):
                await appointments.take(tx, Occurrence(system, key, tx.now, Taken.KEPT))
        for each in due(calendar, since, self._store.clock.now()):
            await self._begin(system, each)
        async with self._store.reading() as connection:
            going = await appointments.under_way(connection, system)
        for occurrence, run in going:
            await self._tend(calendar, occurrence, run)
        await self._look_at_drills(system)
        await self._post_month(system, calendar, since)

    # -- what has come round -------------------------------------------------------------------------------------------

    async def _begin(self, system: str, due: Due) -> None:
        """Start what has come round, unless it was; what is left of the time before ends with that."""
        appointment = due.appointment
        async with self._store.transaction() as tx:
            mine = Occurrence(system, appointment.key, due.at, Taken.STARTED, appointment.title, started_at=tx.now)
            if not await appointments.take(tx, mine):
                return
            try:
                runbook = self._library.known(appointment.runbook)
                inputs = parse_inputs(runbook, appointment.inputs)
            except (BadInputs, Mistake) as error:
                await appointments.failed(tx, mine, str(error))
                about = {**_about(mine), "reason": str(error)}
                tx.record(Event(Happened.CALENDAR_FAILED, BOT, about))
                tx.announce("calendar_failed", body=about)
                return
            left = await self._end(tx, system, appointment.key)
            run = await start(
                tx,
                self._library,
                runbook,
                inputs,
                requested_by=BOT,
                request_key=f"calendar:{system}:{appointment.key}:{due.at.isoformat()}",
                incident=None,
                channel=self._library.system(runbook).channels.calendar or "",
                title=appointment.title,
            )
            drill = await self._drill(tx, runbook) if appointment.drill else ""
            await appointments.started(tx, mine, run.id, drill)
            if drill:
                tx.announce("calendar_drill", run_id=run.id, body={"runbook": drill})
            about = {**_about(mine), "late_seconds": round((tx.now - due.at).total_seconds()), "drill": drill}
            tx.record(Event(Happened.CALENDAR_STARTED, BOT, about), run_id=run.id)
            for old, items in left:
                tx.announce("calendar_left", run_id=run.id, body={"number": old.number, "items": list(items)})
            tx.announce("reach", run_id=run.id)

    async def _end(self, tx: Transaction, system: str, key: str) -> list[tuple[Run, tuple[str, ...]]]:
        """End what is still under way of an appointment, with what was left of each. One that makes a change just now
        is left to it."""
        ended = []
        for _, found in await appointments.under_way(tx.connection, system, key):
            run = await locked(tx, found.id)
            runbook, _ = await self._library.of_run(run)
            left = left_open(run, await runs.facts(tx.connection, run.id), titles_of(runbook))
            ended.append((run, left))
            try:
                await cancel(tx, run, BOT, _UNFINISHED)
            except OutOfTurn as error:
                log.info("left under way", run=run.number, why=str(error))
                continue
            tx.record(Event(Happened.CALENDAR_UNFINISHED, BOT, {"open": list(left)}), run_id=run.id)
        return ended

    # -- what is under way ---------------------------------------------------------------------------------------------

    async def _tend(self, calendar: Calendar, occurrence: Occurrence, run: Run) -> None:
        """Close a run in which nothing is left, or remind people of what is."""
        appointment = calendar.appointments.get(occurrence.key)
        now = self._store.clock.now()
        if settled(run):
            async with self._store.transaction() as tx:
                if settled(run := await locked(tx, run.id)):
                    await apply(tx, run, o.Closed(BOT, ""))
        elif appointment is not None and reminder_due(appointment, occurrence, now):
            async with self._store.transaction() as tx:
                run = await locked(tx, run.id)
                fresh = await appointments.lock(tx, occurrence)
                if fresh is None or not reminder_due(appointment, fresh, tx.now):
                    return
                runbook, _ = await self._library.of_run(run)
                left = left_open(run, await runs.facts(tx.connection, run.id), titles_of(runbook))
                if not left:
                    return
                await appointments.reminded(tx, fresh)
                about = {"title": occurrence.title, "open": list(left), "times": fresh.reminders + 1}
                tx.record(Event(Happened.CALENDAR_REMINDED, BOT, about), run_id=run.id)
                tx.announce("calendar_reminder", run_id=run.id, body={"times": fresh.reminders + 1})

    # -- fire drills ---------------------------------------------------------------------------------------------------

    async def _drill(self, tx: Transaction, beside: Runbook) -> str:
        """The runbook whose turn it is in the fire drill."""
        catalogue = self._library.catalogue
        own = catalogue.of_system(beside.system)
        known = await proofs.known(tx.connection, {beside.system}, {each.version for each in own})
        return to_drill(own, proven(own, catalogue.lookups, known, tx.now), beside.id)

    async def _look_at_drills(self, system: str) -> None:
        """Say how the drills went that were held meanwhile."""
        versions = {each.version for each in self._library.catalogue.of_system(system)}
        async with self._store.reading() as connection:
            waiting = await appointments.undrilled(connection, system, self._store.clock.now() - DRILL_WITHIN)
            known = await proofs.known(connection, {system}, versions) if waiting else ()
        for occurrence in waiting:
            began = occurrence.started_at or occurrence.at
            own = [each for each in known if each.kind is ProofKind.DRILL and each.runbook == occurrence.drill]
            held = max((each for each in own if each.at >= began), key=lambda each: each.at, default=None)
            if held is None:
                continue
            async with self._store.transaction() as tx:
                if await appointments.drilled(tx, occurrence):
                    about = {"runbook": held.runbook, "passed": held.passed, "detail": held.detail}
                    tx.record(Event(Happened.CALENDAR_DRILLED, BOT, about), run_id=occurrence.run)
                    tx.announce("calendar_drilled", run_id=occurrence.run, body=about)

    # -- the month -----------------------------------------------------------------------------------------------------

    async def _post_month(self, system: str, calendar: Calendar, since: Mapping[str, datetime]) -> None:
        """Have the month that is over posted, once, where something was kept in it."""
        now = self._store.clock.now()
        turned, _ = bounds(*month_of(now, calendar.zone), calendar.zone)
        if not any(at < turned for at in since.values()):
            return
        year, month = before(*month_of(now, calendar.zone))
        async with self._store.transaction() as tx:
            if await appointments.take(tx, Occurrence(system, "", turned, Taken.POSTED, started_at=tx.now)):
                about = {"system": system, "month": f"{year}-{month:02}"}
                tx.record(Event(Happened.CALENDAR_POSTED, BOT, about))
                tx.announce("calendar_month", body=about)


def _about(occurrence: Occurrence) -> dict[str, Any]:
    """An occurrence as the record has it."""
    said = {"system": occurrence.system, "appointment": occurrence.key, "title": occurrence.title}
    return {**said, "at": occurrence.at.isoformat()}


def titles_of(runbook: Runbook) -> dict[str, str]:
    """Its checks and actions by key, in words."""
    return {key: each.title for part in (runbook.checks, runbook.actions) for key, each in part.items()}
