"""Local Slack with a small workspace and the real SDK connected to it, shared by the tests of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import LocalSlack, Timing
from tests.local_slack.workspace_parts import MANIFEST, SEED, Bot, ManualClock


@pytest.fixture
def clock() -> ManualClock:
    """Time under the test's control."""
    return ManualClock()


@pytest.fixture
def timing() -> Timing:
    """Slack's own durations, except that an event is repeated at once."""
    return Timing(retries=(0.0, 0.0, 0.0))


@pytest.fixture
async def slack(clock: ManualClock, timing: Timing) -> AsyncIterator[LocalSlack]:
    """A running workspace without rate limits."""
    async with LocalSlack(SEED, MANIFEST, rate_limits=False, clock=clock, timing=timing) as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """One HTTP session for the SDK and for plain requests."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def client(slack: LocalSlack, session: aiohttp.ClientSession) -> AsyncWebClient:
    """The unmodified SDK client with the bot's token."""
    return AsyncWebClient(token=slack.bot_token, base_url=slack.base_url, session=session)


@pytest.fixture
async def bot(slack: LocalSlack, client: AsyncWebClient, session: aiohttp.ClientSession) -> AsyncIterator[Bot]:
    """A Bolt app to which a test adds listeners before connecting it."""
    made = Bot(slack, session, AsyncApp(client=client, signing_secret=slack.signing_secret))
    yield made
    await made.close()
