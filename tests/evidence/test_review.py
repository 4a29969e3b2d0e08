"""The post-incident review drafted from the record when an incident is resolved, with the evidence beside it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest

from bot.domain.events import Happened
from bot.domain.run import ActionStatus, RunState
from bot.evidence.case import incident_case
from bot.evidence.export import exported
from bot.sandbox.slack.records import File
from tests.acceptance.conftest import Scene
from tests.gate.conftest import BUSINESS, Made, gate

pytestmark = pytest.mark.incidents
__all__ = ["gate"]
SECTIONS = ["Summary", "Timeline", "Root cause", "Impact", "Action items", "Lessons"]


async def resolved(scene: Scene) -> list[File]:
    """The newest run's incident, resolved by Ana; the files that came with the review, once its message is there."""
    run = (await scene.shown()).run
    channel = str((await scene.sandbox.bot.desk.incidents.get(str(run.incident))).channel)
    await scene.person("ana").types("/incident resolve", channel)

    async def there() -> list[File] | None:
        files = [file for file in scene.sandbox.world.slack.space.files.values() if file.shares]
        review = [file for file in files if file.name.endswith("-review.md")]
        return [*review, *(file for file in files if file.name.startswith("evidence-"))] if review else None

    return await scene.until(there, "the review")


async def recorded(scene: Scene, incident: str, kind: Happened) -> int:
    """The line of the first event of this kind."""

    async def probe() -> int | None:
        lines = await scene.sandbox.bot.desk.reads.audit(incident_id=incident)
        return next((line.seq for line in lines if line.kind == kind), None)

    return await scene.until(probe, kind)


def text_of(file: File) -> str:
    """A file as people read it."""
    return (file.data or b"").decode()


def sections(text: str) -> list[str]:
    """The titles of a review's sections."""
    return [line[3:] for line in text.splitlines() if line.startswith("## ")]


async def test_broken_glass_is_reviewed(gate: Made) -> None:
    """Whoever goes ahead without the approvers is asked about it in the review, though the incident is no severe one;
    the evidence is attached and is what the review says it is."""
    scene = await gate("{group: billing, votes: 2, break_glass: leads}")
    chloe = scene.person("chloe")
    await scene.person("ana").types(f"/runbook RB-900 business_id={BUSINESS}")
    await scene.action_is("upgrade", ActionStatus.REQUESTED)
    run = (await scene.shown()).run
    await scene.person("ben").sees("Waiting for ")
    await chloe.joins(str((await scene.sandbox.bot.desk.incidents.get(str(run.incident))).channel))
    await chloe.clicks("Break the glass…")
    await chloe.modal()
    await chloe.submits(reason="Every customer is locked out | and waits")
    await scene.action_is("upgrade", ActionStatus.DONE)
    review, evidence = await resolved(scene)
    said = text_of(review)
    assert sections(said) == [*SECTIONS, "Changes without the usual approval", "Evidence"]
    broken = said.partition("## Changes without the usual approval")[2]
    assert "chloe broke the glass for «Put it on starter»" in broken
    assert "Every customer is locked out \\| and waits" in broken
    assert "Could it not have waited for an approver?" in broken
    assert f"SHA-256 {hashlib.sha256(evidence.data or b'').hexdigest()}" in said
    with zipfile.ZipFile(io.BytesIO(evidence.data or b"")) as opened:
        assert json.loads(opened.read("chain.json"))["verified"] is True
        assert "broke the glass" in opened.read("transcript.md").decode()


async def test_a_severe_incident_is_reviewed(scene: Scene) -> None:
    """After a P1 the review has every section: what is known is filled in, what only people know is asked."""
    ana = scene.person("ana")
    await ana.types("/runbook RB-004")
    await scene.run_is(RunState.DECIDING)
    run = (await scene.shown()).run
    channel = str((await scene.sandbox.bot.desk.incidents.get(str(run.incident))).channel)
    await ana.types("/incident note the nightly import was started by hand", channel)
    note = await recorded(scene, str(run.incident), Happened.INCIDENT_NOTED)
    await scene.sandbox.bot.desk.journal.correct(str(run.incident), "U0ANA", note, "The import was started twice")
    review, *archives = await resolved(scene)
    said = text_of(review)
    assert sections(said) == [*SECTIONS, "Evidence"]
    assert [file.name for file in archives] == [f"evidence-run-{run.number}.zip"]
    assert "The import was started twice (corrected by ana)." in said
    assert "Before: ana noted: the nightly import was started by hand" in said
    assert "- Customers affected: *to be filled in*" in said
    assert "| Review the slow query log daily | *to be filled in* | *to be filled in* | open |" in said
    assert "within the target" in said
    await ana.sees("the post-incident review is drafted")
    found = await scene.sandbox.bot.desk.incidents.get(str(run.incident))
    told = exported(await incident_case(scene.sandbox.bot.store, found.id))
    assert (told["incident"], told["within_target"], told["audit"]["holds"]) == (found.label, True, True)
    assert [each["runbook"] for each in told["runs"]] == ["RB-004"]
    (entry,) = [each for each in told["timeline"] if each["line"] == note]
    assert entry["said"].startswith("The import was started twice")
    assert entry["before"][0]["data"] == {"text": "the nightly import was started by hand"}
    assert json.loads(json.dumps(told)) == told


async def test_a_small_incident_is_not(scene: Scene) -> None:
    """A P2 that went its usual way is summarised, and nobody is asked to write a review."""
    ana = scene.person("ana")
    planted = await scene.plant("webhook_missed")
    await ana.types(f"/runbook RB-011 business_id={planted.business_id}")
    await scene.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    run = (await scene.shown()).run
    assert await scene.sandbox.bot.desk.reviews.draft(str(run.incident)) is None
