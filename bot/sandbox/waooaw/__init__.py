"""The sandbox's sample system WAOOAW: agents that post and trade for customers, and what can go wrong with them."""

from bot.sandbox.waooaw.system import SYSTEM

__all__ = ["SYSTEM"]
