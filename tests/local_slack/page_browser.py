"""Fixtures of the page's browser tests: the canned server, Debian's Chromium, and the page as Ana sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from page_harness import CannedSlack, show
from playwright.async_api import Browser, Page, async_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture
async def canned() -> AsyncIterator[CannedSlack]:
    """The page's server with canned content."""
    async with CannedSlack() as served:
        yield served


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, which is not allowed to fetch anything by itself."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield chromium
        await chromium.close()


@pytest.fixture
async def blank(browser: Browser) -> AsyncIterator[Page]:
    """An empty page; any error in the browser's console that is no refusal of the server's fails the test."""
    opened = await browser.new_page(viewport={"width": 1280, "height": 860}, timezone_id="Europe/Berlin")
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda entry: complaints.append(entry.text) if entry.type == "error" else None)
    opened.set_default_timeout(5_000)
    yield opened
    await opened.close()
    assert [line for line in complaints if "400 (Bad Request)" not in line and "ERR_INCOMPLETE" not in line] == []


@pytest.fixture
async def page(canned: CannedSlack, blank: Page) -> Page:
    """The incident channel as Ana sees it."""
    await show(blank, canned)
    return blank
