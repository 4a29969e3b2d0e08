"""Fixtures of the page's browser tests: the canned server, Debian's Chromium, and the page as Ana sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from bot.sandbox.slack import LocalSlack
from tests.browser import ARGUMENTS
from tests.local_slack.page_harness import CannedSlack, show


@asynccontextmanager
async def _chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield launched
        await launched.close()


@asynccontextmanager
async def _clean_page(browser: Browser) -> AsyncIterator[Page]:
    """An empty page; any error in the browser's console that is no refusal of the server's fails the test."""
    opened = await browser.new_page(viewport={"width": 1280, "height": 860}, timezone_id="Europe/Berlin")
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda entry: complaints.append(entry.text) if entry.type == "error" else None)
    opened.set_default_timeout(5_000)
    yield opened
    await opened.close()
    assert [line for line in complaints if "400 (Bad Request)" not in line and "ERR_INCOMPLETE" not in line] == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, started once for all tests with canned content, which run on the session's event loop."""
    async with _chromium() as launched:
        yield launched


@pytest_asyncio.fixture(loop_scope="session")
async def canned() -> AsyncIterator[CannedSlack]:
    """The page's server with canned content."""
    async with CannedSlack() as served:
        yield served


@pytest_asyncio.fixture(loop_scope="session")
async def page(canned: CannedSlack, browser: Browser) -> AsyncIterator[Page]:
    """The incident channel as Ana sees it."""
    async with _clean_page(browser) as opened:
        await show(opened, canned)
        yield opened


@pytest.fixture
async def own_browser() -> AsyncIterator[Browser]:
    """A Chromium on the test's own event loop, where the real local Slack and the bot run."""
    async with _chromium() as launched:
        yield launched


@pytest.fixture
async def blank(slack: LocalSlack, own_browser: Browser) -> AsyncIterator[Page]:
    """An empty page of that browser, closed before the local Slack it looks at stops."""
    async with _clean_page(own_browser) as opened:
        yield opened
