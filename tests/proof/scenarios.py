"""The changes that workers are killed in: each brings a run to its approval and counts how often it took effect."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from bot.sandbox.postgres import Postgres
from tests.proof.stage import Stage, alone, runbooks_with, staged
from tests.proof.witness import Connection, Log, Snapshot, still, watched

RUN_TABLES = ("runs", "facts", "approvals", "votes", "effects", "target_locks")
HTTP = """
id: RB-951
title: The partner was not told
severity: P2
resolve_within: 20m
symptoms: [The partner asks]
checks:
  paying: {title: Who pays, sql: SELECT count(*) AS number FROM businesses}
findings:
  somebody: {when: paying.row.number > 0, say: Somebody pays., propose: tell}
actions:
  tell:
    title: Tell the partner
    http: {post: /hooks/gate, service: functions, json: {state: paid}}
    approve: {group: billing}
    lock: partner
    verify: paying.ok
    undo: {none: What was told was told.}
"""
MAIL = """
id: RB-952
title: The customer was not told
severity: P2
resolve_within: 20m
symptoms: [The customer asks]
checks:
  paying: {title: Who pays, sql: SELECT count(*) AS number FROM businesses}
findings:
  somebody: {when: paying.row.number > 0, say: Somebody pays., propose: tell}
actions:
  tell:
    title: Tell the customer
    notify: {to: billing@gate.test, via: email, subject: Paid, body: It is paid.}
    approve: {group: billing}
    lock: customer
"""
REFUND = """
id: RB-953
title: Charged too much
severity: P2
resolve_within: 20m
symptoms: [The customer was charged too much]
inputs:
  payment: {type: text, label: Payment}
checks:
  payment_at_stripe: {title: The payment, stripe: {retrieve: payment_intents, id: "{{ payment }}"}}
findings:
  paid: {when: payment_at_stripe.object.status == 'succeeded', say: It was paid., propose: refund}
actions:
  refund:
    title: Refund a part
    stripe: {refund: payment_intents, id: "{{ payment }}", amount: "100"}
    approve: {group: billing}
    timeout: 2s
    lock: "payment {{ payment }}"
    verify: payment_at_stripe.ok
    undo: {none: A refund cannot be undone.}
