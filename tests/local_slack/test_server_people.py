"""The person's side over HTTP, as the page uses it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import LocalSlack, LocalSlackError, PersonError, PortInUseError
from tests.local_slack.workspace_parts import MANIFEST, SEED, Bot, button, modal

pytestmark = pytest.mark.local_slack

Payload = dict[str, Any]


class Page:
    """Calls the person API as a browser page of one user does."""

    def __init__(self, slack: LocalSlack, session: aiohttp.ClientSession, user: str = "U0ANA") -> None:
        self.origin, self.session, self.user = slack.origin, session, user

    async def get(self, name: str, /, **query: str) -> Payload:
        async with self.session.get(f"{self.origin}/_local/{name}", params={"user": self.user} | query) as answer:
            body: Payload = await answer.json()
            assert answer.status == (200 if body["ok"] else 400)
            return body

    async def post(self, name: str, /, **body: Any) -> Payload:
        async with self.session.post(f"{self.origin}/_local/{name}", json={"user": self.user} | body) as answer:
            said: Payload = await answer.json()
            assert answer.status == (200 if said["ok"] else 400)
            return said


@pytest.fixture
def page(slack: LocalSlack, session: aiohttp.ClientSession) -> Page:
    """Ana's page."""
    return Page(slack, session)


async def test_the_sidebar(page: Page) -> None:
    """State lists people, visible channels, commands and shortcuts; a private channel only to its members."""
    state = await page.get("state")
    assert state["team"]["name"] == "Acme"
    assert {"general", "incidents", "elsewhere"} <= {channel["name"] for channel in state["channels"]}
    assert "secret" not in {channel["name"] for channel in state["channels"]}
    assert [command["command"] for command in state["commands"]] == ["/runbook", "/page"]
    assert {shortcut["type"] for shortcut in state["shortcuts"]} == {"message", "global"}
    assert state["app"] == {"name": "Runbook Bot", "bot_user_id": "U0LOCALBOT", "home_tab": True}
    direct = [channel for channel in state["channels"] if channel["is_im"]]
    assert [(channel["im_user"], channel["name"]) for channel in direct] == [("U0LOCALBOT", "Runbook Bot")]


async def test_reading_a_channel_makes_it_read(page: Page, slack: LocalSlack) -> None:
    """Somebody else's message is unread until the channel is opened; it comes with its HTML."""

    async def unread() -> int:
        state = await page.get("state")
        return next(int(channel["unread"]) for channel in state["channels"] if channel["name"] == "incidents")

    ts = await slack.person("ben").types("it *burns*", "#incidents")
    assert await unread() == 1
    channel = await page.get("channel", channel="C0INCIDENTS")
    (message,) = channel["messages"]
    assert (message["ts"], message["name"], message["user"]) == (ts, "Ben Okoro", "U0BEN")
    assert "burns" in message["html"]
    assert await unread() == 0


async def test_a_thread(page: Page) -> None:
    """A reply is counted at its parent and shown in the thread."""
    parent = (await page.post("message", channel="C0INCIDENTS", text="down"))["ts"]
    await page.post("message", channel="C0INCIDENTS", text="since when?", thread_ts=parent)
    (shown,) = (await page.get("channel", channel="C0INCIDENTS"))["messages"]
    assert shown["thread"]["count"] == 1
    thread = (await page.get("thread", channel="C0INCIDENTS", ts=parent))["messages"]
    assert (thread[0]["ts"], len(thread)) == (parent, 2)


async def test_refusals_are_sentences(page: Page) -> None:
    """Unknown people, hidden channels and undeclared commands are 400 with words."""
    assert (await page.get("channel", channel="C0SECRET"))["error"].startswith("There is no channel")
    assert "not a valid command" in (await page.post("message", channel="C0INCIDENTS", text="/x"))["error"]
    assert (await page.post("message", user="U404", channel="C0INCIDENTS", text="x"))["ok"] is False
    assert (await page.post("click", container={"type": "view", "view_id": "V1"}, action_id="a"))["ok"] is False
    assert (await page.post("fault", kind="nonsense"))["error"].startswith("Unknown fault kind")


