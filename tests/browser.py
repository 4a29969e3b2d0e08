"""How the tests start Debian's Chromium: headless, without a sandbox of its own, and without looking anything up."""

from __future__ import annotations

ARGUMENTS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
