"""Golden files, local Slack, and a client whose clock moves when it sleeps; for the tests of the Slack room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.slack import LocalSlack
from bot.slack.client import SlackClient

MANIFEST = Path(__file__).parents[2] / "app_manifest.yml"
SEED: dict[str, Any] = {
    "team": "Acme",
    "users": [{"name": "ana"}, {"name": "ben"}, {"name": "chloe"}],
    "usergroups": [{"handle": "billing", "name": "Billing", "users": ["ben", "chloe"]}],
    "channels": [
        {"name": "incidents", "bot": True},
        {"name": "elsewhere", "members": ["ana", "ben"]},
        {"name": "secret", "is_private": True, "members": ["ben"]},
    ],
}


@dataclass
class Ticks:
    """Seconds that pass only when somebody sleeps; `slept` is how long each sleep was."""

    now: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """The time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let the time pass, and let others run."""
        self.slept.append(seconds)
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--golden` writes the golden files anew instead of comparing with them."""
    parser.addoption("--golden", action="store_true", default=False, help="write the golden files anew")


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    """A workspace with the bot's own manifest, without rate limits."""
    async with LocalSlack(SEED, MANIFEST, rate_limits=False) as running:
        yield running


@pytest.fixture
def ticks() -> Ticks:
    """The client's clock."""
    return Ticks()


@pytest.fixture
async def client(slack: LocalSlack, ticks: Ticks) -> AsyncIterator[SlackClient]:
    """The bot's client, connected to the workspace."""
    async with SlackClient(slack.bot_token, base_url=slack.base_url, ticks=ticks, sleep=ticks.sleep) as made:
        yield made
