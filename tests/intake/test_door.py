"""Bad input at the door: each has its clear outcome, and none of it is kept."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from bot.intake.door import MAX_BODY
from tests.intake import sending
from tests.intake.conftest import Intake
from tests.intake.sending import BEARER, NEW, OLD, mac

pytestmark = pytest.mark.incidents

NOT_SIGNED = (401, {"ok": False, "error": "Not signed as this source signs."})
KEPT = "SELECT (SELECT count(*) FROM alert_arrivals) + (SELECT count(*) FROM alerts)"


@pytest.mark.parametrize("source", ["prometheus", "graphs", "duty", "errors", "jobs", "signed_jobs"])
async def test_unsigned_is_not_let_in(intake: Intake, source: str) -> None:
    """No signature, a wrong one, one of another body, another product's, another way to write it: 401, whatever it
    says, and nothing is kept."""
    body = sending.generic()
    right = mac(body)
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {sending.TOKEN}"},
        {"Authorization": "Bearer "},
        {"X-Alert-Token": "ä\udcffö"},
        {"X-Signature-256": "sha256=" + mac(b"other")},
        {"X-Signature-256": right},
        {"X-Signature-256": "sha256=", "X-Signature-Timestamp": "now"},
        {"Sentry-Hook-Signature": mac(body, "wrong")},
        {"X-PagerDuty-Signature": f"v2={right},v1="},
        {"X-Grafana-Alerting-Signature": mac(body, "")},
    ):
        assert await intake.post(f"/alerts/{source}", body, headers) == NOT_SIGNED, headers
    assert await intake.post(f"/alerts/{source}", b"{", {}) == NOT_SIGNED
    assert await intake.count(KEPT) == 0


async def test_a_source_without_a_secret_lets_nobody_in(intake: Intake) -> None:
    """Its variable is not set: no token fits, least of all none."""
    for token in ("", "None", "ALACARTE_NEVER_SET"):
        given = {"Authorization": f"Bearer {token}"}
        assert await intake.post("/alerts/nobody", sending.generic(), given) == NOT_SIGNED


async def test_where_nothing_is_taken(intake: Intake) -> None:
    """An unknown source and another method are said as such."""
    assert await intake.post("/alerts/unknown", b"{}", BEARER) == (
        404,
        {"ok": False, "error": "There is no such source."},
    )
    for method in ("GET", "PUT", "DELETE"):
        for path in ("/alerts/jobs", "/stripe/webhook"):
            async with intake.http.request(method, intake.url + path, headers=BEARER) as answer:
                assert (answer.status, answer.headers["Allow"]) == (405, "POST")
                assert (await answer.json())["error"] == "Alerts are sent with POST."


async def test_what_is_too_large(intake: Intake) -> None:
    """Refused by what it says of its size, by its real size when it does not say, and when it unfolds."""
    large = json.dumps({"title": "x" * MAX_BODY}).encode()
    assert (await intake.post("/alerts/jobs", large, BEARER))[0] == 413

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 65_536

    async with intake.http.post(f"{intake.url}/alerts/jobs", data=pieces(), headers=BEARER) as answer:
        assert answer.status == 413
    bomb = gzip.compress(large * 10)
    assert (await intake.post("/alerts/jobs", bomb, {**BEARER, "Content-Encoding": "gzip"}))[0] == 413
    assert (await intake.post("/alerts/jobs", b"no gzip", {**BEARER, "Content-Encoding": "gzip"}))[0] == 400
    just = json.dumps({"title": "fits", "text": "x" * (MAX_BODY - 40)}).encode()
    assert (await intake.post("/alerts/jobs", just, BEARER))[0] == 202


@pytest.mark.parametrize(
    ("source", "body", "said"),
    [
        ("jobs", b"", "The body is not JSON in UTF-8."),
        ("jobs", b"\xff\xfe", "The body is not JSON in UTF-8."),
        ("jobs", b"[" * 100_000, "The body is not JSON in UTF-8."),
        ("jobs", b"1" * 10_000, "The body is not JSON in UTF-8."),
        ("jobs", b"[]", "A record was expected in the body."),
        ("jobs", b"{}", "An alert needs a «title» or a «name»."),
        ("jobs", b'{"title": "\\u0000 "}', "An alert needs a «title» or a «name»."),
        ("jobs", b'{"title": "x", "status": "maybe"}', "«status» is neither firing nor resolved."),
        ("jobs", b'{"title": "x", "labels": []}', "«labels» must be a record."),
        ("jobs", b'{"alerts": []}', "«alerts» must be a list with something in it."),
        ("jobs", b'{"alerts": [1]}', "A record was expected in «alerts»."),
        (
            "jobs",
            json.dumps({"alerts": [{"title": "x"}] * 2_001}).encode(),
            "«alerts» holds more than 2,000; send them in parts.",
        ),
        ("prometheus", b'{"alerts": {}}', "«alerts» must be a list with something in it."),
        ("prometheus", b'{"alerts": [{"labels": {}}]}', "An alert has no label «alertname»."),
        ("prometheus", b'{"alerts": [{"labels": {"alertname": "x"}, "status": 7}]}', "«status» is neither"),
        ("duty", b'{"messages": []}', "«event_type» is missing."),
        ("duty", b'{"event": {"event_type": "incident.triggered", "id": "1"}}', "«title» is missing."),
        ("errors", b"{}", "«data» holds no metric_alert, event, error or issue."),
        ("errors", b'{"data": {"event": {"issue_id": "1"}}}', "«title» is missing."),
    ],
)
async def test_malformed(intake: Intake, source: str, body: bytes, said: str) -> None:
    """One sentence says what is wrong, and nothing is kept."""
    signatures = {
        **BEARER,
        "X-PagerDuty-Signature": f"v1={mac(body)}",
        "Sentry-Hook-Signature": mac(body),
    }
    status, answer = await intake.post(f"/alerts/{source}", body, signatures)
    assert (status, answer["ok"]) == (400, False)
    assert said in answer["error"]
    assert await intake.count(KEPT) == 0


async def test_malformed_event_of_stripe(intake: Intake) -> None:
    """Signed, and no event."""
    body = b'{"object": "charge"}'
    given = {"Stripe-Signature": sending.stripe_signature(body)}
    assert (await intake.post("/stripe/webhook", body, given))[0] == 400
    for header in ("t=,v1=", "v1=a", "t=1,t=2,v1=a", "t=99999999999999999999,v1=a", "\udcff"):
        assert await intake.post("/stripe/webhook", body, {"Stripe-Signature": header}) == NOT_SIGNED


@asynccontextmanager
async def away(intake: Intake) -> AsyncIterator[None]:
    """The bot's database takes nobody for a while."""
    world = intake.sandbox.world
    admin = await asyncpg.connect(world.postgres.url("postgres"))
    try:
        await admin.execute(f'ALTER DATABASE "{world.database}" ALLOW_CONNECTIONS false')
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", world.database)
        yield
        await admin.execute(f'ALTER DATABASE "{world.database}" ALLOW_CONNECTIONS true')
    finally:
        await admin.close()


