"""The client over a real wire: once each, in order, at Slack's pace, through 429s, 500s and broken connections."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import web

from bot.errors import Misconfigured, Unavailable
from bot.sandbox.slack import LocalSlack
from bot.slack.channels import Channel
from bot.slack.client import SlackClient
from bot.slack.replies import Archived, ChannelGone, MessageGone, SlackRefused, Stale, Unanswered
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit
from bot.slack.views.kit import CsvFile, Message, PictureFile, TextFile
from tests.slack.conftest import Ticks

MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Hi"},
    "blocks": [{"type": "divider"}],
}


def said(text: str) -> Message:
    """A small message."""
    return Message([kit.rich(kit.line(kit.t(text)))], text)


def channel(slack: LocalSlack, name: str = "incidents") -> str:
    """A channel's id."""
    found = slack.space.find_channel(name)
    assert found is not None
    return found.id


async def history(client: SlackClient, where: str) -> list[Mapping[str, Any]]:
    """What stands in a channel, newest first, without joins and the like."""
    answer = await client.calls.call("conversations.history", {"channel": where}, get=True)
    return [each for each in answer["messages"] if not each.get("subtype") or each.get("files")]


async def test_posts_threads_updates_and_links(slack: LocalSlack, client: SlackClient) -> None:
    """A message is posted with its blocks, answered in its thread, changed and linked to."""
    where = channel(slack)
    ts = await client.post(where, said("first"))
    await client.post(where, said("below"), thread_ts=ts)
    await client.update(where, ts, said("changed"))
    (message,) = await history(client, where)
    assert (message["text"], message["reply_count"]) == ("changed", 1)
    assert message["blocks"][0]["elements"][0]["elements"][0]["text"] == "changed"
    assert ts.replace(".", "") in await client.permalink(where, ts)


async def test_a_broken_connection_never_posts_twice(slack: LocalSlack, client: SlackClient) -> None:
    """The connection breaks after the post took effect: it is not sent again, and the caller is told so."""
    where = channel(slack)
    slack.fault("drop", "chat.postMessage", after=True)
    with pytest.raises(Unanswered):
        await client.post(where, said("once"))
    assert len(await history(client, where)) == 1


async def test_a_broken_connection_repeats_what_may_be_repeated(slack: LocalSlack, client: SlackClient) -> None:
    """A change of a message is made again after a broken connection, because twice is the same as once."""
    where = channel(slack)
    ts = await client.post(where, said("first"))
    slack.fault("drop", "chat.update", after=True, times=2)
    await client.update(where, ts, said("changed"))
    assert [message["text"] for message in await history(client, where)] == ["changed"]


async def test_retry_after_holds_every_task(slack: LocalSlack, client: SlackClient, ticks: Ticks) -> None:
    """Failure mode 17: one 429 makes every call of that method wait; nobody else runs into it."""
    user = slack.person("ana").id
    slack.fault("ratelimit", "users.info", retry_after=30)
    await asyncio.gather(*(client.calls.call("users.info", {"user": user}, get=True) for _ in range(5)))
    tried = slack.journal.calls("users.info")
    assert len([entry for entry in tried if entry.detail.get("fault")]) == 1
    assert max(ticks.slept) == pytest.approx(30, abs=0.1)


async def test_a_429_with_a_body_that_is_no_json(slack: LocalSlack, client: SlackClient) -> None:
    """Slack's edge answers 429 in plain text: it counts as a pause all the same, also for a post."""
    slack.fault("http", "chat.postMessage", status=429)
    assert await client.post(channel(slack), said("x"))
    assert len(await history(client, channel(slack))) == 1


async def test_too_long_a_pause_is_an_error(slack: LocalSlack, client: SlackClient) -> None:
    """A Retry-After of ten minutes is not slept through; the caller is told."""
    slack.fault("ratelimit", "chat.postMessage", retry_after=600)
    with pytest.raises(Unavailable, match="too long a pause"):
        await client.post(channel(slack), said("x"))


@pytest.mark.parametrize("status", [500, 503])
async def test_server_errors(slack: LocalSlack, client: SlackClient, status: int) -> None:
    """After a 5xx without JSON a read is tried again; a post is not, since it may stand there already."""
    slack.fault("http", "users.info", status=status, times=2)
    assert await client.calls.call("users.info", {"user": slack.person("ana").id}, get=True)
    slack.fault("http", "chat.postMessage", status=status)
    with pytest.raises(Unanswered):
        await client.post(channel(slack), said("x"))


