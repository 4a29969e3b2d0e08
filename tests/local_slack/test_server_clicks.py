"""Clicks, selects, shortcuts and events through the real SDK."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox.slack import LocalSlack, PersonError, Timing
from tests.local_slack.workspace_parts import Bot, button

pytestmark = pytest.mark.local_slack

Payload = dict[str, Any]


async def listen(bot: Bot, action_id: str) -> asyncio.Queue[Payload]:
    """Connect a bot that acknowledges an action and queues its payloads."""
    got: asyncio.Queue[Payload] = asyncio.Queue()

    @bot.app.action(action_id)
    async def act(ack: Any, body: Payload) -> None:
        await ack()
        got.put_nowait(body)

    await bot.connect()
    return got


async def ask(bot: Bot, *elements: Payload, channel: str = "C0INCIDENTS") -> str:
    """Post a message with an actions block; returns its ts."""
    blocks = [{"type": "actions", "block_id": "ask", "elements": list(elements)}]
    answer = await bot.client.chat_postMessage(channel=channel, text="Sure?", blocks=blocks)
    return str(answer["ts"])


async def test_a_click_carries_where_who_and_what(bot: Bot, slack: LocalSlack) -> None:
    """A button in a message arrives with container, message, channel, action, response_url and trigger."""
    got = await listen(bot, "approve")
    ts = await ask(bot, button("approve", "Approve", value="run-1"))
    await slack.person("ben").clicks("Approve")
    body = await got.get()
    assert body["user"] == {"id": "U0BEN", "username": "ben", "name": "ben", "team_id": slack.space.team_id}
    assert body["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": "C0INCIDENTS",
        "is_ephemeral": False,
    }
    assert (body["message"]["ts"], body["message"]["bot_id"]) == (ts, slack.space.bot_id)
    assert body["channel"] == {"id": "C0INCIDENTS", "name": "incidents"}
    (action,) = body["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("approve", "ask", "run-1")
    assert {"action_ts", "text", "type"} <= action.keys()
    assert body["response_url"].startswith(slack.origin)
    assert body["trigger_id"]
    assert body["state"] == {"values": {}}


async def test_the_newest_button_of_that_name_is_clicked(bot: Bot, slack: LocalSlack) -> None:
    """With two equal buttons the later message wins, unless a message is named."""
    got = await listen(bot, "approve")
    first = await ask(bot, button("approve", "Approve", value="1"))
    await ask(bot, button("approve", "Approve", value="2"))
    ana = slack.person("ana")
    await ana.clicks("Approve")
    await ana.clicks("Approve", message=first)
    assert [(await got.get())["actions"][0]["value"] for _ in range(2)] == ["2", "1"]


async def test_replace_and_delete_original_through_the_response_url(bot: Bot, slack: LocalSlack) -> None:
    """A response_url of a click can rewrite the message it came from, and remove it."""
    got = await listen(bot, "approve")
    await ask(bot, button("approve", "Approve"))
    ana = slack.person("ana")
    await ana.clicks("Approve")
    hook = AsyncWebhookClient((await got.get())["response_url"])
    await hook.send(text="Approved by Ana", replace_original=True)
    assert (await slack.person("ben").sees("Approved by Ana")).surface == "message"
    assert not any("Approve" in str(each.raw.get("blocks", "")) for each in ana.screen())
    await hook.send(delete_original=True)
    await ana.no_longer_sees("Approved by Ana")


async def test_an_ephemeral_message_can_be_clicked_by_its_user_only(bot: Bot, slack: LocalSlack) -> None:
    """Its click has no `message`, and others have nothing to click."""
    got = await listen(bot, "approve")
    blocks = [{"type": "actions", "elements": [button("approve", "Approve")]}]
    await bot.client.chat_postEphemeral(channel="C0INCIDENTS", user="U0ANA", text="psst", blocks=blocks)
    await slack.person("ana").clicks("Approve")
    body = await got.get()
    assert body["container"]["is_ephemeral"] is True
    assert "message" not in body
    with pytest.raises(AssertionError, match="ben did not see anything called 'Approve'"):
        await slack.person("ben").clicks("Approve", within=0.05)
    await AsyncWebhookClient(body["response_url"]).send(delete_original=True)
    assert all(each.surface != "ephemeral" for each in slack.person("ana").screen())


async def test_a_select_brings_the_whole_option_and_stays_in_the_state(bot: Bot, slack: LocalSlack) -> None:
    """Choosing sends the option, and a later click reports it in state.values beside untouched elements as null."""
    got = await listen(bot, "pick")
    later: asyncio.Queue[Payload] = asyncio.Queue()

    @bot.app.action("go")
    async def go(ack: Any, body: Payload) -> None:
        await ack()
        later.put_nowait(body)

    options = [{"text": {"type": "plain_text", "text": each}, "value": each.lower()} for each in ("One", "Two")]
    select = {"type": "static_select", "action_id": "pick", "options": options}
    date = {"type": "datepicker", "action_id": "day"}
    await ask(bot, select, date, button("go", "Go"))
    ana = slack.person("ana")
    await ana.selects("pick", "Two")
    assert (await got.get())["actions"][0]["selected_option"] == options[1]
    await ana.clicks("Go")
    values = (await later.get())["state"]["values"]["ask"]
    assert values["pick"] == {"type": "static_select", "selected_option": options[1]}
    assert values["day"] == {"type": "datepicker", "selected_date": None}
    with pytest.raises(PersonError, match="no option 'Three'"):
        await ana.selects("pick", "Three")


async def test_an_external_select_asks_the_bot_for_its_options(bot: Bot, slack: LocalSlack) -> None:
    """block_suggestion brings what was typed; the chosen option must be one the bot offered."""
    got = await listen(bot, "search")
    option = {"text": {"type": "plain_text", "text": "RB-011"}, "value": "rb-011"}
    asked: list[str] = []

    @bot.app.options("search")
    async def options(ack: Any, body: Payload) -> None:
        asked.append(body["value"])
        await ack(options=[option])

    await ask(bot, {"type": "external_select", "action_id": "search", "min_query_length": 1})
    await slack.person("ana").selects("search", "rb-011")
    assert (await got.get())["actions"][0]["selected_option"] == option
    assert asked == ["rb-011"]


async def test_shortcuts_arrive_with_their_subject(bot: Bot, slack: LocalSlack) -> None:
    """A message shortcut carries the message, a global one only the person."""
    got: asyncio.Queue[Payload] = asyncio.Queue()

    @bot.app.shortcut("run_on_this")
    @bot.app.shortcut("open_incident")
    async def use(ack: Any, body: Payload) -> None:
        await ack()
        got.put_nowait(body)

    await bot.connect()
    ana = slack.person("ana")
    await ana.types("the site is down", "#incidents")
    await ana.uses_shortcut("run_on_this", await ana.sees("the site is down"))
    on_message = await got.get()
    assert (on_message["type"], on_message["message"]["text"]) == ("message_action", "the site is down")
    assert on_message["response_url"]
    await ana.uses_shortcut("open_incident")
    assert (await got.get())["type"] == "shortcut"


class TestWithAShortDeadline:
    """A bot that does not acknowledge a click in time."""

    @pytest.fixture
    def timing(self) -> Timing:
        """An ack deadline that tests can wait for."""
        return Timing(ack=0.2)

    async def test_the_clicker_is_warned(self, bot: Bot, slack: LocalSlack) -> None:
        """Only the one who clicked reads that it failed."""
        released = asyncio.Event()

        @bot.app.action("approve")
        async def act(ack: Any) -> None:
            await released.wait()
            await ack()

        await bot.connect()
        await ask(bot, button("approve", "Approve"))
        ana = slack.person("ana")
        await ana.clicks("Approve")
        assert (await ana.sees("operation_timeout")).surface == "ephemeral"
        assert not any("operation_timeout" in each.text for each in slack.person("ben").screen())
        released.set()


async def heard(bot: Bot, event: str) -> asyncio.Queue[Payload]:
    """Connect a bot that queues the events of one type."""
    got: asyncio.Queue[Payload] = asyncio.Queue()

    @bot.app.event(event)
    async def hear(event: Payload) -> None:
        got.put_nowait(event)

    await bot.connect()
    return got


async def test_a_mention_in_a_joined_channel_is_heard(bot: Bot, slack: LocalSlack) -> None:
    """Typing the bot's name becomes a mention, in a thread too."""
    got = await heard(bot, "app_mention")
    ana = slack.person("ana")
    ts = await ana.types("it is down again & again", "#incidents")
    await ana.types("@Runbook Bot help", "#incidents", thread_ts=ts)
    event = await got.get()
    assert event["text"] == f"<@{slack.space.bot_user}> help"
    assert (event["channel"], event["thread_ts"], event["user"]) == ("C0INCIDENTS", ts, "U0ANA")


