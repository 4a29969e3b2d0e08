"""What the monitors of a system have shown, made into incidents: one transaction for everything that was looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.authoring.catalogue import Catalogue
from bot.domain.events import BOT, Event, Happened
from bot.domain.incident import Suggestion
from bot.domain.maintenance import Occurrence, muting
from bot.domain.monitoring import Change, Reading, Standing, Watched, due, judged, severity_of_failure, stale
from bot.domain.operations import Monitor, Operations
from bot.domain.system import System
from bot.errors import Mistake
from bot.incidents.opening import report
from bot.store import incidents, monitors, windows
from bot.store.session import CHART, Store, Transaction

UNREAD = "monitors:failed"
"""What opens the one incident about all monitors of a system that cannot be read."""


def origin_of(key: str) -> str:
    """What opens the incident of a monitor that pages."""
    return f"monitor:{key}"


class Monitors:
    """How the monitors stand, and what becomes of a look. Any worker may look, also two beside each other: the look
    that is stored first counts, and the other one is let go of."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue

    async def record(
        self, system: System, readings: Mapping[str, Reading], at: datetime, *, seen: bool = True
    ) -> Sequence[Change]:
        """Store what was seen at a moment, and tell of what has changed; the changes, for the log. What was not `seen`
        at all counts as a look that failed, and is still due."""
        known = self._catalogue.operations.get(system.id, Operations()).monitors
        happened: list[Change] = []
        async with self._store.transaction() as tx:
            held = await windows.unfinished(tx.connection, system.id)
            for before in await monitors.lock(tx, system.id, readings):
                monitor = known.get(before.key)
                if monitor is None or not due(before, at):
                    continue
                window = muting(held, before.key, at)
                reading = readings[before.key]
                after, changes = judged(before, monitor, reading, at, muted=window is not None)
                for change in changes:
                    after = await self._happened(tx, system, monitor, change, before, after, reading, window)
                await monitors.put(tx, after if seen else replace(after, next_at=before.next_at))
                happened += changes
        return happened

    async def _happened(
        self,
        tx: Transaction,
        system: System,
        monitor: Monitor,
        change: Change,
        before: Watched,
        after: Watched,
        reading: Reading,
        window: Occurrence | None,
    ) -> Watched:
        """Put a change on record, and report it where somebody is to be told."""
        about = {"system": system.id, "monitor": monitor.key, "title": monitor.title, "change": change}
        about |= {"value": f"{after.value} {monitor.unit}".strip() if after.value else "", "text": after.said}
        incident_id = None
        match change:
            case Change.PAGES if after.told:
                after = await self._report(tx, system, monitor, after, reading)
            case Change.BROKE if after.told_broken:
                about["failed"] = after.failed
                await self._report_unread(tx, system, monitor, after)
            case Change.PAGES | Change.BROKE:
                about |= {"failed": after.failed, "muted": "" if window is None else window.title}
            case Change.OVER if before.told:
                incident_id = await self._told_of(tx, system, origin_of(monitor.key))
                after = replace(after, incident="")
            case Change.READS if before.told_broken:
                incident_id = await self._told_of(tx, system, UNREAD)
            case _:
                pass
        tx.record(Event(Happened.MONITOR_CHANGED, BOT, about), incident_id=incident_id)
        return after

    async def _report(
        self, tx: Transaction, system: System, monitor: Monitor, after: Watched, reading: Reading
    ) -> Watched:
        suggested = [Suggestion(monitor.runbook, dict(reading.inputs), after.said)] if monitor.runbook else []
        incident = await report(
            tx,
            self._catalogue,
            system,
            origin=origin_of(monitor.key),
            title=monitor.title,
            said=after.said or f"{monitor.title}: {after.value}",
            severity=monitor.severity,
            suggestions=suggested,
        )
        tx.announce(CHART, incident_id=incident.id, body={"monitor": monitor.key})
        return replace(after, incident=incident.id)

    async def _report_unread(self, tx: Transaction, system: System, monitor: Monitor, after: Watched) -> None:
        await report(
            tx,
            self._catalogue,
            system,
            origin=UNREAD,
            title=f"Monitors of {system.title} cannot be read",
            said=f"«{monitor.title}» cannot be read: {after.failed}",
            severity=severity_of_failure(monitor),
        )

    async def _told_of(self, tx: Transaction, system: System, origin: str) -> str | None:
        """The open incident of this origin; it is shown anew."""
        found = await incidents.lock_by_origin(tx, system.id, origin)
        if found is None:
            return None
        tx.announce("incident", incident_id=found.id)
        return found.id

    async def standing(self, system: str = "") -> Sequence[Standing]:
        """How every monitor of a system, or of all, stands, in the order of their files. Nothing is looked at. Raises
        `Mistake` for a system that is not known."""
        known = self._catalogue.operations
        if system and system not in self._catalogue.systems:
            raise Mistake(
                f"There is no system «{system}».", hint=f"Known: {', '.join(sorted(self._catalogue.systems))}."
            )
        now, found = self._store.clock.now(), []
        async with self._store.reading() as connection:
            for id in [system] if system else sorted(known):
                held = await windows.unfinished(connection, id)
                stored = {each.key: each for each in await monitors.of_system(connection, id)}
                for key, monitor in known.get(id, Operations()).monitors.items():
                    watched = stored.get(key, Watched(id, key))
                    window = muting(held, key, now)
                    muted = "" if window is None else window.title
                    found.append(Standing(id, monitor, watched, muted, stale(watched, monitor, now)))
        return found

    async def one(self, system: str, key: str) -> Standing:
        """How one monitor stands. Raises `Mistake` when it is not known."""
        for each in await self.standing(system):
            if each.monitor.key == key:
                return each
        raise Mistake(f"The system «{system}» has no monitor «{key}».")
