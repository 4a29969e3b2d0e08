"""What makes requests fail (AI-03): a deployment, a vendor, the database, or nothing that changed lately."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.sandbox.aias import logs
from bot.sandbox.aias.accounts import ACCOUNTS, IRIS
from bot.sandbox.aias.health import desk_of, settle
from bot.sandbox.aias.vendors import PROJECT, Vendors, Vercel, ago, deployment
from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.services import Asked, Reply

BROKEN = "TypeError: cannot read properties of undefined (reading 'limit')"
FULL = "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute"
ENDED = "ERROR:  canceling statement due to statement timeout"
FAILURES = 24


async def deployment_broken(ground: Ground) -> Planted:
    """Twelve minutes ago a deployment went live, and since then every twentieth request fails."""
    await settle(ground)
    vercel = Vercel()
    vercel.deployments.insert(0, deployment("dpl_42", "Count quotas per seat", ago(minutes=12)))
    vercel.current = "dpl_42"
    reacts(ground, vercel)
    await _failing(ground, 11 * 60)
    return Planted(IRIS.ids())


async def deployment_with_migration(ground: Ground) -> Planted:
    """The same, and a migration came with it."""
    planted = await deployment_broken(ground)
    await _migrated(ground)
    return planted


async def migration_live(ground: Ground) -> Planted:
    """A deployment went live with a migration, and no request fails yet."""
    await settle(ground)
    vercel = Vercel()
    vercel.deployments.insert(0, deployment("dpl_42", "Count quotas per seat", ago(minutes=12)))
    vercel.current = "dpl_42"
    reacts(ground, vercel)
    await _migrated(ground)
    return Planted(IRIS.ids())


async def deployment_first(ground: Ground) -> Planted:
    """The deployment that fails is the only one there is."""
    await settle(ground)
    Vendors(Vercel([deployment("dpl_42", "Move to a new project", ago(minutes=12))], "dpl_42")).serve(ground)
    await _failing(ground, 11 * 60)
    return Planted(IRIS.ids())


async def errors_of_vendor(ground: Ground) -> Planted:
    """OpenAI has an outage, and what needs it fails."""
    await settle(ground)
    Vendors(pages={"openai": "major"}).serve(ground)
    await _failing(ground, 25 * 60)
    return Planted(IRIS.ids())


async def errors_of_database(ground: Ground) -> Planted:
    """The database has no connection left."""
    await settle(ground)
    await _failing(ground, 25 * 60)
    _database_says(ground, FULL)
    return Planted(IRIS.ids())


async def errors_of_code(ground: Ground) -> Planted:
    """Nothing was deployed for days; since half an hour one route fails, and Sentry knows it."""
    await settle(ground)
    Vendors(issues=[{"title": BROKEN, "count": "24", "culprit": logs.ROUTES[0]}]).serve(ground)
    await _failing(ground, 30 * 60)
    return Planted(IRIS.ids())


async def statements_ended(ground: Ground) -> Planted:
    """Requests go well; some statements took too long."""
    await settle(ground)
    _database_says(ground, ENDED)
    return Planted(IRIS.ids())


async def _migrated(ground: Ground) -> None:
    async with desk_of(ground) as desk:
        version = ago(minutes=20).strftime("%Y%m%d%H%M%S")
        await desk.connection.execute(
            "INSERT INTO supabase_migrations.schema_migrations VALUES ($1, 'rename_quota')", version
        )


async def _failing(ground: Ground, seconds: float) -> None:
    """One request in twenty of the last minutes, and the first of them that long ago."""
    failed = [logs.line(each * 8, logs.ROUTES[0], 500, BROKEN) for each in range(FAILURES, 0, -1)]
    ground.log("api", logs.line(seconds, logs.ROUTES[0], 500, BROKEN), *logs.everyday(), *failed)
    async with desk_of(ground) as desk:
        await desk.connection.executemany(
            "INSERT INTO error_logs (level, route, code, message, user_id, created_at)"
            " VALUES ('error', $1, 'type_error', $2, $3, $4)",
            [(logs.ROUTES[0], BROKEN, each.user_id, ago(minutes=n)) for n, each in enumerate(ACCOUNTS)],
        )


def reacts(ground: Ground, vercel: Vercel, *, health_status: int = 200) -> None:
    """Rolling back and bringing back change what is live, whether requests fail, and whether the platform answers."""
    Vendors(vercel, health_status=health_status).serve(ground)

    async def back(asked: Asked) -> object:
        vercel.current = asked.path.rsplit("/", 1)[1]
        Vendors(vercel).serve(ground)
        logs.write(ground)
        return {}

    ground.services.answer("POST", f"/vercel/v1/projects/{PROJECT}/rollback/{{id}}", Reply(201, then=back, token=True))
    ground.services.answer("POST", f"/vercel/v10/projects/{PROJECT}/promote/{{id}}", Reply(201, then=back, token=True))


def _database_says(ground: Ground, line: str) -> None:
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    ground.log("database", *[f"{at} {line}"] * 5)


FAULTS: dict[str, Fault] = {
    "deployment_broken": deployment_broken,
    "deployment_with_migration": deployment_with_migration,
    "migration_live": migration_live,
    "deployment_first": deployment_first,
    "errors_of_vendor": errors_of_vendor,
    "errors_of_database": errors_of_database,
    "errors_of_code": errors_of_code,
    "statements_ended": statements_ended,
}
