"""Modals and the Home tab through the real SDK: inputs, inline errors, stacks, hashes, closing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import LocalSlack, PersonError
from tests.local_slack.workspace_parts import Bot, button, modal

pytestmark = pytest.mark.local_slack

Payload = dict[str, Any]


def text_input(name: str, **more: Any) -> Payload:
    """An input block with a text field, both of this name."""
    element = {"type": "plain_text_input", "action_id": name} | more.pop("element", {})
    label = {"type": "plain_text", "text": name.title()}
    return {"type": "input", "block_id": f"{name}_block", "label": label, "element": element} | more


def form(*names: str, **more: Any) -> Payload:
    """A modal with text inputs."""
    submit = {"type": "plain_text", "text": "Go"}
    return modal(*[text_input(name) for name in names], callback_id="form", submit=submit, **more)


async def opened(bot: Bot, slack: LocalSlack, view: Payload, answer: Payload | None = None) -> asyncio.Queue[Payload]:
    """Connect a bot whose /runbook opens the view, let Ana run it, and queue what she submits."""
    got: asyncio.Queue[Payload] = asyncio.Queue()

    @bot.app.command("/runbook")
    async def run(ack: Any, client: Any, body: Payload) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @bot.app.view("form")
    async def submitted(ack: Any, body: Payload) -> None:
        await ack(**(answer or {}))
        got.put_nowait(body)

    await bot.connect()
    await slack.person("ana").types("/runbook", "#incidents")
    await slack.person("ana").sees("Start", surface="modal")
    return got


async def test_a_submission_carries_every_input_and_closes_the_modal(bot: Bot, slack: LocalSlack) -> None:
    """Filled and untouched inputs are both in state.values, the untouched one as null."""
    optional = text_input("note", optional=True)
    view = form("reason", private_metadata="run-1")
    view["blocks"].append(optional)
    got = await opened(bot, slack, view)
    ana = slack.person("ana")
    assert await ana.submits(reason="because") == {}
    body = await got.get()
    values = body["view"]["state"]["values"]
    assert values["reason_block"]["reason"] == {"type": "plain_text_input", "value": "because"}
    assert values["note_block"]["note"] == {"type": "plain_text_input", "value": None}
    assert body["view"]["private_metadata"] == "run-1"
    assert all(each.surface != "modal" for each in ana.screen())


async def test_errors_in_the_ack_are_shown_inline(bot: Bot, slack: LocalSlack) -> None:
    """response_action errors keeps the modal open with the texts in it, and what was typed."""
    answer = {"response_action": "errors", "errors": {"reason_block": "Say more."}}
    await opened(bot, slack, form("reason"), answer)
    ana = slack.person("ana")
    assert await ana.submits(reason="x") == {"reason_block": "Say more."}
    seen = await ana.sees("Say more.", surface="modal")
    assert seen.raw["state"]["values"]["reason_block"]["reason"]["value"] == "x"


async def test_errors_for_a_block_that_is_not_there_are_trouble(bot: Bot, slack: LocalSlack) -> None:
    """Slack refuses errors that belong nowhere, and so the person sees a connection error."""
    await opened(bot, slack, form("reason"), {"response_action": "errors", "errors": {"nowhere": "?"}})
    with pytest.raises(PersonError, match="trouble connecting"):
        await slack.person("ana").submits(reason="x")


async def test_a_required_input_stops_the_submission_before_the_bot(bot: Bot, slack: LocalSlack) -> None:
    """Slack's client itself asks for required fields."""
    got = await opened(bot, slack, form("reason"))
    assert await slack.person("ana").submits() == {"reason_block": "Please complete this required field."}
    assert got.empty()
    assert slack.journal.deliveries("view_submission") == []


async def test_update_and_push_in_the_ack(bot: Bot, slack: LocalSlack) -> None:
    """`update` replaces the modal, `push` puts one above it, closing it shows the lower one again."""
    pushed = modal({"type": "section", "text": {"type": "mrkdwn", "text": "Second"}}, callback_id="second")
    await opened(bot, slack, form("reason"), {"response_action": "push", "view": pushed})
    ana = slack.person("ana")
    await ana.submits(reason="x")
    second = (await ana.sees("Second", surface="modal")).raw
    first = slack.space.views[second["previous_view_id"]]
    assert second["root_view_id"] == first.id
    await ana.closes()
    assert (await ana.modal()).id == first.id


async def test_the_stack_is_three_high(bot: Bot, slack: LocalSlack) -> None:
    """A fourth modal is refused with push_limit_reached; clear closes them all."""
    results: asyncio.Queue[str] = asyncio.Queue()
    more = modal({"type": "actions", "elements": [button("more", "More")]})

    @bot.app.action("more")
    async def push(ack: Any, client: Any, body: Payload) -> None:
        await ack()
        try:
            await client.views_push(trigger_id=body["trigger_id"], view=more)
            results.put_nowait("ok")
        except SlackApiError as error:
            results.put_nowait(error.response["error"])

    await opened(bot, slack, more)
    ana = slack.person("ana")
    said = []
    for _ in range(3):
        await ana.clicks("More")
        said.append(await results.get())
    assert said == ["ok", "ok", "push_limit_reached"]
    await ana.closes(clear=True)
    assert all(each.surface != "modal" for each in ana.screen())


