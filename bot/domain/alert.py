"""An alert of another system: what it says, what has become of it, and how a system takes alerts in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.runbook import Severity
from bot.domain.system import SecretRef

WINDOW = timedelta(hours=1)
"""How long a repeated alert is only counted. Alertmanager repeats every four hours, Grafana too; what comes again
within the hour is noise, what still comes after it is worth a line."""
FLAP_CHANGES, FLAP_WINDOW = 4, timedelta(minutes=15)
"""More changes than this within the window is flapping: two whole turns within three scrapes of five minutes may be a
restart, a third one is a threshold that is set too close."""
CALM_AFTER = timedelta(minutes=15)
"""A flapping alert is believed again once it has kept its state for as long as it was watched for flapping."""
REOPENED_WITHIN = timedelta(minutes=30)
"""What fires again so soon after its incident was resolved was not mended: the incident goes on."""
LEFT_ALONE = timedelta(minutes=5)
"""For so long after its incident was resolved, an alert that has never ended is only counted: its sender needs a few
rounds to see that the trouble is over."""
STORM_INCIDENTS, STORM_WINDOW = 3, timedelta(minutes=10)
"""So many incidents of alerts are opened in a system within the window; what comes beside them is a storm. Three is
what the people of one system can begin at once."""


class Kind(StrEnum):
    """Whose alerts a source sends."""

    ALERTMANAGER = "alertmanager"
    GRAFANA = "grafana"
    PAGERDUTY = "pagerduty"
    SENTRY = "sentry"
    GENERIC = "generic"
    STRIPE = "stripe"


class AlertState(StrEnum):
    """Whether it goes on."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """What one delivery says of one alert. `at` is the sender's time: of the beginning while it fires, of the end when
    it has ended. `severity` is the sender's own word. Everything in it is outside text, bounded in length."""

    fingerprint: str
    name: str
    title: str
    state: AlertState
    at: datetime
    severity: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Who may send alerts under a name: by one of the tokens, or signed with one of the secrets. Two of either are
    active while one replaces the other."""

    name: str
    kind: Kind
    tokens: tuple[SecretRef, ...] = ()
    secrets: tuple[SecretRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of alerts whose labels fit every pattern of `match`: any of its texts, with `*` and `?`. `by` are
    labels whose values make incidents of their own; with `opens` false they are only posted, with a button."""

    match: Mapping[str, tuple[str, ...]]
    system: str | None = None
    severity: Severity | None = None
    runbook: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    opens: bool = True

    def fits(self, seen: Mapping[str, str]) -> bool:
        """Whether it is for an alert with these labels and fields."""
        return all(any(_fits(text, seen.get(name, "")) for text in texts) for name, texts in self.match.items())


@dataclass(frozen=True, slots=True)
class Intake:
    """How a system takes alerts in: its sources by name, the secrets of its Stripe endpoint, and its rules in order."""

    sources: Mapping[str, Source] = field(default_factory=dict)
    stripe: tuple[SecretRef, ...] = ()
    rules: tuple[Rule, ...] = ()


def _fits(pattern: str, text: str) -> bool:
    parts = (".*" if each == "*" else "." if each == "?" else re.escape(each) for each in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def fields_of(alert: Alert, source: str) -> Mapping[str, str]:
    """What rules match on: the labels, and the alert's own fields where no label has their name."""
    own = {
        "name": alert.name,
        "alertname": alert.name,
        "title": alert.title,
        "severity": alert.severity,
        "source": source,
    }
    return {**own, **alert.labels}


_WORDS: Mapping[Severity, frozenset[str]] = {
    Severity.P1: frozenset(["critical", "crit", "fatal", "emergency", "page", "p0", "p1", "sev0", "sev1"]),
    Severity.P2: frozenset(["error", "err", "high", "major", "p2", "sev2", "alert"]),
    Severity.P3: frozenset(
        [
            *("warning", "warn", "minor", "medium", "moderate", "low", "notice", "info", "information", "none", "ok"),
            *("debug", "p3", "p4", "p5", "sev3", "sev4"),
        ]
    ),
}


def severity_of(word: str) -> Severity:
    """What a sender's own word means here. Nothing becomes a P0 by itself, and what says nothing is a P2: somebody has
    to look to know."""
    return next((severity for severity, words in _WORDS.items() if word.lower() in words), Severity.P2)


# -- what becomes of it ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tracked:
    """One alert by its source and fingerprint, over all that was said of it. `system` is the source's. `at` is the
    sender's time of its last change, `changes` when it lately changed here, `told_at` when people last heard of it;
    `count` are the times it was said to fire."""

    source: str
    system: str
    alert: Alert
    state: AlertState
    at: datetime
    first_at: datetime
    last_at: datetime
    count: int = 0
    changes: tuple[datetime, ...] = ()
    flapping: bool = False
    incident: str | None = None
    told_at: datetime | None = None
    id: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others."""
        return self.source, self.alert.fingerprint


@dataclass(frozen=True, slots=True)
class Tally:
    """The alerts of one name in an incident: how many there are, how many of them fire or flap, how often they were
    said to fire, since when, and where the latest is to be seen."""

    name: str
    source: str
    alerts: int
    firing: int
    count: int
    first_at: datetime
    last_at: datetime
    url: str = ""


class Turn(StrEnum):
    """What a delivery changes."""

    FIRES = "fires"
    CONTINUES = "continues"
    AGAIN = "again"
    ENDS = "ends"
    FLAPS = "flaps"
    HELD = "held"
    LATE = "late"
    NOTHING = "nothing"


def turned(known: Tracked | None, alert: Alert, source: str, system: str, now: datetime) -> tuple[Tracked, Turn]:
    """What is known of an alert after a delivery, and what that delivery changes. One that is older than what is known
    changes no state; each one that says it fires is counted."""
    firing = alert.state is AlertState.FIRING
    if known is None:
        made = Tracked(source, system, alert, alert.state, alert.at, now, now, int(firing), (now,) * firing)
        return made, Turn.FIRES if firing else Turn.NOTHING
    counted = replace(known, count=known.count + firing, last_at=now)
    same = known.state is alert.state
    if alert.at < known.at and not same:
        return counted, Turn.LATE
    newer = replace(counted, alert=alert, at=max(alert.at, known.at)) if alert.at >= known.at else counted
    if same:
        return newer, _repeated(known, alert) if firing else Turn.NOTHING
    changes = (*(each for each in known.changes if each > now - FLAP_WINDOW), now)
    changed = replace(newer, state=alert.state, changes=changes)
    if known.flapping:
        return changed, Turn.HELD
    if len(changes) > FLAP_CHANGES:
        return replace(changed, flapping=True), Turn.FLAPS
    return changed, Turn.FIRES if firing else Turn.ENDS


def _repeated(known: Tracked, alert: Alert) -> Turn:
    """What it is that an alert which fires is said to fire: more of the same, or once again."""
    if known.flapping:
        return Turn.HELD
    return Turn.AGAIN if alert.at > known.at else Turn.CONTINUES


def calmed(known: Tracked, now: datetime) -> Tracked | None:
    """A flapping alert that has kept its state for long enough, or None while it has not."""
    if not known.flapping or (known.changes and known.changes[-1] > now - CALM_AFTER):
        return None
    return replace(known, flapping=False, changes=())