"""
RUNBOOKS = {"RB_951": HTTP, "RB_952": MAIL, "RB_953": REFUND}


class Scenario(ABC):
    """One kind of change on a stage of its own. `fresh` is for each trial, `effects` counts since then."""

    title: str
    action: str

    def __init__(self, stage: Stage, bots: Connection, target: Connection, log: Log) -> None:
        self.stage = stage
        self.bots = bots
        self.target = target
        self.log = log
        self._kept = Snapshot(bots, RUN_TABLES)
        self._run = ""

    async def fresh(self) -> str:
        """An approved run that nobody has begun to carry out; its id. It is made once, then set back."""
        await self.still()
        if self._run:
            await self._kept.set_back()
        else:
            self._run = await self.approved()
            await self._kept.take()
        await self.forget()
        return self._run

    async def still(self) -> None:
        """Wait until what the dead have left on the servers is over."""
        await still(self.bots, self.target)

    async def taken_over(self, run: str) -> None:
        """The time of whoever held the run is over."""
        await self.bots.execute(
            "UPDATE runs SET lease_until = clock_timestamp() - interval '1 second' WHERE id = $1", run
        )

    @abstractmethod
    async def approved(self) -> str:
        """A new run whose action is approved."""

    @abstractmethod
    async def forget(self) -> None:
        """The target as it was before the change; what it has counted is forgotten."""

    @abstractmethod
    async def effects(self) -> int:
        """How often the change took effect in the target since then."""


class SqlChange(Scenario):
    """RB-011 copies a subscription; the write-ahead log tells how often that became durable."""

    title, action = "SQL change", "copy_from_stripe"

    def __init__(self, stage: Stage, bots: Connection, target: Connection, log: Log) -> None:
        super().__init__(stage, bots, target, log)
        self._rows = Snapshot(target, ("businesses", "runbook_receipts"))

    async def approved(self) -> str:
        """Stripe knows of a subscription that the database does not."""
        planted = await self.stage.plant("webhook_missed")
        run = await self.stage.started("RB-011", business_id=str(planted.business_id))
        await self.stage.approve(run, "copy_from_stripe")
        await self._rows.take()
        return run

    async def forget(self) -> None:
        """The rows of before."""
        await self._rows.set_back()
        await self.log.lines()

    async def effects(self) -> int:
        """Committed changes of a business; each has its receipt, or the proof would be none."""
        lines = await self.log.lines()
        changed = [line for line in lines if line.startswith("table public.businesses: UPDATE")]
        receipts = [line for line in lines if line.startswith("table public.runbook_receipts: INSERT")]
        proofs = [line for line in receipts if '"given_up"' not in line]
        assert len(changed) == len(proofs), lines
        return len(changed)


class SqlUndo(SqlChange):
    """The same change, carried out, and now taken back."""

    title, action = "Undo of it", "undo:copy_from_stripe"

    async def approved(self) -> str:
        """The change is done and verified; its undo is approved."""
        run = await super().approved()
        await self.stage.bot.worker.advance(run)
        await self.stage.bot.desk.people.undo(run, "copy_from_stripe", "U0ANA")
        await self.stage.bot.worker.advance(run)
        await self.stage.approve(run, self.action)
        await self._rows.take()
        return run


class StripeRefund(Scenario):
    """A part of a payment is refunded; every trial has a payment of its own, for keys are never used again."""

    title, action = "Stripe refund", "refund"
    payment = ""

    async def fresh(self) -> str:
        """A new payment and a new run."""
        await self.still()
        return await self.approved()

    async def approved(self) -> str:
        """Paid, and a part of it is to be given back."""
        objects = self.stage.world.stripe.objects
        self.payment = str(objects.payment(objects.customer()["id"], 5000)["id"])
        run = await self.stage.started("RB-953", payment=self.payment)
        await self.stage.approve(run, self.action)
        return run

    async def forget(self) -> None:
        """The payment is new."""

    async def effects(self) -> int:
        """Refunds of this payment at Stripe."""
        refunds = self.stage.world.stripe.objects.of("refund")
        return sum(each["payment_intent"] == self.payment for each in refunds)


class Arrival(Scenario, ABC):
    """Something sent to somebody who keeps no keys: only how often it arrived tells how often it was sent."""

    action = "tell"
    runbook: ClassVar[str]

    @property
    @abstractmethod
    def arrived(self) -> list[Any]:
        """What arrived, as the sandbox keeps it."""

    async def approved(self) -> str:
        """As many as it takes have said yes."""
        run = await self.stage.started(self.runbook)
        await self.stage.approve(run, self.action)
        return run

    async def forget(self) -> None:
        """Nothing has arrived."""
        self.arrived.clear()

    async def effects(self) -> int:
        """How often it arrived."""
        return len(self.arrived)


class HttpPost(Arrival):
    """A request to a service; what cannot be rehearsed takes two votes."""

    title, runbook = "HTTP request", "RB-951"

    @property
    def arrived(self) -> list[Any]:
        """Requests."""
        return self.stage.world.services.hooks


class MailSent(Arrival):
    """A message that cannot be called back."""

    title, runbook = "E-mail", "RB-952"

    @property
    def arrived(self) -> list[Any]:
        """Messages."""
        return self.stage.world.mail.mails


SCENARIOS: tuple[type[Scenario], ...] = (SqlChange, SqlUndo, StripeRefund, HttpPost, MailSent)


def gate_runbooks(folder: Path) -> Path:
    """RB-011 as it is shipped, and the runbooks above."""
    shipped = {"RB_011": alone("RB-011")}
    return runbooks_with(folder, **shipped, **RUNBOOKS)


@asynccontextmanager
async def played(scenario: type[Scenario], postgres: Postgres, runbooks: Path) -> AsyncIterator[Scenario]:
    """A scenario in a world of its own. The server needs `wal_level=logical` and commits that are flushed."""
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(postgres, runbooks))
        bots, target = await stage.bots_database(), await stage.world.alacarte.connect()
        stack.push_async_callback(bots.close)
        stack.push_async_callback(target.close)
        log = await stack.enter_async_context(watched(target))
        yield scenario(stage, bots, target, log)
