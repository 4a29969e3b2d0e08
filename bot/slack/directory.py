"""Who somebody is and who is in a group, as Slack says, for every decision on votes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.clock import Clock
from bot.domain.approval import Person
from bot.domain.system import Group
from bot.slack.calls import Calls
from bot.slack.replies import SlackRefused

GROUPS_LIFETIME = timedelta(minutes=5)
PEOPLE_LIFETIME = timedelta(seconds=30)
_MOST_PEOPLE = 5_000


@dataclass(frozen=True, slots=True)
class _Known:
    """Something Slack said, and when it is to be asked again."""

    answer: Any
    until: datetime


class Directory:
    """People and groups. It fails closed: who is not known may not vote, a group that is not known is empty.

    Raises `Unavailable` when Slack does not answer and nothing fresh is remembered.
    """

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._people: dict[str, _Known] = {}
        self._asking_about: dict[str, asyncio.Task[Person]] = {}
        self._groups: dict[str, _Known] = {}
        self._handles: _Known | None = None
        self._team: str | None = None
        self._asking = asyncio.Lock()
        self.warnings: tuple[str, ...] = ()

    def invalidate(self) -> None:
        """Forget the groups: their members have changed."""
        self._groups.clear()
        self._handles = None

    async def person(self, user: str, *, within: timedelta = PEOPLE_LIFETIME) -> Person:
        """Somebody by Slack id; nobody Slack knows of is a stranger. What Slack said longer ago than `within` is asked
        again."""
        known = self._people.get(user)
        if known is None or self._clock.now() >= known.until - PEOPLE_LIFETIME + within:
            # Somebody who presses ten times at once is asked about once: Slack counts the questions.
            asking = self._asking_about.get(user)
            if asking is None:
                asking = self._asking_about[user] = asyncio.create_task(self._asked_person(user))
                asking.add_done_callback(lambda _: self._asking_about.pop(user, None))
            known = _Known(await asyncio.shield(asking), self._clock.now() + PEOPLE_LIFETIME)
            if len(self._people) >= _MOST_PEOPLE:
                self._people.clear()
            self._people[user] = known
        found: Person = known.answer
        return found

    async def members(
        self, groups: Mapping[str, Group], *, within: timedelta = GROUPS_LIFETIME
    ) -> Mapping[str, frozenset[str]]:
        """Slack user ids by the system's group name: the people listed, and those in the user group of that handle.

        What Slack said longer ago than `within` is asked again.
        """
        members, warnings = {}, []
        for name, group in groups.items():
            people = frozenset(group.people)
            if group.slack is not None:
                handle = group.slack.removeprefix("@")
                found = await self._of_handle(handle, within)
                if found is None:
                    warnings.append(f"There is no user group @{handle} on Slack, so nobody of it can approve ({name}).")
                people |= found or frozenset()
            if not people:
                warnings.append(f"The group {name} has no members: nobody of it can approve.")
            members[name] = people
        self.warnings = tuple(warnings)
        return members

    async def mentions(self, groups: Mapping[str, Group]) -> tuple[str, ...]:
        """Slack ids of the user groups behind the system's groups, for calling everybody in them."""
        async with self._asking:
            handles = await self._known_handles()
        wanted = (group.slack.removeprefix("@") for group in groups.values() if group.slack is not None)
        return tuple(handles[handle] for handle in wanted if handle in handles)

    async def _of_handle(self, handle: str, within: timedelta) -> frozenset[str] | None:
        """The members of a user group; None when there is no such group, or it is switched off."""
        async with self._asking:
            known = self._groups.get(handle)
            if known is None or self._clock.now() >= known.until - GROUPS_LIFETIME + within:
                group = (await self._known_handles()).get(handle)
                people = None if group is None else await self._asked_members(group)
                known = self._groups[handle] = _Known(people, self._clock.now() + GROUPS_LIFETIME)
            found: frozenset[str] | None = known.answer
            return found

    async def _known_handles(self) -> Mapping[str, str]:
        if self._handles is None or self._clock.now() >= self._handles.until:
            answer = await self._calls.call("usergroups.list", {"include_disabled": "false"}, get=True)
            handles = {
                str(each["handle"]): str(each["id"]) for each in answer["usergroups"] if not each.get("date_delete")
            }
            self._handles = _Known(handles, self._clock.now() + GROUPS_LIFETIME)
        found: Mapping[str, str] = self._handles.answer
        return found

    async def _asked_members(self, group: str) -> frozenset[str] | None:
        try:
            answer = await self._calls.call("usergroups.users.list", {"usergroup": group}, get=True)
        except SlackRefused:
            return None
        return frozenset(map(str, answer["users"]))

    async def _asked_person(self, user: str) -> Person:
        try:
            answer = await self._calls.call("users.info", {"user": user}, get=True)
        except SlackRefused:
            return Person(user, stranger=True)
        found: Mapping[str, Any] = answer["user"]
        profile: Mapping[str, Any] = found.get("profile") or {}
        name = profile.get("display_name") or found.get("real_name") or found.get("name") or ""
        return Person(
            id=user,
            name=str(name),
            bot=bool(found.get("is_bot") or found.get("is_workflow_bot") or user == "USLACKBOT"),
            deactivated=bool(found.get("deleted")),
            stranger=await self._from_elsewhere(found),
        )

    async def _from_elsewhere(self, found: Mapping[str, Any]) -> bool:
        """Whether a user belongs to another workspace (Slack Connect, or another one of an enterprise)."""
        if found.get("is_stranger"):
            return True
        if self._team is None:
            self._team = str((await self._calls.call("auth.test", {}))["team_id"])
        teams = {found.get("team_id"), *((found.get("enterprise_user") or {}).get("teams") or ())}
        return self._team not in teams
