"""What other systems send: real shapes of each product's deliveries, and their signatures."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

TOKEN = "sandbox-alacarte-alerts-token"
OLD, NEW = "sandbox-alacarte-alerts-secret", "sandbox-alacarte-alerts-secret-next"
STRIPE_OLD, STRIPE_NEW = "sandbox-alacarte-stripe-events-secret", "sandbox-alacarte-stripe-events-secret-next"
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def mac(body: bytes, secret: str = OLD) -> str:
    """A body's HMAC-SHA256 in hex."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def prometheus(name: str = "DiskFull", **more: Any) -> dict[str, Any]:
    """One alert as Prometheus describes it."""
    labels = {"alertname": name, "severity": "critical", "instance": "db-1:9100", **more.pop("labels", {})}
    return {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": f"{name} on db-1", "description": "Two per cent are left."},
        "startsAt": "2026-11-21T02:58:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "https://prometheus.example.test/graph?g0.expr=up",
        "fingerprint": hashlib.sha256(json.dumps([labels], sort_keys=True).encode()).hexdigest()[:16],
        **more,
    }


def alertmanager(*alerts: Mapping[str, Any]) -> bytes:
    """A notification of Alertmanager, version 4."""
    data = {
        "version": "4",
        "groupKey": '{}:{alertname="DiskFull"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "runbook-bot",
        "groupLabels": {"alertname": "DiskFull"},
        "commonLabels": {"severity": "critical"},
        "commonAnnotations": {},
        "externalURL": "https://alertmanager.example.test",
        "alerts": list(alerts) or [prometheus()],
    }
    return json.dumps(data).encode()


def grafana(name: str = "Checkout is slow", **more: Any) -> bytes:
    """A notification of Grafana's unified alerting."""
    alert = {
        **prometheus(name, labels={"grafana_folder": "Shop"}),
        "values": {"B": 22.1, "C": 1},
        "valueString": "[ var='B' labels={} value=22.1 ]",
        "silenceURL": "https://grafana.example.test/alerting/silence/new",
        "dashboardURL": "https://grafana.example.test/d/abc",
        "panelURL": "https://grafana.example.test/d/abc?viewPanel=1",
        **more,
    }
    data = {
        **json.loads(alertmanager(alert)),
        "version": "1",
        "orgId": 1,
        "title": f"[FIRING:1] {name} Shop",
        "state": "alerting",
        "message": "**Firing**",
    }
    return json.dumps(data).encode()


def pagerduty(kind: str = "incident.triggered", id: str = "01EVENT", at: str = "2026-11-21T02:59:30.000Z") -> bytes:
    """An event of PagerDuty's webhooks, version 3."""
    data = {
        "event": {
            "id": id,
            "event_type": kind,
            "resource_type": "incident",
            "occurred_at": at,
            "agent": {"id": "PLH1HKV", "type": "user_reference", "summary": "Monitoring"},
            "client": {"name": "PagerDuty"},
            "data": {
                "id": "PGR0VU2",
                "type": "incident",
                "self": "https://api.pagerduty.com/incidents/PGR0VU2",
                "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2",
                "number": 2,
                "status": "triggered",
                "incident_key": "d3640fbd41094207a1c11e58e46b1662",
                "created_at": "2026-11-21T02:59:30Z",
                "title": "Queue of outgoing mails stands still",
                "service": {"id": "PF9KMXH", "type": "service_reference", "summary": "Mail"},
                "assignees": [],
                "escalation_policy": {"id": "PUS0KTE", "summary": "Default"},
                "priority": {"id": "PSO75BM", "type": "priority_reference", "summary": "P2"},
                "urgency": "high",
            },
        }
    }
    return json.dumps(data).encode()


def sentry_issue(event: str = "e4874d664c3540c1a32eab185f12c5ab", issue: str = "1170820242") -> bytes:
    """An issue alert of Sentry's integration platform."""
    data = {
        "action": "triggered",
        "installation": {"uuid": "a8e5d37a-696c-4c54-adb5-b3f28d64c7de"},
        "data": {
            "event": {
                "event_id": event,
                "issue_id": issue,
                "title": "ReferenceError: heck is not defined",
                "culprit": "?(runner)",
                "level": "error",
                "platform": "javascript",
                "project": 1,
                "datetime": "2026-11-21T02:59:00.000000Z",
                "timestamp": 1_795_229_940.0,
                "message": "",
                "tags": [["browser", "Chrome 110"], ["environment", "production"]],
                "web_url": f"https://acme.sentry.io/organizations/acme/issues/{issue}/events/{event}/",
                "url": "https://sentry.io/api/0/projects/acme/shop/events/1/",
            },
            "triggered_rule": "Very important errors",
        },
        "actor": {"type": "application", "id": "sentry", "name": "Sentry"},
    }
    return json.dumps(data).encode()


def sentry_metric(action: str = "critical") -> bytes:
    """A metric alert of Sentry's integration platform."""
    closed = "2026-11-21T02:59:59Z" if action == "resolved" else None
    data = {
        "action": action,
        "data": {
            "description_text": "1000 events in the last 10 minutes",
            "description_title": f"{action.title()}: Too many errors",
            "web_url": "https://acme.sentry.io/organizations/acme/alerts/rules/details/7/",
            "metric_alert": {
                "id": "1",
                "identifier": "1",
                "title": "Too many errors",
                "status": 20,
                "date_started": "2026-11-21T02:50:00Z",
                "date_detected": "2026-11-21T02:51:00Z",
                "date_closed": closed,
                "alert_rule": {"id": "7", "name": "Too many errors", "aggregate": "count()", "environment": None},
            },
        },
        "actor": {"id": "sentry", "name": "Sentry", "type": "application"},
    }
    return json.dumps(data).encode()


def generic(name: str = "Batch job late", **more: Any) -> bytes:
    """One alert of the plain form."""
    return json.dumps({"name": name, "title": f"{name} by an hour", "severity": "error", **more}).encode()


def dispute(event: str = "evt_1", id: str = "dp_1") -> bytes:
    """Stripe's event about a new dispute."""
    data = {
        "id": event,
        "object": "event",
        "api_version": "2025-01-27.acacia",
        "created": 1_795_229_990,
        "type": "charge.dispute.created",
        "livemode": True,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": {
            "object": {
                "id": id,
                "object": "dispute",
                "amount": 2900,
                "currency": "usd",
                "charge": "ch_1",
                "reason": "fraudulent",
                "status": "needs_response",
            }
        },
    }
    return json.dumps(data).encode()


def stripe_signature(body: bytes, secret: str = STRIPE_OLD, at: datetime = NOW) -> str:
    """The header with which Stripe signs."""
    time = int(at.timestamp())
    return f"t={time},v1={mac(f'{time}.'.encode() + body, secret)}"
