"""The sample system's payment provider: attempts, saved methods, payment links and refunds, as Razorpay answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.sandbox.sample import Ground
from bot.sandbox.services import Asked, Reply
from bot.sandbox.waooaw.desk import execute

Json = dict[str, Any]
PREFIX = "/razorpay/v1"
CUSTOMER, PAID, ORDER = "cust_meera0000001", "pay_meera000000001", "order_meera000000001"
FAILED, SECOND = "pay_meera000000002", "pay_meera000000003"
FAILED_ORDER = "order_meera000000002"
AMOUNT = 299900
MISSING = Reply(400, {"error": {"code": "BAD_REQUEST_ERROR", "description": "The id provided does not exist"}})
TAKEN = Reply(400, {"error": {"code": "BAD_REQUEST_ERROR", "description": "reference_id already exists"}})
REFUNDED = "UPDATE payments SET status = 'refunded' WHERE razorpay_payment_id = $1"


def attempt(id: str, order: str, status: str, *, minutes: int, **fields: Any) -> Json:
    """One attempt to pay, as Razorpay shows it."""
    made = {
        "id": id,
        "entity": "payment",
        "order_id": order,
        "status": status,
        "amount": AMOUNT,
        "amount_refunded": 0,
        "currency": "INR",
        "method": "card",
        "international": False,
        "captured": status == "captured",
        "error_code": None,
        "error_reason": None,
        "error_description": None,
        "created_at": _epoch(datetime.now(UTC) - timedelta(minutes=minutes)),
    }
    return made | fields


class Razorpay:
    """Razorpay as the sample system's key sees it. `attempts`, `cards` and `links` are what it has."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.attempts: list[Json] = [attempt(PAID, ORDER, "captured", minutes=14400)]
        self.cards: list[Json] = [{"id": "token_1", "method": "card", "last4": "4242", "expired": False}]
        self.links: list[Json] = []

    def serve(self) -> None:
        """From now on these answers."""
        routes = {
            ("GET", "/payments/{id}"): self._payment,
            ("GET", "/orders/{id}/payments"): self._of_order,
            ("GET", "/customers/{id}/tokens"): self._tokens,
            ("GET", "/payment_links"): self._links,
            ("POST", "/payment_links"): self._link,
            ("POST", "/payment_links/{id}/cancel"): self._cancel,
            ("POST", "/payments/{id}/refund"): self._refund,
        }
        for (method, path), then in routes.items():
            self.ground.services.answer(method, f"{PREFIX}{path}", Reply(then=then, token=True))

    async def _payment(self, asked: Asked) -> Json | Reply:
        return next((each for each in self.attempts if each["id"] == _part(asked, -1)), MISSING)

    async def _of_order(self, asked: Asked) -> Json:
        return _collection([each for each in self.attempts if each["order_id"] == _part(asked, -2)])

    async def _tokens(self, _asked: Asked) -> Json:
        return _collection(self.cards)

    async def _links(self, asked: Asked) -> Json:
        wanted = asked.query.get("reference_id")
        return {"payment_links": [each for each in self.links if each["reference_id"] == wanted]}

    async def _link(self, asked: Asked) -> Json | Reply:
        said = asked.json
        if any(each["reference_id"] == said["reference_id"] for each in self.links):
            return TAKEN
        number = len(self.links) + 1
        made = {
            "id": f"plink_{number:014}",
            "status": "created",
            "short_url": f"https://rzp.io/i/{number:06}",
            "created_at": _epoch(datetime.now(UTC)),
        }
        self.links.append({**said, **made, "amount": int(said["amount"])})
        return self.links[-1]

    async def _cancel(self, asked: Asked) -> Json | Reply:
        found = next((each for each in self.links if each["id"] == _part(asked, -2)), None)
        if found is None:
            return MISSING
        found["status"] = "cancelled"
        return found

    async def _refund(self, asked: Asked) -> Json | Reply:
        found = next((each for each in self.attempts if each["id"] == _part(asked, -2)), None)
        amount = int(asked.json["amount"])
        if found is None or found["amount_refunded"] + amount > found["amount"]:
            return MISSING
        found["amount_refunded"] += amount
        found["status"] = "refunded"
        await execute(self.ground, REFUNDED, found["id"])
        return {"id": "rfnd_00000000000001", "payment_id": found["id"], "amount": amount, "status": "processed"}


def _collection(rows: list[Json]) -> Json:
    return {"entity": "collection", "count": len(rows), "items": rows}


def _part(asked: Asked, place: int) -> str:
    return asked.path.split("/")[place]


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())
