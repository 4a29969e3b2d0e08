"""Paging out: PagerDuty, Opsgenie, a webhook or a mail is told of each call, of its answer and of the end.

Each says at most once what it is told (PagerDuty and Opsgenie by a key of ours, a webhook and a mailbox by an id that
stays the same); a page is tried again while its receiver does not answer, and its failure is said in the channel.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, assert_never

import aiohttp
import structlog

from bot.authoring.catalogue import Catalogue
from bot.domain.events import BOT, Event, Happened
from bot.domain.incident import Incident
from bot.domain.paging import TRIES, Call, Page, PageEvent, PageState, call_text
from bot.domain.runbook import Severity
from bot.domain.system import Pager, PagerKind, System, paged_by, spoken_name
from bot.errors import BotError, Misconfigured, Unavailable
from bot.steps.targets import MailInDoubt, Targets
from bot.store import incidents, pages, runs
from bot.store.session import Store, Transaction

log = structlog.get_logger(__name__)

# https://developer.pagerduty.com/docs/events-api-v2/trigger-events/ and https://docs.opsgenie.com/docs/alert-api
PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
OPSGENIE = "https://api.opsgenie.com/v2/alerts"
ANSWER_WITHIN = timedelta(seconds=10)
CLAIM = timedelta(seconds=40)
_PAGERDUTY_SEVERITY = {Severity.P0: "critical", Severity.P1: "error", Severity.P2: "warning", Severity.P3: "info"}
_OPSGENIE_PRIORITY = {Severity.P0: "P1", Severity.P1: "P2", Severity.P2: "P3", Severity.P3: "P4"}
_ACTION = {PageEvent.CALLED: "trigger", PageEvent.ACKNOWLEDGED: "acknowledge", PageEvent.RESOLVED: "resolve"}


async def page(tx: Transaction, system: System | None, incident: Incident, rung: int, to: list[str], why: str) -> None:
    """Page those of a rung who can be reached outside Slack, in the caller's transaction."""
    for name in to:
        if system is not None and paged_by(system, name) is not None:
            await pages.ask(tx, incident.id, rung, name, PageEvent.CALLED, why)


async def answered(tx: Transaction, system: System | None, incident: Incident, event: PageEvent) -> None:
    """Tell everybody who was paged that somebody is on it, or that it is over, in the caller's transaction. Who has not
    been reached yet is not called any more."""
    for each in await pages.of_incident(tx.connection, incident.id):
        if each.event is not PageEvent.CALLED:
            continue
        if each.state is PageState.WAITING:
            await pages.end(tx, each.id, PageState.DROPPED, str(event))
        elif each.state is PageState.SENT and system is not None and paged_by(system, each.name) is not PagerKind.MAIL:
            await pages.ask(tx, incident.id, each.rung, each.name, event)


