"""What each product's delivery says: one function a product, from its JSON to alerts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from bot.domain.alert import Alert, AlertState, Kind
from bot.intake.fields import (
    MAX_FINGERPRINT,
    MAX_NAME,
    MAX_TEXT,
    MAX_TITLE,
    MAX_URL,
    Malformed,
    clean,
    inner,
    labels_of,
    listed,
    made,
    moment,
    needed,
    said,
)

Json: TypeAlias = Mapping[str, Any]
_LONG = 10 * MAX_FINGERPRINT


@dataclass(frozen=True, slots=True)
class Delivery:
    """The alerts of one delivery, and the sender's own name of it, which is the same when it is delivered again ("" for
    a sender that gives none). A delivery that is about something else than alerts has none."""

    alerts: Sequence[Alert]
    event: str = ""


def _state(word: str) -> AlertState:
    match word.lower():
        case "firing" | "alerting" | "triggered" | "open" | "active" | "problem" | "":
            return AlertState.FIRING
        case "resolved" | "ok" | "normal" | "closed" | "recovered" | "inactive":
            return AlertState.RESOLVED
        case _:
            raise Malformed("«status» is neither firing nor resolved.")


def alertmanager(data: Json, now: datetime) -> Delivery:
    """Prometheus Alertmanager's webhook, version 4: a group of alerts."""
    return Delivery([_prometheus(each, data, now) for each in listed(data, "alerts")])


def _prometheus(each: Json, group: Json, now: datetime) -> Alert:
    labels = labels_of(group.get("commonLabels"), each.get("labels"))
    notes = {**inner(group, "commonAnnotations"), **inner(each, "annotations")}
    name = clean(inner(each, "labels").get("alertname") or labels.get("alertname"), MAX_NAME)
    if not name:
        raise Malformed("An alert has no label «alertname».")
    state = _state(said(each, "status") or said(group, "status"))
    began = moment(each.get("startsAt"), now)
    return made(
        name=name,
        state=state,
        at=began if state is AlertState.FIRING else max(began, moment(each.get("endsAt"), now)),
        fingerprint=said(each, "fingerprint", _LONG),
        title=clean(notes.get("summary") or notes.get("title") or "", MAX_TITLE),
        severity=labels.get("severity", labels.get("priority", "")),
        labels={key: value for key, value in labels.items() if key != "alertname"},
        text=clean(notes.get("description") or notes.get("message") or "", MAX_TEXT),
        url=said(each, "panelURL", MAX_URL) or said(each, "generatorURL", MAX_URL),
    )


def grafana(data: Json, now: datetime) -> Delivery:
    """Grafana's unified alerting: the shape of Alertmanager with links and values of its own."""
    return Delivery([_prometheus(each, data, now) for each in listed(data, "alerts")])


def pagerduty(data: Json, now: datetime) -> Delivery:
    """PagerDuty's webhooks of version 3: one event about one incident. Notes, reassignments and the like change
    nothing here."""
    event = inner(data, "event")
    kind, of = needed(event, "event_type"), inner(event, "data")
    name = needed(event, "id", MAX_FINGERPRINT)
    states = {
        "incident.triggered": AlertState.FIRING,
        "incident.reopened": AlertState.FIRING,
        "incident.unacknowledged": AlertState.FIRING,
        "incident.resolved": AlertState.RESOLVED,
    }
    if kind not in states:
        return Delivery([], name)
    service, priority = inner(of, "service"), inner(of, "priority")
    urgency = {"high": "critical", "low": "warning"}.get(said(of, "urgency").lower(), "")
    labels = labels_of(
        {"service": service.get("summary"), "urgency": of.get("urgency"), "number": of.get("number")},
        {"incident_key": of.get("incident_key"), "priority": priority.get("summary"), "event": kind},
    )
    title = needed(of, "title", MAX_TITLE)
    alert = made(
        name=title,
        state=states[kind],
        at=moment(event.get("occurred_at"), now),
        fingerprint=needed(of, "id", _LONG),
        title=title,
        severity=said(priority, "summary", 40) or urgency,
        labels=labels,
        url=said(of, "html_url", MAX_URL),
    )
    return Delivery([alert], name)


def sentry(data: Json, now: datetime) -> Delivery:
    """Sentry's integration platform: a metric alert, an issue alert, an error or an issue."""
    about = inner(data, "data")
    if metric := inner(about, "metric_alert"):
        return Delivery([_metric(data, about, metric, now)])
    if event := inner(about, "event") or inner(about, "error"):
        return Delivery([_event(about, event, now)])
    if issue := inner(about, "issue"):
        return _issue(said(data, "action"), issue, now)
    if said(data, "action"):
        return Delivery([])  # an installation, a comment: nothing that fires
    raise Malformed("«data» holds no metric_alert, event, error or issue.")


def _metric(data: Json, about: Json, metric: Json, now: datetime) -> Alert:
    action, rule = needed(data, "action").lower(), inner(metric, "alert_rule")
    state = AlertState.RESOLVED if action == "resolved" else AlertState.FIRING
    name = said(rule, "name", MAX_NAME) or said(metric, "title", MAX_NAME)
    if not name:
        raise Malformed("The metric alert has no name.")
    closed = metric.get("date_closed") if state is AlertState.RESOLVED else None
    return made(
        name=name,
        state=state,
        at=moment(closed or metric.get("date_started") or metric.get("date_detected"), now),
        fingerprint=f"metric:{said(rule, 'id') or needed(metric, 'id')}",
        title=said(about, "description_title", MAX_TITLE),
        severity="" if state is AlertState.RESOLVED else action,
        labels=labels_of({"aggregate": rule.get("aggregate"), "environment": rule.get("environment")}),
        text=said(about, "description_text", MAX_TEXT),
        url=said(about, "web_url", MAX_URL),
    )


