"""What the exchange does with a customer's key (WA-13), and what stands against an agent's risk limits (WA-15)."""

from __future__ import annotations

from typing import Any

from bot.sandbox.sample import Ground, Planted
from bot.sandbox.waooaw.desk import IDS, RAVI, execute
from bot.sandbox.waooaw.engine import docker
from bot.sandbox.waooaw.exchange import CONNECTED, TEST, Exchange, refused
from bot.sandbox.waooaw.state import settled

VIOLATION = """
INSERT INTO risk_violations (customer_id, agent_id, symbol, limit_name, limit_value, asked, created_at)
SELECT $1::uuid, md5('agent ravi')::uuid, 'BTCUSD', $2::text, $3::numeric, $4::numeric, now() - make_interval(mins => n)
FROM generate_series(1, $5) AS n
"""


async def key_invalid(ground: Ground) -> Planted:
    """WA-13: the exchange does not know the key."""
    return await _refused(ground, "invalid_api_key")


async def signature_wrong(ground: Ground) -> Planted:
    """WA-13: the secret does not belong to the key."""
    return await _refused(ground, "signature_mismatch")


async def clock_wrong(ground: Ground) -> Planted:
    """WA-13: our clock is nine seconds off."""
    return await _refused(ground, "expired_signature", skew_ms=-9120)


async def address_not_allowed(ground: Ground) -> Planted:
    """WA-13: our address is not among those that the customer allows."""
    return await _refused(ground, "ip_not_whitelisted_for_api_key")


async def key_may_not_trade(ground: Ground) -> Planted:
    """WA-13: the key may read and not trade."""
    return await _refused(ground, None, ok=True, permissions=["read"])


async def key_accepted(ground: Ground) -> Planted:
    """WA-13: the customer has changed the key, and the exchange takes it."""
    ground.programs.answer(docker(*TEST, out=CONNECTED))
    Exchange(ground).serve()
    return Planted(IDS)


async def no_exchange_key(ground: Ground) -> Planted:
    """WA-13: the customer has connected no exchange."""
    await settled(ground)
    await execute(ground, "DELETE FROM credentials WHERE customer_id = $1", RAVI)
    return Planted(IDS)


async def key_refused_otherwise(ground: Ground) -> Planted:
    """WA-13: the exchange refuses with a word that says nothing about the key."""
    return await _refused(ground, "internal_server_error")


async def delta_down(ground: Ground) -> Planted:
    """WA-13: the exchange has an outage, and still answers."""
    await settled(ground)
    ground.services.statuses["delta"] = "major"
    return Planted(IDS)


async def test_broken(ground: Ground) -> Planted:
    """WA-13: the backend cannot run the test."""
    await settled(ground)
    ground.programs.answer(docker(*TEST, err='service "plant-backend" is not running\n', code=1))
    return Planted(IDS)


async def trading_paused(ground: Ground) -> Planted:
    """WA-13: the key works again, and the goals still stand still."""
    await settled(ground)
    statement = "UPDATE goals SET status = 'paused', paused_at = now() WHERE customer_id = $1"
    await execute(ground, statement, RAVI)
    return Planted(IDS)


async def over_notional(ground: Ground) -> Planted:
    """WA-15: an order of 9,000 USD where 5,000 are allowed."""
    return await _blocked(ground, "max_notional", 5000, 9000, times=2)


async def over_units(ground: Ground) -> Planted:
    """WA-15: an order of 0.8 units where 0.5 are allowed."""
    return await _blocked(ground, "max_units", 0.5, 0.8)


async def beyond_ceiling(ground: Ground) -> Planted:
    """WA-15: an order that nobody may allow."""
    return await _blocked(ground, "max_notional", 5000, 90000)


async def agent_runs_wild(ground: Ground) -> Planted:
    """WA-15: the agent tries again and again."""
    return await _blocked(ground, "max_notional", 5000, 9000, times=40)


async def limits_raised(ground: Ground) -> Planted:
    """WA-15: the limits were raised after the trades that were blocked."""
    await over_notional(ground)
    raised = "UPDATE agents SET max_notional = 10000, limits_until = now() + interval '1 day' WHERE customer_id = $1"
    await execute(ground, raised, RAVI)
    return Planted(IDS)


async def _blocked(ground: Ground, limit: str, allowed: float, asked: float, *, times: int = 1) -> Planted:
    await settled(ground)
    await execute(ground, VIOLATION, RAVI, limit, allowed, asked, times)
    return Planted(IDS)


async def _refused(ground: Ground, error: str | None, **fields: Any) -> Planted:
    await settled(ground)
    ground.programs.answer(refused(error, **fields))
    return Planted(IDS)


FAULTS = {
    each.__name__: each
    for each in (
        *(key_invalid, signature_wrong, clock_wrong, address_not_allowed, key_may_not_trade, key_accepted),
        *(no_exchange_key, test_broken, trading_paused, key_refused_otherwise, delta_down),
        *(over_notional, over_units, beyond_ceiling, agent_runs_wild, limits_raised),
    )
}
