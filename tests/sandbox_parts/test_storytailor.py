"""Storytailor in the sandbox: a child's data are out of the bot's reach, and every fault is drilled."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest
import yaml

from bot.sandbox.database import build
from bot.sandbox.postgres import Postgres
from bot.sandbox.storytailor import SYSTEM

DRILLS = Path(__file__).resolve().parents[2] / "runbooks" / "storytailor" / "drills"


@pytest.mark.parametrize("table", ["user_ages", "parental_consents"])
async def test_ages_and_guardians_can_be_read_by_neither_login_of_the_bot(server: Postgres, table: str) -> None:
    storytailor = await build(server, "storytailor", name="storytailor_privacy")
    for url in (storytailor.read_url, storytailor.act_url):
        connection = await asyncpg.connect(url)
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"SELECT * FROM {table} LIMIT 1")
            verdicts = await connection.fetch("SELECT DISTINCT verdict FROM coppa_verdicts")
            assert {row["verdict"] for row in verdicts} == {"not needed", "verified"}
        finally:
            await connection.close()


def test_every_fault_is_drilled_and_every_drill_has_its_fault() -> None:
    drills = [drill for path in DRILLS.glob("*.yaml") for drill in yaml.safe_load(path.read_text()).values()]
    planted = {step["plant"] for drill in drills for step in drill.get("play", ()) if "plant" in step}
    assert {drill["fault"] for drill in drills} | planted == set(SYSTEM.faults)
