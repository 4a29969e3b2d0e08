"""HTTP mode: signed posts to Bolt's own aiohttp adapter, the challenge, retries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import LocalSlack, LocalSlackError
from tests.local_slack.workspace_parts import Bot, button, modal

pytestmark = pytest.mark.local_slack

Payload = dict[str, Any]


@pytest.fixture
async def url(bot: Bot) -> AsyncIterator[str]:
    """The request URL of the Bolt app behind its HTTP adapter."""
    async with TestServer(bot.app.web_app("/slack/events")) as server:
        yield str(server.make_url("/slack/events"))


@pytest.fixture
def clock() -> Any:
    """The real time, which Bolt holds signatures against."""
    return time.time


async def test_everything_arrives_signed_over_http(bot: Bot, slack: LocalSlack, url: str) -> None:
    """Command, modal, submission with errors, click and event all pass Bolt's signature check."""
    events: asyncio.Queue[Payload] = asyncio.Queue()
    field = {"type": "plain_text_input", "action_id": "why"}
    block = {"type": "input", "block_id": "b", "label": {"type": "plain_text", "text": "Why"}, "element": field}
    view = modal(block, callback_id="form", submit={"type": "plain_text", "text": "Go"})

    @bot.app.command("/runbook")
    async def run(ack: Any, client: Any, body: Payload) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=view)
        await ack("opened")

    @bot.app.view("form")
    async def submitted(ack: Any) -> None:
        await ack(response_action="errors", errors={"b": "Say more."})

    @bot.app.action("approve")
    async def approve(ack: Any, respond: Any) -> None:
        await ack()
        await respond("thanks")

    @bot.app.event("app_mention")
    async def hear(event: Payload) -> None:
        events.put_nowait(event)

    await slack.use_request_url(url)
    ana = slack.person("ana")
    await ana.types("/runbook <b> & more", "#incidents")
    await ana.sees("opened", surface="ephemeral")
    assert await ana.submits(why="x") == {"b": "Say more."}
    await ana.closes()
    blocks = [{"type": "actions", "elements": [button("approve", "Approve")]}]
    await bot.client.chat_postMessage(channel="C0INCIDENTS", text="Sure?", blocks=blocks)
    await ana.clicks("Approve")
    await ana.sees("thanks")
    await ana.types("@Runbook Bot hi", "#incidents")
    assert (await events.get())["type"] == "app_mention"


async def test_a_wrong_secret_is_refused_by_the_bot(slack: LocalSlack, client: AsyncWebClient) -> None:
    """Bolt answers 401 to a signature made with another secret, so the URL is not accepted."""
    stranger = AsyncApp(client=client, signing_secret="another")
    async with TestServer(stranger.web_app("/slack/events")) as server:
        with pytest.raises(LocalSlackError, match="did not echo the challenge"):
            await slack.use_request_url(str(server.make_url("/slack/events")))


async def test_only_this_machine_gets_anything(slack: LocalSlack) -> None:
    """A request URL elsewhere is refused before anything is sent."""
    with pytest.raises(LocalSlackError, match="only to this machine"):
        await slack.use_request_url("http://example.com/slack/events")


async def test_a_failing_url_is_tried_again_with_retry_headers(slack: LocalSlack) -> None:
    """Events come again with number and reason until one is answered; x-slack-no-retry would stop them."""
    tries: asyncio.Queue[tuple[str | None, str | None]] = asyncio.Queue()
    answers = iter([500, 500, 200])

    async def receive(request: web.Request) -> web.Response:
        body = await request.json()
        if body["type"] == "url_verification":
            return web.json_response({"challenge": body["challenge"]})
        tries.put_nowait((request.headers.get("x-slack-retry-num"), request.headers.get("x-slack-retry-reason")))
        return web.Response(status=next(answers))

    app = web.Application()
    app.router.add_post("/events", receive)
    async with TestServer(app) as server:
        await slack.use_request_url(str(server.make_url("/events")))
        await slack.person("ana").types("@Runbook Bot hi", "#incidents")
        assert [await tries.get() for _ in range(3)] == [(None, None), ("1", "http_error"), ("2", "http_error")]


async def test_a_bot_may_ask_not_to_be_tried_again(slack: LocalSlack) -> None:
    """x-slack-no-retry on a failure ends the repetitions."""

    async def receive(request: web.Request) -> web.Response:
        body = await request.json()
        if body["type"] == "url_verification":
            return web.Response(text=body["challenge"])
        return web.Response(status=500, headers={"x-slack-no-retry": "1"})

    app = web.Application()
    app.router.add_post("/events", receive)
    async with TestServer(app) as server:
        await slack.use_request_url(str(server.make_url("/events")))
        ana = slack.person("ana")
        await ana.types("@Runbook Bot one", "#incidents")
        await ana.types("@Runbook Bot two", "#incidents")
        await slack.wait_for(lambda: sum(e.kind == "ack" for e in slack.journal.entries) == 2 or None)
        await slack.delivery.settled()
        assert len(slack.journal.deliveries("app_mention")) == 2
