"""The sample system's exchange: what the operators' API asks it, signed with the customer's key, and what is public."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.programs import Answer
from bot.sandbox.sample import Ground
from bot.sandbox.services import Asked, Reply
from bot.sandbox.waooaw.desk import RAVI
from bot.sandbox.waooaw.engine import BACKEND, docker

Json = dict[str, Any]
OPPOSITE = {"long": "sell", "short": "buy"}
TEST = ("compose", "exec", "-T", BACKEND, "python", "-m", "src.Plant.BackEnd.scripts.test_exchange_connection",
        "--customer_id", str(RAVI))  # fmt: skip
CONNECTED = (
    '{"ok": true, "error": null, "client_ip": "198.51.100.20", "permissions": ["read", "trade"], "skew_ms": 41}\n'
)
PRODUCTS = ("BTCUSD", "ETHUSD", "SOLUSD")


@dataclass
class Exchange:
    """The exchange as one customer's key sees it. A closing order that arrives is filled at once; with `fills` off it
    stays open. `refuses` makes every call with the customer's key fail."""

    ground: Ground
    positions: list[Json] = field(default_factory=lambda: [_position()])
    orders: list[Json] = field(default_factory=list)
    available: float = 4000.0
    trading: str = "operational"
    refuses: str = ""
    fills: bool = True

    def serve(self) -> None:
        """From now on these answers."""
        for method, path, then in (
            ("GET", "positions", self._positions),
            ("GET", "balances", self._balances),
            ("GET", "orders", self._orders),
            ("POST", "orders", self._place),
        ):
            self.ground.services.answer(method, f"/api/pp/exchange/{path}", Reply(then=then, token=True))
        self.ground.services.answer("GET", "/delta/v2/products/{symbol}", Reply(then=self._product))
        self.ground.programs.answer(docker(*TEST, out=CONNECTED))

    async def _positions(self, _asked: Asked) -> Json | Reply:
        return self._refused() or {"positions": [dict(each) for each in self.positions]}

    async def _balances(self, _asked: Asked) -> Json | Reply:
        return self._refused() or {"asset": "USD", "balance": self.available + 1000, "available": self.available}

    async def _orders(self, _asked: Asked) -> Json | Reply:
        return self._refused() or {"orders": [each for each in self.orders if each["state"] == "open"]}

    async def _place(self, asked: Asked) -> Json | Reply:
        said = asked.json
        if any(each["client_order_id"] == said["client_order_id"] for each in self.orders):
            return Reply(409, {"error": "client_order_id was used already"})
        held = next((each for each in self.positions if each["symbol"] == said["symbol"]), None)
        size = float(said["size"])
        reduces = held is not None and OPPOSITE[held["side"]] == said["side"] and held["size"] >= size
        if not said["reduce_only"] or not reduces or held is None:
            return Reply(400, {"error": "reduce_only would not reduce a position"})
        self.orders.append({**said, "state": "filled" if self.fills else "open"})
        if self.fills:
            held["size"] = round(held["size"] - size, 4)
            self.positions = [each for each in self.positions if each["size"]]
        return {"order": self.orders[-1]}

    async def _product(self, asked: Asked) -> Json | Reply:
        symbol = asked.path.rsplit("/", 1)[-1]
        if symbol not in PRODUCTS:
            return Reply(404, {"success": False, "error": {"code": "not_found"}})
        return {"success": True, "result": {"symbol": symbol, "state": "live", "trading_status": self.trading}}

    def _refused(self) -> Reply | None:
        return Reply(502, {"error": self.refuses}) if self.refuses else None


def _position() -> Json:
    return {"symbol": "BTCUSD", "side": "long", "size": 0.2, "entry_price": 61000, "mark_price": 60200}


def refused(error: str | None, **fields: Any) -> Answer:
    """The test of the trader's key, refused for that reason."""
    said = {"ok": False, "error": error, "client_ip": "198.51.100.20", "permissions": [], "skew_ms": 38} | fields
    return docker(*TEST, out=json.dumps(said) + "\n")
