"""`runbook bench`: ratios beside a floor taken in the same run, because seconds on a shared machine mean little.

The floors are what could not be left out: a bare Bolt app that acknowledges and does nothing, the slowest check alone,
one UPDATE committed on the target. Figures and floors are taken in turn (A B B A), and medians are compared.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

import asyncpg
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.cli.sandbox import MANIFEST, OPTIONS, Sandbox, populated
from bot.domain.approval import Choice
from bot.domain.run import ActionStatus, Run
from bot.sandbox.alacarte import plant
from bot.sandbox.postgres import Postgres
from bot.sandbox.slack.server import LocalSlack
from bot.sandbox.world import WORKSPACE
from bot.store import outbox

PATIENCE, LOOK = 30.0, 0.002
# PostgreSQL's backends report what they did when they have been idle for a second.
STATISTICS_LAG = 1.5
ACTION = "copy_from_stripe"
BARE = "UPDATE businesses SET updated_at = now() WHERE name = 'Corner Bakery'"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement: ours and the floor in milliseconds (or plain counts), and the goal for their ratio, if any."""

    name: str
    ours: float
    floor: float | None
    goal: float | None
    n: int
    unit: str = "ms"

    @property
    def ratio(self) -> float:
        """Ours over the floor; for a counter, the count itself."""
        return self.ours / self.floor if self.floor else self.ours

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        return None if self.goal is None else self.ratio <= self.goal

    def data(self) -> dict[str, Any]:
        """The figure for machines."""
        return {**asdict(self), "ratio": round(self.ratio, 3), "met": self.met}

    def line(self) -> str:
        """The figure for a terminal."""
        floor = f"{self.floor:9.2f}" if self.floor is not None else " " * 9
        goal = "" if self.goal is None else f"goal {self.goal:g} {'met' if self.met else 'MISSED'}"
        figures = f"{self.ours:9.2f} {floor} {self.unit:3} {self.ratio:7.2f}"
        return f"{self.name:48} {figures}  {goal:16} n={self.n}"


async def bench(rounds: int) -> list[Figure]:
    """Every figure, on a throw-away PostgreSQL that writes durably, under Slack's limits as in production."""
    with Postgres.temporary(durable=True, options=OPTIONS) as postgres:
        async with populated(postgres) as sandbox:
            return await Bench(sandbox, rounds).run()


