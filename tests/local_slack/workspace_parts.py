"""The small workspace, the app manifest, the clock and the Bolt app that the tests of local Slack share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import LocalSlack

SEED: dict[str, Any] = {
    "team": "Acme",
    "users": [
        {"name": "ana", "real_name": "Ana Lima", "title": "On-call engineer", "email": "ana@example.com"},
        {"name": "ben", "real_name": "Ben Okoro", "title": "Billing lead", "email": "ben@example.com"},
        {"name": "chloe", "real_name": "Chloe Martin", "title": "Support"},
    ],
    "usergroups": [{"handle": "billing", "name": "Billing", "users": ["ben"]}],
    "channels": [
        {"name": "incidents", "bot": True, "topic": "What burns"},
        {"name": "elsewhere", "members": ["ana", "ben"]},
        {"name": "secret", "is_private": True, "members": ["ben"]},
    ],
}

SCOPES = """
    app_mentions:read bookmarks:read bookmarks:write channels:history channels:join channels:manage channels:read
    chat:write commands emoji:read files:read files:write groups:history groups:read groups:write im:history im:read
    im:write mpim:read mpim:write pins:read pins:write reactions:read reactions:write team:read usergroups:read
    users:read users:read.email
"""

MANIFEST: dict[str, Any] = {
    "display_information": {"name": "Runbook Bot"},
    "features": {
        "app_home": {"home_tab_enabled": True},
        "bot_user": {"display_name": "Runbook Bot"},
        "slash_commands": [
            {"command": "/runbook", "description": "Run a runbook", "usage_hint": "[id]"},
            {"command": "/page", "description": "Page somebody", "should_escape": True},
        ],
        "shortcuts": [
            {"name": "Run a runbook", "type": "message", "callback_id": "run_on_this", "description": "x"},
            {"name": "Open incident", "type": "global", "callback_id": "open_incident", "description": "x"},
        ],
    },
    "oauth_config": {"scopes": {"bot": SCOPES.split()}},
    "settings": {
        "event_subscriptions": {
            "bot_events": [
                "app_home_opened",
                "app_mention",
                "message.im",
                "reaction_added",
                "member_joined_channel",
                "channel_archive",
                "subteam_members_changed",
            ]
        },
        "interactivity": {"is_enabled": True},
        "socket_mode_enabled": True,
    },
}


@dataclass
class ManualClock:
    """A clock that moves only when told to."""

    at: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds


@dataclass
class Bot:
    """A real Bolt app on a shared session, not yet connected; `connect` opens Socket Mode."""

    slack: LocalSlack
    session: aiohttp.ClientSession
    app: AsyncApp
    handlers: list[AsyncSocketModeHandler] = field(default_factory=list)

    @property
    def client(self) -> AsyncWebClient:
        return self.app.client

    async def connect(self) -> AsyncSocketModeHandler:
        """Open one more Socket Mode connection and wait until it stands."""
        handler = AsyncSocketModeHandler(self.app, self.slack.app_token, ping_interval=2)
        self.handlers.append(handler)
        await handler.connect_async()  # type: ignore[no-untyped-call]  # the SDK gives it no types
        await self.slack.wait_connected(len(self.handlers))
        return handler

    async def close(self) -> None:
        for handler in self.handlers:
            await handler.close_async()  # type: ignore[no-untyped-call]  # the SDK gives it no types


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A modal with these blocks, or the smallest one."""
    given = list(blocks) or [{"type": "section", "text": {"type": "plain_text", "text": "Hello"}}]
    return {"type": "modal", "title": {"type": "plain_text", "text": "Start"}, "blocks": given} | more


def button(action_id: str, text: str, **more: Any) -> dict[str, Any]:
    """A button."""
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": text}} | more
