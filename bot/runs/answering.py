"""What people answer: questions, and the items of a checklist; each in one transaction and in their name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.domain import outcomes as o
from bot.domain.checklist import checklist_of
from bot.domain.facts import Fact, FactStatus
from bot.domain.run import Run
from bot.errors import Refusal
from bot.runs.changes import apply, locked
from bot.store import runs
from bot.store.session import Store, Transaction


class Answers:
    """The answers people give to runs that ask."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def answer(self, run_id: str, check: str, values: Mapping[str, Any], by: str) -> Run:
        """Answer a question; the answer is a fact with a name beside it."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            words = ", ".join(f"{key} {value}" for key, value in values.items())
            fact = Fact(FactStatus.DONE, {**values, "by": by}, summary=words[:200])
            outcome = o.CheckEnded(check, fact, by=by)
            after = await _applied(tx, run, outcome)
            await runs.put_fact(tx, run.id, check, fact)
            return after

    async def tick(
        self,
        run_id: str,
        check: str,
        by: str,
        *,
        tick: Collection[str] = (),
        take_back: Collection[str] = (),
        because: str = "",
    ) -> Run:
        """Tick items of a checklist by their keys, or take ticks back; the last tick closes it, and so does saying why
        the rest is left."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            fact = (await runs.facts(tx.connection, run.id)).get(check)
            before = checklist_of(fact.value) if fact is not None and fact.status is FactStatus.ASKING else None
            if fact is None or before is None:
                raise Refusal("This checklist is closed.")
            listed = before.changed(tick, take_back, by, tx.now)
            new = tuple(each.title for each in listed.ticked if each not in before.ticked)
            gone = tuple(each.title for each in before.ticked if each.key not in {one.key for one in listed.ticked})
            if new or gone:
                run = await _applied(tx, run, o.Ticked(check, by, new, gone, listed.summary))
                items = [each.data() for each in listed.items]
                value = {**fact.value, "text": listed.summary, "items": items}
                await runs.put_fact(tx, run.id, check, replace(fact, value=value, summary=listed.summary))
            if not listed.left or because:
                closed = listed.fact(because, by)
                run = await _applied(tx, run, o.CheckEnded(check, closed, by=by))
                await runs.put_fact(tx, run.id, check, closed)
            return run


async def _applied(tx: Transaction, run: Run, outcome: o.RunOutcome) -> Run:
    after = await apply(tx, run, outcome)
    tx.enqueue(run.id, delay=timedelta(0))
    return after
