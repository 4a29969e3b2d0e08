"""Action items: drafted when a severe incident ends, taken by people, asked for until they are done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.authoring.catalogue import Catalogue
from bot.domain.events import BOT, Event, Happened
from bot.domain.incident import Incident
from bot.domain.items import Item, ItemState, wants_reminding
from bot.domain.runbook import Severity
from bot.errors import Mistake, Refusal
from bot.incidents.journal import locked
from bot.store import incidents, items, presses, runs
from bot.store.session import Store, Transaction

REVIEWED = frozenset({Severity.P0, Severity.P1})
MOST, LONGEST = 40, 500


async def draft(tx: Transaction, catalogue: Catalogue, incident: Incident) -> None:
    """The items that an incident of this severity ends with, in the caller's transaction: what the authors of its
    runbooks recommend against the next time, each once however often it ends."""
    if incident.severity not in REVIEWED:
        return
    known = {each.what for each in await items.of_incident(tx.connection, incident.id)}
    ran = dict.fromkeys(run.runbook for run in await runs.of_incident(tx.connection, incident.id))
    found = (catalogue.get(id) for id in ran)
    wanted = dict.fromkeys(" ".join(each.split()) for runbook in found if runbook for each in runbook.follow_ups)
    for what in [each for each in wanted if each not in known][: MOST - len(known)]:
        await _add(tx, incident.id, what[:LONGEST], BOT, "", None)
    tx.announce("items", incident_id=incident.id)


async def _add(tx: Transaction, incident_id: str, what: str, by: str, owner: str, due: date | None) -> Item:
    made = await items.insert(tx, incident_id, what, by, owner, due)
    about = {"item": made.id, "what": what, "owner": owner, "due": None if due is None else due.isoformat()}
    tx.record(Event(Happened.ITEM_ADDED, by, about), incident_id=incident_id)
    return made


def _responsible(incident: Incident) -> str:
    """Who is asked about what nobody has taken: who led the incident, was on it or opened it."""
    people = (incident.commander, incident.acknowledged_by, incident.opened_by)
    return next((each for each in people if each and each != BOT), "")


class Items:
    """What people do with action items, each in one transaction. A `press` is taken once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of_incident(self, incident_id: str) -> Sequence[Item]:
        """The items of an incident, oldest first."""
        async with self._store.reading() as connection:
            return await items.of_incident(connection, incident_id)

    async def of(self, owner: str) -> Sequence[Item]:
        """The open items of somebody."""
        async with self._store.reading() as connection:
            return await items.open_ones(connection, owner)

    async def get(self, id: int) -> Item:
        """The item with this number. Raises `Mistake` when there is none."""
        async with self._store.reading() as connection:
            found = await items.get(connection, id)
        if found is None:
            raise Mistake("This action item is not known here.")
        return found

    async def add(self, incident_id: str, by: str, what: str, *, press: str = "") -> None:
        """Put something to be done on the list. Raises `Mistake` for no words, `Refusal` for more than it takes."""
        said = " ".join(what.split())
        if not said:
            raise Mistake("Say what is to be done: `/incident item watch the disk of the importer`.")
        if len(said) > LONGEST:
            raise Mistake(f"An action item has at most {LONGEST} characters.")
        async with self._store.transaction() as tx:
            incident = await locked(tx, incident_id)
            if await presses.repeated(tx, press, by, incident_id=incident.id):
                return
            if len(await items.of_incident(tx.connection, incident.id)) >= MOST:
                raise Refusal(f"{incident.label} has {MOST} action items; that is as many as it takes.")
            await _add(tx, incident.id, said, by, "", None)
            tx.announce("items", incident_id=incident.id)

    async def assign(self, id: int, by: str, owner: str, due: date | None, *, press: str = "") -> None:
        """Say who does it and until when. Raises `Refusal` for one that has ended, or a day that has passed."""
        async with self._store.transaction() as tx:
            item = await self._open(tx, id)
            if await presses.repeated(tx, press, by, incident_id=item.incident):
                return
            if due is not None and due < tx.now.date():
                raise Refusal("That day has passed.")
            about = {"item": id, "what": item.what, "owner": owner, "due": None if due is None else due.isoformat()}
            tx.record(Event(Happened.ITEM_ASSIGNED, by, about), incident_id=item.incident)
            await items.change(tx, id, owner=owner, due=due, reminded_at=None)
            tx.announce("items", incident_id=item.incident)

    async def end(self, id: int, by: str, state: ItemState, *, press: str = "") -> None:
        """It is done, or nobody will do it. Raises `Refusal` for one that has ended."""
        async with self._store.transaction() as tx:
            item = await self._open(tx, id)
            if await presses.repeated(tx, press, by, incident_id=item.incident):
                return
            tx.record(
                Event(Happened.ITEM_ENDED, by, {"item": id, "what": item.what, "state": state}),
                incident_id=item.incident,
            )
            await items.change(tx, id, state=state, ended_by=by, ended_at=tx.now)
            tx.announce("items", incident_id=item.incident)

    async def remind(self) -> int:
        """Ask for every item that is due, late or nobody's; how many these were. Each is asked for once, whoever
        looks."""
        async with self._store.reading() as connection:
            now = self._store.clock.now()
            wanted = [each.id for each in await items.open_ones(connection) if wants_reminding(each, now)]
        count = 0
        for id in wanted:
            count += await self._remind(id)
        return count

    async def _remind(self, id: int) -> bool:
        async with self._store.transaction() as tx:
            item = await items.lock(tx, id)
            if item is None or not wants_reminding(item, tx.now):
                return False
            incident = await incidents.get(tx.connection, item.incident)
            to = item.owner or ("" if incident is None else _responsible(incident))
            tx.record(Event(Happened.ITEM_REMINDED, BOT, {"what": item.what, "to": to}), incident_id=item.incident)
            await items.change(tx, id, reminded_at=tx.now)
            tx.announce("item_reminder", body={"item": id, "to": to, "at": tx.now.isoformat()})
            return True

    async def _open(self, tx: Transaction, id: int) -> Item:
        item = await items.lock(tx, id)
        if item is None:
            raise Mistake("This action item is not known here.")
        if item.state is not ItemState.OPEN:
            raise Refusal(f"This action item is {item.state} already.")
        return item