async def test_gives_up_in_the_end(slack: LocalSlack, client: SlackClient) -> None:
    """A Slack that stays down is an `Unavailable` after five tries, with a sentence."""
    slack.fault("http", "users.info", status=503, times=99)
    with pytest.raises(Unavailable, match="Slack"):
        await client.calls.call("users.info", {"user": "U1"}, get=True)
    assert len(slack.journal.calls("users.info")) == 5


async def test_updates_coalesce_and_the_latest_wins(slack: LocalSlack, client: SlackClient) -> None:
    """Failure mode 17: forty changes of one card at once are a few calls, and what stands there is the last."""
    where = channel(slack)
    ts = await client.post(where, said("0"))
    await asyncio.gather(*(client.update(where, ts, said(str(number))) for number in range(1, 41)))
    assert len(slack.journal.calls("chat.update")) <= 2
    assert [message["text"] for message in await history(client, where)] == ["40"]


async def test_a_newer_update_gets_its_chance_after_a_failed_one(slack: LocalSlack, client: SlackClient) -> None:
    """An update that Slack refuses does not take a newer one down with it."""
    where = channel(slack)
    ts = await client.post(where, said("0"))
    slack.fault("latency", "chat.update", seconds=0.2)
    slack.fault("error", "chat.update", error="cant_update_message")
    first = asyncio.create_task(client.update(where, ts, said("1")))
    await slack.wait_for(lambda: True if not any(f.kind == "latency" for f in slack.faults.planned) else None)
    slack.faults.clear()
    await asyncio.gather(first, client.update(where, ts, said("2")))
    assert [message["text"] for message in await history(client, where)] == ["2"]


async def test_a_message_a_second_per_channel(slack: LocalSlack, client: SlackClient, ticks: Ticks) -> None:
    """Posts to one channel come at most one a second after a burst of three, in order; another channel is free."""
    where = channel(slack)
    await asyncio.gather(*(client.post(where, said(str(number))) for number in range(8)))
    assert ticks.now - 1_000 == pytest.approx(5)
    texts = [message["text"] for message in await history(client, where)]
    assert texts == [str(number) for number in reversed(range(8))]
    before = ticks.now
    await client.post(await _other(client), said("free"))
    assert ticks.now == before


async def _other(client: SlackClient) -> str:
    return (await client.create_channel("another")).id


async def test_stays_within_real_rate_limits(ticks: Ticks) -> None:
    """Against a Slack that enforces its tiers on the same clock, no call of a busy bot is ever refused."""
    from tests.slack.conftest import MANIFEST, SEED

    async with (
        LocalSlack(SEED, MANIFEST, clock=lambda: 1.7e9 + ticks.now) as slack,
        SlackClient(slack.bot_token, base_url=slack.base_url, ticks=ticks, sleep=ticks.sleep) as client,
    ):
        where = channel(slack)
        posted = [await client.post(where, said(str(number))) for number in range(20)]
        for _ in range(5):
            await asyncio.gather(*(client.update(where, ts, said(f"x{ts}")) for ts in posted))
        answers = [entry.detail["answer"] for entry in slack.journal.calls()]
    assert answers
    assert not [answer for answer in answers if answer.get("error") == "ratelimited"]


async def test_an_endless_queue_is_refused() -> None:
    """What would have to wait longer than the client's patience is refused at once instead of piling up."""
    ticks = Ticks()
    async with LocalSlack({}, {"display_information": {"name": "x"}}, rate_limits=False) as slack:
        made = SlackClient(slack.bot_token, base_url=slack.base_url, ticks=ticks, sleep=ticks.sleep, patience=2)
        async with made as client:
            results = await asyncio.gather(*(client.post("C1", said("x")) for _ in range(30)), return_exceptions=True)
    refused = [each for each in results if isinstance(each, Unavailable) and "fewer messages" in str(each)]
    assert len(refused) == 30 - 5


async def test_invalid_blocks_fall_back_to_words(slack: LocalSlack, client: SlackClient) -> None:
    """Failure mode 14: what our own validator finds invalid goes out as words, says so, and takes old buttons away."""
    where = channel(slack)
    ts = await client.post(where, Message([*kit.actions([_button()])], "card"))
    broken: list[dict[str, Any]] = [kit.rich(kit.line(kit.t("the words"))), {"type": "nonsense"}]
    await client.update(where, ts, Message(broken, "card"))
    (message,) = await history(client, where)
    assert "the words" in message["text"]
    assert "buttons are missing" in message["text"]
    assert not [block for block in message.get("blocks", []) if block["type"] == "actions"]


