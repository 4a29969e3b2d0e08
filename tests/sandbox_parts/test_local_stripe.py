"""The local Stripe answers the official SDK as Stripe does: each family of objects, its errors, its lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
import stripe as stripe_sdk

from bot.sandbox.stripe import LocalStripe


@pytest.fixture
def price(stripe: LocalStripe) -> str:
    """A monthly price of 29 dollars."""
    product = stripe.objects.product("Starter", id="prod_starter")
    return str(stripe.objects.price(product["id"], 2900, id="price_starter", lookup_key="starter")["id"])


async def test_a_customers_life(sdk: stripe_sdk.StripeClient) -> None:
    """A customer is made, found by e-mail, changed; deleted, it leaves the lists and answers as a tombstone."""
    made = await sdk.v1.customers.create_async(
        {"email": "a@b.test", "name": "A & B", "metadata": {"k": "1", "gone": "x"}}
    )
    found = await sdk.v1.customers.list_async({"email": "a@b.test"})
    assert [row.id for row in found.data] == [made.id]
    changed = await sdk.v1.customers.update_async(made.id, {"name": "C", "metadata": {"gone": ""}})
    assert (changed.name, changed.metadata.to_dict() if changed.metadata else None) == ("C", {"k": "1"})
    await sdk.v1.customers.delete_async(made.id)
    tombstone = await sdk.v1.customers.retrieve_async(made.id)
    assert tombstone.to_dict() == {"id": made.id, "object": "customer", "deleted": True}
    assert (await sdk.v1.customers.list_async({"email": "a@b.test"})).data == []
    with pytest.raises(stripe_sdk.InvalidRequestError, match="No such customer"):
        await sdk.v1.customers.update_async(made.id, {"name": "D"})


async def test_prices_and_products(sdk: stripe_sdk.StripeClient) -> None:
    """A price belongs to a product, is listed by it, and can be asked for together with it."""
    product = await sdk.v1.products.create_async({"name": "Growth"})
    made = await sdk.v1.prices.create_async(
        {"product": product.id, "unit_amount": 7900, "currency": "usd", "recurring": {"interval": "month"}}
    )
    listed = await sdk.v1.prices.list_async({"product": product.id, "active": True, "expand": ["data.product"]})
    assert [(row.id, row.type, row.product.name) for row in listed.data] == [(made.id, "recurring", "Growth")]  # type: ignore[union-attr]  # expanded


async def test_subscriptions_by_status(sdk: stripe_sdk.StripeClient, stripe: LocalStripe, price: str) -> None:
    """Cancelled subscriptions show only when asked for, the period is the item's, and cancelling twice finds none."""
    customer = stripe.objects.customer()["id"]
    made = await sdk.v1.subscriptions.create_async({"customer": customer, "items": [{"price": price}]})
    item = made["items"].data[0]
    assert item.current_period_end > item.current_period_start
    later = await sdk.v1.subscriptions.update_async(made.id, {"cancel_at_period_end": True})
    assert (later.status, later.cancel_at) == ("active", item.current_period_end)
    cancelled = await sdk.v1.subscriptions.cancel_async(made.id, {"cancellation_details": {"comment": "closing"}})
    assert (cancelled.status, cancelled.cancellation_details and cancelled.cancellation_details.comment) == (
        "canceled",
        "closing",
    )
    assert (await sdk.v1.subscriptions.list_async({"customer": customer})).data == []
    every = await sdk.v1.subscriptions.list_async({"customer": customer, "status": "all"})
    assert [row.id for row in every.data] == [made.id]
    with pytest.raises(stripe_sdk.InvalidRequestError) as again:
        await sdk.v1.subscriptions.cancel_async(made.id)
    assert (again.value.code, again.value.http_status) == ("resource_missing", 404)


async def test_paying_an_invoice_revives_its_subscription(
    sdk: stripe_sdk.StripeClient, stripe: LocalStripe, price: str
) -> None:
    """An open invoice is found by status, paid once, and the subscription that was behind becomes active."""
    customer = stripe.objects.customer()["id"]
    behind = stripe.objects.subscription(customer, price, status="past_due")
    due = stripe.objects.invoice(customer, 2900, status="open", subscription=behind["id"])
    stripe.objects.invoice(customer, 2900)
    found = await sdk.v1.invoices.list_async({"customer": customer, "status": "open", "subscription": behind["id"]})
    assert [row.id for row in found.data] == [due["id"]]
    paid = await sdk.v1.invoices.pay_async(due["id"])
    assert (paid.status, paid.amount_remaining) == ("paid", 0)
    assert (await sdk.v1.subscriptions.retrieve_async(behind["id"])).status == "active"
    with pytest.raises(stripe_sdk.InvalidRequestError, match="already paid"):
        await sdk.v1.invoices.pay_async(due["id"])


