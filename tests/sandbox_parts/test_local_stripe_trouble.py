"""The local Stripe's idempotency keys, webhooks and faults, seen through the official SDK."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import stripe as stripe_sdk

from bot.sandbox.services import LocalServices, Switch
from bot.sandbox.stripe import Fault, FaultKind, LocalStripe


@pytest.fixture
async def services() -> AsyncIterator[LocalServices]:
    """Somewhere for webhooks to arrive."""
    async with LocalServices() as running:
        yield running


async def test_a_key_replays_the_first_answer(sdk: stripe_sdk.StripeClient, stripe: LocalStripe) -> None:
    """The same key and parameters refund once and answer the same; other parameters with that key are refused."""
    payment = stripe.objects.payment(stripe.objects.customer()["id"], 5000)
    asked: Any = {"payment_intent": payment["id"], "amount": 2000}
    first = await sdk.v1.refunds.create_async(asked, {"idempotency_key": "run-1"})
    second = await sdk.v1.refunds.create_async(asked, {"idempotency_key": "run-1"})
    assert first.id == second.id
    assert len(list(stripe.objects.of("refund"))) == 1
    assert [line.replayed for line in stripe.journal] == [False, True]
    with pytest.raises(stripe_sdk.IdempotencyError, match="same parameters"):
        await sdk.v1.refunds.create_async(
            {"payment_intent": payment["id"], "amount": 1000}, {"idempotency_key": "run-1"}
        )


async def test_a_key_replays_a_refusal_but_not_a_typing_error(
    sdk: stripe_sdk.StripeClient, stripe: LocalStripe
) -> None:
    """A refusal by the work is kept under its key; a request that failed validation leaves the key unused."""
    payment = stripe.objects.payment(stripe.objects.customer()["id"], 5000)
    for _ in range(2):
        with pytest.raises(stripe_sdk.InvalidRequestError, match="greater than"):
            await sdk.v1.refunds.create_async(
                {"payment_intent": payment["id"], "amount": 9000}, {"idempotency_key": "over"}
            )
    assert [line.replayed for line in stripe.journal] == [False, True]
    wrong: Any = {"payment_intent": payment["id"], "reason": "because"}
    with pytest.raises(stripe_sdk.InvalidRequestError, match="Invalid reason"):
        await sdk.v1.refunds.create_async(wrong, {"idempotency_key": "typo"})
    made = await sdk.v1.refunds.create_async({"payment_intent": payment["id"]}, {"idempotency_key": "typo"})
    assert made.amount == 5000


async def test_a_key_in_use_is_a_conflict(sdk: stripe_sdk.StripeClient, stripe: LocalStripe) -> None:
    """While the first request with a key is under way, a second one is refused and does nothing."""
    stripe.faults.add(Fault(FaultKind.SLOW, seconds=30))
    slow = asyncio.create_task(sdk.v1.customers.create_async({"email": "a@b.test"}, {"idempotency_key": "k"}))
    await asyncio.wait_for(stripe.faults.taken.wait(), 5)
    with pytest.raises(stripe_sdk.StripeError, match="another in-progress request") as conflict:
        await sdk.v1.customers.create_async({"email": "a@b.test"}, {"idempotency_key": "k"})
    assert conflict.value.http_status == 409
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)


async def test_a_lost_answer_can_be_asked_for_again(
    stripe: LocalStripe, sdk_with: Callable[..., stripe_sdk.StripeClient]
) -> None:
    """When the connection drops after the work, the SDK's own retry with the same key finds the one refund made."""
    payment = stripe.objects.payment(stripe.objects.customer()["id"], 5000)
    stripe.faults.add(Fault(FaultKind.DROP_AFTER, method="POST", path="/v1/refunds"))
    made = await sdk_with(retries=1).v1.refunds.create_async({"payment_intent": payment["id"]})
    assert [row["id"] for row in stripe.objects.of("refund")] == [made.id]
    assert [(line.status, line.replayed) for line in stripe.journal] == [(None, False), (200, True)]


@pytest.mark.parametrize(("kind", "done"), [(FaultKind.DROP_BEFORE, 0), (FaultKind.DROP_AFTER, 1)])
async def test_a_dropped_connection(
    kind: FaultKind, done: int, sdk: stripe_sdk.StripeClient, stripe: LocalStripe
) -> None:
    """The client sees the same connection error whether the work was done or not; only the account knows."""
    stripe.faults.add(Fault(kind))
    with pytest.raises(stripe_sdk.APIConnectionError):
        await sdk.v1.customers.create_async({"email": "a@b.test"})
    assert len(list(stripe.objects.of("customer"))) == done


@pytest.mark.parametrize(("kind", "done"), [(FaultKind.SILENT_BEFORE, 0), (FaultKind.SILENT_AFTER, 1)])
async def test_silence_is_a_timeout(
    kind: FaultKind, done: int, stripe: LocalStripe, sdk_with: Callable[..., stripe_sdk.StripeClient]
) -> None:
    """A server that never answers makes the client time out, with the work done or not done."""
    impatient = sdk_with(seconds=0.2)
    stripe.faults.add(Fault(kind))
    with pytest.raises(stripe_sdk.APIConnectionError):
        await impatient.v1.customers.create_async({"email": "a@b.test"})
    assert len(list(stripe.objects.of("customer"))) == done


