"""Lines that break and servers that restart in the middle of a change: what became of it is looked up, not guessed."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.domain.run import ActionStatus, Run, RunState
from bot.errors import BotError
from bot.main import running
from bot.sandbox.postgres import Postgres, free_port
from bot.sandbox.stripe import Fault, FaultKind
from bot.settings import read_settings
from tests.proof.judging import Trial, Verdict, judged
from tests.proof.lines import Line, Moment
from tests.proof.scenarios import SqlChange, StripeRefund, gate_runbooks, played
from tests.proof.shifts import SUCCESSORS, UNSETTLED
from tests.proof.stage import Stage, staged
from tests.steps.services import api

pytestmark = [pytest.mark.approval, pytest.mark.timeout(240)]

INTENT, OUTCOME, RECEIPT = b"INSERT INTO effects", b"UPDATE effects", b'INSERT INTO "runbook_receipts"'
CARRIED = {
    INTENT: "the intent",
    OUTCOME: "the outcome",
    b"INSERT INTO target_locks": "the target's lock",
    RECEIPT: "the change, its receipt",
    b"INSERT INTO facts": "evidence",
    b"lease_token=(runs.lease_token": "taking the lease",
    b"SET lease_until": "giving the lease back",
    b"UPDATE runs": "the run",
    b"FOR UPDATE": "looking at the run",
}
"""What a COMMIT closes, by a statement of its transaction: the first that fits."""


async def work_through(stage: Stage, run: str, changed: Mapping[str, str]) -> None:
    """A worker of its own, told other addresses, advances the run as far as it gets."""
    environment = {**stage.environment, **changed}
    settings = read_settings({name.lower(): value for name, value in environment.items()})
    catalogue = stage.bot.desk.library.catalogue
    with contextlib.suppress(BotError):
        async with running(settings, environment, listen=False, announce=False, work=False, catalogue=catalogue) as bot:
            await bot.worker.advance(run)


async def settled(stage: Stage, run: str, action: str) -> Run:
    """The run after other workers have gone on with it, over lines that hold."""
    for _ in range(SUCCESSORS):
        found = await stage.run(run)
        if found.actions[action].status not in UNSETTLED:
            break
        await stage.bot.worker.advance(run)
    return await stage.run(run)


async def broken(scenario: SqlChange, variable: str, at: int, moment: Moment) -> tuple[Trial, Line]:
    """One change whose worker loses the line to a database at a COMMIT, and what became of it."""
    run = await scenario.fresh()
    async with Line(scenario.stage.world.postgres.port, at, moment) as line:
        changed = {variable: line.through(scenario.stage.environment[variable])}
        await work_through(scenario.stage, run, changed)
    await scenario.taken_over(run)
    found = await settled(scenario.stage, run, scenario.action)
    await scenario.still()
    return told(found, scenario.action, await scenario.effects(), line, moment), line


def told(run: Run, action: str, effects: int, line: Line, moment: Moment) -> Trial:
    """What became of a change whose worker lost its line."""
    status = run.actions[action].status
    return Trial("", line.broken, carried(line.last), moment, effects, status, judged(effects, status))


def carried(said: bytes) -> str:
    """What a transaction was about, by the statement in it that tells most."""
    return next((name for mark, name in CARRIED.items() if mark in said), "the run, read or written")


def show(title: str, trials: list[Trial]) -> None:
    """Every break and its end."""
    print(f"\n{title}")
    for trial in trials:
        print(f"  {trial.place:24} {trial.moment:14} took effect {trial.effects}×, the run says {trial.status}")


async def test_the_line_to_the_target_breaks(logged: Postgres, tmp_path: Path) -> None:
    """Before its COMMIT nothing changed, and it is said; during and after it the receipt says that it happened."""
    async with played(SqlChange, logged, gate_runbooks(tmp_path)) as scenario:
        assert isinstance(scenario, SqlChange)
        trials = [(await broken(scenario, "ALACARTE_ACT_URL", 1, moment))[0] for moment in Moment]
    show("the line to the target breaks", trials)
    assert all(trial.killed for trial in trials)
    assert [trial.verdict for trial in trials] == [Verdict.NOT_AT_ALL, Verdict.ONCE, Verdict.ONCE]


async def test_the_line_to_the_bots_database_breaks(logged: Postgres, tmp_path: Path) -> None:
    """At any of the bot's own COMMITs, before, during or after it: once, or not at all; and nobody has to be asked."""
    async with played(SqlChange, logged, gate_runbooks(tmp_path)) as scenario:
        assert isinstance(scenario, SqlChange)
        whole, line = await broken(scenario, "DATABASE_URL", 0, Moment.BEFORE)
        assert (whole.verdict, whole.killed) == (Verdict.ONCE, False)
        trials = []
        for at in range(1, len(line.work) + 1):
            trials += [(await broken(scenario, "DATABASE_URL", at, moment))[0] for moment in Moment]
    show("the line to the bot's own database breaks", trials)
    assert all(trial.killed for trial in trials)
    assert {trial.verdict for trial in trials} == {Verdict.ONCE, Verdict.NOT_AT_ALL}


