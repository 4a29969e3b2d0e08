"""The stripe kind against a local Stripe through the official SDK."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.facts import Fact, FactStatus, to_json
from bot.domain.runbook import Section
from bot.errors import Refusal
from bot.sandbox.stripe import Fault, FaultKind, LocalStripe
from bot.steps.base import Done, Failed, InDoubt, Outcome, StepContext
from bot.steps.stripe import Stripe
from bot.steps.stripe_objects import money, plain
from bot.steps.stripe_spec import StripeSpec
from tests.steps.conftest import KEY, SYSTEM, MakeContext

pytestmark = pytest.mark.runbooks
STRIPE = Stripe()


@pytest.fixture
def account(make_context: MakeContext, stripe: LocalStripe) -> StepContext:
    """A context whose Stripe is the local one."""
    return make_context({"SHOP_STRIPE": stripe.url, "SHOP_STRIPE_KEY": stripe.key})


@pytest.fixture
def customer(stripe: LocalStripe) -> str:
    """A customer with an active and a canceled subscription, invoices and payments."""
    made = stripe.objects
    owner: str = made.customer(id="cus_one", email="one@shop.test", name="One")["id"]
    price = made.price(made.product("Plan")["id"], 2900, lookup_key="starter", metadata={"tier": "starter"})["id"]
    made.subscription(owner, price, id="sub_old", status="canceled", created=made.now() - 9000)
    made.subscription(owner, price, id="sub_new", period_end=1800000000)
    made.invoice(owner, 2900, id="in_paid")
    made.invoice(owner, 1250, status="open", id="in_open")
    made.payment(owner, 1250, id="pi_one", currency="eur")
    return owner


async def look(context: StepContext, **fields: Any) -> Fact:
    """Run one check."""
    fact = await STRIPE.look(StripeSpec(**fields), context)
    assert isinstance(fact, Fact)
    to_json(fact.value)
    return fact


async def act(context: StepContext, **fields: Any) -> Outcome:
    """Preview and act."""
    spec = StripeSpec(**fields)
    return await STRIPE.act(spec, await STRIPE.preview(spec, context), KEY, context)


async def test_subscriptions(account: StepContext, customer: str) -> None:
    """The active one with its plan and the end of its period, the canceled one, the newest."""
    fact = await look(account, list="subscriptions", customer=customer, status="all")
    assert fact.error == ""
    assert fact.summary == "2 subscriptions"
    assert fact.value["active"]["id"] == "sub_new"
    assert fact.value["active"]["plan"] == "starter"
    assert fact.value["active"]["period_end"] == datetime.fromtimestamp(1800000000, UTC)
    assert fact.value["active"]["price_text"] == "29.00 USD"
    assert fact.value["canceled"]["id"] == "sub_old"
    assert fact.value["latest"]["id"] == "sub_new"
    assert fact.value["more"] is False


async def test_invoices_payments_and_nothing(account: StepContext, customer: str) -> None:
    """Picks by status; where there is nothing, null."""
    invoices = await look(account, list="invoices", customer=customer)
    assert invoices.value["paid"]["id"] == "in_paid"
    assert invoices.value["open"]["amount_due_text"] == "12.50 USD"
    payments = await look(account, list="payment_intents", customer=customer)
    assert payments.value["succeeded"]["amount_text"] == "12.50 EUR"
    assert "client_secret" not in payments.value["latest"]
    none = await look(account, list="subscriptions", customer=customer, status="trialing")
    assert (none.value["count"], none.value["latest"], none.value["active"]) == (0, None, None)


async def test_retrieve(account: StepContext, customer: str) -> None:
    """One object with times that are times."""
    fact = await look(account, retrieve="customers", id=customer)
    assert fact.value["object"]["email"] == "one@shop.test"
    assert isinstance(fact.value["object"]["created"], datetime)


@pytest.mark.parametrize("empty", ["", "None", "  "])
async def test_an_empty_customer_never_means_everybody(account: StepContext, customer: str, empty: str) -> None:
    """A filter whose value is missing is a failed check, not a list of all customers' objects."""
    fact = await look(account, list="subscriptions", customer=empty)
    assert fact.error == "There is no customer to look for: it is empty."


