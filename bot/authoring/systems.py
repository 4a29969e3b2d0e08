"""A system file to a `System`: what a system has, who may approve, and what its severities mean."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.authoring.document import (
    CommandDoc,
    EnvDoc,
    LogDoc,
    MailDoc,
    PagerDoc,
    SeverityDoc,
    StripeDoc,
    SupportDoc,
    SystemDoc,
)
from bot.authoring.ledger import Ledger
from bot.authoring.policies import check_policy, policy_over
from bot.authoring.problems import did_you_mean
from bot.authoring.reading import Path
from bot.authoring.templates import TemplateError, compile_template
from bot.domain.masking import Mask
from bot.domain.policy import ON_CALL, ApprovalPolicy
from bot.domain.programs import left_open, runs_anything
from bot.domain.runbook import Severity
from bot.domain.system import (
    Channels,
    Command,
    Database,
    Group,
    LogSource,
    Mail,
    Pager,
    PagerKind,
    SecretRef,
    Service,
    SeverityRule,
    StripeAccount,
    SupportRule,
    System,
    Template,
)

_SECRET = re.compile(r"authorization|cookie|token|key|secret|password", re.IGNORECASE)
_CRITICAL = ApprovalPolicy(votes=2)


def system_of(ledger: Ledger, said: SystemDoc, source: str) -> System:
    """The system; what does not fit together is noted in the ledger."""
    default = policy_over(said.policies.default, ApprovalPolicy())
    system = System(
        id=said.id,
        title=said.title,
        databases={
            name: Database(name, SecretRef(each.read), SecretRef(each.act) if each.act else None, each.receipts)
            for name, each in said.databases.items()
        },
        services={
            name: Service(
                name,
                _value(each.url),
                {key: _value(value) for key, value in each.headers.items()},
                tuple(each.safe_posts),
            )
            for name, each in said.services.items()
        },
        commands={name: _command(name, each) for name, each in said.commands.items()},
        logs={name: _log(name, each) for name, each in said.logs.items()},
        secrets={name: SecretRef(each.env) for name, each in said.secrets.items()},
        stripe=None if said.stripe is None else _stripe(said.stripe),
        mail=None if said.mail is None else _mail(said.mail),
        groups=_groups(said),
        contacts=dict(said.contacts),
        pagers=_pagers(ledger, said),
        severities={severity: _rule(severity, each) for severity, each in said.severities.items()},
        templates={name: Template(name, each.subject, each.body) for name, each in said.templates.items()},
        channel_prefix=said.channel_prefix,
        channels=Channels(said.channels.announcements, said.channels.calendar, tuple(said.channels.private)),
        default_policy=default,
        critical_policy=policy_over(said.policies.critical, _over(_CRITICAL, default)),
        severity_policies={severity: policy_over(each, default) for severity, each in said.policies.severities.items()},
        support=None if said.support is None else _support(said.support),
        source=source,
    )
    _check(ledger, said, system)
    return system


def _over(critical: ApprovalPolicy, default: ApprovalPolicy) -> ApprovalPolicy:
    return replace(default, votes=critical.votes, requester_may_vote=False, confirm=False)


def _check(ledger: Ledger, said: SystemDoc, system: System) -> None:
    _check_groups(ledger, said, system)
    _check_support(ledger, system)
    _check_services(ledger, said)
    _check_commands(ledger, said)
    _check_logs(ledger, said, system)
    for field, policy in (("default", system.default_policy), ("critical", system.critical_policy)):
        if field in said.policies.model_fields_set:
            check_policy(ledger, ("policies", field), policy, system.groups)
    for severity, policy in system.severity_policies.items():
        check_policy(ledger, ("policies", "severities", severity), policy, system.groups)
    for severity, rule in system.severities.items():
        for name in rule.escalate_to:
            if name not in system.contacts and name not in system.groups:
                hint = did_you_mean(name, [*system.contacts, *system.groups])
                ledger.error(("severities", severity, "escalate_to"), f"There is no contact or group «{name}».", hint)
    for name, template in system.templates.items():
        for part, text in (("subject", template.subject), ("body", template.body)):
            try:
                compile_template(text)
            except TemplateError as error:
                ledger.error(("templates", name, part), str(error), error.hint, line=error.line)


def _check_groups(ledger: Ledger, said: SystemDoc, system: System) -> None:
    if ON_CALL in said.groups:
        ledger.error(("groups", ON_CALL), "The people on call are named under on_call:, not under groups:.")
    for name, group in system.groups.items():
        if group.slack is None and not group.people:
            at: Path = ("on_call",) if name == ON_CALL else ("groups", name)
            ledger.error(at, "The group is empty: give it slack: or people:.")


def _check_support(ledger: Ledger, system: System) -> None:
    """The group is there, and decides on nothing: who approves sees everything."""
    if system.support is None:
        return
    at: Path = ("support", "group")
    name = system.support.group
    if name not in system.groups:
        ledger.error(at, f"There is no group «{name}».", did_you_mean(name, system.groups))
    policies = (system.default_policy, system.critical_policy, *system.severity_policies.values())
    if name == ON_CALL or any(name in policy.everybody for policy in policies):
        hint = "Give support people a group of their own."
        ledger.error(at, f"«{name}» approves changes, so its people see everything.", hint)


def _check_services(ledger: Ledger, said: SystemDoc) -> None:
    """Addresses are addresses, and nothing secret stands in the file."""
    urls: dict[Path, str | EnvDoc | None] = {
        ("services", name, "url"): each.url for name, each in said.services.items()
    }
    if said.stripe is not None:
        urls["stripe", "url"] = said.stripe.url
    for path, url in urls.items():
        if isinstance(url, str) and not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s?#]*)?", url):
            hint = "Write https://host/path; what holds a password belongs in {env: NAME}."
            ledger.error(path, "This is not the plain address of a service.", hint)
    for name, service in said.services.items():
        for header, value in service.headers.items():
            if isinstance(value, str) and _SECRET.search(header):
                hint = f"Write {header}: {{env: NAME}} and set the variable."
                ledger.error(("services", name, "headers", header), "A secret does not belong in this file.", hint)


def _check_commands(ledger: Ledger, said: SystemDoc) -> None:
    """No shell, nothing relative, no pattern that allows everything, and nothing secret in the file."""
    for name, command in said.commands.items():
        at: Path = ("commands", name)
        program = command.program if isinstance(command.program, str) else ""
        if runs_anything(program):
            ledger.error((*at, "program"), f"«{program}» runs anything it is given.", "Declare the program itself.")
        if "/" in program and not program.startswith("/"):
            ledger.error((*at, "program"), "Write an absolute path, or a name that is looked for in the usual places.")
        if not command.looks and not command.changes:
            ledger.error(
                at, "The command allows no arguments.", "Declare them under looks: or changes:, each as a list."
            )
        for part, patterns in (("looks", command.looks), ("changes", command.changes)):
            for place, pattern in enumerate(patterns):
                if (open_part := left_open(pattern)) is not None:
                    ledger.error((*at, part, place), *open_part)
        for variable, value in command.environment.items():
            if isinstance(value, str) and _SECRET.search(variable):
                hint = f"Write {variable}: {{env: NAME}} and set the variable."
                ledger.error((*at, "environment", variable), "A secret does not belong in this file.", hint)


def _check_logs(ledger: Ledger, said: SystemDoc, system: System) -> None:
    """Each log comes from one place, and from one that is known and only looks."""
    for name, log in said.logs.items():
        at: Path = ("logs", name)
        if len([each for each in (log.file, log.command, log.service) if each]) != 1:
            ledger.error(at, "Say where the log is: file:, command: or service:, and only one of them.")
        if log.service is not None and log.service not in system.services:
            ledger.error(
                (*at, "service"), f"There is no service «{log.service}».", did_you_mean(log.service, system.services)
            )
        command = system.commands.get(log.command[0]) if log.command else None
        if log.command and command is None:
            hint = did_you_mean(log.command[0], system.commands)
            ledger.error((*at, "command"), f"There is no command «{log.command[0]}».", hint)
        elif command is not None and not command.only_looks(log.command[1:]):
            hint = "Declare them under the command's looks."
            ledger.error((*at, "command"), f"«{command.name}» is not declared to only look with these arguments.", hint)


def _stripe(said: StripeDoc) -> StripeAccount:
    return StripeAccount(SecretRef(said.key), None if said.url is None else _value(said.url))


def _support(said: SupportDoc) -> SupportRule:
    files = None if said.files is None else said.files.removeprefix("#")
    return SupportRule(said.group, Mask(tuple(dict.fromkeys(said.mask))), said.rows, files)


def _log(name: str, said: LogDoc) -> LogSource:
    return LogSource(
        name,
        None if said.file is None else _value(said.file),
        tuple(said.command),
        said.service,
        said.path,
        dict(said.query),
        said.entries,
        said.text,
        said.at,
    )


def _command(name: str, said: CommandDoc) -> Command:
    return Command(
        name,
        _value(said.program),
        tuple(tuple(pattern) for pattern in said.looks),
        tuple(tuple(pattern) for pattern in said.changes),
        {key: _value(value) for key, value in said.environment.items()},
        None if said.folder is None else _value(said.folder),
    )


def _rule(severity: Severity, said: SeverityDoc) -> SeverityRule:
    return SeverityRule(severity, said.label, said.escalate_after, tuple(said.escalate_to), said.digest_every)


def _mail(said: MailDoc) -> Mail:
    port = said.port if isinstance(said.port, int) else SecretRef(said.port.env)
    username = SecretRef(said.username) if said.username else None
    password = SecretRef(said.password) if said.password else None
    return Mail(_value(said.host), port, said.sender, username, password)


def _groups(said: SystemDoc) -> dict[str, Group]:
    listed = said.groups | ({ON_CALL: said.on_call} if said.on_call is not None else {})
    return {name: Group(name, _handle(each.slack), tuple(each.people)) for name, each in listed.items()}


def _pagers(ledger: Ledger, said: SystemDoc) -> dict[str, Pager]:
    return {name: pager for name, each in said.pagers.items() if (pager := _pager(ledger, said, name, each))}


def _pager(ledger: Ledger, said: SystemDoc, name: str, each: PagerDoc) -> Pager | None:
    """The pager; None when it is not one, which is noted in the ledger."""
    kinds = {kind: key for kind in PagerKind if kind is not PagerKind.MAIL and (key := getattr(each, kind)) is not None}
    known = [*said.contacts, *said.groups, *([ON_CALL] if said.on_call is not None else [])]
    if name not in known:
        ledger.error(("pagers", name), f"There is no contact or group «{name}».", did_you_mean(name, known))
    if len(kinds) != 1:
        ledger.error(("pagers", name), "A pager is one of pagerduty, opsgenie and webhook.")
        return None
    kind, key = next(iter(kinds.items()))
    if kind is PagerKind.WEBHOOK and each.url is None:
        ledger.error(("pagers", name), "A webhook needs an address.", "Write url: https://… or url: {env: NAME}.")
    return Pager(kind, SecretRef(key), None if each.url is None else _value(each.url))


def _value(said: str | EnvDoc) -> str | SecretRef:
    return said if isinstance(said, str) else SecretRef(said.env)


def _handle(slack: str | None) -> str | None:
    return None if slack is None else slack.removeprefix("@")
