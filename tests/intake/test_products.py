"""Each product's own delivery, over HTTP, becomes an incident with its words, its severity and a runbook."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.domain.runbook import Severity
from tests.intake import sending
from tests.intake.conftest import Intake
from tests.intake.sending import BEARER, NEW, NOW, OLD, STRIPE_NEW, mac

pytestmark = pytest.mark.incidents

TAKEN = (202, {"ok": True, "taken": 1, "repeated": False})
NOT_SIGNED = (401, {"ok": False, "error": "Not signed as this source signs."})


async def test_alertmanager(intake: Intake) -> None:
    """A group of two alerts of one name: one incident, the sender's severity, and the runbook whose symptoms fit."""
    body = sending.alertmanager(
        sending.prometheus("StorageQuotaUsedUp"),
        sending.prometheus("StorageQuotaUsedUp", labels={"instance": "db-2:9100"}),
    )
    assert await intake.post("/alerts/prometheus", body, BEARER) == (202, {"ok": True, "taken": 2, "repeated": False})
    ana = intake.person("ana")
    card = await ana.sees(lambda seen: "2 alerts, received 2 times; 2 still firing" in seen.text)
    assert "StorageQuotaUsedUp" in card.text
    incident = await intake.only()
    assert (incident.severity, incident.title) == (Severity.P1, "StorageQuotaUsedUp on db-1")
    assert incident.suggestions[0].runbook == "RB-015"
    assert ", score " in incident.suggestions[0].why
    await ana.sees(lambda seen: "Suggested  RB-015" in seen.text and "score" in seen.text)


async def test_a_rule_goes_before_everything(intake: Intake) -> None:
    """Its severity (a P0 too), its runbook with inputs from the labels, and an incident for each value of `by`."""
    labels = {"environment": "production", "longest": "90"}
    first = sending.prometheus("PoolUsedUp", labels={**labels, "instance": "a"})
    second = sending.prometheus("PoolUsedUp", labels={"environment": "live", "instance": "b"})
    other = sending.prometheus("PoolUsedUp", labels={"environment": "staging", "instance": "c"})
    await intake.post("/alerts/prometheus", sending.alertmanager(first, second, other), BEARER)
    await intake.sorted()
    found = {each.origin: each for each in await intake.open_ones()}
    assert set(found) == {"alert:PoolUsedUp:a", "alert:PoolUsedUp:b", "alert:PoolUsedUp"}
    assert [found[each].severity for each in sorted(found)] == ["P1", "P0", "P0"]
    (suggested,) = found["alert:PoolUsedUp:a"].suggestions
    assert (suggested.runbook, suggested.inputs) == ("RB-004", {"longer_than": "90"})
    assert found["alert:PoolUsedUp:b"].suggestions[0].inputs == {}


async def test_a_monitor_of_that_name_is_a_rule(intake: Intake) -> None:
    """Severity, runbook, title and sentence are the monitor's."""
    body = sending.grafana("DatabaseCpuHigh")
    assert await intake.post("/alerts/graphs", body, {"X-Grafana-Alerting-Signature": mac(body)}) == TAKEN
    await intake.sorted()
    incident = await intake.only()
    assert (incident.severity, incident.title) == (Severity.P1, "CPU of the database")
    assert incident.suggestions[0].runbook == "RB-004"
    assert "CPU on db-1:9100" in (await intake.told(incident))[0]


async def test_grafana(intake: Intake) -> None:
    """Signed with either secret, with and without its time."""
    body = sending.grafana()
    for secret in (OLD, NEW):
        given = {"X-Grafana-Alerting-Signature": mac(body, secret)}
        assert await intake.post("/alerts/graphs", body, given) == TAKEN
    time = str(int(NOW.timestamp()))
    signature = mac(f"{time}:".encode() + body)
    given = {"X-Grafana-Alerting-Signature": signature, "X-Grafana-Alerting-Timestamp": time}
    assert await intake.post("/alerts/graphs", body, given) == TAKEN
    assert await intake.post("/alerts/graphs", body, {"X-Grafana-Alerting-Signature": signature}) == NOT_SIGNED
    intake.clock.pass_(minutes=6)
    assert await intake.post("/alerts/graphs", body, given) == NOT_SIGNED
    await intake.sorted()
    assert (await intake.only()).title == "Checkout is slow on db-1"
    assert await intake.count("SELECT sum(count) FROM alerts") == 3


