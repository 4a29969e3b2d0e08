"""Every sample system as eve of support sees it: its runbooks look, and tell no address and no name."""

from __future__ import annotations

import re

import pytest
import yaml

from bot.cli.sandbox import ROOT, populated
from bot.domain.run import RunState
from bot.sandbox.postgres import Postgres
from tests.support.conftest import Desk

pytestmark = pytest.mark.main_job

ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")


@pytest.mark.parametrize(
    ("system", "runbook"),
    [
        ("alacarte", "RB-007"),
        ("phase1", "P1-01"),
        ("aias", "AI-13"),
        ("storytailor", "ST-05"),
        ("waooaw", "WA-07"),
    ],
)
async def test_no_address_is_told(postgres: Postgres, system: str, runbook: str) -> None:
    """The first fault of a runbook, looked at by eve: it comes to a finding, and no e-mail address is anywhere in
    Slack; the whole of it is in the restricted channel."""
    drills = yaml.safe_load((ROOT / "runbooks" / system / "drills" / f"{runbook}.yaml").read_text())
    drill = next(iter(drills.values()))
    async with populated(postgres, systems=(system,), rate_limits=False) as sandbox:
        desk = Desk(sandbox)
        planted = await sandbox.world.plant(system, drill["fault"])
        given = {name: str(value).format_map(planted.ids) for name, value in (drill.get("inputs") or {}).items()}
        await desk.person("eve").types(f"/runbook {runbook} {' '.join(f'{k}={v}' for k, v in given.items())}")
        run = await desk.run_is(RunState.DECIDING)
        assert run.support
        assert run.conclusions

        async def kept() -> bool | None:
            return True if desk.evidence() and "is whole in a file" in desk.transcript() else None

        await desk.until(kept, "the whole result")
        assert ADDRESS.findall(desk.transcript()) == []
        assert any(ADDRESS.search(text) for text in desk.evidence().values())
