"""The page on the real local Slack with a real Bolt app: what people do in two browsers reaches the bot and returns."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Browser, FilePayload, Page, Route, expect

from bot.sandbox.slack import LocalSlack
from tests.local_slack.page_content import PIXEL
from tests.local_slack.workspace_parts import Bot, button, modal

pytest_plugins = ("tests.local_slack.page_browser",)
pytestmark = [pytest.mark.browser, pytest.mark.local_slack]

Payload = dict[str, Any]
ID = "6f1c2a9e-0b7d-4c55-9a1e-2f6d8b3c4d5e"


def _plain(text: str) -> Payload:
    return {"type": "plain_text", "text": text}


def _form() -> Payload:
    field = {"type": "plain_text_input", "action_id": "value"}
    business = {"type": "input", "block_id": "business", "label": _plain("Business"), "element": field}
    return modal(business, callback_id="start", submit=_plain("Start run"))


def _card(words: str, *buttons: Payload) -> list[Payload]:
    blocks: list[Payload] = [{"type": "section", "text": {"type": "mrkdwn", "text": words}}]
    return [*blocks, {"type": "actions", "block_id": "vote", "elements": list(buttons)}] if buttons else blocks


def _teach(bot: Bot) -> None:
    """A command that asks in a modal, a run card with a vote, and a Home tab."""

    @bot.app.command("/runbook")
    async def run(ack: Any, client: Any, body: Payload) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=_form())

    @bot.app.view("start")
    async def started(ack: Any, client: Any, view: Payload) -> None:
        given = view["state"]["values"]["business"]["value"]["value"]
        if given != ID:
            await ack(response_action="errors", errors={"business": "That is not a UUID."})
            return
        await ack()
        approve = button("approve", "Approve", style="primary", value="run-1")
        await client.chat_postMessage(channel="#incidents", text="Run", blocks=_card("*Fix* ready", approve))

    @bot.app.action("approve")
    async def approved(ack: Any, client: Any, body: Payload) -> None:
        await ack()
        message, user = body["container"], body["user"]["id"]
        channel, ts = message["channel_id"], message["message_ts"]
        await client.chat_update(channel=channel, ts=ts, text="Done", blocks=_card(f"Approved by <@{user}>"))
        await client.chat_postMessage(channel=channel, thread_ts=ts, text="Verified: 1 row")

    @bot.app.event("app_home_opened")
    async def home(client: Any, event: Payload) -> None:
        blocks = _card("Nothing waits for you", button("start", "Start a run"))
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})


async def _look(page: Page, slack: LocalSlack, user: str, more: str) -> None:
    await page.goto(f"{slack.origin}/?user={user}&{more}")
    await page.wait_for_selector("body[data-ready]")


async def test_a_run_from_the_command_to_the_second_persons_vote(
    blank: Page, own_browser: Browser, bot: Bot, slack: LocalSlack
) -> None:
    """Ana types the command, corrects her input, Ben approves in his browser, and both see the outcome."""
    _teach(bot)
    await bot.connect()
    channel = slack.people.channel("U0ANA", "#incidents").id
    await _look(blank, slack, "ana", f"channel={channel}")
    ben = await own_browser.new_page()
    await _look(ben, slack, "ben", f"channel={channel}")

    await blank.locator("#composer-input").press_sequentially("/runbook RB-011")
    await blank.keyboard.press("Enter")
    field = blank.get_by_label("Business")
    await field.fill("42")
    await blank.keyboard.press("Enter")
    await expect(blank.locator(".input-error")).to_have_text("That is not a UUID.")
    await expect(field).to_have_value("42")
    await field.fill(ID)
    await blank.get_by_role("button", name="Start run").click()
    await expect(blank.locator("#modal")).to_be_hidden()

    await ben.get_by_role("button", name="Approve").click()
    for page in (blank, ben):
        await expect(page.locator("#messages .message").last).to_contain_text("Approved by @Ben Okoro")
        await expect(page.get_by_role("button", name=re.compile("1 reply"))).to_be_visible()
    await ben.get_by_role("button", name=re.compile("1 reply")).click()
    await expect(ben.locator("#thread")).to_contain_text("Verified: 1 row")
    await ben.close()


async def test_a_correction_counts_before_the_answer_to_the_mistake_is_here(
    blank: Page, bot: Bot, slack: LocalSlack
) -> None:
    """Errors can be seen before the answer that brings them: pressing again then is not pressing in vain."""
    _teach(bot)
    await bot.connect()
    answered = asyncio.Event()

    async def late(route: Route) -> None:
        response = await route.fetch()
        await answered.wait()
        await route.fulfill(response=response)

    await _look(blank, slack, "ana", f"channel={slack.people.channel('U0ANA', '#incidents').id}")
    await blank.locator("#composer-input").press_sequentially("/runbook RB-011")
    await blank.keyboard.press("Enter")
    field, start = blank.get_by_label("Business"), blank.get_by_role("button", name="Start run")
    await field.fill("42")
    await blank.route("**/_local/submit", late, times=1)
    await start.click()
    await expect(blank.locator(".input-error")).to_have_text("That is not a UUID.")
    await field.fill(ID)
    await start.click()
    answered.set()
    await expect(blank.locator("#modal")).to_be_hidden()


async def test_home_is_published_when_it_is_opened(blank: Page, bot: Bot, slack: LocalSlack) -> None:
    """Opening Home tells the bot, and what it publishes appears."""
    _teach(bot)
    await bot.connect()
    await _look(blank, slack, "ana", "view=home")
    await expect(blank.locator("#home")).to_contain_text("Nothing waits for you")


async def test_a_file_is_uploaded_and_shown(blank: Page, slack: LocalSlack) -> None:
    """A picture chosen in the message box is shared and shown inline."""
    channel = slack.people.channel("U0ANA", "#incidents").id
    await _look(blank, slack, "ana", f"channel={channel}")
    picture: FilePayload = {"name": "chart.png", "mimeType": "image/png", "buffer": PIXEL}
    await blank.locator("#composer-place input[type=file]").set_input_files([picture])
    image = blank.locator("#messages .file-image img")
    await expect(image).to_be_visible()
    assert await image.evaluate("image => image.naturalWidth") > 0
