"""The things a workspace holds: users, channels, messages, files, views, triggers, hooks; kept by `state`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
ChannelKind = Literal["public", "private", "im", "mpim"]
ViewType = Literal["modal", "home"]
Sharing = Literal["", "shared", "pending"]
HookKind = Literal["commands", "actions"]


@dataclass
class User:
    """A member of the workspace, person or bot; `team` is the one they come from when it is another (Slack Connect)."""

    id: str
    name: str
    real_name: str
    title: str = ""
    email: str = ""
    color: str = "4bbe2e"
    is_bot: bool = False
    tz: str = "Etc/UTC"
    deleted: bool = False
    team: str = ""


@dataclass
class Usergroup:
    """A user group, mentioned as `<!subteam^ID>`; `handle` has no "@"."""

    id: str
    handle: str
    name: str
    users: list[str] = field(default_factory=list)


@dataclass
class Note:
    """A channel's topic or purpose."""

    value: str = ""
    creator: str = ""
    last_set: int = 0


@dataclass
class Bookmark:
    """A link in a channel's header."""

    id: str
    title: str
    link: str
    emoji: str = ""
    created: int = 0
    updated: int = 0


@dataclass
class Message:
    """A message as stored: raw blocks, with missing block and action ids filled in as Slack does.

    `ephemeral_to` names the only user who sees it. `reactions` maps an emoji name to the users, in order.
    """

    ts: str
    channel: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    subtype: str | None = None
    edited: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    metadata: Json | None = None
    ephemeral_to: str | None = None
    by_bot: bool = False
    username: str | None = None
    inputs: dict[str, dict[str, dict[str, Json]]] = field(default_factory=dict)


@dataclass
class Channel:
    """A conversation of any kind; `messages` is in order of `ts`.

    `threads` maps a parent's `ts` to those of its replies, `last_read` a user to the `ts` up to which they have read.
    `sharing` is with another organisation (Slack Connect): in place, or waiting to be accepted.
    """

    id: str
    name: str
    kind: ChannelKind = "public"
    creator: str = ""
    created: int = 0
    members: list[str] = field(default_factory=list)
    topic: Note = field(default_factory=Note)
    purpose: Note = field(default_factory=Note)
    is_general: bool = False
    is_archived: bool = False
    previous_names: list[str] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    threads: dict[str, list[str]] = field(default_factory=dict)
    ephemerals: dict[str, Message] = field(default_factory=dict)
    pins: dict[str, Json] = field(default_factory=dict)
    bookmarks: list[Bookmark] = field(default_factory=list)
    last_read: dict[str, str] = field(default_factory=dict)
    sharing: Sharing = ""

    @property
    def is_direct(self) -> bool:
        """Whether it is a conversation between named people rather than a channel."""
        return self.kind in ("im", "mpim")

    @property
    def scope_word(self) -> str:
        """The first word of the scopes that govern this kind of conversation."""
        return {"public": "channels", "private": "groups", "im": "im", "mpim": "mpim"}[self.kind]


@dataclass
class File:
    """An uploaded file; `data` is None until the bytes have arrived, `shared` once it was completed."""

    id: str
    name: str
    secret: str
    length: int
    user: str
    created: int
    title: str = ""
    alt_text: str = ""
    mimetype: str = "application/octet-stream"
    data: bytes | None = None
    completed: bool = False
    channels: list[str] = field(default_factory=list)
    shares: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class View:
    """A modal or a Home tab of one user; `inputs` is what that user entered, by block and action id."""

    id: str
    type: ViewType
    user: str
    payload: Json
    hash: str
    root: str
    previous: str | None = None
    inputs: dict[str, dict[str, Json]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    app_installed_team: str = ""


@dataclass
class Trigger:
    """Permission to open one view for one user, good until `expires` (seconds since the epoch)."""

    id: str
    user: str
    expires: float
    view: str | None = None
    used: bool = False


@dataclass
class Hook:
    """A response_url: good for five posts until `expires`; `original` is the message it came from."""

    id: str
    secret: str
    channel: str
    user: str
    expires: float
    kind: HookKind
    original: str | None = None
    uses: int = 0


@dataclass
class Scheduled:
    """A message to be posted at `post_at` (seconds since the epoch)."""

    id: str
    channel: str
    post_at: int
    message: Json
