"""Who may take back, change or plan what waits for approval: whoever asked for it, may approve it, or is on call."""

from __future__ import annotations

from bot.domain.policy import ON_CALL
from bot.domain.run import ActionStatus
from bot.errors import Refusal
from bot.slack.desk import Desk

REFUSED = "Only who asked for this, may approve it or is on call can do that while it waits for approval."


async def insist_on_standing(run_id: str, user: str, desk: Desk) -> None:
    """Raises `Refusal`, on record, for anybody else; a run in which nothing waits is open to all."""
    shown = await desk.reads.shown(run_id)
    current = shown.run.current
    if current is None or current.status is not ActionStatus.REQUESTED or current.key not in shown.approvals:
        return
    request = shown.approvals[current.key].request
    _, system = await desk.library.of_run(shown.run)
    names = {*request.policy.everybody, ON_CALL}
    members = await desk.directory.members({name: group for name, group in system.groups.items() if name in names})
    involved = {request.requested_by, *request.askers, *request.policy.people}
    if user in involved.union(*members.values()):
        return
    await desk.people.turn_away(request.id, await desk.directory.person(user), REFUSED)
    raise Refusal(REFUSED)
