"""A whole bot in a sandbox of the test's own: real PostgreSQL, real SDKs, a real wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import pytest

from bot.cli.sandbox import Sandbox, populated
from bot.domain.run import ActionStatus, Run, RunState
from bot.runs.shown import RunShown
from bot.sandbox.alacarte import Planted, plant
from bot.sandbox.postgres import Postgres
from bot.sandbox.slack.person import Person

T = TypeVar("T")
PATIENCE = 20.0


@dataclass
class Scene:
    """The sandbox as a story needs it: people by name, faults, and the run everybody looks at."""

    sandbox: Sandbox

    def person(self, name: str) -> Person:
        """Somebody in the workspace."""
        return self.sandbox.world.slack.person(name)

    async def plant(self, fault: str) -> Planted:
        """Plant a fault."""
        return await plant(fault, self.sandbox.world.alacarte, self.sandbox.world.stripe)

    async def newest(self) -> Run | None:
        """The newest run that a person started; others may have been led to."""
        recent = await self.sandbox.bot.desk.reads.recent()
        return next((run for run in recent if not run.askers), None)

    async def shown(self) -> RunShown:
        """The newest run, whole."""
        newest = await self.newest()
        assert newest is not None
        return await self.sandbox.bot.desk.reads.shown(newest.id)

    async def until(self, probe: Callable[[], Awaitable[T | None]], what: str = "what was waited for") -> T:
        """The first thing the probe finds, asked again after every change in the workspace."""
        try:
            async with asyncio.timeout(PATIENCE):
                while (found := await probe()) is None:
                    await self.sandbox.world.slack.space.changes.next_one(PATIENCE)
                return found
        except TimeoutError:
            newest = await self.newest()
            screen = "\n".join(f"- {seen.text!r}" for seen in self.person("ana").screen()[:6])
            raise AssertionError(f"{what} did not come; the run: {newest}\n{screen}") from None

    async def run_is(self, state: RunState) -> Run:
        """The newest run, once it is in this state."""

        async def probe() -> Run | None:
            newest = await self.newest()
            return newest if newest and newest.state is state else None

        return await self.until(probe, f"the state {state}")

    async def action_is(self, key: str, status: ActionStatus) -> Run:
        """The newest run, once this action has this status."""

        async def probe() -> Run | None:
            newest = await self.newest()
            action = newest.actions.get(key) if newest else None
            return newest if action is not None and action.status is status else None

        return await self.until(probe, f"{key} {status}")

    async def led_to(self, runbook: str, state: RunState) -> Run:
        """The run of a runbook that another run has led to, once it is in this state."""

        async def probe() -> Run | None:
            recent = await self.sandbox.bot.desk.reads.recent()
            return next((run for run in recent if run.askers and run.runbook == runbook and run.state is state), None)

        return await self.until(probe, f"{runbook} {state}")

    async def sql(self, query: str, *values: object) -> dict[str, object]:
        """One row of the sample system's database."""
        connection = await self.sandbox.world.alacarte.connect()
        try:
            row = await connection.fetchrow(query, *values)
            assert row is not None
            return dict(row)
        finally:
            await connection.close()

    async def change(self, statement: str, *values: object) -> None:
        """Change the sample system behind the bot's back."""
        connection = await self.sandbox.world.alacarte.connect()
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()


@pytest.fixture
async def scene(postgres: Postgres) -> AsyncIterator[Scene]:
    """A fresh world with a bot in it."""
    async with populated(postgres, rate_limits=False) as sandbox:
        yield Scene(sandbox)
