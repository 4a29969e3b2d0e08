"""Requests for approval on their way to people: direct messages, reminders, emergencies, and Home tabs kept fresh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from bot.domain.approval import ApprovalRequest, RequestState, approvers
from bot.domain.policy import ApprovalPolicy
from bot.domain.system import Group
from bot.errors import BotError, Unavailable
from bot.runs.shown import RunShown
from bot.slack.desk import Desk
from bot.slack.homes import foyer, home_of
from bot.slack.views import kit
from bot.slack.views.asked import ask_message, glass_message, nudge_message, unreachable_message
from bot.slack.views.kit import Element, Message
from bot.slack.views.titles import action_title

log = structlog.get_logger(__name__)

MOST_ASKED = 20


class Posting(Protocol):
    """Posts messages, and remembers where."""

    async def channel_of(self, shown: RunShown) -> str:
        """The channel of the run's incident, or of a run without one."""
        ...

    async def posts(self, prefix: str) -> Sequence[str]:
        """The keys of what was posted under this prefix."""
        ...

    async def in_thread(self, shown: RunShown, key: str, message: Message) -> None:
        """Say something in the run's thread, once."""
        ...

    async def put(self, key: str, channel: str, message: Message, thread: str | None = None) -> object:
        """Post a message, or update it where it stands."""
        ...


class Asker:
    """Asks people beyond the incident's channel; `sender` posts and remembers where."""

    def __init__(self, sender: Posting, desk: Desk) -> None:
        self._sender = sender
        self._desk = desk

    async def ask(self, shown: RunShown, request: ApprovalRequest) -> None:
        """Bring a request to everybody who may decide it, by direct message."""
        for user in await self._entitled(shown, request):
            await self._copy(shown, request, user)
        await self.homes(request.id)

    async def copies(self, run_id: str, request_id: str) -> None:
        """Show every copy of a request as things stand."""
        shown = await self._desk.reads.shown(run_id)
        stored = await self._desk.reads.request(request_id)
        for user in await self._reached(request_id):
            await self._copy(shown, stored.request, user)

    async def homes(self, request_id: str) -> None:
        """Show the Home tabs of everybody whom a request has reached as things stand."""
        known = await foyer(self._desk)
        for user in await self._reached(request_id):
            try:
                await self._desk.client.publish_home(user, await home_of(user, self._desk, known))
            except Unavailable:
                raise
            except BotError as error:
                log.info("home tab not published", user=user, error=str(error))

    async def nudge(self, run_id: str, request_id: str, key: str, *, backup: bool) -> None:
        """Remind those who may decide, in the run's thread and directly; the backup comes in when it is its turn."""
        shown = await self._desk.reads.shown(run_id)
        stored = await self._desk.reads.request(request_id)
        request = stored.request
        if request.state is not RequestState.PENDING:
            return
        names = (request.policy.backup,) if backup else request.policy.groups
        groups = await self._groups(shown, names)
        people = [] if backup else [kit.person(user) for user in request.policy.people]
        called = [*await self._called(groups), *people]
        message = nudge_message(shown, request, called, self._desk.clock.now())
        if backup:
            members = await self._desk.directory.members(groups)
            everybody = sorted({user for users in members.values() for user in users})
            await self._desk.client.invite(await self._sender.channel_of(shown), everybody)
        await self._sender.in_thread(shown, f"nudge:{request_id}:{key}", message)
        await self.ask(shown, request)

    async def glass(self, run_id: str, action: str, by: str, reason: str) -> None:
        """Call the leads: somebody went ahead alone."""
        shown = await self._desk.reads.shown(run_id)
        approval = shown.approvals[action]
        groups = await self._groups(shown, approval.request.policy.break_glass)
        members = await self._desk.directory.members(groups)
        everybody = sorted({user for users in members.values() for user in users})
        message = glass_message(shown, action, by, reason, await self._called(groups))
        channel = await self._sender.channel_of(shown)
        await self._desk.client.invite(channel, everybody)
        await self._sender.put(f"glass:{approval.request.id}", channel, message)
        for user in [user for user in everybody if user != by][:MOST_ASKED]:
            await self._direct(f"glass:{approval.request.id}:{user}", user, message)

    async def reach(self, run_id: str) -> None:
        """Say at the start of a run what nobody could approve, before it is needed."""
        shown = await self._desk.reads.shown(run_id)
        lacking = []
        for action in shown.runbook.actions.values():
            if action.policy.confirm or not action.gated:
                continue
            found = await self._active(shown, action.policy)
            if len(found - {shown.run.requested_by}) < action.policy.votes:
                who = " or ".join(f"@{group}" for group in action.policy.groups) or "the people it names"
                lacking.append(f"«{action_title(shown, action.key)}» needs {action.policy.votes} of {who}")
        if lacking:
            await self._sender.in_thread(shown, f"reach:{shown.run.id}", unreachable_message(shown, lacking))

    async def _reached(self, request_id: str) -> list[str]:
        return [key.rpartition(":")[2] for key in await self._sender.posts(f"ask:{request_id}:")]

    # -- who -----------------------------------------------------------------------------------------------------------

    async def _entitled(self, shown: RunShown, request: ApprovalRequest) -> list[str]:
        if request.policy.confirm or request.state is not RequestState.PENDING:
            return []
        groups = await self._groups(shown, request.policy.everybody)
        members = await self._desk.directory.members(groups)
        found = approvers(request, members, self._desk.clock.now())
        asked = set() if request.policy.requester_may_vote else {request.requested_by, *request.askers}
        return sorted(found - asked)[:MOST_ASKED]

    async def _active(self, shown: RunShown, policy: ApprovalPolicy) -> set[str]:
        groups = await self._groups(shown, policy.groups)
        members = await self._desk.directory.members(groups)
        found = {*policy.people, *(user for users in members.values() for user in users)}
        people = [await self._desk.directory.person(user) for user in sorted(found)[:MOST_ASKED]]
        return {each.id for each in people if not (each.bot or each.deactivated or each.stranger)}

    async def _groups(self, shown: RunShown, names: tuple[str, ...]) -> Mapping[str, Group]:
        _, system = await self._desk.library.of_run(shown.run)
        return {name: group for name, group in system.groups.items() if name in names}

    async def _called(self, groups: Mapping[str, Group]) -> list[Element]:
        handles = await self._desk.directory.mentions(groups)
        people = {user for group in groups.values() for user in group.people}
        called: list[Element] = [{"type": "usergroup", "usergroup_id": handle} for handle in handles]
        return [*called, *(kit.person(user) for user in sorted(people))]

    # -- where ---------------------------------------------------------------------------------------------------------

    async def _copy(self, shown: RunShown, request: ApprovalRequest, user: str) -> None:
        message = ask_message(shown, request, await self._sender.channel_of(shown))
        await self._direct(f"ask:{request.id}:{user}", user, message)

    async def _direct(self, key: str, user: str, message: Message) -> None:
        """A direct message; somebody who cannot be written to is left out, and said so in the log."""
        try:
            await self._sender.put(key, await self._desk.client.direct(user), message)
        except Unavailable:
            raise
        except BotError as error:
            log.warning("direct message could not be sent", user=user, error=str(error))
