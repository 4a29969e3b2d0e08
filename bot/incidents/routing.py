"""Where an alert belongs: by the first rule of its source's system that fits, by a monitor of its name, else by what it
says itself and by the symptoms of the system's runbooks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.authoring.alerts import ALERT, LABELS
from bot.authoring.catalogue import Catalogue
from bot.authoring.templates import TemplateError, compile_expression, compile_template
from bot.authoring.values import text_of
from bot.domain.alert import Kind, Rule, Tracked, fields_of, severity_of
from bot.domain.incident import Suggestion
from bot.domain.operations import Monitor, Operations
from bot.domain.runbook import Severity
from bot.domain.system import System
from bot.store.alerts import OF_ALERTS

_FOUND, _ORIGIN = 3, 200
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\-.:/]+")


@dataclass(frozen=True, slots=True)
class Route:
    """Where an alert belongs and what is said of it. Alerts of one `origin` share an incident; one that does not `open`
    is only posted, one that is not `shown` either is kept and counted."""

    system: System
    origin: str
    severity: Severity
    title: str
    said: str
    suggestions: tuple[Suggestion, ...] = ()
    opens: bool = True
    shown: bool = True


def routed(catalogue: Catalogue, tracked: Tracked) -> Route | None:
    """Where an alert belongs; None when its system is not operated any more."""
    operations = catalogue.operations.get(tracked.system, Operations())
    seen = fields_of(tracked.alert, tracked.source)
    rule = next((each for each in operations.intake.rules if each.fits(seen)), None)
    system = catalogue.systems.get((rule.system if rule else None) or tracked.system)
    if system is None:
        return None
    scope = _scope(tracked)
    if rule is not None:
        return _by_rule(system, rule, tracked, scope)
    monitor = next((each for each in operations.monitors.values() if each.alert == tracked.alert.name), None)
    if monitor is not None:
        return _by_monitor(system, monitor, tracked, scope)
    if tracked.source == Kind.STRIPE or tracked.source.startswith(f"{Kind.STRIPE}:"):
        # Nearly all of Stripe's events are business as usual: only a rule makes one an alert.
        return _plain(system, tracked, (), opens=False, shown=False)
    return _plain(system, tracked, _searched(catalogue, system, tracked))


def _by_rule(system: System, rule: Rule, tracked: Tracked, scope: Mapping[str, Any]) -> Route:
    suggestions: tuple[Suggestion, ...] = ()
    if rule.runbook is not None:
        suggestions = (
            Suggestion(rule.runbook, _inputs(rule.inputs, scope), "a rule leads alerts like this one there"),
        )
    parts = [fields_of(tracked.alert, tracked.source).get(each, "") for each in rule.by]
    route = _plain(system, tracked, suggestions, parts=parts, opens=rule.opens)
    return route if rule.severity is None else _at(route, rule.severity)


def _by_monitor(system: System, monitor: Monitor, tracked: Tracked, scope: Mapping[str, Any]) -> Route:
    suggestions: tuple[Suggestion, ...] = ()
    if monitor.runbook is not None:
        why = f"it is what «{monitor.title}» leads to"
        suggestions = (Suggestion(monitor.runbook, _inputs(monitor.inputs, scope), why),)
    route = _at(_plain(system, tracked, suggestions), monitor.severity)
    said = _rendered(monitor.say, scope) or route.said
    return Route(system, route.origin, route.severity, monitor.title[:150], said, suggestions)


def _plain(
    system: System,
    tracked: Tracked,
    suggestions: tuple[Suggestion, ...],
    *,
    parts: list[str] | None = None,
    opens: bool = True,
    shown: bool = True,
) -> Route:
    alert = tracked.alert
    origin = ":".join([f"{OF_ALERTS}{alert.name}", *(parts or ())])[:_ORIGIN]
    more = alert.title if alert.name in alert.title else f"{alert.name}: {alert.title}"
    said = f"{tracked.source.replace('_', ' ')} reports {more if alert.title != alert.name else alert.name}"
    severity = severity_of(alert.severity)
    return Route(system, origin, severity, alert.title, said, suggestions, opens, shown)


def _at(route: Route, severity: Severity) -> Route:
    return Route(
        route.system, route.origin, severity, route.title, route.said, route.suggestions, route.opens, route.shown
    )


def _searched(catalogue: Catalogue, system: System, tracked: Tracked) -> tuple[Suggestion, ...]:
    """The runbooks whose symptoms the alert's words fit best, each with its score."""
    words = f"{_HUMP.sub(' ', tracked.alert.name)} {tracked.alert.title}"
    return tuple(
        Suggestion(each.id, {}, f"{each.title}; its symptoms fit the alert's words, score {score:.1f}")
        for score, each in catalogue.fitting(system.id, words)[:_FOUND]
    )


def _scope(tracked: Tracked) -> Mapping[str, Any]:
    alert = tracked.alert
    about = {"name": alert.name, "title": alert.title, "text": alert.text, "severity": alert.severity}
    return {
        ALERT: {**about, "url": alert.url, "source": tracked.source, "state": str(tracked.state)},
        LABELS: dict(alert.labels),
    }


def _inputs(said: Mapping[str, str], scope: Mapping[str, Any]) -> dict[str, str]:
    """What can be read of the alert; an input that it does not say is asked for when the runbook is started."""
    given = {}
    for name, text in said.items():
        try:
            value = compile_expression(text).evaluate(scope)
        except TemplateError:
            continue
        if value is not None and (spelled := text_of(value)):
            given[name] = spelled[:300]
    return given


def _rendered(text: str, scope: Mapping[str, Any]) -> str:
    try:
        return compile_template(text).render(scope, nulls=False) if text else ""
    except TemplateError:
        return ""
