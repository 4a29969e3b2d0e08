"""Block Kit as accessible HTML, made on the server of the local Slack and shown by its page."""

from bot.sandbox.slack.render.names import Names
from bot.sandbox.slack.render.surface import render_home, render_message, render_view

__all__ = ["Names", "render_home", "render_message", "render_view"]
