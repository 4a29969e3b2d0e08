"""Creating, joining, leaving, renaming and archiving channels with their events; used by the web API and by people."""

from __future__ import annotations

from bot.sandbox.slack.errors import PersonError
from bot.sandbox.slack.posting import announce
from bot.sandbox.slack.records import Channel
from bot.sandbox.slack.state import Workspace


def create(space: Workspace, name: str, creator: str, *, is_private: bool) -> Channel:
    """A new channel with its creator as first member."""
    channel = Channel(
        space.new_id("C"),
        name,
        kind="private" if is_private else "public",
        creator=creator,
        created=space.now(),
        members=[creator],
    )
    space.channels[channel.id] = channel
    announce(space, channel, creator, "channel_join", f"<@{creator}> has joined the channel")
    space.tell("channel", channel)
    if not is_private:
        told = {"id": channel.id, "name": name, "created": channel.created, "creator": creator, "is_channel": True}
        space.emit({"type": "channel_created", "channel": told})
    return channel


def join(space: Workspace, channel: Channel, user: str, inviter: str | None = None) -> None:
    """Add a member; nothing happens when already in."""
    if user in channel.members:
        return
    channel.members.append(user)
    subtype = "group_join" if channel.kind == "private" else "channel_join"
    announce(space, channel, user, subtype, f"<@{user}> has joined the channel")
    space.tell("channel", channel)
    event = {
        "type": "member_joined_channel",
        "user": user,
        "channel": channel.id,
        "channel_type": "G" if channel.kind == "private" else "C",
        "team": space.team_id,
    }
    space.emit(event | ({"inviter": inviter} if inviter else {}), channel)


def leave(space: Workspace, channel: Channel, user: str) -> None:
    """Remove a member; nothing happens when not in."""
    if user not in channel.members:
        return
    subtype = "group_leave" if channel.kind == "private" else "channel_leave"
    channel.members.remove(user)
    announce(space, channel, user, subtype, f"<@{user}> has left the channel")
    space.tell("channel", channel, frozenset({user, *channel.members}) if channel.kind != "public" else None)
    event = {
        "type": "member_left_channel",
        "user": user,
        "channel": channel.id,
        "channel_type": "G" if channel.kind == "private" else "C",
        "team": space.team_id,
    }
    space.emit(event, channel)


def rename(space: Workspace, channel: Channel, name: str, user: str) -> None:
    """Give the channel a new name; the old one is remembered."""
    old = channel.name
    channel.previous_names.append(old)
    channel.name = name
    announce(space, channel, user, "channel_name", f'<@{user}> has renamed the channel from "{old}" to "{name}"')
    space.tell("channel", channel)
    event = "group_rename" if channel.kind == "private" else "channel_rename"
    told = {"id": channel.id, "name": name, "name_normalized": name, "created": channel.created}
    space.emit({"type": event, "channel": told}, channel)


def archive(space: Workspace, channel: Channel, user: str) -> None:
    """Close the channel; its messages stay readable and its name stays taken."""
    announce(space, channel, user, "channel_archive", f"<@{user}> archived the channel")
    channel.is_archived = True
    space.tell("channel", channel)
    event = "group_archive" if channel.kind == "private" else "channel_archive"
    space.emit({"type": event, "channel": channel.id, "user": user}, channel)


def unarchive(space: Workspace, channel: Channel, user: str) -> None:
    """Open an archived channel again."""
    channel.is_archived = False
    announce(space, channel, user, "channel_unarchive", f"<@{user}> un-archived the channel")
    space.tell("channel", channel)
    event = "group_unarchive" if channel.kind == "private" else "channel_unarchive"
    space.emit({"type": event, "channel": channel.id, "user": user}, channel)


def regroup(space: Workspace, handle: str, users: list[str]) -> None:
    """Change who is in a user group; the app hears subteam_members_changed."""
    group = next((each for each in space.usergroups.values() if each.handle == handle.removeprefix("@")), None)
    if group is None:
        raise PersonError(f"There is no user group @{handle.removeprefix('@')}.")
    added = [user for user in users if user not in group.users]
    removed = [user for user in group.users if user not in users]
    group.users = list(users)
    space.tell("state")
    space.emit(
        {
            "type": "subteam_members_changed",
            "subteam_id": group.id,
            "team_id": space.team_id,
            "date_update": space.now(),
            "added_users": added,
            "added_users_count": str(len(added)),
            "removed_users": removed,
            "removed_users_count": str(len(removed)),
        }
    )


def set_note(space: Workspace, channel: Channel, which: str, value: str, user: str) -> None:
    """Set the topic or the purpose (`which`), and say so in the channel."""
    note = channel.topic if which == "topic" else channel.purpose
    note.value, note.creator, note.last_set = value, user, space.now()
    words = f"set the channel {which}: {value}" if value else f"cleared the channel {which}"
    announce(space, channel, user, f"channel_{which}", f"<@{user}> {words}")
    space.tell("channel", channel)
