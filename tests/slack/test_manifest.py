"""`app_manifest.yml` is the truth about commands, scopes and events: within Slack's limits and the same as the code."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.sandbox.slack.api.table import METHODS
from bot.slack import client, directory
from bot.slack.listeners import Listeners
from bot.slack.verbs import Verb
from commands import routes

MANIFEST: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "app_manifest.yml").read_text(encoding="utf-8"))
FEATURES = MANIFEST["features"]
SCOPES = MANIFEST["oauth_config"]["scopes"]
# Source: docs.slack.dev/reference/scopes; the ones this app may ever want.
KNOWN_SCOPES = frozenset(
    {
        "app_mentions:read",
        "bookmarks:read",
        "bookmarks:write",
        "canvases:write",
        "channels:history",
        "channels:join",
        "channels:manage",
        "channels:read",
        "chat:write",
        "chat:write.customize",
        "chat:write.public",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "groups:write",
        "im:history",
        "im:write",
        "pins:write",
        "reactions:read",
        "reactions:write",
        "usergroups:read",
        "users:read",
        "users:read.email",
    }
)


def test_names_and_lengths() -> None:
    """Names, descriptions and hints are within what Slack's manifest schema allows."""
    shown = MANIFEST["display_information"]
    assert MANIFEST["_metadata"]["major_version"] == 2
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 175 <= len(shown["long_description"]) <= 4_000
    assert re.fullmatch(r"#[0-9a-f]{6}", shown["background_color"])
    assert len(FEATURES["bot_user"]["display_name"]) <= 80
    for command in FEATURES["slash_commands"]:
        assert re.fullmatch(r"/[a-z-]{1,31}", command["command"])
        assert len(command["description"]) <= 2_000
        assert len(command["usage_hint"]) <= 1_000
    for shortcut in FEATURES["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150


def test_scopes_are_known_and_named_once() -> None:
    """A misspelt scope would pass Slack's schema and fail in production; none is asked for twice."""
    asked = [*SCOPES["bot"], *SCOPES["bot_optional"]]
    assert set(asked) <= KNOWN_SCOPES
    assert len(asked) == len(set(asked))


def test_commands_are_those_the_bot_answers() -> None:
    """Every command of the manifest has a handler, and every handler its command."""
    assert {command["command"] for command in FEATURES["slash_commands"]} == set(routes().commands)


def test_shortcuts_are_those_the_bot_answers() -> None:
    """Every message shortcut of the manifest has a handler, and every handler its shortcut."""
    assert {shortcut["type"] for shortcut in FEATURES["shortcuts"]} == {"message"}
    assert {Verb(shortcut["callback_id"]) for shortcut in FEATURES["shortcuts"]} == set(routes().shortcuts)


def test_events_are_those_the_bot_listens_to() -> None:
    """Every event of the manifest is handled, and every handled event is subscribed to."""
    handled = set()
    for line in inspect.getsource(Listeners.event).splitlines():
        if line.strip().startswith("case "):
            handled |= set(re.findall(r'"((?:app|subteam|message|reaction|channel|member)[._a-z]+)"', line))
    assert handled == set(MANIFEST["settings"]["event_subscriptions"]["bot_events"])


def test_interactivity_home_and_socket_mode_are_on() -> None:
    """Buttons, the Home tab and Socket Mode are switched on."""
    assert MANIFEST["settings"]["interactivity"]["is_enabled"]
    assert MANIFEST["settings"]["socket_mode_enabled"]
    assert FEATURES["app_home"]["home_tab_enabled"]


@pytest.mark.parametrize("source", [client, directory])
def test_every_method_called_has_its_scope(source: Any) -> None:
    """Failure mode 28: each method the bot calls exists in local Slack and is covered by the manifest's scopes."""
    called = set(
        re.findall(
            r'"((?:chat|conversations|views|files|pins|bookmarks|users|usergroups)\.[A-Za-z.]+)"',
            inspect.getsource(source),
        )
    )
    assert called
    for name in called:
        needed = METHODS[name].scopes
        assert not needed or set(needed) & set(SCOPES["bot"]), f"{name} needs one of {needed}"
