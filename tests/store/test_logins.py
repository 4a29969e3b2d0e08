"""The bot's own login can do no more to the audit trail than append, whoever made the database."""

from __future__ import annotations

import re
import sys
from asyncio import create_subprocess_exec, create_task, gather, subprocess, timeout
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cli.doctor import trail
from bot.sandbox.postgres import Postgres
from bot.store import audit
from bot.store.audit import ChainReport
from bot.store.guard import OWNER, Guard, guard
from bot.store.migrate import config, head, migrate, revision
from bot.store.session import Store, engine_of
from tests.conftest import ManualClock
from tests.store.trail import NOTED, ten_lines

pytestmark = pytest.mark.production

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
SETUP, MENDING = re.findall(r"```sql\n(.*?)```", DOCUMENT, re.DOTALL)
CHANGES = (
    "INSERT INTO audit SELECT 99, at, kind, actor, run_id, incident_id, body, previous, hash FROM audit",
    "UPDATE audit SET actor = 'x'",
    "DELETE FROM audit",
    "TRUNCATE audit",
    "ALTER TABLE audit DISABLE TRIGGER audit_kept",
    "DROP TRIGGER audit_kept ON audit",
    "CREATE OR REPLACE FUNCTION audit_kept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
)


@pytest.fixture(scope="module")
def bare() -> Iterator[Postgres]:
    """A server on which nothing was ever migrated: each test leaves it without the trail's role."""
    with Postgres.temporary() as server:
        yield server


@asynccontextmanager
async def login(postgres: Postgres, name: str, options: str = "") -> AsyncIterator[None]:
    """A role that can log in with the password «x»."""
    admin = await postgres.connect()
    try:
        await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x' {options}")
        yield
        await admin.execute(f"DROP ROLE IF EXISTS {OWNER}")
        await admin.execute(f"DROP ROLE {name}")
    finally:
        await admin.close()


@asynccontextmanager
async def database_of(postgres: Postgres, name: str, owner: str | None = None) -> AsyncIterator[None]:
    """An empty database that is gone afterwards."""
    await postgres.create_database(name, owner=owner)
    try:
        yield
    finally:
        await postgres.drop_database(name)


async def downgrade(engine: AsyncEngine, to: str) -> None:
    """Take a database back to an older revision."""

    def run(connection: Connection) -> None:
        settings = config()
        settings.attributes["connection"] = connection
        command.downgrade(settings, to)

    async with engine.begin() as connection:
        await connection.run_sync(run)


async def guarded(store: Store) -> Guard:
    """How the trail is guarded against the store's login."""
    async with store.reading() as connection:
        return await guard(connection)


async def only_appends(store: Store) -> None:
    """The login records lines, and every other way to the trail is refused before the trigger has to."""
    async with store.transaction() as tx:
        tx.record(NOTED, NOTED)
    for statement in CHANGES:
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
            async with store.transaction() as tx:
                await tx.connection.execute(text(statement))
    async with store.snapshot() as connection:
        report = await audit.verify_chain(connection)
    assert report.broken_at is None
    assert report.lines >= 2


async def test_the_login_of_the_documented_setup_only_appends(postgres: Postgres, clock: ManualClock) -> None:
    """As docs/audit.md sets it up, one login migrates and the bot's login can read and append, through downgrade and
    upgrade; in between the bot works as it did before."""
    admin = await postgres.connect()
    async with database_of(postgres, "audit_documented"):
        inside = await postgres.connect("audit_documented")
        await inside.execute(SETUP)
        owner = engine_of(postgres.url("audit_documented"))
        store = Store(engine_of(postgres.url("audit_documented", "runbook_bot", "choose one")), clock)
        await migrate(owner)
        await only_appends(store)
        found = await guarded(store)
        assert (found.owner, found.beyond, found.becomes_owner) == (OWNER, (), False)
        assert trail(found).line() == "ok   audit trail: runbook_bot can only read it and append to it"
        await downgrade(owner, "0002")
        async with store.transaction() as tx:
            tx.record(NOTED)
        assert not trail(await guarded(store)).ok
        await migrate(owner)
        await only_appends(store)
        async with store.snapshot() as connection:
            assert await audit.verify_chain(connection) == ChainReport(5)
        await store.close()
        await owner.dispose()
        await inside.close()
    await admin.execute("DROP ROLE runbook_bot")
    await admin.close()


async def test_a_login_that_may_make_roles_gives_the_trail_away(bare: Postgres, clock: ManualClock) -> None:
    """Migrating with the bot's own login is enough where it may make roles; several databases of one server may be
    migrated by it at the same time, and share the role."""
    names = [f"audit_maker_{n}" for n in range(3)]
    async with login(bare, "audit_maker", "CREATEROLE"):
        for name in names:
            await bare.create_database(name, owner="audit_maker")
        urls = [bare.url(name, "audit_maker", "x") for name in names]
        assert await gather(*map(migrated, urls)) == [(0, "")] * len(urls)
        store = Store(engine_of(urls[0]), clock)
        await only_appends(store)
        assert (await guarded(store)).owner == OWNER
        said = trail(await guarded(store))
        assert said.ok
        assert "may make roles" in said.said
        assert "could drop the trail as a whole" in said.said
        await downgrade(store.engine, "base")
        await migrate(store.engine)
        await only_appends(store)
        await store.close()
        for name in names:
            await bare.drop_database(name)


