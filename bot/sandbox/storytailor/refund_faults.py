"""Families who ask for money back (ST-09): what they paid, when, and what was given back before."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.sandbox.storytailor.desk import PRICES, Desk
from bot.sandbox.storytailor.planting import Ids, Plant, Scene, free
from bot.sandbox.stripe.wire import Json

MONTHLY = PRICES["individual", "month"]


def _charge(desk: Desk) -> Json:
    return desk.objects.get(desk.family.payment_id.replace("pi_", "ch_"))


def _ids(desk: Desk) -> Ids:
    return {"charge": str(_charge(desk)["id"])}


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())


async def wanted(scene: Scene) -> Ids:
    """A monthly plan in good order; the policy says nothing of it."""
    return _ids(scene.desk)


async def year(scene: Scene, *, days_ago: int) -> Ids:
    """A year of Individual, paid that long ago."""
    await scene.desk.reset("individual", "year", paid_days_ago=days_ago)
    return _ids(scene.desk)


async def cancelled(
    scene: Scene, *, tier: str = "individual", interval: str = "month", paid: float, ended: float
) -> Ids:
    """Paid, and cancelled in the middle of the period; both in days ago."""
    desk = scene.desk
    # A little less than whole days, so that the days that are left are whole ones at any hour.
    moment = _epoch(desk.now - timedelta(days=ended) - timedelta(minutes=5))
    await desk.reset(tier, interval, paid_days_ago=int(paid))
    over: dict[str, Any] = {"status": "canceled", "canceled_at": moment, "ended_at": moment}
    desk.subscription(tier, interval, days_ago=int(paid), **over)
    return _ids(desk)


async def ends_with_period(scene: Scene) -> Ids:
    """Cancelled, and running until the paid period is over."""
    desk = scene.desk
    desk.subscription("individual", cancel_at_period_end=True, canceled_at=_epoch(desk.now - timedelta(days=1)))
    return _ids(desk)


async def twice(scene: Scene) -> Ids:
    """The same amount was charged twice within an hour."""
    desk = scene.desk
    first = _charge(desk)["id"]
    second = desk.payment(MONTHLY, id=f"{desk.family.payment_id}_2", days_ago=9.96)
    return {"charge": str(second["id"]), "first": str(first)}


async def guarantee_used(scene: Scene) -> Ids:
    """A recent year, and the guarantee was used half a year ago."""
    desk = scene.desk
    await desk.reset("individual", "year", paid_days_ago=12)
    await _written(desk, f"re_{desk.family.name}_old", 9900, "money_back", days_ago=180)
    return _ids(desk)


async def disputed(scene: Scene) -> Ids:
    """The family asked their bank for the money back."""
    scene.desk.objects.dispute(_charge(scene.desk)["id"])
    return _ids(scene.desk)


async def suspended(scene: Scene) -> Ids:
    """The account is suspended."""
    await scene.desk.user(status="suspended", status_reason="chargeback, see finance")
    return _ids(scene.desk)


async def given_back(scene: Scene, amount: int, *, written: bool = True) -> Ids:
    """So much of the monthly payment was given back a week ago."""
    desk = scene.desk
    charge = _charge(desk)
    charge |= {"amount_refunded": amount, "refunded": amount == charge["amount"]}
    made = {"charge": charge["id"], "payment_intent": charge["payment_intent"], "amount": amount, "currency": "usd"}
    made |= {"id": f"re_{desk.family.name}", "status": "succeeded", "created": _epoch(desk.now - timedelta(days=7))}
    made["metadata"] = {"runbook": "ST-09", "rule": "case_by_case", "asked_by": "U0ANA", "run": "earlier"}
    desk.objects.add("re", "refund", made, {})
    if written:
        await _written(desk, f"re_{desk.family.name}", amount, "case_by_case", days_ago=7)
    return _ids(desk)


async def _written(desk: Desk, refund: str, amount: int, rule: str, *, days_ago: int) -> None:
    await desk.row(
        "refunds",
        stripe_refund_id=refund,
        stripe_charge_id=f"ch_{desk.family.name}",
        amount=amount,
        currency="usd",
        rule=rule,
        reason="other",
        asked_by="U0ANA",
        created_at=desk.now - timedelta(days=days_ago),
    )


REFUND_FAULTS: dict[str, Plant] = {
    "refund_wanted": wanted,
    "year_paid_recently": partial(year, days_ago=12),
    "year_paid_long_ago": partial(year, days_ago=45),
    "year_cancelled_recently": partial(cancelled, interval="year", paid=12, ended=1),
    "cancelled_halfway": partial(cancelled, paid=20, ended=5),
    "cancelled_with_period": ends_with_period,
    "large_share": partial(cancelled, tier="professional", interval="year", paid=120, ended=20),
    "paid_twice": twice,
    "guarantee_used_before": guarantee_used,
    "payment_disputed": disputed,
    "refund_account_suspended": suspended,
    "refunded_already": partial(given_back, amount=MONTHLY),
    "part_refunded": partial(given_back, amount=300),
    "refund_not_written": partial(given_back, amount=MONTHLY, written=False),
    "refund_never_paid": free,
}
