"""What goes wrong around the sample database: one function for each fault of Realtime (RB-013)."""

from __future__ import annotations

from bot.sandbox.alacarte.ground import run, settled, told
from bot.sandbox.alacarte.vendors import Vendors
from bot.sandbox.sample import Fault, Ground, Planted

CONVERSATION = "md5('conversation 1')::uuid"


async def _conversation(ground: Ground, *, stranger: bool = False) -> dict[str, str]:
    """A conversation and somebody who may read it, or somebody who may not."""
    whose = "<>" if stranger else "="
    return await told(
        ground,
        conversation_id=f"SELECT {CONVERSATION}",
        user_id="SELECT user_id FROM business_members WHERE business_id "
        f"{whose} (SELECT business_id FROM conversations WHERE id = {CONVERSATION}) ORDER BY user_id LIMIT 1",
    )


async def realtime_in_order(ground: Ground) -> Planted:
    """Nothing is wrong at our side; whatever it is, it is in that browser."""
    await settled(ground)
    return Planted(await _conversation(ground))


async def realtime_policy_missing(ground: Ground) -> Planted:
    """A migration dropped the policy that lets members read messages, so Realtime keeps every event back."""
    await settled(ground)
    await run(ground, "DROP POLICY members_read ON messages")
    return Planted(await _conversation(ground))


async def realtime_not_published(ground: Ground) -> Planted:
    """Messages is no longer in the publication that Realtime follows."""
    await settled(ground)
    await run(ground, "ALTER PUBLICATION supabase_realtime SET TABLE conversations")
    return Planted(await _conversation(ground))


async def realtime_not_member(ground: Ground) -> Planted:
    """Who complains does not belong to the business whose conversation it is."""
    await settled(ground)
    return Planted(await _conversation(ground, stranger=True))


async def realtime_outage(ground: Ground) -> Planted:
    """Supabase itself reports an outage of Realtime."""
    await settled(
        ground,
        Vendors(
            components={("supabase", "Realtime"): "major_outage"},
            unwell={"realtime": "UNHEALTHY"},
            logs={"realtime_logs": [(4, "UnableToConnectToProject: the connection to the database timed out")]},
        ),
    )
    return Planted()


async def realtime_unwell(ground: Ground) -> Planted:
    """Our project's Realtime hangs while Supabase's status page is green."""
    lines = [(minutes, "PoolingReplicationError: the replication connection was lost") for minutes in (9, 5, 2)]
    await settled(ground, Vendors(unwell={"realtime": "UNHEALTHY"}, logs={"realtime_logs": lines}))
    return Planted()


async def frontend_key_refused(ground: Ground) -> Planted:
    """The anon key was rotated, and the front end still has the old one."""
    lines = [(minutes, "JwtSignatureError: failed to validate JWT signature") for minutes in (8, 6, 3, 1)]
    await settled(ground, Vendors(refused=("/auth/v1/settings",), logs={"realtime_logs": lines}))
    return Planted()


async def realtime_limit(ground: Ground) -> Planted:
    """More browsers connect than the project may have, and Realtime turns the rest away."""
    lines = [(minutes, "ClientJoinRateLimitReached: too many joins per second") for minutes in range(40, 0, -4)]
    await settled(ground, Vendors(logs={"realtime_logs": lines}))
    return Planted(await _conversation(ground))


REALTIME_FAULTS: dict[str, Fault] = {
    "realtime_in_order": realtime_in_order,
    "realtime_policy_missing": realtime_policy_missing,
    "realtime_not_published": realtime_not_published,
    "realtime_not_member": realtime_not_member,
    "realtime_outage": realtime_outage,
    "realtime_unwell": realtime_unwell,
    "realtime_limit": realtime_limit,
    "frontend_key_refused": frontend_key_refused,
}
