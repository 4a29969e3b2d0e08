"""The store: one action is one transaction, the audit chain holds, leases exclude, migrations give the tables."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from bot.authoring.catalogue import Catalogue
from bot.domain.events import Event, Happened
from bot.domain.facts import Fact, FactStatus
from bot.domain.incident import IncidentState
from bot.domain.outcomes import CheckEnded
from bot.domain.run import CheckRun, Run, RunState
from bot.domain.runbook import Severity
from bot.domain.system import System
from bot.errors import Unavailable
from bot.incidents.actions import Incidents
from bot.incidents.opening import open_incident
from bot.runs.changes import apply, locked
from bot.store import audit, incidents, outbox, runs
from bot.store.migrate import head, migrate, revision
from bot.store.runs import Documents, LeaseLost
from bot.store.session import CHART, Store, engine_of
from bot.store.tables import metadata
from tests.conftest import ManualClock

pytestmark = pytest.mark.main_job

DOCUMENTS = Documents("v1", "RB-011", "alacarte", "id: RB-011", "id: alacarte")
NOTED = Event(Happened.INCIDENT_NOTED, "U_ANA", {"text": "naïve 😀 \u202e rtl"})


async def a_run(store: Store, key: str = "command:1") -> Run:
    """A stored run with one check."""
    async with store.transaction() as tx:
        await runs.keep_version(tx, DOCUMENTS)
        run = Run(
            id="6b1f9f0e-0000-4000-8000-00000000000" + key[-1],
            number=0,
            runbook="RB-011",
            version="v1",
            system="alacarte",
            title="Subscription status not updating",
            severity=Severity.P2,
            resolve_within=timedelta(minutes=20),
            incident=None,
            inputs={"business_id": "b"},
            requested_by="U_ANA",
            requested_at=tx.now,
            checks={"account": CheckRun("account")},
        )
        stored = await runs.insert(tx, run, key)
        assert stored is not None
        return stored


async def jobs(store: Store) -> list[bytes]:
    """The payloads of the jobs in the queue."""
    async with store.reading() as connection:
        return list((await connection.execute(text("SELECT payload FROM pgqueuer ORDER BY id"))).scalars())


async def test_migrations_give_the_tables(store: Store) -> None:
    """A migrated database has exactly the tables the code declares."""

    def differences(connection: Connection) -> list[object]:
        ours = {"include_name": lambda name, kind, _: kind != "table" or not name.startswith("pgqueuer")}
        return list(compare_metadata(MigrationContext.configure(connection, opts=ours), metadata))

    async with store.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_twice_at_once_is_harmless(database: str) -> None:
    """Two replicas may migrate at the same time, and again."""
    engine = engine_of(database)
    await asyncio.gather(migrate(engine), migrate(engine))
    assert await revision(engine) == head()
    await engine.dispose()


async def test_state_job_message_and_audit_commit_together(store: Store) -> None:
    """What one action writes is there as a whole."""
    run = await a_run(store)
    async with store.transaction() as tx:
        tx.record(NOTED, run_id=run.id)
        tx.announce("run", run_id=run.id)
        tx.enqueue(run.id)
    assert await jobs(store) == [run.id.encode()]
    async with store.reading() as connection:
        assert [line.kind for line in await audit.read(connection, run_id=run.id)] == ["incident.noted"]
        assert await outbox.waiting(connection) == 1


async def test_nothing_is_left_of_an_action_that_fails(store: Store) -> None:
    """A job enqueued as the very first statement is rolled back with the rest, although it goes by another way."""

    async def fail() -> None:
        async with store.transaction() as tx:
            tx.enqueue("some-run")
            tx.announce("run")
            tx.record(NOTED)
            await tx.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await jobs(store) == []
    async with store.snapshot() as connection:
        assert await outbox.waiting(connection) == 0
        assert await audit.verify_chain(connection) == audit.ChainReport(0)


async def test_audit_chain_shows_any_change(store: Store) -> None:
    """A line changed, removed or reordered behind the triggers' back breaks the chain at that line."""
    for _ in range(5):
        async with store.transaction() as tx:
            tx.record(NOTED, NOTED)
    async with store.snapshot() as connection:
        assert await audit.verify_chain(connection) == audit.ChainReport(10)
    for tampering in (
        "UPDATE audit SET body = replace(body, 'rtl', 'ltr') WHERE seq = 4",
        "DELETE FROM audit WHERE seq = 4",
    ):
        async with store.engine.connect() as connection:
            await connection.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_kept"))
            await connection.execute(text(tampering))
            report = await audit.verify_chain(connection)
            assert report.broken_at in (4, 5)
            await connection.rollback()


async def test_audit_trail_is_append_only(store: Store) -> None:
    """The database itself refuses to change or remove a line."""
    async with store.transaction() as tx:
        tx.record(NOTED)
    for statement in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with store.transaction() as tx:
                await tx.connection.execute(text(statement))


async def test_audit_lines_keep_their_order_under_concurrency(store: Store) -> None:
    """Many actions at once give one unbroken chain."""

    async def act() -> None:
        async with store.transaction() as tx:
            tx.record(NOTED)

    await asyncio.gather(*(act() for _ in range(40)))
    async with store.snapshot() as connection:
        assert await audit.verify_chain(connection) == audit.ChainReport(40)


async def test_one_request_starts_one_run(store: Store) -> None:
    """The same request stored twice gives one run."""
    run = await a_run(store)
    async with store.transaction() as tx:
        assert await runs.insert(tx, run, "command:1") is None
    async with store.reading() as connection:
        assert await runs.by_request(connection, "command:1") == run
        assert await runs.get(connection, run.id) == run
        assert await runs.by_number(connection, run.number) == run