def _event(about: Json, event: Json, now: datetime) -> Alert:
    labels = labels_of(
        _tags(event.get("tags")),
        {"culprit": event.get("culprit"), "platform": event.get("platform"), "environment": event.get("environment")},
        {"rule": about.get("triggered_rule"), "project": event.get("project"), "level": event.get("level")},
    )
    title = needed(event, "title", MAX_TITLE)
    group = said(event, "issue_id", _LONG) or said(event, "groupID", _LONG)
    return made(
        name=said(about, "triggered_rule", MAX_NAME) or title,
        state=AlertState.FIRING,
        at=moment(event.get("datetime") or event.get("timestamp"), now),
        fingerprint=f"issue:{group}" if group else "",
        title=title,
        severity=said(event, "level", 40),
        labels=labels,
        text=said(event, "message", MAX_TEXT),
        url=said(event, "web_url", MAX_URL) or said(event, "issue_url", MAX_URL),
    )


def _tags(pairs: Any) -> dict[str, Any]:
    """Sentry writes its tags as a list of pairs."""
    many = pairs if isinstance(pairs, list) else []
    two = [pair for pair in many if isinstance(pair, list) and len(pair) == 2]
    return {pair[0]: pair[1] for pair in two if isinstance(pair[0], str)}


def _issue(action: str, issue: Json, now: datetime) -> Delivery:
    if action not in ("created", "unresolved", "resolved", "archived", "ignored"):
        return Delivery([])
    ended = action in ("resolved", "archived", "ignored")
    title = needed(issue, "title", MAX_TITLE)
    alert = made(
        name=title,
        state=AlertState.RESOLVED if ended else AlertState.FIRING,
        # An issue says when it was last seen, not when it was resolved: what is delivered now is so now.
        at=now if ended else moment(issue.get("lastSeen"), now),
        fingerprint=f"issue:{needed(issue, 'id', _LONG)}",
        title=title,
        severity=said(issue, "level", 40),
        labels=labels_of({"culprit": issue.get("culprit"), "project": inner(issue, "project").get("slug")}),
        url=said(issue, "web_url", MAX_URL) or said(issue, "permalink", MAX_URL),
    )
    return Delivery([alert])


def generic(data: Json, now: datetime) -> Delivery:
    """One alert, or many under `alerts`: title or name, status, severity, labels, fingerprint, at, text, url."""
    many = listed(data, "alerts") if "alerts" in data else [data]
    return Delivery([_plain(each, now) for each in many], said(data, "event", MAX_FINGERPRINT))


def _plain(each: Json, now: datetime) -> Alert:
    title = said(each, "title", MAX_TITLE)
    name = said(each, "name", MAX_NAME) or title
    if not name:
        raise Malformed("An alert needs a «title» or a «name».")
    if not isinstance(each.get("labels", {}), dict):
        raise Malformed("«labels» must be a record.")
    return made(
        name=name,
        state=_state(said(each, "status") or said(each, "state")),
        at=moment(each.get("at"), now),
        fingerprint=said(each, "fingerprint", _LONG),
        title=title,
        severity=said(each, "severity", 40),
        labels=labels_of(each.get("labels")),
        text=said(each, "text", MAX_TEXT),
        url=said(each, "url", MAX_URL),
    )


def stripe(data: Json, now: datetime) -> Delivery:
    """An event of Stripe: its type is the alert's name. An event has no end."""
    if data.get("object") != "event":
        raise Malformed("This is not an event of Stripe.")
    of = inner(inner(data, "data"), "object")
    name, event = needed(data, "type", MAX_NAME), needed(data, "id", MAX_FINGERPRINT)
    labels = labels_of(
        {key: value for key, value in of.items() if key in _OF_STRIPE},
        {"livemode": data.get("livemode"), "account": data.get("account"), "event": event},
        {"object": of.get("id"), "object_type": of.get("object")},
    )
    about = said(of, "id") or event
    alert = made(
        name=name,
        state=AlertState.FIRING,
        at=moment(data.get("created"), now),
        fingerprint=f"{name}:{about}"[:_LONG],
        title=clean(f"Stripe: {name} {about}", MAX_TITLE),
        labels=labels,
    )
    return Delivery([alert], event)


_OF_STRIPE = frozenset(
    [
        *("customer", "amount", "amount_due", "amount_remaining", "currency", "status", "reason", "subscription"),
        *("charge", "payment_intent", "invoice", "attempt_count", "billing_reason"),
    ]
)

PRODUCTS: Mapping[Kind, Callable[[Json, datetime], Delivery]] = {
    Kind.ALERTMANAGER: alertmanager,
    Kind.GRAFANA: grafana,
    Kind.PAGERDUTY: pagerduty,
    Kind.SENTRY: sentry,
    Kind.GENERIC: generic,
    Kind.STRIPE: stripe,
}