async def test_a_click_in_a_modal_brings_what_is_typed_so_far(bot: Bot, slack: LocalSlack) -> None:
    """block_actions of a view carry view.state.values; there is no channel and no message."""
    got: asyncio.Queue[Payload] = asyncio.Queue()

    @bot.app.action("check")
    async def check(ack: Any, body: Payload) -> None:
        await ack()
        got.put_nowait(body)

    view = form("reason")
    view["blocks"].append({"type": "actions", "elements": [button("check", "Check")]})
    await opened(bot, slack, view)
    ana = slack.person("ana")
    await ana.fills(reason="half a")
    await ana.clicks("Check")
    body = await got.get()
    assert body["container"] == {"type": "view", "view_id": body["view"]["id"]}
    assert body["view"]["state"]["values"]["reason_block"]["reason"]["value"] == "half a"
    assert not {"channel", "message", "response_url"} & body.keys()


async def test_closing_is_told_only_where_asked(bot: Bot, slack: LocalSlack) -> None:
    """view_closed is sent for notify_on_close and not otherwise."""
    got: asyncio.Queue[Payload] = asyncio.Queue()

    @bot.app.view_closed("form")
    async def closed(ack: Any, body: Payload) -> None:
        await ack()
        got.put_nowait(body)

    await opened(bot, slack, form("reason", notify_on_close=True))
    ana = slack.person("ana")
    await ana.closes()
    assert (await got.get())["is_cleared"] is False
    await slack.person("ana").types("/runbook", "#incidents")
    await ana.modal()
    assert [entry.name for entry in slack.journal.deliveries("view_closed")] == ["view_closed"]


async def test_a_stale_hash_is_a_conflict(bot: Bot, slack: LocalSlack) -> None:
    """views.update with the hash of an older content is refused, with the current one accepted."""
    await opened(bot, slack, form("reason"))
    view = (await slack.person("ana").sees("Start", surface="modal")).raw
    fresh = await bot.client.views_update(view_id=view["id"], hash=view["hash"], view=form("other"))
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await bot.client.views_update(view_id=view["id"], hash=view["hash"], view=form("third"))
    assert fresh["view"]["hash"] != view["hash"]


async def test_an_invalid_view_is_refused_with_places(bot: Bot, slack: LocalSlack) -> None:
    """A title of 25 characters is invalid_arguments with a pointer into the view."""
    with pytest.raises(SlackApiError) as refused:
        await bot.client.views_publish(user_id="U0ANA", view={"type": "home", "blocks": [{"type": "sect"}]})
    answer = refused.value.response
    assert answer["error"] == "invalid_arguments"
    assert "[json-pointer:/view/blocks/0" in answer["response_metadata"]["messages"][0]


async def test_home_is_published_when_opened(bot: Bot, slack: LocalSlack) -> None:
    """Opening Home sends app_home_opened; what is published then is seen, and its buttons work."""
    got: asyncio.Queue[Payload] = asyncio.Queue()

    @bot.app.event("app_home_opened")
    async def home(event: Payload, client: Any) -> None:
        blocks = [{"type": "actions", "elements": [button("mine", "My incidents")]}]
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    @bot.app.action("mine")
    async def mine(ack: Any, body: Payload) -> None:
        await ack()
        got.put_nowait(body)

    await bot.connect()
    ana = slack.person("ana")
    assert "My incidents" in (await ana.opens_home()).text
    await ana.clicks("My incidents")
    assert (await got.get())["view"]["type"] == "home"
    assert slack.person("ben").screen() == []


async def test_every_kind_of_input_reports_its_own_field(bot: Bot, slack: LocalSlack) -> None:
    """Selects, boxes, dates, people and numbers come back as Slack names them, initial values included."""
    options = [{"text": {"type": "plain_text", "text": each}, "value": each.lower()} for each in ("One", "Two")]
    fields: list[Payload] = [
        {"type": "static_select", "action_id": "one", "options": options},
        {"type": "checkboxes", "action_id": "boxes", "options": options},
        {"type": "radio_buttons", "action_id": "radio", "options": options, "initial_option": options[1]},
        {"type": "datepicker", "action_id": "day", "initial_date": "2026-01-02"},
        {"type": "users_select", "action_id": "who"},
        {"type": "number_input", "action_id": "number", "is_decimal_allowed": False, "min_value": "1"},
        {"type": "multi_external_select", "action_id": "found", "min_query_length": 1},
    ]
    blocks = [
        {"type": "input", "block_id": each["action_id"], "label": {"type": "plain_text", "text": "x"}, "element": each}
        for each in fields
    ]

    @bot.app.options("found")
    async def offer(ack: Any) -> None:
        await ack(options=options)

    view = modal(*blocks, callback_id="form", submit={"type": "plain_text", "text": "Go"})
    got = await opened(bot, slack, view)
    ana = slack.person("ana")
    filled = {"one": "Two", "boxes": ["one", "two"], "who": "U0BEN", "found": "one"}
    assert await ana.submits(**filled, number="0") == {"number": "Must be at least 1."}
    assert await ana.submits(**filled, number="3") == {}
    values = (await got.get())["view"]["state"]["values"]
    assert values["one"]["one"]["selected_option"] == options[1]
    assert values["boxes"]["boxes"]["selected_options"] == options
    assert values["radio"]["radio"]["selected_option"] == options[1]
    assert values["day"]["day"]["selected_date"] == "2026-01-02"
    assert values["who"]["who"]["selected_user"] == "U0BEN"
    assert values["number"]["number"]["value"] == "3"
    assert values["found"]["found"]["selected_options"] == options[:1]
