"""What a handler of Slack's commands, buttons and forms is given, what it is told, and what it may answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from bot.clock import Clock
from bot.domain.proof import Proven
from bot.domain.runbook import Runbook
from bot.incidents.actions import Incidents
from bot.incidents.items import Items
from bot.incidents.journal import Journal
from bot.incidents.monitors import Monitors
from bot.incidents.relating import Relations
from bot.incidents.windows import Windows
from bot.response import Response
from bot.runs.actions import People
from bot.runs.answering import Answers
from bot.runs.library import Library
from bot.runs.months import Months
from bot.runs.reads import Reads
from bot.runs.rows import Rows
from bot.runs.triage import Triage
from bot.slack.client import SlackClient
from bot.slack.directory import Directory
from bot.slack.verbs import Ref, Verb
from bot.slack.views.kit import Message


class Drafting(Protocol):
    """Who drafts post-incident reviews."""

    async def draft(self, incident_id: str) -> Message | None:
        """The review with its evidence as files, or None for an incident that needs none."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The use cases and the way to Slack, handed to every handler."""

    response: Response
    people: People
    answers: Answers
    incidents: Incidents
    journal: Journal
    items: Items
    relations: Relations
    reads: Reads
    library: Library
    directory: Directory
    client: SlackClient
    clock: Clock
    reviews: Drafting
    triage: Triage
    rows: Rows
    monitors: Monitors
    windows: Windows
    months: Months

    async def proven(self, runbook: Runbook) -> Proven:
        """How far a runbook of the catalogue is proven."""
        return (await self.reads.proven(runbook.system))[runbook.id]


# -- what came in ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command. `key` is the same when Slack delivers it again."""

    name: str
    text: str
    user: str
    channel: str
    trigger: str
    key: str


@dataclass(frozen=True, slots=True)
class Press:
    """A button pressed or an option picked. `value` is what was picked, `channel` and `ts` the message it stands in, or
    `view` the Home tab or the form (then `form` is set)."""

    verb: Verb
    ref: Ref
    user: str
    trigger: str
    key: str
    channel: str = ""
    ts: str = ""
    thread: str = ""
    value: str = ""
    view: str = ""
    form: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """A submitted form: what it is about, and Slack's state of its inputs."""

    verb: Verb
    ref: Ref
    user: str
    key: str
    state: Mapping[str, Any]
    view: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody wrote to the bot, or asked for a runbook on a message."""

    user: str
    channel: str
    ts: str
    text: str
    thread: str = ""
    trigger: str = ""


# -- what goes back: a closed set --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Say:
    """Words or blocks that only the person sees; with `public` everybody in the channel does."""

    text: str
    blocks: Sequence[Mapping[str, Any]] = ()
    public: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """A form to open; it needs the trigger of what the person did."""

    view: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A form that stays open with a sentence beside each input that does not fit, by block id."""

    errors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing to say: what changed is seen in the message itself."""


@dataclass(frozen=True, slots=True)
class Later:
    """An answer that takes longer than Slack waits: `text` is said at once, what `making` comes to when it is there."""

    text: str
    making: Callable[[], Awaitable[Say]]


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji that somebody put on a message, or took back."""

    user: str
    name: str
    channel: str
    ts: str
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody has come into a channel."""

    user: str
    channel: str


Answer: TypeAlias = Say | Open | Wrong | Quiet | Later

CommandHandler: TypeAlias = Callable[[Command, Desk], Awaitable[Answer]]
PressHandler: TypeAlias = Callable[[Press, Desk], Awaitable[Answer]]
FormHandler: TypeAlias = Callable[[Form, Desk], Awaitable[Answer]]
MentionHandler: TypeAlias = Callable[[Mention, Desk], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Routes:
    """Who handles what: one table for each way in."""

    commands: Mapping[str, CommandHandler] = field(default_factory=dict)
    presses: Mapping[Verb, PressHandler] = field(default_factory=dict)
    forms: Mapping[Verb, FormHandler] = field(default_factory=dict)
    mention: MentionHandler | None = None
    shortcuts: Mapping[Verb, MentionHandler] = field(default_factory=dict)
    home: Callable[[str, Desk], Awaitable[Mapping[str, Any]]] | None = None
    reacted: Callable[[Reaction, Desk], Awaitable[None]] | None = None
    arrived: Callable[[Arrival, Desk], Awaitable[None]] | None = None
