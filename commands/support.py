"""Support people: who gets a support run, what they may do, and where nothing is started."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from bot.domain.approval import Choice, objections
from bot.domain.incident import Incident
from bot.domain.runbook import Runbook
from bot.domain.system import System
from bot.errors import BotError, Refusal
from bot.response import Started
from bot.runs.shown import RunShown
from bot.slack.desk import Desk

MEMBERSHIP = timedelta(seconds=10)
HANDS_OFF = (
    "With support rights you can look and not act: somebody on call, or who approves changes of this system, can take "
    "this up."
)
SHARED = "This channel is shared with another organisation: nothing of {} is looked at from here. Use an internal one."
UNSEEN = (
    "I cannot see this channel and so cannot tell whether it is shared with another organisation. Invite me, or start "
    "{} from another one."
)


async def begin(
    desk: Desk, runbook: Runbook, raw: Mapping[str, str], *, by: str, request_key: str, channel: str
) -> Started:
    """Start a run for somebody in the mode that is theirs: every way from Slack to a run leads through here. Raises
    `BadInputs`, and `Refusal` in a channel that is shared with others."""
    system = desk.library.system(runbook)
    await insist_on_privacy(system, by, channel, desk)
    support = await supported(system, by, desk)
    return await desk.response.start(
        runbook, raw, by=by, request_key=request_key, channel=channel or None, support=support
    )


async def supported(system: System, user: str, desk: Desk) -> bool:
    """Whether somebody sees this system as support people do. Where Slack does not say who is in the group, everybody
    does of whom it does not say that they are on call or approve."""
    if system.support is None:
        return False
    name = system.support.group
    try:
        members = await desk.directory.members({name: system.groups[name]}, within=MEMBERSHIP)
        if members[name] and user not in members[name]:
            return False
        return not await trusted(system, user, desk)
    except BotError:
        return True


async def trusted(system: System, user: str, desk: Desk) -> bool:
    """Whether somebody is on call or in any group of the system that approves."""
    own = "" if system.support is None else system.support.group
    members = await desk.directory.members({name: group for name, group in system.groups.items() if name != own})
    return any(user in people for people in members.values())


async def insist_on_hands(run_id: str, user: str, desk: Desk) -> None:
    """Raises `Refusal`, on record, for who may look and not act: support people anywhere, and in a support run whoever
    is not known to be on call or to approve."""
    run = await desk.reads.run(run_id)
    _, system = await desk.library.of_run(run)
    if system.support is None:
        return
    may = await trusted(system, user, desk) if run.support else not await supported(system, user, desk)
    if may:
        return
    await desk.response.refused(user, HANDS_OFF, run=run)
    raise Refusal(HANDS_OFF)


async def insist_on_taking(incident: Incident, user: str, desk: Desk) -> None:
    """Raises `Refusal`, on record, for support people: while they had it, nobody who can act would be called."""
    system = desk.library.catalogue.systems.get(incident.system)
    if system is None or not await supported(system, user, desk):
        return
    await desk.response.refused(user, HANDS_OFF, about={"incident": incident.label})
    raise Refusal(HANDS_OFF)


async def insist_on_steering(incident: Incident, user: str, desk: Desk) -> None:
    """Raises `Refusal`, on record, for support people who would change whom an incident calls, or end it, unless they
    have begun it themselves."""
    if user != incident.opened_by:
        await insist_on_taking(incident, user, desk)


async def insist_on_privacy(system: System, user: str, channel: str, desk: Desk) -> None:
    """Raises `Refusal`, on record, in a channel shared with other organisations, and in one of which that cannot be
    told. In a direct conversation only who asks is answered."""
    if system.support is None or not channel or channel.startswith("D"):
        return
    place = await desk.directory.place(channel)
    if place is not None and not place.shared:
        return
    reason = (UNSEEN if place is None else SHARED).format(system.title)
    await desk.response.refused(user, reason, about={"channel": channel, "system": system.id})
    raise Refusal(reason)


async def may_see_all(shown: RunShown, key: str, user: str, desk: Desk) -> bool:
    """Whether somebody may decide on what waits for approval, and so has to see the whole of it."""
    request = shown.approvals[key].request
    _, system = await desk.library.of_run(shown.run)
    groups = {name: group for name, group in system.groups.items() if name in request.policy.everybody}
    members = await desk.directory.members(groups, within=MEMBERSHIP)
    person, now = await desk.directory.person(user), desk.clock.now()
    choices = (Choice.APPROVE, Choice.DENY, Choice.BREAK_GLASS)
    return any(not objections(request, person, members, now, choice) for choice in choices)
