"""Planned misbehaviour of local Slack; set by tests and the person's page, obeyed by the web API and the sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from bot.sandbox.slack.errors import PersonError

Kind = Literal["error", "ratelimit", "latency", "http", "drop", "refuse_socket"]
# The `method` of a fault that spoils a delivery to the bot instead of a call by it.
DELIVERY = "delivery"


@dataclass(frozen=True)
class Fault:
    """One planned misbehaviour.

    `method` None means any method. `times` counts the calls it still spoils. `after` (only for "drop") cuts the
    connection when the call has already taken effect, which is how a retried post becomes a double post.
    """

    kind: Kind
    method: str | None = None
    error: str = "internal_error"
    status: int = 503
    retry_after: int = 1
    seconds: float = 0.0
    times: int = 1
    after: bool = False


@dataclass
class Faults:
    """The faults still to come, oldest first."""

    planned: list[Fault] = field(default_factory=list)

    def plan(self, fault: Fault) -> None:
        """Add a fault behind those already planned."""
        self.planned.append(fault)

    def clear(self) -> None:
        """Forget every fault that has not happened yet."""
        self.planned.clear()

    def take(self, method: str) -> Fault | None:
        """The fault that spoils this call of a web API method, used up once."""
        return self._take(lambda fault: fault.kind != "refuse_socket" and fault.method in (None, method))

    def take_socket(self) -> Fault | None:
        """The fault that refuses this WebSocket handshake, used up once."""
        return self._take(lambda fault: fault.kind == "refuse_socket")

    def take_delivery(self) -> Fault | None:
        """The fault that delays or loses this envelope, used up once: "latency" or "drop" planned for "delivery"."""
        return self._take(lambda fault: fault.method == DELIVERY and fault.kind in ("latency", "drop"))

    def _take(self, fits: Callable[[Fault], bool]) -> Fault | None:
        for place, fault in enumerate(self.planned):
            if fits(fault):
                if fault.times <= 1:
                    del self.planned[place]
                else:
                    self.planned[place] = replace(fault, times=fault.times - 1)
                return fault
        return None


def parse_fault(body: Mapping[str, Any]) -> Fault:
    """Read a fault from the person API's JSON; raises PersonError with a sentence."""
    kinds: tuple[Kind, ...] = get_args(Kind)
    kind = next((each for each in kinds if each == body.get("kind")), None)
    if kind is None:
        raise PersonError(f"Unknown fault kind {body.get('kind')!r}; one of {', '.join(kinds)}.")
    try:
        return Fault(
            kind=kind,
            method=body.get("method") or None,
            error=str(body.get("error", "internal_error")),
            status=int(body.get("status", 503)),
            retry_after=int(body.get("retry_after", 1)),
            seconds=float(body.get("seconds", 0)),
            times=int(body.get("times", 1)),
            after=bool(body.get("after", False)),
        )
    except (TypeError, ValueError) as error:
        raise PersonError(f"A fault's numbers must be numbers: {error}.") from error
