"""The canary against the sandbox: it only looks, it says what no longer answers, and what it finds is seen in Slack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from bot.authoring.catalogue import Catalogue
from bot.cli.sandbox import Sandbox, populated
from bot.domain.proof import Proof, ProofKind
from bot.domain.runbook import Input, InputType, Probe
from bot.domain.system import variables
from bot.errors import Mistake
from bot.runs.library import Library
from bot.runs.worker import Worker
from bot.sandbox.alacarte import plant
from bot.sandbox.postgres import Postgres
from bot.sandbox.services import Switch
from bot.steps.targets import Targets
from bot.store import proofs
from bot.store.session import ADVANCE, Store
from bot.timers.queue import Nightly, Queue
from tests.conftest import ManualClock

pytestmark = pytest.mark.runbooks

BUSINESS = "0a1aca27-0011-4000-8000-000000000001"
PROBED = {"ALACARTE_PROBE_BUSINESS": BUSINESS}


@asynccontextmanager
async def stage(
    postgres: Postgres, told: Mapping[str, str], clock: ManualClock | None = None
) -> AsyncIterator[Sandbox]:
    """A world with a healthy probe business."""
    async with populated(postgres, rate_limits=False, overrides=told, clock=clock) as sandbox:
        await plant("webhook_missed", sandbox.world.alacarte, sandbox.world.stripe)
        yield sandbox


async def live(sandbox: Sandbox, id: str) -> Proof | None:
    """The live proof that is on record for a runbook."""
    runbook = sandbox.bot.desk.library.known(id)
    async with sandbox.bot.store.reading() as connection:
        found = await proofs.known(connection, [runbook.system], [runbook.version])
    return next((each for each in found if each.runbook == id and each.kind is ProofKind.LIVE), None)


async def written(sandbox: Sandbox) -> dict[str, Any]:
    """What of the sample system a change would show in: rows written in each of its tables, and receipts."""
    connection = await sandbox.world.alacarte.connect()
    try:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        rows = await connection.fetch(
            "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del AS n FROM pg_stat_user_tables ORDER BY relname"
        )
        receipts = await connection.fetchval("SELECT count(*) FROM runbook_receipts")
        return {**{row["relname"]: row["n"] for row in rows}, "receipts": receipts}
    finally:
        await connection.close()


async def test_it_only_looks(postgres: Postgres) -> None:
    """All runbooks of a system are tried and pass: no run, no incident, no question, no approval, nothing written,
    nothing posted to Stripe, no mail, and programs only as declared for looking."""
    async with stage(postgres, PROBED) as sandbox:
        world, bot = sandbox.world, sandbox.bot
        world.stripe.journal.clear()
        before = await written(sandbox)
        looked = await bot.canary.tried()
        assert [each.runbook.id for each in looked if each.proof is None] == []
        assert [each.proof.detail for each in looked if each.proof and not each.proof.passed] == []
        assert len(looked) == 16
        assert await written(sandbox) == before
        assert {each.method for each in world.stripe.journal} == {"GET"}
        system = bot.desk.library.catalogue.systems["alacarte"]
        safe = {path for service in system.services.values() for path in service.safe_posts}
        changing = [each for each in world.services.asked if each.method not in ("GET", "HEAD")]
        assert [each.path for each in changing if each.path not in safe] == []
        assert world.mail.mails == []
        assert await bot.desk.reads.recent() == []
        assert [line.kind for line in await bot.desk.reads.audit()] == ["runbooks.proven"]
        assert world.slack.person("ana").screen() == []


async def test_a_service_that_does_not_answer_fails_its_runbook_alone(postgres: Postgres) -> None:
    """Stripe is off: runbooks that ask it fail with the check's name, others pass; when they last passed is not
    forgotten; that one no longer passes is a warning of the first night, and none of the next."""
    async with stage(postgres, PROBED) as sandbox:
        with capture_logs() as logs:
            await sandbox.bot.canary.nightly()
        assert [(each["event"], each["runbooks"], each["failed"]) for each in logs] == [("live checks tried", 16, [])]
        await sandbox.world.stripe.stop()
        with capture_logs() as logs:
            await sandbox.bot.canary.nightly()
        failed = {each["runbook"]: each["reason"] for each in logs if each["log_level"] == "warning"}
        assert sorted(failed) == logs[-1]["failed"]
        assert "Stripe" in failed["RB-011"]
        assert "RB-003" not in failed
        proof = await live(sandbox, "RB-011")
        assert proof is not None
        assert (proof.passed, proof.detail) == (False, failed["RB-011"])
        assert proof.last_passed is not None
        assert proof.last_passed < proof.at
        other = await live(sandbox, "RB-003")
        assert other is not None
        assert other.passed
        with capture_logs() as logs:
            await sandbox.bot.canary.nightly()
        assert [each["event"] for each in logs] == ["live checks tried"]


async def test_one_service_of_many(postgres: Postgres) -> None:
    """One provider's status page answers 503: those who read it fail, and nobody else does."""
    async with stage(postgres, {}) as sandbox:
        sandbox.world.services.switches["/status/twilio/api/v2/status.json"] = Switch(503)
        looked = await sandbox.bot.canary.tried(["rb-014", "RB-003"])
        by_id = {each.runbook.id: each.proof for each in looked}
        assert by_id["RB-003"] is not None
        assert by_id["RB-003"].passed
        assert by_id["RB-014"] is not None
        assert not by_id["RB-014"].passed
        assert await live(sandbox, "RB-002") is None


