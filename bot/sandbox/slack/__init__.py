"""Local Slack: a faithful Slack workspace on a loopback port, for the sandbox and for tests."""

from bot.sandbox.slack.errors import LocalSlackError, PersonError
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.person import Person
from bot.sandbox.slack.screen import Seen
from bot.sandbox.slack.seeds import Seed, read_seed
from bot.sandbox.slack.server import LocalSlack, PortInUseError
from bot.sandbox.slack.state import Timing

__all__ = [
    "Fault",
    "LocalSlack",
    "LocalSlackError",
    "Person",
    "PersonError",
    "PortInUseError",
    "Seed",
    "Seen",
    "Timing",
    "read_seed",
]
