"""The sample system as the sandbox takes it: its faults by name, its health, its variables and its approvers."""

from __future__ import annotations

from functools import partial

from bot.sandbox import sample
from bot.sandbox.alacarte import email_sync_faults, loss_faults, platform, stripe_hook_faults, vendors
from bot.sandbox.alacarte import ground as around
from bot.sandbox.alacarte.account_faults import ACCOUNT_FAULTS
from bot.sandbox.alacarte.auth_faults import AUTH_FAULTS
from bot.sandbox.alacarte.checking import subscription_check
from bot.sandbox.alacarte.customers import CUSTOMERS
from bot.sandbox.alacarte.delivery_faults import DELIVERY_FAULTS
from bot.sandbox.alacarte.faults import FAULTS, plant, settle
from bot.sandbox.alacarte.function_faults import FUNCTION_FAULTS
from bot.sandbox.alacarte.realtime_faults import REALTIME_FAULTS
from bot.sandbox.alacarte.sms_faults import SMS_FAULTS
from bot.sandbox.alacarte.storage_faults import STORAGE_FAULTS
from bot.sandbox.alacarte.upkeep_faults import UPKEEP_FAULTS
from bot.sandbox.alacarte.voice_faults import VOICE_FAULTS
from bot.sandbox.alacarte.whatsapp_faults import WHATSAPP_FAULTS
from bot.sandbox.sample import Ground, SampleSystem


async def _planted(name: str, ground: Ground) -> sample.Planted:
    planted = await plant(name, ground.database, ground.stripe)
    own = {"business_id": planted.business_id, "pid": planted.pid}
    ids = {name: str(value) for name, value in own.items() if value is not None}
    return sample.Planted({**ids, **planted.ids}, planted.close)


async def _settled(ground: Ground) -> None:
    ground.services.check = subscription_check(ground.database, ground.stripe)
    await settle(ground.database, ground.stripe)
    await platform.settle(ground)
    await stripe_hook_faults.settle(ground)
    await loss_faults.settle(ground)
    await email_sync_faults.settle(ground)
    await around.settled(ground)


async def _healthy(ground: Ground) -> sample.Planted:
    """Everything in order, and a customer who is."""
    await _settled(ground)
    customer = CUSTOMERS["in_step"]
    return sample.Planted({"business_id": str(customer.business_id), "email": customer.contact_email})


def _environment(ground: Ground) -> dict[str, str]:
    return {
        "ALACARTE_FUNCTIONS_URL": ground.services.url,
        "ALACARTE_FUNCTIONS_TOKEN": f"Bearer {ground.services.token}",
        **vendors.environment(ground),
        **platform.environment(ground),
    }


SYSTEM = SampleSystem(
    id="alacarte",
    faults={
        **{name: partial(_planted, name) for name in FAULTS},
        **ACCOUNT_FAULTS,
        **AUTH_FAULTS,
        **REALTIME_FAULTS,
        **FUNCTION_FAULTS,
        **SMS_FAULTS,
        **STORAGE_FAULTS,
        **UPKEEP_FAULTS,
        **VOICE_FAULTS,
        "healthy": _healthy,
        **DELIVERY_FAULTS,
        **WHATSAPP_FAULTS,
        **stripe_hook_faults.STRIPE_HOOK_FAULTS,
        **loss_faults.LOSS_FAULTS,
        **email_sync_faults.EMAIL_SYNC_FAULTS,
    },
    settle=_settled,
    environment=_environment,
    usergroups=(
        {"handle": "billing-approvers", "name": "Billing approvers", "users": ["ben", "dev"]},
        {"handle": "database-approvers", "name": "Database approvers", "users": ["chloe", "dev"]},
    ),
)
