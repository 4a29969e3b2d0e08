"""The page in a real browser: reading, writing, clicking, modals, live changes, keyboard."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.local_slack import page_content as content
from tests.local_slack.page_harness import CannedSlack, show

CARD_TS = content.CHANNEL_MESSAGES[3]["ts"]

pytest_plugins = ("tests.local_slack.page_browser",)
pytestmark = [pytest.mark.browser, pytest.mark.local_slack, pytest.mark.asyncio(loop_scope="session")]


def card(page: Page) -> str:
    """The selector of the run card in the channel."""
    return f"#messages [data-ts='{CARD_TS}']"


async def test_the_run_card_reads_like_slack(page: Page) -> None:
    """Name, badge, header, table, mentions and buttons of the run card are on the screen."""
    found = page.locator(card(page))
    await expect(found).to_contain_text("RB-011 Subscription status not updating")
    await expect(found.locator(".badge")).to_have_text("APP")
    await expect(found.locator("td")).to_have_text(
        ["subscription_tier", "free", "starter", "subscription_status", "past_due", "active"]
    )
    await expect(found.locator(".mention-me")).to_have_text("@Ana Lima")
    await expect(found.get_by_role("button", name="Approve")).to_be_visible()
    await expect(page.locator(".unsupported")).to_have_text("unsupported block: hologram")
    await expect(page.locator(".ephemeral")).to_contain_text("Only visible to you")


async def test_a_click_asks_first_waits_and_is_sent(page: Page, canned: CannedSlack) -> None:
    """A button with a confirm asks in its words, shows that it waits, and sends one click."""
    canned.hold = asyncio.Event()
    button = page.locator(f"{card(page)} [data-action-id=approve]")
    await button.click()
    await expect(page.locator("#confirm code")).to_have_text("businesses")
    await page.locator("#confirm").get_by_role("button", name="Approve").click()
    await expect(button).to_have_attribute("aria-busy", "true")
    await button.click()
    sent = await canned.receives("click")
    assert sent == {
        "user": content.ANA,
        "container": {"type": "message", "channel": "C0INC", "ts": CARD_TS},
        "block_id": "vote",
        "action_id": "approve",
        "value": "run-1:approve",
    }
    canned.hold.set()
    await expect(button).not_to_have_attribute("aria-busy", "true")
    assert len([name for name, _ in canned.sent if name == "click"]) == 1


async def test_a_declined_confirm_sends_nothing(page: Page, canned: CannedSlack) -> None:
    """Saying no, or Esc, leaves everything as it was."""
    for leave in ("Not yet", None):
        await page.locator(f"{card(page)} [data-action-id=approve]").click()
        if leave:
            await page.locator("#confirm").get_by_role("button", name=leave).click()
        else:
            await page.keyboard.press("Escape")
        await expect(page.locator("#confirm")).to_be_hidden()
    assert canned.sent == []


async def test_a_refused_click_says_why(page: Page, canned: CannedSlack) -> None:
    """The server's sentence is shown, and the button can be used again."""
    canned.refusals["click"] = "That message is gone."
    button = page.locator(f"{card(page)} [data-action-id=everything]")
    await button.click()
    await expect(page.locator(".toast")).to_contain_text("That message is gone.")
    await expect(button).not_to_have_attribute("aria-busy", "true")


async def test_a_message_is_sent_by_enter_and_appears(page: Page, canned: CannedSlack) -> None:
    """Enter sends, Shift+Enter does not, and the message appears without a reload."""
    box = page.locator("#composer-input")
    await box.fill("first")
    await box.press("Shift+Enter")
    await box.press_sequentially("second")
    await box.press("Enter")
    assert (await canned.receives("message"))["text"] == "first\nsecond"
    await expect(page.locator("#messages .message").last).to_contain_text("second")
    await expect(box).to_have_value("")


async def test_a_refused_message_is_not_lost(page: Page, canned: CannedSlack) -> None:
    """What was typed comes back into the box when the server refuses it."""
    canned.refusals["message"] = "/nope is not a valid command."
    await page.locator("#composer-input").fill("/nope now")
    await page.keyboard.press("Enter")
    await expect(page.locator(".toast")).to_contain_text("/nope is not a valid command.")
    await expect(page.locator("#composer-input")).to_have_value("/nope now")


async def test_slash_commands_complete_by_keyboard(page: Page) -> None:
    """Typing a slash lists the commands; arrows choose, Tab takes."""
    box = page.locator("#composer-input")
    await box.press_sequentially("/")
    await expect(page.locator("#composer-place-list [role=option]")).to_have_count(2)
    await box.press("ArrowDown")
    await expect(page.locator("#composer-place-list [aria-selected=true]")).to_contain_text("/incident")
    await box.press("Tab")
    await expect(box).to_have_value("/incident ")
    await expect(page.locator("#composer-place-list")).to_be_hidden()


