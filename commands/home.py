"""The Home tab: what waits for me, open incidents, recent runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.slack.desk import Desk
from bot.slack.homes import home_of


async def home(user: str, desk: Desk) -> Mapping[str, Any]:
    """The view for one person."""
    return await home_of(user, desk)
