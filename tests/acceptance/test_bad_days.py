"""Bad days: hostile input, monstrous data, broken parts. Each is said clearly, nothing is lost, nothing crashes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.blockkit import validate_message
from bot.cli.sandbox import populated
from bot.domain.run import ActionStatus, RunState
from bot.sandbox.postgres import Postgres
from bot.sandbox.stripe.faults import Fault, FaultKind
from tests.acceptance.conftest import Scene

pytestmark = pytest.mark.main_job

SYSTEM = (Path(__file__).resolve().parents[2] / "runbooks" / "alacarte" / "system.yaml").read_text(encoding="utf-8")
TORTURE = """
id: RB-900
title: "Everything at once: 😀 \u202eright to left <!channel>"
severity: P2
resolve_within: 5m
inputs:
  word: {type: text, label: Word}
checks:
  many: {title: Ten thousand rows, sql: "SELECT n, repeat('x', 40) AS x FROM generate_series(1, 10000) AS n"}
  wide: {title: Two megabytes, sql: "SELECT repeat('é😀', 500000) AS cell, NULL AS nothing"}
  odd:
    title: Odd text
    sql: SELECT :word AS word, '<!channel> <https://evil.test|click>' AS link, decode('00ff10', 'hex') AS raw
  gone: {title: A vanished table, sql: SELECT * FROM businesses_of_yesterday}
  slow: {title: Too slow, timeout: 1s, sql: "SELECT count(*) FROM generate_series(1, 2000000000)"}
  empty: {title: Nothing, sql: SELECT * FROM businesses WHERE false}
findings:
  odd_seen:
    when: odd.ok
    say: "The word is {{ odd.row.word }}"
"""
INJECTIONS = ("'; DROP TABLE businesses; --", "{{ 7*7 }}", "<!channel>", "\u202eevil 😀", "a" * 500)


@pytest.fixture
async def torture(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Scene]:
    """A sandbox whose only runbook shows everything that is hard to show."""
    (tmp_path / "alacarte").mkdir()
    (tmp_path / "alacarte" / "system.yaml").write_text(SYSTEM, encoding="utf-8")
    (tmp_path / "alacarte" / "RB-900.yaml").write_text(TORTURE, encoding="utf-8")
    async with populated(postgres, rate_limits=False, runbooks=tmp_path) as sandbox:
        yield Scene(sandbox)


@pytest.mark.parametrize("word", INJECTIONS)
async def test_monstrous_data_is_shown_bounded(torture: Scene, word: str) -> None:
    """Ten thousand rows, two megabytes, NULLs, bytes, emoji, hostile words, a vanished table, a slow query at once."""
    desk = torture.sandbox.bot.desk
    runbook = desk.library.catalogue.get("RB-900")
    assert runbook is not None
    await desk.response.start(runbook, {"word": word}, by="U0ANA", request_key=f"test:{word}")
    await torture.run_is(RunState.DECIDING)
    shown = await torture.shown()
    assert shown.facts["many"].value["count"] == 1000
    assert shown.facts["many"].value["more"] is True
    assert shown.facts["odd"].value["row"]["word"] == shown.run.inputs["word"]
    assert "businesses_of_yesterday" in shown.facts["gone"].error
    assert "1 s" in shown.facts["slow"].error
    ana = torture.person("ana")
    await ana.sees("Ten thousand rows")
    assert (await torture.sql("SELECT count(*) > 0 AS there FROM businesses"))["there"]
    assert shown.incident is not None
    posted = torture.sandbox.world.slack.space.channels[str(shown.incident.channel)].messages

    async def all_there() -> bool | None:
        return True if sum(bool(message.blocks) for message in posted.values()) > 3 else None

    await torture.until(all_there, "the details")
    for message in [message for message in posted.values() if message.blocks]:
        assert validate_message({"text": message.text, "blocks": message.blocks}) == []


async def test_stripe_refusing_the_key_is_said_and_the_rest_goes_on(scene: Scene) -> None:
    """Stripe answers 401: the check says so, the database's check is there, nobody proposes a fix."""
    planted = await scene.plant("webhook_missed")
    scene.sandbox.world.stripe.faults.add(Fault(FaultKind.STATUS, times=50, status=401))
    await scene.person("ana").types(f"/runbook RB-011 business_id={planted.business_id}")
    await scene.run_is(RunState.DECIDING)
    shown = await scene.shown()
    failed = [fact.error for fact in shown.facts.values() if fact.error]
    assert any("Stripe" in error for error in failed)
    assert shown.facts["account"].value["row"]["subscription_status"] == "past_due"
    assert shown.run.actions == {} or all(
        action.status is not ActionStatus.REQUESTED for action in shown.run.actions.values()
    )
    await scene.person("ana").sees("Look again")


async def test_slack_failing_loses_nothing(scene: Scene) -> None:
    """Slack answers 500 and 429 for a while: the card appears all the same, once the weather is better."""
    planted = await scene.plant("webhook_missed")
    slack = scene.sandbox.world.slack
    slack.fault("ratelimit", "chat.postMessage", retry_after=1, times=1)
    slack.fault("http", "conversations.create", status=500, times=1)
    await scene.person("ana").types(f"/runbook RB-011 business_id={planted.business_id}")
    await scene.person("ana").sees("Copy the subscription from Stripe", within=20)


async def test_an_unknown_business_is_said(scene: Scene) -> None:
    """A UUID that belongs to nobody ends in a sentence, not in a fix."""
    await scene.person("ana").types("/runbook RB-011 business_id=00000000-0000-4000-8000-000000000000")
    await scene.run_is(RunState.DECIDING)
    shown = await scene.shown()
    assert [each.key for each in shown.run.conclusions] == ["no_such_business"]
    assert not shown.approvals


async def test_wrong_inputs_open_the_form_with_what_is_wrong(scene: Scene) -> None:
    """A command with an input that does not fit opens the form, filled in, with the reason."""
    ana = scene.person("ana")
    await ana.types("/runbook RB-011 business_id=42")
    await ana.sees("UUID", surface="modal")


async def test_a_wrong_password_is_said_without_the_password(postgres: Postgres) -> None:
    """The database refuses the bot: a failed check in words, and the password nowhere on anybody's screen or record."""
    secret = "hunter2-of-the-wrong-kind"
    wrong = {"ALACARTE_READ_URL": postgres.url("alacarte", "alacarte_read", secret)}
    async with populated(postgres, rate_limits=False, overrides=wrong) as sandbox:
        scene = Scene(sandbox)
        planted = await scene.plant("webhook_missed")
        await scene.person("ana").types(f"/runbook RB-011 business_id={planted.business_id}")
        await scene.run_is(RunState.DECIDING)
        shown = await scene.shown()
        assert shown.facts["account"].error
        lines = await sandbox.bot.desk.reads.audit(run_id=shown.run.id)
        everything = "\n".join(seen.text for seen in scene.person("ana").screen()) + repr(lines) + repr(shown)
        assert secret not in everything
