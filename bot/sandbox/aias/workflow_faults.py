"""What keeps workflows from running (AI-07, AI-14): outside services, timeouts, workers, limits, their own mistakes."""

from __future__ import annotations

from bot.sandbox.aias.accounts import LENA, OMAR, Account
from bot.sandbox.aias.desk import Runs
from bot.sandbox.aias.health import desk_of, settle
from bot.sandbox.aias.vendors import Vendors, Vercel, ago, deployment
from bot.sandbox.sample import Fault, Ground, Planted

TIMEOUT = "FUNCTION_INVOCATION_TIMEOUT"
OVERLOADED = "openai: 503 The server is overloaded"
OWN = "Step 2: the field «amount» is missing in the form"
FREE_EXECUTIONS = 100


async def vendor_down(ground: Ground) -> Planted:
    """OpenAI has an outage, and what needs it fails."""
    await settle(ground)
    Vendors(pages={"openai": "major"}).serve(ground)
    await _run(ground, Runs(OMAR, "failed", 12, service="openai", error=OVERLOADED))
    return Planted(OMAR.ids())


async def failed_earlier(ground: Ground) -> Planted:
    """Some failed while OpenAI was in trouble, half an hour ago; everything succeeds since."""
    await settle(ground)
    await _run(ground, Runs(OMAR, "failed", 6, service="openai", error=OVERLOADED, minutes_ago=35))
    return Planted(OMAR.ids())


async def once_only(ground: Ground) -> Planted:
    """The same, and the workflow must not run twice."""
    planted = await failed_earlier(ground)
    async with desk_of(ground) as desk:
        await desk.connection.execute("UPDATE workflows SET is_repeatable = false WHERE id = $1", OMAR.workflow_id)
    return planted


async def timing_out(ground: Ground) -> Planted:
    """The digest has grown, and takes longer than a function may."""
    return await _timing_out(ground, 60)


async def timing_out_for_two(ground: Ground) -> Planted:
    """The same, and not Omar's alone."""
    planted = await _timing_out(ground, 60)
    await _run(ground, Runs(LENA, "timed_out", 2, error=TIMEOUT))
    return planted


async def timing_out_at_most(ground: Ground) -> Planted:
    """The same, with the longest timeout there is."""
    return await _timing_out(ground, 300)


async def workers_stopped(ground: Ground) -> Planted:
    """No worker takes anything up; a deployment starts them again. An alert says so, and no customer yet."""
    return await _stopped(ground, Vercel())


async def workers_stopped_by_deployment(ground: Ground) -> Planted:
    """The same since the deployment of twenty minutes ago."""
    lately = deployment("dpl_42", "A queue of our own", ago(minutes=20))
    return await _stopped(ground, Vercel([lately, *Vercel().deployments], "dpl_42"))


async def _stopped(ground: Ground, vercel: Vercel) -> Planted:
    await settle(ground)
    Vendors(vercel, health={"database": "ok", "stripe": "ok", "queue": "stalled"}).serve(ground)
    vercel.builds(ground)
    async with desk_of(ground) as desk:
        await desk.connection.execute("DELETE FROM workflow_executions WHERE user_id = $1", OMAR.user_id)
        await desk.run(Runs(OMAR, "pending", 9, minutes_ago=11))
        await desk.run(Runs(LENA, "pending", 4, minutes_ago=13))
    return Planted()


async def queue_slow(ground: Ground) -> Planted:
    """More comes in than the workers can do."""
    await settle(ground)
    await _run(ground, Runs(LENA, "pending", 7, minutes_ago=11), Runs(OMAR, "running", 5))
    return Planted(LENA.ids())


async def plan_used_up(ground: Ground) -> Planted:
    """Lena is on the free plan and has used all of it; what she started since waits."""
    await settle(ground)
    await _used_up(ground, LENA)
    return Planted(LENA.ids())


async def plans_used_up(ground: Ground) -> Planted:
    """Two people on the free plan have used all of it."""
    await settle(ground)
    await _used_up(ground, LENA)
    await _used_up(ground, OMAR)
    return Planted(LENA.ids())


async def own_mistake(ground: Ground) -> Planted:
    """Lena's workflow fails at a step of its own."""
    await settle(ground)
    await _run(ground, Runs(LENA, "failed", 5, error=OWN))
    return Planted(LENA.ids())


async def workflow_paused(ground: Ground) -> Planted:
    """Lena paused her workflow and forgot it."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.connection.execute("UPDATE workflows SET status = 'paused' WHERE id = $1", LENA.workflow_id)
    return Planted(LENA.ids())


async def _used_up(ground: Ground, account: Account) -> None:
    async with desk_of(ground) as desk:
        await desk.tier(account, tier="free", status="none")
        await desk.connection.execute(
            "INSERT INTO workflow_executions (workflow_id, user_id, status, created_at, started_at, finished_at)"
            " SELECT $1, $2, 'succeeded', at, at, at FROM generate_series(1, $3::integer) AS n,"
            " LATERAL (SELECT greatest(date_trunc('month', now()), now() - make_interval(hours => 1, secs => n)))"
            " AS t (at)",
            account.workflow_id,
            account.user_id,
            FREE_EXECUTIONS,
        )
        await desk.run(Runs(account, "pending", 3, minutes_ago=11))


async def _timing_out(ground: Ground, seconds: int) -> Planted:
    await settle(ground)
    vercel = Vercel(timeout=seconds)
    Vendors(vercel).serve(ground)
    vercel.builds(ground)
    await _run(ground, Runs(OMAR, "timed_out", 8, error=TIMEOUT))
    return Planted(OMAR.ids())


async def _run(ground: Ground, *runs: Runs) -> None:
    async with desk_of(ground) as desk:
        for each in runs:
            await desk.run(each)


FAULTS: dict[str, Fault] = {
    "workflows_vendor_down": vendor_down,
    "workflows_failed_earlier": failed_earlier,
    "workflows_once_only": once_only,
    "workflows_timing_out": timing_out,
    "workflows_timing_out_for_two": timing_out_for_two,
    "workflows_timing_out_at_most": timing_out_at_most,
    "workers_stopped": workers_stopped,
    "workers_stopped_by_deployment": workers_stopped_by_deployment,
    "queue_slow": queue_slow,
    "plan_used_up": plan_used_up,
    "plans_used_up": plans_used_up,
    "workflow_own_mistake": own_mistake,
    "workflow_paused": workflow_paused,
}
