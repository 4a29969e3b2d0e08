"""The whole sandbox on loopback: a PostgreSQL with the sample systems, their local services, and a local Slack."""

from __future__ import annotations

import uuid
from collections import ChainMap
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bot.errors import Mistake
from bot.sandbox.database import SampleDatabase, build
from bot.sandbox.mail import MailSink
from bot.sandbox.postgres import Postgres
from bot.sandbox.programs import LocalPrograms
from bot.sandbox.sample import Ground, Planted, SampleSystem
from bot.sandbox.services import LocalServices
from bot.sandbox.slack.server import LocalSlack
from bot.sandbox.stripe import LocalStripe
from bot.sandbox.systems import SYSTEMS

WORKSPACE: Mapping[str, Any] = {
    "team": {"name": "A La Carte Chat", "domain": "alacarte"},
    "users": [
        {"name": "ana", "real_name": "Ana Lima", "title": "On-call engineer"},
        {"name": "ben", "real_name": "Ben Okoro", "title": "Billing lead"},
        {"name": "chloe", "real_name": "Chloe Martin", "title": "Database lead"},
        {"name": "dev", "real_name": "Dev Patel", "title": "Engineering manager"},
        {"name": "eve", "real_name": "Eve Sato", "title": "Support"},
    ],
    "usergroups": [
        {"handle": "on-call", "name": "On call", "users": ["ana"]},
        {"handle": "leads", "name": "Leads", "users": ["ben", "chloe", "dev"]},
        {"handle": "helpdesk", "name": "Helpdesk", "users": ["eve"]},
    ],
    "channels": [
        {"name": "general", "bot": True},
        {"name": "support", "purpose": "Customers' questions", "bot": True},
        {
            "name": "incident-evidence",
            "purpose": "What is masked for support, whole",
            "is_private": True,
            "members": ["ana", "ben", "chloe", "dev"],
            "bot": True,
        },
        {"name": "operations", "purpose": "What comes round, and maintenance", "bot": True},
        {"name": "status", "purpose": "What stakeholders are told", "bot": True},
        {"name": "with-partner", "purpose": "Shared with another company", "sharing": "shared", "bot": True},
    ],
}


@dataclass(frozen=True, slots=True)
class World:
    """Everything the bot talks to; `database` is the name of the bot's own database, `grounds` are the sample systems
    by id. The parts of À La Carte Chat, the first of them, are at hand by themselves."""

    postgres: Postgres
    grounds: Mapping[str, Ground]
    slack: LocalSlack
    database: str

    @property
    def alacarte(self) -> SampleDatabase:
        """À La Carte Chat's database."""
        return self.grounds["alacarte"].database

    @property
    def stripe(self) -> LocalStripe:
        """À La Carte Chat's Stripe."""
        return self.grounds["alacarte"].stripe

    @property
    def services(self) -> LocalServices:
        """À La Carte Chat's other services."""
        return self.grounds["alacarte"].services

    @property
    def mail(self) -> MailSink:
        """Where its mails arrive."""
        return self.grounds["alacarte"].mail

    async def plant(self, system: str, fault: str) -> Planted:
        """Plant a fault by name; planting it again starts it anew. Raises Mistake for an unknown name."""
        known = SYSTEMS[system].faults
        if fault not in known:
            raise Mistake(f"There is no fault called {fault}.", hint=f"Known ones: {', '.join(known)}.")
        return await known[fault](self.grounds[system])

    def environment(self) -> ChainMap[str, str]:
        """The variables a bot needs to live in this world."""
        own = {
            "DATABASE_URL": self.postgres.url(self.database),
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "SLACK_API_URL": self.slack.base_url,
            "PORT": "0",
        }
        for ground in self.grounds.values():
            own |= {**ground.environment(), **SYSTEMS[ground.system].environment(ground)}
        # Looked up anew each time: what a fault makes of a secret, the bot finds.
        return ChainMap(own, *(ground.secrets for ground in self.grounds.values()))


@asynccontextmanager
async def opened(
    postgres: Postgres,
    manifest: Path,
    *,
    systems: Iterable[str] = ("alacarte",),
    template: str | None = None,
    port: int = 0,
    rate_limits: bool = True,
    hints: tuple[str, ...] = (),
) -> AsyncIterator[World]:
    """A world of its own on a running server: fresh databases, the bot's a copy of `template` or empty; everything is
    gone when the block is left."""
    name = uuid.uuid4().hex[:10]
    async with AsyncExitStack() as stack:
        wanted = [SYSTEMS[each] for each in systems]
        slack = LocalSlack(
            {**WORKSPACE, "usergroups": _groups(wanted)}, manifest, port=port, rate_limits=rate_limits, hints=hints
        )
        await stack.enter_async_context(slack)
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="runbook-world-")))
        grounds = {each.id: await _ground(stack, each, postgres, name, folder) for each in wanted}
        database = f"bot_{name}"
        await postgres.create_database(database, template)
        stack.push_async_callback(postgres.drop_database, database)
        yield World(postgres, grounds, slack, database)


async def _ground(stack: AsyncExitStack, system: SampleSystem, postgres: Postgres, name: str, folder: Path) -> Ground:
    """A system's parts, started, and healthy."""
    stripe = await stack.enter_async_context(LocalStripe())
    mail = await stack.enter_async_context(MailSink())
    services = await stack.enter_async_context(LocalServices())
    database = await build(postgres, system.id, name=f"{system.id}_{name}")
    stack.push_async_callback(database.drop)
    logs = folder / system.id / "logs"
    logs.mkdir(parents=True)
    programs = LocalPrograms(folder / system.id / "programs")
    ground = Ground(system.id, database, stripe, services, programs, mail, logs)
    await system.settle(ground)
    return ground


def _groups(systems: Iterable[SampleSystem]) -> list[Mapping[str, Any]]:
    """The groups of all systems and the workspace's own, each handle once; the workspace's own counts."""
    said = (*(group for system in systems for group in system.usergroups), *WORKSPACE["usergroups"])
    return list({group["handle"]: group for group in said}.values())
