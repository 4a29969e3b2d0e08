"""Slash commands through the real SDK: forms, acknowledgements, what a late bot looks like, response_urls."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox.slack import LocalSlack, PersonError, Timing
from tests.local_slack.workspace_parts import Bot, ManualClock, modal

pytestmark = pytest.mark.local_slack


async def remember(bot: Bot, *, text: str | None = None) -> asyncio.Future[dict[str, Any]]:
    """Connect a bot that acknowledges /runbook and keeps the payload."""
    got: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    @bot.app.command("/runbook")
    async def run(ack: Any, body: dict[str, Any]) -> None:
        await ack(text or "")
        got.set_result(body)

    await bot.connect()
    return got


async def test_a_command_reaches_the_bot_with_every_form_field(bot: Bot, slack: LocalSlack) -> None:
    """A typed command arrives with who, where, what and a working trigger and response_url."""
    got = await remember(bot)
    await slack.person("ana").types("/runbook RB-011 business_id=7 <b>", "#incidents")
    body = await got
    assert body["command"] == "/runbook"
    assert body["text"] == "RB-011 business_id=7 <b>"
    assert (body["user_id"], body["user_name"]) == ("U0ANA", "ana")
    assert (body["channel_id"], body["channel_name"]) == ("C0INCIDENTS", "incidents")
    assert {"team_id", "team_domain", "api_app_id", "trigger_id", "response_url", "token"} <= body.keys()


async def test_the_text_of_an_ack_is_seen_by_nobody_else(bot: Bot, slack: LocalSlack) -> None:
    """What an acknowledgement says is ephemeral."""
    await remember(bot, text="on it")
    ana, ben = slack.person("ana"), slack.person("ben")
    await ana.types("/runbook x", "#incidents")
    seen = await ana.sees("on it")
    assert seen.surface == "ephemeral"
    assert not any("on it" in each.text for each in ben.screen())


async def test_names_are_escaped_only_where_the_manifest_asks(bot: Bot, slack: LocalSlack) -> None:
    """`should_escape` turns a typed @name into a user token with the name."""
    got: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @bot.app.command("/page")
    async def page(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        got.set_result(body["text"])

    await bot.connect()
    await slack.person("ana").types("/page @ben in #incidents", "#incidents")
    assert await got == "<@U0BEN|ben> in <#C0INCIDENTS|incidents>"


class TestWithAShortDeadline:
    """A bot that does not acknowledge in time."""

    @pytest.fixture
    def timing(self) -> Timing:
        """An ack deadline that tests can wait for."""
        return Timing(ack=0.2)

    async def test_a_late_command_shows_slacks_error_to_its_user(self, bot: Bot, slack: LocalSlack) -> None:
        """Without an ack the person reads operation_timeout, and the late ack is journalled as late."""
        released = asyncio.Event()

        @bot.app.command("/runbook")
        async def run(ack: Any) -> None:
            await released.wait()
            await ack("too late")

        await bot.connect()
        ana = slack.person("ana")
        await ana.types("/runbook x", "#incidents")
        seen = await ana.sees("operation_timeout")
        assert seen.text == '/runbook failed with the error "operation_timeout"'
        released.set()

        def late() -> bool | None:
            return any(entry.name == "late" for entry in slack.journal.entries) or None

        await slack.wait_for(late)
        assert not any("too late" in each.text for each in ana.screen())


async def test_without_any_connection_the_command_fails_at_once(slack: LocalSlack) -> None:
    """Nobody is connected, so the person reads dispatch_failed without waiting."""
    ana = slack.person("ana")
    await ana.types("/runbook x", "#incidents")
    seen = await ana.sees("dispatch_failed")
    assert seen.surface == "ephemeral"


async def test_a_command_that_is_not_declared_is_refused(slack: LocalSlack) -> None:
    """Only the manifest's commands exist."""
    with pytest.raises(PersonError, match="/deploy is not a valid command"):
        await slack.person("ana").types("/deploy now", "#incidents")


async def test_a_command_in_a_thread_is_refused(slack: LocalSlack) -> None:
    """Slack does not run commands in threads."""
    ana = slack.person("ana")
    ts = await ana.types("something broke", "#incidents")
    with pytest.raises(PersonError, match="not supported in threads"):
        await ana.types("/runbook x", "#incidents", thread_ts=ts)


async def test_a_response_url_serves_five_times(bot: Bot, slack: LocalSlack) -> None:
    """The sixth post to a response_url is refused with used_url."""
    got = await remember(bot)
    ana = slack.person("ana")
    await ana.types("/runbook x", "#incidents")
    hook = AsyncWebhookClient((await got)["response_url"])
    for number in range(5):
        assert (await hook.send(text=f"note {number}")).status_code == 200
    refused = await hook.send(text="note 5")
    assert (refused.status_code, "used_url" in refused.body) == (404, True)
    assert {each.text for each in ana.screen() if each.surface == "ephemeral"} == {f"note {n}" for n in range(5)}


async def test_a_response_url_expires_after_half_an_hour(bot: Bot, slack: LocalSlack, clock: ManualClock) -> None:
    """A post 31 minutes later is refused with expired_url."""
    got = await remember(bot)
    await slack.person("ana").types("/runbook x", "#incidents")
    clock.advance(31 * 60)
    refused = await AsyncWebhookClient((await got)["response_url"]).send(text="late")
    assert (refused.status_code, "expired_url" in refused.body) == (404, True)


async def test_a_response_in_channel_is_seen_by_all(bot: Bot, slack: LocalSlack) -> None:
    """`in_channel` makes it an ordinary message of the bot."""
    got = await remember(bot)
    await slack.person("ana").types("/runbook x", "#incidents")
    await AsyncWebhookClient((await got)["response_url"]).send(text="for all", response_type="in_channel")
    seen = await slack.person("ben").sees("for all")
    assert seen.surface == "message"
    assert seen.raw["bot_id"] == slack.space.bot_id


async def test_a_trigger_dies_after_three_seconds(bot: Bot, slack: LocalSlack, clock: ManualClock) -> None:
    """views.open with an old trigger answers expired_trigger_id."""
    got = await remember(bot)
    await slack.person("ana").types("/runbook x", "#incidents")
    trigger = (await got)["trigger_id"]
    clock.advance(3.1)
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await bot.client.views_open(trigger_id=trigger, view=modal())


async def test_a_trigger_works_once(bot: Bot, slack: LocalSlack) -> None:
    """The second use of a trigger answers exchanged_trigger_id, an unknown one invalid_trigger_id."""
    got = await remember(bot)
    await slack.person("ana").types("/runbook x", "#incidents")
    trigger = (await got)["trigger_id"]
    await bot.client.views_open(trigger_id=trigger, view=modal())
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await bot.client.views_open(trigger_id=trigger, view=modal())
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        await bot.client.views_open(trigger_id="1.2.3", view=modal())
