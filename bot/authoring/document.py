"""The documents as authors write them: what a runbook and a system file may hold, before anything is resolved."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from bot.domain.policy import StepUp
from bot.domain.runbook import ChartKind, InputType, Severity
from bot.steps.durations import span

MAX_SPAN = timedelta(days=90)


def _span(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError("a time span is written with its unit: 90s, 20m, 2h or 1d")
    try:
        found = span(value)
    except OverflowError as error:
        raise ValueError(f"«{value[:40]}» is too long") from error
    if found > MAX_SPAN:
        raise ValueError(f"«{value}» is longer than 90 days")
    return found


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _approval(value: object) -> object:
    if isinstance(value, str):
        return {value: True} if value in ("critical", "confirm") else {"group": value}
    return value


def _undo(value: object) -> object:
    return {"automatic": True} if value == "automatic" else value


def _condition(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


Span = Annotated[
    timedelta,
    BeforeValidator(_span),
    WithJsonSchema({"type": "string", "pattern": r"^\s*(\d+(\.\d+)?\s*(ms|s|m|h|d)\s*)+$", "examples": ["90s", "20m"]}),
]
Line = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,79}$")]
Condition = Annotated[
    Text, BeforeValidator(_condition), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "boolean"}]})
]
Names = Annotated[
    list[str],
    BeforeValidator(_one_or_many),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
RunbookId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$", max_length=40)]


Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Part(BaseModel):
    """A part of a document: unknown fields are problems, nothing is guessed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class EnvDoc(Part):
    """A value that is read from an environment variable when it is used."""

    env: Variable


class InputDoc(Part):
    """A typed parameter."""

    type: InputType = InputType.TEXT
    label: Line | None = None
    help: str = Field(default="", max_length=300)
    required: bool = True
    default: str | int | float | bool | None = None
    choices: Annotated[list[str], Field(max_length=100)] = []
    pattern: str | None = Field(default=None, max_length=200)
    minimum: float | None = None
    maximum: float | None = None
    probe: EnvDoc | str | int | float | bool | None = None


class QuietDoc(Part):
    """The hours in which only an emergency is approved."""

    start: Clock
    end: Clock
    zone: str = "UTC"
    weekends: bool = False