async def test_what_needs_more_than_is_known_is_named(postgres: Postgres) -> None:
    """Without the probe's variable, with one that does not fit, without a probe, and where the system is not set up:
    each says why it was left alone, and nothing is recorded; an id that is none is a mistake."""
    async with stage(postgres, {}) as sandbox:
        bot = sandbox.bot
        (looked,) = await bot.canary.tried(["RB-011"])
        assert looked.why == "a probe is missing: The environment variable ALACARTE_PROBE_BUSINESS is not set."
        known = bot.desk.library.known("RB-011")
        for fields, why in (
            ((Input("n", InputType.TEXT, "N"),), "no probe is declared for n"),
            ((replace(known.inputs[0], probe=Probe("12")),), "the probe of business_id: «12» is not a UUID"),
        ):
            catalogue = bot.desk.library.catalogue
            others = [each for each in catalogue.list() if each.id != "RB-011"]
            catalogue.take(catalogue.systems.values(), [*others, replace(known, inputs=fields)], catalogue.lookups)
            (looked,) = await bot.canary.tried(["RB-011"])
            assert looked.why.startswith(why)
        assert await bot.desk.reads.audit() == []
        with pytest.raises(Mistake, match="There is no runbook «RB-999»"):
            await bot.canary.tried(["RB-999"])
        unset = {each.env: "" for each in variables(bot.desk.library.catalogue.systems["alacarte"])}
    async with stage(postgres, unset) as sandbox:
        (looked,) = await sandbox.bot.canary.tried(["RB-003"])
        assert looked.why == "its system is not set up here: none of its variables is set"


# -- what people see ---------------------------------------------------------------------------------------------------


async def drilled(sandbox: Sandbox, version: str = "", *, passed: bool = True) -> None:
    """Record a drill of RB-011."""
    version = version or sandbox.bot.desk.library.known("RB-011").version
    async with sandbox.bot.store.transaction() as tx:
        proof = Proof("RB-011", "alacarte", version, ProofKind.DRILL, passed, tx.now, "17 of 18 branches as expected")
        await proofs.record(tx, ProofKind.DRILL, [proof], "terminal:ci")


