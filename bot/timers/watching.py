"""The minute's round: what of the monitors is due is looked at by some worker, and the windows are taken further."""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot.clock import Clock
from bot.domain.monitoring import Reading
from bot.domain.operations import Operations
from bot.domain.system import System
from bot.errors import BotError
from bot.incidents.monitors import Monitors
from bot.incidents.windows import Windows
from bot.runs.library import Library
from bot.runs.watching import look
from bot.runs.work import Milestone, pass_by
from bot.steps.targets import Targets
from bot.store import monitors
from bot.store.session import Store

log = structlog.get_logger(__name__)

# Longer than the time box of a look; after it, a worker that has not come back is not waited for.
LEASE = timedelta(minutes=2)


class Watcher:
    """Has monitors looked at when their time has come. One of all replicas makes the round, each look is a job for
    any."""

    def __init__(
        self, store: Store, library: Library, targets: Targets, clock: Clock, *, milestone: Milestone = pass_by
    ) -> None:
        self._store = store
        self._library = library
        self._targets = targets
        self._clock = clock
        self._milestone = milestone
        self.monitors = Monitors(store, library.catalogue)
        self.windows = Windows(store, library.catalogue)

    async def round(self) -> int:
        """Take the windows further and wake a worker for every system of which something is due and to which nobody is
        on the way; how many those are. A system that makes trouble keeps none of the others waiting."""
        woken = 0
        for system in self._library.catalogue.systems.values():
            try:
                await self.windows.come_round(system)
                await self._lost(system)
                woken += await self._wake(system.id)
            except BotError as error:
                log.warning("monitors could not be woken", system=system.id, error=str(error))
            except Exception:
                log.exception("round broke", system=system.id)
        return woken

    async def _lost(self, system: System) -> None:
        """A worker that was sent and has not come back counts as a look that failed: a look that ends its worker each
        time would be seen by nobody else."""
        now = self._clock.now()
        async with self._store.reading() as connection:
            keys = await monitors.lost(connection, system.id, now)
        if keys:
            log.warning("a worker did not come back", system=system.id, monitors=len(keys))
            gone = Reading(failed="The worker that was to look did not come back.")
            await self.monitors.record(system, dict.fromkeys(keys, gone), now, seen=False)

    async def _wake(self, system: str) -> bool:
        keys = self._own(system)
        async with self._store.transaction() as tx:
            await monitors.add(tx, system, keys)
            if not await monitors.claim(tx, system, keys, LEASE):
                return False
            tx.enqueue_watch(system)
            return True

    async def look(self, system_id: str) -> None:
        """Look at what is due of a system, and store it. What goes wrong is in the readings; when the database is away,
        the next round comes again."""
        system = self._library.catalogue.systems.get(system_id)
        operations = self._library.catalogue.operations.get(system_id, Operations())
        if system is None:
            return
        try:
            at = self._clock.now()
            async with self._store.reading() as connection:
                come = await monitors.due(connection, system_id, at)
            own = set(self._own(system_id))
            wanted = [operations.monitors[key] for key in come if key in own]
            readings = await look(self._targets, system, operations, wanted, at)
            await self._milestone("looked")
            changes = await self.monitors.record(system, readings, at)
            if changes:
                log.info("monitors changed", system=system_id, changes=[str(each) for each in changes])
        except BotError as error:
            log.warning("monitors not looked at", system=system_id, error=str(error))
        except Exception:
            log.exception("watching broke", system=system_id)

    def _own(self, system: str) -> list[str]:
        """The monitors that are looked at here; others are watched elsewhere and arrive as alerts."""
        known = self._library.catalogue.operations.get(system, Operations()).monitors
        return [key for key, monitor in known.items() if monitor.alert is None]
