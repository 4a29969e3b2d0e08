"""The calendar as it was and will be: every occurrence of a month with who ticked what, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.domain.appointments import MADE_UP_FOR, Occurrence, bounds, left_open
from bot.domain.months import Coming, Kept, Stands, because, stands_with, ticked
from bot.domain.operations import Calendar, Operations
from bot.domain.rounds import coming, rounds
from bot.domain.run import Run
from bot.runs.calendars import titles_of
from bot.runs.library import Library
from bot.store import appointments, runs
from bot.store.session import Connection, Store


class Months:
    """Reads the calendars: what is committed, never inside an action's transaction."""

    def __init__(self, store: Store, library: Library) -> None:
        self._store = store
        self._library = library

    def calendars(self, system: str = "") -> Mapping[str, Calendar]:
        """The calendars of all systems, or of one, in which something comes round."""
        known: Mapping[str, Operations] = self._library.catalogue.operations
        wanted = {id: each.calendar for id, each in known.items() if system in ("", id)}
        return {id: calendar for id, calendar in wanted.items() if calendar.appointments}

    async def month(self, system: str, year: int, month: int) -> Sequence[Kept]:
        """Every occurrence in a month of the system's zone, in order: what came round, and what is still planned."""
        calendar = self._library.catalogue.operations[system].calendar
        start, end = bounds(year, month, calendar.zone)
        async with self._store.reading() as connection:
            since = await appointments.kept_since(connection, system)
            taken = await appointments.between(connection, system, start, end)
            found = [await self._kept(connection, occurrence, run) for occurrence, run in taken]
        there = {(each.key, each.at) for each in found}
        now = self._store.clock.now()
        for key, each in calendar.appointments.items():
            for at in rounds(each.turn, calendar.zone, start, end):
                if (key, at) not in there and (at > now or (key in since and at > since[key])):
                    late = now - at >= MADE_UP_FOR[each.turn.every]
                    stands = Stands.NOT_STARTED if late else Stands.PLANNED
                    found.append(Kept(system, key, each.title, at, stands, why="no replica ran" if late else ""))
        return sorted(found, key=lambda one: (one.at, one.key))

    async def coming(self, system: str = "") -> Sequence[Coming]:
        """What comes next in every calendar, or in that of one system, and what is open now."""
        now, found = self._store.clock.now(), []
        async with self._store.reading() as connection:
            for id, calendar in self.calendars(system).items():
                going = {each.key: run for each, run in await appointments.under_way(connection, id)}
                for key, appointment in calendar.appointments.items():
                    run = going.get(key)
                    left = () if run is None else await self._left(connection, run)
                    at = coming(appointment.turn, calendar.zone, now + timedelta(microseconds=1))
                    found.append(Coming(id, appointment, at, calendar.zone, run, left))
        return sorted(found, key=lambda one: (one.system, one.at))

    async def left(self, run: Run) -> tuple[str, ...]:
        """What a run still waits for."""
        async with self._store.reading() as connection:
            return await self._left(connection, run)

    async def _left(self, connection: Connection, run: Run) -> tuple[str, ...]:
        runbook, _ = await self._library.of_run(run)
        return left_open(run, await runs.facts(connection, run.id), titles_of(runbook))

    async def _kept(self, connection: Connection, occurrence: Occurrence, run: Run | None) -> Kept:
        if run is None:
            stands, why = Stands.NOT_STARTED, occurrence.problem
            return Kept(occurrence.system, occurrence.key, occurrence.title, occurrence.at, stands, why=why)
        runbook, _ = await self._library.of_run(run)
        facts = await runs.facts(connection, run.id)
        stored = {each.key: each.at for each in await runs.stored_facts(connection, run.id)}
        items = ticked(run, runbook, facts, stored)
        return Kept(
            system=occurrence.system,
            key=occurrence.key,
            title=occurrence.title,
            at=occurrence.at,
            stands=stands_with(occurrence, run, items),
            run=run.number,
            run_id=run.id,
            started_at=occurrence.started_at,
            ended_at=run.finished_at,
            items=items,
            why=" ".join(filter(None, (because(facts), run.reason))),
        )
