"""The one place that reads the environment; every variable the bot knows stands here with its meaning."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import Misconfigured


class SlackMode(StrEnum):
    """How Slack reaches the bot."""

    SOCKET = "socket"
    HTTP = "http"


class Settings(BaseSettings):
    """What the bot is told by its environment. Secrets are wrapped and never printed."""

    model_config = SettingsConfigDict(env_prefix="", extra="ignore", frozen=True)

    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="The bot's own PostgreSQL (14 or newer), as postgresql://user:password@host/name. Required.",
    )
    slack_bot_token: SecretStr = Field(default=SecretStr(""), description="The bot token, xoxb-…. Required.")
    slack_app_token: SecretStr = Field(
        default=SecretStr(""),
        description="The app-level token, xapp-…, with connections:write. Required for Socket Mode.",
    )
    slack_signing_secret: SecretStr = Field(
        default=SecretStr(""), description="Proves that a request comes from Slack. Required for HTTP."
    )
    slack_mode: SlackMode = Field(default=SlackMode.SOCKET, description="How Slack reaches the bot: socket or http.")
    slack_api_url: str = Field(
        default="https://slack.com/api/", description="Slack's Web API; the sandbox has its own."
    )
    second_factor_key: SecretStr = Field(
        default=SecretStr(""),
        description="Encrypts the authenticators of voters; `runbook enrol --new-key` prints one. For step-up by code.",
    )
    runbooks_path: Path = Field(default=Path("runbooks"), description="The folder with one folder a system.")
    host: str = Field(default="127.0.0.1", description="Where the HTTP port listens; 0.0.0.0 behind a proxy.")
    port: int = Field(default=3000, ge=0, le=65535, description="The port for Slack over HTTP and for /health.")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_format: str = Field(default="text", description="text for people, json for machines.")
    audit_anchor: SecretStr = Field(
        default=SecretStr(""),
        description="A file or an https:// address that gets the head of the audit trail every hour; docs/audit.md.",
    )
    runbook_canary_at: str = Field(
        default="03:30",
        pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$",
        description="When the nightly canary tries the checks of the runbooks against the real targets, in UTC; empty: "
        "never.",
    )
    runbook_monitors: bool = Field(
        default=True,
        description="Whether monitors are looked at and maintenance windows come round. Off for a second installation "
        "over the same systems.",
    )
    runbook_calendars: bool = Field(
        default=True, description="Whether what the systems' calendars say is started, reminded of and posted."
    )
    worker_jobs: int = Field(default=20, ge=2, le=200, description="How many runs one worker advances at once.")

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        try:
            fits = not url or (urlsplit(url).scheme in ("postgresql", "postgres") and urlsplit(url).port != 0)
        except ValueError:
            fits = False
        if not fits or (url and not urlsplit(url).netloc):
            raise ValueError("it has to look like postgresql://user:password@host/name, special characters as %XX")
        return value

    @field_validator("audit_anchor")
    @classmethod
    def _file_or_address(cls, value: SecretStr) -> SecretStr:
        url = urlsplit(value.get_secret_value()) if "://" in value.get_secret_value() else None
        if url is not None and not (url.hostname and (url.scheme == "https" or _local(url.scheme, url.hostname))):
            raise ValueError("it has to be a file or an https:// address")
        return value

    @field_validator("slack_api_url")
    @classmethod
    def _slash(cls, value: str) -> str:
        return value if value.endswith("/") else f"{value}/"


def _local(scheme: str, host: str) -> bool:
    return scheme == "http" and host in ("127.0.0.1", "localhost", "::1")


def read_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings from the environment. Raises `Misconfigured` naming every variable that does not fit."""
    try:
        return Settings(**(overrides or {}))
    except ValidationError as error:
        wrong = "; ".join(
            f"{str(each['loc'][0]).upper()}: {each['msg'].removeprefix('Value error, ')}" for each in error.errors()
        )
        raise Misconfigured(
            f"The environment does not fit: {wrong}.", hint="docs/settings.md lists every variable."
        ) from error


def environment() -> Mapping[str, str]:
    """The variables that system files may refer to by name (`{env: NAME}`)."""
    return dict(os.environ)


def table() -> str:
    """Every variable as a Markdown table, for docs/settings.md."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = "" if isinstance(default, SecretStr) else f"`{default}`"
        lines.append(f"| `{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(lines)
