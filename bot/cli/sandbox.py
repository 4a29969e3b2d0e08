"""`runbook sandbox`: start the world and the bot in it, and stay until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import webbrowser
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot.authoring.catalogue import Catalogue
from bot.authoring.loader import catalogue_at
from bot.cli.console import out
from bot.clock import Clock
from bot.main import Bot, running
from bot.sandbox.control import Control
from bot.sandbox.postgres import Postgres
from bot.sandbox.systems import SYSTEMS
from bot.sandbox.templates import template
from bot.sandbox.world import World, opened
from bot.settings import Settings, SlackMode, read_settings
from bot.store.migrate import content, migrate
from bot.store.session import engine_of

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "app_manifest.yml"
OPTIONS = {"shared_preload_libraries": "pg_stat_statements", "max_connections": "120"}
STANDING_FAULTS = ("webhook_missed", "paid_but_frozen", "payment_failed", "credit_missed", "overcharged")
# What a drill does without and a world that somebody looks around in has.
LIVED_IN = {"RUNBOOK_CALENDARS": "true"}
HINTS = (
    "/runbook RB-011 business_id=0a1aca27-0011-4000-8000-000000000001",
    "/runbook",
    "/runbook frozen",
    "/runbook RB-004",
)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A world and the bot that lives in it."""

    world: World
    bot: Bot


def settings_in(
    world: World,
    mode: SlackMode = SlackMode.SOCKET,
    runbooks: Path | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Settings:
    """The settings of a bot that lives in this world."""
    # A night or a minute that falls into a drill must not ask the services that the drill counts questions at, and no
    # list that comes round meanwhile may come between.
    quiet = {"RUNBOOK_CANARY_AT": "", "RUNBOOK_MONITORS": "false", "RUNBOOK_CALENDARS": "false"}
    told = {**world.environment(), **quiet, **(overrides or {})}
    given = {name.lower(): value for name, value in told.items() if name.lower() in Settings.model_fields}
    return read_settings({**given, "slack_mode": mode, "runbooks_path": runbooks or ROOT / "runbooks"})


async def migrated(postgres: Postgres) -> str:
    """The name of a database on this server that is ready for a bot, to be copied."""

    async def fill(name: str) -> None:
        engine = engine_of(postgres.url(name))
        await migrate(engine)
        await engine.dispose()

    return await template(postgres, "bot", content(), fill)


@asynccontextmanager
async def populated(
    postgres: Postgres,
    *,
    systems: Iterable[str] = ("alacarte",),
    port: int = 0,
    rate_limits: bool = True,
    hints: tuple[str, ...] = (),
    runbooks: Path | None = None,
    overrides: Mapping[str, str] | None = None,
    work: bool = True,
    clock: Clock | None = None,
) -> AsyncIterator[Sandbox]:
    """A fresh world on a running server with a bot in it, which has the shipped runbooks of its `systems`, or those in
    the folder `runbooks`; `overrides` change what the bot is told, of its systems and
    of itself. Without `rate_limits` neither the local Slack nor the bot knows Slack's limits, and nothing waits."""
    ready = await migrated(postgres)
    async with opened(
        postgres, MANIFEST, systems=systems, template=ready, port=port, rate_limits=rate_limits, hints=hints
    ) as world:
        settings = settings_in(world, runbooks=runbooks, overrides=overrides)
        environment = world.environment().new_child(dict(overrides or {}))
        catalogue = None if runbooks else _shipped(tuple(world.grounds))
        async with running(
            settings, environment, work=work, clock=clock, catalogue=catalogue, rate_limits=rate_limits
        ) as bot:
            yield Sandbox(world, bot)


@cache
def _read(systems: tuple[str, ...]) -> Catalogue:
    return catalogue_at(ROOT / "runbooks", systems)


def _shipped(systems: tuple[str, ...]) -> Catalogue:
    """The shipped runbooks of these systems, and no others: a world has only their systems. Read once in a process."""
    known = _read(systems)
    return Catalogue(known.systems.values(), known.list(), known.lookups, known.operations)


async def open_sandbox(port: int, *, browser: bool, data: Path | None, monitors: bool = False) -> None:
    """Everything up, the address printed, and wait; with `monitors` they are looked at, and the planted faults page.
    Raises what its parts raise, each with one sentence."""
    out.print("Starting PostgreSQL, the sample systems, a local Stripe, a local Slack and the bot …")
    postgres = Postgres(data, options=OPTIONS)
    await asyncio.to_thread(postgres.start)
    told = {"RUNBOOK_MONITORS": str(monitors).lower()}
    try:
        async with (
            populated(postgres, systems=SYSTEMS, port=port, hints=HINTS, overrides=LIVED_IN | told) as sandbox,
            Control(sandbox.world, postgres.home) as control,
        ):
            for fault in STANDING_FAULTS:
                await control.plant("alacarte", fault)
            _greet(sandbox.world.slack.origin, browser=browser)
            await asyncio.Event().wait()
    finally:
        postgres.stop()


def _greet(url: str, *, browser: bool) -> None:
    page = f"{url}/?user=U0ANA"
    out.print(f"\n  Open {page}\n")
    out.print("  You are Ana, on call. Type /runbook, or try: " + HINTS[0])
    out.print("  Then become Ben (top right) and approve the fix. Ctrl-C ends everything.\n")
    desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.uname().sysname == "Darwin"
    if browser and desktop:
        webbrowser.open(page)