async def test_pagerduty(intake: Intake) -> None:
    """Triggered, acknowledged and resolved; each event once, whichever secret of the two it is signed with."""
    body = sending.pagerduty()
    both = {"X-PagerDuty-Signature": f"v1={mac(body, 'gone')},v1={mac(body, NEW)}"}
    assert await intake.post("/alerts/duty", body, both) == TAKEN
    again = (202, {"ok": True, "taken": 0, "repeated": True})
    assert await intake.post("/alerts/duty", body, {"X-PagerDuty-Signature": f"v1={mac(body)}"}) == again
    assert await intake.post("/alerts/duty", body, {"X-PagerDuty-Signature": mac(body)}) == NOT_SIGNED
    seen = sending.pagerduty("incident.acknowledged", "01ACK")
    nothing = (202, {"ok": True, "taken": 0, "repeated": False})
    assert await intake.post("/alerts/duty", seen, {"X-PagerDuty-Signature": f"v1={mac(seen)}"}) == nothing
    await intake.sorted()
    incident = await intake.only()
    assert (incident.severity, incident.title) == (Severity.P2, "Queue of outgoing mails stands still")
    assert await intake.count("SELECT sum(count) FROM alerts") == 1
    end = sending.pagerduty("incident.resolved", "01END", "2026-11-21T02:59:50.000Z")
    assert await intake.post("/alerts/duty", end, {"X-PagerDuty-Signature": f"v1={mac(end)}"}) == TAKEN
    await intake.sorted()
    assert "'all': True" in (await intake.told(incident))[-1]


async def test_sentry(intake: Intake) -> None:
    """Issue alerts join by their issue, metric alerts end; the same signed body is taken once, under any request id."""
    for event in ("e1", "e2"):
        body = sending.sentry_issue(event)
        for request in ("a", "b"):
            given = {"Sentry-Hook-Signature": mac(body), "Request-ID": request, "Sentry-Hook-Resource": "event_alert"}
            status, answer = await intake.post("/alerts/errors", body, given)
            assert (status, answer["repeated"]) == (202, request == "b")
    for action in ("critical", "resolved"):
        body = sending.sentry_metric(action)
        assert await intake.post("/alerts/errors", body, {"Sentry-Hook-Signature": mac(body, NEW)}) == TAKEN
        await intake.sorted()
    found = {each.title: each for each in await intake.open_ones()}
    metric = found["Critical: Too many errors"]
    assert (found["ReferenceError: heck is not defined"].severity, metric.severity) == (Severity.P2, Severity.P1)
    assert len(found) == 2
    assert await intake.count("SELECT count FROM alerts WHERE fingerprint = 'issue:1170820242'") == 2
    assert "'all': True" in (await intake.told(metric))[-1]


async def test_generic(intake: Intake) -> None:
    """By token in either header, or signed with or without its time; one alert or many."""
    body = sending.generic()
    assert await intake.post("/alerts/jobs", body, BEARER) == TAKEN
    assert await intake.post("/alerts/jobs", body, {"X-Alert-Token": sending.TOKEN}) == TAKEN
    signed = {"X-Signature-256": f"sha256={mac(body)}"}
    assert await intake.post("/alerts/signed_jobs", body, signed) == TAKEN
    time = str(int(NOW.timestamp()))
    timed = {"X-Signature-Timestamp": time, "X-Signature-256": f"sha256={mac(f'{time}.'.encode() + body)}"}
    assert await intake.post("/alerts/signed_jobs", body, timed) == TAKEN
    late = {**timed, "X-Signature-Timestamp": str(int(time) + 1)}
    assert await intake.post("/alerts/signed_jobs", body, late) == NOT_SIGNED
    many = json.dumps({"alerts": [{"title": "one"}, {"title": "two", "severity": "info"}]}).encode()
    assert (await intake.post("/alerts/jobs", many, BEARER))[1]["taken"] == 2
    await intake.sorted()
    severities = {each.title: each.severity for each in await intake.open_ones()}
    assert severities["Batch job late by an hour"] == Severity.P2


async def test_stripe(intake: Intake) -> None:
    """Really signed, with either secret, lately; each event once. A rule makes an incident of it, nothing else does."""
    body = sending.dispute()
    for at, secret, expected in (
        (NOW, "whsec_wrong", 401),
        (NOW - timedelta(minutes=6), STRIPE_NEW, 401),
        (NOW, STRIPE_NEW, 202),
    ):
        given = {"Stripe-Signature": sending.stripe_signature(body, secret, at)}
        assert (await intake.post("/stripe/webhook", body, given))[0] == expected
    assert await intake.post("/stripe/webhook", body) == NOT_SIGNED
    tampered = body.replace(b"2900", b"9900")
    assert await intake.post("/stripe/webhook", tampered, {"Stripe-Signature": sending.stripe_signature(body)}) == (
        NOT_SIGNED
    )
    again = await intake.post("/stripe/webhook", body, {"Stripe-Signature": sending.stripe_signature(body)})
    assert again == (202, {"ok": True, "taken": 0, "repeated": True})
    paid = json.dumps({**json.loads(body), "id": "evt_2", "type": "invoice.paid"}).encode()
    assert await intake.post("/stripe/webhook", paid, {"Stripe-Signature": sending.stripe_signature(paid)}) == TAKEN
    await intake.sorted()
    incident = await intake.only()
    assert (incident.origin, incident.severity) == ("alert:charge.dispute.created:dp_1", Severity.P2)
    assert await intake.count("SELECT count(*) FROM alerts") == 2