async def migrated(url: str) -> tuple[int, str]:
    """Migrate in a process of its own; its exit code and what it complained of."""
    process = await create_subprocess_exec(
        sys.executable, "-c", MIGRATE, url, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


MIGRATE = """
import asyncio, sys
from bot.store.migrate import migrate
from bot.store.session import engine_of

async def work():
    engine = engine_of(sys.argv[1])
    await migrate(engine)
    await engine.dispose()

asyncio.run(work())
"""


async def test_databases_of_one_server_are_migrated_at_once(bare: Postgres) -> None:
    """Roles belong to the whole server: that another database makes the same one at this moment stops nobody."""
    admin, watching = await bare.connect(), await bare.connect()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = 'audit_at_once'"
    async with database_of(bare, "audit_at_once"), timeout(60):
        making = admin.transaction()
        await making.start()
        await admin.execute(f"CREATE ROLE {OWNER} NOLOGIN")
        migrating = create_task(migrated(bare.url("audit_at_once")))
        while not await watching.fetchval(waiting):
            assert not migrating.done(), await migrating
        await making.commit()
        assert await migrating == (0, "")
    await admin.execute(f"DROP ROLE {OWNER}")
    await admin.close()
    await watching.close()


async def test_a_login_without_rights_is_told_what_to_do(bare: Postgres, clock: ManualClock) -> None:
    """Where the login may not make roles, migrating works, the trail stays with it, doctor says so, and the documented
    statements put it right."""
    async with login(bare, "audit_plain"), database_of(bare, "audit_managed", "audit_plain"):
        store = Store(engine_of(bare.url("audit_managed", "audit_plain", "x")), clock)
        await migrate(store.engine)
        async with store.transaction() as tx:
            tx.record(NOTED)
        said = trail(await guarded(store))
        assert not said.ok
        assert said.said == "audit_plain owns it and could change it"
        assert "docs/audit.md" in said.mend
        with pytest.raises(DBAPIError, match="append-only"):
            async with store.transaction() as tx:
                await tx.connection.execute(text("DELETE FROM audit"))
        admin = await bare.connect("audit_managed")
        await admin.execute(MENDING.replace("runbook_bot", "audit_plain"))
        await admin.close()
        await only_appends(store)
        assert trail(await guarded(store)).ok
        await migrate(store.engine)
        assert await revision(store.engine) == head()
        await store.close()


async def test_what_doctor_says_of_the_trail(store: Store) -> None:
    """A superuser is a note, a missing trigger is not; each privilege too many is named."""
    found = await guarded(store)
    said = trail(found)
    assert said.ok
    assert "postgres is a superuser, whom no privilege binds" in said.said
    async with store.engine.connect() as connection:
        await connection.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_kept"))
        assert not trail(await guard(connection)).ok
        await connection.rollback()
        await connection.execute(text("CREATE ROLE audit_reader"))
        await connection.execute(text("GRANT SELECT, UPDATE ON audit TO audit_reader"))
        await connection.execute(text("SET LOCAL ROLE audit_reader"))
        assert trail(await guard(connection)).said == "audit_reader may not read it and append to it"
        await connection.execute(text("RESET ROLE"))
        await connection.execute(text("GRANT EXECUTE ON FUNCTION audit_append(text[]) TO audit_reader"))
        await connection.execute(text("SET LOCAL ROLE audit_reader"))
        assert trail(await guard(connection)).said == "audit_reader has UPDATE on it"
        await connection.rollback()


async def test_the_owners_rights_are_lent_for_appending_only(store: Store) -> None:
    """Nobody but those who were given it may call the function, and a table of the same name put in the way is not
    written to."""
    async with store.engine.connect() as connection:
        await connection.execute(text("CREATE ROLE audit_stranger"))
        await connection.execute(text("SET LOCAL ROLE audit_stranger"))
        with pytest.raises(DBAPIError, match="permission denied for function"):
            await connection.execute(text("SELECT audit_append(ARRAY[]::text[])"))
        await connection.rollback()
        await connection.execute(text("CREATE TEMPORARY TABLE audit (LIKE public.audit)"))
        line = '{"at": "2026-11-21T03:00:00+00:00", "kind": "run.done", "actor": "bot"}'
        await connection.execute(text("SELECT audit_append(ARRAY[:line])"), {"line": line})
        counts = "SELECT (SELECT count(*) FROM pg_temp.audit), (SELECT count(*) FROM public.audit)"
        assert tuple((await connection.execute(text(counts))).one()) == (0, 1)
        await connection.rollback()


async def test_no_function_is_slipped_in(store: Store) -> None:
    """Whoever appends cannot have their own function called with the owner's rights: the chain holds all the same."""
    await ten_lines(store)
    async with store.engine.connect() as connection:
        await connection.execute(text("CREATE SCHEMA evil"))
        await connection.execute(text("GRANT USAGE ON SCHEMA evil TO PUBLIC"))
        body = "CREATE FUNCTION evil.sha256(bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT ''::bytea $$"
        await connection.execute(text(body))
        await connection.execute(text("SET LOCAL search_path = evil, pg_catalog, public"))
        line = '{"at": "2026-11-21T03:00:00+00:00", "kind": "run.done", "actor": "bot", "run": null, "incident": null}'
        await connection.execute(text("SELECT public.audit_append(ARRAY[:line])"), {"line": line})
        assert await audit.verify_chain(connection) == ChainReport(11)
        await connection.rollback()
