"""The Home tab of one person, from what is true now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.approval import objections
from bot.slack.desk import Desk
from bot.slack.views.home import home_view


async def home_of(user: str, desk: Desk) -> Mapping[str, Any]:
    """The view for one person: only requests they may vote on stand under "waits for you"."""
    person = await desk.directory.person(user)
    mine = []
    for waiting in await desk.reads.waiting():
        _, system = await desk.library.of_run(waiting.run)
        members = await desk.directory.members(system.groups)
        if not objections(waiting.stored.request, person, members, desk.clock.now()):
            mine.append(await desk.reads.shown(waiting.run.id))
    return home_view(user, mine, await desk.incidents.open_ones(), await desk.reads.recent(), desk.clock.now())
