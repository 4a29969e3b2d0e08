"""What is being operated: its databases, services, people, severities and policies, as read from `system.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.domain.policy import ApprovalPolicy
from bot.domain.runbook import Severity


@dataclass(frozen=True, slots=True)
class SecretRef:
    """The name of an environment variable that holds a secret; the value is read at use and never stored."""

    env: str


@dataclass(frozen=True, slots=True)
class Database:
    """A database the system's runbooks may look at (`read`) and change (`act`), each by its own role.

    `receipts` is the table that takes a receipt in the same transaction as the effect; None means effects there cannot
    be made exactly once, and an interrupted one is looked into by a person.
    """

    name: str
    read: SecretRef
    act: SecretRef | None = None
    receipts: str | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """An HTTP service by name: `base` is a URL or a reference to one; `headers` may refer to secrets."""

    name: str
    base: str | SecretRef
    headers: Mapping[str, str | SecretRef] = field(default_factory=dict)
    safe_posts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StripeAccount:
    """The Stripe account of the system; `base` replaces Stripe's API address in the sandbox."""

    key: SecretRef
    base: str | SecretRef | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """Where notices go out by e-mail (SMTP)."""

    host: str | SecretRef
    port: int | SecretRef
    sender: str
    username: SecretRef | None = None
    password: SecretRef | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """People who may approve: a Slack user group by handle, and/or a list of Slack user ids."""

    name: str
    slack: str | None = None
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeverityRule:
    """What a severity means for the clock: the response target and when and to whom it escalates."""

    severity: Severity
    label: str
    escalate_after: timedelta | None = None
    escalate_to: tuple[str, ...] = ()
    digest_every: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Template:
    """A message to customers or colleagues: subject and body are Jinja templates over facts."""

    name: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class System:
    """Everything global to the runbooks of one system."""

    id: str
    title: str
    databases: Mapping[str, Database] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    stripe: StripeAccount | None = None
    mail: Mail | None = None
    groups: Mapping[str, Group] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)
    severities: Mapping[Severity, SeverityRule] = field(default_factory=dict)
    templates: Mapping[str, Template] = field(default_factory=dict)
    channel_prefix: str = "inc"
    default_policy: ApprovalPolicy = ApprovalPolicy()
    critical_policy: ApprovalPolicy = ApprovalPolicy(votes=2)
    severity_policies: Mapping[Severity, ApprovalPolicy] = field(default_factory=dict)
    source: str = ""
