"""A system's `alerts.yaml`: who may send alerts, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from bot.authoring.document import Condition, EnvDoc, Line, Name, Part, RunbookId, Text
from bot.authoring.ledger import Ledger
from bot.authoring.problems import did_you_mean
from bot.authoring.reading import Path
from bot.authoring.references import Names, References
from bot.domain.alert import Intake, Kind, Rule, Source
from bot.domain.runbook import Runbook, Severity
from bot.domain.system import SecretRef, System

ALERT, LABELS = "alert", "labels"
ALERT_NAMES = frozenset({ALERT, LABELS})
"""What expressions about an alert may read beside what every scope has."""


def _many(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _texts(value: object) -> object:
    spelled = {True: "true", False: "false"}
    many = value if isinstance(value, list) else [value]
    return [spelled[each] if isinstance(each, bool) else str(each) if isinstance(each, int) else each for each in many]


_ENV = {"$ref": "#/$defs/EnvDoc"}
Secrets = Annotated[
    list[EnvDoc],
    BeforeValidator(_many),
    Field(min_length=1, max_length=2),
    WithJsonSchema({"anyOf": [_ENV, {"type": "array", "items": _ENV, "minItems": 1, "maxItems": 2}]}),
]
_SCALAR = {"type": ["string", "integer", "boolean"]}
Patterns = Annotated[
    list[Annotated[str, StringConstraints(max_length=300)]],
    BeforeValidator(_texts),
    Field(min_length=1, max_length=20),
    WithJsonSchema({"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}]}),
]


class SourceDoc(Part):
    """Who may send alerts under a name, with a token or signed with a secret; two of either while one replaces the
    other."""

    kind: Kind
    token: Secrets | None = None
    hmac: Secrets | None = None


class StripeEventsDoc(Part):
    """The signing secrets of the endpoint at Stripe that sends its events to /stripe/webhook."""

    secrets: Secrets


class RuleDoc(Part):
    """What becomes of alerts that fit; the first rule that fits counts."""

    match: Annotated[dict[str, Patterns], Field(min_length=1, max_length=20)]
    system: Name | None = None
    severity: Severity | None = None
    runbook: RunbookId | None = None
    inputs: dict[Name, Condition] = Field(default_factory=dict)
    by: Annotated[list[Line], Field(max_length=5)] = Field(default_factory=list)
    open: bool = True


class AlertsDoc(Part):
    """How a system takes alerts in."""

    sources: dict[Name, SourceDoc]
    stripe: StripeEventsDoc | None = None
    rules: Annotated[list[RuleDoc], Field(max_length=200)] = Field(default_factory=list)
    notes: list[Text] = Field(default_factory=list)


def intake_of(ledger: Ledger, said: AlertsDoc, system: System, runbooks: Mapping[str, Runbook]) -> Intake:
    """The sources and rules; what does not hold together is noted in the ledger."""
    sources = {}
    for name, each in said.sources.items():
        _check_source(ledger, ("sources", name), each)
        tokens = tuple(SecretRef(ref.env) for ref in each.token or ())
        secrets = tuple(SecretRef(ref.env) for ref in each.hmac or ())
        sources[name] = Source(name, each.kind, tokens, secrets)
    references = References(ledger, Names(ALERT_NAMES, frozenset()))
    for place, rule in enumerate(said.rules):
        _check_rule(ledger, ("rules", place), rule, system, runbooks, references)
    rules = tuple(
        Rule(
            match={name: tuple(texts) for name, texts in rule.match.items()},
            system=rule.system,
            severity=rule.severity,
            runbook=rule.runbook,
            inputs=dict(rule.inputs),
            by=tuple(rule.by),
            opens=rule.open,
        )
        for rule in said.rules
    )
    stripe = () if said.stripe is None else tuple(SecretRef(ref.env) for ref in said.stripe.secrets)
    return Intake(sources, stripe, rules)


def _check_source(ledger: Ledger, at: Path, said: SourceDoc) -> None:
    if said.kind is Kind.STRIPE:
        ledger.error((*at, "kind"), "Stripe has an address of its own.", "Write stripe: with secrets: beside sources:.")
    elif (said.token is None) == (said.hmac is None):
        hint = "Write token: {env: …} or hmac: [{env: …}, {env: …}]."
        ledger.error(at, "A source has either a token or secrets that it signs with.", hint)
    elif said.kind is Kind.ALERTMANAGER and said.hmac is not None:
        ledger.error((*at, "hmac"), "Alertmanager signs nothing.", "Give it a token: its http_config sends one.")
    elif said.kind is Kind.SENTRY and said.token is not None:
        ledger.error((*at, "token"), "Sentry sends no token.", "Give it hmac: with the client secret.")


def _check_rule(
    ledger: Ledger,
    at: Path,
    said: RuleDoc,
    system: System,
    runbooks: Mapping[str, Runbook],
    references: References,
) -> None:
    target = said.system or system.id
    mine = {each.id: each for each in runbooks.values() if each.system == target}
    known = {each.system for each in runbooks.values()} | {system.id}
    if target not in known:
        ledger.error((*at, "system"), f"There is no system «{target}».", did_you_mean(target, known))
    elif said.runbook is not None and said.runbook not in mine:
        hint = did_you_mean(said.runbook, mine)
        ledger.error((*at, "runbook"), f"The system «{target}» has no runbook «{said.runbook}».", hint)
    runbook = mine.get(said.runbook or "")
    inputs = [] if runbook is None else [each.name for each in runbook.inputs]
    for name, text in said.inputs.items():
        references.expression(text, (*at, "inputs", name))
        if runbook is not None and name not in inputs:
            ledger.error((*at, "inputs", name), f"{runbook.id} has no input «{name}».", did_you_mean(name, inputs))
    if said.inputs and said.runbook is None:
        ledger.error((*at, "inputs"), "There are inputs and no runbook that takes them.")
    if not said.open and target == system.id and not system.channels.announcements:
        hint = "Add channels: {announcements: …} to system.yaml."
        ledger.error((*at, "open"), "There is no channel that the alert is posted to.", hint)
