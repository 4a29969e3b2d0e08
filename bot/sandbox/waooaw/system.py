"""The sample system WAOOAW as the sandbox takes it: its faults by name, its health, its variables and its approvers."""

from __future__ import annotations

from bot.sandbox.sample import Fault, Ground, Planted, SampleSystem
from bot.sandbox.services import OPERATIONAL, Reply
from bot.sandbox.waooaw import engine
from bot.sandbox.waooaw.api import Api
from bot.sandbox.waooaw.desk import IDS, people_in_order

STATUS_PAGES = ("meta", "linkedin", "google", "delta", "razorpay")


async def settled(ground: Ground) -> Api:
    """Everything healthy; the API, for a fault to say what is different there."""
    engine.install(ground)
    ground.programs.answer(*engine.healthy())
    ground.services.switches.clear()
    ground.services.statuses.update(dict.fromkeys(STATUS_PAGES, OPERATIONAL))
    ground.services.answer("GET", "/cdn/assets/app.js", Reply(text="app", headers={"X-Cache": "HIT"}))
    api = Api(ground)
    api.serve()
    await people_in_order(ground)
    return api


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
    }


FAULTS: dict[str, Fault] = {"healthy": healthy}

SYSTEM = SampleSystem(
    id="waooaw",
    faults=FAULTS,
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
