"""The local Stripe's subscriptions and invoices."""

from __future__ import annotations

from typing import Any

from bot.sandbox.stripe.routing import Call, Route, equal, family
from bot.sandbox.stripe.wire import (
    PAGING,
    Json,
    StripeError,
    boolean,
    choice,
    created_within,
    metadata,
    missing_object,
    missing_param,
    page,
)

LIVE = ("active", "past_due", "unpaid", "paused", "incomplete", "incomplete_expired", "trialing")
ENDED = ("canceled", "incomplete_expired")
STATUSES = (*LIVE, "canceled", "ended", "all")
CANCEL_KNOWN = frozenset(("invoice_now", "prorate", "cancellation_details"))
CHANGE_KNOWN = frozenset(
    ("cancel_at_period_end", "cancel_at", "metadata", "items", "pause_collection", "proration_behavior", "description")
)
UPDATABLE_CANCELED = frozenset(("metadata", "cancellation_details", "expand"))


def list_subscriptions(call: Call) -> Json:
    """GET /v1/subscriptions: without a status the canceled ones stay out, as in Stripe."""
    wanted = choice(call.params, "status", STATUSES)
    rows = [row for row in call.objects.of("subscription") if created_within(call.params, int(row["created"]))]
    if wanted is None:
        rows = [row for row in rows if row["status"] != "canceled"]
    elif wanted == "ended":
        rows = [row for row in rows if row["status"] in ENDED]
    elif wanted != "all":
        rows = [row for row in rows if row["status"] == wanted]
    if "customer" in call.params:
        rows = [row for row in rows if row["customer"] == call.params["customer"]]
    if "price" in call.params:
        rows = [row for row in rows if row["items"]["data"][0]["price"]["id"] == call.params["price"]]
    return page(rows, call.params, url="/v1/subscriptions", noun="subscription")


def create_subscription(call: Call) -> Json:
    """POST /v1/subscriptions: active at once, with its first invoice paid."""
    if "customer" not in call.params:
        raise missing_param("customer")
    customer = call.needed("customer", "customer", call.params["customer"], "customer")
    price = _price_of(call)
    if price is None:
        raise missing_param("items")
    row = call.objects.subscription(customer["id"], price["id"], metadata=metadata(call.params, {}))
    invoice = call.objects.invoice(
        customer["id"], price["unit_amount"], subscription=row["id"], billing_reason="subscription_create"
    )
    row["latest_invoice"] = invoice["id"]
    call.emit("customer.subscription.created", row, {})
    call.emit("invoice.payment_succeeded", invoice, {})
    return row


def update_subscription(call: Call) -> Json:
    """POST /v1/subscriptions/{id}: the price, the metadata, a cancellation at period end and a pause of collection."""
    row = call.needed("subscription", "subscription")
    if row["status"] == "canceled" and not UPDATABLE_CANCELED.issuperset(call.params):
        raise StripeError(400, "A canceled subscription can only update its cancellation_details and metadata.")
    changes: dict[str, Any] = {"metadata": metadata(call.params, row["metadata"])}
    at_end = boolean(call.params, "cancel_at_period_end")
    if at_end is not None:
        end = row["items"]["data"][0]["current_period_end"] if at_end else None
        changes |= {"cancel_at_period_end": at_end, "cancel_at": end}
        changes |= {"canceled_at": call.objects.now() if at_end else None}
    if "pause_collection" in call.params:
        changes["pause_collection"] = call.params["pause_collection"] or None
    if "description" in call.params:
        changes["description"] = call.params["description"] or None
    price = _price_of(call)
    if price is not None:
        item = row["items"]["data"][0] | {"price": price}
        changes["items"] = row["items"] | {"data": [item]}
    return call.changed("customer.subscription.updated", row, changes)


def cancel_subscription(call: Call) -> Json:
    """DELETE /v1/subscriptions/{id}: at once; one that is already canceled is not found any more, as in Stripe."""
    row = call.needed("subscription", "subscription")
    if row["status"] == "canceled":
        raise missing_object("subscription", call.id)
    now = call.objects.now()
    details = row["cancellation_details"] | {"reason": "cancellation_requested"}
    given = call.params.get("cancellation_details")
    changes = {"status": "canceled", "canceled_at": now, "ended_at": now}
    changes["cancellation_details"] = details | (given if isinstance(given, dict) else {})
    return call.changed("customer.subscription.deleted", row, changes)


