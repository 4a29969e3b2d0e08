"""Every web API method local Slack knows, by name."""

from __future__ import annotations

from bot.sandbox.slack.api import channels, chat, conversations, files, marks, people, views
from bot.sandbox.slack.api.method import Method

METHODS: dict[str, Method] = {
    method.name: method
    for family in (people, chat, conversations, channels, views, files, marks)
    for method in family.METHODS
}
