"""The sandbox's sample system Storytailor: its families, the clouds it lives on, and the faults that can be planted."""

from bot.sandbox.storytailor.system import SYSTEM

__all__ = ["SYSTEM"]
