"""What the bot does to channels and to messages as they stand there: made, joined, marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bot.blockkit import limits
from bot.errors import Unavailable
from bot.slack.calls import Calls
from bot.slack.replies import SlackRefused
from bot.slack.views.text import clip

log = structlog.get_logger(__name__)

_SUFFIXES = 50
_PAGES = 20


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as Slack knows it; `name` may carry a suffix when the wanted one was taken."""

    id: str
    name: str


class Channels:
    """The half of the client that is about channels."""

    calls: Calls

    async def create_channel(self, name: str, *, private: bool = False) -> Channel:
        """A channel of that name, or with the first free suffix where it is taken (archived channels keep their names).

        A live channel of that name that this bot made is adopted: an earlier attempt was interrupted after making it.
        """
        for number in range(1, _SUFFIXES + 1):
            suffix = "" if number == 1 else f"-{number}"
            wanted = name[: limits.CHANNEL_NAME - len(suffix)].rstrip("-") + suffix
            try:
                answer = await self.calls.call("conversations.create", {"name": wanted, "is_private": private})
            except SlackRefused as error:
                if error.code != "name_taken":
                    raise
                own = await self._own_channel(wanted)
                if own is not None:
                    return own
            else:
                return Channel(str(answer["channel"]["id"]), str(answer["channel"]["name"]))
        raise Unavailable(f"Every name like #{name} is taken on Slack.")

    async def _own_channel(self, name: str) -> Channel | None:
        me = str((await self.calls.call("auth.test", {}))["user_id"])
        cursor = ""
        for _ in range(_PAGES):
            arguments = {"exclude_archived": "true", "limit": 1000, "types": "public_channel,private_channel"}
            page = await self.calls.call("conversations.list", arguments | {"cursor": cursor}, get=True)
            for each in page["channels"]:
                if each.get("name") == name:
                    mine = each.get("creator") == me and not each.get("is_archived")
                    return Channel(str(each["id"]), name) if mine else None
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return None
        return None

    async def invite(self, channel: str, users: Sequence[str]) -> tuple[str, ...]:
        """Invite people; those who could not be invited. Who is there already is no matter."""
        wanted = list(dict.fromkeys(users))
        try:
            for start in range(0, len(wanted), 100):
                await self._invited(channel, wanted[start : start + 100])
        except SlackRefused:
            left = []
            for user in wanted:
                try:
                    await self._invited(channel, [user])
                except SlackRefused as error:
                    log.warning("could not be invited", channel=channel, user=user, code=error.code)
                    left.append(user)
            return tuple(left)
        return ()

    async def _invited(self, channel: str, users: Sequence[str]) -> None:
        try:
            await self.calls.call("conversations.invite", {"channel": channel, "users": ",".join(users)})
        except SlackRefused as error:
            if len(users) != 1 or error.code not in ("already_in_channel", "cant_invite_self"):
                raise

    async def members(self, channel: str) -> Sequence[str]:
        """Everybody in a channel."""
        found: list[str] = []
        cursor = ""
        for _ in range(_PAGES):
            arguments = {"channel": channel, "limit": 200, "cursor": cursor}
            page = await self.calls.call("conversations.members", arguments, get=True)
            found += map(str, page["members"])
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found

    async def marked_message(self, channel: str, ts: str) -> Mapping[str, Any]:
        """A message that somebody has reacted to, as Slack describes it."""
        answer = await self.calls.call("reactions.get", {"channel": channel, "timestamp": ts, "full": "true"}, get=True)
        found: Mapping[str, Any] = answer.get("message") or {}
        return found

    async def react(self, channel: str, ts: str, name: str) -> None:
        """React to a message; having done so already is no matter."""
        try:
            await self.calls.call("reactions.add", {"channel": channel, "timestamp": ts, "name": name})
        except SlackRefused as error:
            if error.code != "already_reacted":
                raise

    async def unreact(self, channel: str, ts: str, name: str) -> None:
        """Take the bot's own reaction back; there being none is no matter."""
        try:
            await self.calls.call("reactions.remove", {"channel": channel, "timestamp": ts, "name": name})
        except SlackRefused as error:
            if error.code != "no_reaction":
                raise

    async def set_topic(self, channel: str, topic: str) -> None:
        """Set a channel's topic, cut at 250 characters."""
        await self.calls.call("conversations.setTopic", {"channel": channel, "topic": clip(topic, 250)})

    async def set_purpose(self, channel: str, purpose: str) -> None:
        """Set a channel's purpose, cut at 250 characters."""
        await self.calls.call("conversations.setPurpose", {"channel": channel, "purpose": clip(purpose, 250)})

    async def pin(self, channel: str, ts: str) -> None:
        """Pin a message; pinned already is no matter."""
        try:
            await self.calls.call("pins.add", {"channel": channel, "timestamp": ts})
        except SlackRefused as error:
            if error.code != "already_pinned":
                raise

    async def bookmark(self, channel: str, title: str, link: str) -> None:
        """Put a link at the top of a channel."""
        arguments = {"channel_id": channel, "title": title, "type": "link", "link": link}
        await self.calls.call("bookmarks.add", arguments, repeatable=False)
