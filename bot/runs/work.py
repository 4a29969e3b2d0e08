"""What a worker holds while it advances one run: the parts, the lease, and the way it records what happened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.facts import Fact
from bot.domain.outcomes import CheckEnded, RunOutcome
from bot.domain.run import Run
from bot.domain.runbook import Runbook
from bot.domain.system import System
from bot.runs.changes import apply, locked
from bot.runs.library import Library
from bot.steps.base import StepContext
from bot.steps.targets import Targets
from bot.store import runs
from bot.store.runs import Lease
from bot.store.session import Store, Transaction

Milestone = Callable[[str], Awaitable[None]]


async def pass_by(_name: str) -> None:
    """The milestone of production: nothing happens there. Tests stop or kill a worker at one."""


@dataclass(frozen=True, slots=True)
class Work:
    """One worker's hold on one run."""

    store: Store
    targets: Targets
    clock: Clock
    lease: Lease
    library: Library
    runbook: Runbook
    system: System
    milestone: Milestone = pass_by

    async def load(self) -> Run:
        """The run as it stands now."""
        async with self.store.transaction() as tx:
            return await locked(tx, self.lease.run_id, self.lease)

    async def hold(self) -> None:
        """Make sure, right before an effect, that the run is still this worker's. Raises `LeaseLost`."""
        async with self.store.transaction() as tx:
            await locked(tx, self.lease.run_id, self.lease)

    async def facts(self) -> dict[str, Fact]:
        """Every fact of the run so far."""
        async with self.store.reading() as connection:
            return await runs.facts(connection, self.lease.run_id)

    async def seen_since(self, moment: datetime) -> set[str]:
        """The checks whose facts are younger than that."""
        async with self.store.reading() as connection:
            return await runs.seen_since(connection, self.lease.run_id, moment)

    async def record(self, *outcomes: RunOutcome, also: Callable[[Transaction], Awaitable[None]] | None = None) -> Run:
        """Apply outcomes in one transaction, with whatever `also` writes. Raises `LeaseLost`, `OutOfTurn`."""
        async with self.store.transaction() as tx:
            run = await locked(tx, self.lease.run_id, self.lease)
            for outcome in outcomes:
                if isinstance(outcome, CheckEnded):
                    await runs.put_fact(tx, run.id, outcome.key, outcome.fact)
                run = await apply(tx, run, outcome)
            if also is not None:
                await also(tx)
            return run

    def context(self, timeout: timedelta, actor: str = "") -> StepContext:
        """What a step kind is given."""
        return StepContext(self.clock, self.targets, self.system, timeout, actor, self.lease.run_id)
