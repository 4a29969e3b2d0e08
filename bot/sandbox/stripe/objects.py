"""What the local Stripe holds, in the shape of API version 2026-10-28; seeded by the sandbox and by tests."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from bot.clock import Clock
from bot.sandbox.stripe.wire import Json, snapshot

Outcome = Literal["succeeded", "declined", "created"]
API_VERSION = "2026-10-28.endive"
ALPHABET = string.ascii_letters + string.digits
ID_LENGTH = 24
DECLINED = "Your card was declined."
MONTH_SECONDS = 30 * 24 * 3600


class Objects:
    """Every object of the account by id, in order of making. Times are epoch seconds, amounts whole cents.

    The making methods add to what is there without an event or a webhook: they say how the world already is.
    Each takes further fields by name, which replace the defaults, and returns the stored dict itself.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_id: dict[str, Json] = {}
        self.base_url = "http://127.0.0.1"
        self.webhook_secrets: dict[str, str] = {}

    def now(self) -> int:
        """The clock in epoch seconds."""
        return int(self._clock.now().timestamp())

    def new_id(self, prefix: str) -> str:
        """A fresh id such as cus_… ."""
        return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(ID_LENGTH))}"

    def find(self, wanted: str) -> Json | None:
        """The object of that id, deleted ones included."""
        return self._by_id.get(wanted)

    def get(self, wanted: str) -> Json:
        """The object of that id; KeyError when there is none."""
        return self._by_id[wanted]

    def of(self, kind: str) -> Iterator[Json]:
        """Every living object of a kind (`customer`, `invoice`, …), newest first; of equal times the later made."""
        alive = [row for row in self._by_id.values() if row["object"] == kind and not row.get("deleted")]
        order = sorted(enumerate(alive), key=lambda placed: (int(placed[1]["created"]), placed[0]), reverse=True)
        return (row for _, row in order)

    def add(self, prefix: str, kind: str, fields: Mapping[str, Any], replaced: Mapping[str, Any]) -> Json:
        """Store an object made of `fields`, some of them `replaced`, which may name the id."""
        row: Json = {"id": self.new_id(prefix), "object": kind, "created": self.now(), "livemode": False}
        row |= {"metadata": {}} | dict(fields) | dict(replaced)
        if row["id"] in self._by_id:
            raise ValueError(f"{row['id']} is already there")
        self._by_id[row["id"]] = row
        return row

    def remove(self, row: Json) -> None:
        """Leave the tombstone that Stripe shows of a deleted object."""
        self._by_id[row["id"]] = {"id": row["id"], "object": row["object"], "deleted": True}

    def discard(self, wanted: str) -> None:
        """Remove one object without a tombstone, as if it had never been."""
        del self._by_id[wanted]

    def forget_customer(self, customer: str) -> None:
        """Remove a customer without a trace: its objects of every kind and the events about them."""
        mine = {row["id"] for row in self._by_id.values() if customer in {row["id"], row.get("customer")}}
        charges = {row["id"] for row in self._by_id.values() if row.get("charge") in mine}
        gone = mine | charges
        for row in tuple(self._by_id.values()):
            about = row["data"]["object"]["id"] if row["object"] == "event" else row["id"]
            if about in gone:
                del self._by_id[row["id"]]

    def clear(self) -> None:
        """Forget everything."""
        self._by_id.clear()
        self.webhook_secrets.clear()

    def customer(self, **fields: Any) -> Json:
        """A customer; usual fields: id, email, name, metadata."""
        made: Json = {
            "email": None,
            "name": None,
            "phone": None,
            "description": None,
            "address": None,
            "shipping": None,
        }
        made |= {"balance": 0, "currency": "usd", "delinquent": False, "default_source": None, "discount": None}
        made |= {"invoice_prefix": secrets.token_hex(4).upper(), "next_invoice_sequence": 1, "preferred_locales": []}
        made |= {"invoice_settings": {"default_payment_method": None, "custom_fields": None, "footer": None}}
        return self.add("cus", "customer", made | {"tax_exempt": "none", "test_clock": None}, fields)

    def product(self, name: str, **fields: Any) -> Json:
        """A product."""
        made = {"name": name, "active": True, "description": None, "type": "service", "updated": self.now()}
        return self.add("prod", "product", made | {"default_price": None, "images": [], "unit_label": None}, fields)

    def price(self, product: str, unit_amount: int, **fields: Any) -> Json:
        """A monthly price; pass recurring=None for a one-time price."""
        recurring = {"interval": "month", "interval_count": 1, "meter": None, "usage_type": "licensed"}
        made = {"product": product, "unit_amount": unit_amount, "unit_amount_decimal": str(unit_amount), "active": True}
        made |= {"currency": "usd", "billing_scheme": "per_unit", "lookup_key": None, "nickname": None}
        made |= {"recurring": recurring, "type": "recurring", "tax_behavior": "unspecified"}
        row = self.add("price", "price", made, fields)
        row["type"] = "recurring" if row["recurring"] else "one_time"
        return row

    def subscription(self, customer: str, price: str, *, period_end: int | None = None, **fields: Any) -> Json:
        """A subscription to one price. Since 2025-03-31 the period lies on the item, not on the subscription."""
        end = period_end or self.now() + MONTH_SECONDS
        row = self.add("sub", "subscription", _subscription_fields(customer, self.now()), fields)
        item = {"id": self.new_id("si"), "object": "subscription_item", "created": row["created"], "metadata": {}}
        item |= {"price": self.get(price), "quantity": 1, "subscription": row["id"], "discounts": [], "tax_rates": []}
        item |= {"current_period_start": end - MONTH_SECONDS, "current_period_end": end}
        url = f"/v1/subscription_items?subscription={row['id']}"
        row["items"] = {"object": "list", "data": [item], "has_more": False, "total_count": 1, "url": url}
        return row

    def invoice(self, customer: str, amount: int, *, status: str = "paid", **fields: Any) -> Json:
        """An invoice; `open` is what a failed payment leaves. Pass subscription=sub_… to link one."""
        subscription = fields.pop("subscription", None)
        owner = self.get(customer)
        made = _invoice_fields(amount, status, self.now()) | {"customer": customer}
        made |= {"customer_email": owner.get("email"), "customer_name": owner.get("name")}
        if subscription is not None:
            details = {"subscription": subscription, "metadata": {}}
            made["parent"] = {"type": "subscription_details", "subscription_details": details, "quote_details": None}
        row = self.add("in", "invoice", made, fields)
        if row["status"] != "draft":
            row["hosted_invoice_url"] = f"{self.base_url}/i/{row['id']}"
            row["invoice_pdf"] = f"{self.base_url}/i/{row['id']}/pdf"
        return row

    def payment(self, customer: str | None, amount: int, *, outcome: Outcome = "succeeded", **fields: Any) -> Json:
        """A payment intent with its charge (`latest_charge`), or without one when it was only created."""
        succeeded = outcome == "succeeded"
        made: Json = {"amount": amount, "amount_received": amount if succeeded else 0, "amount_capturable": 0}
        made |= {"currency": "usd", "customer": customer, "description": None, "receipt_email": None}
        made |= {"capture_method": "automatic", "confirmation_method": "automatic", "payment_method_types": ["card"]}
        made |= {"canceled_at": None, "cancellation_reason": None, "setup_future_usage": None, "latest_charge": None}
        made |= {"last_payment_error": None, "next_action": None, "payment_method": self.new_id("pm")}
        made["status"] = "succeeded" if succeeded else "requires_payment_method"
        row = self.add("pi", "payment_intent", made, fields)
        row["client_secret"] = f"{row['id']}_secret_{secrets.token_hex(8)}"
        if outcome == "created":
            return row
        charge = self.add("ch", "charge", _charge_fields(row, succeeded), {"created": row["created"]})
        row["latest_charge"] = charge["id"]
        if not succeeded:
            row["last_payment_error"] = {"type": "card_error", "code": "card_declined", "message": DECLINED}
            row["last_payment_error"] |= {"decline_code": "generic_decline", "charge": charge["id"]}
        return row

    def dispute(self, charge: str, **fields: Any) -> Json:
        """A disputed charge."""
        disputed = self.get(charge)
        disputed["disputed"] = True
        made = {"charge": charge, "amount": disputed["amount"], "currency": disputed["currency"]}
        made |= {"payment_intent": disputed["payment_intent"], "reason": "fraudulent", "status": "needs_response"}
        return self.add("dp", "dispute", made | {"is_charge_refundable": False, "balance_transactions": []}, fields)

    def webhook_endpoint(self, url: str, enabled_events: list[str], **fields: Any) -> Json:
        """A webhook endpoint; its signing secret (whsec_…) is in `webhook_secrets`, for Stripe shows it only once."""
        made = {"url": url, "enabled_events": enabled_events, "status": "enabled", "api_version": None}
        row = self.add("we", "webhook_endpoint", made | {"description": None, "application": None}, fields)
        self.webhook_secrets[row["id"]] = f"whsec_{secrets.token_urlsafe(24)}"
        return row

    def event(self, kind: str, about: Json, **fields: Any) -> Json:
        """An event about the object as it is now; `pending_webhooks` is how many deliveries are still owed."""
        made = {"type": kind, "api_version": API_VERSION, "data": {"object": snapshot(about)}, "pending_webhooks": 0}
        row = self.add("evt", "event", made | {"request": {"id": None, "idempotency_key": None}}, fields)
        row.pop("metadata")
        return row