async def test_the_database_is_away(intake: Intake) -> None:
    """503 and when to try again; the same delivery is taken when it is back, once."""
    body = sending.pagerduty()
    given = {"X-PagerDuty-Signature": f"v1={mac(body, NEW)}"}
    async with away(intake):
        async with intake.http.post(f"{intake.url}/alerts/duty", data=body, headers=given) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            assert "nothing was recorded" in (await answer.json())["error"]
    taken = {"ok": True, "taken": 1, "repeated": False}
    assert await intake.post("/alerts/duty", body, given) == (202, taken)
    assert (await intake.post("/alerts/duty", body, given))[1]["repeated"] is True
    await intake.sorted()
    assert await intake.count("SELECT sum(count) FROM alerts") == 1


async def test_no_secret_in_logs_or_metrics(intake: Intake, capsys: pytest.CaptureFixture[str]) -> None:
    """What is refused is counted by its source; neither secrets nor bodies are said."""
    body = sending.generic("A customer's name")
    await intake.post("/alerts/jobs", body, {"Authorization": f"Bearer {sending.TOKEN}x"})
    await intake.post("/alerts/jobs", b"{}", BEARER)
    async with intake.http.get(f"{intake.url}/metrics") as answer:
        metrics = await answer.text()
    assert 'runbook_alerts_total{outcome="401",source="jobs"}' in metrics
    said = capsys.readouterr()
    for secret in (sending.TOKEN, OLD, NEW, "A customer's name"):
        assert secret not in said.out + said.err + metrics