async def test_an_invoice_has_a_page_and_a_pdf(
    sdk: stripe_sdk.StripeClient, stripe: LocalStripe, session: aiohttp.ClientSession
) -> None:
    """A finalized invoice has a hosted page that escapes its data and a PDF; a draft has neither."""
    customer = stripe.objects.customer(name="<b>Bold</b> (Ltd)")["id"]
    draft = await sdk.v1.invoices.create_async({"customer": customer})
    assert draft.hosted_invoice_url is None
    final = await sdk.v1.invoices.finalize_invoice_async(draft.id)
    assert final.hosted_invoice_url is not None
    assert final.invoice_pdf is not None
    async with session.get(final.hosted_invoice_url) as page:
        assert "&lt;b&gt;Bold" in await page.text()
    async with session.get(final.invoice_pdf) as pdf:
        assert (await pdf.read()).startswith(b"%PDF-1.4")


async def test_payments_and_their_charges(sdk: stripe_sdk.StripeClient, stripe: LocalStripe) -> None:
    """A confirmed payment has a charge and metadata, a declined card is a CardError, a paid one can't be cancelled."""
    customer = stripe.objects.customer()["id"]
    bought = {"type": "credit_purchase", "credits": "500"}
    made = await sdk.v1.payment_intents.create_async(
        {"amount": 2500, "currency": "usd", "customer": customer, "confirm": True, "metadata": bought}
    )
    listed = await sdk.v1.payment_intents.list_async({"customer": customer, "expand": ["data.latest_charge"]})
    charge: Any = listed.data[0].latest_charge
    assert (charge.amount, charge.status, charge.payment_intent) == (2500, "succeeded", made.id)
    assert listed.data[0].metadata.to_dict() == bought
    with pytest.raises(stripe_sdk.CardError, match="declined"):
        await sdk.v1.payment_intents.create_async(
            {"amount": 1, "currency": "usd", "confirm": True, "payment_method": "pm_card_chargeDeclined"}
        )
    with pytest.raises(stripe_sdk.InvalidRequestError, match="status of succeeded"):
        await sdk.v1.payment_intents.cancel_async(made.id)


async def test_refunds_never_exceed_the_charge(sdk: stripe_sdk.StripeClient, stripe: LocalStripe) -> None:
    """A part is refunded, more than the rest is refused in Stripe's words, the rest goes, and then nothing is left."""
    payment = stripe.objects.payment(stripe.objects.customer()["id"], 5000)
    first = await sdk.v1.refunds.create_async({"payment_intent": payment["id"], "amount": 2000})
    assert (first.amount, first.charge) == (2000, payment["latest_charge"])
    with pytest.raises(stripe_sdk.InvalidRequestError) as over:
        await sdk.v1.refunds.create_async({"payment_intent": payment["id"], "amount": 3001})
    assert over.value.param == "amount"
    assert "($30.01) is greater than unrefunded amount on charge ($30.00)" in str(over.value)
    rest = await sdk.v1.refunds.create_async({"charge": payment["latest_charge"], "reason": "duplicate"})
    assert rest.amount == 3000
    with pytest.raises(stripe_sdk.InvalidRequestError) as empty:
        await sdk.v1.refunds.create_async({"charge": payment["latest_charge"]})
    assert empty.value.code == "charge_already_refunded"
    charge = await sdk.v1.charges.retrieve_async(payment["latest_charge"])
    assert (charge.refunded, charge.amount_refunded) == (True, 5000)
    listed = await sdk.v1.refunds.list_async({"payment_intent": payment["id"]})
    assert [row.id for row in listed.data] == [rest.id, first.id]


async def test_a_failed_charge_cannot_be_refunded(sdk: stripe_sdk.StripeClient, stripe: LocalStripe) -> None:
    """A declined payment brought no money, so none goes back."""
    declined = stripe.objects.payment(stripe.objects.customer()["id"], 5000, outcome="declined")
    with pytest.raises(stripe_sdk.InvalidRequestError, match="was not successful"):
        await sdk.v1.refunds.create_async({"payment_intent": declined["id"]})


