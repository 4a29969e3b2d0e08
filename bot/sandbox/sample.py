"""What a sample system of the sandbox is: where its parts are, what can go wrong in it, and how it is made healthy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from bot.sandbox.database import SampleDatabase
from bot.sandbox.mail import MailSink
from bot.sandbox.programs import LocalPrograms
from bot.sandbox.services import LocalServices
from bot.sandbox.stripe import LocalStripe

ALERT_SECRETS = (
    "ALERTS_TOKEN",
    "ALERTS_SECRET",
    "ALERTS_SECRET_NEXT",
    "STRIPE_EVENTS_SECRET",
    "STRIPE_EVENTS_SECRET_NEXT",
)


@dataclass(frozen=True)
class Ground:
    """The parts of one running sample system, for its faults to be planted in. `secrets` are variables whose values
    faults change while the bot is running."""

    system: str
    database: SampleDatabase
    stripe: LocalStripe
    services: LocalServices
    programs: LocalPrograms
    mail: MailSink
    logs: Path
    secrets: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """The variables that every system's file may refer to, named after the system."""
        own = {
            "READ_URL": self.database.read_url,
            "ACT_URL": self.database.act_url,
            "STRIPE_KEY": self.stripe.key,
            "STRIPE_URL": self.stripe.url,
            "SERVICES_URL": self.services.url,
            "SERVICES_TOKEN": f"Bearer {self.services.token}",
            "SMTP_HOST": self.mail.host,
            "SMTP_PORT": str(self.mail.port),
            "LOGS": str(self.logs),
            # Made up, for whoever sends alerts to the sandbox's bot.
            **{name: f"sandbox-{self.system}-{name.lower().replace('_', '-')}" for name in ALERT_SECRETS},
        }
        return {f"{self.system.upper()}_{name}": value for name, value in own.items()}

    def log(self, name: str, *lines: str) -> Path:
        """Write a log anew; its path."""
        path = self.logs / f"{name}.log"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path


async def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Planted:
    """A planted fault: what its inputs and expectations call by name, and how the sessions it holds are ended."""

    ids: Mapping[str, str] = field(default_factory=dict)
    close: Callable[[], Awaitable[None]] = _nothing


Fault: TypeAlias = Callable[[Ground], Awaitable[Planted]]


@dataclass(frozen=True)
class SampleSystem:
    """A system's package: `faults` by name, `settle` makes everything healthy (at the start, and to end every fault),
    `environment` adds variables of its own, `usergroups` are the workspace's groups that its runbooks name."""

    id: str
    faults: Mapping[str, Fault]
    settle: Callable[[Ground], Awaitable[None]]
    environment: Callable[[Ground], Mapping[str, str]] = lambda _: {}
    usergroups: Sequence[Mapping[str, Any]] = ()
