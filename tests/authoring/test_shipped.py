"""The shipped runbooks on the sample system: each fault gives its finding, each fix changes what it should, once."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from bot.authoring.decisions import decisions
from bot.authoring.loader import catalogue_at
from bot.domain.facts import FactStatus
from bot.errors import Refusal
from bot.sandbox.alacarte import Planted, plant, subscription_check
from bot.sandbox.postgres import Postgres
from bot.steps.base import AwaitCondition, Done, Failed
from tests.authoring.stage import RUNBOOKS, SampleSystem, Stage, sample_system

pytestmark = pytest.mark.runbooks


@pytest.fixture
async def sample(postgres: Postgres) -> AsyncIterator[SampleSystem]:
    """A sample system of the test's own."""
    async with sample_system(postgres, f"alacarte_{uuid.uuid4().hex[:10]}") as running:
        running.services.check = subscription_check(running.alacarte, running.stripe)
        yield running


@asynccontextmanager
async def fault(sample: SampleSystem, name: str, **inputs: Any) -> AsyncIterator[tuple[Stage, Planted]]:
    """A planted fault, diagnosed by its runbook."""
    planted = await plant(name, sample.alacarte, sample.stripe)
    try:
        known = {"business_id": str(planted.business_id)} if planted.business_id else {}
        stage = sample.stage(planted.runbook, {**known, **inputs})
        await stage.diagnose()
        yield stage, planted
    finally:
        await planted.close()


async def row(sample: SampleSystem, query: str, *values: object) -> Any:
    """One row of the sample database."""
    connection = await sample.alacarte.connect()
    try:
        return await connection.fetchrow(query, *values)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("name", "findings"),
    [
        ("paid_but_frozen", ["paid_but_frozen", "status_differs"]),
        ("payment_failed", ["payment_failed"]),
        ("frozen_for_other_reason", ["other_freeze"]),
        ("frozen_after_cancellation", ["frozen_after_cancellation"]),
        ("not_frozen", ["not_frozen"]),
        ("webhook_missed", ["webhook_missed"]),
        ("tier_differs", ["tier_differs"]),
        ("canceled_in_stripe", ["canceled_in_stripe"]),
        ("canceled_period_not_over", ["canceled_period_not_over"]),
        ("in_step", ["in_step"]),
        ("credit_missed", ["credits_missing"]),
        ("credited_already", ["credited_already"]),
        ("metadata_missing", ["metadata_missing"]),
        ("overcharged", ["overcharged"]),
        ("negative_balance", ["negative_balance"]),
    ],
)
async def test_fault_is_found_and_said(sample: SampleSystem, name: str, findings: list[str]) -> None:
    """Each planted fault gives exactly its findings, said in a few plain words with the actual values."""
    async with fault(sample, name) as (stage, _):
        said = stage.findings()
        assert list(said) == findings
        for sentence in said.values():
            assert len(sentence) <= 260
            assert "{{" not in sentence
            assert "  " not in sentence
        failed = {key: fact.error for key, fact in stage.facts.items() if fact.status is FactStatus.FAILED}
        assert failed == {}


@pytest.mark.parametrize(
    ("name", "action", "after"),
    [
        ("paid_but_frozen", "unfreeze", {"is_frozen": False, "frozen_reason": None}),
        ("webhook_missed", "copy_from_stripe", {"subscription_tier": "starter", "subscription_status": "active"}),
        ("tier_differs", "copy_from_stripe", {"subscription_tier": "growth", "subscription_status": "active"}),
        (
            "canceled_in_stripe",
            "close_account",
            {"is_frozen": True, "frozen_reason": "subscription canceled", "subscription_tier": "free"},
        ),
        ("credit_missed", "add_credits", {"credit_balance": Decimal("520.00")}),
        ("overcharged", "refund_overcharge", {"credit_balance": Decimal("12.00")}),
    ],
)
async def test_fix_changes_the_business_and_is_verified(
    sample: SampleSystem, name: str, action: str, after: dict[str, Any]
) -> None:
    """The proposed fix is previewed exactly, changes what it says, and its verification holds afterwards."""
    async with fault(sample, name) as (stage, planted):
        proposed = [
            key for finding in stage.runbook.findings if finding.key in stage.findings() for key in finding.propose
        ]
        assert action in proposed
        preview = await stage.preview(action)
        assert preview.exact
        assert preview.counts["businesses"] == 1
        assert isinstance(await stage.act(action), Done)
        assert await stage.verified(action)
        found = await row(sample, "SELECT * FROM businesses WHERE id = $1", planted.business_id)
        assert {key: found[key] for key in after} == after


