"""Very many alerts at once, workers that die and work beside each other: a handful of incidents, and none is lost."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.authoring.catalogue import Catalogue
from bot.domain.runbook import Runbook
from bot.incidents.receiving import Receiver
from bot.incidents.sorting import Sorter
from bot.intake.fields import parsed
from bot.intake.products import alertmanager
from bot.store import alerts
from bot.store.session import Store, engine_of
from tests.conftest import ManualClock
from tests.intake import sending
from tests.intake.conftest import Intake
from tests.intake.sending import BEARER

pytestmark = pytest.mark.incidents

RECEIVED = "SELECT coalesce(sum(count), 0) FROM alerts"
NAMES = 40


def storm(numbers: Iterable[int]) -> bytes:
    """A notification with an alert for each number, of forty names."""
    return sending.alertmanager(
        *(sending.prometheus(f"Alert{n % NAMES:02}", labels={"instance": f"host-{n}"}) for n in numbers)
    )


async def test_ten_thousand_alerts(intake: Intake) -> None:
    """In batches of a thousand, in parallel single posts, and some of them again: four incidents, the most severe have
    their own, every alert is in one of them and counted exactly as often as it was received."""
    worst = sending.alertmanager(
        sending.prometheus("PoolUsedUp", labels={"environment": "live", "instance": "db"}),
        *(sending.prometheus(f"Alert{n:02}", labels={"severity": "warning"}) for n in range(NAMES)),
    )
    assert (await intake.post("/alerts/prometheus", worst, BEARER))[0] == 202
    limit = asyncio.Semaphore(20)

    async def single(n: int) -> int:
        async with limit:
            return (await intake.post("/alerts/prometheus", storm([n]), BEARER))[0]

    batches = [intake.post("/alerts/prometheus", storm(range(n, n + 1_000)), BEARER) for n in range(0, 9_000, 1_000)]
    answers, statuses = await asyncio.gather(
        asyncio.gather(*batches), asyncio.gather(*(single(n) for n in range(9_000, 9_959)))
    )
    assert {status for status, _ in answers} | set(statuses) == {202}
    assert sum(answer["taken"] for _, answer in answers) == 9_000
    await intake.sorted()
    assert await intake.count(RECEIVED) == 10_000
    found = await intake.open_ones()
    assert (found[0].origin, found[-1].origin) == ("alert:PoolUsedUp:db", "alert:storm")
    assert (len(found), found[0].severity) == (4, "P0")
    assert await intake.count("SELECT count(*) FROM alerts WHERE incident_id IS NULL") == 0
    in_incidents = [sum(t.count for t in await intake.sandbox.bot.desk.incidents.tallies(each.id)) for each in found]
    assert sum(in_incidents) == 10_000
    told = await intake.told(found[-1])
    # Once for its names, and once more if the worse ones came after them.
    assert len(told) in (1, 2)
    assert all("gathered here: Alert" in each for each in told)
    await intake.person("ana").sees(lambda seen: f"alerts, received {in_incidents[-1]:,} times" in seen.text)


async def test_after_the_storm(intake: Intake) -> None:
    """While new alerts keep coming they are gathered; ten minutes after the last one a new one is told by itself."""
    for n in range(5):
        await intake.job(f"Job {n}")
    assert [each.origin for each in await intake.open_ones()] == [
        "alert:Job 0",
        "alert:Job 1",
        "alert:Job 2",
        "alert:storm",
    ]
    intake.clock.pass_(minutes=9)
    await intake.job("Job 5")
    intake.clock.pass_(minutes=9)
    await intake.job("Job 6", severity="critical")
    (gathered,) = [each for each in await intake.open_ones() if each.origin == "alert:storm"]
    assert gathered.severity == "P1"
    assert len(await intake.open_ones()) == 4
    intake.clock.pass_(minutes=10)
    await intake.job("Job 7")
    assert [each.origin for each in await intake.open_ones()][-1] == "alert:Job 7"


async def test_two_beside_each_other(database: str, clock: ManualClock, catalogue: Catalogue) -> None:
    """Eight sorters at once: each alert is counted once, each origin has one incident."""
    store = await _filled(database, clock)
    sorters = [Sorter(store, catalogue) for _ in range(8)]
    assert sum(await asyncio.gather(*(each.sort() for each in sorters))) == 2_400
    assert await _facts(store) == (2_400, 4, 4, 0)
    await store.close()


async def test_one_sorts_at_a_time(database: str, clock: ManualClock, catalogue: Catalogue) -> None:
    """While a transaction sorts, whoever else wants to waits for it."""
    store = await _filled(database, clock)
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    async with store.transaction() as tx:
        await alerts.alone(tx)
        second = asyncio.create_task(Sorter(store, catalogue).sort())
        async with asyncio.timeout(20), store.reading() as connection:
            while not (await connection.execute(waiting)).scalar_one():
                assert not second.done()
    assert await second == 2_400
    await store.close()


class Breaking(Catalogue):
    """Runbooks that cannot be searched for one word, as a bug would have it."""

    def fitting(self, system: str, words: str) -> Sequence[tuple[float, Runbook]]:
        """As the catalogue has it, but for the word."""
        if "Alert07" in words:
            raise RuntimeError("a bug")
        return super().fitting(system, words)


async def test_one_that_cannot_be_sorted(database: str, clock: ManualClock, catalogue: Catalogue) -> None:
    """A bug with some alerts stops none of the others: these stay where they arrived, and wake nobody; once it is
    mended they can be sorted."""
    store = await _filled(database, clock, 100)
    breaking = Breaking(catalogue.systems.values(), catalogue.list(), catalogue.lookups, catalogue.operations)
    assert await Sorter(store, breaking).sort() == 194
    aside = text("SELECT count(*) FROM alert_arrivals WHERE problem = 'RuntimeError'")
    async with store.reading() as connection:
        assert (await connection.execute(aside)).scalar_one() == 6
        assert not await alerts.waiting(connection)
    async with store.transaction() as tx:
        await tx.connection.execute(text("UPDATE alert_arrivals SET problem = ''"))
    assert await Sorter(store, catalogue).sort() == 6
    assert (await _facts(store))[0] == 200
    await store.close()


async def test_a_storm_wakes_one_worker(database: str, clock: ManualClock, catalogue: Catalogue) -> None:
    """Where others wait to be sorted nobody is woken again; whoever sorts them has somebody look once more after it."""
    store = await _filled(database, clock)
    jobs = "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'sort'"
    async with store.reading() as connection:
        assert (await connection.execute(text(jobs))).scalar_one() == 1
    assert await Sorter(store, catalogue).sort() == 2_400
    async with store.reading() as connection:
        later = text(f"{jobs} AND execute_after > now()")
        assert (await connection.execute(later)).scalar_one() >= 1
    await store.close()


@pytest.mark.parametrize("milestone", ["taken", "placed", "sorted"])
async def test_killed_at(database: str, clock: ManualClock, catalogue: Catalogue, tree: Path, milestone: str) -> None:
    """A worker is killed in the middle of its first batch, or right after it: another one goes on, nothing is lost,
    counted twice or opened twice; the job that would wake it is there, and the sweep would make another."""
    store = await _filled(database, clock)
    doomed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.intake.doomed_sorter", milestone, str(tree)),
        env={"DATABASE_URL": database, "PYTHONPATH": ":".join(filter(None, sys.path))},
    )
    assert await asyncio.wait_for(doomed.wait(), 60) == -signal.SIGKILL
    left = 1_900 if milestone == "sorted" else 2_400
    jobs = "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'sort'"
    async with store.reading() as connection:
        before = (await connection.execute(text(jobs))).scalar_one()
        assert before >= 1
    assert await Sorter(store, catalogue).sweep() == 0
    async with store.reading() as connection:
        assert (await connection.execute(text(jobs))).scalar_one() == before + 1
    assert await Sorter(store, catalogue).sort() == left
    assert await _facts(store) == (2_400, 4, 4, 0)
    await store.close()


async def _filled(database: str, clock: ManualClock, many: int = 1_200) -> Store:
    """A store in which so many alerts of forty names have arrived twice."""
    store = Store(engine_of(database), clock)
    for _ in range(2):
        delivery = alertmanager(parsed(storm(range(many))), clock.now())
        assert await Receiver(store).take("prometheus", "alacarte", delivery.alerts)
    return store


async def _facts(store: Store) -> tuple[int, ...]:
    """How often alerts were received, how many incidents there are and were opened, and what is left."""
    queries = (
        RECEIVED,
        "SELECT count(*) FROM incidents",
        "SELECT count(*) FROM audit WHERE kind = 'incident.opened'",
        "SELECT count(*) FROM alert_arrivals",
    )
    async with store.reading() as connection:
        return tuple([int((await connection.execute(text(each))).scalar_one()) for each in queries])
