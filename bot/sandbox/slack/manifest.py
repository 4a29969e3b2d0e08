"""Reads the bot's `app_manifest.yml`: what local Slack delivers and permits; used by the server and the web API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.sandbox.slack.errors import LocalSlackError


@dataclass(frozen=True)
class Command:
    """A declared slash command; `command` begins with "/"."""

    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = False


@dataclass(frozen=True)
class Shortcut:
    """A declared shortcut; `type` is "global" or "message"."""

    callback_id: str
    name: str
    type: str


@dataclass(frozen=True)
class Manifest:
    """The parts of an app manifest (schema 2) that decide what Slack does with the app."""

    name: str
    bot_name: str
    description: str = ""
    commands: tuple[Command, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()
    scopes: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    interactivity: bool = False
    socket_mode: bool = False
    home_tab: bool = False
    always_online: bool = False

    def command(self, word: str) -> Command | None:
        """The declared command of this name, or None."""
        return next((command for command in self.commands if command.command == word), None)


def read_manifest(source: str | Path | Mapping[str, Any]) -> Manifest:
    """Parse a manifest from a YAML or JSON file, or from its parsed form; raises LocalSlackError."""
    if isinstance(source, Mapping):
        return parse_manifest(source)
    try:
        parsed = yaml.safe_load(Path(source).read_text(encoding="utf-8"))
    except OSError as error:
        raise LocalSlackError(f"The app manifest {source} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise LocalSlackError(f"The app manifest {source} is not valid YAML: {error}.") from error
    if not isinstance(parsed, Mapping):
        raise LocalSlackError(f"The app manifest {source} must be a mapping.")
    return parse_manifest(parsed)


def parse_manifest(tree: Mapping[str, Any]) -> Manifest:
    """Pick what matters out of a parsed manifest; raises LocalSlackError when the app has no name."""
    features = _part(tree, "features")
    settings = _part(tree, "settings")
    scopes = _part(_part(tree, "oauth_config"), "scopes")
    name = _part(tree, "display_information").get("name")
    if not name:
        raise LocalSlackError("The app manifest has no display_information.name.")
    bot_user = _part(features, "bot_user")
    return Manifest(
        name=str(name),
        bot_name=str(bot_user.get("display_name") or name),
        description=str(_part(tree, "display_information").get("description") or ""),
        commands=tuple(_command(entry) for entry in features.get("slash_commands") or ()),
        shortcuts=tuple(_shortcut(entry) for entry in features.get("shortcuts") or ()),
        scopes=frozenset([*(scopes.get("bot") or ()), *(scopes.get("bot_optional") or ())]),
        events=frozenset(_part(settings, "event_subscriptions").get("bot_events") or ()),
        interactivity=bool(_part(settings, "interactivity").get("is_enabled")),
        socket_mode=bool(settings.get("socket_mode_enabled")),
        home_tab=bool(_part(features, "app_home").get("home_tab_enabled")),
        always_online=bool(bot_user.get("always_online")),
    )


def _part(tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = tree.get(key)
    return part if isinstance(part, Mapping) else {}


def _command(entry: Mapping[str, Any]) -> Command:
    word = str(entry.get("command") or "")
    if not word.startswith("/"):
        raise LocalSlackError(f"The app manifest declares the command {word!r}, which does not begin with a slash.")
    return Command(
        command=word,
        description=str(entry.get("description") or ""),
        usage_hint=str(entry.get("usage_hint") or ""),
        should_escape=bool(entry.get("should_escape")),
    )


def _shortcut(entry: Mapping[str, Any]) -> Shortcut:
    return Shortcut(
        callback_id=str(entry.get("callback_id") or ""),
        name=str(entry.get("name") or ""),
        type=str(entry.get("type") or "global"),
    )
