"""What is being operated: its databases, services, people, severities and policies, as read from `system.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from bot.domain.masking import Mask
from bot.domain.policy import ApprovalPolicy
from bot.domain.programs import fits
from bot.domain.runbook import Severity

_SHORT = frozenset({"ceo", "cfo", "coo", "cto", "dba", "hr", "it", "pr", "qa", "sre", "vp"})
_ADDRESS = re.compile(r"[^@\s<>,;:\"']{1,64}@[A-Za-z0-9.-]{1,253}")


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
class Command:
    """A program that runbooks may start on the bot's machine, and with which arguments: `looks` change nothing and may
    stand in checks, `changes` are for actions. In a pattern `*` stands for any text, never for an option.

    `program` is a path or a name that is looked for in the usual places; `environment` is all the program is given.
    """

    name: str
    program: str | SecretRef
    looks: tuple[tuple[str, ...], ...] = ()
    changes: tuple[tuple[str, ...], ...] = ()
    environment: Mapping[str, str | SecretRef] = field(default_factory=dict)
    folder: str | SecretRef | None = None

    def only_looks(self, arguments: Sequence[str]) -> bool:
        """Whether these arguments are declared to change nothing."""
        return any(fits(pattern, arguments) for pattern in self.looks)

    def allows(self, arguments: Sequence[str]) -> bool:
        """Whether these arguments are declared at all."""
        return self.only_looks(arguments) or any(fits(pattern, arguments) for pattern in self.changes)


@dataclass(frozen=True, slots=True)
class LogSource:
    """Where log lines come from: a file, one of the system's commands with its arguments, or a path on one of its
    services. `{since}` and `{until}` in arguments and query become the window's ends, in UTC.

    Of a service's answer, `entries` leads to the list (dots between names; "": the body's lines), and `text` and `at`
    are each entry's fields with the words and the time.
    """

    name: str
    file: str | SecretRef | None = None
    command: tuple[str, ...] = ()
    service: str | None = None
    path: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    entries: str = ""
    text: str = "message"
    at: str = "timestamp"


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


class PagerKind(StrEnum):
    """How somebody is reached outside Slack."""

    PAGERDUTY = "pagerduty"
    OPSGENIE = "opsgenie"
    WEBHOOK = "webhook"
    MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Pager:
    """Where a contact or a group of a ladder is paged: `key` is PagerDuty's routing key, Opsgenie's API key, or the
    secret with which a webhook's body is signed; `url` takes the place of the vendor's address."""

    kind: PagerKind
    key: SecretRef
    url: str | SecretRef | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """People who may approve: a Slack user group by handle, and/or a list of Slack user ids."""

    name: str
    slack: str | None = None
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SupportRule:
    """How support people see the system: those of `group` get runs in which the columns of `mask` are masked and tables
    show at most `rows` rows. Full results go as files to the private channel `files` (an id or a name), if any."""

    group: str
    mask: Mask = Mask(("*",))
    rows: int = 10
    files: str | None = None


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
class Channels:
    """Where the bot speaks of a system beside its incidents: `announcements` takes what stakeholders are told,
    `calendar` the checklists and maintenance windows; both are names or ids. Incidents of the runbooks in `private`, or
    all of them with "*", are held in private channels."""

    announcements: str | None = None
    calendar: str | None = None
    private: tuple[str, ...] = ()

    def hides(self, runbook: str) -> bool:
        """Whether an incident that begins with this runbook ("" for none) is held in a private channel."""
        return "*" in self.private or (bool(runbook) and runbook in self.private)


@dataclass(frozen=True, slots=True)
class System:
    """Everything global to the runbooks of one system."""

    id: str
    title: str
    databases: Mapping[str, Database] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    commands: Mapping[str, Command] = field(default_factory=dict)
    logs: Mapping[str, LogSource] = field(default_factory=dict)
    secrets: Mapping[str, SecretRef] = field(default_factory=dict)
    stripe: StripeAccount | None = None
    mail: Mail | None = None
    groups: Mapping[str, Group] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)
    pagers: Mapping[str, Pager] = field(default_factory=dict)
    severities: Mapping[Severity, SeverityRule] = field(default_factory=dict)
    templates: Mapping[str, Template] = field(default_factory=dict)
    channel_prefix: str = "inc"
    channels: Channels = Channels()
    default_policy: ApprovalPolicy = ApprovalPolicy()
    critical_policy: ApprovalPolicy = ApprovalPolicy(votes=2)
    severity_policies: Mapping[Severity, ApprovalPolicy] = field(default_factory=dict)
    support: SupportRule | None = None
    source: str = ""


def groups_called(system: System, to: Sequence[str]) -> Mapping[str, Group]:
    """The user groups among those who are called: the system's own, and contacts that stand for one by its handle."""
    contacts = {each: system.contacts[each] for each in to if each in system.contacts}
    handles = {each: Group(each, slack=at) for each, at in contacts.items() if at.startswith("@")}
    return {each: system.groups[each] for each in to if each in system.groups} | handles


def paged_by(system: System, name: str) -> PagerKind | None:
    """How somebody on a ladder is reached outside Slack: by their pager, else by mail where they are a contact with an
    address and the system has a mail server; None for whom only Slack reaches."""
    if name in system.pagers:
        return system.pagers[name].kind
    address = system.contacts.get(name, "")
    return PagerKind.MAIL if system.mail is not None and _ADDRESS.fullmatch(address) else None


def spoken_name(name: str) -> str:
    """A contact or group as people say it: "engineering manager", "CTO"."""
    return " ".join(word.upper() if word in _SHORT else word for word in name.split("_"))


def contact_named(system: System | None, name: str) -> str:
    """Somebody who is called, as others find them: "engineering manager (manager@example.com)"."""
    said = spoken_name(name)
    at = "" if system is None else system.contacts.get(name, "")
    return f"{said} ({at})" if at and not at.startswith("@") else said


def variables(system: System) -> set[SecretRef]:
    """The variables without which steps fail. Those under `secrets:` are left out: whether they are set is what the
    steps that look at them find out."""
    refs: set[SecretRef] = set()
    for database in system.databases.values():
        refs.update(ref for ref in (database.read, database.act) if ref is not None)
    for service in system.services.values():
        refs.update(ref for ref in (service.base, *service.headers.values()) if isinstance(ref, SecretRef))
    for command in system.commands.values():
        values = (command.program, command.folder, *command.environment.values())
        refs.update(ref for ref in values if isinstance(ref, SecretRef))
    refs.update(log.file for log in system.logs.values() if isinstance(log.file, SecretRef))
    for pager in system.pagers.values():
        refs.update(ref for ref in (pager.key, pager.url) if isinstance(ref, SecretRef))
    if system.stripe is not None:
        refs.add(system.stripe.key)
    if system.mail is not None:
        mail = system.mail
        refs.update(ref for ref in (mail.host, mail.port, mail.username, mail.password) if isinstance(ref, SecretRef))
    return refs
