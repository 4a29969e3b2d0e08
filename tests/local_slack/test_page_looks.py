"""How the page looks: phone width, contrast in both colour schemes, names for screen readers."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.local_slack import page_content as content
from tests.local_slack.page_harness import CannedSlack, show

CARD_TS = content.CHANNEL_MESSAGES[3]["ts"]
PHONE: ViewportSize = {"width": 390, "height": 844}

pytest_plugins = ("tests.local_slack.page_browser",)
pytestmark = [pytest.mark.browser, pytest.mark.local_slack, pytest.mark.asyncio(loop_scope="session")]


async def test_a_phone_has_a_drawer_and_no_sideways_scrolling(canned: CannedSlack, browser: Browser) -> None:
    """At 390 px the sidebar is a drawer, tables scroll inside their box, and the page never scrolls sideways."""
    page = await browser.new_page(viewport=PHONE, has_touch=True)
    await show(page, canned)
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    wide = page.locator(".block-data-table .table-scroll")
    assert await wide.evaluate("box => box.scrollWidth > box.clientWidth && box.clientWidth < 390")
    await expect(page.locator("#sidebar")).to_be_hidden()
    await page.get_by_role("button", name="Channels").click()
    await page.locator("[data-entry=C0GEN]").click()
    await expect(page.locator("#sidebar")).to_be_hidden()
    await expect(page.locator("#channel-name")).to_have_text("#general")
    await page.close()


LOW_CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => { const layers = [];
    for (let at = element; at; at = at.parentElement) { const color = rgba(getComputedStyle(at).backgroundColor);
      layers.push(color); if (color[3] === 255) break; }
    return layers.reverse().reduce((under, over) => under.map((v, i) => v + (over[i] - v) * over[3] / 255),
      [255, 255, 255]); };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement, style = getComputedStyle(element);
    if (!node.data.trim() || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (element.closest('noscript, script, option, [aria-hidden=true].emoji, .emoji')) continue;
    const [one, other] = [light(rgba(style.color)), light(behind(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5))
      found.push(`${node.data.trim().slice(0, 30)} ${ratio.toFixed(2)} ${element.className}`);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_has_enough_contrast(canned: CannedSlack, browser: Browser, scheme: str) -> None:
    """All visible text reaches WCAG AA (4.5 to 1, large text 3 to 1) in both colour schemes, with a modal open too."""
    page = await browser.new_page(viewport={"width": 1280, "height": 860})
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    await show(page, canned, f"&channel=C0INC&thread={CARD_TS}")
    await expect(page.locator("#thread .message")).to_have_count(4)
    assert await page.evaluate(LOW_CONTRAST) == []
    canned.view, canned.view_errors = content.START, {"business_id": content.UUID_ERROR}
    canned.tell(type="view")
    await page.wait_for_selector("#modal[open]")
    assert await page.evaluate(LOW_CONTRAST) == []
    await show(page, canned, "&view=home")
    await expect(page.locator("#home")).to_contain_text("Open incidents")
    assert await page.evaluate(LOW_CONTRAST) == []
    await page.close()


async def test_every_control_has_a_name(page: Page, canned: CannedSlack) -> None:
    """No button, field or menu is anonymous to a screen reader."""
    canned.view = content.START
    canned.tell(type="view")
    await page.wait_for_selector("#modal[open]")
    for role in ("button", "textbox", "combobox", "checkbox"):
        nameless = page.locator("body").get_by_role(role, name=re.compile(r"^\s*$"))
        assert await nameless.count() == 0, role