class Bench:
    """One sandbox being measured."""

    def __init__(self, sandbox: Sandbox, rounds: int) -> None:
        self._sandbox = sandbox
        self._rounds = rounds
        self._ana = sandbox.world.slack.person("ana")
        self._started = 0

    async def run(self) -> list[Figure]:
        """Acknowledgement, diagnosis, approval, and what they cost in commits and calls."""
        planted = await plant("webhook_missed", self._sandbox.world.alacarte, self._sandbox.world.stripe)
        command = f"/runbook RB-011 business_id={planted.business_id}"
        await self._diagnosed(command)
        acknowledged = await self._acknowledged(command)
        commits, calls, looked = await self._run_costs(command)
        decided = await self._decided(command)
        return [acknowledged, looked, decided, commits, calls]

    async def _acknowledged(self, command: str) -> Figure:
        """A durable run before the acknowledgement, against Bolt's default with an empty handler."""
        ours: list[float] = []
        floor: list[float] = []
        async with LocalSlack(WORKSPACE, MANIFEST, rate_limits=False) as other:
            handler = await _bare(other)
            bare = other.person("ana")
            for turn in range(self._rounds):
                pair = [(self._ana, command, ours), (bare, "/runbook", floor)]
                for person, text, taken in pair if turn % 2 else reversed(pair):
                    taken.append(await _timed(lambda person=person, text=text: person.types(text)))  # type: ignore[misc]
            await handler.client.close()  # type: ignore[no-untyped-call]  # the SDK has no types here
        return Figure("command acknowledged, run durable / bare Bolt", *_medians(ours, floor), 0.25, self._rounds)

    async def _run_costs(self, command: str) -> tuple[Figure, Figure, Figure]:
        """Commits and Slack calls until approval is asked for, and all results against the slowest check."""
        calls: list[float] = []
        ours: list[float] = []
        floor: list[float] = []
        await asyncio.sleep(STATISTICS_LAG)
        before = await self._commits()
        for _ in range(self._rounds):
            said = len(self._sandbox.world.slack.journal.calls(None))
            began = time.perf_counter()
            run = await self._diagnosed(command)
            ours.append((time.perf_counter() - began) * 1000)
            floor.append(max(check.duration.total_seconds() for check in run.checks.values()) * 1000)
            await self._said()
            calls.append(len(self._sandbox.world.slack.journal.calls(None)) - said)
        await asyncio.sleep(STATISTICS_LAG)
        count = (await self._commits() - before) / self._rounds, statistics.median(calls)
        return (
            Figure("transactions of a run until then, reads included", count[0], None, None, self._rounds, "   "),
            Figure("calls to Slack of a run until then, all said", count[1], None, None, self._rounds, "   "),
            Figure("findings and preview / slowest check alone", *_medians(ours, floor), None, self._rounds),
        )

    async def _decided(self, command: str) -> Figure:
        """From the deciding vote to the verified effect, against one UPDATE committed on the target."""
        ours: list[float] = []
        floor: list[float] = []
        desk = self._sandbox.bot.desk
        target = await asyncpg.connect(self._sandbox.world.alacarte.act_url)
        try:
            for _ in range(self._rounds):
                await plant("webhook_missed", self._sandbox.world.alacarte, self._sandbox.world.stripe)
                run = await self._diagnosed(command)
                shown = await desk.reads.shown(run.id)
                request = shown.approvals[ACTION].request
                members = {group: frozenset({"U0BEN"}) for group in request.policy.groups}
                ben = await desk.directory.person("U0BEN")
                began = time.perf_counter()
                await desk.people.vote(request.id, request.digest, ben, Choice.APPROVE, members)
                await self._until(lambda run=run: self._done(run.id))  # type: ignore[misc]
                ours.append((time.perf_counter() - began) * 1000)
                floor.append(await _timed(lambda: target.execute(BARE)))
        finally:
            await target.close()
        return Figure("vote to verified effect / bare UPDATE", *_medians(ours, floor), None, self._rounds)

    async def _diagnosed(self, command: str) -> Run:
        """Start a run and wait until its approval is asked for."""
        seen = len(await self._runs())
        await self._ana.types(command)

        async def asked() -> Run | None:
            runs = await self._runs()
            action = runs[0].actions.get(ACTION) if len(runs) > seen else None
            return runs[0] if action is not None and action.status is ActionStatus.REQUESTED else None

        return await self._until(asked)

    async def _runs(self) -> list[Run]:
        """The runs that were started by the command; those that they led to are beside the point."""
        return [run for run in await self._sandbox.bot.desk.reads.recent(1000) if not run.askers]

    async def _said(self) -> None:
        """Wait until everything there was to say is on Slack."""
        while True:
            async with self._sandbox.bot.store.reading() as connection:
                if not await outbox.waiting(connection):
                    return
            await asyncio.sleep(LOOK)

    async def _done(self, run_id: str) -> Run | None:
        run = await self._sandbox.bot.desk.reads.run(run_id)
        return run if run.actions[ACTION].status is ActionStatus.DONE else None

    async def _until(self, probe: Callable[[], Awaitable[Run | None]]) -> Run:
        async with asyncio.timeout(PATIENCE):
            while (found := await probe()) is None:  # noqa: ASYNC110 - no signal may take part in what is measured
                await asyncio.sleep(LOOK)
            return found

    async def _commits(self) -> int:
        connection = await self._sandbox.world.postgres.connect()
        try:
            query = "SELECT xact_commit FROM pg_stat_database WHERE datname = $1"
            return int(await connection.fetchval(query, self._sandbox.world.database))
        finally:
            await connection.close()


async def _bare(slack: LocalSlack) -> AsyncSocketModeHandler:
    web = AsyncWebClient(slack.bot_token, base_url=slack.base_url)
    web.proxy = None
    app = AsyncApp(client=web, signing_secret="unused")

    @app.command("/runbook")
    async def nothing(ack: AsyncAck) -> None:
        await ack()

    handler = AsyncSocketModeHandler(app, slack.app_token, web_client=web)
    handler.client.proxy = None
    await handler.client.connect()  # type: ignore[no-untyped-call]  # the SDK has no types here
    return handler


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1000


def _medians(ours: list[float], floor: list[float]) -> tuple[float, float]:
    return statistics.median(ours), statistics.median(floor)