@pytest.fixture
def durable() -> Iterator[Postgres]:
    """A server that can be stopped and started again, on the same port and with everything it had promised."""
    account = Path(tempfile.mkdtemp(prefix="runbook-gate-", dir="/var/tmp"))
    server = Postgres(account / "server", port=free_port())
    account.chmod(0o755)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(account, ignore_errors=True)


class Restarts:
    """A server that is restarted in the moment a line to it breaks."""

    def __init__(self, server: Postgres) -> None:
        self.count = 0
        self._server = server

    async def mend(self) -> None:
        """Stop it, which ends every session, and start it again."""
        await asyncio.to_thread(self._server.stop)
        await asyncio.to_thread(self._server.start)
        self.count += 1


async def restarted(stage: Stage, restarts: Restarts, variable: str, mark: bytes, moment: Moment) -> Trial:
    """A change whose worker loses the line at the COMMIT that closes `mark`, and the server restarts at once."""
    action = "copy_from_stripe"
    planted = await stage.plant("webhook_missed")
    run = await stage.started("RB-011", business_id=str(planted.business_id))
    await stage.approve(run, action)
    port = stage.world.postgres.port
    async with Line(port, mark, moment, restarts.mend) as line:
        await work_through(stage, run, {variable: line.through(stage.environment[variable])})
    await over(stage, run)
    found = await settled(stage, run, action)
    target = await stage.world.alacarte.connect()
    try:
        proofs = "SELECT count(*) FROM runbook_receipts WHERE run_id = $1 AND NOT detail ? 'given_up'"
        changed = "SELECT subscription_status = 'active' FROM businesses WHERE id = $1"
        effects = int(await target.fetchval(proofs, run))
        assert await target.fetchval(changed, planted.business_id) is bool(effects)
    finally:
        await target.close()
    return told(found, action, effects, line, moment)


async def over(stage: Stage, run: str) -> None:
    """The lease of whoever held the run is over."""
    async with stage.bot.store.transaction() as tx:
        query = "UPDATE runs SET lease_until = clock_timestamp() - interval '1 second' WHERE id = :run"
        await tx.connection.execute(text(query), {"run": run})


async def test_a_server_restarts_at_a_commit(durable: Postgres, tmp_path: Path) -> None:
    """The line breaks at the intent, the change or its outcome, and the server restarts in between: once and it says
    so, or not at all and it says so; nobody has to be asked."""
    restarts, trials = Restarts(durable), []
    async with staged(durable, gate_runbooks(tmp_path)) as stage:
        for moment in Moment:
            trials.append(await restarted(stage, restarts, "DATABASE_URL", INTENT, moment))
            trials.append(await restarted(stage, restarts, "ALACARTE_ACT_URL", RECEIPT, moment))
            trials.append(await restarted(stage, restarts, "DATABASE_URL", OUTCOME, moment))
    show("the server restarts", trials)
    assert all(trial.killed for trial in trials)
    assert restarts.count == len(trials)
    assert {trial.verdict for trial in trials} == {Verdict.ONCE, Verdict.NOT_AT_ALL}
    sure = {(trial.place, trial.moment): trial.verdict for trial in trials}
    assert sure["the change, its receipt", Moment.BEFORE] is Verdict.NOT_AT_ALL
    assert sure["the change, its receipt", Moment.AFTER] is Verdict.ONCE
    assert sure["the outcome", Moment.BEFORE] is sure["the outcome", Moment.AFTER] is Verdict.ONCE


