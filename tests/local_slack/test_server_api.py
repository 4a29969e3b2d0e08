"""The web API: who may call what, how arguments arrive, messages, pages, marks, users."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.sandbox.slack import LocalSlack
from tests.local_slack.workspace_parts import MANIFEST, SEED, ManualClock, button

pytestmark = pytest.mark.local_slack

INCIDENTS = "C0INCIDENTS"


async def refusal(call: Any) -> dict[str, Any]:
    """The body of a refused call."""
    with pytest.raises(SlackApiError) as refused:
        await call
    answer = refused.value.response
    assert isinstance(answer, AsyncSlackResponse)
    assert isinstance(answer.data, dict)
    return answer.data


async def test_auth_test_names_the_bot(client: AsyncWebClient, slack: LocalSlack) -> None:
    """auth.test answers team, bot user and bot id."""
    answer = await client.auth_test()
    assert (answer["team"], answer["user_id"], answer["bot_id"]) == ("Acme", slack.space.bot_user, slack.space.bot_id)


@pytest.mark.parametrize(
    ("token", "error"),
    [(None, "not_authed"), ("xoxb-wrong", "invalid_auth"), ("app", "not_allowed_token_type")],
)
async def test_tokens_are_checked(
    slack: LocalSlack, session: aiohttp.ClientSession, token: str | None, error: str
) -> None:
    """A missing, a wrong and the app's token are three different errors."""
    given = slack.app_token if token == "app" else token
    client = AsyncWebClient(token=given, base_url=slack.base_url, session=session)
    assert (await refusal(client.users_list()))["error"] == error


async def test_the_bots_token_opens_no_socket(client: AsyncWebClient) -> None:
    """apps.connections.open wants the app-level token."""
    answer = await refusal(client.api_call("apps.connections.open"))
    assert answer["error"] == "not_allowed_token_type"


async def test_an_unknown_method_is_named(client: AsyncWebClient) -> None:
    """A method that does not exist is unknown_method."""
    answer = await refusal(client.api_call("chat.shout"))
    assert (answer["error"], answer["req_method"]) == ("unknown_method", "chat.shout")


async def test_a_missing_scope_says_what_is_needed_and_provided(session: aiohttp.ClientSession) -> None:
    """Scopes come from the manifest; the refusal lists both sides."""
    manifest = MANIFEST | {"oauth_config": {"scopes": {"bot": ["users:read"]}}}
    async with LocalSlack(SEED, manifest) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.base_url, session=session)
        answer = await refusal(client.chat_postMessage(channel=INCIDENTS, text="x"))
        assert (answer["error"], answer["needed"], answer["provided"]) == ("missing_scope", "chat:write", "users:read")
        assert "email" not in (await client.users_info(user="U0ANA"))["user"]["profile"]


async def test_arguments_come_by_query_form_json_and_multipart(
    slack: LocalSlack, session: aiohttp.ClientSession
) -> None:
    """The same post works in all four ways, blocks as JSON or as a string of it, the token in the header or not."""
    url = f"{slack.base_url}chat.postMessage"
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "hi"}}]
    plain = {"channel": INCIDENTS, "text": "x", "blocks": json.dumps(blocks)}
    header = {"Authorization": f"Bearer {slack.bot_token}"}
    multipart = aiohttp.FormData(plain, default_to_multipart=True)
    requests: list[dict[str, Any]] = [
        {"params": plain, "headers": header},
        {"data": plain | {"token": slack.bot_token}},
        {"json": {"channel": INCIDENTS, "blocks": blocks}, "headers": header},
        {"data": multipart, "headers": header},
    ]
    for request in requests:
        async with session.post(url, **request) as answer:
            body = await answer.json()
            assert body["ok"], body
            assert body["message"]["blocks"][0]["text"]["text"] == "hi"


async def test_broken_json_is_invalid_json(slack: LocalSlack, session: aiohttp.ClientSession) -> None:
    """A JSON body that does not parse is refused as such."""
    headers = {"Authorization": f"Bearer {slack.bot_token}", "Content-Type": "application/json"}
    async with session.post(f"{slack.base_url}chat.postMessage", data="{", headers=headers) as answer:
        assert (await answer.json())["error"] == "invalid_json"


async def test_a_message_is_stored_with_ids_and_a_unique_ts(client: AsyncWebClient) -> None:
    """Blocks and elements without ids get some, as Slack does; time stamps never repeat under a standing clock."""
    blocks = [{"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Go"}}]}]
    sent = [await client.chat_postMessage(channel="#incidents", text="x", blocks=blocks) for _ in range(3)]
    stamps = [answer["ts"] for answer in sent]
    assert stamps == sorted(set(stamps))
    block = sent[0]["message"]["blocks"][0]
    assert block["block_id"]
    assert block["elements"][0]["action_id"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C404", "text": "x"}, "channel_not_found"),
        ({"channel": "C0SECRET", "text": "x"}, "channel_not_found"),
        ({"channel": "C0ELSEWHERE", "text": "x"}, "not_in_channel"),
        ({"channel": INCIDENTS}, "no_text"),
        ({"channel": INCIDENTS, "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": INCIDENTS, "text": "x", "attachments": [{"text": "a"}] * 101}, "too_many_attachments"),
        (
            {
                "channel": INCIDENTS,
                "text": "x",
                "blocks": [{"type": "section", "text": {"type": "plain_text", "text": "a" * 2900}}] * 6,
            },
            "msg_blocks_too_long",
        ),
    ],
)
async def test_posts_that_slack_refuses(client: AsyncWebClient, arguments: dict[str, Any], error: str) -> None:
    """Each refusal has Slack's own name."""
    assert (await refusal(client.api_call("chat.postMessage", json=arguments)))["error"] == error