async def test_credits_are_added_once_whoever_is_second(sample: SampleSystem) -> None:
    """Credits of a payment are added once: doing it again, or the webhook arriving after all, adds nothing."""
    async with fault(sample, "credit_missed") as (stage, planted):
        assert isinstance(await stage.act("add_credits"), Done)
        with pytest.raises(Refusal):
            await stage.act("add_credits", run="another run")
        await stage.diagnose()
        assert "credits_missing" not in stage.findings()
        audit = await row(sample, "SELECT * FROM audit_logs WHERE business_id = $1", planted.business_id)
        assert audit["performed_by"] == "U0TEST"
        assert planted.ids["payment_intent"] in audit["details"]
        assert isinstance(await stage.act("take_back_credits"), Done)
        await stage.diagnose()
        with pytest.raises(Refusal):
            await stage.act("take_back_credits", run="another run")
        found = await row(sample, "SELECT credit_balance FROM businesses WHERE id = $1", planted.business_id)
        assert found["credit_balance"] == Decimal("20.00")


async def test_refund_is_capped_and_exact(sample: SampleSystem) -> None:
    """A refund above the limit is not proposed, and one that is no longer the exact difference is not made."""
    async with fault(sample, "overcharged", refund_limit=Decimal(5)) as (stage, _):
        assert list(stage.findings()) == ["overcharge_above_limit"]
        with pytest.raises(Refusal, match="Nothing would change"):
            await stage.preview("refund_overcharge")
    async with fault(sample, "overcharged") as (stage, planted):
        connection = await sample.alacarte.connect()
        await connection.execute(
            "DELETE FROM credit_deductions WHERE id = (SELECT min(id) FROM credit_deductions WHERE business_id = $1)",
            planted.business_id,
        )
        await connection.close()
        with pytest.raises(Refusal, match="Nothing would change"):
            await stage.preview("refund_overcharge")


async def test_freeze_for_another_reason_is_never_lifted(sample: SampleSystem) -> None:
    """Between diagnosis and action the reason of a freeze changes: the statement refuses by itself."""
    async with fault(sample, "paid_but_frozen") as (stage, planted):
        connection = await sample.alacarte.connect()
        await connection.execute("UPDATE businesses SET frozen_reason = 'incident' WHERE id = $1", planted.business_id)
        await connection.close()
        with pytest.raises(Refusal):
            await stage.preview("unfreeze")


async def test_period_end_in_the_past_is_not_copied(sample: SampleSystem) -> None:
    """A subscription that Stripe calls active with a period long over is reported and not copied."""
    async with fault(sample, "webhook_missed") as (stage, planted):
        subscription = sample.stripe.objects.get(planted.ids["subscription"])
        subscription["items"]["data"][0]["current_period_end"] -= 40 * 86_400
        await stage.diagnose()
        assert list(stage.findings()) == ["period_past"]
        with pytest.raises(Refusal, match="Expected 1 row"):
            await stage.preview("copy_from_stripe")


@pytest.mark.parametrize(
    ("status", "finding"), [("past_due", "payment_due"), ("trialing", "other_status"), ("paused", "other_status")]
)
async def test_status_that_is_not_active_is_never_copied(sample: SampleSystem, status: str, finding: str) -> None:
    """A subscription that is not active at Stripe is said to be so, and nothing is proposed."""
    async with fault(sample, "in_step") as (stage, planted):
        sample.stripe.objects.get(planted.ids["subscription"])["status"] = status
        await stage.diagnose()
        assert list(stage.findings()) == [finding]


async def test_closing_an_account_leaves_both_sides_in_step(sample: SampleSystem) -> None:
    """After an ended subscription was taken over, the runbook says that both sides agree."""
    async with fault(sample, "canceled_in_stripe") as (stage, _):
        assert isinstance(await stage.act("close_account"), Done)
        await stage.diagnose()
        assert list(stage.findings()) == ["ended_on_both_sides"]


