"""What can be wrong for everybody (ST-11): functions, the services Storytailor lives on, payments, logs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg

from bot.sandbox.postgres import quoted
from bot.sandbox.programs import Answer
from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.services import Reply, Switch
from bot.sandbox.storytailor import clouds
from bot.sandbox.storytailor.desk import Desk
from bot.sandbox.storytailor.families import GRECO
from bot.sandbox.storytailor.planting import Plant, Scene
from bot.sandbox.stripe.faults import Fault as StripeFault
from bot.sandbox.stripe.faults import FaultKind

HELD = 0.8


async def missing(scene: Scene) -> None:
    """AWS does not have the search agent."""
    clouds.states(scene.ground, missing=("search-agent",))


async def not_active(scene: Scene) -> None:
    """The safety agent is not active."""
    clouds.states(scene.ground, safety_agent={"State": "Failed", "StateReason": "out of addresses"})


async def deployment_failed(scene: Scene) -> None:
    """The last deployment of the router failed, and the one before runs."""
    clouds.states(scene.ground, router={"LastUpdateStatus": "Failed"})


async def deployed_today(scene: Scene) -> None:
    """The content agent was deployed two hours ago."""
    at = datetime.now(UTC) - timedelta(hours=2)
    clouds.states(scene.ground, content_agent={"LastModified": f"{at:%Y-%m-%dT%H:%M:%S}.000+0000"})


async def new(scene: Scene) -> None:
    """Our list lacks a function that AWS has."""
    await scene.desk.connection.execute(
        "DELETE FROM production_functions WHERE name = $1", clouds.function("smart-home-agent")
    )


async def unknown(scene: Scene) -> None:
    """AWS does not let us look."""
    said = "An error occurred (ExpiredToken): The security token included in the request is expired\n"
    scene.ground.programs.answer(Answer("lambda-states", ["production"], err=said, code=254))


async def answers(scene: Scene, path: str, status: int) -> None:
    """One of the services answers with an error."""
    scene.ground.services.answer("GET", path, Reply(status=status, json={"error": "unavailable"}))


async def api_slow(scene: Scene) -> None:
    """The API answers after six seconds."""
    scene.ground.services.switches["/api/health"] = Switch(seconds=6)


async def page(scene: Scene, provider: str, indicator: str) -> None:
    """A provider's status page reports trouble."""
    scene.ground.services.statuses[provider] = indicator


async def redis_down(scene: Scene) -> None:
    """Redis does not answer."""
    said = f"Could not connect to Redis at {clouds.REDIS}:6379: Connection refused\n"
    scene.ground.programs.answer(Answer("redis-cli", ["-h", clouds.REDIS, "ping"], err=said, code=1))


async def stripe_refuses(scene: Scene) -> None:
    """Stripe does not take our key."""
    scene.ground.stripe.faults.add(StripeFault(FaultKind.STATUS, times=None, path="/v1/balance", status=401))


async def payments_failing(scene: Scene) -> None:
    """Seven of eight payments of this hour failed."""
    for number in range(7):
        scene.desk.declined("generic_decline", 999, id=f"pi_failing_{number}", days_ago=0.02)
    scene.desk.payment(999, id="pi_lucky", days_ago=0.02)


async def webhooks_failing(scene: Scene) -> None:
    """Our webhook fails, and a family does not have the plan it pays for."""
    await _webhook_failed(scene.desk)


async def webhooks_failing_for_two(scene: Scene) -> None:
    """Our webhook fails, for two families."""
    await _webhook_failed(scene.desk)
    await _webhook_failed(Desk(scene.desk.connection, scene.ground.stripe, GRECO))


async def _webhook_failed(desk: Desk) -> None:
    desk.subscription("family")
    await desk.change("subscriptions", updated_at=desk.now - timedelta(days=9))
    changed = "customer.subscription.updated"
    await desk.webhook(changed, desk.family.subscription_id, error="timeout: no connection", hours_ago=1)


async def stripe_silent(scene: Scene) -> None:
    """Stripe takes our key nowhere."""
    scene.ground.stripe.faults.add(StripeFault(FaultKind.STATUS, times=None, path="/v1/", status=401))


async def elevenlabs_empty(scene: Scene) -> None:
    """The month at ElevenLabs is used up."""
    clouds.voices(scene.ground, used=2_000_000, most=2_000_000)


async def errors_logged(scene: Scene) -> None:
    """The application's log has errors."""
    at = datetime.now(UTC) - timedelta(minutes=4)
    scene.ground.log("app", *([f"{at:%Y-%m-%dT%H:%M:%SZ} ERROR Unhandled promise rejection in library"] * 4))


async def log_missing(scene: Scene) -> None:
    """Supabase's log is not there."""
    (scene.ground.logs / "supabase.log").unlink()


async def database_full(ground: Ground) -> Planted:
    """Nearly every session of the database is taken, by a pool that leaks."""
    clouds.well(ground)
    held: list[asyncpg.Connection[asyncpg.Record]] = []
    watcher = await ground.database.connect()
    taken = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    most = int(await watcher.fetchval("SHOW max_connections"))
    while await watcher.fetchval(taken) < HELD * most:
        held.append(await asyncpg.connect(ground.database.app_url, server_settings={"application_name": "leak"}))
    await watcher.close()

    async def close() -> None:
        for each in held:
            each.terminate()

    return Planted({}, close)


async def database_down(ground: Ground) -> Planted:
    """The database lets no login of the bot in any more."""
    clouds.well(ground)
    await _sessions(ground, "0")

    async def close() -> None:
        await _sessions(ground, "-1")

    return Planted({}, close)


async def _sessions(ground: Ground, most: str) -> None:
    """How many sessions the database takes: 0 none, -1 any; those of the bot are ended."""
    connection = await ground.database.connect()
    try:
        await connection.execute(f"ALTER DATABASE {quoted(ground.database.name)} CONNECTION LIMIT {most}")
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename IN ('storytailor_read', 'storytailor_act')"
        )
    finally:
        await connection.close()


STATUS_FAULTS: dict[str, Plant] = {
    "function_missing": missing,
    "function_not_active": not_active,
    "deployment_failed": deployment_failed,
    "deployed_today": deployed_today,
    "function_new": new,
    "functions_unknown": unknown,
    "system_api_down": partial(answers, path="/api/health", status=503),
    "system_api_slow": api_slow,
    "system_auth_down": partial(answers, path="/supabase/auth/v1/health", status=503),
    "redis_down": redis_down,
    "stripe_key_refused": stripe_refuses,
    "payments_failing": payments_failing,
    "webhooks_failing": webhooks_failing,
    "webhooks_failing_for_two": webhooks_failing_for_two,
    "stripe_silent": stripe_silent,
    "system_sendgrid_down": partial(page, provider="sendgrid", indicator="major"),
    "system_openai_down": partial(page, provider="openai", indicator="critical"),
    "system_elevenlabs_empty": elevenlabs_empty,
    "supabase_reports": partial(page, provider="supabase", indicator="critical"),
    "errors_logged": errors_logged,
    "log_missing": log_missing,
}
WHOLE_FAULTS: dict[str, Fault] = {"database_full": database_full, "database_down": database_down}
