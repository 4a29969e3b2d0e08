"""`runbook calendar` in a shell: the month of a database, for people, spreadsheets and machines."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.authoring.loader import catalogue_at
from bot.domain.checklist import Checklist, Item
from bot.domain.run import RunState
from bot.runs.calendars import Calendars
from bot.runs.library import Library
from bot.store import appointments, runs
from bot.store.session import Store
from tests.builders import tree
from tests.cli.command import runbook
from tests.conftest import ManualClock

pytestmark = pytest.mark.production

FORMULA = '=HYPERLINK("http://evil.example","click")'
LIST = """
id: RB-904
title: A round
severity: P3
resolve_within: 1d
checks:
  round: {title: The round, checklist: {second: {title: Second}, first: {title: First}}}
findings:
  whole: {when: round.ok, say: Everything is done.}
"""
CALENDAR = """
zone: America/Toronto
appointments:
  daily: {title: The daily round, every: day, at: "09:00", runbook: RB-904}
"""
NINE = datetime(2025, 11, 1, 13, tzinfo=UTC)


@pytest.fixture
async def env(store: Store, database: str, clock: ManualClock, tmp_path: Path) -> dict[str, str]:
    """A month of long ago: kept since its first day, three lists started before no replica ran any more."""
    folder = tree(tmp_path, RB_904=LIST, calendar=CALENDAR)
    calendars = Calendars(store, Library(catalogue_at(folder), store))
    for day in range(4):
        clock.time = NINE + timedelta(days=day, hours=-1 if day == 0 else 1)
        await calendars.look()
    async with store.transaction() as tx:
        ((_, run),) = await appointments.under_way(tx.connection, "alacarte")
        items = (Item("first", "First", by="U0ANA", at=clock.time), Item("second", FORMULA))
        await runs.put_fact(tx, run.id, "round", Checklist(items).fact("=1+1", "U0ANA"))
        await runs.save(tx, replace(run, state=RunState.DONE, finished_at=clock.time))
    return {"DATABASE_URL": database, "RUNBOOKS_PATH": str(folder)}


async def test_a_month_for_people(env: dict[str, str]) -> None:
    """Every occurrence with how it stands, who ticked what and what stayed open, by the calendar's own clocks; days on
    which nothing ran are named."""
    said = await runbook("calendar", "--month", "2025-11", env=env)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0] == "alacarte, in the time of America/Toronto"
    assert lines[1] == "  Sat 2025-11-01 09:00  The daily round: not started: no replica ran"
    assert (
        lines[2]
        == "  Sun 2025-11-02 09:00  The daily round: not finished, run 1: not finished before it came round again"
    )
    assert "  Tue 2025-11-04 09:00  The daily round: closed with something left, run 3: =1+1" in lines
    assert "    x First  U0ANA Tue 2025-11-04 09:00" in lines
    assert f"    - {FORMULA}" in lines
    assert len([line for line in lines if "not started" in line]) == 27


async def test_a_month_for_machines(env: dict[str, str]) -> None:
    """The same as CSV that no spreadsheet runs, and as JSON; with the offset of the zone, which changes in November."""
    said = await runbook("calendar", "--month", "2025-11", "--system", "alacarte", "--csv", env=env)
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert [row["planned"] for row in rows[:2]] == ["2025-11-01 09:00-04:00", "2025-11-02 09:00-05:00"]
    held = [row for row in rows if row["run"] == "3"]
    assert [(row["item"], row["done"], row["by"], row["why"]) for row in held] == [
        (f"'{FORMULA}", "no", "", "'=1+1"),
        ("First", "yes", "U0ANA", "'=1+1"),
    ]
    data = json.loads((await runbook("calendar", "--month", "2025-11", "--json", env=env)).out)
    assert [row["state"] for row in data[:2]] == ["not started", "not finished"]
    assert {row["item"] for row in data if row["run"] == "3"} == {"First", FORMULA}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--month", "2025-13"), "«2025-13» is no month."),
        (("--month", "november"), "«november» is no month."),
        (("--system", "nothing"), "There is no system «nothing»."),
    ],
)
async def test_mistakes(env: dict[str, str], words: tuple[str, ...], said: str) -> None:
    """A month or a system that there is not is a sentence and exit code 2."""
    ended = await runbook("calendar", *words, env=env)
    assert (ended.code, said in ended.err) == (2, True), ended.err
