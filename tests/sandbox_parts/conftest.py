"""The sandbox's parts, real and running, for the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import pytest
import stripe as stripe_sdk

from bot.sandbox.postgres import Postgres
from bot.sandbox.stripe import LocalStripe

MakeClient = Callable[..., stripe_sdk.StripeClient]


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """One PostgreSQL for all tests that only need databases of their own."""
    with Postgres.temporary() as running:
        yield running


@pytest.fixture
async def stripe() -> AsyncIterator[LocalStripe]:
    """A local Stripe with nothing in it."""
    async with LocalStripe() as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """One HTTP session, closed at the end."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def sdk_with(stripe: LocalStripe, session: aiohttp.ClientSession) -> MakeClient:
    """Makes the official SDK's client over aiohttp, by key, number of its own retries and time limit in seconds."""

    def make(key: str = "", retries: int = 0, seconds: float = 5) -> stripe_sdk.StripeClient:
        limit: Any = aiohttp.ClientTimeout(total=seconds)
        return stripe_sdk.StripeClient(
            key or stripe.key,
            base_addresses={"api": stripe.url},
            max_network_retries=retries,
            http_client=stripe_sdk.AIOHTTPClient(session=session, timeout=limit),
        )

    return make


@pytest.fixture
def sdk(sdk_with: MakeClient) -> stripe_sdk.StripeClient:
    """The official SDK pointed at the local Stripe, without retries of its own."""
    return sdk_with()
