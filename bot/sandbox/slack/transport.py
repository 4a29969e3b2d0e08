"""What every way of reaching the bot has in common; Socket Mode is in `sockets`, signed HTTP posts in `requests`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from bot.sandbox.slack.records import Json

Envelope = Literal["events_api", "interactive", "slash_commands"]
Reason = Literal["timeout", "no_connection", "http_error", "connection_failed"]


@dataclass(frozen=True)
class Acked:
    """The bot acknowledged in time; `body` is what it sent along."""

    body: Json | None = None


@dataclass(frozen=True)
class Unanswered:
    """The bot did not acknowledge; `retry` False means it asked not to be tried again."""

    reason: Reason
    retry: bool = True


Outcome = Acked | Unanswered


@dataclass(frozen=True)
class Retry:
    """Which repetition this is (from 1) and why."""

    attempt: int
    reason: str


class Transport(Protocol):
    """A way to hand a payload to the bot and wait for its acknowledgement."""

    async def send(self, kind: Envelope, payload: Json, retry: Retry | None = None) -> Outcome:
        """Deliver once; never raises for what the bot does."""
        ...


def delivery_name(kind: Envelope, payload: Json) -> str:
    """What the journal calls a delivery: the event's, the interaction's or the envelope's type."""
    match kind:
        case "events_api":
            return str(payload.get("event", {}).get("type") or payload.get("type"))
        case "interactive":
            return str(payload.get("type"))
        case "slash_commands":
            return kind