async def test_what_stripe_refuses(account: StepContext, stripe: LocalStripe, customer: str) -> None:
    """Stripe's own sentence, without its request number."""
    fact = await look(account, retrieve="customers", id="cus_gone")
    assert fact.status is FactStatus.FAILED
    assert "No such customer: 'cus_gone'" in fact.error
    assert "req_" not in fact.error
    fact = await look(account, retrieve="customers", id="../v1/charges")
    assert "is not the id" in fact.error


async def test_a_wrong_key(make_context: MakeContext, stripe: LocalStripe) -> None:
    """401 names the variable and not the key."""
    context = make_context({"SHOP_STRIPE": stripe.url, "SHOP_STRIPE_KEY": "sk_test_wrong12345"})
    fact = await look(context, list="customers")
    assert fact.error == "Stripe refused the key in SHOP_STRIPE_KEY: put it right there."


async def test_a_key_that_may_only_read(make_context: MakeContext, stripe: LocalStripe, customer: str) -> None:
    """403 keeps Stripe's reason."""
    context = make_context({"SHOP_STRIPE": stripe.url, "SHOP_STRIPE_KEY": stripe.read_only_key})
    outcome = await act(context, refund="payment_intents", id="pi_one")
    assert isinstance(outcome, Failed)
    assert "may not do that" in outcome.reason


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(FaultKind.STATUS, status=429), "Stripe takes no more requests for the moment (429)"),
        (Fault(FaultKind.STATUS, status=500), "Stripe has an error of its own (500)."),
        (Fault(FaultKind.DROP_BEFORE, times=None), "Stripe cannot be reached"),
        (Fault(FaultKind.SILENT_BEFORE), "Stripe did not answer within 0.3 s."),
    ],
)
async def test_stripe_is_unwell(account: StepContext, stripe: LocalStripe, fault: Fault, said: str) -> None:
    """Rate limits, errors, silence and dropped lines are failed facts."""
    stripe.faults.add(fault)
    context = replace(account, timeout=account.timeout * 0.06)
    fact = await look(context, list="customers")
    assert fact.status is FactStatus.FAILED
    assert said in fact.error


async def test_stripe_is_down(make_context: MakeContext) -> None:
    """Nobody listens: a failed fact without the address."""
    fact = await look(make_context(), list="customers")
    assert fact.error == "Stripe cannot be reached: the connection failed."


async def test_a_refund_is_shown_and_done_once(account: StepContext, stripe: LocalStripe, customer: str) -> None:
    """The charge and the amount before the vote; the same key refunds once."""
    spec = StripeSpec(refund="payment_intents", id="pi_one", amount=500, reason="requested_by_customer")
    preview = await STRIPE.preview(spec, account)
    assert preview.headline == "5.00 EUR is refunded"
    assert "Refunded before: 0.00 EUR; left: 12.50 EUR." in preview.lines
    assert not preview.reversible
    assert not list(stripe.objects.of("refund"))
    assert isinstance(await STRIPE.act(spec, preview, KEY, account), Done)
    settled = await STRIPE.settle(spec, KEY, account)
    assert isinstance(settled, Done)
    assert [refund["amount"] for refund in stripe.objects.of("refund")] == [500]
    again = await STRIPE.act(spec, preview, KEY, account)
    assert isinstance(again, Failed)
    assert again.drift


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": 2000}, "12.50 EUR is left"),
        ({"amount": 1.5}, "whole number"),
        ({"amount": -5}, "whole number"),
        ({"amount": "many"}, "whole number"),
        ({"id": "pi_gone"}, "No such payment_intent"),
        ({"id": ""}, "There is no id"),
    ],
)
async def test_refunds_that_cannot_be(
    account: StepContext, stripe: LocalStripe, customer: str, fields: dict[str, Any], said: str
) -> None:
    """More than is left, half a cent, a payment that is not there: refused before anybody votes."""
    with pytest.raises(Refusal) as caught:
        await STRIPE.preview(StripeSpec(**{"refund": "payment_intents", "id": "pi_one", **fields}), account)
    assert said in str(caught.value)


