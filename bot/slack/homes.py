"""Home tabs from what is true now: for the one who opens theirs, and for everybody a request has reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.approval import ApprovalRequest, Members, objections
from bot.domain.incident import Incident
from bot.domain.insight import Resolution
from bot.domain.monitoring import Standing
from bot.runs.shown import RunShown
from bot.slack.desk import Desk
from bot.slack.views.home import Lobby, home_view


@dataclass(frozen=True, slots=True)
class Foyer:
    """What every Home tab is made of, read once."""

    waiting: tuple[tuple[ApprovalRequest, Members, RunShown], ...]
    incidents: tuple[Incident, ...]
    trouble: tuple[Standing, ...]
    resolved: tuple[Resolution, ...]


async def foyer(desk: Desk) -> Foyer:
    """What waits, which incidents are open, which monitors are in trouble, and how incidents were resolved lately."""
    waiting = []
    for each in await desk.reads.waiting():
        _, system = await desk.library.of_run(each.run)
        members = await desk.directory.members(system.groups)
        waiting.append((each.stored.request, members, await desk.reads.shown(each.run.id)))
    trouble = [each for each in await desk.monitors.standing() if each.stale or each.watched.in_trouble]
    open_ones, resolved = await desk.incidents.open_ones(), await desk.incidents.resolutions()
    return Foyer(tuple(waiting), tuple(open_ones), tuple(trouble), tuple(resolved))


async def home_of(user: str, desk: Desk, known: Foyer | None = None) -> Mapping[str, Any]:
    """The view for one person: only requests they may vote on stand under "waits for you"."""
    known = known or await foyer(desk)
    person, now = await desk.directory.person(user), desk.clock.now()
    mine = [shown for request, members, shown in known.waiting if not objections(request, person, members, now)]
    lobby = Lobby(
        waiting=mine,
        items=await desk.items.of(user),
        incidents=known.incidents,
        trouble=known.trouble,
        resolved=known.resolved,
        recent=await desk.reads.recent(by=user),
    )
    return home_view(user, lobby, now)