async def test_command_modal_and_submit(bot: Bot, page: Page, slack: LocalSlack) -> None:
    """A whole round: command, the modal with its HTML, an inline error, then accepted."""
    field = {"type": "plain_text_input", "action_id": "why"}
    block = {"type": "input", "block_id": "b", "label": {"type": "plain_text", "text": "Why"}, "element": field}
    view = modal(block, callback_id="form", submit={"type": "plain_text", "text": "Go"})

    @bot.app.command("/runbook")
    async def run(ack: Any, client: Any, body: Payload) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=view)
        await ack()

    @bot.app.view("form")
    async def submitted(ack: Any, body: Payload) -> None:
        why = body["view"]["state"]["values"]["b"]["why"]["value"]
        await ack(**({"response_action": "errors", "errors": {"b": "No."}} if why == "no" else {}))

    await bot.connect()
    assert (await page.get("view"))["view"] is None
    await page.post("command", channel="C0INCIDENTS", text="/runbook x")
    shown = (await page.get("view"))["view"]
    assert (shown["title"], shown["submit"], shown["depth"]) == ("Start", "Go", 1)
    assert 'name="b/why"' in shown["html"]
    refused = await page.post("submit", view_id=shown["id"], values={"b": {"why": "no"}})
    assert refused["errors"] == {"b": "No."}
    assert "No." in (await page.get("view"))["view"]["html"]
    assert "errors" not in await page.post("submit", view_id=shown["id"], values={"b": {"why": "yes"}})
    assert (await page.get("view"))["view"] is None


async def test_a_click_and_its_journal(bot: Bot, page: Page, slack: LocalSlack) -> None:
    """A click on a message is delivered and journalled with everything else."""

    @bot.app.action("approve")
    async def approve(ack: Any, respond: Any) -> None:
        await ack()
        await respond("done", replace_original=True)

    await bot.connect()
    blocks = [{"type": "actions", "block_id": "ask", "elements": [button("approve", "Approve", value="1")]}]
    ts = (await bot.client.chat_postMessage(channel="C0INCIDENTS", text="Sure?", blocks=blocks))["ts"]
    container = {"type": "message", "channel": "C0INCIDENTS", "ts": ts}
    assert (await page.post("click", container=container, block_id="ask", action_id="approve", value="1"))["ok"]
    await slack.person("ana").sees("done")
    async with page.session.get(f"{page.origin}/_local/journal", params={"since": "0"}) as answer:
        journal = await answer.json()
    kinds = {(entry["kind"], entry["name"]) for entry in journal}
    assert {("call", "chat.postMessage"), ("delivery", "block_actions"), ("hook", "actions")} <= kinds
    assert slack.bot_token not in json.dumps(journal)


async def test_home_reactions_joining_and_uploads(page: Page, client: AsyncWebClient, slack: LocalSlack) -> None:
    """The smaller acts each change what is shown."""
    await client.views_publish(user_id="U0ANA", view={"type": "home", "blocks": [{"type": "divider"}]})
    assert "<" in (await page.get("home"))["html"]
    ts = (await page.post("message", channel="C0INCIDENTS", text="look"))["ts"]
    await page.post("react", channel="C0INCIDENTS", ts=ts, name="eyes")
    form = aiohttp.FormData({"user": "U0ANA", "channel": "C0INCIDENTS"})
    form.add_field("file", b"12345", filename="log.txt", content_type="text/plain")
    async with page.session.post(f"{page.origin}/_local/upload", data=form) as answer:
        assert (await answer.json())["ok"]
    looked, uploaded = (await page.get("channel", channel="C0INCIDENTS"))["messages"]
    assert looked["reactions"] == [{"name": "eyes", "count": 1, "users": ["U0ANA"]}]
    (file,) = uploaded["files"]
    async with page.session.get(f"{page.origin}{file['url']}") as answer:
        assert await answer.read() == b"12345"
    chloe = Page(slack, page.session, "U0CHLOE")
    assert "Join #elsewhere" in (await chloe.post("message", channel="C0ELSEWHERE", text="x"))["error"]
    await chloe.post("join", channel="C0ELSEWHERE")
    assert (await chloe.post("message", channel="C0ELSEWHERE", text="x"))["ok"]