@pytest.mark.parametrize("kind", [FaultKind.DROP_AFTER, FaultKind.DROP_BEFORE])
async def test_a_lost_answer_is_asked_for_again(
    account: StepContext, stripe: LocalStripe, customer: str, kind: FaultKind
) -> None:
    """A line that breaks during the refund is repeated with the same key: one refund, and it is known (2)."""
    spec = StripeSpec(refund="payment_intents", id="pi_one", amount=500)
    preview = await STRIPE.preview(spec, account)
    stripe.faults.add(Fault(kind, method="POST"))
    assert isinstance(await STRIPE.act(spec, preview, KEY, account), Done)
    assert len(list(stripe.objects.of("refund"))) == 1


async def test_a_silent_refund_is_in_doubt_until_settled(
    account: StepContext, stripe: LocalStripe, customer: str
) -> None:
    """Silence after the work is in doubt; settling asks with the same key and finds the one refund."""
    spec = StripeSpec(refund="payment_intents", id="pi_one", amount=500)
    preview = await STRIPE.preview(spec, account)
    stripe.faults.add(Fault(FaultKind.SILENT_AFTER, method="POST"))
    outcome = await STRIPE.act(spec, preview, KEY, replace(account, timeout=account.timeout * 0.1))
    assert isinstance(outcome, InDoubt)
    assert isinstance(await STRIPE.settle(spec, KEY, account), Done)
    assert len(list(stripe.objects.of("refund"))) == 1


async def test_cancelling_a_subscription(account: StepContext, stripe: LocalStripe, customer: str) -> None:
    """At the end of the period it can be taken back; now it cannot."""
    spec = StripeSpec(cancel="subscriptions", id="sub_new", at_period_end=True)
    preview = await STRIPE.preview(spec, account)
    assert preview.reversible
    outcome = await STRIPE.act(spec, preview, KEY, account)
    assert isinstance(outcome, Done)
    assert stripe.objects.get("sub_new")["cancel_at_period_end"] is True
    back = StripeSpec.model_validate(dict(STRIPE.inverse(spec, outcome.receipt) or {}))
    assert isinstance(
        await STRIPE.act(back, await STRIPE.preview(back, account), replace(KEY, action="undo"), account), Done
    )
    assert stripe.objects.get("sub_new")["cancel_at_period_end"] is False
    outcome = await act(account, cancel="subscriptions", id="sub_new")
    assert isinstance(outcome, Done), outcome
    assert stripe.objects.get("sub_new")["status"] == "canceled"
    with pytest.raises(Refusal, match="is canceled already"):
        await act(account, cancel="subscriptions", id="sub_old")


@pytest.mark.parametrize("times", [1, None])
async def test_a_cancellation_whose_answer_is_lost(
    account: StepContext, stripe: LocalStripe, customer: str, times: int | None
) -> None:
    """Stripe has no keys for deletions: the subscription itself tells that it happened (2)."""
    spec = StripeSpec(cancel="subscriptions", id="sub_new")
    preview = await STRIPE.preview(spec, account)
    stripe.faults.add(Fault(FaultKind.DROP_AFTER, method="DELETE", times=times))
    assert isinstance(await STRIPE.act(spec, preview, KEY, account), Done)
    assert isinstance(await STRIPE.settle(spec, KEY, account), Done)
    stripe.objects.get("sub_new")["status"] = "active"
    stripe.faults.clear()
    stripe.faults.add(Fault(FaultKind.DROP_BEFORE, method="DELETE", times=None))
    assert isinstance(await STRIPE.act(spec, preview, KEY, account), InDoubt)