async def test_invalid_blocks_come_with_places(client: AsyncWebClient) -> None:
    """A button text of 76 characters is invalid_blocks with a JSON pointer."""
    blocks = [{"type": "actions", "elements": [button("a", "x" * 76)]}]
    answer = await refusal(client.chat_postMessage(channel=INCIDENTS, text="x", blocks=blocks))
    assert answer["error"] == "invalid_blocks"
    assert "[json-pointer:/blocks/0/elements/0/text/text]" in answer["errors"][0]
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {answer['errors'][0]}"]


async def test_blocks_validate_needs_no_token(slack: LocalSlack, session: aiohttp.ClientSession) -> None:
    """It lists every problem with code, pointer and constraint."""
    client = AsyncWebClient(base_url=slack.base_url, session=session)
    good = [{"type": "divider"}]
    assert (await client.api_call("blocks.validate", json={"blocks": good}))["ok"]
    bad = [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    answer = await refusal(client.api_call("blocks.validate", json={"blocks": bad}))
    assert answer["errors"][0]["pointer"] == "/blocks/0/text/text"
    assert answer["errors"][0]["constraint"]["max"] == 150


async def test_update_keeps_what_is_not_given(client: AsyncWebClient, slack: LocalSlack) -> None:
    """New text alone keeps the blocks; an empty list removes them and shows the message as edited."""
    blocks = [{"type": "divider"}]
    ts = (await client.chat_postMessage(channel=INCIDENTS, text="one", blocks=blocks))["ts"]
    kept = await client.chat_update(channel=INCIDENTS, ts=ts, text="two")
    assert kept["message"]["blocks"][0]["type"] == "divider"
    bare = await client.chat_update(channel=INCIDENTS, ts=ts, text="three", blocks=[])
    assert "blocks" not in bare["message"]
    assert bare["message"]["edited"]["user"] == slack.space.bot_user


async def test_only_own_messages_change(client: AsyncWebClient, slack: LocalSlack) -> None:
    """A person's message can be neither updated nor deleted, a missing one is not found."""
    ts = await slack.person("ana").types("mine", "#incidents")
    assert (await refusal(client.chat_update(channel=INCIDENTS, ts=ts, text="x")))["error"] == "cant_update_message"
    assert (await refusal(client.chat_delete(channel=INCIDENTS, ts=ts)))["error"] == "cant_delete_message"
    gone = client.chat_update(channel=INCIDENTS, ts="1.000001", text="x")
    assert (await refusal(gone))["error"] == "message_not_found"


async def test_history_pages_newest_first_without_replies(client: AsyncWebClient) -> None:
    """Seven messages come in pages of three; a reply is only in its thread, and a new message shifts nothing."""
    stamps = [(await client.chat_postMessage(channel=INCIDENTS, text=str(n)))["ts"] for n in range(7)]
    await client.chat_postMessage(channel=INCIDENTS, text="reply", thread_ts=stamps[0])
    texts: list[str] = []
    cursor = ""
    while True:
        answer = await client.conversations_history(channel=INCIDENTS, limit=3, cursor=cursor)
        texts += [message["text"] for message in answer["messages"]]
        cursor = answer["response_metadata"]["next_cursor"]
        assert answer["has_more"] == bool(cursor)
        if not cursor:
            break
        await client.chat_postMessage(channel=INCIDENTS, text="new")
    assert texts == ["6", "5", "4", "3", "2", "1", "0"]


async def test_replies_bring_the_parent_first(client: AsyncWebClient) -> None:
    """A thread is its parent with counts, then the replies in order."""
    parent = (await client.chat_postMessage(channel=INCIDENTS, text="parent"))["ts"]
    for text in ("a", "b"):
        await client.chat_postMessage(channel=INCIDENTS, text=text, thread_ts=parent)
    messages = (await client.conversations_replies(channel=INCIDENTS, ts=parent))["messages"]
    assert [message["text"] for message in messages] == ["parent", "a", "b"]
    assert (messages[0]["reply_count"], messages[0]["latest_reply"]) == (2, messages[2]["ts"])


async def test_lists_are_cut_into_pages(client: AsyncWebClient) -> None:
    """The SDK's own iteration follows next_cursor to the end; a made-up cursor is invalid_cursor."""
    for number in range(5):
        await client.conversations_create(name=f"inc-{number}")
    names = []
    async for answer in await client.conversations_list(limit=2):
        assert len(answer["channels"]) <= 2
        names += [channel["name"] for channel in answer["channels"]]
    assert names == ["general", "incidents", "elsewhere", *[f"inc-{number}" for number in range(5)]]
    assert (await refusal(client.conversations_list(cursor="nonsense!")))["error"] == "invalid_cursor"


async def test_scheduled_messages_are_posted_when_due(
    client: AsyncWebClient, slack: LocalSlack, clock: ManualClock
) -> None:
    """Nothing before its time, and nothing once deleted."""
    at = int(clock()) + 60
    await client.chat_scheduleMessage(channel=INCIDENTS, post_at=at, text="later")
    second = await client.chat_scheduleMessage(channel=INCIDENTS, post_at=at, text="never")
    await client.chat_deleteScheduledMessage(channel=INCIDENTS, scheduled_message_id=second["scheduled_message_id"])
    slack.tick()
    ana = slack.person("ana")
    assert ana.screen() == []
    clock.advance(60)
    slack.tick()
    assert [seen.text for seen in ana.screen()] == ["later"]
    past = client.chat_scheduleMessage(channel=INCIDENTS, post_at=at - 60, text="x")
    assert (await refusal(past))["error"] == "time_in_past"


async def test_pins_bookmarks_and_reactions(client: AsyncWebClient) -> None:
    """Each is added once, listed and removed."""
    ts = (await client.chat_postMessage(channel=INCIDENTS, text="headline"))["ts"]
    await client.pins_add(channel=INCIDENTS, timestamp=ts)
    assert (await refusal(client.pins_add(channel=INCIDENTS, timestamp=ts)))["error"] == "already_pinned"
    assert [item["message"]["ts"] for item in (await client.pins_list(channel=INCIDENTS))["items"]] == [ts]
    await client.pins_remove(channel=INCIDENTS, timestamp=ts)
    assert (await client.pins_list(channel=INCIDENTS))["items"] == []
    added = await client.bookmarks_add(channel_id=INCIDENTS, title="Review", type="link", link="https://example.com")
    identity = added["bookmark"]["id"]
    await client.bookmarks_edit(channel_id=INCIDENTS, bookmark_id=identity, title="Post-incident review")
    listed = (await client.bookmarks_list(channel_id=INCIDENTS))["bookmarks"]
    assert [(each["title"], each["link"]) for each in listed] == [("Post-incident review", "https://example.com")]
    await client.bookmarks_remove(channel_id=INCIDENTS, bookmark_id=identity)
    await client.reactions_add(channel=INCIDENTS, timestamp=ts, name="eyes")
    again = client.reactions_add(channel=INCIDENTS, timestamp=ts, name="eyes")
    assert (await refusal(again))["error"] == "already_reacted"
    await client.reactions_remove(channel=INCIDENTS, timestamp=ts, name="eyes")
    assert "reactions" not in (await client.reactions_get(channel=INCIDENTS, timestamp=ts))["message"]


async def test_people_and_groups_are_found(client: AsyncWebClient) -> None:
    """Users by list, id and address; a group with its users; a direct conversation is the same every time."""
    members = {member["name"] for member in (await client.users_list())["members"]}
    assert {"ana", "ben", "chloe", "slackbot", "runbook_bot"} == members
    assert (await client.users_lookupByEmail(email="BEN@example.com"))["user"]["id"] == "U0BEN"
    assert (await refusal(client.users_lookupByEmail(email="x@y.z")))["error"] == "users_not_found"
    (group,) = (await client.usergroups_list(include_users=True))["usergroups"]
    assert (group["handle"], group["users"]) == ("billing", ["U0BEN"])
    assert (await client.usergroups_users_list(usergroup=group["id"]))["users"] == ["U0BEN"]
    first = await client.conversations_open(users=["U0ANA"])
    assert first["channel"]["id"] == (await client.conversations_open(users="U0ANA"))["channel"]["id"]
    mine = await client.users_conversations(types="public_channel")
    assert [channel["name"] for channel in mine["channels"]] == ["incidents"]


async def test_a_file_goes_up_in_three_steps(
    client: AsyncWebClient, slack: LocalSlack, session: aiohttp.ClientSession
) -> None:
    """files_upload_v2 works unchanged: the message has the file, its bytes come back with the token only."""
    ts = (await client.chat_postMessage(channel=INCIDENTS, text="result"))["ts"]
    uploaded = await client.files_upload_v2(
        channel=INCIDENTS, content="a,b\n1,2\n", filename="rows.csv", title="Rows", initial_comment="all", thread_ts=ts
    )
    file = uploaded["files"][0]
    seen = await slack.person("ben").sees("Rows")
    assert (seen.thread_ts, seen.raw["files"][0]["id"]) == (ts, file["id"])
    header = {"Authorization": f"Bearer {slack.bot_token}"}
    async with session.get(file["url_private"], headers=header) as answer:
        assert (await answer.text(), answer.content_type) == ("a,b\n1,2\n", "text/csv")
    async with session.get(file["url_private"]) as answer:
        assert answer.status == 401
    assert (await client.files_info(file=file["id"]))["file"]["size"] == 8
    await client.files_delete(file=file["id"])
    assert (await client.files_list())["files"] == []