def _subscription_fields(customer: str, now: int) -> Json:
    made: Json = {"customer": customer, "status": "active", "currency": "usd", "start_date": now}
    made |= {"collection_method": "charge_automatically", "billing_cycle_anchor": now, "days_until_due": None}
    made |= {"cancel_at": None, "cancel_at_period_end": False, "canceled_at": None, "ended_at": None}
    made |= {"cancellation_details": {"comment": None, "feedback": None, "reason": None}, "description": None}
    made |= {"latest_invoice": None, "default_payment_method": None, "pause_collection": None, "schedule": None}
    return made | {"trial_start": None, "trial_end": None, "discounts": [], "billing_mode": {"type": "flexible"}}


def _invoice_fields(amount: int, status: str, now: int) -> Json:
    paid = amount if status == "paid" else 0
    made: Json = {"status": status, "currency": "usd", "amount_due": amount, "amount_paid": paid, "total": amount}
    made |= {"amount_remaining": amount - paid, "subtotal": amount, "attempted": status != "draft"}
    made |= {"attempt_count": int(status != "draft"), "auto_advance": status == "open", "billing_reason": "manual"}
    made |= {"collection_method": "charge_automatically", "description": None, "due_date": None, "parent": None}
    made |= {"number": f"{secrets.token_hex(4).upper()}-0001", "period_start": now, "period_end": now}
    made |= {"next_payment_attempt": None, "hosted_invoice_url": None, "invoice_pdf": None, "starting_balance": 0}
    times = {"finalized_at": None if status == "draft" else now, "paid_at": now if status == "paid" else None}
    made["status_transitions"] = times | {
        "marked_uncollectible_at": None,
        "voided_at": now if status == "void" else None,
    }
    made["lines"] = {"object": "list", "data": [], "has_more": False, "total_count": 0, "url": "/v1/invoices/lines"}
    return made


def _charge_fields(intent: Json, succeeded: bool) -> Json:
    made: Json = {"amount": intent["amount"], "amount_captured": intent["amount_received"], "amount_refunded": 0}
    made |= {"captured": succeeded, "paid": succeeded, "status": "succeeded" if succeeded else "failed"}
    made |= {"currency": intent["currency"], "customer": intent["customer"], "payment_intent": intent["id"]}
    made |= {"refunded": False, "disputed": False, "description": intent["description"], "receipt_email": None}
    made |= {"failure_code": None if succeeded else "card_declined", "failure_message": None if succeeded else DECLINED}
    made |= {"receipt_url": None, "payment_method": intent["payment_method"], "metadata": dict(intent["metadata"])}
    made["outcome"] = {"network_status": "approved_by_network", "type": "authorized", "reason": None}
    return made
