"""Calling people outside Slack: what is said to whom, decided from what is stored, by nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.incident import Incident
from bot.domain.run import Run
from bot.domain.system import System

TRIES = (timedelta(seconds=5), timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5))
"""How long after each attempt that failed the next one is made; after the last of them it is given up."""


class PageEvent(StrEnum):
    """What a pager is told."""

    CALLED = "called"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class PageState(StrEnum):
    """What has become of a page."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Page:
    """One message to one contact or group of a rung (counted from 1). `reason` is a person's, or empty when the clock
    calls."""

    id: str
    incident: str
    rung: int
    name: str
    event: PageEvent
    reason: str
    state: PageState
    attempts: int
    asked_at: datetime

    @property
    def key(self) -> str:
        """What a vendor knows the call by: the same for everything that is said about it, whatever is repeated."""
        return f"runbook-{self.incident}-{self.rung}-{self.name}"


@dataclass(frozen=True, slots=True)
class Call:
    """The words of a call."""

    subject: str
    body: str


def call_text(incident: Incident, system: System, runs: Sequence[Run], page: Page, now: datetime) -> Call:
    """The escalation message, filled from facts: what is wrong, what is known, what was done, and where to go on. Of
    runs for support it says nothing: what they saw is masked for others."""
    spent = _minutes(now - incident.opened_at)
    open_ones = [run for run in runs if not run.support]
    causes = list(dict.fromkeys(each.say for run in open_ones for each in run.conclusions))
    done = [each.headline or each.key for run in open_ones for each in run.actions.values() if each.status.effected]
    link = f" https://slack.com/app_redirect?channel={incident.channel}" if incident.channel else ""
    lines = [
        f"Incident: {incident.label} {incident.title}",
        f"System: {system.title}. Severity {incident.severity}, {incident.state}.",
        f"Since: {incident.opened_at:%Y-%m-%d %H:%M} UTC ({spent}), to be resolved within {_minutes(incident.target)}.",
        f"Why you: {page.reason or f'nobody is on it after {spent}'}",
        "",
        f"Cause: {' '.join(causes[:3]) or 'not known yet'}",
        f"Done so far: {'; '.join(done[:5]) or 'nothing was changed'}",
        f"Runbooks: {', '.join(dict.fromkeys(run.runbook for run in runs)) or 'none was started'}",
        "",
        f"Go on in #{incident.channel_name}{link} and press «I'm on it» there.",
    ]
    return Call(f"[{incident.severity}] {incident.label} {incident.title}", "\n".join(lines))


def _minutes(span: timedelta) -> str:
    minutes = max(0, round(span.total_seconds() / 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes / 60:.0f} h" if minutes < 2 * 24 * 60 else f"{minutes / 1440:.0f} days"