async def test_changes_are_streamed_to_those_they_concern(page: Page, client: AsyncWebClient) -> None:
    """An ephemeral message reaches its user's page and not the other's; a public one both."""

    async def next_event(answer: aiohttp.ClientResponse) -> Payload:
        async for line in answer.content:
            if line.startswith(b"data: "):
                event: Payload = json.loads(line.removeprefix(b"data: "))
                if event["type"] == "message":
                    return event
        raise AssertionError("the stream ended")

    url = f"{page.origin}/_local/events"
    async with (
        page.session.get(url, params={"user": "U0ANA"}) as ana,
        page.session.get(url, params={"user": "U0BEN"}) as ben,
    ):
        for stream in (ana, ben):
            assert await stream.content.readline() == b": open\n"
        hidden = (await client.chat_postEphemeral(channel="C0INCIDENTS", user="U0ANA", text="psst"))["message_ts"]
        public = (await client.chat_postMessage(channel="C0INCIDENTS", text="all"))["ts"]
        assert (await next_event(ana))["ts"] == hidden
        assert (await next_event(ana))["ts"] == public
        event = await next_event(ben)
        assert (event["type"], event["channel"], event["ts"]) == ("message", "C0INCIDENTS", public)


async def test_the_page_is_served_with_its_parts(page: Page) -> None:
    """The document names the workspace, may run only its own scripts, and nothing outside its folder is served."""
    async with page.session.get(f"{page.origin}/") as answer:
        assert "Acme" in await answer.text()
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    async with page.session.get(f"{page.origin}/_local/static/app.js") as answer:
        assert (answer.status, answer.content_type) == (200, "text/javascript")
    async with page.session.get(f"{page.origin}/_local/static/..%2Fserver.py") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
async def test_other_sites_cannot_act_as_people(page: Page, headers: dict[str, str]) -> None:
    """A request made by a page of another site is forbidden, whatever it asks."""
    body = {"user": "U0ANA", "channel": "C0INCIDENTS", "text": "x"}
    async with page.session.post(f"{page.origin}/_local/message", json=body, headers=headers) as answer:
        assert answer.status == 403


async def test_a_person_api_drop_cuts_the_sockets(bot: Bot, page: Page, slack: LocalSlack) -> None:
    """Dropping without a method acts at once."""
    await bot.connect()
    assert (await page.post("fault", kind="drop", times=1))["dropped"] == 1


async def test_it_listens_on_loopback_only() -> None:
    """Any other address is refused with a sentence."""
    with pytest.raises(LocalSlackError, match="only on this machine's loopback address"):
        LocalSlack(SEED, MANIFEST, host="0.0.0.0")


async def test_a_taken_port_is_one_clear_error(slack: LocalSlack) -> None:
    """Starting on a port in use says which."""
    second = LocalSlack(SEED, MANIFEST, port=slack.port)
    with pytest.raises(PortInUseError, match=f"127.0.0.1:{slack.port}"):
        await second.start()


async def test_two_workspaces_of_one_seed_are_separate() -> None:
    """What happens in one does not happen in the other."""
    async with LocalSlack(SEED, MANIFEST) as one, LocalSlack(SEED, MANIFEST) as other:
        await one.person("ana").types("here", "#incidents")
        assert other.person("ana").screen() == []


async def test_an_unknown_person_is_nobody(slack: LocalSlack) -> None:
    """Neither a stranger nor the bot can be acted as."""
    for name in ("zoe", "runbook_bot"):
        with pytest.raises(PersonError, match="There is no person"):
            slack.person(name)


async def test_waiting_ends_with_what_was_there_instead(slack: LocalSlack) -> None:
    """A wait that fails shows the screen."""
    ana = slack.person("ana")
    await ana.types("something else", "#incidents")
    with pytest.raises(AssertionError, match="something else"):
        await ana.sees("never said", within=0.05)


async def test_waiting_sees_what_comes_later(slack: LocalSlack) -> None:
    """A wait begun before the message ends with it."""
    waiting = asyncio.create_task(slack.person("ben").sees("at last"))
    await asyncio.sleep(0)
    await slack.person("ana").types("at last", "#incidents")
    assert (await waiting).channel == "C0INCIDENTS"


async def test_a_page_that_opens_its_stream_late_looks_again(page: Page) -> None:
    """A fresh stream begins with one change of each kind, so that nothing before it is missed."""
    async with page.session.get(f"{page.origin}/_local/events", params={"user": "U0ANA"}) as stream:
        lines = [await stream.content.readline() for _ in range(7)]
    kinds = [json.loads(line.removeprefix(b"data: "))["type"] for line in lines if line.startswith(b"data: ")]
    assert kinds == ["presence", "view", "home"]


async def test_the_first_look_at_home_waits_for_the_bot(bot: Bot, page: Page) -> None:
    """What the bot publishes on app_home_opened is in the very answer."""

    @bot.app.event("app_home_opened")
    async def home(event: Payload, client: Any) -> None:
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "Welcome home"}}]
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    await bot.connect()
    assert "Welcome home" in (await page.post("home"))["html"]
