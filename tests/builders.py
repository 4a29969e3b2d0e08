"""Sample domain objects for tests: the subscription that did not update, in every state a run can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.cli.sandbox import ROOT
from bot.domain.approval import ApprovalRequest, Choice, Person, RequestState, Verdict, Vote, evaluate
from bot.domain.change import Preview, Receipt, RowChange
from bot.domain.facts import Fact, FactStatus
from bot.domain.incident import Incident
from bot.domain.policy import ApprovalPolicy
from bot.domain.run import ActionRun, ActionStatus, CheckRun, CheckStatus, Conclusion, Run, RunState
from bot.domain.runbook import Action, Check, Input, InputType, Runbook, Severity
from bot.runs.shown import ApprovalShown, QuestionShown, RunShown

START = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
NOW = START + timedelta(minutes=4)
ANA, BEN, CHLOE = Person("U0ANA", "Ana Lima"), Person("U0BEN", "Ben Okoro"), Person("U0CHLOE", "Chloe Martin")
BUSINESS = "3f2b8c1e-5a77-4d09-9b1e-0c6f2a4d8e11"
RUN_ID = "7d1f0a52-94c4-4a8e-8a53-2f5c1f0b6d10"
KEY = "copy_from_stripe"
POLICY = ApprovalPolicy(groups=("billing",))
MEMBERS = {"billing": frozenset({BEN.id, CHLOE.id})}


def runbook(**changes: Any) -> Runbook:
    """RB-011 with its checks and actions."""
    checks = {
        "account": Check("account", "What our database says", "sql", {}),
        "stripe": Check("stripe", "What Stripe says", "stripe", {}),
        "webhooks": Check("webhooks", "Webhook log", "logs", {}),
    }
    actions = {
        KEY: Action(KEY, "Copy the subscription from Stripe", "sql", {}, POLICY, verify="account.row.active"),
        "resend": Action("resend", "Deliver the event again", "stripe", {}, POLICY),
        "apologise": Action("apologise", "Write to the customer", "notify", {}, ApprovalPolicy(confirm=True)),
    }
    made = Runbook(
        id="RB-011",
        title="Subscription status not updating",
        system="shop",
        version="v1",
        severity=Severity.P2,
        resolve_within=timedelta(minutes=20),
        summary="A customer has paid and the product does not know.",
        symptoms=("Customer paid but is still on the free tier", "Plan shows past due after payment"),
        inputs=(Input("business_id", InputType.UUID, "Business", "The id in the admin page"),),
        checks=checks,
        actions=actions,
        follow_ups=("Alert when webhook success falls below 99 %",),
    )
    return replace(made, **changes)


CHECKS = {
    "account": CheckRun("account", CheckStatus.DONE, "1 row", duration=timedelta(milliseconds=12)),
    "stripe": CheckRun("stripe", CheckStatus.DONE, "active, Starter", duration=timedelta(milliseconds=210)),
    "webhooks": CheckRun("webhooks", CheckStatus.DONE, "2 failed deliveries", duration=timedelta(milliseconds=35)),
}
CONCLUSION = Conclusion(
    "webhook_missed", "Stripe has an active Starter subscription; the database still says past_due.", (KEY,)
)


def run(state: RunState = RunState.DECIDING, *actions: ActionRun, **changes: Any) -> Run:
    """A run of RB-011 that has looked and found its cause, with these actions."""
    made = Run(
        id=RUN_ID,
        number=13,
        runbook="RB-011",
        version="v1",
        system="shop",
        title="Subscription status not updating",
        severity=Severity.P2,
        resolve_within=timedelta(minutes=20),
        incident="0b5e6a1c-1111-4222-8333-444455556666",
        inputs={"business_id": BUSINESS},
        requested_by=ANA.id,
        requested_at=START,
        state=state,
        checks=CHECKS,
        conclusions=(CONCLUSION,),
        concluded=True,
        plan=tuple(action.key for action in actions if not action.undo_of),
        actions={action.key: action for action in actions},
    )
    return replace(made, **changes)


def change(key: Any = BUSINESS, **after: Any) -> RowChange:
    """A row of businesses that goes from free and past due to starter and active, unless told otherwise."""
    before = {"id": key, "subscription_tier": "free", "subscription_status": "past_due", "name": "Bäckerei Ölmühle"}
    return RowChange(
        "businesses",
        {"id": key},
        before,
        {**before, "subscription_tier": "starter", "subscription_status": "active", **after},
    )


def preview(*changes: RowChange, **fields: Any) -> Preview:
    """What copying from Stripe would do."""
    rows = changes or (change(),)
    statement = (
        "UPDATE businesses\nSET subscription_tier = :tier, subscription_status = 'active'\nWHERE id = :business_id"
    )
    made = Preview(
        headline=f"{len(rows)} row of businesses changes"
        if len(rows) == 1
        else f"{len(rows)} rows of businesses change",
        payload={
            "database": "app",
            "statement": statement,
            "values": {"tier": "starter", "business_id": BUSINESS},
        },
        changes=rows,
        counts={"businesses": len(rows)},
        reversible=True,
        undo="the rows get their old values back",
    )
    return replace(made, **fields)


def request(**changes: Any) -> ApprovalRequest:
    """A request asked a minute ago."""
    made = ApprovalRequest(
        id="11111111-2222-4333-8444-555566667777",
        run=RUN_ID,
        action=KEY,
        digest="ab" * 32,
        policy=POLICY,
        requested_by=ANA.id,
        requested_at=NOW - timedelta(minutes=1),
        expires_at=START + timedelta(minutes=32),
    )
    return replace(made, **changes)


def vote(person: Person = BEN, choice: Choice = Choice.APPROVE, reason: str = "") -> Vote:
    """Somebody's vote on the request above, half a minute ago."""
    return Vote(person, choice, "ab" * 32, NOW - timedelta(seconds=30), reason)


