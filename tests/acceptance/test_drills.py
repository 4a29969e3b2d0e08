"""Branches of shipped runbooks, drilled through Slack's wire: fault, findings, approval, effect, proof."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.authoring.loader import catalogue_at
from bot.cli.drill import played
from bot.cli.drills import SHIPPED, Drill, Played, Report, drills_of, never_drilled, played_from, shared, undrilled
from bot.domain.proof import ProofKind
from bot.domain.runbook import Runbook
from bot.errors import Mistake
from bot.sandbox.postgres import Postgres

pytestmark = pytest.mark.runbooks

DRILLS = drills_of([], every=True)
EVERY = bool(os.environ.get("RUNBOOK_EVERY_BRANCH"))
CATALOGUE = catalogue_at(SHIPPED)


def few() -> list[Drill]:
    """Branches in which something is approved, of runbooks that between them have every kind of step of every system;
    `runbook drill --all` plays all branches, and so does RUNBOOK_EVERY_BRANCH=1."""
    first = {drill.runbook: drill for drill in reversed(DRILLS)}
    first |= {drill.runbook: drill for drill in reversed(DRILLS) if any("approve" in step for step in drill.play)}
    kinds = {runbook.id: _kinds(runbook) for runbook in CATALOGUE}
    wanted, chosen = set().union(*kinds.values()), []
    while wanted:
        best = max(sorted(kinds), key=lambda id: len(kinds[id] & wanted))
        chosen.append(first[best])
        wanted -= kinds[best]
    return chosen


def _kinds(runbook: Runbook) -> set[tuple[str, str]]:
    checks = {(runbook.system, check.kind) for check in runbook.checks.values()}
    return checks | {(runbook.system, action.kind) for action in runbook.actions.values()}


CHOSEN = DRILLS if EVERY else few()


@pytest.mark.parametrize("drill", CHOSEN, ids=[f"{drill.runbook}-{drill.branch}" for drill in CHOSEN])
async def test_branch(drill: Drill, postgres: Postgres) -> None:
    """What is said, done and true in the end is what the drill expects."""
    result = await played(drill, postgres)
    assert result.differences == ()


def test_every_runbook_is_drilled() -> None:
    """No runbook is shipped that was never played."""
    assert {runbook.id for runbook in CATALOGUE} == {drill.runbook for drill in DRILLS}


async def test_a_drill_can_fail(postgres: Postgres) -> None:
    """A drill that expects the wrong finding says what differed."""
    right = next(drill for drill in DRILLS if (drill.runbook, drill.branch) == ("RB-011", "healthy"))
    wrong = Drill(
        right.system,
        right.runbook,
        right.branch,
        right.fault,
        right.inputs,
        ["webhook_missed"],
        [],
        {"state": "deciding"},
    )
    result = await played(replace(wrong, triage="RB-011"), postgres)
    assert result.differences == (
        "triage ranks first: expected RB-011, got nothing",
        "findings: expected ['webhook_missed'], got ['in_step']",
    )
    assert (result.held, result.acted) == (("in_step",), ())


async def test_a_drill_may_look_on_and_ask_triage(postgres: Postgres) -> None:
    """What triage ranks first is judged, and what holds later on; what was found and done on the way is kept."""
    right = next(drill for drill in DRILLS if (drill.runbook, drill.branch) == ("RB-011", "webhook_missed"))
    play = [*right.play, {"finds": ["in_step"]}]
    result = await played(replace(right, triage="RB-011", play=play), postgres)
    assert result.differences == ("findings, then: expected ['in_step'], got ['webhook_missed']",)
    # The account is not frozen, so «look_at_freeze» was left out, which plays nothing.
    assert (result.held, set(result.acted)) == (("webhook_missed",), {"copy_from_stripe", "look_at_webhooks"})


TREE = {
    "shop/system.yaml": "id: shop",
    "shop/triage.yaml": "inputs: {email: {type: email}}",
    "shop/SH-01.yaml": "{inputs: {email: {}}, findings: {paid: {}, late: {}}, actions: {tell: {}}}",
    "shop/SH-02.yaml": "{inputs: {goal: {}}, findings: {stuck: {}}}",
    "shop/drills/SH-01.yaml": "{a: {fault: late}, healthy: {fault: healthy, triage: nothing}}",
    "shop/drills/SH-02.yaml": "{a: {fault: stuck, triage: SH-02}, b: {fault: healthy}}",
}


def test_what_no_drill_plays_is_said(tmp_path: Path) -> None:
    """Findings that never held, actions that nobody asked for, no healthy system, triage that nobody asked, and
    runbooks that nobody drills."""
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    drills = drills_of([], every=True, root=tmp_path)
    ran = [
        Played("shop", "SH-01", "a", (), {}, 60.0, ("late",), ()),
        Played("shop", "SH-02", "a", (), {}, 60.0, ("stuck",)),
    ]
    lacking = undrilled(ran, drills, tmp_path)
    assert lacking == (
        "SH-01: no drill plays findings.paid",
        "SH-01: no drill plays actions.tell",
        "SH-01: no drill says that triage ranks it first",
    )
    assert undrilled(ran[1:], drills, tmp_path) == ()
    (tmp_path / "shop" / "SH-03.yaml").write_text("{findings: {}}")
    assert never_drilled(tmp_path) == ("SH-03: has no drills",)
    assert never_drilled() == ()
    report = replace(_report(2, *ran), undrilled=lacking)
    assert not report.passed
    assert lacking[0] in report.table()
    assert report.proofs()[0].detail.startswith("1 of 1 branches as expected; ")


def test_shares_are_all_of_it() -> None:
    """Every drill is in one share and only in one; a share that is none is a mistake."""
    parts = [shared(DRILLS, f"{number}/3") for number in (1, 2, 3)]
    assert sorted(id(each) for part in parts for each in part) == sorted(map(id, DRILLS))
    for nonsense in ("0/2", "3/2", "1", "a/b", "1/0"):
        with pytest.raises(Mistake, match="is no share"):
            shared(DRILLS, nonsense)


def _report(wanted: int, *played: Played, **branches: int) -> Report:
    """A report of these drills; each runbook has as many branches as said, else one."""
    counts = {each.runbook: branches.get(each.runbook.replace("-", "_"), 1) for each in played}
    return Report(played, wanted, counts, datetime(2026, 11, 21, 3, tzinfo=UTC))


def test_a_runbook_is_proven_by_all_its_branches() -> None:
    """What was played in part, or with two versions, proves nothing; one branch that went wrong is named."""
    good = Played("shop", "SH-01", "paid", (), {}, 60.0, version="v1")
    bad = Played("shop", "SH-01", "lost", ("it was not there",), {}, 60.0, version="v1")
    (proof,) = _report(2, good, bad, SH_01=2).proofs()
    assert (proof.version, proof.passed, proof.kind) == ("v1", False, ProofKind.DRILL)
    assert proof.detail == "1 of 2 branches as expected, not lost"
    (proof,) = _report(2, good, replace(bad, differences=()), SH_01=2).proofs()
    assert (proof.passed, proof.detail) == (True, "2 of 2 branches as expected")
    assert _report(1, good, SH_01=2).proofs() == []
    assert _report(2, good, replace(bad, version="v2"), SH_01=2).proofs() == []


def test_the_report_counts_what_was_not_played() -> None:
    """A line a system, what went wrong by name; a drill that was lost on the way is not a success."""
    good = Played("shop", "SH-01", "paid", (), {"diagnosed": 1.0, "approve x": 2.0, "ended": 0.5}, 60.0, version="v1")
    bad = Played("shop", "SH-02", "lost", ("it was not there",), {"diagnosed": 3.0}, 60.0, version="v1")
    assert played_from(good.data()) == good
    assert _report(1, good).passed
    assert not _report(2, good).passed
    assert not _report(2, good, bad).passed
    assert not _report(0).passed
    assert _report(3, good, bad).table().splitlines() == [
        "system  runbooks  branches  passed  time to finding       time to fix",
        "shop    2         2         1       2.0 s, at most 3.0 s  3.5 s, at most 3.5 s",
        "BAD  SH-02 lost",
        "1 of 3 branches as expected.",
    ]
