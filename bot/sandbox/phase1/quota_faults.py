"""What goes wrong with quotas: one function for each fault of P1-02 and P1-05."""

from __future__ import annotations

from bot.sandbox.phase1.app import down
from bot.sandbox.phase1.desk import desk
from bot.sandbox.phase1.members import QUOTA, ids
from bot.sandbox.phase1.settling import settle
from bot.sandbox.sample import Fault, Ground, Planted


async def quota_in_order(ground: Ground) -> Planted:
    """P1-02: nothing is used up, and exports, which have no limit, are used a lot."""
    await settle(ground)
    async with desk(ground, QUOTA) as at:
        await at.used("exports", 250_000)
    return Planted(ids(QUOTA))


async def quota_used_up(ground: Ground) -> Planted:
    """P1-02: all renders of the month are used."""
    await settle(ground)
    async with desk(ground, QUOTA) as at:
        await at.used("renders", 2000)
    return Planted(ids(QUOTA))


async def quota_without_api(ground: Ground) -> Planted:
    """P1-02: renders and masks are used up, and the admin API does not answer."""
    await settle(ground)
    async with desk(ground, QUOTA) as at:
        await at.used("masks", 104)
        await at.used("renders", 2000)
    down(ground)
    return Planted(ids(QUOTA))


async def quota_of_suspended(ground: Ground) -> Planted:
    """P1-02: used up, and the account is suspended anyway."""
    await settle(ground)
    async with desk(ground, QUOTA) as at:
        await at.used("renders", 2000)
        await at.row(status="suspended")
    return Planted(ids(QUOTA))


async def quota_unknown(ground: Ground) -> Planted:
    """P1-02: a feature that the plan says nothing about."""
    await settle(ground)
    async with desk(ground, QUOTA) as at:
        await at.used("voice_minutes", 12)
    return Planted(ids(QUOTA))


async def quota_untouched(ground: Ground) -> Planted:
    """P1-02: nothing was used yet."""
    await settle(ground)
    async with desk(ground, QUOTA) as at:
        await at.run("DELETE FROM rate_limits WHERE profile_id = $1", QUOTA.profile_id)
    return Planted(ids(QUOTA))


async def quota_exceeded(ground: Ground) -> Planted:
    """P1-05: somebody is far above a limit that should have stopped them."""
    await settle(ground)
    async with desk(ground, QUOTA) as at:
        await at.used("renders", 2600)
    return Planted(ids(QUOTA))


async def plans_unclear(ground: Ground) -> Planted:
    """P1-05: a feature without a plan, a plan said twice, and a value that is no number."""
    await settle(ground)
    async with desk(ground, QUOTA) as at:
        await at.used("voice_minutes", 12)
        await at.used("seats", 4)
        await at.run(
            "INSERT INTO plan_features (tier, feature, value)"
            " VALUES ('PRO', 'renders', '2500'), ('PRO', 'seats', 'five')"
        )
    return Planted(ids(QUOTA))


QUOTA_FAULTS: dict[str, Fault] = {
    "quota_in_order": quota_in_order,
    "quota_used_up": quota_used_up,
    "quota_without_api": quota_without_api,
    "quota_of_suspended": quota_of_suspended,
    "quota_unknown": quota_unknown,
    "quota_untouched": quota_untouched,
    "quota_exceeded": quota_exceeded,
    "plans_unclear": plans_unclear,
}
