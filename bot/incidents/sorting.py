"""Alerts into incidents: in their order, in batches, each batch in one transaction with everything that follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog

from bot.authoring.catalogue import Catalogue
from bot.domain.alert import (
    LEFT_ALONE,
    REOPENED_WITHIN,
    STORM_INCIDENTS,
    STORM_WINDOW,
    WINDOW,
    AlertState,
    Tracked,
    Turn,
    calmed,
    turned,
)
from bot.domain.events import BOT, Event, Happened
from bot.domain.incident import Incident, IncidentState
from bot.errors import BotError
from bot.incidents.opening import reopen, report
from bot.incidents.routing import Route, routed
from bot.store import alerts, incidents
from bot.store.session import Store, Transaction

log = structlog.get_logger(__name__)

_Placed: TypeAlias = tuple[Tracked, Route]

BATCH = 500
LOOK_AGAIN = timedelta(seconds=5)
"""A delivery that was being written while the last batch was sorted has woken nobody: it is found then."""
STORM = f"{alerts.OF_ALERTS}storm"
_NAMED = 5

Milestone: TypeAlias = Callable[[str], Awaitable[None]]
"""Told of each part of a batch that is done: tests end a worker there."""


async def _pass_by(_name: str) -> None:
    return None


class _Stuck(Exception):
    """A batch could not be sorted; `id` is its first arrival."""

    def __init__(self, id: int) -> None:
        super().__init__(id)
        self.id = id


class Sorter:
    """Sorts what has arrived. Any worker may do it, at any time: one at a time does."""

    def __init__(self, store: Store, catalogue: Catalogue, milestone: Milestone = _pass_by) -> None:
        self._store = store
        self._catalogue = catalogue
        self._milestone = milestone

    async def sort(self, _job: str = "") -> int:
        """Sort until nothing is left; how many alerts that were."""
        count, size = 0, BATCH
        try:
            while True:
                try:
                    found = await self._batch(size)
                except _Stuck as stuck:
                    if size == 1:
                        await self._set_aside(stuck)
                    # One of them is more than we can take: they are taken one by one until it is found.
                    size = BATCH if size == 1 else 1
                    continue
                if not found:
                    return count
                count += found
        except BotError as error:
            log.warning("alerts could not be sorted", error=str(error))
        return count

    async def _set_aside(self, stuck: _Stuck) -> None:
        log.error("an alert cannot be sorted; it is kept where it arrived", arrival=stuck.id, exc_info=stuck.__cause__)
        async with self._store.transaction() as tx:
            await alerts.set_aside(tx, stuck.id, type(stuck.__cause__).__name__)

    async def sweep(self) -> int:
        """Have what is left over sorted, and believe flapping alerts again that are calm; how many these were."""
        async with self._store.reading() as connection:
            left, restless = await alerts.waiting(connection), await alerts.any_restless(connection)
        if left:
            async with self._store.transaction() as tx:
                tx.enqueue_sort()
        return await self._calm() if restless else 0

    async def _batch(self, size: int) -> int:
        arrived: Sequence[alerts.Arrival] = ()
        try:
            async with self._store.transaction() as tx:
                arrived = await alerts.take(tx, size)
                if arrived:
                    await self._follow(tx, arrived)
        except BotError:
            raise
        except Exception as error:
            if not arrived:
                raise
            raise _Stuck(arrived[0].id) from error
        if arrived:
            await self._milestone("sorted")
        return len(arrived)

    async def _follow(self, tx: Transaction, arrived: Sequence[alerts.Arrival]) -> None:
        known = await alerts.known(tx, ((each.source, each.alert.fingerprint) for each in arrived))
        batch = _Batch(tx, self._catalogue)
        await batch.meet(known.values())
        await self._milestone("taken")
        for each in arrived:
            key = (each.source, each.alert.fingerprint)
            known[key], turn = turned(known.get(key), each.alert, each.source, each.system, tx.now)
            batch.note(known[key], turn)
        await batch.settle(known)
        await self._milestone("placed")
        await alerts.keep(tx, known.values())
        await batch.conclude()
        tx.enqueue_sort(delay=LOOK_AGAIN)

    async def _calm(self) -> int:
        async with self._store.transaction() as tx:
            await alerts.alone(tx)
            calm = [after for each in await alerts.restless(tx) if (after := calmed(each, tx.now)) is not None]
            known = {each.key: each for each in calm}
            batch = _Batch(tx, self._catalogue)
            await batch.meet(calm)
            for each in calm:
                firing = each.state is AlertState.FIRING
                about = {"name": each.alert.name, "state": "fires" if firing else "has ended"}
                batch.say(each, Event(Happened.ALERT_CALM, BOT, about))
                batch.note(each, Turn.FIRES if firing else Turn.ENDS)
            await batch.settle(known)
            await alerts.keep(tx, known.values())
            await batch.conclude()
            return len(calm)


@dataclass
class _Batch:
    """What follows from some alerts, in one transaction."""

    tx: Transaction
    catalogue: Catalogue
    resolved: dict[str, datetime | None] = field(default_factory=dict)
    firing: dict[tuple[str, str], Turn] = field(default_factory=dict)
    ended: dict[str, list[str]] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    gathered: dict[str, list[_Placed]] = field(default_factory=dict)

    async def meet(self, known: Iterable[Tracked]) -> None:
        """Learn how the incidents stand that these alerts are in."""
        ids = {each.incident for each in known if each.incident is not None}
        self.resolved = dict(await alerts.states(self.tx, ids)) if ids else {}

    def note(self, after: Tracked, turn: Turn) -> None:
        """One delivery's turn. What fires is placed when all are known."""
        if after.incident is not None:
            self.touched.add(after.incident)
        match turn:
            case Turn.FIRES:
                self.firing[after.key] = turn
            case Turn.AGAIN | Turn.CONTINUES:
                self.firing.setdefault(after.key, turn)
            case Turn.FLAPS:
                about = {"name": after.alert.name, "changes": len(after.changes)}
                self.say(after, Event(Happened.ALERT_FLAPPING, BOT, about))
                self.firing.pop(after.key, None)
            case Turn.ENDS:
                self.firing.pop(after.key, None)
                if after.incident is not None:
                    self.ended.setdefault(after.incident, []).append(after.alert.name)
                elif after.told_at is not None:
                    self._post(after)
            case Turn.HELD | Turn.LATE | Turn.NOTHING:
                pass

    def say(self, tracked: Tracked, event: Event) -> None:
        """Put something on the timeline of an alert's incident, as long as that is open."""
        if tracked.incident is not None and self._open(tracked):
            self.tx.record(event, incident_id=tracked.incident)

    async def settle(self, known: dict[tuple[str, str], Tracked]) -> None:
        """Place what fires; `known` is brought to what follows."""
        placed: dict[tuple[str, str], list[_Placed]] = {}
        for key, turn in self.firing.items():
            tracked = known[key]
            if not self._heard(tracked, turn):
                if tracked.incident is None:
                    self._post(tracked)
                continue
            known[key] = told = replace(tracked, told_at=self.tx.now)
            if turn is not Turn.FIRES and self._open(tracked):
                about = {"name": tracked.alert.name, "count": tracked.count}
                self.tx.record(Event(Happened.ALERTS_CONTINUE, BOT, about), incident_id=tracked.incident)
                continue
            route = routed(self.catalogue, tracked)
            if route is not None and route.opens:
                placed.setdefault((route.system.id, route.origin), []).append((told, route))
            elif route is not None and route.shown:
                self._post(told)
        # The worst first, so that a storm hides the least of them.
        worst = sorted(placed.items(), key=lambda each: (min(route.severity for _, route in each[1]), each[0]))
        for (system, origin), members in worst:
            incident = await self._place(origin, members)
            if incident is None:
                self.gathered.setdefault(system, []).extend(members)
            else:
                self._into(incident, members, known)
        for _, members in sorted(self.gathered.items()):
            self._into(await self._gather(members), members, known)

    def _post(self, tracked: Tracked) -> None:
        """Have the message about alerts of this name follow them; what opens incidents has none."""
        self.tx.announce("alert", body={"source": tracked.source, "name": tracked.alert.name})

    def _into(self, incident: str, members: Sequence[_Placed], known: dict[tuple[str, str], Tracked]) -> None:
        self.touched.add(incident)
        for tracked, _ in members:
            known[tracked.key] = replace(tracked, incident=incident)

    def _open(self, tracked: Tracked) -> bool:
        return tracked.incident is not None and self.resolved.get(tracked.incident) is None

    def _heard(self, tracked: Tracked, turn: Turn) -> bool:
        """Whether something is to be said of an alert that fires, or it is only counted."""
        if turn is Turn.FIRES or tracked.told_at is None:
            return True
        if self._open(tracked) or tracked.incident is None:
            return self.tx.now - tracked.told_at >= WINDOW
        ended = self.resolved[tracked.incident]
        return turn is Turn.AGAIN or ended is None or self.tx.now - ended >= LEFT_ALONE

    async def _place(self, origin: str, members: Sequence[_Placed]) -> str | None:
        """The incident of these alerts, opened, joined or opened again; None where they are part of a storm."""
        route = members[0][1]
        standing = await self._standing(route.system.id, origin, members)
        if standing is None and await self._stormy(route.system.id):
            return None
        said = route.said if len(members) == 1 else f"{route.said}: {len(members):,} of them"
        return await self._report(origin, members, route.title, said)

    async def _gather(self, members: Sequence[_Placed]) -> str:
        """The one incident of a storm. It is told of names that are new to it; the rest is counted."""
        system = members[0][1].system
        standing = await self._standing(system.id, STORM, members)
        names = [tracked.alert.name for tracked, _ in members]
        if standing is not None:
            severity, known = standing.severity, await alerts.names_in(self.tx.connection, standing.id)
            if known.issuperset(names) and all(route.severity >= severity for _, route in members):
                return standing.id
        said = f"More alerts at once than people can take one by one; gathered here: {_counted(names)}"
        return await self._report(STORM, members, f"Alert storm in {system.title}", said)

    async def _report(self, origin: str, members: Sequence[_Placed], title: str, said: str) -> str:
        routes = [route for _, route in members]
        often = Counter(each.runbook for route in routes for each in route.suggestions)
        by_runbook = {each.runbook: each for route in reversed(routes) for each in route.suggestions}
        found = await report(
            self.tx,
            self.catalogue,
            routes[0].system,
            origin=origin,
            title=title,
            said=said,
            severity=min(route.severity for route in routes),
            suggestions=[by_runbook[id] for id, _ in often.most_common()],
        )
        return found.id

    async def _standing(self, system: str, origin: str, members: Sequence[_Placed]) -> Incident | None:
        """The incident of an origin that is open, or was so lately enough to be opened again, which happens here."""
        last = await alerts.last_opened(self.tx, system, origin)
        if last is None or (last[1] is not None and self.tx.now - last[1] > REOPENED_WITHIN):
            return None
        incident = await incidents.lock(self.tx, last[0])
        if incident is not None and incident.state is IncidentState.RESOLVED:
            why = f"{_counted([tracked.alert.name for tracked, _ in members])} fires again"
            incident = await reopen(self.tx, self.catalogue, incident, BOT, why)
        return incident

    async def _stormy(self, system: str) -> bool:
        """Whether an alert that would open an incident belongs to a storm."""
        since = self.tx.now - STORM_WINDOW
        if await alerts.opened_since(self.tx, system, since) >= STORM_INCIDENTS:
            return True
        storm = await alerts.last_opened(self.tx, system, STORM)
        return storm is not None and storm[1] is None and await alerts.lately_in(self.tx, storm[0], since)

    async def conclude(self) -> None:
        """Say once of each incident what has ended in it, and have its counts shown."""
        for incident, names in sorted(self.ended.items()):
            firing = sum(each.firing for each in await alerts.tallies(self.tx.connection, incident))
            if self.resolved.get(incident) is None:
                about = {"names": _counted(names), "all": not firing}
                self.tx.record(Event(Happened.ALERTS_ENDED, BOT, about), incident_id=incident)
        for incident in sorted(self.touched):
            self.tx.announce("alerts", incident_id=incident)


def _counted(names: Sequence[str]) -> str:
    """The names with how often each is there, the most frequent first: "DiskFull (12), HighLatency"."""
    counts = Counter(names).most_common()
    listed = [f"{name} ({count:,})" if count > 1 else name for name, count in counts[:_NAMED]]
    more = len(counts) - _NAMED
    return ", ".join(listed) + (f" and {more:,} more" if more > 0 else "")
