"""Whether a delivery comes from who may send it: tokens and signatures as each product makes them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.domain.alert import Kind, Source
from bot.domain.system import SecretRef

FRESH = timedelta(minutes=5)
"""How old a signed timestamp may be, as Stripe and Slack have it."""
TOKEN_HEADERS = ("X-Alert-Token", "X-Auth-Token")

_TIMES = {Kind.GRAFANA: "X-Grafana-Alerting-Timestamp", Kind.GENERIC: "X-Signature-Timestamp"}


def signed(
    source: Source, headers: Mapping[str, str], body: bytes, environment: Mapping[str, str], now: datetime
) -> bool:
    """Whether the delivery carries a token of the source or is signed with one of its secrets, not too long ago where
    the time is signed too. All are compared in the same time, whichever fits."""
    tokens = values(source.tokens, environment)
    if tokens:
        return _any(tokens, _given(headers))
    secrets = values(source.secrets, environment)
    time = headers.get(_TIMES.get(source.kind, ""), "")
    if time and not fresh(time, now):
        return False
    return _any([_SIGNATURES[source.kind](secret, body, time) for secret in secrets], _presented(source.kind, headers))


def values(refs: Sequence[SecretRef], environment: Mapping[str, str]) -> list[str]:
    """The secrets that are set."""
    return [value for each in refs if (value := environment.get(each.env, ""))]


def fresh(time: str, now: datetime) -> bool:
    """Whether a signed timestamp, in seconds since 1970, is near enough to now."""
    if not time.isascii() or not time.isdigit() or len(time) > 12:
        return False
    return abs(now.timestamp() - int(time)) <= FRESH.total_seconds()


def stripe_signed(body: bytes, header: str, secrets: Sequence[str], now: datetime) -> bool:
    """Whether Stripe has signed this body with one of the secrets, lately."""
    import stripe  # a third of a second to import: only bots that use it pay

    # The library reads the machine's clock for the age; ours is handed in.
    times = [part[2:] for part in header.split(",") if part.startswith("t=")]
    found = False
    for secret in secrets:
        try:
            verified = stripe.WebhookSignature.verify_header(body, header, secret, tolerance=None)
        except (stripe.SignatureVerificationError, ValueError):
            continue
        found = found or verified
    return found and len(times) == 1 and fresh(times[0], now)


def _any(expected: Sequence[str], given: Sequence[str]) -> bool:
    found = False
    for one in expected:
        for other in given:
            found |= hmac.compare_digest(one.encode(), other.encode("utf-8", "replace"))
    return found


def _given(headers: Mapping[str, str]) -> list[str]:
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    given = [token.strip()] if scheme.lower() == "bearer" else []
    return [*given, *(headers[name] for name in TOKEN_HEADERS if headers.get(name))]


def _presented(kind: Kind, headers: Mapping[str, str]) -> list[str]:
    match kind:
        case Kind.SENTRY:
            return [headers.get("Sentry-Hook-Signature", "")]
        case Kind.PAGERDUTY:
            # While a secret is replaced, PagerDuty signs with both.
            parts = headers.get("X-PagerDuty-Signature", "").split(",")[:10]
            return [part.strip().removeprefix("v1=") for part in parts if part.strip().startswith("v1=")]
        case Kind.GRAFANA:
            return [headers.get("X-Grafana-Alerting-Signature", "")]
        case _:
            given = headers.get("X-Signature-256", "")
            return [given.removeprefix("sha256=")] if given.startswith("sha256=") else []


def _plain(secret: str, body: bytes, _time: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _timed(between: str) -> Callable[[str, bytes, str], str]:
    def made(secret: str, body: bytes, time: str) -> str:
        return _plain(secret, f"{time}{between}".encode() + body if time else body, "")

    return made


# Alertmanager signs nothing: the lint asks for a token there.
_SIGNATURES: Mapping[Kind, Callable[[str, bytes, str], str]] = {
    Kind.SENTRY: _plain,
    Kind.PAGERDUTY: _plain,
    Kind.GRAFANA: _timed(":"),
    Kind.GENERIC: _timed("."),
    Kind.ALERTMANAGER: _plain,
    Kind.STRIPE: _plain,
}
