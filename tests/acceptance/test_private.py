"""An incident that only those may see who are in it, and who may change the course of any."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.authoring.loader import load_tree
from bot.cli.sandbox import ROOT, populated
from bot.domain.incident import Incident, IncidentState
from bot.domain.runbook import Severity
from bot.sandbox.postgres import Postgres
from commands.support import HANDS_OFF
from tests.acceptance.conftest import Scene

ANNOUNCED = "channels: {announcements: status, calendar: operations}"


def tree(folder: Path, private: str) -> Path:
    """À La Carte Chat with these runbooks' incidents kept private."""
    system = folder / "alacarte"
    shutil.copytree(ROOT / "runbooks" / "alacarte", system, ignore=shutil.ignore_patterns("drills"))
    text = (system / "system.yaml").read_text(encoding="utf-8")
    assert ANNOUNCED in text
    changed = text.replace(ANNOUNCED, f"{ANNOUNCED[:-1]}, private: {private}}}")
    (system / "system.yaml").write_text(changed, encoding="utf-8")
    return folder


@pytest.fixture
async def scene(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Scene]:
    """RB-004 is nobody else's business."""
    async with populated(postgres, rate_limits=False, runbooks=tree(tmp_path, "[RB-004]")) as sandbox:
        yield Scene(sandbox)


async def newest(scene: Scene, known: int) -> Incident:
    """The newest incident once there are more than were known, in its channel."""

    async def probe() -> Incident | None:
        found = await scene.sandbox.bot.desk.incidents.open_ones()
        return found[0] if len(found) > known and found[0].channel else None

    return await scene.until(probe, "another incident")


async def test_a_private_incident_is_seen_by_its_own(scene: Scene) -> None:
    """Its channel is private; others see that there is one and not what it is about; it is not merged into the open."""
    ana, ben, space = scene.person("ana"), scene.person("ben"), scene.sandbox.world.slack.space
    await ana.types("/runbook RB-004")
    private = await newest(scene, 0)
    assert space.channels[str(private.channel)].kind == "private"
    await ben.types("/incident", "general")
    said = await ben.sees(lambda seen: private.label in seen.text and seen.surface == "ephemeral")
    assert "a private incident" in said.text
    assert "CPU" not in said.text
    await ana.types("/incident open alacarte P2 Something else")
    other = await newest(scene, 1)
    assert space.channels[str(other.channel)].kind == "public"
    await ana.types(f"/incident merge {other.number}", private.channel)
    await ana.sees("its people would come into the open")
    assert (await scene.sandbox.bot.desk.incidents.get(private.id)).state is IncidentState.OPEN


async def test_support_people_change_the_course_of_their_own_only(scene: Scene) -> None:
    """Whom an incident calls, and its end, are not theirs to change; what they began they may end."""
    ana, eve, incidents = scene.person("ana"), scene.person("eve"), scene.sandbox.bot.desk.incidents
    await ana.types("/incident open alacarte P1 Messages are late")
    incident = await newest(scene, 0)
    await eve.joins(str(incident.channel))
    for words in ("severity P3", "merge 99", "resolve", "assign <@U0EVE>"):
        await eve.types(f"/incident {words}", incident.channel)
    await eve.sees(HANDS_OFF)
    await eve.clicks("Resolve")
    now = await incidents.get(incident.id)
    assert (now.state, now.severity, now.commander) == (IncidentState.OPEN, Severity.P1, "")
    lines = await scene.sandbox.bot.desk.reads.audit()
    refused = [line for line in lines if line.kind == "support.refused"]
    assert len(refused) >= 3
    await eve.types("/incident open alacarte P3 A customer asks")
    own = await newest(scene, 1)
    await eve.types("/incident resolve", own.channel)
    await eve.sees("is resolved; the summary is on its way")


def test_a_runbook_that_is_not_there_is_not_private(tmp_path: Path) -> None:
    """A misspelt id would leave in the open what was meant to be private: the lint names it and the nearest."""
    _, problems = load_tree(tree(tmp_path, "[RB-04, '*']"))
    (found,) = [problem for problem in problems if "RB-04" in problem.message]
    assert "has no runbook «RB-04»" in found.message
    assert "Did you mean" in found.hint
