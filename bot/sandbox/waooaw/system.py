"""The sample system WAOOAW as the sandbox takes it: its faults by name, its health, its variables and its approvers."""

from __future__ import annotations

from bot.sandbox.sample import Fault, Ground, Planted, SampleSystem
from bot.sandbox.waooaw import (
    account_faults,
    credential_faults,
    deliverable_faults,
    engine,
    goal_faults,
    limit_faults,
    pool_faults,
    scheduler_faults,
    token_faults,
)
from bot.sandbox.waooaw.desk import IDS
from bot.sandbox.waooaw.partner_faults import PARTNER_FAULTS
from bot.sandbox.waooaw.state import STATUS_PAGES, settled


async def _settle(ground: Ground) -> None:
    await settled(ground)


async def healthy(ground: Ground) -> Planted:
    """Nothing is wrong anywhere."""
    await settled(ground)
    return Planted(IDS)


def _environment(ground: Ground) -> dict[str, str]:
    url = ground.services.url
    pages = {f"WAOOAW_{page.upper()}_STATUS_URL": f"{url}/status/{page}" for page in STATUS_PAGES}
    return {
        **engine.install(ground),
        **pages,
        "WAOOAW_API_URL": f"{url}/api",
        "WAOOAW_API_TOKEN": f"Bearer {ground.services.token}",
        "WAOOAW_DELTA_URL": f"{url}/delta",
        "WAOOAW_RAZORPAY_URL": f"{url}/razorpay",
        "WAOOAW_RAZORPAY_AUTHORIZATION": f"Bearer {ground.services.token}",
        "WAOOAW_CDN_URL": f"{url}/cdn",
        "WAOOAW_GRAPH_URL": f"{url}/graph",
        "WAOOAW_GRAPH_AUTHORIZATION": f"Bearer {ground.services.token}",
    }


FAULTS: dict[str, Fault] = {
    "healthy": healthy,
    **account_faults.FAULTS,
    **credential_faults.FAULTS,
    **deliverable_faults.FAULTS,
    **goal_faults.FAULTS,
    **limit_faults.FAULTS,
    **pool_faults.FAULTS,
    **scheduler_faults.FAULTS,
    **token_faults.FAULTS,
}

SYSTEM = SampleSystem(
    id="waooaw",
    faults={**FAULTS, **PARTNER_FAULTS},
    settle=_settle,
    environment=_environment,
    usergroups=(
        {"handle": "waooaw-operations", "name": "WAOOAW operations", "users": ["ben", "dev"]},
        {"handle": "waooaw-backend", "name": "WAOOAW backend engineers", "users": ["chloe", "dev"]},
        {"handle": "waooaw-security", "name": "WAOOAW security", "users": ["chloe", "dev"]},
        {"handle": "waooaw-trading", "name": "WAOOAW trading", "users": ["ben", "dev"]},
        {"handle": "waooaw-finance", "name": "WAOOAW finance", "users": ["ben", "dev"]},
    ),
)
