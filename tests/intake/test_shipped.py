"""The shipped systems take alerts in: the sandbox has their secrets, their rules and monitors lead where they say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.authoring.loader import catalogue_at
from bot.cli.drills import SHIPPED
from bot.domain.alert import Alert, AlertState, Source, Tracked
from bot.domain.operations import variables_of
from bot.incidents.routing import Route, routed
from bot.intake import products
from bot.intake.fields import parsed
from bot.sandbox.sample import ALERT_SECRETS
from tests.intake import sending
from tests.intake.sending import NOW

pytestmark = pytest.mark.runbooks

CATALOGUE = catalogue_at(SHIPPED)
INTAKES = {system: each.intake for system, each in CATALOGUE.operations.items()}


def sources() -> Iterator[tuple[str, Source]]:
    """Every shipped source with its system."""
    for system, intake in INTAKES.items():
        for source in intake.sources.values():
            yield system, source


def test_every_system_takes_alerts_in() -> None:
    """Each has a source, and the sandbox has a secret for each variable."""
    assert {system for system, _ in sources()} == set(CATALOGUE.systems)
    assert len(list(sources())) >= 7
    for system, operations in CATALOGUE.operations.items():
        wanted = {ref.env for ref in variables_of(operations)}
        assert wanted <= {f"{system.upper()}_{name}" for name in ALERT_SECRETS}
        assert (Path(SHIPPED) / system / "alerts.yaml").is_file()


def route(system: str, source: str, alert: Alert) -> Route:
    """Where a shipped system has an alert go."""
    found = routed(CATALOGUE, Tracked(source, system, alert, alert.state, NOW, NOW, NOW))
    assert found is not None
    return found


def alert(name: str, **labels: str) -> Alert:
    """An alert of that name."""
    return Alert("f", name, name, AlertState.FIRING, NOW, "critical", labels)


@pytest.mark.parametrize(
    ("source", "given", "severity", "runbook"),
    [
        ("alacarte_grafana", alert("DatabaseCpuHigh"), "P1", "RB-004"),
        ("alacarte_grafana", alert("ConnectionsExhausted"), "P1", "RB-004"),
        ("alacarte_generic", alert("HighEdgeFunctionErrors"), "P1", "RB-014"),
        ("alacarte_generic", alert("Email sync has stopped"), "P1", "RB-007"),
        ("aias_vercel", alert("VercelResponseTimeP95"), "P1", "AI-02"),
        ("aias_vercel", alert("VercelFunctions"), "P1", "AI-03"),
        ("aias_sentry", alert("TypeError", level="error"), "P1", "AI-03"),
        ("aias_sentry", alert("TypeError", level="warning"), "P2", "AI-03"),
        ("waooaw_pagerduty", alert("Scheduler health check failed"), "P0", "WA-03"),
        ("waooaw_alertmanager", alert("CP dashboard load time"), "P3", "WA-20"),
        ("waooaw_alertmanager", alert("DatabasePoolUsage"), "P1", "WA-04"),
        ("phase1_uptime", alert("Stripe webhook answers 500"), "P1", "P1-E1"),
        ("storytailor_cloudwatch", alert("ApiGateway5XXErrors"), "P1", "ST-04"),
        ("storytailor_cloudwatch", alert("LambdaThrottles"), "P1", "ST-11"),
    ],
)
def test_where_alerts_lead(source: str, given: Alert, severity: str, runbook: str) -> None:
    """The severity, and the runbook that is suggested first."""
    (system,) = [each for each, known in sources() if known.name == source]
    found = route(system, source, given)
    assert (found.severity, found.suggestions[0].runbook) == (severity, runbook)


def test_labels_become_inputs() -> None:
    """A customer in the labels is the customer of the runbook, and has an incident of their own."""
    given = alert("AgentGoalsLate", customer_id="c-1")
    found = route("waooaw", "waooaw_alertmanager", given)
    assert (found.suggestions[0].runbook, found.suggestions[0].inputs) == ("WA-01", {"customer_id": "c-1"})
    assert found.origin == "alert:AgentGoalsLate:c-1"


def test_disputes() -> None:
    """Of Stripe's events a new dispute opens an incident, with its id; any other is kept and shown nowhere."""
    (event,) = products.stripe(parsed(sending.dispute()), NOW).alerts
    found = route("phase1", "stripe:phase1", event)
    assert (found.suggestions[0].runbook, found.suggestions[0].inputs) == ("P1-06", {"dispute_id": "dp_1"})
    other = route("phase1", "stripe:phase1", alert("invoice.paid"))
    assert (other.opens, other.shown) == (False, False)
    assert route("alacarte", "stripe:alacarte", event).opens
