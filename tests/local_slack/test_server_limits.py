"""Rate limits at Slack's tiers and planned faults, as the unmodified client meets them."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import LocalSlack
from bot.sandbox.slack.limits import POSTING, T3, Limits
from tests.local_slack.workspace_parts import MANIFEST, SEED, ManualClock

pytestmark = pytest.mark.local_slack

INCIDENTS = "C0INCIDENTS"


async def status_of(call: Any) -> tuple[int, str | None]:
    """The status and Retry-After a call meets."""
    try:
        answer = await call
    except SlackApiError as error:
        answer = error.response
    return answer.status_code, answer.headers.get("Retry-After")


@pytest.fixture
async def limited(clock: ManualClock) -> Any:
    """A workspace with Slack's rate limits."""
    async with LocalSlack(SEED, MANIFEST, clock=clock) as running:
        yield running


async def test_posting_is_one_a_second_in_a_channel(
    limited: LocalSlack, session: aiohttp.ClientSession, clock: ManualClock
) -> None:
    """A small burst passes, then 429 with Retry-After; another channel is not affected; a second later one passes."""
    client = AsyncWebClient(token=limited.bot_token, base_url=limited.base_url, session=session)
    for _ in range(POSTING.burst):
        assert (await status_of(client.chat_postMessage(channel=INCIDENTS, text="x")))[0] == 200
    assert await status_of(client.chat_postMessage(channel=INCIDENTS, text="x")) == (429, "1")
    assert (await status_of(client.chat_postMessage(channel="U0ANA", text="x")))[0] == 200
    clock.advance(1)
    assert (await status_of(client.chat_postMessage(channel=INCIDENTS, text="x")))[0] == 200
    assert await status_of(client.chat_postMessage(channel=INCIDENTS, text="x")) == (429, "1")


async def test_the_ratelimited_answer_has_its_error(limited: LocalSlack, session: aiohttp.ClientSession) -> None:
    """The body of a 429 names ratelimited."""
    header = {"Authorization": f"Bearer {limited.bot_token}"}
    body: dict[str, Any] = {}
    for _ in range(POSTING.burst + 1):
        data = {"channel": INCIDENTS, "text": "x"}
        async with session.post(f"{limited.base_url}chat.postMessage", data=data, headers=header) as answer:
            body = await answer.json()
    assert body == {"ok": False, "error": "ratelimited"}


def test_a_tier_is_shared_by_the_whole_workspace(clock: ManualClock) -> None:
    """chat.update has fifty a minute whatever the channel, and refills steadily."""
    limits = Limits(clock)
    waits = [limits.wait_seconds("chat.update", T3, "token", f"C{number}") for number in range(51)]
    assert waits == [0] * 50 + [2]
    clock.advance(1.2)
    assert limits.wait_seconds("chat.update", T3, "token", "C0") == 0
    assert limits.wait_seconds("chat.update", T3, "token", "C0") > 0
    assert limits.wait_seconds("chat.update", T3, "other token", "C0") == 0


def test_waiting_as_told_is_enough(clock: ManualClock) -> None:
    """After Retry-After seconds the call passes, again and again."""
    limits = Limits(clock)
    for _ in range(200):
        seconds = limits.wait_seconds("chat.postMessage", POSTING, "token", "C1")
        clock.advance(seconds)
        if seconds:
            assert limits.wait_seconds("chat.postMessage", POSTING, "token", "C1") == 0


async def test_the_sdks_handler_retries_a_429(slack: LocalSlack, session: aiohttp.ClientSession) -> None:
    """A planned 429 with its Retry-After is slept off by the SDK, and the message is posted once."""
    handlers = [AsyncRateLimitErrorRetryHandler(max_retry_count=2)]
    client = AsyncWebClient(
        token=slack.bot_token, base_url=slack.base_url, session=session, retry_handlers=list(handlers)
    )
    slack.fault("ratelimit", "chat.postMessage", retry_after=0, times=2)
    await client.chat_postMessage(channel=INCIDENTS, text="patience")
    assert [seen.text for seen in slack.person("ana").screen()] == ["patience"]
    assert [entry.detail.get("fault") for entry in slack.journal.calls("chat.postMessage")] == [
        "ratelimit",
        "ratelimit",
        None,
    ]


async def test_errors_come_as_often_as_planned(client: AsyncWebClient, slack: LocalSlack) -> None:
    """An error fault spoils its method only, so many times, and has no effect on the workspace."""
    slack.fault("error", "chat.postMessage", error="fatal_error", times=2)
    await client.auth_test()
    for _ in range(2):
        with pytest.raises(SlackApiError, match="fatal_error"):
            await client.chat_postMessage(channel=INCIDENTS, text="x")
    await client.chat_postMessage(channel=INCIDENTS, text="through")
    assert [seen.text for seen in slack.person("ana").screen()] == ["through"]


async def test_a_body_that_is_not_json(slack: LocalSlack, session: aiohttp.ClientSession) -> None:
    """An http fault answers with its status and text no JSON parser takes."""
    slack.fault("http", "auth.test", status=503)
    header = {"Authorization": f"Bearer {slack.bot_token}"}
    async with session.post(f"{slack.base_url}auth.test", headers=header) as answer:
        assert (answer.status, answer.content_type) == (503, "text/plain")
    handlers = [AsyncServerErrorRetryHandler(max_retry_count=1)]
    client = AsyncWebClient(
        token=slack.bot_token, base_url=slack.base_url, session=session, retry_handlers=list(handlers)
    )
    slack.fault("http", "auth.test", status=503)
    assert (await client.auth_test())["ok"]


async def test_an_answer_lost_after_the_effect_doubles_a_retried_post(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    """The SDK's default handler sends again after a broken connection: with `after`, the message is there twice."""
    slack.fault("drop", "chat.postMessage", after=True)
    await client.chat_postMessage(channel=INCIDENTS, text="twice")
    assert [seen.text for seen in slack.person("ana").screen()] == ["twice", "twice"]


async def test_latency_delays_the_answer(slack: LocalSlack, session: aiohttp.ClientSession) -> None:
    """A planned delay is too long for an impatient client, and the call after it is quick again."""
    slack.fault("latency", "auth.test", seconds=0.5)
    header = {"Authorization": f"Bearer {slack.bot_token}"}
    impatient = aiohttp.ClientTimeout(total=0.1)
    with pytest.raises(TimeoutError):
        await session.post(f"{slack.base_url}auth.test", headers=header, timeout=impatient)
    async with session.post(f"{slack.base_url}auth.test", headers=header, timeout=impatient) as answer:
        assert (await answer.json())["ok"]