async def test_a_mention_elsewhere_is_answered_by_slackbot(bot: Bot, slack: LocalSlack) -> None:
    """Where the bot is no member it hears nothing, and the person is told."""
    await heard(bot, "app_mention")
    ana = slack.person("ana")
    await ana.types("@Runbook Bot help", "#elsewhere")
    await ana.sees("not in this channel")
    assert slack.journal.deliveries() == []


async def test_a_direct_message_is_heard(bot: Bot, slack: LocalSlack) -> None:
    """message.im arrives with channel_type im; the bot's own answer is not handed to its listeners."""
    got = await heard(bot, "message")
    ana = slack.person("ana")
    await ana.types("hello", slack.space.bot_user)
    event = await got.get()
    assert (event["text"], event["channel_type"]) == ("hello", "im")
    await bot.client.chat_postMessage(channel=event["channel"], text="hi")
    await ana.sees("hi")
    assert got.empty()


async def test_events_the_manifest_does_not_ask_for_are_not_sent(bot: Bot, slack: LocalSlack) -> None:
    """Channel messages are not subscribed to, reactions are."""
    got = await heard(bot, "reaction_added")
    ana = slack.person("ana")
    await ana.types("look", "#incidents")
    await ana.reacts(await ana.sees("look"), "eyes")
    event = await got.get()
    assert (event["reaction"], event["item"]["channel"]) == ("eyes", "C0INCIDENTS")
    assert [entry.name for entry in slack.journal.deliveries()] == ["reaction_added"]


