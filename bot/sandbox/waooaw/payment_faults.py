"""What goes wrong with payments (WA-18): each way in which an attempt fails, and attempts that were made twice."""

from __future__ import annotations

from typing import Any

from bot.sandbox.sample import Ground, Planted
from bot.sandbox.services import Switch
from bot.sandbox.waooaw.desk import IDS, MEERA, execute
from bot.sandbox.waooaw.razorpay import FAILED, FAILED_ORDER, PAID, SECOND, Razorpay, attempt
from bot.sandbox.waooaw.state import settled

ROW = """
INSERT INTO payments (id, customer_id, subscription_id, amount, status, method, razorpay_payment_id, razorpay_order_id,
                      error_code, error_description, created_at)
VALUES (md5($2)::uuid, $1, md5('subscription meera')::uuid, 2999, $3, 'card', $2, $4, $5, $6,
        now() - make_interval(mins => $7))
"""
NAMED = {**IDS, "payment_id": FAILED, "second_id": SECOND}


async def card_declined(ground: Ground) -> Planted:
    """WA-18: the bank declined the card two hours ago, without a reason."""
    await _failed(ground, "card_declined", "The card was declined by the bank.")
    return Planted(NAMED)


async def declined_just_now(ground: Ground) -> Planted:
    """WA-18: too little money on the account, ten minutes ago."""
    await _failed(ground, "insufficient_funds", "The account has insufficient funds.", minutes=10)
    return Planted(NAMED)


async def authentication_failed(ground: Ground) -> Planted:
    """WA-18: the customer did not finish 3-D Secure."""
    await _failed(ground, "authentication_failed", "3-D Secure authentication failed.")
    return Planted(NAMED)


async def international_blocked(ground: Ground) -> Planted:
    """WA-18: the bank allows no payments abroad, and says so."""
    text = "International transactions are not allowed."
    await _failed(ground, "international_transaction_not_allowed", text, international=True)
    return Planted(NAMED)


async def refused_abroad(ground: Ground) -> Planted:
    """WA-18: a payment abroad failed, and the bank says no more than that."""
    await _failed(ground, "payment_failed", "Payment failed.", international=True)
    return Planted(NAMED)


async def card_expired(ground: Ground) -> Planted:
    """WA-18: the saved card has run out."""
    razorpay = await _failed(ground, "card_expired", "The card has expired.")
    razorpay.cards = [{"id": "token_1", "method": "card", "last4": "4242", "expired": True}]
    return Planted(NAMED)


async def link_sent(ground: Ground) -> Planted:
    """WA-18: the bank declined, and a link to pay was sent already."""
    razorpay = await _failed(ground, "card_declined", "The card was declined by the bank.")
    razorpay.links = [
        {"id": "plink_00000000000001", "reference_id": FAILED, "status": "created", "amount": 299900,
         "currency": "INR", "short_url": "https://rzp.io/i/000001", "created_at": razorpay.attempts[-1]["created_at"]}
    ]  # fmt: skip
    return Planted(NAMED)


async def settled_late(ground: Ground) -> Planted:
    """WA-18: the first attempt settled after all, and our database still has it as failed."""
    razorpay = await _failed(ground, "payment_failed", "The payment timed out.")
    razorpay.attempts[-1] = attempt(FAILED, FAILED_ORDER, "captured", minutes=120)
    return Planted(NAMED)


async def charged_twice(ground: Ground) -> Planted:
    """WA-18: the failed attempt settled late, and the customer had paid again."""
    razorpay = await _failed(ground, "payment_failed", "The payment timed out.")
    razorpay.attempts[-1:] = [
        attempt(FAILED, FAILED_ORDER, "captured", minutes=120),
        attempt(SECOND, FAILED_ORDER, "captured", minutes=60),
    ]
    await execute(ground, ROW, MEERA, SECOND, "captured", FAILED_ORDER, None, None, 60)
    return Planted(NAMED)


async def under_way(ground: Ground) -> Planted:
    """WA-18: Razorpay has not decided yet."""
    razorpay = await _failed(ground, None, None, minutes=10)
    razorpay.attempts[-1] = attempt(FAILED, FAILED_ORDER, "authorized", minutes=10)
    await execute(ground, "UPDATE payments SET status = 'created' WHERE razorpay_payment_id = $1", FAILED)
    return Planted(NAMED)


