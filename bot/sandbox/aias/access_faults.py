"""Who reaches a tenant's data: too few (AI-15: memberships, permissions, policies) or a thief (AI-17: keys)."""

from __future__ import annotations

from bot.sandbox.aias.accounts import IRIS, OMAR
from bot.sandbox.aias.desk import TWIN, Desk
from bot.sandbox.aias.health import desk_of, settle
from bot.sandbox.sample import Fault, Ground, Planted

OWNER = "grace@fernanalytics.test"
THIEF = "192.0.2.99"


async def permission_lost(ground: Ground) -> Planted:
    """Somebody tidied the permissions up, and admins cannot read any more."""
    return await _said(ground, "DELETE FROM role_permissions WHERE role = 'admin' AND permission = 'workflows.read'")


async def membership_removed(ground: Ground) -> Planted:
    """The owner of the tenant removed Iris a week ago."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.connection.execute(
            "INSERT INTO profiles (id, email, full_name) VALUES (md5('grace')::uuid, $1, 'Grace Owens')"
            " ON CONFLICT DO NOTHING",
            OWNER,
        )
        await desk.connection.execute(
            "INSERT INTO tenant_members (tenant_id, user_id, role, status)"
            " VALUES ($1, md5('grace')::uuid, 'owner', 'active') ON CONFLICT DO NOTHING",
            IRIS.tenant_id,
        )
        await desk.connection.execute(
            "UPDATE tenant_members SET status = 'removed', updated_at = now() - interval '7 days'"
            " WHERE user_id = $1 AND tenant_id = $2",
            IRIS.user_id,
            IRIS.tenant_id,
        )
    return Planted(IRIS.ids())


async def security_off(ground: Ground) -> Planted:
    """Somebody switched row level security off to be quick."""
    return await _said(ground, "ALTER TABLE workflows DISABLE ROW LEVEL SECURITY")


async def policy_missing(ground: Ground) -> Planted:
    """A migration dropped the policy and did not make it again."""
    return await _said(ground, "DROP POLICY workflows_of_my_tenants ON workflows")


async def no_workflow(ground: Ground) -> Planted:
    """Iris's tenant has no workflow: they were deleted."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.connection.execute("DELETE FROM workflows WHERE tenant_id = $1", IRIS.tenant_id)
    return Planted(IRIS.ids())


async def key_stolen(ground: Ground) -> Planted:
    """Iris's key is used from a place nobody knows, and reads other tenants' workflows."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await _used(desk, "198.51.100.7", days=4, rows=12)
        await _used(desk, THIEF, days=0, rows=900)
    return Planted(IRIS.ids())


async def key_twice(ground: Ground) -> Planted:
    """Two keys begin with the same letters."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.connection.execute(
            "UPDATE api_keys SET prefix = (SELECT prefix FROM api_keys WHERE id = $1) WHERE id = $2",
            IRIS.api_key_id,
            OMAR.api_key_id,
        )
    return Planted(IRIS.ids())


async def email_twice(ground: Ground) -> Planted:
    """Somebody signed up a second time with capital letters."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.connection.execute(
            "INSERT INTO profiles (id, email, full_name) VALUES ($1, $2, $3)", TWIN, IRIS.email.title(), IRIS.name
        )
    return Planted(IRIS.ids())


async def key_revoked(ground: Ground) -> Planted:
    """The key was revoked yesterday."""
    return await _said(
        ground,
        "UPDATE api_keys SET revoked_at = now() - interval '1 day', revoked_for = 'compromised'"
        f" WHERE id = '{IRIS.api_key_id}'",
    )


async def _used(desk: Desk, ip: str, *, days: int, rows: int) -> None:
    await desk.connection.execute(
        "INSERT INTO access_logs (api_key_id, tenant_id, ip, route, row_count, created_at)"
        " SELECT $1, md5('tenant ' || n)::uuid, $2, '/api/v1/workflows', $4::integer,"
        " now() - make_interval(days => $3::integer, mins => n) FROM generate_series(1, 3) AS n",
        IRIS.api_key_id,
        ip,
        days,
        rows,
    )


async def _said(ground: Ground, statement: str) -> Planted:
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.connection.execute(statement)
    return Planted(IRIS.ids())


FAULTS: dict[str, Fault] = {
    "permission_lost": permission_lost,
    "membership_removed": membership_removed,
    "security_off": security_off,
    "policy_missing": policy_missing,
    "no_workflow": no_workflow,
    "key_stolen": key_stolen,
    "key_twice": key_twice,
    "email_twice": email_twice,
    "key_revoked": key_revoked,
}
