"""Advancing runs: one worker a run at a time, step by step, until there is nothing to do but wait."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import assert_never

import structlog

from bot.clock import Clock
from bot.domain import outcomes as o
from bot.domain.approval import RequestState, Verdict
from bot.domain.run import Run
from bot.domain.tasks import (
    Act,
    Conclude,
    Diagnose,
    Expire,
    LookAgain,
    MakePreview,
    Nothing,
    Nudge,
    Settle,
    Sleep,
    next_task,
)
from bot.domain.turns import OutOfTurn
from bot.errors import BotError
from bot.runs.acting import act, look_again, outdated, settle
from bot.runs.changes import apply, locked
from bot.runs.concluding import conclusions
from bot.runs.library import Library
from bot.runs.looking import diagnose
from bot.runs.proposing import propose
from bot.runs.scope import needs_of
from bot.runs.work import Milestone, Work, pass_by
from bot.steps.targets import Targets
from bot.store import approvals, runs
from bot.store.runs import Lease, LeaseLost
from bot.store.session import Store, Transaction

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=15)
BUSY_RETRY = timedelta(milliseconds=500)


class Worker:
    """Advances any run it is given; several workers on several machines never advance one run at once."""

    def __init__(
        self,
        store: Store,
        library: Library,
        targets: Targets,
        clock: Clock,
        *,
        name: str | None = None,
        lease: timedelta = LEASE,
        milestone: Milestone = pass_by,
    ) -> None:
        self.name = name or f"worker-{uuid.uuid4().hex[:8]}"
        self._store = store
        self._library = library
        self._targets = targets
        self._clock = clock
        self._lease = lease
        self._milestone = milestone

    async def advance(self, run_id: str) -> None:
        """Do everything that is due for a run. Never raises for what a run does: a bug is logged whole and parks it."""
        async with self._leased(run_id) as lease:
            if lease is None:
                await self._wake(run_id, BUSY_RETRY)
                return
            try:
                until = await self._until_idle(lease)
            except LeaseLost:
                log.warning("lease lost", run=run_id, worker=self.name)
                return
            except BotError as error:
                log.warning("run cannot go on now", run=run_id, error=str(error))
                until = self._clock.now() + timedelta(seconds=5)
            except Exception:
                reference = uuid.uuid4().hex[:8]
                log.exception("run broke", run=run_id, reference=reference)
                await self._park(lease, reference)
                return
        if until is not None:
            await self._wake(run_id, max(until - self._clock.now(), timedelta(milliseconds=50)))

    async def sweep(self) -> int:
        """Wake live runs that nobody is going to advance; how many there were."""
        async with self._store.reading() as connection:
            stranded = await runs.stranded(connection, self._clock.now())
        for run_id in stranded:
            await self._wake(run_id, timedelta(0))
        return len(stranded)

    async def _until_idle(self, lease: Lease) -> datetime | None:
        """Task after task; when to come back, or None to wait for a person."""
        while True:
            async with self._store.transaction() as tx:
                run = await runs.lock(tx, lease.run_id, lease)
            if run is None:
                return None
            runbook, system = await self._library.of_run(run)
            work = Work(self._store, self._targets, self._clock, lease, self._library, runbook, system, self._milestone)
            task = next_task(run, needs_of(runbook), self._clock.now())
            match task:
                case Nothing():
                    return None
                case Sleep(until=until):
                    if not await outdated(work, run):
                        return until
                case Diagnose() | Conclude() | MakePreview() | Expire() | Nudge() | Act() | Settle() | LookAgain():
                    # A person may be faster than the worker; then the run is looked at afresh.
                    with contextlib.suppress(OutOfTurn):
                        await _carry_out(work, run, task)
                case _:
                    assert_never(task)

    @asynccontextmanager
    async def _leased(self, run_id: str) -> AsyncIterator[Lease | None]:
        async with self._store.transaction() as tx:
            lease = await runs.take_lease(tx, run_id, self.name, self._lease)
        if lease is None:
            yield None
            return
        keeping = asyncio.create_task(self._keep(lease))
        try:
            yield lease
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            with contextlib.suppress(BotError):
                async with self._store.transaction() as tx:
                    await runs.drop_lease(tx, lease)

    async def _keep(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            try:
                async with self._store.transaction() as tx:
                    await runs.keep_lease(tx, lease, self._lease)
            except BotError as error:
                log.warning("lease not kept", run=lease.run_id, error=str(error))
            except Exception:
                log.exception("keeping a lease broke", run=lease.run_id)

    async def _wake(self, run_id: str, delay: timedelta) -> None:
        async with self._store.transaction() as tx:
            tx.enqueue(run_id, delay=delay)

    async def _park(self, lease: Lease, reference: str) -> None:
        with contextlib.suppress(LeaseLost, BotError):
            async with self._store.transaction() as tx:
                run = await locked(tx, lease.run_id, lease)
                await apply(tx, run, o.Broke(reference))


async def _carry_out(
    work: Work, run: Run, task: Diagnose | Conclude | MakePreview | Expire | Nudge | Act | Settle | LookAgain
) -> None:
    match task:
        case Diagnose():
            await diagnose(work, run)
        case Conclude():
            await work.record(o.Concluded(conclusions(run, work.runbook, await work.facts(), work)))
        case MakePreview(action=action):
            await propose(work, run, action)
        case Expire(action=action, request=request):
            await _expire(work, action, request)
        case Nudge(action=action, request=request):
            await _nudge(work, action, request)
        case Act(action=action):
            await act(work, run, action)
        case Settle(action=action):
            await settle(work, run, action)
        case LookAgain(action=action, verifying=verifying):
            await look_again(work, run, action, verifying=verifying)
        case _:
            assert_never(task)


async def _nudge(work: Work, action: str, request: str) -> None:
    """Nobody has decided so far: remind those who may, and from its turn on the backup."""
    async with work.store.reading() as connection:
        stored = await approvals.get(connection, request)
    if stored is None:
        return
    now = work.clock.now()
    await work.record(o.Nudged(action, stored.request.climbed(now), stored.request.next_nudge(now)))


async def _expire(work: Work, action: str, request: str) -> None:
    """The timer sets the same column as a click: whoever is first decides."""
    reason = "Nobody decided in time; nothing was changed."

    async def close(tx: Transaction) -> None:
        await approvals.decide(tx, request, RequestState.EXPIRED, reason)

    await work.record(o.Decided(action, Verdict(RequestState.EXPIRED, reasons=(reason,))), also=close)