async def test_joining_and_archiving_are_heard(bot: Bot, slack: LocalSlack) -> None:
    """member_joined_channel names the inviter, channel_archive the channel."""
    joined = await heard(bot, "member_joined_channel")
    archived: asyncio.Queue[Payload] = asyncio.Queue()

    @bot.app.event("channel_archive")
    async def hear(event: Payload) -> None:
        archived.put_nowait(event)

    channel = (await bot.client.conversations_create(name="inc-1"))["channel"]["id"]
    await bot.client.conversations_invite(channel=channel, users=["U0ANA", "U0BEN"])
    assert {(await joined.get())["user"] for _ in range(2)} == {"U0ANA", "U0BEN"}
    await slack.person("ana").archives("inc-1")
    assert (await archived.get())["channel"] == channel


async def test_a_changed_user_group_is_heard(bot: Bot, slack: LocalSlack) -> None:
    """Who came and who went is in subteam_members_changed, and the list answers anew."""
    got = await heard(bot, "subteam_members_changed")
    slack.regroup("billing", "ana", "chloe")
    event = await got.get()
    assert (event["added_users"], event["removed_users"]) == (["U0ANA", "U0CHLOE"], ["U0BEN"])
    assert (await bot.client.usergroups_users_list(usergroup="S0BILLING"))["users"] == ["U0ANA", "U0CHLOE"]
