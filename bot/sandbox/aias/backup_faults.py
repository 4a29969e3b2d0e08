"""Data that is lost and backups that may bring it back, or not (AI-08); maintenance windows (AI-19, AI-20)."""

from __future__ import annotations

from datetime import timedelta

from bot.sandbox.aias import scripts
from bot.sandbox.aias.accounts import IRIS
from bot.sandbox.aias.health import desk_of, settle
from bot.sandbox.programs import Answer
from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.services import Asked, Reply

BACKUP_HOURS = 2
SUMMARY = "Larger instance"
WORKFLOW = (
    "INSERT INTO workflows (id, tenant_id, user_id, name, status, is_repeatable)"
    " VALUES ($1, $2, $3, 'Weekly digest', 'active', true) ON CONFLICT DO NOTHING"
)


async def lost_in_the_open(ground: Ground) -> Planted:
    """Somebody deleted Iris's workflows; the platform is open, and everybody works on."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.connection.execute("DELETE FROM workflows WHERE tenant_id = $1", IRIS.tenant_id)

    async def restored(_: Asked) -> object:
        async with desk_of(ground) as again:
            await again.connection.execute(
                "DELETE FROM workflow_executions WHERE created_at > now() - make_interval(hours => $1)", BACKUP_HOURS
            )
            await again.connection.execute(WORKFLOW, IRIS.workflow_id, IRIS.tenant_id, IRIS.user_id)
        return {}

    ground.services.answer("POST", "/told/restore", Reply(200, then=restored))
    ground.programs.answer(
        Answer(
            scripts.TSX,
            [scripts.BACKUP, "restore", "*"],
            out="restored\n",
            tells=f"{ground.services.url}/told/restore",
        )
    )
    return Planted(IRIS.ids())


async def lost(ground: Ground) -> Planted:
    """The same, and a maintenance window is open."""
    planted = await lost_in_the_open(ground)
    await _window(ground, "emergency", -timedelta(minutes=10), started=True)
    return planted


async def partial(ground: Ground) -> Planted:
    """The newest backup was interrupted."""
    await settle(ground)
    broken = scripts.backup("bk_partial", 1, 9_100_000, "partial")
    ground.programs.answer(scripts.listing(broken, scripts.backup("bk_20250131", 2)))
    await _window(ground, "emergency", -timedelta(minutes=10), started=True)
    return Planted(IRIS.ids())


async def unreadable(ground: Ground) -> Planted:
    """The backup calls itself complete, and its file cannot be read."""
    await settle(ground)
    said = "pg_restore: error: input file does not appear to be a valid archive"
    ground.programs.answer(Answer(scripts.PG_RESTORE, ["--list", "*"], err=said, code=1))
    await _window(ground, "emergency", -timedelta(minutes=10), started=True)
    return Planted(IRIS.ids())


async def old(ground: Ground) -> Planted:
    """Nobody has made a backup for three days."""
    await settle(ground)
    ground.programs.answer(scripts.listing(scripts.backup("bk_20250128", 74)))
    return Planted(IRIS.ids())


async def unlisted(ground: Ground) -> Planted:
    """The place where backups are kept cannot be reached."""
    await settle(ground)
    said = "AccessDenied: the bucket cannot be listed"
    ground.programs.answer(Answer(scripts.TSX, [scripts.BACKUP, "list"], err=said, code=1))
    return Planted(IRIS.ids())


async def window_announced(ground: Ground) -> Planted:
    """The next window is planned and announced; there is nothing to do."""
    return await _planned(ground, timedelta(days=9), announced=True)


async def window_planned(ground: Ground) -> Planted:
    """The next window is planned, and nobody knows of it yet."""
    return await _planned(ground, timedelta(days=9))


async def window_late(ground: Ground) -> Planted:
    """The window is tomorrow, and nobody was told."""
    return await _planned(ground, timedelta(hours=20))


async def window_begins(ground: Ground) -> Planted:
    """The window has come."""
    return await _planned(ground, -timedelta(minutes=5), announced=True)


async def window_begins_restore(ground: Ground) -> Planted:
    """The window has come, and a restore was announced."""
    return await _planned(ground, -timedelta(minutes=5), announced=True, summary="Restoring deleted workflows")


async def window_begins_migrations(ground: Ground) -> Planted:
    """The window has come, and a migration waits for it."""
    planted = await window_begins(ground)
    ground.programs.answer(*scripts.waiting())
    return planted


async def window_over(ground: Ground) -> Planted:
    """The work was begun, the window is over, and nobody has finished it."""
    return await _planned(ground, -timedelta(hours=3), announced=True, started=True)


async def window_missed(ground: Ground) -> Planted:
    """The window passed, and nobody began."""
    return await _planned(ground, -timedelta(hours=3), announced=True)


async def emergency_open(ground: Ground) -> Planted:
    """An emergency maintenance is under way."""
    await settle(ground)
    await _window(ground, "emergency", -timedelta(minutes=30), announced=True, started=True)
    return Planted(IRIS.ids())


async def _planned(
    ground: Ground, begins: timedelta, *, announced: bool = False, started: bool = False, summary: str = SUMMARY
) -> Planted:
    await settle(ground)
    await _window(ground, "scheduled", begins, announced=announced, started=started, summary=summary)
    return Planted(IRIS.ids())


async def _window(
    ground: Ground,
    kind: str,
    begins: timedelta,
    *,
    announced: bool = False,
    started: bool = False,
    summary: str = SUMMARY,
) -> None:
    async with desk_of(ground) as desk:
        at = desk.now + begins
        await desk.connection.execute(
            "INSERT INTO maintenance_windows (kind, starts_at, ends_at, announced_at, started_at, summary)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            kind,
            at,
            at + timedelta(hours=2),
            desk.now - timedelta(days=5) if announced else None,
            at if started else None,
            summary,
        )


FAULTS: dict[str, Fault] = {
    "data_lost": lost,
    "data_lost_in_the_open": lost_in_the_open,
    "backup_partial": partial,
    "backup_unreadable": unreadable,
    "backups_old": old,
    "backups_unlisted": unlisted,
    "window_announced": window_announced,
    "window_planned": window_planned,
    "window_late": window_late,
    "window_begins": window_begins,
    "window_begins_restore": window_begins_restore,
    "window_begins_migrations": window_begins_migrations,
    "window_over": window_over,
    "window_missed": window_missed,
    "emergency_open": emergency_open,
}
