"""The sample system of the AIAS Platform: tenants, workflows, subscriptions, and the vendors it stands on."""

from bot.sandbox.aias.system import SYSTEM

__all__ = ["SYSTEM"]