def _price_of(call: Call) -> Json | None:
    items = call.params.get("items")
    if items is None:
        return None
    if not isinstance(items, list) or not items or "price" not in items[0]:
        raise missing_param("items[0][price]")
    return call.needed("price", "price", items[0]["price"], "items[0][price]")


def create_invoice(call: Call) -> Json:
    """POST /v1/invoices: an empty draft for a customer."""
    customer = call.needed("customer", "customer", call.params.get("customer", ""), "customer")
    row = call.objects.invoice(customer["id"], 0, status="draft", metadata=metadata(call.params, {}))
    call.emit("invoice.created", row, {})
    return row


def finalize_invoice(call: Call) -> Json:
    """POST /v1/invoices/{id}/finalize."""
    row = _invoice(call, "draft", "finalized")
    base = call.objects.base_url
    pages = {"hosted_invoice_url": f"{base}/i/{row['id']}", "invoice_pdf": f"{base}/i/{row['id']}/pdf"}
    return call.changed("invoice.finalized", row, pages | {"status": "open"} | _moment(call, row, "finalized_at"))


def pay_invoice(call: Call) -> Json:
    """POST /v1/invoices/{id}/pay: succeeds; subscriptions that were behind because of it become active."""
    row = call.needed("invoice", "invoice")
    if row["status"] == "paid":
        raise StripeError(400, "Invoice is already paid")
    row = _invoice(call, "open", "paid")
    paid = {"amount_paid": row["amount_due"], "amount_remaining": 0, "attempted": True, "status": "paid"}
    paid["attempt_count"] = row["attempt_count"] + 1
    call.changed("invoice.payment_succeeded", row, paid | _moment(call, row, "paid_at"))
    parent = row["parent"] or {}
    subscription = call.objects.find(parent.get("subscription_details", {}).get("subscription", ""))
    if subscription is not None and subscription["status"] in {"past_due", "unpaid"}:
        call.changed("customer.subscription.updated", subscription, {"status": "active"})
    return row


def void_invoice(call: Call) -> Json:
    """POST /v1/invoices/{id}/void."""
    row = _invoice(call, "open", "voided")
    return call.changed("invoice.voided", row, {"status": "void"} | _moment(call, row, "voided_at"))


def send_invoice(call: Call) -> Json:
    """POST /v1/invoices/{id}/send: changes nothing but says that it was sent."""
    row = _invoice(call, "open", "sent")
    call.emit("invoice.sent", row, {})
    return row


def _invoice(call: Call, status: str, verb: str) -> Json:
    row = call.needed("invoice", "invoice")
    if row["status"] != status:
        message = f"Invoices with status {row['status']} cannot be {verb}; only {status} ones can."
        raise StripeError(400, message, code="invoice_not_editable")
    return row


def _moment(call: Call, row: Json, name: str) -> Json:
    return {"status_transitions": row["status_transitions"] | {name: call.objects.now()}}


def _of_subscription(row: Json, wanted: str) -> bool:
    parent = row["parent"] or {}
    return bool(parent.get("subscription_details", {}).get("subscription") == wanted)


def _with_status(row: Json, wanted: str) -> bool:
    choice({"status": wanted}, "status", ("draft", "open", "paid", "uncollectible", "void"))
    return bool(row["status"] == wanted)


INVOICE_FILTERS = {
    "customer": equal("customer"),
    "status": _with_status,
    "subscription": _of_subscription,
    "collection_method": equal("collection_method"),
}
ROUTES = (
    Route(
        "GET", "/v1/subscriptions", list_subscriptions, PAGING | frozenset(("customer", "status", "price", "created"))
    ),
    family("subscription", "subscriptions", "subscription", {})[1],
    Route("POST", "/v1/subscriptions", create_subscription, frozenset(("customer", "items", "metadata"))),
    Route("POST", "/v1/subscriptions/{id}", update_subscription, CHANGE_KNOWN),
    Route("DELETE", "/v1/subscriptions/{id}", cancel_subscription, CANCEL_KNOWN),
    *family("invoice", "invoices", "invoice", INVOICE_FILTERS),
    Route("POST", "/v1/invoices", create_invoice, frozenset(("customer", "metadata"))),
    Route("POST", "/v1/invoices/{id}/finalize", finalize_invoice),
    Route("POST", "/v1/invoices/{id}/pay", pay_invoice, frozenset(("off_session", "payment_method"))),
    Route("POST", "/v1/invoices/{id}/void", void_invoice),
    Route("POST", "/v1/invoices/{id}/send", send_invoice),
)
