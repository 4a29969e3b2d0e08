"""What goes wrong with quotas: one function for each fault of P1-02 and P1-05."""

from __future__ import annotations

from bot.sandbox.phase1.app import down
from bot.sandbox.phase1.desk import desk
from bot.sandbox.phase1.members import QUOTA, ids
from bot.sandbox.phase1.settling import settle
from bot.sandbox.sample import Fault, Ground, Planted

IDS = ids(QUOTA)


async def _used(ground: Ground, **used: int) -> Planted:
    """A healthy member, and how much of some features they have used this month."""
    await settle(ground)
    async with desk(ground, QUOTA) as at:
        for feature, number in used.items():
            await at.used(feature, number)
    return Planted(IDS)


async def quota_in_order(ground: Ground) -> Planted:
    """P1-02: nothing is used up, and exports, which have no limit, are used a lot."""
    return await _used(ground, exports=250_000)


async def quota_used_up(ground: Ground) -> Planted:
    """P1-02: all renders of the month are used."""
    return await _used(ground, renders=2000)


async def quota_without_api(ground: Ground) -> Planted:
    """P1-02: renders and masks are used up, and the admin API does not answer."""
    planted = await _used(ground, masks=104, renders=2000)
    down(ground)
    return planted


async def quota_of_suspended(ground: Ground) -> Planted:
    """P1-02: used up, and the account is suspended anyway."""
    planted = await _used(ground, renders=2000)
    async with desk(ground, QUOTA, fresh=False) as at:
        await at.row(status="suspended")
    return planted


async def quota_of_disputed(ground: Ground) -> Planted:
    """P1-02: the same, because a payment is disputed."""
    planted = await quota_of_suspended(ground)
    async with desk(ground, QUOTA, fresh=False) as at:
        at.objects.dispute(at.charge, id=f"dp_{QUOTA.slug}", status="under_review")
    return planted


async def quota_of_canceled(ground: Ground) -> Planted:
    """P1-02: used up, and the subscription was cancelled here and not at Stripe."""
    planted = await _used(ground, renders=2000)
    async with desk(ground, QUOTA, fresh=False) as at:
        await at.row(tier="FREE", status="canceled")
    return planted


async def quota_unknown(ground: Ground) -> Planted:
    """P1-02: a feature that the plan says nothing about."""
    return await _used(ground, voice_minutes=12)


async def quota_untouched(ground: Ground) -> Planted:
    """P1-02: nothing was used yet."""
    await settle(ground)
    async with desk(ground, QUOTA) as at:
        await at.run("DELETE FROM rate_limits WHERE profile_id = $1", QUOTA.profile_id)
    return Planted(IDS)


async def quota_exceeded(ground: Ground) -> Planted:
    """P1-05: somebody is far above a limit that should have stopped them."""
    return await _used(ground, renders=2600)


async def plans_unclear(ground: Ground) -> Planted:
    """P1-05: a feature without a plan, a plan said twice, and a value that is no number."""
    planted = await _used(ground, voice_minutes=12, seats=4)
    async with desk(ground, QUOTA, fresh=False) as at:
        await at.run(
            "INSERT INTO plan_features (tier, feature, value)"
            " VALUES ('PRO', 'renders', '2500'), ('PRO', 'seats', 'five')"
        )
    return planted


QUOTA_FAULTS: dict[str, Fault] = {
    "quota_in_order": quota_in_order,
    "quota_used_up": quota_used_up,
    "quota_without_api": quota_without_api,
    "quota_of_suspended": quota_of_suspended,
    "quota_of_disputed": quota_of_disputed,
    "quota_of_canceled": quota_of_canceled,
    "quota_unknown": quota_unknown,
    "quota_untouched": quota_untouched,
    "quota_exceeded": quota_exceeded,
    "plans_unclear": plans_unclear,
}