async def test_injected_statuses(sdk: stripe_sdk.StripeClient, stripe: LocalStripe) -> None:
    """A rate limit and a server error come as often as asked, as the SDK's own errors, and then all is well."""
    stripe.faults.add(Fault(FaultKind.STATUS, times=2, path="/v1/customers", status=429))
    stripe.faults.add(Fault(FaultKind.STATUS, path="/v1/customers", status=500))
    assert (await sdk.v1.balance.retrieve_async()).object == "balance"
    for _ in range(2):
        with pytest.raises(stripe_sdk.RateLimitError):
            await sdk.v1.customers.list_async()
    with pytest.raises(stripe_sdk.APIError):
        await sdk.v1.customers.list_async()
    assert (await sdk.v1.customers.list_async()).data == []


async def test_webhooks_are_signed(sdk: stripe_sdk.StripeClient, stripe: LocalStripe, services: LocalServices) -> None:
    """A change reaches the endpoints that want it, and the SDK's own check accepts the signature and no other."""
    endpoint = await sdk.v1.webhook_endpoints.create_async(
        {"url": f"{services.url}/hooks/stripe", "enabled_events": ["customer.created"]}
    )
    assert endpoint.secret is not None
    made = await sdk.v1.customers.create_async({"email": "a@b.test"})
    await sdk.v1.customers.update_async(made.id, {"name": "not wanted"})
    await stripe.webhooks.settled()
    [hook] = services.hooks
    header = hook.headers["stripe-signature"]
    event = stripe_sdk.Webhook.construct_event(hook.body, header, endpoint.secret)
    assert (event.type, event.data.object["id"]) == ("customer.created", made.id)
    with pytest.raises(stripe_sdk.SignatureVerificationError):
        stripe_sdk.Webhook.construct_event(hook.body, header, "whsec_other")
    shown = await sdk.v1.webhook_endpoints.retrieve_async(endpoint.id)
    assert "secret" not in shown.to_dict()


async def test_deliveries_stay_on_loopback(
    sdk: stripe_sdk.StripeClient, stripe: LocalStripe, services: LocalServices
) -> None:
    """A real address is reached only by its detour; without one nobody is asked."""
    stripe.objects.webhook_endpoint("https://app.example.test/functions/stripe", ["*"])
    await sdk.v1.customers.create_async({"email": "far@b.test"})
    await stripe.webhooks.settled()
    stripe.webhooks.detours["https://app.example.test/functions"] = f"{services.url}/hooks"
    await sdk.v1.customers.create_async({"email": "near@b.test"})
    await stripe.webhooks.settled()
    assert [(done.status, done.error) for done in stripe.webhooks.deliveries] == [
        (None, "nobody listens there"),
        (200, ""),
    ]
    assert [hook.name for hook in services.hooks] == ["stripe"]


async def test_failed_deliveries_are_found_and_delivered_again(
    sdk: stripe_sdk.StripeClient, stripe: LocalStripe, services: LocalServices
) -> None:
    """Lost and refused deliveries are listed as not delivered; delivered again, freshly signed, they no longer are."""
    endpoint = stripe.objects.webhook_endpoint(f"{services.url}/hooks/stripe", ["*"])
    stripe.webhooks.lose(1)
    services.switches["/hooks/stripe"] = Switch(500, times=1)
    await sdk.v1.customers.create_async({"email": "lost@b.test"})
    await stripe.webhooks.settled()
    await sdk.v1.customers.create_async({"email": "refused@b.test"})
    await stripe.webhooks.settled()
    assert [(done.status, done.succeeded) for done in stripe.webhooks.deliveries] == [(None, False), (500, False)]
    failed = await sdk.v1.events.list_async({"types": ["customer.created"], "delivery_success": False})
    assert len(failed.data) == 2
    for event in failed.data:
        [again] = await stripe.webhooks.deliver(event.id)
        assert again.status == 200
    assert (await sdk.v1.events.list_async({"delivery_success": False})).data == []
    secret = stripe.objects.webhook_secrets[endpoint["id"]]
    for hook in services.hooks:
        stripe_sdk.Webhook.construct_event(hook.body, hook.headers["stripe-signature"], secret)
    assert len(services.hooks) == 2


async def test_events_by_type(sdk: stripe_sdk.StripeClient, stripe: LocalStripe) -> None:
    """Events are listed by exact type, by a type with a star and by several types, and say what changed."""
    made = await sdk.v1.customers.create_async({"email": "a@b.test"})
    await sdk.v1.customers.update_async(made.id, {"name": "New"})
    payment = stripe.objects.payment(made.id, 5000)
    await sdk.v1.refunds.create_async({"payment_intent": payment["id"]})
    kinds = [event.type async for event in (await sdk.v1.events.list_async()).auto_paging_iter()]
    assert kinds == ["charge.refunded", "refund.created", "customer.updated", "customer.created"]
    starred = await sdk.v1.events.list_async({"type": "customer.*"})
    assert [event.type for event in starred.data] == ["customer.updated", "customer.created"]
    before: Any = starred.data[0].data.previous_attributes
    assert before.to_dict() == {"name": None}
    several = await sdk.v1.events.list_async({"types": ["refund.created", "customer.created"]})
    assert [event.type for event in several.data] == ["refund.created", "customer.created"]
