"""Why a platform refuses a credential (WA-06): rights missing, account suspended, wrong key, a changed API."""

from __future__ import annotations

from bot.sandbox.sample import Ground, Planted
from bot.sandbox.waooaw.desk import IDS, RAVI, execute, key
from bot.sandbox.waooaw.exchange import refused
from bot.sandbox.waooaw.state import settled

SAMPLE = {
    **IDS,
    "credential_id": str(key("credential meera instagram")),
    "key_id": str(key("credential ravi delta_exchange")),
}
REFUSALS = """
INSERT INTO api_logs (customer_id, endpoint, direction, platform, status, created_at)
SELECT md5('customer ' || n)::uuid, '/graph/v19.0/me/media', 'out', 'instagram', 400, now() - make_interval(mins => n)
FROM generate_series(1, 8) AS n
"""


async def rights_missing(ground: Ground) -> Planted:
    """WA-06: the customer unticked the right to publish when they connected."""
    await settled(ground)
    change = "UPDATE credentials SET scopes = array_remove(scopes, 'instagram_content_publish') WHERE id = $1"
    await execute(ground, change, key("credential meera instagram"))
    return Planted(SAMPLE)


async def account_suspended(ground: Ground) -> Planted:
    """WA-06: Instagram has suspended the account for posting too often."""
    await settled(ground)
    change = "UPDATE credentials SET last_error = 'account suspended: unusual activity' WHERE id = $1"
    await execute(ground, change, key("credential meera instagram"))
    return Planted(SAMPLE)


async def wrong_key(ground: Ground) -> Planted:
    """WA-06: the exchange does not know the key that the customer stored."""
    await settled(ground)
    await execute(ground, "UPDATE credentials SET status = 'invalid' WHERE customer_id = $1", RAVI)
    ground.programs.answer(refused("invalid_api_key"))
    return Planted(SAMPLE)


async def api_changed(ground: Ground) -> Planted:
    """WA-06: Instagram refuses the same call of eight customers since this morning."""
    api = await settled(ground)
    api.refuses("instagram", 400, "(#2635) You are calling a deprecated version")
    await execute(ground, REFUSALS)
    return Planted(SAMPLE)


async def refused_without_reason(ground: Ground) -> Planted:
    """WA-06: 403 for this customer alone, with nothing that says why."""
    api = await settled(ground)
    api.refuses("instagram", 403, "Forbidden")
    return Planted(SAMPLE)


async def scopes_not_noted(ground: Ground) -> Planted:
    """WA-06: the connection works, and our record misses one of its permissions."""
    api = await settled(ground)
    change = "UPDATE credentials SET scopes = array_remove(scopes, 'pages_show_list') WHERE id = $1"
    await execute(ground, change, key("credential meera instagram"))
    api.tests["instagram"] = {"ok": True, "platform_status": 200, "error": None, "scopes": [], "usage": {"percent": 12}}
    return Planted(SAMPLE)


FAULTS = {
    "scopes_not_noted": scopes_not_noted,
    "rights_missing": rights_missing,
    "account_suspended": account_suspended,
    "wrong_key": wrong_key,
    "api_changed": api_changed,
    "refused_without_reason": refused_without_reason,
}