def approval(*votes: Vote, of: Preview | None = None, decided: bool = False, **changes: Any) -> ApprovalShown:
    """The request with its preview and how the votes stand; `decided` as the store shows it afterwards."""
    asked = request(**changes)
    verdict = evaluate(asked, votes, MEMBERS, NOW)
    if decided:
        asked = replace(asked, state=verdict.state)
        verdict = Verdict(verdict.state, votes)
    return ApprovalShown(asked, {asked.action: of or preview()}, votes, verdict)


RECEIPT = Receipt("1 row of businesses changed", (change(),), {"businesses": 1})


def action(status: ActionStatus, **changes: Any) -> ActionRun:
    """Copying the subscription from Stripe, as far as it has come."""
    headline = "" if status in (ActionStatus.OFFERED, ActionStatus.PREVIEWING) else "1 row of businesses changes"
    made = ActionRun(KEY, status, request().id, by=ANA.id, finding="webhook_missed", headline=headline, reversible=True)
    return replace(made, **changes)


def shown(of: Run | None = None, **changes: Any) -> RunShown:
    """A run as its screens get it."""
    made = RunShown(run=of or run(), runbook=runbook(), now=NOW, previous=12)
    return replace(made, **changes)


def fact(value: Mapping[str, Any] | None = None, **changes: Any) -> Fact:
    """A fact of one row."""
    row = {"id": BUSINESS, "subscription_status": "past_due", "paid": True, "seats": 4}
    given = value if value is not None else {"row": row, "rows": [row], "count": 1}
    return replace(Fact(FactStatus.DONE, given, "1 row", duration=timedelta(milliseconds=12)), **changes)


def question(**changes: Any) -> QuestionShown:
    """Which of two customers is it?"""
    options = ({"value": "cus_1", "label": "Bäckerei (Berlin)"}, {"value": "cus_2", "label": "Bäckerei (Bern)"})
    return replace(QuestionShown("webhooks", "Which of the two customers is meant?", (), options), **changes)


def incident(**changes: Any) -> Incident:
    """The incident of the run."""
    made = Incident(
        id="0b5e6a1c-1111-4222-8333-444455556666",
        number=7,
        system="shop",
        title="Subscription status not updating",
        severity=Severity.P2,
        target=timedelta(minutes=20),
        opened_by=ANA.id,
        opened_at=START,
        channel="C0INC007",
        channel_name="inc-007-subscription-status-not-updating",
        acknowledged_by=ANA.id,
        acknowledged_at=START,
    )
    return replace(made, **changes)


