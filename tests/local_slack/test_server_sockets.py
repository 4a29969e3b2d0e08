"""Socket Mode: tickets, one connection an envelope, acks on any, redelivery, farewells, broken networks."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from bot.sandbox.slack import LocalSlack, Timing
from bot.sandbox.slack.journal import Entry
from tests.local_slack.workspace_parts import Bot, ManualClock

pytestmark = pytest.mark.local_slack


async def open_url(slack: LocalSlack, session: aiohttp.ClientSession) -> str:
    """A fresh Socket Mode address."""
    header = {"Authorization": f"Bearer {slack.app_token}"}
    async with session.post(f"{slack.base_url}apps.connections.open", headers=header) as answer:
        return str((await answer.json())["url"])


async def greeted(slack: LocalSlack, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    """A plain connection after its hello."""
    socket = await session.ws_connect(await open_url(slack, session))
    hello = await socket.receive_json()
    assert hello["type"] == "hello"
    assert hello["connection_info"]["app_id"] == slack.space.app_id
    return socket


async def test_a_ticket_opens_one_connection(slack: LocalSlack, session: aiohttp.ClientSession) -> None:
    """The second handshake with the same address is refused."""
    url = await open_url(slack, session)
    async with session.ws_connect(url):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(url)
        assert refused.value.status == 401


async def test_a_ticket_expires(slack: LocalSlack, session: aiohttp.ClientSession, clock: ManualClock) -> None:
    """A ticket not used in time is worth nothing."""
    url = await open_url(slack, session)
    clock.advance(31)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await session.ws_connect(url)


async def test_an_eleventh_connection_is_sent_away(slack: LocalSlack, session: aiohttp.ClientSession) -> None:
    """Ten connections are the most an app may hold."""
    sockets = [await greeted(slack, session) for _ in range(10)]
    eleventh = await session.ws_connect(await open_url(slack, session))
    assert (await eleventh.receive_json())["reason"] == "too_many_websockets"
    for socket in [*sockets, eleventh]:
        await socket.close()


async def test_each_envelope_goes_to_one_connection_in_turn(bot: Bot, slack: LocalSlack) -> None:
    """Of two connections each gets every second command, and no command arrives twice."""
    texts: list[str] = []

    @bot.app.command("/runbook")
    async def run(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        texts.append(body["text"])

    await bot.connect()
    await bot.connect()
    ana = slack.person("ana")
    for number in range(4):
        await ana.types(f"/runbook {number}", "#incidents")
    assert texts == ["0", "1", "2", "3"]
    used = [entry.detail["connection"] for entry in slack.journal.deliveries("slash_commands")]
    assert sorted(used) == [1, 1, 2, 2]
    assert used[0] != used[1]


async def test_an_ack_counts_on_any_connection(slack: LocalSlack, session: aiohttp.ClientSession) -> None:
    """What arrives on one connection may be acknowledged on another, payload included."""
    one, other = await greeted(slack, session), await greeted(slack, session)
    ana = slack.person("ana")
    typing = asyncio.create_task(ana.types("/runbook x", "#incidents"))
    receiving = [asyncio.create_task(each.receive_json()) for each in (one, other)]
    done, pending = await asyncio.wait(receiving, return_when=asyncio.FIRST_COMPLETED)
    (arrived,) = done
    assert arrived.result()["type"] == "slash_commands"
    assert arrived.result()["accepts_response_payload"] is True
    idle = other if arrived is receiving[0] else one
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    await idle.send_json({"envelope_id": arrived.result()["envelope_id"], "payload": {"text": "from the other"}})
    await typing
    assert (await ana.sees("from the other")).surface == "ephemeral"
    for socket in (one, other):
        await socket.close()


class TestWithAShortDeadline:
    """Events nobody acknowledges."""

    @pytest.fixture
    def timing(self) -> Timing:
        """A deadline and pauses that tests can wait for."""
        return Timing(ack=0.15, retries=(0.0, 0.0, 0.0))

    async def test_an_unanswered_event_comes_again_three_times(
        self, slack: LocalSlack, session: aiohttp.ClientSession
    ) -> None:
        """Same event_id, new envelope, retry_attempt 1 to 3 with the reason; then Slack gives up."""
        socket = await greeted(slack, session)
        await slack.person("ana").types("@Runbook Bot help", "#incidents")
        envelopes = [await socket.receive_json() for _ in range(4)]
        assert [each["retry_attempt"] for each in envelopes] == [0, 1, 2, 3]
        assert [each["retry_reason"] for each in envelopes] == ["", "timeout", "timeout", "timeout"]
        assert len({each["payload"]["event_id"] for each in envelopes}) == 1
        assert len({each["envelope_id"] for each in envelopes}) == 4
        await socket.close()

    async def test_an_ack_ends_the_repetitions(self, slack: LocalSlack, session: aiohttp.ClientSession) -> None:
        """A retry that is acknowledged is the last."""
        socket = await greeted(slack, session)
        await slack.person("ana").types("@Runbook Bot help", "#incidents")
        await socket.receive_json()
        second = await socket.receive_json()
        await socket.send_json({"envelope_id": second["envelope_id"]})
        await slack.delivery.settled()
        assert len(slack.journal.deliveries("app_mention")) == 2
        await socket.close()

    async def test_a_lost_envelope_is_delivered_again_to_bolt(self, bot: Bot, slack: LocalSlack) -> None:
        """The listener sees the retry headers of the second try."""
        got: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        @bot.app.event("app_mention")
        async def hear(request: Any) -> None:
            got.put_nowait(request.headers)

        await bot.connect()
        slack.fault("drop", "delivery")
        await slack.person("ana").types("@Runbook Bot help", "#incidents")
        headers = await got.get()
        assert headers["x-slack-retry-num"] == ["1"]
        assert headers["x-slack-retry-reason"] == ["timeout"]


async def test_a_refreshed_bot_comes_back_by_itself(bot: Bot, slack: LocalSlack) -> None:
    """After refresh_requested the SDK opens a new connection, and commands go there."""

    @bot.app.command("/runbook")
    async def run(ack: Any) -> None:
        await ack("still here")

    await bot.connect()
    await slack.sockets.dismiss("refresh_requested")
    await reconnected(slack, 2)
    ana = slack.person("ana")
    await ana.types("/runbook", "#incidents")
    await ana.sees("still here")
    (delivery,) = slack.journal.deliveries("slash_commands")
    assert delivery.detail["connection"] == 2


async def test_a_dropped_connection_is_noticed_and_replaced(bot: Bot, slack: LocalSlack) -> None:
    """A socket cut without a word is reopened by the SDK."""
    await bot.connect()
    assert slack.sockets.drop() == 1
    await reconnected(slack, 2)


async def test_a_refused_handshake_burns_the_ticket(slack: LocalSlack, session: aiohttp.ClientSession) -> None:
    """The fault refuses as often as asked; the address it refused is used up, a fresh one works."""
    slack.fault("refuse_socket", status=503)
    url = await open_url(slack, session)
    for status in (503, 401):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(url)
        assert refused.value.status == status
    socket = await greeted(slack, session)
    await socket.close()


async def reconnected(slack: LocalSlack, number: int) -> Entry:
    """Wait for the connection with this number."""

    def opened() -> Entry | None:
        return next(
            (
                entry
                for entry in slack.journal.entries
                if (entry.kind, entry.name) == ("socket", "opened") and entry.detail["connection"] == number
            ),
            None,
        )

    return await slack.wait_for(opened, 10)
