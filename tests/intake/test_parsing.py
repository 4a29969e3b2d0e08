"""The parsers, by themselves: any JSON gives bounded alerts or `Malformed`, and nothing else."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alert import Alert, AlertState, Kind, Source, severity_of, turned
from bot.domain.system import SecretRef
from bot.intake.fields import AHEAD, MAX_LABELS, Malformed, clean, moment, parsed
from bot.intake.products import PRODUCTS
from bot.intake.signing import signed
from bot.store.codec import pack, unpack
from tests.intake import sending
from tests.intake.sending import NOW

pytestmark = pytest.mark.incidents

SAMPLES = {
    Kind.ALERTMANAGER: sending.alertmanager(),
    Kind.GRAFANA: sending.grafana(),
    Kind.PAGERDUTY: sending.pagerduty(),
    Kind.SENTRY: sending.sentry_issue(),
    Kind.GENERIC: sending.generic(labels={"a": "b"}),
    Kind.STRIPE: sending.dispute(),
}
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in some JSON."""
    found = [path] if path else []
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        found += places(value, (*path, key))
    return found


def changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The same JSON with another value at a place."""
    if not path:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = changed(copy[path[0]], path[1:], value)
    return copy


def insist(kind: Kind, data: Any) -> None:
    """The delivery is malformed, or every alert in it is bounded, can be stored, and is no later than now."""
    found: Sequence[Alert] = ()
    with contextlib.suppress(Malformed):
        found = PRODUCTS[kind](parsed(json.dumps(data).encode()), NOW).alerts
    for alert in found:
        assert alert.name
        assert 0 < len(alert.fingerprint) <= 120
        assert len(alert.labels) <= MAX_LABELS
        assert alert.at <= NOW + AHEAD
        texts = [alert.title, alert.text, alert.url, alert.severity, *alert.labels, *alert.labels.values()]
        assert all(len(each) <= 2_000 and "\0" not in each for each in texts)
        "".join(texts).encode()
        assert unpack(Alert, json.loads(json.dumps(pack(alert)))) == alert


@pytest.mark.parametrize("kind", sorted(SAMPLES))
@given(data=st.data())
def test_any_change_of_a_real_delivery(kind: Kind, data: st.DataObject) -> None:
    """Anything in the place of anything."""
    sample = json.loads(SAMPLES[kind])
    for _ in range(2):
        known = places(sample)
        if not known:
            break
        sample = changed(sample, data.draw(st.sampled_from(known)), data.draw(ANY))
    insist(kind, sample)


@pytest.mark.parametrize("kind", sorted(SAMPLES))
@given(data=ANY)
def test_any_json(kind: Kind, data: Any) -> None:
    """Anything at all."""
    insist(kind, data)


@given(st.binary(max_size=60))
def test_any_bytes(body: bytes) -> None:
    """No bytes do harm before they are JSON."""
    with contextlib.suppress(Malformed):
        assert isinstance(parsed(body), dict)


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=5), st.binary(max_size=20))
def test_any_headers(headers: dict[str, str], body: bytes) -> None:
    """No header lets anybody in by chance, or breaks the comparison."""
    for kind in Kind:
        for name in ("X-Signature-256", "X-PagerDuty-Signature", "Sentry-Hook-Signature", "Authorization"):
            for value in headers.values():
                given_ = {**headers, name: value}
                source = Source("s", kind, secrets=(SecretRef("S"),))
                assert not signed(source, given_, body, {"S": "secret"}, NOW)
                assert not signed(Source("s", kind, tokens=(SecretRef("S"),)), given_, body, {"S": "a secret"}, NOW)


@given(st.lists(st.tuples(st.booleans(), st.integers(-600, 600), st.integers(0, 300)), max_size=30))
def test_any_order(said: list[tuple[bool, int, int]]) -> None:
    """Whatever order beginnings and ends come in: each beginning is counted, the sender's time never goes back, and the
    state is that of the latest of what was said."""
    known, now, fired = None, NOW, 0
    latest = datetime.min.replace(tzinfo=UTC)
    for firing, offset, passed in said:
        now += timedelta(seconds=passed)
        at = min(now, now + timedelta(seconds=offset))
        state = AlertState.FIRING if firing else AlertState.RESOLVED
        before = known.at if known else latest
        known, _ = turned(known, Alert("f", "n", "t", state, at), "s", "x", now)
        fired += firing
        assert known.count == fired
        assert known.at >= before
        if at > latest:
            assert known.state is state
        latest = max(latest, at)


@pytest.mark.parametrize(
    ("given_", "read"),
    [
        ("2026-11-21T02:58:00.123456789Z", datetime(2026, 11, 21, 2, 58, 0, 123456, tzinfo=UTC)),
        ("2026-11-21T03:58:00+01:00", datetime(2026, 11, 21, 2, 58, tzinfo=UTC)),
        ("2026-11-21T02:58:00", datetime(2026, 11, 21, 2, 58, tzinfo=UTC)),
        (1_795_229_880, datetime(2026, 11, 21, 2, 58, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", NOW),
        ("2031-01-01T00:00:00Z", NOW),
        ("yesterday", NOW),
        (True, NOW),
        (-5, NOW),
        (1e300, NOW),
        (None, NOW),
    ],
)
def test_times(given_: Any, read: datetime) -> None:
    """As each product writes them; what is no time, or in the future, is now."""
    assert moment(given_, NOW) == read


def test_severities_and_texts() -> None:
    """A sender's word never makes a P0; what cannot be stored is left out, what is too long is cut."""
    words = ("critical", "P0", "error", "warning", "info", "", "purple")
    assert [str(severity_of(word)) for word in words] == ["P1", "P1", "P2", "P3", "P3", "P2", "P2"]
    assert clean("a\x00b\ud800c", 10) == "abc"
    assert clean("x" * 20, 10) == "x" * 9 + "…"
    odd: list[Any] = [True, 7, 2.5, None, [], {}]
    assert [clean(each, 10) for each in odd] == ["true", "7", "2.5", "", "", ""]