@pytest.mark.parametrize(
    ("kind", "times", "asked"),
    [
        (FaultKind.DROP_AFTER, 1, False),
        (FaultKind.DROP_AFTER, 2, True),
        (FaultKind.DROP_BEFORE, 2, True),
        (FaultKind.SILENT_AFTER, 1, True),
        (FaultKind.SILENT_BEFORE, 1, True),
    ],
)
async def test_stripe_does_not_answer(
    logged: Postgres, tmp_path: Path, kind: FaultKind, times: int, asked: bool
) -> None:
    """An answer that is lost after the refund was made: the same key again, from the bot itself or once a person says
    look again, and there is one refund."""
    async with played(StripeRefund, logged, gate_runbooks(tmp_path)) as scenario:
        stage, run = scenario.stage, await scenario.fresh()
        stripe = stage.world.stripe
        stripe.faults.add(Fault(kind, times=times, method="POST", path="/v1/refunds"))
        await stage.bot.worker.advance(run)
        found = await stage.run(run)
        assert (found.state is RunState.PARKED) is asked
        if asked:
            assert found.actions["refund"].status is ActionStatus.UNKNOWN
            await stage.bot.desk.people.look_now(run, "refund", "U0ANA")
            await stage.bot.worker.advance(run)
            found = await stage.run(run)
        posts = [call for call in stripe.journal if (call.method, call.path) == ("POST", "/v1/refunds")]
        keys, refunds = {call.idempotency_key for call in posts}, await scenario.effects()
        print(f"\n{kind.value}, {times}×: {len(posts)} requests, {len(keys)} key, {refunds} refund,", end=" ")
        print(f"{'a person was asked' if asked else 'nobody was asked'}, the run says {found.actions['refund'].status}")
        assert found.actions["refund"].status is ActionStatus.DONE
        assert (len(keys), refunds) == (1, 1)
        # What is never answered is never in the journal either; that it was done shows in the answer to the second.
        assert posts[-1].replayed is (kind in (FaultKind.DROP_AFTER, FaultKind.SILENT_AFTER))


@pytest.mark.parametrize("happened", [True, False])
async def test_a_service_takes_the_request_and_says_nothing(logged: Postgres, tmp_path: Path, happened: bool) -> None:
    """The line breaks after the request arrived: it is not sent again by anybody, and a person is asked."""
    async with api() as partner:
        overrides = {"ALACARTE_FUNCTIONS_URL": partner.url}
        async with staged(logged, gate_runbooks(tmp_path), overrides) as stage:
            run = await stage.started("RB-951")
            await stage.approve(run, "tell")
            partner.drop = True
            for _ in range(SUCCESSORS):
                await stage.bot.worker.advance(run)
            found = await stage.run(run)
            assert (found.state, found.actions["tell"].status) == (RunState.PARKED, ActionStatus.UNKNOWN)
            assert len(partner.seen) == 1
            partner.drop = False
            await stage.bot.desk.people.settle(run, "tell", "U0ANA", happened=happened)
            for _ in range(SUCCESSORS):
                await stage.bot.worker.advance(run)
            found = await stage.run(run)
            print(
                f"\na person says it happened: {happened}; {len(partner.seen)} request, {found.actions['tell'].status}"
            )
            assert len(partner.seen) == 1
            assert found.actions["tell"].status is (ActionStatus.DONE if happened else ActionStatus.FAILED)