def states() -> dict[str, RunShown]:
    """A run in every state its card knows."""
    asked = approval()
    approved = approval(vote(), decided=True)
    acted = {"approvals": {KEY: approved}, "receipts": {KEY: RECEIPT}}
    pending = {**CHECKS, "webhooks": CheckRun("webhooks")}
    failed = replace(
        CHECKS["stripe"], status=CheckStatus.FAILED, error="Stripe did not answer within 15 s.", summary=""
    )
    many = preview(*(change(number, note=f"row {number}") for number in range(1, 10)))
    undo = ActionRun("undo:" + KEY, ActionStatus.REQUESTED, request().id, by=ANA.id, undo_of=KEY, reversible=False)
    busy, over = RunState.ACTING, {"finished_at": NOW}
    return {
        "requested": shown(run(RunState.REQUESTED, checks={}, conclusions=(), concluded=False)),
        "diagnosing": shown(run(RunState.DIAGNOSING, checks=pending, conclusions=(), concluded=False)),
        "asking": shown(
            run(
                RunState.DIAGNOSING,
                checks={**CHECKS, "webhooks": CheckRun("webhooks", CheckStatus.ASKING)},
                conclusions=(),
                concluded=False,
            ),
            questions=(question(),),
        ),
        "asking_form": shown(
            run(RunState.DIAGNOSING, checks=pending, conclusions=(), concluded=False),
            questions=(question(options=(), form=(Input("seats", InputType.INTEGER, "Seats", minimum=1),)),),
        ),
        "failed_check": shown(
            run(
                RunState.DECIDING,
                checks={**CHECKS, "stripe": failed, "account": replace(CHECKS["account"], changed="status was active")},
                conclusions=(),
            )
        ),
        "offered": shown(run(RunState.DECIDING, action(ActionStatus.OFFERED))),
        "previewing": shown(run(RunState.DECIDING, action(ActionStatus.PREVIEWING))),
        "awaiting_approval": shown(
            run(RunState.AWAITING_APPROVAL, action(ActionStatus.REQUESTED)), approvals={KEY: asked}
        ),
        "awaiting_second_vote": shown(
            run(RunState.AWAITING_APPROVAL, action(ActionStatus.REQUESTED)),
            approvals={KEY: approval(vote(), vote(ANA), policy=replace(POLICY, votes=2))},
        ),
        "irreversible": shown(
            run(RunState.AWAITING_APPROVAL, action(ActionStatus.REQUESTED)),
            approvals={KEY: approval(of=preview(reversible=False, undo="cannot be undone", exact=False))},
        ),
        "too_big": shown(
            run(RunState.AWAITING_APPROVAL, action(ActionStatus.REQUESTED)), approvals={KEY: approval(of=many)}
        ),
        "approved": shown(run(busy, action(ActionStatus.APPROVED)), approvals={KEY: approved}),
        "acting": shown(run(busy, action(ActionStatus.ACTING)), approvals={KEY: approved}),
        "waiting_for_report": shown(
            run(busy, action(ActionStatus.WAITING, reason="Switch the plan in the vendor's console.")),
            reports={KEY: QuestionShown(KEY, "Switch the plan in the vendor's console.", ())},
        ),
        "verifying": shown(
            run(RunState.VERIFYING, action(ActionStatus.VERIFYING, deadline=NOW + timedelta(seconds=30))), **acted
        ),
        "done": shown(run(RunState.DONE, action(ActionStatus.DONE), **over), **acted),
        "undo_asked": shown(
            run(RunState.AWAITING_APPROVAL, action(ActionStatus.DONE), undo),
            approvals={KEY: approved, undo.key: approval(action=undo.key)},
            receipts={KEY: RECEIPT},
        ),
        "undone": shown(
            run(
                RunState.DONE,
                action(ActionStatus.DONE, undone_by=undo.key),
                replace(undo, status=ActionStatus.DONE, headline="1 row of businesses changed back"),
                **over,
            ),
            **acted,
        ),
        "unverified": shown(
            run(RunState.DECIDING, action(ActionStatus.UNVERIFIED, reason="The status is still past_due.")), **acted
        ),
        "denied": shown(
            run(RunState.DECIDING, action(ActionStatus.DENIED, reason="Denied: wait for the provider's answer"))
        ),
        "expired": shown(
            run(RunState.DECIDING, action(ActionStatus.EXPIRED, reason="Nobody decided in time; nothing was changed."))
        ),
        "action_failed": shown(
            run(RunState.DECIDING, action(ActionStatus.FAILED, reason="0 rows would change, 1 was approved."))
        ),
        "in_doubt": shown(
            run(
                RunState.PARKED,
                action(ActionStatus.UNKNOWN, reason="The connection broke after the statement was sent."),
                reason="The connection broke after the statement was sent.",
            ),
            approvals={KEY: approved},
        ),
        "parked_by_bug": shown(run(RunState.PARKED, reason="The bot itself failed (reference 1a2b3c4d).")),
        "no_finding": shown(run(RunState.DECIDING, conclusions=())),
        "closed": shown(run(RunState.DONE, conclusions=(), reason="It was the customer's mistake.", **over)),
        "cancelled": shown(run(RunState.CANCELLED, action(ActionStatus.SKIPPED), reason="wrong business", **over)),
        "failed": shown(run(RunState.FAILED, reason="Every check failed.", **over)),
        "over_time": shown(
            run(RunState.AWAITING_APPROVAL, action(ActionStatus.REQUESTED), requested_at=START - timedelta(minutes=22)),
            approvals={KEY: asked},
        ),
        "plan": shown(
            run(
                RunState.AWAITING_APPROVAL,
                ActionRun("resend", ActionStatus.DONE, headline="Event evt_1 was delivered again"),
                action(ActionStatus.REQUESTED),
                ActionRun("apologise", ActionStatus.QUEUED),
            ),
            approvals={KEY: asked},
        ),
        "expired_request": shown(
            run(RunState.AWAITING_APPROVAL, action(ActionStatus.REQUESTED)),
            approvals={KEY: approval(state=RequestState.VOIDED)},
        ),
    }


def tree(folder: Path, **runbooks: str) -> Path:
    """A folder of runbooks: those given by their ids (`RB_900`), in the shipped system alacarte."""
    system = folder / "alacarte"
    system.mkdir()
    (system / "system.yaml").write_text((ROOT / "runbooks" / "alacarte" / "system.yaml").read_text())
    for name, text in runbooks.items():
        (system / f"{name.replace('_', '-')}.yaml").write_text(text)
    return folder