class ApproveDoc(Part):
    """Who may say yes to an action, over the system's default."""

    group: Name | None = None
    groups: list[Name] = []
    people: list[Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{2,20}$")]] = []
    votes: int | None = Field(default=None, ge=1, le=10)
    requester_may_vote: bool | None = None
    critical: bool = False
    confirm: bool = False
    vote_lifetime: Span | None = None
    request_lifetime: Span | None = None
    backup: Name | None = None
    remind_after: Span | None = None
    backup_after: Span | None = None
    quiet_hours: QuietDoc | None = None
    break_glass: Names | None = None
    step_up: StepUp | None = None


class UndoDoc(Part):
    """How an action is taken back: from the before-image, by another action, or not at all and why."""

    automatic: bool = False
    action: Name | None = None
    none: Line | None = None


class ChartDoc(Part):
    """A chart of a check's rows: the columns that name a row, and the columns that are drawn."""

    kind: ChartKind
    labels: Names
    values: Names
    title: Line | None = None


class CheckDoc(Part):
    """What every check may say beside its kind."""

    title: Line | None = None
    when: Condition | None = None
    timeout: Span | None = None
    chart: ChartDoc | None = None


class ActionDoc(Part):
    """What every action may say beside its kind."""

    title: Line | None = None
    when: Condition | None = None
    timeout: Span | None = None
    approve: Annotated[ApproveDoc | None, BeforeValidator(_approval)] = None
    evidence: Names = []
    fresh_for: Span | None = None
    verify: Condition | None = None
    verify_within: Span | None = None
    undo: Annotated[UndoDoc | None, BeforeValidator(_undo)] = None
    lock: Text | None = None


class FindingDoc(Part):
    """A condition over facts, what to say when it holds, and what to propose."""

    when: Condition
    say: Text
    propose: Names = []
    together: bool = False


class RunbookDoc(Part):
    """A runbook."""

    id: RunbookId
    title: Annotated[Line, Field(max_length=120)]
    system: Name | None = None
    severity: Severity
    resolve_within: Span
    summary: str = Field(default="", max_length=1_000)
    symptoms: list[Line] = []
    triage: bool = True
    inputs: dict[str, InputDoc] = {}
    checks: dict[str, dict[str, Any]] = {}
    findings: dict[str, FindingDoc] = {}
    actions: dict[str, dict[str, Any]] = {}
    follow_ups: list[Line] = []
    notes: list[Text] = []


# -- system.yaml -------------------------------------------------------------------------------------------------------


class DatabaseDoc(Part):
    """A database by the variables that hold its addresses: one role looks, one acts."""

    read: Variable
    act: Variable | None = None
    receipts: Name | None = None


class ServiceDoc(Part):
    """An HTTP service."""

    url: str | EnvDoc
    headers: dict[str, str | EnvDoc] = {}
    safe_posts: list[str] = []


class CommandDoc(Part):
    """A program that steps may start, with the arguments that only look and those that change something."""

    program: Annotated[str, StringConstraints(min_length=1)] | EnvDoc
    looks: list[list[str]] = []
    changes: list[list[str]] = []
    environment: dict[Variable, str | EnvDoc] = {}
    folder: str | EnvDoc | None = None


class LogDoc(Part):
    """A log: `file`, `command` or `service` with `path`; see `bot.domain.system.LogSource`."""

    file: str | EnvDoc | None = None
    command: list[str] = []
    service: Name | None = None
    path: Annotated[str, StringConstraints(pattern=r"^/[^\s?#]*$")] = "/"
    query: dict[str, str] = {}
    entries: str = ""
    text: str = "message"
    at: str = "timestamp"


class StripeDoc(Part):
    """The Stripe account."""

    key: Variable
    url: str | EnvDoc | None = None


class MailDoc(Part):
    """The mail server notices go out by."""

    host: str | EnvDoc
    port: int | EnvDoc = 25
    sender: str
    username: Variable | None = None
    password: Variable | None = None


class GroupDoc(Part):
    """Who may approve: a Slack user group by its handle, people by their Slack ids, or both."""

    slack: Annotated[str, StringConstraints(pattern=r"^@?[a-z0-9][a-z0-9_.-]{0,79}$")] | None = None
    people: list[Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{2,20}$")]] = []


class SeverityDoc(Part):
    """What a severity means for the clock."""

    label: Line
    escalate_after: Span | None = None
    escalate_to: Names = []
    digest_every: Span = timedelta(minutes=30)


class TemplateDoc(Part):
    """A message that notices are drafted from."""

    subject: Line
    body: Text


class PoliciesDoc(Part):
    """The approval rules that actions start from."""

    default: ApproveDoc = ApproveDoc()
    critical: ApproveDoc = ApproveDoc()
    severities: dict[Severity, ApproveDoc] = {}


class PagerDoc(Part):
    """Where a contact or a group is paged: the variable with PagerDuty's routing key, with Opsgenie's API key, or with
    the secret that signs a webhook's body. A webhook needs a url; the vendors have their own."""

    pagerduty: Variable | None = None
    opsgenie: Variable | None = None
    webhook: Variable | None = None
    url: str | EnvDoc | None = None


Column = Annotated[str, StringConstraints(pattern=r"^[\w*?-]+(\.[\w*?-]+)?$", max_length=80)]
Channel = Annotated[str, StringConstraints(pattern=r"^(#?[a-z0-9][a-z0-9_-]{0,79}|[CG][A-Z0-9]{2,20})$")]


class SupportDoc(Part):
    """What support people see: their group, the columns that are masked for them, the most rows a table shows, and the
    private channel that full results go to."""

    group: Name
    mask: Annotated[list[Column], Field(min_length=1)]
    rows: int = Field(default=10, ge=1, le=100)
    files: Channel | None = None


class ChannelsDoc(Part):
    """Where the bot speaks of the system beside its incidents, and which runbooks' incidents are private ("*": all)."""

    announcements: Channel | None = None
    calendar: Channel | None = None
    private: list[Line] = []


class SystemDoc(Part):
    """A system file."""

    id: Name
    title: Line
    databases: dict[Name, DatabaseDoc] = {}
    services: dict[Name, ServiceDoc] = {}
    commands: dict[Name, CommandDoc] = {}
    logs: dict[Name, LogDoc] = {}
    secrets: dict[Name, EnvDoc] = {}
    stripe: StripeDoc | None = None
    mail: MailDoc | None = None
    groups: dict[Name, GroupDoc] = {}
    policies: PoliciesDoc = PoliciesDoc()
    contacts: dict[str, Line] = {}
    pagers: dict[str, PagerDoc] = {}
    severities: dict[Severity, SeverityDoc] = {}
    templates: dict[Name, TemplateDoc] = {}
    on_call: GroupDoc | None = None
    support: SupportDoc | None = None
    channel_prefix: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,20}$")] = "inc"
    channels: ChannelsDoc = ChannelsDoc()


# -- triage.yaml -------------------------------------------------------------------------------------------------------


class TriageDoc(Part):
    """The identifiers of a system, the checks that look them up, and what these give."""

    inputs: dict[str, InputDoc] = {}
    checks: dict[str, dict[str, Any]] = {}
    gives: dict[str, list[str]] = {}
