"""The local Stripe's payment intents, charges, refunds, disputes, balance and account."""

from __future__ import annotations

from bot.sandbox.stripe.objects import Outcome
from bot.sandbox.stripe.routing import Call, Route, equal, family
from bot.sandbox.stripe.wire import Json, StripeError, choice, integer, metadata, missing_param

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
CANCELABLE = ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture", "processing")


def create_payment(call: Call) -> Json:
    """POST /v1/payment_intents: confirm=true succeeds at once, but not with the test card pm_card_chargeDeclined."""
    amount = integer(call.params, "amount")
    if amount is None:
        raise missing_param("amount")
    if "currency" not in call.params:
        raise missing_param("currency")
    customer = call.params.get("customer")
    if customer is not None:
        call.needed("customer", "customer", customer, "customer")
    declined = call.params.get("payment_method") == "pm_card_chargeDeclined"
    given = {"currency": call.params["currency"], "metadata": metadata(call.params, {})}
    confirmed = call.params.get("confirm") == "true"
    outcome: Outcome = "created" if not confirmed else "declined" if declined else "succeeded"
    row = call.objects.payment(customer, amount, outcome=outcome, **given)
    if confirmed and declined:
        call.emit("payment_intent.payment_failed", row, {})
        raise StripeError(402, "Your card was declined.", kind="card_error", code="card_declined")
    call.emit("payment_intent.succeeded" if confirmed else "payment_intent.created", row, {})
    return row


def update_payment(call: Call) -> Json:
    """POST /v1/payment_intents/{id}: description and metadata."""
    row = call.needed("payment_intent", "payment_intent")
    given = {"description": call.params["description"]} if "description" in call.params else {}
    row.update(given | {"metadata": metadata(call.params, row["metadata"])})
    return row


def cancel_payment(call: Call) -> Json:
    """POST /v1/payment_intents/{id}/cancel: refused once it has succeeded."""
    row = call.needed("payment_intent", "payment_intent")
    if row["status"] not in CANCELABLE:
        message = f"You cannot cancel this PaymentIntent because it has a status of {row['status']}."
        raise StripeError(400, message, code="payment_intent_unexpected_state")
    changes = {"status": "canceled", "canceled_at": call.objects.now()}
    return call.changed("payment_intent.canceled", row, changes)


def update_charge(call: Call) -> Json:
    """POST /v1/charges/{id}: description and metadata."""
    row = call.needed("charge", "charge")
    given = {"description": call.params["description"]} if "description" in call.params else {}
    return call.changed("charge.updated", row, given | {"metadata": metadata(call.params, row["metadata"])})


def create_refund(call: Call) -> Json:
    """POST /v1/refunds: the whole rest or a part; never more than what is left, and never of a failed charge."""
    charge = _charge_of(call)
    reason = choice(call.params, "reason", REASONS)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if charge["status"] != "succeeded":
        raise StripeError(400, f"Charge {charge['id']} was not successful and cannot be refunded.", param="charge")
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise StripeError(400, message, code="charge_already_refunded")
    amount = integer(call.params, "amount") or left
    if amount > left:
        message = f"Refund amount ({_dollars(amount)}) is greater than unrefunded amount on charge ({_dollars(left)})"
        raise StripeError(400, message, param="amount")
    given = {"charge": charge["id"], "payment_intent": charge["payment_intent"], "amount": amount, "reason": reason}
    given |= {"currency": charge["currency"], "status": "succeeded", "failure_reason": None, "receipt_number": None}
    row = call.objects.add("re", "refund", given, {"metadata": metadata(call.params, {})})
    refunded = charge["amount_refunded"] + amount
    whole = refunded == charge["amount_captured"]
    call.emit("refund.created", row, {})
    call.changed("charge.refunded", charge, {"amount_refunded": refunded, "refunded": whole})
    return row


def _charge_of(call: Call) -> Json:
    charge, intent = call.params.get("charge"), call.params.get("payment_intent")
    if charge is not None and intent is not None:
        raise StripeError(400, "You may only specify one of these parameters: charge, payment_intent.")
    if charge is not None:
        return call.needed("charge", "charge", charge, "charge")
    if intent is None:
        wanted = "One of the following params should be provided for this request: payment_intent or charge."
        raise StripeError(400, wanted)
    payment = call.needed("payment_intent", "payment_intent", intent, "payment_intent")
    if payment["latest_charge"] is None:
        raise StripeError(400, f"This PaymentIntent ({intent}) does not have a successful charge to refund.")
    return call.needed("charge", "charge", payment["latest_charge"], "charge")


def update_refund(call: Call) -> Json:
    """POST /v1/refunds/{id}: the metadata."""
    row = call.needed("refund", "refund")
    return call.changed("refund.updated", row, {"metadata": metadata(call.params, row["metadata"])})


def retrieve_balance(call: Call) -> Json:
    """GET /v1/balance: what succeeded charges brought, less the refunds."""
    charges = [row for row in call.objects.of("charge") if row["status"] == "succeeded"]
    amount = sum(row["amount_captured"] - row["amount_refunded"] for row in charges)
    available = [{"amount": amount, "currency": "usd", "source_types": {"card": amount}}]
    return {"object": "balance", "available": available, "pending": [], "livemode": False}


def retrieve_account(_call: Call) -> Json:
    """GET /v1/account: who the key belongs to."""
    profile = {"name": "A La Carte Chat", "url": None, "support_email": None}
    settings = {"dashboard": {"display_name": "A La Carte Chat", "timezone": "Etc/UTC"}}
    flags = {"charges_enabled": True, "payouts_enabled": True, "details_submitted": True}
    named = {"id": "acct_local", "object": "account", "country": "US", "default_currency": "usd", "type": "standard"}
    return named | flags | {"business_profile": profile, "settings": settings, "email": None}


def _dollars(cents: int) -> str:
    return f"${cents / 100:,.2f}"


BY_PAYMENT = {"charge": equal("charge"), "payment_intent": equal("payment_intent")}
PAYMENT_KNOWN = ("amount", "currency", "customer", "confirm", "payment_method", "metadata", "description")
NOTE_KNOWN = frozenset(("description", "metadata"))
ROUTES = (
    *family("payment_intent", "payment_intents", "payment_intent", {"customer": equal("customer")}),
    Route(
        "POST",
        "/v1/payment_intents",
        create_payment,
        frozenset((*PAYMENT_KNOWN, "automatic_payment_methods", "payment_method_types")),
    ),
    Route("POST", "/v1/payment_intents/{id}", update_payment, NOTE_KNOWN),
    Route("POST", "/v1/payment_intents/{id}/cancel", cancel_payment, frozenset(("cancellation_reason",))),
    *family("charge", "charges", "charge", {"customer": equal("customer"), "payment_intent": equal("payment_intent")}),
    Route("POST", "/v1/charges/{id}", update_charge, NOTE_KNOWN),
    *family("refund", "refunds", "refund", BY_PAYMENT),
    Route(
        "POST", "/v1/refunds", create_refund, frozenset(("charge", "payment_intent", "amount", "reason", "metadata"))
    ),
    Route("POST", "/v1/refunds/{id}", update_refund, frozenset(("metadata",))),
    *family("dispute", "disputes", "dispute", BY_PAYMENT),
    Route("GET", "/v1/balance", retrieve_balance),
    Route("GET", "/v1/account", retrieve_account),
)
