"""The command line: the same words as in Slack, useful exit codes, and no traceback for a user's mistake."""

from bot.cli.app import main

__all__ = ["main"]
