"""Why a payment does not go through (ST-08): one function for each reason that Stripe gives."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from bot.sandbox.storytailor.planting import Plant, Scene, free, healthy

AMOUNT = 999


async def refused(
    scene: Scene, reason: str, *, tries: int = 1, again_in_days: int | None = 2, card: dict[str, int] | None = None
) -> None:
    """The last invoice is open, because the card was declined for that reason."""
    desk = scene.desk
    following = None if again_in_days is None else int((desk.now + timedelta(days=again_in_days)).timestamp())
    desk.subscription("individual", status="past_due")
    desk.invoice(AMOUNT, status="open", days_ago=2, attempt_count=tries, next_payment_attempt=following)
    charge = desk.declined(reason, AMOUNT, id=f"{desk.family.payment_id}_2")
    charge["payment_method_details"]["card"] |= card or {}
    await desk.change("subscriptions", status="past_due")


async def replaced(scene: Scene) -> None:
    """Declined yesterday, and the family has put in another card since."""
    await refused(scene, "generic_decline")
    customer = scene.desk.objects.get(scene.desk.family.customer_id)
    customer["invoice_settings"]["default_payment_method"] = f"pm_{scene.desk.family.name}_new"


async def held(scene: Scene) -> None:
    """Declined, and Finance holds the account."""
    await refused(scene, "generic_decline")
    await scene.desk.user(restrictions=["billing_hold"])


async def not_tried(scene: Scene) -> None:
    """The invoice was made an hour ago, and Stripe tries tomorrow."""
    following = int((scene.desk.now + timedelta(days=1)).timestamp())
    scene.desk.invoice(AMOUNT, status="open", days_ago=0, attempt_count=0, next_payment_attempt=following)


async def of_larger_plan(scene: Scene) -> None:
    """Nothing is open: Family is paid at Stripe, and Individual is what they have."""
    scene.desk.subscription("family")


async def twice(scene: Scene) -> None:
    """The same amount was paid twice within an hour."""
    scene.desk.payment(AMOUNT, id=f"{scene.desk.family.payment_id}_2", days_ago=9.96)


PAYMENT_FAULTS: dict[str, Plant] = {
    "payment_in_order": healthy,
    "card_expired": partial(refused, reason="expired_card", card={"exp_month": 10, "exp_year": 2025}),
    "card_without_funds": partial(refused, reason="insufficient_funds"),
    "card_address_wrong": partial(refused, reason="incorrect_zip"),
    "card_needs_confirmation": partial(refused, reason="authentication_required"),
    "card_declined": partial(refused, reason="generic_decline"),
    "card_stolen": partial(refused, reason="stolen_card"),
    "payment_given_up": partial(refused, reason="generic_decline", tries=4, again_in_days=None),
    "card_replaced": replaced,
    "account_held": held,
    "payment_not_tried": not_tried,
    "payment_of_larger_plan": of_larger_plan,
    "payment_twice": twice,
    "payment_never": free,
}
