"""Logs and counters: set up once at the start; secrets and URL passwords are masked in every line."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from prometheus_client import Counter, Histogram

RUNS = Counter("runbook_runs_total", "Runs started", ["runbook"])
ACTIONS = Counter("runbook_actions_total", "Actions by how they ended", ["outcome"])
CLICKS = Counter("runbook_clicks_total", "Buttons, commands and forms taken from Slack", ["kind"])
ACK_SECONDS = Histogram("runbook_ack_seconds", "From Slack's delivery to our acknowledgement", ["kind"])
SLACK_CALLS = Counter("runbook_slack_calls_total", "Calls to Slack's Web API", ["method", "result"])
ALERTS = Counter("runbook_alerts_total", "Deliveries of alerts by how they were answered", ["source", "outcome"])

_SECRET = re.compile(r"(xox[a-z]-|xapp-|sk_(?:live|test)_|rk_(?:live|test)_|whsec_)[A-Za-z0-9-]+")
_URL_PASSWORD = re.compile(r"(\w+://[^:/@\s]+):[^@/\s]+@")


def masked(text: str) -> str:
    """The text without tokens, keys and URL passwords."""
    return _URL_PASSWORD.sub(r"\1:***@", _SECRET.sub(r"\1***", text))


def set_up(level: str = "INFO", form: str = "text", *, stream: Any = None) -> None:
    """Send all logs, ours and the libraries', to one stream in one form."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _mask,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer], foreign_pre_chain=shared
    )
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("aiohttp.access", "slack_bolt", "slack_sdk", "pgqueuer", "stripe", "sqlalchemy", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _mask(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: masked(value) if isinstance(value, str) else value for key, value in event.items()}