class Pages:
    """Sends the pages that are due. Any worker may do it; a page is one worker's for as long as sending may take."""

    def __init__(self, store: Store, catalogue: Catalogue, targets: Targets) -> None:
        self._store = store
        self._catalogue = catalogue
        self.targets = targets

    async def send(self, page_id: str) -> None:
        """Send a page whose time has come, and remember how that went."""
        async with self._store.transaction() as tx:
            claimed = await pages.claim(tx, page_id, CLAIM)
            incident = None if claimed is None else await incidents.get(tx.connection, claimed.incident)
            if claimed is None or incident is None:
                return
            of_it = await runs.of_incident(tx.connection, incident.id)
            now = tx.now
        system = self._catalogue.systems.get(incident.system)
        kind = None if system is None else paged_by(system, claimed.name)
        problem, lasting = "", False
        try:
            if system is None or kind is None:
                raise Misconfigured(f"There is no pager for {claimed.name} any more.")
            call = call_text(incident, system, of_it, claimed, now)
            await self._sent(system, kind, incident, claimed, call)
        except BotError as error:
            problem, lasting = self.targets.redact(str(error)), isinstance(error, Misconfigured)
        await self._remember(claimed, str(kind or "nothing"), problem, lasting=lasting)

    async def sweep(self) -> int:
        """Have every page sent that is due; how many there were."""
        async with self._store.reading() as connection:
            due = await pages.overdue(connection, self._store.clock.now())
        for page_id in due:
            async with self._store.transaction() as tx:
                tx.enqueue_page(page_id)
        return len(due)

    async def _remember(self, sent: Page, via: str, problem: str, *, lasting: bool) -> None:
        about = {"to": spoken_name(sent.name), "via": via, "event": sent.event, "rung": sent.rung}
        async with self._store.transaction() as tx:
            await incidents.lock(tx, sent.incident)
            if not problem:
                await pages.end(tx, sent.id, PageState.SENT)
                tx.record(Event(Happened.PAGE_SENT, BOT, about), incident_id=sent.incident)
            elif not lasting and sent.attempts <= len(TRIES):
                log.warning("page not sent", incident=sent.incident, to=sent.name, via=via, problem=problem)
                await pages.retry(tx, sent.id, TRIES[sent.attempts - 1], problem)
                return
            else:
                await pages.end(tx, sent.id, PageState.FAILED, problem)
                failed = {**about, "problem": problem}
                tx.record(Event(Happened.PAGE_FAILED, BOT, failed), incident_id=sent.incident)
                tx.announce("unreached", incident_id=sent.incident, body={"page": sent.id, **failed})
            tx.announce("incident", incident_id=sent.incident)

    async def _sent(self, system: System, kind: PagerKind, incident: Incident, told: Page, call: Call) -> None:
        match kind:
            case PagerKind.MAIL:
                await self._mail(system, told, call)
            case PagerKind.PAGERDUTY:
                pager = system.pagers[told.name]
                body = _pagerduty(self.targets.resolve(pager.key), system, incident, told, call)
                await self._post(self._address(pager, PAGERDUTY), json.dumps(body), {})
            case PagerKind.OPSGENIE:
                pager = system.pagers[told.name]
                key = {"Authorization": f"GenieKey {self.targets.resolve(pager.key)}"}
                path, body = _opsgenie(system, incident, told, call)
                await self._post(f"{self._address(pager, OPSGENIE)}{path}", json.dumps(body), key)
            case PagerKind.WEBHOOK:
                pager = system.pagers[told.name]
                text = json.dumps(_webhook(incident, told, call), sort_keys=True)
                secret = self.targets.resolve(pager.key).encode()
                signed = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
                own = {"X-Signature-256": f"sha256={signed}", "Idempotency-Key": told.id}
                await self._post(self._address(pager, ""), text, own)
            case _:
                assert_never(kind)

    def _address(self, pager: Pager, usual: str) -> str:
        return self.targets.address(pager.url) if pager.url is not None else usual

    async def _post(self, url: str, body: str, headers: Mapping[str, str]) -> None:
        """Post, or raise `Unavailable` for what may go better later, `Misconfigured` for what will not."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN.total_seconds())
        told = {"Content-Type": "application/json", **headers}
        try:
            post = self.targets.session.post(url, data=body, headers=told, timeout=timeout, allow_redirects=False)
            async with post as answer:
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable(f"It does not answer ({type(error).__name__}).") from None
        except ValueError:
            raise Misconfigured("Its address is no address.") from None
        if status in (408, 429) or status >= 500:
            raise Unavailable(f"It answers {status}.")
        if not 200 <= status < 300:
            raise Misconfigured(f"It refuses with status {status}.")

    async def _mail(self, system: System, told: Page, call: Call) -> None:
        sender = "" if system.mail is None else system.mail.sender
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"] = sender, system.contacts[told.name]
        message["Subject"] = " ".join(call.subject.split())[:250]
        message["Date"] = told.asked_at
        domain = sender.rpartition("@")[2].strip(" >") or "localhost"
        message["Message-ID"] = f"<{hashlib.sha256(told.key.encode()).hexdigest()[:40]}@{domain}>"
        message.set_content(call.body)
        try:
            await self.targets.mail(system, message, ANSWER_WITHIN)
        except MailInDoubt:
            # A mailbox tells a repetition by its Message-ID; nobody is worse off than with a call that was lost.
            raise Unavailable("The connection broke while it was handed over.") from None


def _pagerduty(key: str, system: System, incident: Incident, told: Page, call: Call) -> dict[str, Any]:
    said: dict[str, Any] = {"routing_key": key, "event_action": _ACTION[told.event], "dedup_key": told.key}
    if told.event is PageEvent.CALLED:
        said["client"] = "Runbook Bot"
        said["payload"] = {
            "summary": call.subject[:1_024],
            "source": system.title,
            "severity": _PAGERDUTY_SEVERITY[incident.severity],
            "timestamp": incident.opened_at.isoformat(),
            "group": incident.system,
            "custom_details": {"incident": incident.label, "text": call.body},
        }
    return said


def _opsgenie(system: System, incident: Incident, told: Page, call: Call) -> tuple[str, dict[str, Any]]:
    if told.event is PageEvent.CALLED:
        return "", {
            "message": call.subject[:130],
            "alias": told.key,
            "description": call.body[:15_000],
            "priority": _OPSGENIE_PRIORITY[incident.severity],
            "source": "Runbook Bot",
            "entity": system.title,
            "details": {"incident": incident.label},
        }
    action = "acknowledge" if told.event is PageEvent.ACKNOWLEDGED else "close"
    return f"/{told.key}/{action}?identifierType=alias", {"source": "Runbook Bot"}


def _webhook(incident: Incident, told: Page, call: Call) -> dict[str, Any]:
    return {
        "event": told.event,
        "id": told.id,
        "key": told.key,
        "to": told.name,
        "rung": told.rung,
        "incident": {
            "label": incident.label,
            "title": incident.title,
            "system": incident.system,
            "severity": incident.severity,
            "state": incident.state,
            "opened_at": incident.opened_at.isoformat(),
            "target_seconds": incident.target.total_seconds(),
        },
        "subject": call.subject,
        "text": call.body,
    }
