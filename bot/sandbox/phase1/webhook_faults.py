"""What goes wrong with Stripe's events: one function for each fault of P1-04."""

from __future__ import annotations

from datetime import timedelta

from bot.sandbox.phase1.app import DEPLOYED, ENDPOINT, SECRET, down, end_sessions, line, write
from bot.sandbox.phase1.desk import desk
from bot.sandbox.phase1.members import EVENT, MEMBERS, ids
from bot.sandbox.phase1.settling import limit_sessions, open_to_logins, settle
from bot.sandbox.sample import Fault, Ground, Planted

CREATED, UPDATED = "customer.subscription.created", "customer.subscription.updated"
NO_DATABASE = "Database connection failed"
NOT_FOUND = "Profile not found"


async def healthy(ground: Ground) -> Planted:
    """Nothing is wrong anywhere; the ids are those of a member in good order."""
    await settle(ground)
    return Planted(ids(MEMBERS[0]))


async def _failed(ground: Ground, error: str, *, hours_ago: float = 3, noted: bool = True) -> str:
    """The member paid, and the event about it was not taken; its id."""
    await settle(ground)
    async with desk(ground, EVENT) as at:
        await at.unpaid()
        event = at.event(CREATED, EVENT.subscription_id, delivered=False, hours_ago=hours_ago)
        if noted:
            await at.webhook(event, error=error)
        named = f"Webhook error: {error}" + (f" ({event}, {CREATED})" if noted else "")
        write(ground, line("ERROR", named, at=at.now - timedelta(hours=hours_ago)))
    return event


async def webhook_database_failed(ground: Ground) -> Planted:
    """P1-04: the database was away for a moment when the event came; it is back."""
    return Planted(ids(EVENT, event=await _failed(ground, NO_DATABASE)))


async def webhook_secret_wrong(ground: Ground) -> Planted:
    """P1-04: the application was given another signing secret than the endpoint's, and refuses everything."""
    event = await _failed(ground, "Invalid signature", noted=False)
    ground.secrets[DEPLOYED] = "whsec_of_the_endpoint_before_the_last_rotation"
    return Planted(ids(EVENT, event=event))


async def webhook_secret_put_right(ground: Ground) -> Planted:
    """Somebody has given the application the endpoint's secret; nothing else changes."""
    ground.secrets[SECRET] = ground.secrets[DEPLOYED] = ground.stripe.objects.webhook_secrets[ENDPOINT]
    return Planted(ids(EVENT, event=EVENT.event_id(CREATED)))


async def database_away(ground: Ground) -> Planted:
    """P1-04: the database lets nobody in, and the event failed on it."""
    event = await _failed(ground, NO_DATABASE, noted=False)
    await limit_sessions(ground, 0)
    await end_sessions(ground, "phase1%")

    async def back() -> None:
        await limit_sessions(ground, -1)

    return Planted(ids(EVENT, event=event), back)


async def database_back(ground: Ground) -> Planted:
    """The database lets everybody in again; nothing else changes."""
    await limit_sessions(ground, -1)
    return Planted(ids(EVENT, event=EVENT.event_id(CREATED)))


async def webhook_without_profile(ground: Ground) -> Planted:
    """P1-04: the checkout forgot the profile in the metadata; the customer tells who it is."""
    event = await _failed(ground, NOT_FOUND)
    _name(ground, event, {})
    return Planted(ids(EVENT, event=event))


async def webhook_of_nobody(ground: Ground) -> Planted:
    """P1-04: neither the metadata nor the customer nor the address leads to a profile."""
    event = await _failed(ground, NOT_FOUND)
    _name(ground, event, {"profileId": "guest"})
    async with desk(ground, EVENT, fresh=False) as at:
        await at.row(stripe_customer_id=None)
        await at.run("UPDATE profiles SET email = 'renamed@example.test' WHERE id = $1", EVENT.profile_id)
    return Planted(ids(EVENT, event=event))


async def webhook_after_deletion(ground: Ground) -> Planted:
    """P1-04: the profile was deleted at the member's wish, and the event of the cancellation came after that."""
    event = await _failed(ground, NOT_FOUND)
    async with desk(ground, EVENT, fresh=False) as at:
        await at.deleted(hours=2)
    return Planted(ids(EVENT, event=event))


async def webhook_of_deleted_customer(ground: Ground) -> Planted:
    """P1-04: the same, and the customer at Stripe is deleted as well."""
    planted = await webhook_after_deletion(ground)
    ground.stripe.objects.remove(ground.stripe.objects.get(EVENT.customer_id))
    return planted