def _button() -> dict[str, Any]:
    button = kit.button("Approve", Verb.APPROVE, Ref(run="r"))
    assert button is not None
    return button


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long"])
async def test_blocks_slack_refuses_fall_back_to_words_and_a_file(
    slack: LocalSlack, client: SlackClient, code: str
) -> None:
    """Failure mode 14: blocks that only Slack refuses go out as words, the whole of them in a file in the thread."""
    where = channel(slack)
    slack.fault("error", "chat.postMessage", error=code)
    long = "word " * 2_000
    ts = await client.post(where, Message([kit.rich(kit.line(kit.t(long)))], "card"))
    replies = await client.calls.call("conversations.replies", {"channel": where, "ts": ts}, get=True)
    first, with_file = replies["messages"]
    assert first["text"].startswith("word word")
    assert "…" in first["text"]
    assert with_file["files"][0]["size"] >= len(long.strip())


async def test_data_in_the_fallback_is_no_markup(slack: LocalSlack, client: SlackClient) -> None:
    """Failure mode 16: a refused message's words mention nobody."""
    where = channel(slack)
    slack.fault("error", "chat.postMessage", error="invalid_blocks")
    await client.post(where, said("<!channel> look"))
    (message,) = await history(client, where)
    assert "<!channel>" not in message["text"]


async def test_archived_channels_say_so(slack: LocalSlack, client: SlackClient) -> None:
    """Posting into an archived channel is an `Archived` error with a sentence, not tried again."""
    where = channel(slack)
    await slack.person("ana").archives("incidents")
    with pytest.raises(Archived, match="archived"):
        await client.post(where, said("x"))
    assert len(slack.journal.calls("chat.postMessage")) == 1


async def test_joins_a_public_channel_once(slack: LocalSlack, client: SlackClient) -> None:
    """Where the bot is not a member of a public channel it joins and posts; a private one is an error."""
    slack.fault("error", "chat.postMessage", error="not_in_channel")
    assert await client.post(channel(slack, "elsewhere"), said("hello"))
    assert len(slack.journal.calls("conversations.join")) == 1
    with pytest.raises(ChannelGone):
        await client.post(channel(slack, "secret"), said("hello"))


async def test_channel_names_that_are_taken(slack: LocalSlack, client: SlackClient) -> None:
    """Failure mode 18: a taken name, archived ones too, gets a suffix; a long name stays within 80 characters."""
    assert (await client.create_channel("elsewhere")).name == "elsewhere-2"
    await slack.person("ana").archives("elsewhere")
    assert (await client.create_channel("secret")).name == "secret-2"
    long = "x" * 79 + "-"
    assert (await client.create_channel(long)).name == "x" * 79


async def test_its_own_channel_is_adopted(slack: LocalSlack, client: SlackClient) -> None:
    """A channel made by an attempt whose answer was lost is taken over instead of a second one being made."""
    slack.fault("drop", "conversations.create", after=True)
    made = await client.create_channel("inc-007-x")
    assert made.name == "inc-007-x"
    assert await client.create_channel("inc-007-x") == Channel(made.id, "inc-007-x")


async def test_invites_everybody_it_can(slack: LocalSlack, client: SlackClient) -> None:
    """One unknown person, or one who is there already, does not keep the others out."""
    made = await client.create_channel("inc-001")
    ana, ben = slack.person("ana").id, slack.person("ben").id
    assert await client.invite(made.id, [ana]) == ()
    assert await client.invite(made.id, [ana, "U0NOBODY", ben, ben]) == ("U0NOBODY",)
    found = slack.space.find_channel("inc-001")
    assert found is not None
    assert {ana, ben} <= set(found.members)


async def test_topic_purpose_pin_and_bookmark(slack: LocalSlack, client: SlackClient) -> None:
    """The channel's fittings are set, topics are cut at 250 characters, pinning twice is no error."""
    where = channel(slack)
    ts = await client.post(where, said("headline"))
    await client.set_topic(where, "t" * 400)
    await client.set_purpose(where, "what for")
    await client.pin(where, ts)
    await client.pin(where, ts)
    await client.bookmark(where, "Runbook", "https://example.com/rb-011")
    found = slack.space.find_channel("incidents")
    assert found is not None
    assert found.topic.value == "t" * 249 + "…"