async def captured_now(ground: Ground) -> Planted:
    """WA-18: what was under way has been captured, and our webhook noted it."""
    razorpay = Razorpay(ground)
    razorpay.attempts.append(attempt(FAILED, FAILED_ORDER, "captured", minutes=10))
    razorpay.serve()
    await execute(ground, "UPDATE payments SET status = 'captured' WHERE razorpay_payment_id = $1", FAILED)
    return Planted(NAMED)


async def razorpay_down(ground: Ground) -> Planted:
    """WA-18: payments fail because Razorpay itself does."""
    await _failed(ground, "server_error", "The gateway did not answer.")
    ground.services.statuses["razorpay"] = "major"
    return Planted(NAMED)


async def payment_unknown(ground: Ground) -> Planted:
    """WA-18: Razorpay does not know the payment that our database has."""
    razorpay = await _failed(ground, "payment_failed", "Payment failed.")
    razorpay.attempts.pop()
    return Planted(NAMED)


async def declined_an_hour_ago(ground: Ground) -> Planted:
    """WA-18: too little money on the account, most of an hour ago."""
    await _failed(ground, "insufficient_funds", "The account has insufficient funds.", minutes=55)
    return Planted(NAMED)


async def hour_over(ground: Ground) -> Planted:
    """WA-18: the hour after that attempt has passed."""
    razorpay = Razorpay(ground)
    said = {"error_code": "BAD_REQUEST_ERROR", "error_reason": "insufficient_funds", "error_description": "No funds."}
    razorpay.attempts.append(attempt(FAILED, FAILED_ORDER, "failed", minutes=65, **said))
    razorpay.serve()
    return Planted(NAMED)


async def failed_at_the_gateway(ground: Ground) -> Planted:
    """WA-18: the attempt failed with a reason that is in no list."""
    await _failed(ground, "gateway_technical_error", "The bank's gateway did not answer.")
    return Planted(NAMED)


async def razorpay_silent(ground: Ground) -> Planted:
    """WA-18, WA-19: Razorpay's API does not answer, and its status page does not say so yet."""
    await _failed(ground, "card_declined", "The card was declined by the bank.")
    for payment in (FAILED, PAID):
        ground.services.switches[f"/razorpay/v1/payments/{payment}"] = Switch(503)
    return Planted(NAMED)


async def given_back(ground: Ground) -> Planted:
    """WA-18: the payment was given back."""
    razorpay = await _failed(ground, None, None)
    razorpay.attempts[-1] = attempt(FAILED, FAILED_ORDER, "refunded", minutes=120, amount_refunded=299900)
    await execute(ground, "UPDATE payments SET status = 'refunded' WHERE razorpay_payment_id = $1", FAILED)
    return Planted(NAMED)


async def no_payment(ground: Ground) -> Planted:
    """WA-18: the customer never paid anything."""
    await settled(ground)
    await execute(ground, "DELETE FROM payments WHERE customer_id = $1", MEERA)
    return Planted(NAMED)


async def _failed(
    ground: Ground, reason: str | None, text: str | None, *, minutes: int = 120, **fields: Any
) -> Razorpay:
    await settled(ground)
    code = None if reason is None else "BAD_REQUEST_ERROR"
    await execute(ground, ROW, MEERA, FAILED, "failed", FAILED_ORDER, code, text, minutes)
    razorpay = Razorpay(ground)
    said = {"error_code": code, "error_reason": reason, "error_description": text}
    razorpay.attempts.append(attempt(FAILED, FAILED_ORDER, "failed", minutes=minutes, **said, **fields))
    razorpay.serve()
    return razorpay


FAULTS = {
    each.__name__: each
    for each in (
        *(card_declined, declined_just_now, authentication_failed, international_blocked, refused_abroad, card_expired),
        *(declined_an_hour_ago, hour_over, failed_at_the_gateway, razorpay_silent, given_back),
        *(link_sent, settled_late, charged_twice, under_way, captured_now, razorpay_down, payment_unknown, no_payment),
    )
}
