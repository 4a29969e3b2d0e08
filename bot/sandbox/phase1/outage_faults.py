"""What takes everybody's payments away: one function for each fault of P1-E1."""

from __future__ import annotations

from bot.sandbox.phase1.app import DEPLOYED, ENDPOINT, WEBHOOK, container, down, line, write
from bot.sandbox.phase1.desk import desk
from bot.sandbox.phase1.members import MEMBERS, ids
from bot.sandbox.phase1.settling import settle
from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.services import Switch

UPDATED = "customer.subscription.updated"
OLDEST = ids(MEMBERS[2], event=MEMBERS[2].event_id(UPDATED))


async def _missed(ground: Ground) -> dict[str, str]:
    """Everybody healthy, and three events of the last hours that were not delivered; the oldest is {event}."""
    await settle(ground)
    for hours, member in enumerate(MEMBERS[:3], start=2):
        async with desk(ground, member) as at:
            at.event(UPDATED, member.subscription_id, delivered=False, hours_ago=hours)
    return OLDEST


async def app_crashed(ground: Ground) -> Planted:
    """P1-E1: the process ran out of memory and is gone."""
    named = await _missed(ground)
    down(ground)
    return Planted(named)


async def app_stuck(ground: Ground) -> Planted:
    """P1-E1: the container runs, and the process in it answers nothing."""
    named = await _missed(ground)
    down(ground)
    container(ground, "running", "Up 3 days")
    return Planted(named)


async def app_without_connections(ground: Ground) -> Planted:
    """P1-E1: the container runs, and the process in it gets no database connection."""
    planted = await app_stuck(ground)
    write(ground, line("ERROR", "Error: connection pool exhausted (max 10, waiting 31)"))
    return planted


async def app_without_secret(ground: Ground) -> Planted:
    """P1-E1: a deployment forgot the signing secret."""
    named = await _missed(ground)
    ground.secrets[DEPLOYED] = ""
    return Planted(named)


async def app_with_old_secret(ground: Ground) -> Planted:
    """P1-E1: the signing secret was rotated, and the application has the old one."""
    named = await _missed(ground)
    ground.secrets[DEPLOYED] = "whsec_of_the_endpoint_before_the_last_rotation"
    return Planted(named)


async def route_lost(ground: Ground) -> Planted:
    """P1-E1: the application is well, and the endpoint is not in it any more."""
    named = await _missed(ground)
    ground.services.switches[WEBHOOK] = Switch(404)
    return Planted(named)


async def route_back(ground: Ground) -> Planted:
    """The endpoint is there again; nothing else changes."""
    ground.services.switches.pop(WEBHOOK, None)
    return Planted(OLDEST)


async def endpoint_failing(ground: Ground) -> Planted:
    """P1-E1: the application is well, and the endpoint answers 500 to everything."""
    named = await _missed(ground)
    ground.services.switches[WEBHOOK] = Switch(500)
    return Planted(named)


async def endpoint_switched_off(ground: Ground) -> Planted:
    """P1-E1: Stripe has switched the endpoint off."""
    named = await _missed(ground)
    ground.stripe.objects.get(ENDPOINT)["status"] = "disabled"
    return Planted(named)


async def endpoint_deleted(ground: Ground) -> Planted:
    """P1-E1: somebody deleted the endpoint at Stripe."""
    named = await _missed(ground)
    ground.stripe.objects.remove(ground.stripe.objects.get(ENDPOINT))
    return Planted(named)


async def events_missed(ground: Ground) -> Planted:
    """P1-E1: everything works again, and three events were missed."""
    return Planted(await _missed(ground))


async def event_failing(ground: Ground) -> Planted:
    """P1-E1: everything works, and the oldest of three events failed on a profile that is not there."""
    named = await _missed(ground)
    async with desk(ground, MEMBERS[2], fresh=False) as at:
        await at.webhook(named["event"], error="Profile not found")
    return Planted(named)


async def events_retried(ground: Ground) -> Planted:
    """Stripe has tried again what was not delivered; nothing else changes."""
    for event in [row["id"] for row in ground.stripe.objects.of("event") if row["pending_webhooks"]]:
        await ground.stripe.webhooks.deliver(event, ENDPOINT)
    return Planted(OLDEST)


async def app_back(ground: Ground) -> Planted:
    """Somebody has restarted the application, and Stripe has tried again; nothing else changes."""
    ground.services.switches.clear()
    return await events_retried(ground)


OUTAGE_FAULTS: dict[str, Fault] = {
    "app_crashed": app_crashed,
    "app_stuck": app_stuck,
    "app_without_connections": app_without_connections,
    "app_without_secret": app_without_secret,
    "app_with_old_secret": app_with_old_secret,
    "route_lost": route_lost,
    "route_back": route_back,
    "endpoint_failing": endpoint_failing,
    "endpoint_switched_off": endpoint_switched_off,
    "endpoint_deleted": endpoint_deleted,
    "events_missed": events_missed,
    "event_failing": event_failing,
    "events_retried": events_retried,
    "app_back": app_back,
}
