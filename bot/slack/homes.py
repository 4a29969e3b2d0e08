"""Home tabs from what is true now: for the one who opens theirs, and for everybody a request has reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.approval import ApprovalRequest, Members, objections
from bot.domain.incident import Incident
from bot.domain.run import Run
from bot.runs.shown import RunShown
from bot.slack.desk import Desk
from bot.slack.views.home import home_view


@dataclass(frozen=True, slots=True)
class Foyer:
    """What every Home tab is made of, read once."""

    waiting: tuple[tuple[ApprovalRequest, Members, RunShown], ...]
    incidents: tuple[Incident, ...]
    recent: tuple[Run, ...]


async def foyer(desk: Desk) -> Foyer:
    """What waits, which incidents are open, and the newest runs."""
    waiting = []
    for each in await desk.reads.waiting():
        _, system = await desk.library.of_run(each.run)
        members = await desk.directory.members(system.groups)
        waiting.append((each.stored.request, members, await desk.reads.shown(each.run.id)))
    return Foyer(tuple(waiting), tuple(await desk.incidents.open_ones()), tuple(await desk.reads.recent()))


async def home_of(user: str, desk: Desk, known: Foyer | None = None) -> Mapping[str, Any]:
    """The view for one person: only requests they may vote on stand under "waits for you"."""
    known = known or await foyer(desk)
    person, now = await desk.directory.person(user), desk.clock.now()
    mine = [shown for request, members, shown in known.waiting if not objections(request, person, members, now)]
    return home_view(user, mine, known.incidents, known.recent, now)