async def test_check_subscription_uses_a_service_token(sample: SampleSystem) -> None:
    """The function is called with the service's own token, copies what Stripe says, and is verified."""
    async with fault(sample, "tier_differs") as (stage, planted):
        assert not (await stage.preview("check_subscription")).exact
        assert isinstance(await stage.act("check_subscription"), Done)
        found = await row(sample, "SELECT subscription_tier FROM businesses WHERE id = $1", planted.business_id)
        assert found["subscription_tier"] == "growth"
        assert await stage.verified("check_subscription")


@pytest.mark.parametrize(
    ("name", "action", "word"),
    [
        ("payment_failed", "ask_to_pay", "http"),
        ("paid_but_frozen", "tell_unfrozen", "active again"),
        ("canceled_in_stripe", "tell_cancelled", "has ended"),
    ],
)
async def test_customer_is_written_to(sample: SampleSystem, name: str, action: str, word: str) -> None:
    """A message to a customer goes to the address of the business, with what it is about, after a confirmation."""
    async with fault(sample, name) as (stage, planted):
        assert stage.runbook.actions[action].policy.confirm
        assert isinstance(await stage.act(action), Done)
        (mail,) = await sample.mail.received(1)
        assert planted.customer is not None
        assert mail.recipients == (planted.customer.contact_email,)
        assert word in f"{mail.subject} {mail.text}"
        assert planted.customer.name in mail.text


async def test_after_asking_to_pay_the_release_is_awaited(sample: SampleSystem) -> None:
    """After the customer was asked, the run waits until the webhook has released the account."""
    async with fault(sample, "payment_failed") as (stage, _):
        outcome = await stage.act("wait_for_payment")
        assert isinstance(outcome, AwaitCondition)
        assert outcome.until == "not account.row.is_frozen"


@pytest.mark.parametrize("name", ["long_query", "idle_in_transaction"])
async def test_chosen_session_is_ended_and_no_other(sample: SampleSystem, name: str) -> None:
    """The session a person chose is shown, ended and gone; a stranger's pid is refused."""
    async with fault(sample, name, longer_than=0) as (stage, planted):
        shown = {"long_query": "long_session", "idle_in_transaction": "idle_in_transaction"}[name]
        assert shown in stage.findings()
        options = [option["value"] for option in stage.questions["which_session"].options]
        assert options == [str(planted.pid)]
        stage.answer("which_session", choice=str(planted.pid))
        await stage.diagnose()
        assert next(iter(stage.findings())) == "session_chosen"
        assert (await stage.preview("end_session")).counts == {"sessions": 1}
        assert isinstance(await stage.act("end_session"), Done)
        assert await stage.verified("end_session")
        assert not isinstance(await _again(stage), Done)


async def _again(stage: Stage) -> object:
    try:
        return await stage.act("end_session", run="again")
    except Refusal as refused:
        return Failed(str(refused))


async def test_missing_index_is_built_and_a_failed_one_removed(sample: SampleSystem) -> None:
    """The index on messages is found missing, built without a transaction, and found valid afterwards."""
    async with fault(sample, "missing_index") as (stage, _):
        assert list(stage.findings()) == ["messages_without_index"]
        assert isinstance(await stage.act("create_index"), Done)
        assert await stage.verified("create_index")
        assert list(stage.findings()) == ["index_is_there"]
        connection = await sample.alacarte.connect()
        await connection.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_messages_conversation_created'::regclass"
        )
        await connection.close()
        await stage.diagnose()
        assert "index_invalid" in stage.findings()
        assert isinstance(await stage.act("drop_invalid_index"), Done)
        assert await stage.verified("drop_invalid_index")


async def test_cpu_is_read_by_a_person(sample: SampleSystem) -> None:
    """Above 80 % limits and a larger instance are proposed to a person, below it is said to be normal."""
    async with fault(sample, "quiet") as (stage, _):
        assert list(stage.findings()) == ["quiet"]
        stage.answer("cpu", percent="93", since="02:10")
        await stage.diagnose()
        assert list(stage.findings()) == ["too_small", "quiet"]
        assert not (await stage.preview("bigger_instance")).exact
        stage.answer("cpu", percent="35")
        await stage.diagnose()
        assert list(stage.findings()) == ["cpu_normal", "quiet"]


def test_source_decisions_are_up_to_date() -> None:
    """The page is what the notes say; `python -m bot.authoring.decisions docs/source-decisions.md` writes it."""
    page = RUNBOOKS.parent / "docs" / "source-decisions.md"
    assert page.read_text(encoding="utf-8") == decisions(catalogue_at(RUNBOOKS))
