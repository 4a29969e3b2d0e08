"""A world with a bot that only answers, where a run is brought to its approval quickly; for the tests here."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import yaml

from bot.cli.sandbox import MANIFEST, ROOT, migrated, settings_in
from bot.domain.approval import Choice, Person
from bot.domain.run import Run
from bot.main import Bot, running
from bot.sandbox.alacarte import Planted, plant
from bot.sandbox.postgres import Postgres
from bot.sandbox.world import World, opened

SHIPPED = ROOT / "runbooks" / "alacarte"
VOTERS = ("U0BEN", "U0DEV", "U0CHLOE")


def runbooks_with(folder: Path, **texts: str) -> Path:
    """A folder of runbooks for the sample system: its own system file and these documents by id."""
    (folder / "alacarte").mkdir(parents=True)
    system = (SHIPPED / "system.yaml").read_text(encoding="utf-8")
    (folder / "alacarte" / "system.yaml").write_text(system, encoding="utf-8")
    for name, text in texts.items():
        (folder / "alacarte" / f"{name.replace('_', '-')}.yaml").write_text(text, encoding="utf-8")
    return folder


def alone(id: str) -> str:
    """A shipped runbook without the steps that lead to others, which are not on this stage."""
    said = yaml.safe_load((SHIPPED / f"{id}.yaml").read_text(encoding="utf-8"))
    said["actions"] = {key: each for key, each in said["actions"].items() if "runbook" not in each}
    for finding in said["findings"].values():
        proposed = finding.get("propose", [])
        proposed = [proposed] if isinstance(proposed, str) else proposed
        finding["propose"] = [key for key in proposed if key in said["actions"]]
    return yaml.safe_dump(said, sort_keys=False)


@dataclass(frozen=True, slots=True)
class Stage:
    """A world and the bot that takes what people say in it; the work is done by whoever is told to."""

    world: World
    bot: Bot

    async def started(self, runbook: str, **inputs: str) -> str:
        """A run that has looked and, if it proposes something, asked; its id."""
        desk = self.bot.desk
        known = desk.library.catalogue.get(runbook)
        assert known is not None
        begun = await desk.response.start(known, inputs, by="U0ANA", request_key=f"gate:{uuid.uuid4()}")
        await self.bot.worker.advance(begun.run.id)
        return begun.run.id

    async def approve(self, run: str, action: str) -> None:
        """As many approvers as are needed say yes to what is asked."""
        desk = self.bot.desk
        shown = await desk.reads.shown(run)
        assert action in shown.approvals, shown.run
        request = shown.approvals[action].request
        members = {group: frozenset(VOTERS) for group in request.policy.groups}
        for voter in VOTERS[: request.policy.votes]:
            ballot = await desk.people.vote(request.id, request.digest, Person(voter), Choice.APPROVE, members)
            assert ballot.accepted, ballot

    async def run(self, run: str) -> Run:
        """The run as it stands."""
        return await self.bot.desk.reads.run(run)

    async def plant(self, fault: str) -> Planted:
        """Plant a fault."""
        return await plant(fault, self.world.alacarte, self.world.stripe)

    async def bots_database(self) -> asyncpg.Connection[asyncpg.Record]:
        """A superuser's connection to the bot's own database; the caller closes it."""
        return await self.world.postgres.connect(self.world.database)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a worker of this bot is told."""
        return self.world.environment()


@asynccontextmanager
async def staged(
    postgres: Postgres, runbooks: Path, overrides: Mapping[str, str] | None = None
) -> AsyncIterator[Stage]:
    """A fresh world in which nobody works, listens or announces by themselves; `overrides` change what its bot is
    told of the systems."""
    async with opened(postgres, MANIFEST, template=await migrated(postgres), rate_limits=False) as world:
        settings = settings_in(world, runbooks=runbooks)
        environment = {**world.environment(), **(overrides or {})}
        async with running(settings, environment, listen=False, announce=False, work=False) as bot:
            yield Stage(world, bot)
