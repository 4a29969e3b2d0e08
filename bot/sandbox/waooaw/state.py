"""The healthy state of the sample system, from which every fault starts, and to which it returns."""

from __future__ import annotations

from bot.sandbox.sample import Ground
from bot.sandbox.services import OPERATIONAL, Reply
from bot.sandbox.waooaw import engine
from bot.sandbox.waooaw.api import Api
from bot.sandbox.waooaw.desk import people_in_order
from bot.sandbox.waooaw.partners import partners_in_order

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
    await partners_in_order(ground)
    return api
