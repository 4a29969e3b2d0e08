"""The `notify` kind: one message by e-mail, in Slack or to a webhook, shown whole before it goes out.

A Slack message is not sent here: the detail of the receipt holds `{"slack": {"to": …, "text": …}}`, and the announcer
posts it from the outbox: so it is durable with the action's end and cannot be lost or doubled by this step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import Annotated, ClassVar, Literal, assert_never

import aiohttp

from bot.domain.change import EffectKey, Preview, Receipt
from bot.domain.runbook import Effect, Section
from bot.domain.system import System
from bot.errors import BotError, Refusal
from bot.steps.base import TEMPLATE, Complaint, Done, Failed, InDoubt, Outcome, Spec, StepContext
from bot.steps.passive import Passive
from bot.steps.targets import MailInDoubt

LONGEST_SUBJECT = 250
ACCEPTED = range(200, 300)


class NotifySpec(Spec):
    """`to` is an e-mail address, a Slack channel or person, or (`via: webhook`) a service of the system. The message is
    a `body` with a `subject`, templates over facts; `template` names one of the system's, whose subject and body stand
    in for those that are not written: rendering puts them there."""

    to: Annotated[str, TEMPLATE]
    subject: Annotated[str, TEMPLATE] = ""
    body: Annotated[str, TEMPLATE] = ""
    template: str | None = None
    via: Literal["email", "slack", "webhook"] = "slack"


@dataclass(frozen=True, slots=True)
class _Message:
    to: str
    subject: str
    body: str


class Notify(Passive):
    """Gated like any change, because a message cannot be taken back."""

    name: ClassVar[str] = "notify"
    spec: ClassVar[type[Spec]] = NotifySpec
    shorthand: ClassVar[str] = "to"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.ACTIONS})
    repeatable: ClassVar[bool] = False

    def effect(self, spec: NotifySpec, section: Section) -> Effect:
        """Sends something out."""
        return Effect.WRITE

    def lint(self, spec: NotifySpec, section: Section, system: System) -> Iterable[Complaint]:
        """Something to say, a template that exists, a way to send it."""
        known = ", ".join(sorted(system.templates)) or "none"
        if spec.template is not None and spec.template not in system.templates:
            yield Complaint(f"There is no template «{spec.template}».", "template", f"Known: {known}.")
        if spec.template is None and not spec.body:
            yield Complaint("There is nothing to say.", "body", f"Write body, or name a template; known: {known}.")
        if spec.via == "email" and system.mail is None:
            yield Complaint(f"{system.title} has no mail server.", "via", "Add `mail:` to the system's file.")
        if spec.via == "email" and not spec.subject and spec.template is None:
            yield Complaint("An e-mail needs a subject.", "subject")
        if spec.via == "webhook" and "{{" not in spec.to and spec.to not in system.services:
            yield Complaint(
                f"There is no service «{spec.to}».", "to", f"Known: {', '.join(sorted(system.services)) or 'none'}."
            )

    async def preview(self, spec: NotifySpec, context: StepContext) -> Preview:
        """The message exactly as it would go out."""
        message = _message(spec, context)
        lines = [] if message.body == spec.body else ["Secrets in the text are masked, here and in the message."]
        return Preview(
            headline=f"A message goes to {message.to} ({spec.via})",
            payload={"via": spec.via, "to": message.to, "subject": message.subject, "body": message.body},
            lines=tuple(lines),
            undo="a message cannot be taken back",
        )

    async def act(self, spec: NotifySpec, approved: Preview, key: EffectKey, context: StepContext) -> Outcome:
        """Send it once; what was interrupted after it was handed over is in doubt."""
        try:
            message = _message(spec, context)
            match spec.via:
                case "slack":
                    return _posted(message)
                case "email":
                    return await _mailed(message, key, context)
                case "webhook":
                    return await _called(message, key, context)
                case _:
                    assert_never(spec.via)
        except BotError as refused:
            return Failed(context.targets.redact(refused.sentence))

    async def settle(self, spec: NotifySpec, key: EffectKey, context: StepContext) -> Outcome:
        """A Slack message is posted with the end of the action, so it was not; of others nobody can tell."""
        if spec.via == "slack":
            return Failed("The bot was interrupted before the message was handed over: it was not sent.")
        return InDoubt(f"The bot was interrupted while it sent this by {spec.via}: look whether it arrived.")


def _message(spec: NotifySpec, context: StepContext) -> _Message:
    """The message without secrets. Raises Refusal when there is nobody or nothing to send."""
    subject, body = spec.subject, spec.body
    if spec.template is not None and not body:
        raise Refusal(f"The template «{spec.template}» was not filled in.")
    to = spec.to.strip()
    if not to or not body.strip():
        raise Refusal("There is nobody to send it to." if not to else "There is nothing to say.")
    if spec.via == "email" and ("@" not in to or any(mark in to for mark in "\r\n,;<> ")):
        raise Refusal(f"«{to[:80]}» is not one e-mail address.")
    mask = context.targets.redact
    return _Message(to, mask(" ".join(subject.split()))[:LONGEST_SUBJECT], mask(body))


def _posted(message: _Message) -> Outcome:
    text = f"*{message.subject}*\n{message.body}" if message.subject else message.body
    detail = {"slack": {"to": message.to, "subject": message.subject, "text": text}}
    return Done(Receipt(f"Message to {message.to}", detail=detail))


async def _mailed(message: _Message, key: EffectKey, context: StepContext) -> Outcome:
    mail = context.system.mail
    sender = "" if mail is None else mail.sender
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"] = sender, message.to, message.subject
    made["Date"] = context.clock.now()
    made["Message-ID"] = message_id(key, sender)
    made.set_content(message.body)
    try:
        await context.targets.mail(context.system, made, context.timeout)
    except MailInDoubt as doubt:
        return InDoubt(doubt.sentence)
    return Done(Receipt(f"E-mail to {message.to}", detail={"message_id": made["Message-ID"]}))


def message_id(key: EffectKey, sender: str) -> str:
    """The same effect always has the same Message-ID: a mailbox that gets it twice can tell."""
    domain = sender.rpartition("@")[2].strip(" >") or "localhost"
    return f"<{hashlib.sha256(str(key).encode()).hexdigest()[:40]}@{domain}>"


async def _called(message: _Message, key: EffectKey, context: StepContext) -> Outcome:
    service = context.targets.service(context.system, message.to)
    body = {"subject": message.subject, "text": message.body}
    headers = {**service.headers, "Idempotency-Key": str(key)}
    timeout = aiohttp.ClientTimeout(total=context.timeout.total_seconds())
    try:
        async with context.targets.session.post(
            service.base, json=body, headers=headers, timeout=timeout, allow_redirects=False
        ) as response:
            status = response.status
    except aiohttp.ClientConnectorError:
        return Failed(f"The service {message.to} cannot be reached: nothing was sent.")
    except (aiohttp.ClientError, TimeoutError):
        return InDoubt(f"The connection to {message.to} broke before it answered: the message may have arrived.")
    if status in ACCEPTED:
        return Done(Receipt(f"Message to {message.to}", detail={"status": status}))
    return Failed(f"The service {message.to} refused the message with status {status}.")