async def test_updating_an_object(account: StepContext, stripe: LocalStripe, customer: str) -> None:
    """Before and after of each field; undone by setting them back; a change in between voids it."""
    spec = StripeSpec(update="customers", id=customer, params={"name": "New"}, metadata={"note": "by run 1"})
    preview = await STRIPE.preview(spec, account)
    (change,) = preview.changes
    assert change.before == {"metadata": {"note": None}, "name": "One"}
    assert change.after == {"metadata": {"note": "by run 1"}, "name": "New"}
    outcome = await STRIPE.act(spec, preview, KEY, account)
    assert isinstance(outcome, Done)
    assert stripe.objects.get(customer)["name"] == "New"
    back = StripeSpec.model_validate(dict(STRIPE.inverse(spec, outcome.receipt) or {}))
    undo_preview = await STRIPE.preview(back, account)
    stripe.objects.get(customer)["name"] = "Other"
    drifted = await STRIPE.act(back, undo_preview, replace(KEY, action="undo"), account)
    assert isinstance(drifted, Failed)
    assert drifted.drift
    stripe.objects.get(customer)["name"] = "New"
    assert isinstance(await STRIPE.act(back, undo_preview, replace(KEY, action="undo"), account), Done)
    assert stripe.objects.get(customer)["name"] == "One"


async def test_deleting_a_customer_says_what_goes_along(account: StepContext, customer: str) -> None:
    """Its live subscriptions are counted; afterwards the look says deleted."""
    spec = StripeSpec(delete="customers", id=customer)
    preview = await STRIPE.preview(spec, account)
    assert "1 now" in preview.lines[1]
    assert isinstance(await STRIPE.act(spec, preview, KEY, account), Done)
    assert (await look(account, retrieve="customers", id=customer)).summary == "deleted"


async def test_giving_up_in_time(account: StepContext, stripe: LocalStripe) -> None:
    """A look that is cancelled ends at once."""
    stripe.faults.add(Fault(FaultKind.SILENT_BEFORE))
    running = asyncio.create_task(look(account, list="customers"))
    await asyncio.wait({running}, timeout=0.2)
    assert not running.done()
    running.cancel()
    async with asyncio.timeout(2):
        with pytest.raises(asyncio.CancelledError):
            await running


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(1250, "eur", "12.50 EUR"), (5, "usd", "0.05 USD"), (1250, "jpy", "1,250 JPY"), (1250, "kwd", "1.250 KWD")],
)
def test_money(amount: int, currency: str, text: str) -> None:
    """Currencies differ in their decimals."""
    assert money(amount, currency) == text


def test_plain_objects_lose_their_secrets_and_items() -> None:
    """Secrets are left out, and what a template could not reach has another name."""
    made = plain({"object": "x", "secret": "s", "items": {"object": "list", "data": [{"a": 1}]}, "created": 0})
    assert made == {"object": "x", "lines": [{"a": 1}], "created": 0}


def test_lint() -> None:
    """Sections, ids and families are checked without running anything."""

    def fields(section: Section, **spec: Any) -> list[str]:
        return [each.field for each in STRIPE.lint(StripeSpec(**spec), section, SYSTEM)]

    assert fields(Section.CHECKS, list="subscriptions", customer="c") == []
    assert fields(Section.CHECKS, refund="charges", id="ch_1") == ["refund"]
    assert fields(Section.ACTIONS, list="charges") == ["list"]
    assert fields(Section.ACTIONS, cancel="subscriptions") == ["id"]
    for wrong in ({}, {"list": "a", "retrieve": "b"}, {"list": "wishes"}, {"delete": "invoices"}):
        with pytest.raises(ValueError, match=r"say exactly one|no family|can be used with"):
            StripeSpec(**wrong)