async def test_it_is_seen_in_slack(postgres: Postgres, clock: ManualClock) -> None:
    """Ana types /runbook RB-011 on a fresh installation, after a drill and a canary, when these have grown old, and
    when the live checks fail: the form, the page and the start say so; the list marks what is stale."""
    async with stage(postgres, PROBED, clock) as sandbox:
        ana = sandbox.world.slack.person("ana")

        async def reads(*lines: str) -> None:
            await ana.types("/runbook RB-011")
            await ana.sees(lambda seen: seen.surface == "modal" and all(line in seen.text for line in lines))
            await ana.closes()
            await ana.types("/runbook show RB-011")
            await ana.sees(lambda seen: "Looks at" in seen.text and all(line in seen.text for line in lines))

        await reads("Not proven here yet: no drill and no live check is on record.")
        await ana.types("/runbook list")
        assert "⚠" not in (await ana.sees("16 runbooks")).text
        await drilled(sandbox)
        await sandbox.bot.canary.tried()
        clock.pass_(hours=50)
        await reads("Last proven: drill 2 days ago · live checks 2 days ago")
        await ana.types(f"/runbook RB-011 business_id={BUSINESS}")
        await ana.sees("Last proven: drill 2 days ago")
        clock.pass_(days=29)
        await reads("⚠ last drilled 31 days ago · ⚠ live checks last passed 31 days ago")
        await drilled(sandbox, passed=False)
        await sandbox.world.stripe.stop()
        await sandbox.bot.canary.tried(["RB-011"])
        await reads(
            "⚠ drill failed just now, last passed 31 days ago: 17 of 18 branches as expected",
            "⚠ live checks failed just now, last passed 31 days ago: «",
        )
        await ana.types("/runbook list")
        listed = await ana.sees("16 not proven as they stand")
        assert "RB-011 Subscription status not updating (P2, 20 min) ⚠" in listed.text


# -- every night -------------------------------------------------------------------------------------------------------


async def test_one_replica_does_it_at_its_time(database: str, store: Store, clock: ManualClock) -> None:
    """Two workers, and a night that has come: one of them does the work; the other, which has looked for work since,
    leaves it alone; the next night is a day later."""
    connection = await asyncpg.connect(database)
    for name in ("canary", "other"):
        await connection.execute(
            "INSERT INTO pgqueuer_schedules (expression, entrypoint, next_run) VALUES ('30 3 * * *', $1, now())", name
        )
    done: list[str] = []
    first, other, going = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def nightly(replica: str, name: str, said: asyncio.Event) -> Nightly:
        async def work() -> None:
            done.append(f"{name} by {replica}")
            said.set()
            await going.wait()

        return Nightly(name, "03:30", work)

    async with Targets({}) as targets:
        worker = Worker(store, Library(Catalogue(), store), targets, clock)
        one = Queue(database, {ADVANCE: worker.advance}, scheduled=[nightly("one", "canary", first)])
        again = [nightly("two", "canary", asyncio.Event()), nightly("two", "other", other)]
        two = Queue(database, {ADVANCE: worker.advance}, scheduled=again)
        running = [asyncio.create_task(one.run())]
        await asyncio.wait_for(first.wait(), 10)
        running.append(asyncio.create_task(two.run()))
        await asyncio.wait_for(other.wait(), 10)
        assert done == ["canary by one", "other by two"]
        for queue in (one, two):
            queue.stop()
        await asyncio.wait_for(asyncio.gather(*running), 10)
    rows = await connection.fetch("SELECT status::text, next_run > now() AS later FROM pgqueuer_schedules")
    await connection.close()
    assert [tuple(row) for row in rows] == [("queued", True)] * 2


async def test_the_bot_has_its_night(postgres: Postgres) -> None:
    """The worker of a bot that is told a time schedules the canary then, in UTC; told none, it does not."""
    for at, expected in (("04:05", ["5 4 * * *"]), ("", [])):
        async with stage(postgres, {"RUNBOOK_CANARY_AT": at}) as sandbox:
            connection = await asyncpg.connect(sandbox.world.environment()["DATABASE_URL"])
            try:
                rows: list[asyncpg.Record] = []
                async with asyncio.timeout(10):
                    while at and not rows:
                        mine = "SELECT expression FROM pgqueuer_schedules WHERE entrypoint = 'canary'"
                        rows = await connection.fetch(mine)
                assert [row["expression"] for row in rows] == expected
            finally:
                await connection.close()
