"""Proofs in the database: the last try of each version is kept, when one passed is not forgotten, all is on record."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.proof import Proof, ProofKind
from bot.store import audit, proofs
from bot.store.session import Store
from tests.conftest import ManualClock

pytestmark = pytest.mark.runbooks

DRILL, LIVE = ProofKind.DRILL, ProofKind.LIVE
HOUR = timedelta(hours=1)


def a_try(clock: ManualClock, runbook: str = "RB-011", version: str = "v1", *, passed: bool = True) -> Proof:
    """A try that ended just now."""
    return Proof(runbook, "shop", version, DRILL, passed, clock.now(), "as expected" if passed else "it was not")


async def record(store: Store, kind: ProofKind, *tries: Proof, by: str = "bot") -> Sequence[Proof]:
    """Record these tries."""
    async with store.transaction() as tx:
        return await proofs.record(tx, kind, tries, by)


async def known(store: Store, *versions: str) -> Sequence[Proof]:
    """What is known of the shop."""
    async with store.reading() as connection:
        return await proofs.known(connection, ["shop"], versions)


async def test_the_last_try_is_kept_and_the_last_success_remembered(store: Store, clock: ManualClock) -> None:
    """A failure takes the place of a success, and still says when that was."""
    first = clock.now()
    await record(store, DRILL, a_try(clock))
    clock.pass_(hours=1)
    await record(store, DRILL, a_try(clock, passed=False))
    assert await known(store, "v1") == [replace(a_try(clock, passed=False), last_passed=first)]


async def test_an_older_report_takes_nothing_back(store: Store, clock: ManualClock) -> None:
    """A report that is taken in late, or twice, changes nothing, and nothing is put on record."""
    old = a_try(clock, passed=False)
    clock.pass_(hours=1)
    assert len(await record(store, DRILL, a_try(clock))) == 1
    assert await record(store, DRILL, old) == []
    assert await record(store, DRILL, a_try(clock)) == []
    assert [each.passed for each in await known(store, "v1")] == [True]
    async with store.reading() as connection:
        assert [line.kind for line in await audit.read(connection)] == ["runbooks.proven"]


async def test_this_version_and_the_best_of_the_others_are_known(store: Store, clock: ManualClock) -> None:
    """Of each kind: the try of the version in use, and of all others the one that passed last."""
    for version, passed in (("v1", True), ("v2", True), ("v3", False), ("v4", True)):
        await record(store, DRILL, a_try(clock, version=version, passed=passed))
        clock.pass_(hours=1)
    await record(store, LIVE, a_try(clock, version="v4"))
    found = [(each.kind, each.version) for each in await known(store, "v4")]
    assert sorted(found) == [(DRILL, "v2"), (DRILL, "v4"), (LIVE, "v4")]
    assert {(each.kind, each.version) for each in await known(store, "v5")} == {(DRILL, "v4"), (LIVE, "v4")}
    async with store.reading() as connection:
        assert await proofs.known(connection, ["elsewhere"], ["v4"]) == []


async def test_recording_is_on_record(store: Store, clock: ManualClock) -> None:
    """One line says who recorded how many, and which failed."""
    tries = [a_try(clock), a_try(clock, "RB-012"), a_try(clock, "RB-013", passed=False)]
    await record(store, LIVE, *tries, by="terminal:ana")
    async with store.reading() as connection:
        (line,) = await audit.read(connection)
    assert (line.actor, line.data) == (
        "terminal:ana",
        {"kind": "live", "system": ["shop"], "passed": 2, "failed": ["RB-013"]},
    )


async def test_two_who_record_at_once_do_not_block_each_other(store: Store, clock: ManualClock) -> None:
    """The same runbooks in opposite orders: both end, and the newest counts."""
    many = [a_try(clock, f"RB-{number:03}") for number in range(50)]
    later = [replace(each, at=each.at + HOUR, passed=False) for each in reversed(many)]
    await asyncio.gather(record(store, DRILL, *many), record(store, DRILL, *later))
    assert {each.passed for each in await known(store, "v1")} == {False}
