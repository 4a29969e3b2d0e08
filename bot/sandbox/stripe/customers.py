"""The local Stripe's customers, products and prices."""

from __future__ import annotations

from bot.sandbox.stripe.routing import Call, Route, equal, family
from bot.sandbox.stripe.wire import Json, bad_param, boolean, integer, metadata, missing_object, missing_param

CUSTOMER_FIELDS = ("email", "name", "phone", "description")
PRICE_FIELDS = ("lookup_key", "nickname")


def create_customer(call: Call) -> Json:
    """POST /v1/customers."""
    given = {name: call.params[name] for name in CUSTOMER_FIELDS if name in call.params}
    row = call.objects.customer(**given, metadata=metadata(call.params, {}))
    call.emit("customer.created", row, {})
    return row


def retrieve_customer(call: Call) -> Json:
    """GET /v1/customers/{id}: a deleted customer is answered with its tombstone, not with an error."""
    row = call.objects.find(call.id)
    if row is None or row["object"] != "customer":
        raise missing_object("customer", call.id)
    return row


def update_customer(call: Call) -> Json:
    """POST /v1/customers/{id}."""
    row = call.needed("customer", "customer")
    given = {name: call.params[name] or None for name in CUSTOMER_FIELDS if name in call.params}
    return call.changed("customer.updated", row, given | {"metadata": metadata(call.params, row["metadata"])})


def delete_customer(call: Call) -> Json:
    """DELETE /v1/customers/{id}: cancels the customer's subscriptions at once and leaves a tombstone."""
    row = call.needed("customer", "customer")
    now = call.objects.now()
    for subscription in call.objects.of("subscription"):
        if subscription["customer"] == row["id"] and subscription["status"] != "canceled":
            ended = {"status": "canceled", "canceled_at": now, "ended_at": now}
            call.changed("customer.subscription.deleted", subscription, ended)
    call.emit("customer.deleted", row, {})
    call.objects.remove(row)
    return call.objects.get(row["id"])


def create_product(call: Call) -> Json:
    """POST /v1/products."""
    if "name" not in call.params:
        raise missing_param("name")
    row = call.objects.product(call.params["name"], metadata=metadata(call.params, {}))
    call.emit("product.created", row, {})
    return row


def create_price(call: Call) -> Json:
    """POST /v1/prices."""
    product = call.needed("product", "product", call.params.get("product", ""), "product")
    amount = integer(call.params, "unit_amount", minimum=0)
    if amount is None:
        raise missing_param("unit_amount")
    given = {name: call.params[name] for name in PRICE_FIELDS if name in call.params}
    recurring = call.params.get("recurring")
    if recurring is not None:
        if not isinstance(recurring, dict) or "interval" not in recurring:
            raise bad_param("recurring[interval]", "Missing required param: recurring[interval].", "parameter_missing")
        recurring = {"interval": recurring["interval"], "interval_count": 1, "meter": None, "usage_type": "licensed"}
    row = call.objects.price(product["id"], amount, recurring=recurring, metadata=metadata(call.params, {}), **given)
    call.emit("price.created", row, {})
    return row


def _is_active(row: Json, wanted: str) -> bool:
    return bool(row["active"]) == boolean({"active": wanted}, "active")


ROUTES = (
    family("customer", "customers", "customer", {"email": equal("email")})[0],
    Route("GET", "/v1/customers/{id}", retrieve_customer),
    Route("POST", "/v1/customers", create_customer, frozenset((*CUSTOMER_FIELDS, "metadata"))),
    Route("POST", "/v1/customers/{id}", update_customer, frozenset((*CUSTOMER_FIELDS, "metadata"))),
    Route("DELETE", "/v1/customers/{id}", delete_customer),
    *family("product", "products", "product", {"active": _is_active}),
    Route("POST", "/v1/products", create_product, frozenset(("name", "metadata"))),
    *family("price", "prices", "price", {"product": equal("product"), "active": _is_active}),
    Route(
        "POST",
        "/v1/prices",
        create_price,
        frozenset(("product", "unit_amount", "currency", "recurring", "metadata", *PRICE_FIELDS)),
    ),
)
