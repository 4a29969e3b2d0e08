"""What families ask about invoices (ST-10): one charge, two, a change of plan, a reservation."""

from __future__ import annotations

from typing import Any

from bot.sandbox.storytailor.desk import PRICES
from bot.sandbox.storytailor.planting import Plant, Scene, free, healthy

MONTHLY = PRICES["individual", "month"]


def _lines(*lines: tuple[str, int]) -> dict[str, Any]:
    data = [{"object": "line_item", "description": text, "amount": amount, "currency": "usd"} for text, amount in lines]
    return {"object": "list", "data": data, "has_more": False, "total_count": len(data), "url": "/v1/invoices/lines"}


async def with_lines(scene: Scene) -> None:
    """A renewal that says what it is for."""
    scene.desk.invoice(MONTHLY, lines=_lines(("Individual for a month", MONTHLY)))


async def of_change(scene: Scene) -> None:
    """A change of plan in the middle of a period."""
    lines = _lines(("Rest of the period on Family", 749), ("Not used of Individual", -499))
    scene.desk.invoice(250, lines=lines, billing_reason="subscription_update")


async def twice(scene: Scene) -> None:
    """The same renewal was invoiced and paid twice."""
    family = scene.desk.family
    scene.desk.invoice(MONTHLY, id=f"{family.invoice_id}_2", days_ago=9.9)
    scene.desk.payment(MONTHLY, id=f"{family.payment_id}_2", days_ago=9.9)


async def two_causes(scene: Scene) -> None:
    """A renewal, and a change of plan five days later."""
    family = scene.desk.family
    scene.desk.invoice(250, id=f"{family.invoice_id}_2", days_ago=5, billing_reason="subscription_update")
    scene.desk.payment(250, id=f"{family.payment_id}_2", days_ago=5)


async def two_periods(scene: Scene) -> None:
    """This month's renewal, and the one of the month before."""
    family = scene.desk.family
    scene.desk.invoice(MONTHLY, id=f"{family.invoice_id}_0", days_ago=40)
    scene.desk.payment(MONTHLY, id=f"{family.payment_id}_0", days_ago=40)


async def reserved(scene: Scene) -> None:
    """One payment, and an amount that the bank only holds."""
    charge = scene.desk.payment(MONTHLY, id=f"{scene.desk.family.payment_id}_2", days_ago=10)
    charge |= {"captured": False, "amount_captured": 0}


async def two_subscriptions(scene: Scene) -> None:
    """Two subscriptions run at once."""
    scene.desk.subscription("individual", id=f"{scene.desk.family.subscription_id}_2", days_ago=4)


async def draft(scene: Scene) -> None:
    """The newest invoice is a draft."""
    scene.desk.invoice(MONTHLY, id=f"{scene.desk.family.invoice_id}_2", status="draft", days_ago=0)


async def unpaid(scene: Scene) -> None:
    """The newest invoice is not paid yet."""
    scene.desk.invoice(MONTHLY, id=f"{scene.desk.family.invoice_id}_2", status="open", days_ago=1)


async def given_back(scene: Scene) -> None:
    """A part of it was given back."""
    charge = scene.desk.objects.get(scene.desk.family.payment_id.replace("pi_", "ch_"))
    charge |= {"amount_refunded": 300}


INVOICE_FAULTS: dict[str, Plant] = {
    "invoice_in_order": healthy,
    "invoice_with_lines": with_lines,
    "invoice_of_change": of_change,
    "invoice_twice": twice,
    "invoice_two_causes": two_causes,
    "invoice_two_periods": two_periods,
    "payment_reserved": reserved,
    "invoice_two_subscriptions": two_subscriptions,
    "invoice_draft": draft,
    "invoice_open": unpaid,
    "invoice_given_back": given_back,
    "invoice_never": free,
}