async def test_a_hint_fills_the_message_box(page: Page) -> None:
    """A suggested command is put into the box, not sent; the bar can be dismissed for good."""
    await page.get_by_role("button", name="/runbook list").click()
    await expect(page.locator("#composer-input")).to_have_value("/runbook list")
    await page.get_by_role("button", name="Dismiss suggestions").click()
    await page.reload()
    await page.wait_for_selector("body[data-ready]")
    await expect(page.locator("#hint")).to_be_hidden()


async def test_a_modal_opens_shows_errors_inline_and_closes(page: Page, canned: CannedSlack) -> None:
    """A view event opens the modal; a refused submit shows its error at the field and keeps what was typed."""
    canned.view = content.START
    canned.tell(type="view", view_id="V1")
    field = page.locator("[name='business_id/value']")
    await expect(field).to_be_focused()
    await field.fill("42")
    await page.get_by_label("Open an incident channel").check()
    canned.view_errors = {"business_id": content.UUID_ERROR}
    await field.press("Enter")
    await expect(page.locator("[data-block=business_id] .input-error")).to_have_text(content.UUID_ERROR)
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(field).to_be_focused()
    await expect(field).to_have_value("42")
    canned.view_errors = {}
    await page.get_by_role("button", name="Start").last.click()
    await expect(page.locator("#modal")).to_be_hidden()
    assert (await canned.receives("submit"))["values"] == {
        "business_id": {"value": "42"},
        "severity": {"value": "P2"},
        "also": {"value": ["channel"]},
        "watchers": {"value": []},
    }


async def test_a_changed_view_keeps_what_was_typed(page: Page, canned: CannedSlack) -> None:
    """When the app updates the open view, entered values and the focus stay."""
    canned.view = content.START
    canned.tell(type="view")
    field = page.locator("[name='business_id/value']")
    await field.fill("half a uu")
    canned.view = {**content.START, "title": content.plain("Now updated")}
    canned.tell(type="view")
    await expect(page.locator("#modal-title")).to_have_text("Now updated")
    await expect(field).to_have_value("half a uu")
    await expect(field).to_be_focused()


async def test_esc_closes_the_modal_and_focus_stays_inside_it(page: Page, canned: CannedSlack) -> None:
    """Tab never leaves the open modal; Esc tells the server."""
    canned.view = content.START
    canned.tell(type="view")
    await page.wait_for_selector("#modal[open]")
    for _ in range(12):
        await page.keyboard.press("Tab")
        inside = "document.activeElement === document.body || Boolean(document.activeElement.closest('#modal'))"
        assert await page.evaluate(inside)
    await page.keyboard.press("Escape")
    assert (await canned.receives("close"))["view_id"] == "V1"
    await expect(page.locator("#modal")).to_be_hidden()


async def test_a_refused_submission_is_said_above_the_modal(page: Page, canned: CannedSlack) -> None:
    """The modal stays open, what was typed stays in it, and the reason lies above its backdrop."""
    canned.view = content.START
    canned.refusals["submit"] = "We had some trouble connecting. Try again?"
    canned.tell(type="view")
    await page.locator("[name='business_id/value']").fill("42")
    await page.keyboard.press("Enter")
    toast = page.locator(".toast")
    await expect(toast).to_contain_text("Try again?")
    assert await toast.evaluate("toast => toast.closest('#toasts').matches(':popover-open')")
    await expect(page.locator("[name='business_id/value']")).to_have_value("42")


async def test_people_can_be_chosen_in_a_multi_select(page: Page, canned: CannedSlack) -> None:
    """A people menu is filled from the workspace and sends ids."""
    canned.view = content.START
    canned.tell(type="view")
    await page.get_by_text("Nobody yet").click()
    await page.get_by_role("checkbox", name="Ben Okoro").check()
    await page.get_by_role("checkbox", name="Chloe Martin").check()
    await expect(page.locator(".several summary")).to_have_text("Ben Okoro, Chloe Martin")
    await page.locator("#modal button[type=submit]").click()
    assert (await canned.receives("submit"))["values"]["watchers"] == {"value": [content.BEN, content.CHLOE]}


async def test_a_thread_opens_beside_and_takes_replies(page: Page, canned: CannedSlack) -> None:
    """The reply count opens the thread; a reply carries thread_ts; Esc closes the pane."""
    await page.get_by_role("button", name=re.compile("3 replies")).click()
    await expect(page.locator("#thread .message")).to_have_count(4)
    await page.locator("#thread-composer-input").fill("Thanks!")
    await page.keyboard.press("Enter")
    sent = await canned.receives("message")
    assert (sent["thread_ts"], sent["text"]) == (CARD_TS, "Thanks!")
    assert "thread=" in page.url
    await page.keyboard.press("Escape")
    await expect(page.locator("#thread")).to_be_hidden()


