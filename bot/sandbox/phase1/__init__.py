"""The sandbox's subscription product with masks and epochs: its database, its application, its members, its faults."""

from bot.sandbox.phase1.system import SYSTEM

__all__ = ["SYSTEM"]
