"""What goes wrong between Stripe and the platform's webhook (AI-05, AI-18): one function for each broken link."""

from __future__ import annotations

from bot.sandbox.aias import logs
from bot.sandbox.aias.accounts import IRIS
from bot.sandbox.aias.desk import PERIOD, PRICES, WEBHOOK, Desk, price_of
from bot.sandbox.aias.health import desk_of, settle
from bot.sandbox.aias.vendors import Vendors, Vercel, ago, deployment
from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.services import Asked, Reply

REFUSED = "No signatures found matching the expected signature for payload"
CROWD = 12


async def accounts_behind(ground: Ground) -> Planted:
    """Iris has paid, and the platform never heard of it; the chain itself is whole again."""
    await settle(ground)
    await _behind(ground)
    return Planted(IRIS.ids())


async def endpoint_disabled(ground: Ground) -> Planted:
    """Stripe switched the endpoint off after days of failures."""
    planted = await accounts_behind(ground)
    ground.stripe.objects.get(WEBHOOK)["status"] = "disabled"
    return planted


async def endpoint_missing(ground: Ground) -> Planted:
    """Somebody deleted the endpoint."""
    planted = await accounts_behind(ground)
    ground.stripe.objects.discard(WEBHOOK)
    return planted


async def endpoint_twice(ground: Ground) -> Planted:
    """Somebody made a second endpoint, with a signing secret of its own."""
    await settle(ground)
    if ground.stripe.objects.find("we_second") is None:
        url = f"{ground.services.url}/api/stripe/webhook"
        ground.stripe.objects.webhook_endpoint(url, ["invoice.*"], id="we_second")
    return Planted(IRIS.ids())


async def endpoint_elsewhere(ground: Ground) -> Planted:
    """The endpoint still has the address of an old preview deployment."""
    planted = await accounts_behind(ground)
    ground.stripe.objects.get(WEBHOOK)["url"] = f"{ground.services.url}/preview/stripe"
    return planted


async def endpoint_moved(ground: Ground) -> Planted:
    """The endpoint got the address of a preview deployment a moment ago; nobody has paid since."""
    await settle(ground)
    ground.stripe.objects.get(WEBHOOK)["url"] = f"{ground.services.url}/preview/stripe"
    return Planted(IRIS.ids())


async def endpoint_lost(ground: Ground) -> Planted:
    """The deployment of forty minutes ago has no such route any more."""
    await settle(ground)
    lately = deployment("dpl_42", "Routes by folder", ago(minutes=40))
    Vendors(Vercel([lately, *Vercel().deployments], "dpl_42"), webhook_status=404).serve(ground)
    return Planted(IRIS.ids())


async def platform_and_endpoint_down(ground: Ground) -> Planted:
    """Nothing of the platform answers."""
    await settle(ground)
    Vendors(health_status=503, webhook_status=503).serve(ground)
    return Planted(IRIS.ids())


async def endpoint_unreachable(ground: Ground) -> Planted:
    """A deployment lost the route."""
    planted = await accounts_behind(ground)
    Vendors(webhook_status=404).serve(ground)
    return planted


async def secret_wrong(ground: Ground) -> Planted:
    """The deployed signing secret is another endpoint's."""
    planted = await accounts_behind(ground)
    ground.secrets["AIAS_WEBHOOK_SECRET_DEPLOYED"] = "whsec_sample_of_another_endpoint"
    _signatures_refused(ground)
    return planted


async def secret_not_deployed(ground: Ground) -> Planted:
    """The secret was rotated at Vercel, and nobody built the platform again."""
    planted = await accounts_behind(ground)
    vercel = Vercel(secret_set=ago(minutes=20))
    Vendors(vercel).serve(ground)
    _signatures_refused(ground)
    vercel.builds(ground, then=lambda: logs.write(ground))
    return planted


async def processing_failed(ground: Ground) -> Planted:
    """The event came, and our code had no database connection for it."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.free(IRIS)
        event = desk.event(IRIS, "customer.subscription.updated", delivered=False, minutes_ago=30)
        await desk.heard(IRIS, event, error="timeout: no database connection within 5 s")
    logs.write(ground, [logs.line(1800, "/api/stripe/webhook", 500, "no database connection within 5 s")])
    return Planted(IRIS.ids())


async def many_behind(ground: Ground) -> Planted:
    """A dozen customers have paid, and the platform heard of none; its own call copies all of them."""
    await settle(ground)
    async with desk_of(ground) as desk:
        for n in range(1, CROWD + 1):
            await _stranger(desk, n)

    async def reconciled(_: Asked) -> object:
        async with desk_of(ground) as again:
            changed = await again.connection.execute(
                "UPDATE subscription_tiers SET status = 'active', tier = 'starter',"
                " stripe_subscription_id = replace(stripe_customer_id, 'cus', 'sub')"
                " WHERE stripe_customer_id LIKE 'cus_Crowd%'"
            )
        return {"changed": int(changed.split()[-1])}

    ground.services.answer("POST", "/api/billing/reconcile", Reply(200, then=reconciled, token=True))
    return Planted(IRIS.ids())


async def _behind(ground: Ground) -> None:
    async with desk_of(ground) as desk:
        await desk.free(IRIS)
        desk.event(IRIS, "customer.subscription.updated", delivered=False, minutes_ago=30)


async def _stranger(desk: Desk, n: int) -> None:
    customer, subscription = f"cus_Crowd{n}", f"sub_Crowd{n}"
    desk.objects.forget_customer(customer)
    desk.objects.customer(id=customer, email=f"user{n}@example.test", name=f"Sample User {n}")
    made = {"id": subscription, "created": desk.epoch(desk.now - PERIOD / 100)}
    desk.objects.subscription(customer, price_of("starter"), period_end=desk.epoch(desk.period_end), **made)
    desk.objects.payment(customer, PRICES["starter"], id=f"pi_Crowd{n}")
    await desk.connection.execute(
        "UPDATE subscription_tiers SET stripe_customer_id = $2, status = 'none', tier = 'free'"
        " WHERE user_id = md5('profile ' || $1::integer)::uuid",
        n,
        customer,
    )


def _signatures_refused(ground: Ground) -> None:
    refused = [logs.line(300 - 100 * each, "/api/stripe/webhook", 400, REFUSED) for each in range(4)]
    logs.write(ground, refused)


FAULTS: dict[str, Fault] = {
    "accounts_behind": accounts_behind,
    "endpoint_disabled": endpoint_disabled,
    "endpoint_missing": endpoint_missing,
    "endpoint_elsewhere": endpoint_elsewhere,
    "endpoint_twice": endpoint_twice,
    "endpoint_moved": endpoint_moved,
    "endpoint_lost_in_deployment": endpoint_lost,
    "platform_and_endpoint_down": platform_and_endpoint_down,
    "endpoint_unreachable": endpoint_unreachable,
    "secret_wrong": secret_wrong,
    "secret_not_deployed": secret_not_deployed,
    "processing_failed": processing_failed,
    "many_behind": many_behind,
}
