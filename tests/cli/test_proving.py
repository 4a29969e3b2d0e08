"""`runbook drill --record`, `prove` and `canary` as they are typed: what goes on record, what is said, how they end."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bot.authoring.loader import catalogue_at
from bot.cli.drills import SHIPPED
from bot.cli.reports import proofs_in
from bot.cli.sandbox import MANIFEST, migrated
from bot.domain.proof import Proof, ProofKind
from bot.errors import Mistake
from bot.sandbox.postgres import Postgres
from bot.sandbox.world import World, opened
from bot.store import audit, proofs, tables
from bot.store.session import Store
from tests.cli.command import runbook

pytestmark = pytest.mark.runbooks

KNOWN = catalogue_at(SHIPPED, ["aias"])
DRILLED = "AI-11"


async def on_record(store: Store, id: str) -> list[Proof]:
    """What is known of this version of a shipped runbook."""
    wanted = KNOWN.get(id)
    assert wanted is not None
    async with store.reading() as connection:
        found = await proofs.known(connection, [wanted.system], [wanted.version])
    return [each for each in found if each.runbook == id]


def a_proof(**changed: Any) -> dict[str, Any]:
    """What a report says of RB-011."""
    told = {"runbook": "RB-011", "system": "alacarte", "version": "0" * 64, "passed": True}
    return {**told, "at": "2026-11-20T08:00:00+00:00", "detail": "18 of 18 branches as expected", **changed}


@pytest.fixture
async def world(postgres: Postgres) -> AsyncIterator[World]:
    """A world without a bot, with a database that is ready for one."""
    async with opened(postgres, MANIFEST, template=await migrated(postgres), rate_limits=False) as world:
        yield world


async def test_a_drill_is_recorded_and_carried(store: Store, database: str, tmp_path: Path) -> None:
    """`drill --record --json` records every runbook of which all branches were played, and its report is taken in
    elsewhere as it is; taking it in again changes nothing. A part of a runbook proves nothing."""
    ended = await runbook("drill", DRILLED, "--record", "--json", env={"DATABASE_URL": database})
    assert (ended.code, ended.err) == (0, "")
    report = json.loads(ended.out)
    (told,) = report["proofs"]
    (proof,) = await on_record(store, DRILLED)
    assert (proof.kind, proof.passed, proof.last_passed) == (ProofKind.DRILL, True, proof.at)
    assert (proof.detail, proof.at) == (told["detail"], datetime.fromisoformat(told["at"]))
    count = len(report["drills"])
    assert proof.detail == f"{count} of {count} branches as expected"
    async with store.transaction() as tx:
        await tx.connection.execute(tables.proofs.delete())
    file = tmp_path / "drills.json"
    file.write_text(ended.out, encoding="utf-8")
    for said in ("Recorded: 1 passed, 0 failed.", "Nothing newer than what is on record."):
        taken = await runbook("prove", str(file), env={"DATABASE_URL": database})
        assert (taken.code, taken.out.strip()) == (0, said)
    assert await on_record(store, DRILLED) == [proof]


async def test_there_is_nothing_to_record_into(tmp_path: Path) -> None:
    """Without a database nothing is played first, and nothing taken in."""
    file = tmp_path / "drills.json"
    file.write_text(json.dumps({"proofs": [a_proof()]}), encoding="utf-8")
    for words in (("drill", DRILLED, "--record"), ("prove", str(file))):
        ended = await runbook(*words)
        assert (ended.code, ended.out, ended.err.splitlines()[0]) == (3, "", "DATABASE_URL is not set.")


async def test_a_failed_drill_is_carried_too(store: Store, database: str, tmp_path: Path) -> None:
    """What failed is recorded as failed and named, with exit code 1; the trail says who took it in."""
    file = tmp_path / "drills.json"
    bad = a_proof(passed=False, detail="17 of 18 branches as expected, not paused")
    file.write_text(json.dumps({"passed": False, "proofs": [bad, a_proof(runbook="RB-012")], "drills": []}))
    ended = await runbook("prove", str(file), env={"DATABASE_URL": database})
    assert (ended.code, ended.out.strip()) == (1, "Recorded: 1 passed, 1 failed: RB-011.")
    async with store.reading() as connection:
        (line,) = await audit.read(connection)
    assert line.actor.startswith("terminal:")
    assert line.data == {"kind": "drill", "system": ["alacarte"], "passed": 1, "failed": ["RB-011"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no report of drills: the file: Invalid JSON"),
        ("[]", "is no report of drills: the file: Input should be"),
        ('{"drills": []}', "is no report of drills: proofs: Field required"),
        (json.dumps({"proofs": [a_proof(version="v1")]}), "proofs.0.version: String should match"),
        (json.dumps({"proofs": [a_proof(at="2026-11-20T08:00:00")]}), "proofs.0.at: Input should have timezone info"),
        (None, "cannot be read: No such file or directory."),
    ],
)
def test_reports_that_are_none(tmp_path: Path, text: str | None, said: str) -> None:
    """No file, no JSON, another shape, a version that is none, a time without a zone: a sentence each."""
    file = tmp_path / "drills.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(Mistake) as error:
        proofs_in(file)
    assert said in str(error.value)


async def test_a_proof_from_the_future_is_none(store: Store, database: str, tmp_path: Path) -> None:
    """It would never grow old: it is refused, and nothing is recorded."""
    file = tmp_path / "drills.json"
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    file.write_text(json.dumps({"proofs": [a_proof(runbook="RB-012"), a_proof(at=tomorrow)]}), encoding="utf-8")
    ended = await runbook("prove", str(file), env={"DATABASE_URL": database})
    assert (ended.code, ended.err.splitlines()[0]) == (2, "The drill of RB-011 lies in the future.")
    async with store.reading() as connection:
        assert await audit.read(connection) == []


async def test_the_canary_from_a_terminal(world: World, tmp_path: Path) -> None:
    """One line a runbook: passed, failed with the check, or why it was left alone; recorded, and 1 when one failed."""
    shutil.copytree(SHIPPED / "alacarte", tmp_path / "alacarte")
    env = {**world.environment(), "RUNBOOKS_PATH": str(tmp_path)}
    ended = await runbook("canary", "RB-003", "rb-011", env=env)
    lines = ended.out.splitlines()
    assert (ended.code, ended.err) == (0, "")
    assert lines[0].startswith("ok   RB-003 ")
    unset = "a probe is missing: The environment variable ALACARTE_PROBE_BUSINESS is not set."
    assert lines[1:] == [f"--   RB-011 not looked at: {unset}", "1 of 1 passed; 1 not looked at."]
    await world.services.stop()
    ended = await runbook("canary", "RB-003", "--json", env=env)
    (told,) = json.loads(ended.out)
    assert (ended.code, told["runbook"], told["passed"]) == (1, "RB-003", False)
    connection = await asyncpg.connect(env["DATABASE_URL"])
    row = await connection.fetchrow("SELECT passed, detail, last_passed < at AS before FROM proofs")
    await connection.close()
    assert tuple(row or ()) == (False, told["detail"], True)
