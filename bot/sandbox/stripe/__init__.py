"""A Stripe of one's own: a faithful, seedable, breakable account on loopback for the sandbox and for tests."""

from bot.sandbox.stripe.events import Delivery
from bot.sandbox.stripe.faults import Fault, FaultKind
from bot.sandbox.stripe.objects import Objects
from bot.sandbox.stripe.server import LocalStripe, Received

__all__ = ["Delivery", "Fault", "FaultKind", "LocalStripe", "Objects", "Received"]
