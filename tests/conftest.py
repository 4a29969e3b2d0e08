"""The fixtures everything shares: one PostgreSQL for the session, a database of its own for each test."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

from bot.cli.sandbox import migrated
from bot.sandbox.postgres import Postgres
from bot.store.session import Store, engine_of

CHROMIUM = Path("/usr/bin/chromium")

# What it remembers (sources it has read, examples that failed when exploring) is no part of the repository.
set_hypothesis_home_dir(Path(tempfile.gettempdir()) / f"runbook-hypothesis-{os.geteuid()}")

# The same examples each time, so that a change is judged by what it changes; `--hypothesis-profile=explore` looks
# further. How long an example takes decides nothing.
_UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fixed", _UNHURRIED, derandomize=True)
settings.register_profile("explore", _UNHURRIED, max_examples=3_000)
settings.load_profile("fixed")


class ManualClock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """The time it was set to."""
        return self.time

    def pass_(self, **span: float) -> None:
        """Move the clock on by a timedelta's arguments."""
        self.time += timedelta(**span)


@pytest.fixture(scope="session", autouse=True)
def _plain_environment() -> None:
    """Nothing a developer has exported reaches a test."""
    for name in list(os.environ):
        if name.startswith(("SLACK_", "DATABASE_", "STRIPE_", "ALACARTE_", "PG")) or name.lower().endswith("_proxy"):
            del os.environ[name]


@pytest.fixture(scope="session", autouse=True)
def _plain_tracebacks() -> None:
    """As in production: structlog's own choice draws every local value, which can hold the event loop for seconds."""
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for the session, without fsync: tests lose nothing in a power cut."""
    with Postgres.temporary(options={"max_connections": "200"}) as server:
        yield server


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[str]:
    """The URL of a migrated database of the test's own."""
    name = f"bot_{uuid.uuid4().hex[:12]}"
    await postgres.create_database(name, await migrated(postgres))
    yield postgres.url(name)
    await postgres.drop_database(name)


@pytest.fixture
def clock() -> ManualClock:
    """A clock at three in the morning."""
    return ManualClock()


@pytest.fixture
async def store(database: str, clock: ManualClock) -> AsyncIterator[Store]:
    """The bot's store on a database of the test's own."""
    made = Store(engine_of(database, pool_size=5), clock)
    yield made
    await made.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests are skipped loudly where there is no Chromium; where one is demanded, its absence is an error."""
    if CHROMIUM.exists():
        return
    if os.environ.get("RUNBOOK_NEEDS_BROWSER"):
        raise pytest.UsageError(f"{CHROMIUM} is missing, and the browser tests are demanded.")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=f"NOT RUN: {CHROMIUM} is missing; apt install chromium"))
