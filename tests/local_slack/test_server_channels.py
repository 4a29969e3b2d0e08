"""Channels over the web API: names, members, topics, archives."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import LocalSlack
from bot.sandbox.slack.errors import LocalSlackError
from bot.sandbox.slack.seeds import read_seed

pytestmark = pytest.mark.local_slack


async def error_of(call: Any) -> str:
    """The error a call is refused with."""
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "invalid_name_required"),
        ("x" * 81, "invalid_name_maxlength"),
        ("Inc-1", "invalid_name_specials"),
        ("inc 1", "invalid_name_specials"),
        ("---", "invalid_name_punctuation"),
        ("incidents", "name_taken"),
    ],
)
async def test_names_slack_refuses(client: AsyncWebClient, name: str, error: str) -> None:
    """Each rule about a channel's name has its own error."""
    assert await error_of(client.conversations_create(name=name)) == error


async def test_the_creator_is_the_first_member(client: AsyncWebClient, slack: LocalSlack) -> None:
    """A new channel has the bot in it and nobody else, and can be private."""
    channel = (await client.conversations_create(name="inc-1", is_private=True))["channel"]
    members = (await client.conversations_members(channel=channel["id"]))["members"]
    assert (members, channel["is_private"], channel["is_member"]) == ([slack.space.bot_user], True, True)


async def test_an_archived_channel_keeps_its_name(client: AsyncWebClient) -> None:
    """After archiving, posting is refused, archiving again too, and the name stays taken."""
    channel = (await client.conversations_create(name="inc-1"))["channel"]["id"]
    await client.conversations_archive(channel=channel)
    assert await error_of(client.chat_postMessage(channel=channel, text="x")) == "is_archived"
    assert await error_of(client.conversations_archive(channel=channel)) == "already_archived"
    assert await error_of(client.conversations_create(name="inc-1")) == "name_taken"
    left = (await client.conversations_list(exclude_archived=True))["channels"]
    assert "inc-1" not in [each["name"] for each in left]
    await client.conversations_unarchive(channel=channel)
    await client.chat_postMessage(channel=channel, text="back")


async def test_inviting(client: AsyncWebClient) -> None:
    """People get in once; one bad name refuses all, unless forced."""
    channel = (await client.conversations_create(name="inc-1"))["channel"]["id"]
    await client.conversations_invite(channel=channel, users=["U0ANA"])
    assert await error_of(client.conversations_invite(channel=channel, users=["U0ANA"])) == "already_in_channel"
    assert await error_of(client.conversations_invite(channel=channel, users=["U0BEN", "U404"])) == "user_not_found"
    assert "U0BEN" not in (await client.conversations_members(channel=channel))["members"]
    forced = await client.conversations_invite(channel=channel, users=["U0BEN", "U404"], force=True)
    assert forced["errors"] == [{"user": "U404", "ok": False, "error": "user_not_found"}]
    assert "U0BEN" in (await client.conversations_members(channel=channel))["members"]
    await client.conversations_kick(channel=channel, user="U0BEN")
    assert "U0BEN" not in (await client.conversations_members(channel=channel))["members"]


async def test_topic_and_purpose_have_a_limit(client: AsyncWebClient) -> None:
    """250 characters fit, 251 are too_long; only a member may set them."""
    await client.conversations_setTopic(channel="C0INCIDENTS", topic="x" * 250)
    assert await error_of(client.conversations_setTopic(channel="C0INCIDENTS", topic="x" * 251)) == "too_long"
    assert await error_of(client.conversations_setTopic(channel="C0ELSEWHERE", topic="x")) == "not_in_channel"
    await client.conversations_setPurpose(channel="C0INCIDENTS", purpose="why")
    info = (await client.conversations_info(channel="C0INCIDENTS"))["channel"]
    assert (info["topic"]["value"], info["purpose"]["value"]) == ("x" * 250, "why")


async def test_joining_and_leaving(client: AsyncWebClient) -> None:
    """A public channel can be joined and left; a private one that the bot is not in does not exist for it."""
    await client.conversations_join(channel="C0ELSEWHERE")
    await client.chat_postMessage(channel="C0ELSEWHERE", text="here")
    await client.conversations_leave(channel="C0ELSEWHERE")
    assert await error_of(client.chat_postMessage(channel="C0ELSEWHERE", text="x")) == "not_in_channel"
    assert await error_of(client.conversations_join(channel="C0SECRET")) == "channel_not_found"


async def test_renaming(client: AsyncWebClient) -> None:
    """The bot may rename what it created, and the old name is remembered."""
    channel = (await client.conversations_create(name="inc-1"))["channel"]["id"]
    renamed = (await client.conversations_rename(channel=channel, name="inc-1-done"))["channel"]
    assert (renamed["name"], renamed["previous_names"]) == ("inc-1-done", ["inc-1"])
    assert await error_of(client.conversations_rename(channel="C0INCIDENTS", name="mine")) == "not_authorized"


OWN, OTHER = "T0LOCAL001", "T0OTHERORG"


@pytest.mark.parametrize(
    ("sharing", "told", "teams"),
    [
        ("", (False, False, False), [OWN]),
        ("shared", (True, True, False), [OWN, OTHER]),
        ("pending", (False, False, True), [OWN]),
    ],
)
async def test_a_channel_may_be_shared(
    client: AsyncWebClient, slack: LocalSlack, sharing: Any, told: tuple[bool, ...], teams: list[str]
) -> None:
    """conversations.info tells a channel shared with another organisation, and one whose sharing is not accepted."""
    channel = slack.space.channels[str((await client.conversations_create(name="partners"))["channel"]["id"])]
    channel.sharing = sharing
    info = (await client.conversations_info(channel=channel.id))["channel"]
    assert (info["is_shared"], info["is_ext_shared"], info["is_pending_ext_shared"]) == told
    assert (info["shared_team_ids"], info["pending_shared"]) == (teams, [OTHER] if sharing == "pending" else [])


def test_a_seed_says_how_a_channel_is_shared() -> None:
    """A seed may share a channel, and only in Slack's own ways."""
    seed = read_seed({"channels": [{"name": "ours"}, {"name": "theirs", "sharing": "shared"}]})
    assert {each.name: each.sharing for each in seed.channels} == {"general": "", "ours": "", "theirs": "shared"}
    with pytest.raises(LocalSlackError, match="cannot be 'half'"):
        read_seed({"channels": [{"name": "x", "sharing": "half"}]})
