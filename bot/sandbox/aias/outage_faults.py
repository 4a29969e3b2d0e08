"""The platform down, and whose fault it is (AI-16); payments that fail for many (AI-18)."""

from __future__ import annotations

from bot.sandbox.aias.accounts import IRIS
from bot.sandbox.aias.error_faults import reacts
from bot.sandbox.aias.health import desk_of, settle
from bot.sandbox.aias.vendors import Vendors, Vercel, ago, deployment
from bot.sandbox.aias.webhook_faults import many_behind
from bot.sandbox.sample import Fault, Ground, Planted

SICK = {"database": "unreachable", "stripe": "ok", "queue": "ok"}
TRIES = 8


async def vercel_outage(ground: Ground) -> Planted:
    """Vercel has an outage, and we are gone with it."""
    return await _down(ground, Vendors(pages={"vercel": "critical"}, health_status=503))


async def supabase_outage(ground: Ground) -> Planted:
    """Supabase has an outage, and the platform cannot do without."""
    vendors = Vendors(pages={"supabase": "major"}, health_status=503, health=SICK, rest_status=503, auth_status=503)
    return await _down(ground, vendors)


async def project_paused(ground: Ground) -> Planted:
    """Supabase is well, and our project there is paused."""
    return await _down(ground, Vendors(health_status=503, health=SICK, rest_status=540))


async def two_vendors(ground: Ground) -> Planted:
    """Stripe and Resend have an outage on the same day; the platform answers."""
    return await _down(ground, Vendors(pages={"stripe": "minor", "resend": "major"}))


async def down_after_deployment(ground: Ground) -> Planted:
    """The deployment of ten minutes ago does not start."""
    await settle(ground)
    broken = [deployment("dpl_42", "Upgrade the framework", ago(minutes=10)), *Vercel().deployments]
    reacts(ground, Vercel(broken, "dpl_42"), health_status=503)
    return Planted(IRIS.ids())


async def down_unexplained(ground: Ground) -> Planted:
    """Everybody is well, nothing was deployed, and the platform does not answer."""
    return await _down(ground, Vendors(health_status=503))


async def stripe_outage(ground: Ground) -> Planted:
    """Stripe has an outage, and its events of the last hour did not come."""
    planted = await many_behind(ground)
    Vendors(pages={"stripe": "major"}).serve(ground)
    return planted


async def cards_tested(ground: Ground) -> Planted:
    """Somebody tries stolen cards at our checkout."""
    await settle(ground)
    async with desk_of(ground) as desk:
        for n in range(TRIES):
            desk.objects.payment(IRIS.customer_id, 100, outcome="declined" if n else "succeeded", id=f"pi_Tried{n}")
    return Planted(IRIS.ids())


async def payments_refused_by_us(ground: Ground) -> Planted:
    """Since the deployment of an hour ago our checkout asks for amounts that Stripe does not take."""
    await settle(ground)
    lately = deployment("dpl_42", "Prices in dollars", ago(minutes=60))
    reacts(ground, Vercel([lately, *Vercel().deployments], "dpl_42"))
    said = "Amount must be at least 50 cents"
    refused = {"type": "invalid_request_error", "code": "amount_too_small", "message": said}
    async with desk_of(ground) as desk:
        for n in range(TRIES):
            made = desk.objects.payment(IRIS.customer_id, 10, outcome="declined", id=f"pi_Refused{n}")
            made["last_payment_error"] = refused
    return Planted(IRIS.ids())


async def _down(ground: Ground, vendors: Vendors) -> Planted:
    await settle(ground)
    vendors.serve(ground)
    return Planted(IRIS.ids())


FAULTS: dict[str, Fault] = {
    "vercel_outage": vercel_outage,
    "supabase_outage": supabase_outage,
    "project_paused": project_paused,
    "stripe_and_resend_outage": two_vendors,
    "down_after_deployment": down_after_deployment,
    "down_unexplained": down_unexplained,
    "stripe_outage": stripe_outage,
    "cards_tested": cards_tested,
    "payments_refused_by_us": payments_refused_by_us,
}
