"""The platform's own scripts and the tools beside them, as they answer when nothing is wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.sandbox.programs import Answer
from bot.sandbox.sample import Ground

TSX, SUPABASE, PNPM, PG_RESTORE = "tsx", "supabase", "pnpm", "pg_restore"
BACKUP, DEPENDENCIES = "scripts/db-backup.ts", "scripts/verify-migration-dependencies.ts"
SANITY, ENVIRONMENT = "scripts/db-sanity-check-production.ts", "scripts/validate-env.ts"
PROGRAMS = (TSX, SUPABASE, PNPM, PG_RESTORE)
MIGRATIONS = ("20250101090000", "20250114103000", "20250128081500")
DRY_RUN = ["db", "push", "--dry-run"]
CONTENTS = ";\n; Archive created at 2025-01-31\n;     Format: CUSTOM\n;     TOC Entries: 214\n"


def backup(name: str, hours: float, size: int = 48_200_000, status: str = "complete") -> dict[str, Any]:
    """One backup as the script lists it."""
    at = datetime.now(UTC) - timedelta(hours=hours)
    return {"id": name, "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "bytes": size, "status": status}


def listing(*backups: dict[str, Any]) -> Answer:
    """What `list` says from now on."""
    return Answer(TSX, [BACKUP, "list"], out=json.dumps(list(backups)))


def migrations(pending: int = 0) -> Answer:
    """What `supabase migration list` says from now on; the newest `pending` are not in the database."""
    head = "  LOCAL          | REMOTE         | TIME (UTC)\n"
    applied = len(MIGRATIONS) - pending
    rows = [f"  {each} | {each if place < applied else ' ' * 14} |" for place, each in enumerate(MIGRATIONS)]
    return Answer(SUPABASE, ["migration", "list"], out=head + "\n".join(rows) + "\n")


def waiting() -> tuple[Answer, ...]:
    """What the Supabase CLI says from now on: one migration waits, until it is pushed."""
    in_step = Answer(SUPABASE, DRY_RUN, out="Remote database is up to date.\n")
    return (
        migrations(1),
        Answer(SUPABASE, DRY_RUN, out="Would push these migrations:\n • 20250128081500_access_logs.sql\n"),
        Answer(SUPABASE, ["db", "push"], out="Finished supabase db push.\n", then=[migrations(), in_step]),
    )


def sane(problem: str = "") -> Answer:
    """What the sanity check says from now on."""
    said = f"FAIL {problem}\n" if problem else ""
    return Answer(TSX, [SANITY], out=f"PASS tables\n{said}PASS policies\n", code=int(bool(problem)), err=problem)


def settle(ground: Ground) -> None:
    """Every program in order: two backups, nothing to migrate, nothing to complain about."""
    old, new = backup("bk_20250130", 26), backup("bk_20250131", 2)
    made = backup("bk_now", 0)
    ground.programs.answer(
        listing(new, old),
        Answer(TSX, [BACKUP, "create"], out="created bk_now\n", then=[listing(made, new, old)]),
        Answer(TSX, [DEPENDENCIES], out="3 migrations, no dependency is missing\n"),
        sane(),
        Answer(TSX, [ENVIRONMENT], out="31 variables are set\n"),
        migrations(),
        Answer(SUPABASE, DRY_RUN, out="Remote database is up to date.\n"),
        Answer(PNPM, ["typecheck"], out="no errors\n"),
        Answer(PNPM, ["lint"], out="no problems\n"),
        Answer(PG_RESTORE, ["--list", "*"], out=CONTENTS),
    )
