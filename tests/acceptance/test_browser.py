"""The main job in a real browser, with two people; its screenshots are for people to look at."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from bot.domain.run import ActionStatus
from tests.acceptance.conftest import Scene
from tests.browser import ARGUMENTS

pytestmark = [pytest.mark.browser, pytest.mark.main_job]

PICTURES = Path(__file__).resolve().parents[2] / "build" / "screenshots"
WIDE, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield launched
        await launched.close()


async def look(page: Page, scene: Scene, user: str, channel: str = "") -> None:
    """Open the workspace as somebody."""
    await page.goto(f"{scene.sandbox.world.slack.origin}/?user={user}" + (f"&channel={channel}" if channel else ""))
    await page.wait_for_selector("body[data-ready]")


async def shoot(page: Page, name: str) -> None:
    """Keep a picture in light and in dark."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await page.screenshot(path=PICTURES / f"{name}-{scheme}.png")
    await page.emulate_media(color_scheme="light")


async def test_two_people_fix_a_subscription(scene: Scene, browser: Browser) -> None:
    """Ana asks and is refused her own approval, Ben approves, the fix is verified, and it all reads well."""
    planted = await scene.plant("webhook_missed")
    ana, ben = await browser.new_page(viewport=WIDE), await browser.new_page(viewport=WIDE)
    phone = await browser.new_page(viewport=PHONE)
    for page in (ana, ben, phone):
        page.set_default_timeout(15_000)
    await look(ana, scene, "U0ANA")
    await shoot(ana, "1-welcome")
    await ana.locator("#composer-input").fill("/runbook subscripton")
    await ana.keyboard.press("Enter")
    await expect(ana.locator("#messages")).to_contain_text("RB-011")
    await shoot(ana, "2-suggestions")
    await ana.locator("#composer-input").fill("/runbook RB-011")
    await ana.keyboard.press("Enter")
    await ana.get_by_label("Business").fill("not-a-uuid")
    await ana.get_by_role("button", name="Start", exact=True).click()
    await expect(ana.locator(".input-error")).to_be_visible()
    await shoot(ana, "3-form")
    await ana.get_by_label("Business").fill(str(planted.business_id))
    await ana.get_by_role("button", name="Start", exact=True).click()
    await scene.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    incident = (await scene.shown()).incident
    assert incident is not None
    channel = str(incident.channel)
    await look(ana, scene, "U0ANA", channel)
    await expect(ana.locator("#messages")).to_contain_text("Copy the subscription from Stripe")
    await shoot(ana, "4-card")
    await look(phone, scene, "U0ANA", channel)
    await expect(phone.locator("#messages")).to_contain_text("Copy the subscription from Stripe")
    await shoot(phone, "5-card-on-a-phone")
    await ana.get_by_role("button", name="Approve").first.click()
    await expect(ana.locator("#messages")).to_contain_text("somebody else has to approve it")
    await shoot(ana, "6-own-approval-refused")
    await look(ben, scene, "U0BEN", channel)
    await ben.get_by_role("button", name="Show everything").first.click()
    await expect(ben.locator("#modal")).to_be_visible()
    await shoot(ben, "7-show-everything")
    await ben.keyboard.press("Escape")
    await ben.get_by_role("button", name="Approve").first.click()
    await scene.action_is("copy_from_stripe", ActionStatus.DONE)
    await expect(ben.locator("#messages")).to_contain_text(re.compile("[Vv]erified"))
    await shoot(ben, "8-fixed")
    await ben.get_by_role("button", name=re.compile("repl")).first.click()
    await expect(ben.locator("#thread")).to_contain_text("What our database says")
    await shoot(ben, "9-thread")
    for page in (ana, ben, phone):
        await page.close()
