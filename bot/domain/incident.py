"""An incident: the channel, the people, the severity and the clock; it may hold several runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.runbook import Severity

MAX_CHANNEL_NAME = 80
MAX_TOPIC = 250


class IncidentState(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    RESOLVED = "resolved"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A runbook that whatever opened an incident speaks for, what it would be started with, and why in a few words."""

    runbook: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. `channel` is the Slack channel's id once it exists; `target` is the resolution time to be met.

    `origin` is what opened it, such as "monitor:pool"; while it is open the same origin opens no other one. `ladder` is
    the key of the escalation ladder that was chosen for it, `rungs` how many of its rungs have been called,
    `called_at` when the last one was; whoever acknowledges it stops that clock. A duplicate is `merged_into` another
    one; `related` are the ids of those that people have linked with it. `digests` have been posted, the last of which
    told what stands in the audit trail up to line `digest_seq`; the next one is due at `digest_due`.
    """

    id: str
    number: int
    system: str
    title: str
    severity: Severity
    target: timedelta
    opened_by: str
    opened_at: datetime
    state: IncidentState = IncidentState.OPEN
    channel: str | None = None
    channel_name: str = ""
    commander: str = ""
    resolved_at: datetime | None = None
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    ladder: str = ""
    rungs: int = 0
    called_at: datetime | None = None
    origin: str = ""
    private: bool = False
    suggestions: tuple[Suggestion, ...] = ()
    merged_into: str | None = None
    related: tuple[str, ...] = ()
    digests: int = 0
    digest_seq: int = 0
    digest_due: datetime | None = None

    @property
    def label(self) -> str:
        """What people call it: "INC-2026-11-21-007"."""
        return f"INC-{self.opened_at:%Y-%m-%d}-{self.number:03d}"

    def due_at(self) -> datetime:
        """When the resolution target is reached."""
        return self.opened_at + self.target


_NUMBERED = re.compile(r"^(?:INC-\d{4}-\d{2}-\d{2}-|INC-|#)?0*(\d{1,9})$", re.IGNORECASE)


def numbered(words: str) -> int | None:
    """The number of the incident that somebody means by "INC-2026-11-21-007", "inc-7", "#7" or "7"."""
    found = _NUMBERED.match(words.strip())
    return int(found[1]) if found else None


def channel_name(prefix: str, number: int, title: str) -> str:
    """A valid channel name for an incident: lower case, unique by its number, at most 80 characters."""
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return f"{prefix}-{number:03d}-{words}"[:MAX_CHANNEL_NAME].rstrip("-")


def topic(incident: Incident, text: str) -> str:
    """The channel's topic, within Slack's 250 characters."""
    line = f"{incident.label} · {incident.severity} · {incident.state} · {text}"
    return line if len(line) <= MAX_TOPIC else f"{line[: MAX_TOPIC - 1]}…"