async def test_lists_have_pages(sdk: stripe_sdk.StripeClient, stripe: LocalStripe) -> None:
    """A list comes newest first in pages, the SDK's iterator sees every object once, a strange cursor is refused."""
    made = [stripe.objects.customer(created=1000 + n)["id"] for n in range(25)]
    first = await sdk.v1.customers.list_async({"limit": 10})
    assert first.has_more
    assert [row.id for row in first.data] == made[:14:-1]
    assert [row.id async for row in first.auto_paging_iter()] == made[::-1]
    before = await sdk.v1.customers.list_async({"limit": 3, "ending_before": made[0]})
    assert [row.id for row in before.data] == [made[3], made[2], made[1]]
    window = await sdk.v1.customers.list_async({"created": {"gte": 1003, "lt": 1005}})
    assert [row.id for row in window.data] == [made[4], made[3]]
    with pytest.raises(stripe_sdk.InvalidRequestError) as strange:
        await sdk.v1.customers.list_async({"starting_after": "cus_unknown"})
    assert (strange.value.http_status, strange.value.param) == (400, "starting_after")
    with pytest.raises(stripe_sdk.InvalidRequestError):
        await sdk.v1.customers.list_async({"limit": 101})


async def test_errors_have_stripes_shape(sdk: stripe_sdk.StripeClient, stripe: LocalStripe) -> None:
    """Missing objects, unknown parameters and unknown addresses are refused with Stripe's codes and a request id."""
    with pytest.raises(stripe_sdk.InvalidRequestError) as missing:
        await sdk.v1.subscriptions.retrieve_async("sub_none")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    assert (missing.value.request_id or "").startswith("req_")
    typing_error: Any = {"custmer": "cus_1"}
    with pytest.raises(stripe_sdk.InvalidRequestError) as typo:
        await sdk.v1.invoices.list_async(typing_error)
    assert (typo.value.code, typo.value.param) == ("parameter_unknown", "custmer")
    with pytest.raises(stripe_sdk.InvalidRequestError, match="Unrecognized request URL"):
        await sdk.v1.payouts.list_async()
    stripe.objects.customer(email="x@y.test")
    with pytest.raises(stripe_sdk.InvalidRequestError, match="cannot be expanded"):
        await sdk.v1.customers.list_async(
            {"expand": ["data.email"]} if stripe.objects.customer(email="x@y.test") else {}
        )


async def test_keys_decide_what_may_be_done(
    stripe: LocalStripe, sdk_with: Callable[..., stripe_sdk.StripeClient]
) -> None:
    """A wrong key is a 401 that hides the key, and a restricted key reads but does not change."""
    with pytest.raises(stripe_sdk.AuthenticationError) as refused:
        await sdk_with(key="sk_live_somebody_elses").v1.balance.retrieve_async()
    assert "somebody" not in str(refused.value)
    restricted = sdk_with(key=stripe.read_only_key)
    assert (await restricted.v1.customers.list_async()).data == []
    with pytest.raises(stripe_sdk.PermissionError):
        await restricted.v1.customers.create_async({"email": "a@b.test"})
    assert list(stripe.objects.of("customer")) == []


async def test_account_and_balance(sdk: stripe_sdk.StripeClient, stripe: LocalStripe) -> None:
    """The account says whose the key is; the balance is what came in less what went back."""
    payment = stripe.objects.payment(stripe.objects.customer()["id"], 5000)
    await sdk.v1.refunds.create_async({"payment_intent": payment["id"], "amount": 1500})
    assert (await sdk.v1.balance.retrieve_async()).available[0].amount == 3500
    assert (await sdk.v1.accounts.retrieve_current_async()).charges_enabled


async def test_disputes_are_found_by_charge(sdk: stripe_sdk.StripeClient, stripe: LocalStripe) -> None:
    """A disputed charge says so, and its dispute is listed."""
    payment = stripe.objects.payment(stripe.objects.customer()["id"], 5000)
    made = stripe.objects.dispute(payment["latest_charge"])
    listed = await sdk.v1.disputes.list_async({"payment_intent": payment["id"]})
    assert [row.id for row in listed.data] == [made["id"]]
    assert (await sdk.v1.charges.retrieve_async(payment["latest_charge"])).disputed
