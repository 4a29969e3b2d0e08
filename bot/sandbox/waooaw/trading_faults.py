"""What goes wrong with trading: positions that do not close (WA-16) and orders that are rejected (WA-14)."""

from __future__ import annotations

from bot.sandbox.sample import Ground, Planted
from bot.sandbox.waooaw.desk import IDS, RAVI, execute, key
from bot.sandbox.waooaw.exchange import Exchange, refused
from bot.sandbox.waooaw.state import settled

POSITION = key("position ravi")
NAMED = {**IDS, "position_id": str(POSITION), "order_key": POSITION.hex}
FAILED_CLOSE = """
INSERT INTO orders (customer_id, agent_id, symbol, side, size, price, notional, reduce_only, status, reject_reason)
VALUES ($1, md5('agent ravi')::uuid, 'BTCUSD', 'sell', 0.2, 60200, 12040, true, 'rejected', $2)
"""
REJECTED = """
INSERT INTO orders (id, customer_id, agent_id, symbol, side, size, price, notional, status, reject_reason)
VALUES (md5('order ravi rejected')::uuid, $1, md5('agent ravi')::uuid, $2, 'buy', $3::numeric, 60000,
        $3::numeric * 60000, 'rejected', $4)
"""


async def close_failed(ground: Ground) -> Planted:
    """WA-16: the agent could not close its position; it is open at the exchange, as we believe."""
    await _closing(ground, "Unable to close position")
    return Planted(NAMED)


async def position_gone(ground: Ground) -> Planted:
    """WA-16: the exchange has closed the position, and we still believe it to be open."""
    exchange = await _closing(ground, "Position not found")
    exchange.positions = []
    return Planted(NAMED)


async def position_differs(ground: Ground) -> Planted:
    """WA-16: more is open at the exchange than the agent has bought: the customer trades there too."""
    exchange = await _closing(ground, "Unable to close position")
    exchange.positions[0]["size"] = 0.5
    return Planted(NAMED)


async def close_pending(ground: Ground) -> Planted:
    """WA-16: a closing order waits at the exchange already."""
    exchange = await _closing(ground, "Unable to close position")
    exchange.orders = [
        {"client_order_id": "agent-1", "symbol": "BTCUSD", "side": "sell", "size": 0.2, "reduce_only": True,
         "state": "open"}
    ]  # fmt: skip
    return Planted(NAMED)


async def exchange_silent(ground: Ground) -> Planted:
    """WA-16: the exchange does not answer with the customer's key."""
    exchange = await _closing(ground, "Unable to close position")
    exchange.refuses = "invalid_api_key"
    return Planted(NAMED)


async def market_halted(ground: Ground) -> Planted:
    """WA-16, WA-14: the exchange is under maintenance."""
    exchange = await _closing(ground, "Unable to close position")
    exchange.trading = "disrupted_cancel_only"
    ground.services.statuses["delta"] = "major"
    await execute(ground, REJECTED, RAVI, "BTCUSD", 0.02, "market disrupted")
    return Planted(NAMED)


async def orders_halted(ground: Ground) -> Planted:
    """WA-14: an order was rejected because the exchange is under maintenance."""
    exchange = await _rejected(ground, "BTCUSD", 0.02, "market disrupted")
    exchange.trading = "disrupted_cancel_only"
    ground.services.statuses["delta"] = "major"
    return Planted(NAMED)


async def balance_unknown(ground: Ground) -> Planted:
    """WA-14: an order was rejected, and the exchange refuses the key."""
    exchange = await _rejected(ground, "BTCUSD", 0.02, "invalid api key")
    exchange.refuses = "invalid_api_key"
    ground.programs.answer(refused("invalid_api_key"))
    return Planted(NAMED)


async def open_elsewhere(ground: Ground) -> Planted:
    """WA-16: a position is open at the exchange that no agent of ours has."""
    await settled(ground)
    await execute(ground, "UPDATE positions SET status = 'closed', size = 0 WHERE id = $1", POSITION)
    return Planted(NAMED)


async def closed_by_hand(ground: Ground) -> Planted:
    """WA-16: somebody has closed the agent's part in the exchange's own screens."""
    Exchange(ground, positions=[]).serve()
    return Planted(NAMED)


async def balance_too_low(ground: Ground) -> Planted:
    """WA-14: the order costs more than the customer has free at the exchange."""
    exchange = await _rejected(ground, "BTCUSD", 0.08, "Insufficient balance")
    exchange.available = 120.0
    return Planted(NAMED)


async def symbol_unknown(ground: Ground) -> Planted:
    """WA-14: the pair is written as another exchange writes it."""
    await _rejected(ground, "BTC-USD", 0.02, "Invalid symbol")
    return Planted(NAMED)


async def order_over_limit(ground: Ground) -> Planted:
    """WA-14: the order is larger than the agent's risk limits allow."""
    await _rejected(ground, "BTCUSD", 0.3, "Risk limit exceeded", available=90000.0)
    return Planted(NAMED)


async def position_limit(ground: Ground) -> Planted:
    """WA-14: with this order the agent would hold more than its position limit."""
    await _rejected(ground, "BTCUSD", 0.05, "Position limit reached")
    await execute(ground, "UPDATE agents SET position_limit = 0.2 WHERE id = md5('agent ravi')::uuid")
    return Planted(NAMED)


async def order_unexplained(ground: Ground) -> Planted:
    """WA-14: rejected, and nothing that can be read explains it."""
    await _rejected(ground, "BTCUSD", 0.02, "post only order would match")
    return Planted(NAMED)


async def _closing(ground: Ground, reason: str) -> Exchange:
    await settled(ground)
    await execute(ground, FAILED_CLOSE, RAVI, reason)
    exchange = Exchange(ground)
    exchange.serve()
    return exchange


async def _rejected(ground: Ground, symbol: str, size: float, reason: str, *, available: float = 4000.0) -> Exchange:
    await settled(ground)
    await execute(ground, REJECTED, RAVI, symbol, size, reason)
    exchange = Exchange(ground, available=available)
    exchange.serve()
    return exchange


FAULTS = {
    each.__name__: each
    for each in (
        *(close_failed, position_gone, position_differs, close_pending, exchange_silent, market_halted, closed_by_hand),
        *(balance_too_low, symbol_unknown, order_over_limit, position_limit, order_unexplained, orders_halted),
        *(balance_unknown, open_elsewhere),
    )
}
