"""Who somebody is and who is in a group, as Slack says, for every decision on votes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.clock import Clock
from bot.domain.approval import Person
from bot.domain.system import Group
from bot.errors import Misconfigured
from bot.slack.calls import Calls
from bot.slack.replies import ChannelGone, SlackRefused

GROUPS_LIFETIME = timedelta(minutes=5)
PEOPLE_LIFETIME = timedelta(seconds=30)
PLACES_LIFETIME = timedelta(seconds=30)
_MOST_PEOPLE = _MOST_PLACES = 5_000
_PAGES = 20
_ID = re.compile(r"[CG][A-Z0-9]{6,}")


@dataclass(frozen=True, slots=True)
class _Known:
    """Something Slack said, and when it is to be asked again."""

    answer: Any
    until: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A channel as Slack describes it; `shared` with other organisations, or about to be. The bot is a `member` of it,
    or might join."""

    id: str
    private: bool
    shared: bool
    archived: bool = False
    member: bool = True


class Directory:
    """People, groups and channels. It fails closed: who is not known may not vote, a group that is not known is empty.

    Raises `Unavailable` when Slack does not answer and nothing fresh is remembered.
    """

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._people: dict[str, _Known] = {}
        self._asking_about: dict[str, asyncio.Task[Person]] = {}
        self._groups: dict[str, _Known] = {}
        self._handles: _Known | None = None
        self._places: dict[str, _Known] = {}
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

    async def place(self, channel: str, *, afresh: bool = False) -> Place | None:
        """A channel by its id; None for one that the bot cannot see. `afresh` asks Slack in any case."""
        known = None if afresh else self._places.get(channel)
        if known is None or self._clock.now() >= known.until:
            try:
                answer = await self._calls.call("conversations.info", {"channel": channel}, get=True)
                found = _place(answer["channel"])
            except (ChannelGone, SlackRefused, Misconfigured):
                found = None
            if len(self._places) >= _MOST_PLACES:
                self._places.clear()
            known = self._places[channel] = _Known(found, self._clock.now() + PLACES_LIFETIME)
        place: Place | None = known.answer
        return place

    async def place_called(self, name: str) -> Place | None:
        """A private channel that the bot is in, by its name or its id."""
        async for each in self._channels(exclude_archived="true", types="private_channel"):
            if name in (each.get("name"), each["id"]) and each.get("is_member"):
                return _place(each)
        return None

    async def place_named(self, name: str) -> Place | None:
        """A channel that the bot can see by its name or its id, archived ones too; None where there is none."""
        if _ID.fullmatch(name) and (found := await self.place(name)) is not None:
            return found
        wanted = name.removeprefix("#")
        async for each in self._channels(exclude_archived="false", types="public_channel,private_channel"):
            if each.get("name") == wanted:
                return _place(each)
        return None

    async def _channels(self, **arguments: str) -> AsyncIterator[Mapping[str, Any]]:
        cursor = ""
        for _ in range(_PAGES):
            asked = {**arguments, "limit": 1000, "cursor": cursor}
            page = await self._calls.call("conversations.list", asked, get=True)
            for each in page["channels"]:
                yield each
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return

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


def _place(found: Mapping[str, Any]) -> Place:
    shared = any(found.get(name) for name in ("is_ext_shared", "is_pending_ext_shared", "pending_shared"))
    return Place(
        str(found["id"]),
        bool(found.get("is_private")),
        shared,
        archived=bool(found.get("is_archived")),
        member=bool(found.get("is_member", True)),
    )