async def test_uploads_files_into_a_thread(slack: LocalSlack, client: SlackClient) -> None:
    """Several files arrive as one message in the thread, byte for byte."""
    where = channel(slack)
    ts = await client.post(where, said("card"))
    await client.upload(where, [CsvFile("rows.csv", b"a,b\r\n"), TextFile("all.txt", "ä".encode())], ts)
    replies = await client.calls.call("conversations.replies", {"channel": where, "ts": ts}, get=True)
    names = [file["name"] for file in replies["messages"][1]["files"]]
    assert names == ["rows.csv", "all.txt"]
    assert sorted(file.data or b"" for file in slack.space.files.values()) == [b"a,b\r\n", "ä".encode()]


async def test_a_picture_comes_with_its_words(slack: LocalSlack, client: SlackClient) -> None:
    """The alternative text goes with the picture, and the comment stands over it; other files have none."""
    files = (PictureFile("tiers.png", b"png", "Free 812, Starter 140"), CsvFile("rows.csv", b"a\r\n"))
    await client.upload(channel(slack), files, comment="Tiers &amp; plans")
    assert [file.alt_text for file in slack.space.files.values()] == ["Free 812, Starter 140", ""]
    assert "Tiers &amp; plans" in slack.person("ana").screen()[0].raw["text"]


async def test_whispers_where_the_bot_cannot_speak(slack: LocalSlack, client: SlackClient) -> None:
    """Failure mode 7: a person always gets an answer; in a direct message when the channel is closed to the bot."""
    ben = slack.person("ben")
    await client.whisper(channel(slack), ben.id, "not in this channel")
    await client.whisper(channel(slack, "secret"), ben.id, "in private")
    await ben.sees("in private")


async def test_late_forms_are_stale(slack: LocalSlack, client: SlackClient) -> None:
    """Failure mode 2: a trigger that is gone is a `Stale` error that asks to press again."""
    with pytest.raises((Stale, SlackRefused)):
        await client.open_view("1.2.abc", MODAL)
    slack.fault("error", "views.open", error="expired_trigger_id")
    with pytest.raises(Stale, match="too long"):
        await client.open_view("1.2.abc", MODAL)


async def test_an_invalid_form_is_not_sent(slack: LocalSlack, client: SlackClient) -> None:
    """A form our validator refuses is an error for the person, without a call to Slack."""
    with pytest.raises(Unavailable, match="more than Slack can show"):
        await client.open_view("1.2.abc", {**MODAL, "blocks": [{"type": "nonsense"}]})
    assert not slack.journal.calls("views.open")


async def test_home_is_published(slack: LocalSlack, client: SlackClient) -> None:
    """The Home tab is shown to the one person."""
    ana = slack.person("ana")
    await client.publish_home(ana.id, {"type": "home", "blocks": [kit.section("What waits for you")]})
    await ana.sees("What waits for you", surface="home")


@pytest.mark.parametrize("code", ["invalid_auth", "token_revoked"])
async def test_a_bad_token_is_misconfigured(slack: LocalSlack, client: SlackClient, code: str) -> None:
    """Token and scope errors are the operator's, with a hint and without the token."""
    slack.fault("error", "chat.postMessage", error=code)
    with pytest.raises(Misconfigured) as caught:
        await client.post(channel(slack), said("x"))
    assert slack.bot_token not in f"{caught.value} {caught.value.hint}"


async def test_a_deleted_message_is_gone(slack: LocalSlack, client: SlackClient) -> None:
    """Changing a message that was deleted is `MessageGone`."""
    with pytest.raises(MessageGone):
        await client.update(channel(slack), "1700000000.000001", said("x"))


async def test_proxies_of_the_environment_are_ignored(
    slack: LocalSlack, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTPS_PROXY and HTTP_PROXY, which the SDK would use even for a loopback address, change nothing."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with SlackClient(slack.bot_token, base_url=slack.base_url, ticks=ticks, sleep=ticks.sleep) as client:
        assert await client.post(channel(slack), said("x"))


async def test_plain_text_with_status_200_is_no_answer(ticks: Ticks) -> None:
    """A proxy in between that answers 200 in plain text is an unanswered call, not a crash inside the SDK."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<html>sign in</html>")

    app = web.Application()
    app.router.add_route("*", "/api/{method}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    try:
        async with SlackClient("xoxb-x", base_url=base, ticks=ticks, sleep=ticks.sleep) as client:
            with pytest.raises(Unanswered):
                await client.post("C1", said("x"))
    finally:
        await runner.cleanup()