async def test_home_opens_and_its_buttons_name_the_view(page: Page, canned: CannedSlack) -> None:
    """The app's Home is opened for the server, and a click in it carries the view's id."""
    await page.get_by_role("button", name=re.compile("Runbook Bot.*Home")).click()
    await expect(page.locator("#home")).to_contain_text("What waits for you")
    await canned.receives("home")
    await page.get_by_role("button", name="Start a run").click()
    assert (await canned.receives("click"))["container"] == {"type": "view", "view_id": "VH"}
    await page.locator("#home .channel-link").click()
    await expect(page.locator("#channel-name")).to_have_text("#inc-042-subscription")


async def test_the_user_switcher_is_in_the_address(page: Page, canned: CannedSlack) -> None:
    """Choosing somebody else changes the address and keeps the channel."""
    await page.get_by_label("You are", exact=True).select_option(label="Ben Okoro (approver, billing)")
    await page.wait_for_url(re.compile(f"user={content.BEN}.*channel=C0INC|channel=C0INC.*user={content.BEN}"))
    await page.wait_for_selector("body[data-ready]")
    await page.locator(f"{card(page)} [data-action-id=details]").click()
    assert (await canned.receives("click"))["user"] == content.BEN


async def test_unread_channels_are_bold_and_joinable_ones_can_be_joined(page: Page, canned: CannedSlack) -> None:
    """Unread counts show; a channel one is not in offers to join instead of a message box."""
    await expect(page.locator("[data-entry=C0SUP].unread .count")).to_have_text("5")
    await page.locator("[data-entry=C0RND]").click()
    await page.get_by_role("button", name="Join channel").click()
    assert (await canned.receives("join"))["channel"] == "C0RND"
    await expect(page.locator("#composer-input")).to_be_hidden()


async def test_changes_do_not_redraw_what_stayed(page: Page, canned: CannedSlack) -> None:
    """A new message leaves the others' elements, and the reader's place, untouched."""
    await page.evaluate("ts => { document.querySelector(`#messages [data-ts='${ts}']`).mark = true; }", CARD_TS)
    await page.evaluate("document.getElementById('scroll').scrollTop = 0")
    canned.post("C0INC", content.BEN, "new")
    await expect(page.locator("#messages .message").last).to_contain_text("new")
    assert await page.evaluate("ts => document.querySelector(`#messages [data-ts='${ts}']`).mark", CARD_TS)
    assert await page.evaluate("document.getElementById('scroll').scrollTop") == 0


async def test_the_stream_reconnects_and_catches_up(page: Page, canned: CannedSlack) -> None:
    """A cut stream is said, opened again, and what was missed appears."""
    canned.drop()
    await expect(page.locator("#connection")).to_be_visible()
    canned.feeds.clear()
    canned.post("C0INC", content.BEN, "while you were away")
    await expect(page.locator("#connection")).to_be_hidden(timeout=10_000)
    await expect(page.locator("#messages .message").last).to_contain_text("while you were away")


async def test_what_came_before_the_stream_was_open_is_seen(browser: Browser, canned: CannedSlack) -> None:
    """What changes between the first drawing and the open stream is told by nobody; the page catches up by itself."""
    page, opening = await browser.new_page(), asyncio.Event()

    async def later(route: Route) -> None:
        await opening.wait()
        await route.continue_()

    await page.route("**/_local/events*", later)
    await show(page, canned)
    canned.post("C0INC", content.BEN, "too early for the stream")
    canned.view = content.START
    opening.set()
    await expect(page.locator("#messages .message").last).to_contain_text("too early for the stream")
    await expect(page.locator("#modal[open]")).to_be_visible()
    await page.close()


async def test_a_message_shortcut_and_a_reaction_are_sent(page: Page, canned: CannedSlack) -> None:
    """The tools of a message run shortcuts on it and react to it."""
    message = page.locator(card(page))
    await message.hover()
    await message.get_by_role("button", name="More message shortcuts").click()
    await page.get_by_role("menuitem", name="Run a runbook on this").click()
    wanted = {"callback_id": "run_on", "channel": "C0INC", "ts": CARD_TS, "user": content.ANA}
    assert await canned.receives("shortcut") == wanted
    await message.get_by_role("button", name="eyes, 2").click()
    assert (await canned.receives("react"))["name"] == "eyes"


async def test_the_theme_can_be_switched_and_is_remembered(page: Page) -> None:
    """The toggle turns the page dark, also after a reload."""
    background = "getComputedStyle(document.getElementById('main')).backgroundColor"
    assert await page.evaluate(background) == "rgb(255, 255, 255)"
    await page.get_by_role("button", name="Switch between light and dark").click()
    assert await page.evaluate(background) == "rgb(26, 29, 33)"
    await page.reload()
    await page.wait_for_selector("body[data-ready]")
    assert await page.evaluate(background) == "rgb(26, 29, 33)"