async def webhook_invoice_failed(ground: Ground) -> Planted:
    """P1-04: the event of a paid invoice was not taken; the member has everything all the same."""
    await settle(ground)
    async with desk(ground, EVENT) as at:
        event = at.event("invoice.payment_succeeded", EVENT.invoice_id, delivered=False, hours_ago=3)
        await at.webhook(event, error=NO_DATABASE)
    return Planted(ids(EVENT, event=event))


async def webhook_without_effect(ground: Ground) -> Planted:
    """P1-04: delivered and noted as taken, and the member is on FREE."""
    planted = await webhook_delivered(ground)
    async with desk(ground, EVENT, fresh=False) as at:
        await at.unpaid()
    return planted


async def database_shut(ground: Ground) -> Planted:
    """P1-04: the database takes no login any more, and the event failed on it."""
    event = await _failed(ground, NO_DATABASE, noted=False)
    await open_to_logins(ground, False)
    await end_sessions(ground, "phase1%")

    async def back() -> None:
        await open_to_logins(ground, True)

    return Planted(ids(EVENT, event=event), back)


async def database_open(ground: Ground) -> Planted:
    """The database takes logins again; nothing else changes."""
    await open_to_logins(ground, True)
    return Planted(ids(EVENT, event=EVENT.event_id(CREATED)))


async def webhook_of_unknown_profile(ground: Ground) -> Planted:
    """P1-04: the metadata holds a UUID that no profile here has."""
    event = await _failed(ground, NOT_FOUND)
    _name(ground, event, {"profileId": "9a5e0001-0000-4000-8000-00000000dead"})
    return Planted(ids(EVENT, event=event))


async def webhook_outdated(ground: Ground) -> Planted:
    """P1-04: the event says active, and the subscription was cancelled since."""
    event = await _failed(ground, NO_DATABASE)
    ended = ground.stripe.objects.now() - 3600
    ground.stripe.objects.get(EVENT.subscription_id).update(status="canceled", canceled_at=ended, ended_at=ended)
    return Planted(ids(EVENT, event=event))


async def webhook_app_down(ground: Ground) -> Planted:
    """P1-04: the application does not answer; the event is one of many."""
    event = await _failed(ground, "Invalid signature", noted=False)
    down(ground)
    return Planted(ids(EVENT, event=event))


async def webhook_endpoint_off(ground: Ground) -> Planted:
    """P1-04: Stripe has switched the endpoint off after too many failures."""
    event = await _failed(ground, NO_DATABASE)
    ground.stripe.objects.get(ENDPOINT)["status"] = "disabled"
    return Planted(ids(EVENT, event=event))


async def webhook_delivered(ground: Ground) -> Planted:
    """P1-04: the event was delivered and taken."""
    await settle(ground)
    async with desk(ground, EVENT) as at:
        event = at.event(UPDATED, EVENT.subscription_id, delivered=True)
        await at.webhook(event)
    return Planted(ids(EVENT, event=event))


def _name(ground: Ground, event: str, metadata: dict[str, str]) -> None:
    """What the subscription at Stripe, and the event about it, have as metadata."""
    objects = ground.stripe.objects
    objects.get(EVENT.subscription_id)["metadata"] = dict(metadata)
    objects.get(event)["data"]["object"]["metadata"] = dict(metadata)


WEBHOOK_FAULTS: dict[str, Fault] = {
    "healthy": healthy,
    "webhook_database_failed": webhook_database_failed,
    "webhook_secret_wrong": webhook_secret_wrong,
    "webhook_secret_put_right": webhook_secret_put_right,
    "database_away": database_away,
    "database_back": database_back,
    "webhook_without_profile": webhook_without_profile,
    "webhook_of_nobody": webhook_of_nobody,
    "webhook_after_deletion": webhook_after_deletion,
    "webhook_of_deleted_customer": webhook_of_deleted_customer,
    "webhook_invoice_failed": webhook_invoice_failed,
    "webhook_without_effect": webhook_without_effect,
    "database_shut": database_shut,
    "database_open": database_open,
    "webhook_of_unknown_profile": webhook_of_unknown_profile,
    "webhook_outdated": webhook_outdated,
    "webhook_app_down": webhook_app_down,
    "webhook_endpoint_off": webhook_endpoint_off,
    "webhook_delivered": webhook_delivered,
}
