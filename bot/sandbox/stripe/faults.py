"""Trouble on demand for the local Stripe: slowness, silence, errors and lost answers, for as many calls as asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum

from bot.sandbox.stripe.wire import StripeError

TOO_MANY, SERVER_ERROR = 429, 500


class FaultKind(Enum):
    """What goes wrong. Before the work nothing has changed; after it everything has, and the client does not know."""

    STATUS = "answer with an error status, the work not done"
    SLOW = "answer late"
    SILENT_BEFORE = "never answer, the work not done"
    SILENT_AFTER = "do the work, then never answer"
    DROP_BEFORE = "close the connection, the work not done"
    DROP_AFTER = "do the work, then close the connection"


@dataclass
class Fault:
    """A fault for the next `times` matching calls (None: until cleared); an empty method or path matches every call."""

    kind: FaultKind
    times: int | None = 1
    method: str = ""
    path: str = ""
    status: int = SERVER_ERROR
    seconds: float = 0.0

    def matches(self, method: str, path: str) -> bool:
        """Whether it is for this call: the method equals, the path starts with ours."""
        return self.times != 0 and self.method in {"", method} and path.startswith(self.path)


class Faults:
    """The switches; a call takes the oldest fault that matches it, and `taken` is set when the first one has."""

    def __init__(self) -> None:
        self.taken = asyncio.Event()
        self._planned: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Plan a fault."""
        self._planned.append(fault)

    def clear(self) -> None:
        """All is well again."""
        self._planned.clear()
        self.taken.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this call, counted down, or None."""
        for fault in self._planned:
            if fault.matches(method, path):
                self.taken.set()
                fault.times = None if fault.times is None else fault.times - 1
                return fault
        return None


def error_for(status: int) -> StripeError:
    """Stripe's words for an injected status."""
    if status == TOO_MANY:
        message = "Request rate limit exceeded. You can learn more about rate limits here: https://stripe.com/docs/rate-limits."
        return StripeError(status, message, code="rate_limit")
    if status >= SERVER_ERROR:
        return StripeError(status, "An unknown error occurred. If it goes on, contact support.", kind="api_error")
    return StripeError(status, f"The request was refused with status {status}.")