async def test_a_lease_excludes_and_fences(store: Store) -> None:
    """One worker at a time; a worker whose lease was taken over can record nothing more."""
    run = await a_run(store)
    async with store.transaction() as tx:
        first = await runs.take_lease(tx, run.id, "one", timedelta(seconds=30))
        assert await runs.take_lease(tx, run.id, "two", timedelta(seconds=30)) is None
    assert first is not None
    async with store.transaction() as tx:
        await tx.connection.execute(text("UPDATE runs SET lease_until = clock_timestamp() - interval '1 second'"))
    async with store.transaction() as tx:
        second = await runs.take_lease(tx, run.id, "two", timedelta(seconds=30))
    assert second is not None
    with pytest.raises(LeaseLost):
        async with store.transaction() as tx:
            await locked(tx, run.id, first)
    async with store.transaction() as tx:
        assert not await runs.keep_lease(tx, first, timedelta(seconds=30))
        assert await runs.keep_lease(tx, second, timedelta(seconds=30))


async def test_the_sweeper_finds_runs_without_a_job(store: Store, clock: ManualClock) -> None:
    """A run that wants a worker and has neither one nor a job is found; one that has is not."""
    run = await a_run(store)
    async with store.reading() as connection:
        assert await runs.stranded(connection, clock.now()) == [run.id]
    async with store.transaction() as tx:
        tx.enqueue(run.id)
    async with store.reading() as connection:
        assert await runs.stranded(connection, clock.now()) == []


async def test_a_run_survives_storage_with_its_facts(store: Store) -> None:
    """What was recorded is read back as it was, and the run is announced."""
    run = await a_run(store)
    fact = Fact(FactStatus.DONE, {"row": {"at": run.requested_at}}, "1 row", duration=timedelta(milliseconds=12))
    async with store.transaction() as tx:
        await runs.put_fact(tx, run.id, "account", fact)
        after = await apply(tx, await locked(tx, run.id), CheckEnded("account", fact))
    async with store.reading() as connection:
        assert await runs.facts(connection, run.id) == {"account": fact}
        assert await runs.get(connection, run.id) == after
        topics = [message.topic for message in await outbox.take(connection, run.requested_at)]
    assert topics == ["run", "check"]
    assert after.state is RunState.DIAGNOSING


async def test_charts_are_taken_by_themselves(store: Store, clock: ManualClock) -> None:
    """What takes long to make stands in nobody's way: neither in the queue of what is sent, nor postponed."""
    async with store.transaction() as tx:
        incident = await _incident(tx)
        for number in range(150):
            tx.announce(CHART, body={"check": str(number)})
        tx.announce("incident", incident_id=incident)
    async with store.reading() as connection:
        assert [message.topic for message in await outbox.take(connection, clock.now())] == ["channel", "incident"]
        charts = await outbox.take(connection, clock.now(), charts=True)
    assert {message.topic for message in charts} == {CHART}
    async with store.transaction() as tx:
        await outbox.postpone(tx, charts[0].id, timedelta(seconds=5), "Slack is busy")
    async with store.reading() as connection:
        assert len(await outbox.take(connection, clock.now())) == 2
        assert charts[0].id not in {each.id for each in await outbox.take(connection, clock.now(), charts=True)}


async def test_messages_of_one_incident_keep_their_order(store: Store, clock: ManualClock) -> None:
    """While one message of an incident is postponed, its later ones wait and others go ahead."""
    async with store.transaction() as tx:
        one = await _incident(tx)
        two = await _incident(tx)
        tx.announce("incident", incident_id=one)
        tx.announce("incident", incident_id=two)
    async with store.reading() as connection:
        queue = await outbox.take(connection, clock.now())
    assert [message.topic for message in queue] == ["channel", "channel", "incident", "incident"]
    async with store.transaction() as tx:
        await outbox.postpone(tx, queue[0].id, timedelta(seconds=5), "Slack is busy")
    async with store.reading() as connection:
        assert [message.incident_id for message in await outbox.take(connection, clock.now())] == [two, two]
        assert await outbox.next_due(connection) == clock.now() + timedelta(seconds=5)
    clock.pass_(seconds=6)
    async with store.reading() as connection:
        assert len(await outbox.take(connection, clock.now())) == 4


async def test_incidents_open_and_resolve_once(store: Store) -> None:
    """An incident has a number and a channel name; it is resolved once."""
    async with store.transaction() as tx:
        opened = await _incident(tx)
    desk = Incidents(store, Catalogue())
    incident = await desk.get(opened)
    assert incident.channel_name == f"inc-{incident.number:03d}-database-cpu-high-80"
    await desk.resolve(opened, "U_ANA")
    assert (await desk.get(opened)).state is IncidentState.RESOLVED
    with pytest.raises(Exception, match="resolved already"):
        await desk.resolve(opened, "U_ANA")
    async with store.reading() as connection:
        assert await incidents.open_ones(connection) == []


async def test_a_database_that_is_gone_is_said_so(clock: ManualClock) -> None:
    """Nothing recorded is an error in one sentence, not a traceback."""
    store = Store(engine_of("postgresql://nobody:x@127.0.0.1:1/none"), clock)
    with pytest.raises(Unavailable, match="nothing was recorded"):
        async with store.transaction():
            pass
    await store.close()


async def _incident(tx: object) -> str:
    system = System("alacarte", "A La Carte Chat")
    made = await open_incident(
        tx,  # type: ignore[arg-type]  # a Transaction
        Catalogue(),
        system,
        title="Database CPU high (>80%)",
        severity=Severity.P1,
        target=timedelta(minutes=10),
        by="U_ANA",
    )
    return made.id
