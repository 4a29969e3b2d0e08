"""`runbook monitors` as an engineer types it: what is known of every monitor, and nothing is looked at."""

from __future__ import annotations

import json
from datetime import timedelta

from bot.domain.monitoring import Reading, judged
from bot.domain.operations import Monitor
from bot.domain.runbook import Severity
from bot.store import monitors
from bot.store.session import Store
from tests.cli.command import runbook
from tests.conftest import ManualClock


async def test_the_monitors_are_listed(database: str, store: Store, clock: ManualClock) -> None:
    """One that pages, those that nobody has looked at yet, and those that other systems watch; a system that is not
    known is a mistake."""
    rule = Monitor("connections", "Connections", Severity.P1, timedelta(minutes=1))
    async with store.transaction() as tx:
        await monitors.add(tx, "alacarte", ["connections"])
        (known,) = await monitors.lock(tx, "alacarte", ["connections"])
        await monitors.put(tx, judged(known, rule, Reading(92, True, True, "92 %"), clock.now())[0])
    env = {"DATABASE_URL": database}
    told = await runbook("monitors", "alacarte", "--json", env=env)
    assert told.code == 0, told.err
    listed = {each["key"]: each for each in json.loads(told.out)}
    paging = listed["connections"]
    assert (paging["state"], paging["value"], paging["unit"]) == ("stale", "92", "%")
    assert (paging["told"], paging["next_at"]) == (True, (clock.now() + timedelta(minutes=1)).isoformat())
    assert listed["database_cpu"]["state"] == "elsewhere"
    assert listed["slow_queries"]["state"] == "new"
    whole = await runbook("monitors", env=env)
    assert "alacarte     stale     connections            92 %" in whole.out
    assert {line.split()[0] for line in whole.out.splitlines()} == {
        "aias",
        "alacarte",
        "phase1",
        "storytailor",
        "waooaw",
    }
    nowhere = await runbook("monitors", "nowhere", env=env)
    assert (nowhere.code, "There is no system «nowhere»." in nowhere.err) == (2, True)
