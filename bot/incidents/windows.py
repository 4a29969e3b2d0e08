"""Maintenance windows: announced ahead, begun and ended by the calendar or by hand, each once and on record."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.authoring.catalogue import Catalogue
from bot.domain.events import BOT, Event, Happened
from bot.domain.maintenance import LONGEST, Occurrence, Stage, planned
from bot.domain.operations import Operations, Window
from bot.domain.system import System
from bot.errors import Mistake, Refusal
from bot.store import monitors, presses, windows
from bot.store.session import Store, Transaction

_KINDS = {
    Stage.ANNOUNCED: Happened.WINDOW_ANNOUNCED,
    Stage.STARTED: Happened.WINDOW_STARTED,
    Stage.ENDED: Happened.WINDOW_ENDED,
}


class Windows:
    """The maintenance windows of all systems. What an occurrence has come to stands in its row, so that it is said once
    whatever runs beside or dies."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue

    async def come_round(self, system: System) -> None:
        """Announce, begin and end what is due by now. It may be called at any time and as often as one likes."""
        calendar = self._catalogue.operations.get(system.id, Operations()).calendar
        async with self._store.transaction() as tx:
            known = list(await windows.lock_unfinished(tx, system.id))
            for window, starts, ends in planned(calendar, tx.now):
                fresh = _occurrence(system, window, starts, ends, BOT)
                ahead = starts > tx.now and bool(window.announce_before)
                fresh = replace(fresh, announced_at=tx.now) if ahead else fresh
                if await windows.add(tx, fresh):
                    known.append(fresh)
                    if ahead:
                        _say(tx, fresh, Stage.ANNOUNCED, BOT)
            for each in known:
                await _pass(tx, each)

    async def open(
        self, system: System, key: str, by: str, lasts: timedelta | None = None, *, press: str = ""
    ) -> Occurrence:
        """Open a window by hand, for as long as it is said or as the calendar has it. Raises `Mistake` for one that is
        not known or has no length, and `Refusal` while it is open."""
        window = self._window(system, key)
        length = lasts or window.lasts
        if length is None:
            raise Mistake(
                f"How long will «{window.title}» take?", hint=f"/runbook maintenance {system.id} {key} for 1h"
            )
        if not timedelta(0) < length <= LONGEST:
            raise Mistake("A window that is opened by hand lasts at most 24 hours; open it again when that is over.")
        async with self._store.transaction() as tx:
            known = await windows.lock_unfinished(tx, system.id)
            now_open = [each for each in known if each.key == key and each.open(tx.now)]
            if await presses.repeated(tx, press, by) and now_open:
                return now_open[0]
            if now_open:
                raise Refusal(f"«{window.title}» is open already; end it first to give it another length.")
            made = replace(_occurrence(system, window, tx.now, tx.now + length, by), started_at=tx.now)
            await windows.add(tx, made)
            _say(tx, made, Stage.STARTED, by)
            return made

    async def end(self, system: System, key: str, by: str, *, press: str = "") -> Occurrence:
        """End a window early, or call off one that is announced. Raises `Refusal` when there is none."""
        window = self._window(system, key)
        async with self._store.transaction() as tx:
            known = [each for each in await windows.lock_unfinished(tx, system.id) if each.key == key]
            if not known:
                raise Refusal(f"«{window.title}» is neither open nor announced.")
            if await presses.repeated(tx, press, by):
                return known[0]
            await windows.end(tx, known[0].id, tx.now, by)
            await monitors.look_again(tx, system.id)
            _say(tx, known[0], Stage.ENDED, by)
            return known[0]

    async def unfinished(self, system: str = "") -> Sequence[Occurrence]:
        """What is announced or open, the earliest first."""
        async with self._store.reading() as connection:
            return await windows.unfinished(connection, system)

    async def get(self, id: str) -> Occurrence:
        """The occurrence with this id. Raises `Mistake` when there is none."""
        async with self._store.reading() as connection:
            found = await windows.get(connection, id)
        if found is None:
            raise Mistake("This maintenance window is not known here.")
        return found

    def _window(self, system: System, key: str) -> Window:
        known = self._catalogue.operations.get(system.id, Operations()).calendar.windows
        if key not in known:
            names = ", ".join(known) or "none"
            raise Mistake(f"{system.title} has no maintenance window «{key[:80]}».", hint=f"Known: {names}.")
        return known[key]


def _occurrence(system: System, window: Window, starts: datetime, ends: datetime, by: str) -> Occurrence:
    return Occurrence(str(uuid.uuid4()), system.id, window.key, window.title, window.mutes, starts, ends, opened_by=by)


async def _pass(tx: Transaction, occurrence: Occurrence) -> None:
    """Take an occurrence as far as it has come by now."""
    for stage in occurrence.owed(tx.now):
        if stage is Stage.STARTED:
            await windows.start(tx, occurrence.id)
        else:
            await windows.end(tx, occurrence.id, tx.now, BOT)
            await monitors.look_again(tx, occurrence.system)
        _say(tx, occurrence, stage, BOT)


def _say(tx: Transaction, occurrence: Occurrence, stage: Stage, by: str) -> None:
    """Put it on record and have it posted."""
    about = {"system": occurrence.system, "window": occurrence.key, "title": occurrence.title, "id": occurrence.id}
    if stage is Stage.ANNOUNCED:
        about["starts"] = f"{occurrence.starts_at:%Y-%m-%d %H:%M} UTC"
    if stage is not Stage.ENDED:
        about["until"] = f"{occurrence.ends_at:%Y-%m-%d %H:%M} UTC"
    tx.record(Event(_KINDS[stage], by, about))
    tx.announce("window", body={"window": occurrence.id, "stage": stage})
