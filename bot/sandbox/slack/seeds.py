"""Who and what is in the workspace when local Slack starts: parsed from plain data, applied by the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.errors import LocalSlackError
from bot.sandbox.slack.records import Channel, Note, Sharing, User, Usergroup

COLORS = ("9f69e7", "e96699", "4bbe2e", "e7392d", "3c989f", "674b1b", "e0a729", "2b6836", "5a4592", "d1707d")
GENERAL = "general"


@dataclass(frozen=True)
class Seed:
    """The workspace at the start; members and group users are given by user name or id."""

    team: str = "Local Workspace"
    domain: str = "local"
    users: tuple[User, ...] = ()
    usergroups: tuple[Usergroup, ...] = ()
    channels: tuple[Channel, ...] = ()
    bot_channels: tuple[str, ...] = field(default=())


def read_seed(source: Seed | Mapping[str, Any] | None) -> Seed:
    """Make a Seed of plain data (`team`, `users`, `usergroups`, `channels`); raises LocalSlackError.

    A user is `{name, real_name?, title?, email?, id?, tz?}`, a group `{handle, name?, users, id?}`, a channel
    `{name, is_private?, members?, topic?, purpose?, bot?, sharing?, id?}`; without `members` everybody is in it, `bot:
    true` puts the bot in it too, `sharing` with another organisation is "shared" or "pending". `#general` always is.
    """
    if isinstance(source, Seed):
        return source
    tree: Mapping[str, Any] = source or {}
    users = tuple(_user(entry, place) for place, entry in enumerate(tree.get("users") or _DEFAULT_USERS))
    names = {user.name: user.id for user in users} | {user.id: user.id for user in users}
    groups = tuple(_usergroup(entry, names) for entry in tree.get("usergroups") or ())
    entries = list(tree.get("channels") or ())
    if not any(entry.get("name") == GENERAL for entry in entries):
        entries.insert(0, {"name": GENERAL, "purpose": "Company-wide announcements and work-based matters"})
    channels = tuple(_channel(entry, names) for entry in entries)
    given = tree.get("team") or {}
    team: Mapping[str, Any] = given if isinstance(given, Mapping) else {"name": given}
    with_bot = tuple(channel.id for channel, entry in zip(channels, entries, strict=True) if entry.get("bot"))
    name, domain = str(team.get("name", "Local Workspace")), str(team.get("domain", "local"))
    return Seed(name, domain, users, groups, channels, with_bot)


_DEFAULT_USERS: Sequence[Mapping[str, Any]] = (
    {"name": "ana", "real_name": "Ana Lima", "title": "On-call engineer"},
    {"name": "ben", "real_name": "Ben Okoro", "title": "Billing lead"},
    {"name": "chloe", "real_name": "Chloe Martin", "title": "Support"},
)


def _identity(prefix: str, name: str) -> str:
    letters = "".join(letter for letter in name.upper() if letter.isascii() and letter.isalnum())
    return f"{prefix}0{letters}"


def _user(entry: Mapping[str, Any], place: int) -> User:
    name = str(entry.get("name") or "")
    if not name:
        raise LocalSlackError(f"User number {place + 1} of the seed has no name.")
    return User(
        id=str(entry.get("id") or _identity("U", name)),
        name=name,
        real_name=str(entry.get("real_name") or name.title()),
        title=str(entry.get("title") or ""),
        email=str(entry.get("email") or f"{name}@example.com"),
        color=str(entry.get("color") or COLORS[place % len(COLORS)]),
        is_bot=bool(entry.get("is_bot")),
        tz=str(entry.get("tz") or "Etc/UTC"),
    )


def _members(given: Any, names: Mapping[str, str], where: str) -> list[str]:
    if given is None:
        return list(dict.fromkeys(names.values()))
    unknown = [str(name) for name in given if name not in names]
    if unknown:
        raise LocalSlackError(f"{where} names people the seed does not have: {', '.join(unknown)}.")
    return [names[name] for name in given]


def _usergroup(entry: Mapping[str, Any], names: Mapping[str, str]) -> Usergroup:
    handle = str(entry.get("handle") or "").lstrip("@")
    if not handle:
        raise LocalSlackError("A user group of the seed has no handle.")
    return Usergroup(
        id=str(entry.get("id") or _identity("S", handle)),
        handle=handle,
        name=str(entry.get("name") or handle.title()),
        users=_members(entry.get("users") or (), names, f"The user group @{handle}"),
    )


def _channel(entry: Mapping[str, Any], names: Mapping[str, str]) -> Channel:
    name = str(entry.get("name") or "").lstrip("#")
    if not name:
        raise LocalSlackError("A channel of the seed has no name.")
    members = _members(entry.get("members"), names, f"The channel #{name}")
    return Channel(
        id=str(entry.get("id") or _identity("C", name)),
        name=name,
        kind="private" if entry.get("is_private") else "public",
        creator=members[0] if members else "",
        members=members,
        topic=Note(str(entry.get("topic") or "")),
        purpose=Note(str(entry.get("purpose") or "")),
        is_general=name == GENERAL,
        sharing=_sharing(entry, name),
    )


def _sharing(entry: Mapping[str, Any], name: str) -> Sharing:
    known: dict[str, Sharing] = {"": "", "shared": "shared", "pending": "pending"}
    given = str(entry.get("sharing") or "")
    if given not in known:
        raise LocalSlackError(f"The channel #{name} cannot be {given!r}; sharing is shared or pending.")
    return known[given]
