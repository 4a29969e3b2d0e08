"""The main job in people's words: from a slash command to an approved, verified fix, and back again."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain.approval import Choice, RequestState
from bot.domain.run import ActionStatus, RunState
from bot.store import audit
from tests.acceptance.conftest import Scene

pytestmark = pytest.mark.main_job

SELECT = "SELECT subscription_tier, subscription_status FROM businesses WHERE id = $1"


async def start_011(scene: Scene) -> str:
    """A missed webhook, reported by Ana; the business's id."""
    planted = await scene.plant("webhook_missed")
    await scene.person("ana").types(f"/runbook RB-011 business_id={planted.business_id}")
    await scene.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    return str(planted.business_id)


async def test_from_command_to_verified_fix(scene: Scene) -> None:
    """Ana asks, the bot finds and proposes, Ben approves, the row changes once and is verified, the record is whole."""
    ana, ben = scene.person("ana"), scene.person("ben")
    business = await start_011(scene)
    card = await ana.sees(lambda seen: "vote of" in seen.text and "RB-011" in seen.text)
    assert "starter" in card.text
    before = await scene.sql(SELECT, business)
    await ben.clicks("Approve")
    await scene.action_is("copy_from_stripe", ActionStatus.DONE)
    after = await scene.sql(SELECT, business)
    assert before["subscription_tier"] == "free"
    assert after == {"subscription_tier": "starter", "subscription_status": "active"}
    receipts = await scene.sql("SELECT count(*) AS n FROM runbook_receipts")
    assert receipts["n"] == 1
    shown = await scene.shown()
    lines = await scene.sandbox.bot.desk.reads.audit(run_id=shown.run.id)
    kinds = [line.kind for line in lines]
    for kind in ("run.requested", "check.ended", "findings.concluded", "approval.requested", "vote.cast"):
        assert kind in kinds
    assert kinds.index("action.intended") > kinds.index("approval.granted")
    async with scene.sandbox.bot.store.snapshot() as connection:
        assert (await audit.verify_chain(connection)).broken_at is None


async def test_the_requester_cannot_approve(scene: Scene) -> None:
    """Ana's own Approve is refused with the reason, on record, and nothing changes."""
    ana = scene.person("ana")
    business = await start_011(scene)
    await ana.clicks("Approve")
    whisper = await ana.sees("somebody else has to approve it")
    assert whisper.surface == "ephemeral"
    assert (await scene.sql(SELECT, business))["subscription_tier"] == "free"
    shown = await scene.shown()
    lines = await scene.sandbox.bot.desk.reads.audit(run_id=shown.run.id)
    assert "vote.refused" in [line.kind for line in lines]


async def test_somebody_outside_the_group_cannot_approve(scene: Scene) -> None:
    """Eve of support can see the incident and is refused by name of the group."""
    eve = scene.person("eve")
    await start_011(scene)
    incident = (await scene.shown()).incident
    assert incident is not None
    await eve.joins(str(incident.channel))
    await eve.clicks("Approve")
    await eve.sees("may approve this")


async def test_deny_asks_for_a_reason(scene: Scene) -> None:
    """Deny opens a form; only its submission denies, and the card says why."""
    ana, ben = scene.person("ana"), scene.person("ben")
    await start_011(scene)
    await ben.clicks("Deny…")
    await ben.submits(reason="The customer asked us to wait")
    await scene.action_is("copy_from_stripe", ActionStatus.DENIED)
    await ana.sees("The customer asked us to wait")


async def test_closing_the_deny_form_decides_nothing(scene: Scene) -> None:
    """Failure mode 23: a closed form is not a decision."""
    ben = scene.person("ben")
    await start_011(scene)
    await ben.clicks("Deny…")
    await ben.closes()
    await ben.clicks("Approve")
    await scene.action_is("copy_from_stripe", ActionStatus.DONE)


async def test_many_clicks_are_one_change(scene: Scene) -> None:
    """Ben and Dev click Approve twenty times at once: one change, one receipt, and everybody hears what happened."""
    ben, dev = scene.person("ben"), scene.person("dev")
    business = await start_011(scene)
    card = await ben.sees("Approve")
    await asyncio.gather(
        *(person.clicks("Approve", card) for person in (ben, dev) for _ in range(10)), return_exceptions=True
    )
    await scene.action_is("copy_from_stripe", ActionStatus.DONE)
    assert (await scene.sql("SELECT count(*) AS n FROM runbook_receipts"))["n"] == 1
    assert (await scene.sql(SELECT, business))["subscription_tier"] == "starter"
    shown = await scene.shown()
    lines = await scene.sandbox.bot.desk.reads.audit(run_id=shown.run.id)
    assert [line.kind for line in lines].count("action.done") == 1


async def test_what_changed_since_voids_the_approval(scene: Scene) -> None:
    """Somebody changes the row after the preview: the approval is void, says why, and a fresh request is made."""
    ana, ben = scene.person("ana"), scene.person("ben")
    business = await start_011(scene)
    await scene.change("UPDATE businesses SET subscription_status = 'unpaid' WHERE id = $1", business)
    await ben.clicks("Approve")
    await ana.sees("not what would happen now")
    await scene.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    assert (await scene.sql(SELECT, business))["subscription_tier"] == "free"
    await ben.clicks("Approve")
    await scene.action_is("copy_from_stripe", ActionStatus.DONE)


async def test_what_changes_in_the_last_moment_voids_too(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row changes after the last look and before the statement: nothing is done, the approved request is void."""
    ben, business = scene.person("ben"), await start_011(scene)
    asked = (await scene.shown()).run.actions["copy_from_stripe"].request
    moments: list[str] = []

    async def milestone(name: str) -> None:
        if name == "intended" and name not in moments:
            moments.append(name)
            await scene.change("UPDATE businesses SET subscription_status = 'unpaid' WHERE id = $1", business)

    async def anew() -> bool | None:
        action = (await scene.shown()).run.actions["copy_from_stripe"]
        return True if action.status is ActionStatus.REQUESTED and action.request != asked else None

    monkeypatch.setattr(scene.sandbox.bot.worker, "_milestone", milestone)
    await ben.clicks("Approve")
    await scene.until(anew, "a new request")
    stored = await scene.sandbox.bot.desk.reads.request(str(asked))
    assert stored.request.state is RequestState.VOIDED
    assert (await scene.sql(SELECT, business))["subscription_tier"] == "free"


async def test_a_problem_that_went_away_is_not_fixed(scene: Scene) -> None:
    """The webhook arrives after all: at the deciding vote the evidence is read again and nothing is done."""
    ben = scene.person("ben")
    business = await start_011(scene)
    paid_until = (await scene.shown()).facts["stripe"].value["active"]["period_end"]
    await scene.change(
        "UPDATE businesses SET subscription_status = 'active', subscription_tier = 'starter', "
        "stripe_subscription_id = 'sub_JuniperFlorist', subscription_period_end = $2 WHERE id = $1",
        business,
        paid_until,
    )
    await ben.clicks("Approve")
    await scene.action_is("copy_from_stripe", ActionStatus.FAILED)
    assert (await scene.sql("SELECT count(*) AS n FROM runbook_receipts"))["n"] == 0


async def test_undo_restores_the_row_through_its_own_approval(scene: Scene) -> None:
    """Undo is an action with its own preview and approval, and gives back the row as it was."""
    ana, ben = scene.person("ana"), scene.person("ben")
    business = await start_011(scene)
    before = await scene.sql("SELECT * FROM businesses WHERE id = $1", business)
    await ben.clicks("Approve")
    await scene.run_is(RunState.DONE)
    await ana.clicks("Undo…")
    await scene.action_is("undo:copy_from_stripe", ActionStatus.REQUESTED)
    # The run has led to another runbook, whose card waits for a vote too.
    card = await ben.sees(lambda seen: "vote of" in seen.text and "RB-011" in seen.text)
    await ben.clicks("Approve", card)
    await scene.action_is("undo:copy_from_stripe", ActionStatus.DONE)
    after = await scene.sql("SELECT * FROM businesses WHERE id = $1", business)
    assert {key: after[key] for key in before if key != "updated_at"} == {
        key: before[key] for key in before if key != "updated_at"
    }


async def test_without_inputs_a_form_opens_with_errors_inline(scene: Scene) -> None:
    """No inputs: a form; a UUID that is not one is said beside its input; then it starts."""
    ana = scene.person("ana")
    planted = await scene.plant("webhook_missed")
    await ana.types("/runbook RB-011")
    errors = await ana.submits(business_id="not-a-uuid")
    assert "business_id" in errors
    assert await ana.submits(business_id=str(planted.business_id)) == {}
    await scene.action_is("copy_from_stripe", ActionStatus.REQUESTED)


@pytest.mark.parametrize("typed", ["RB-11", "subscripton", "still on the free tier"])
async def test_misspelt_is_answered_with_suggestions(scene: Scene, typed: str) -> None:
    """A near miss or words of a symptom lead to the runbook."""
    ana = scene.person("ana")
    await ana.types(f"/runbook {typed}")
    await ana.sees("RB-011")


async def test_a_list_and_nonsense(scene: Scene) -> None:
    """/runbook lists everything; nonsense gets an answer too."""
    ana = scene.person("ana")
    await ana.types("/runbook")
    for id in ("RB-001", "RB-004", "RB-011", "RB-012"):
        await ana.sees(id)
    await ana.types("/runbook xyzzy-plugh")
    await ana.sees("xyzzy-plugh")


async def test_the_incident_channel(scene: Scene) -> None:
    """The channel has its name, topic, people and a pinned headline."""
    await start_011(scene)
    incident = (await scene.shown()).incident
    assert incident is not None
    space = scene.sandbox.world.slack.space

    async def pinned() -> bool | None:
        channel = space.channels[str(incident.channel)]
        return True if channel.pins and "U0ANA" in channel.members else None

    await scene.until(pinned, "the pinned headline")
    channel = space.channels[str(incident.channel)]
    assert channel.name.startswith("inc-")
    assert incident.label in channel.topic.value


async def test_one_command_starts_one_run(scene: Scene) -> None:
    """Slack delivers a command again: the same run, not a second one."""
    planted = await scene.plant("webhook_missed")
    desk = scene.sandbox.bot.desk
    runbook = desk.library.catalogue.get("RB-011")
    assert runbook is not None
    raw = {"business_id": str(planted.business_id)}
    both = [await desk.response.start(runbook, raw, by="U0ANA", request_key="command:same") for _ in range(2)]
    assert both[0].run.id == both[1].run.id
    assert [each.again for each in both] == [False, True]
    assert len(await desk.reads.recent()) == 1


async def test_a_stale_button_answers(scene: Scene) -> None:
    """The old message's Approve, clicked after the decision, changes nothing and says so."""
    ben, dev = scene.person("ben"), scene.person("dev")
    await start_011(scene)
    card = await ben.sees("Approve")
    await ben.clicks("Approve", card)
    await scene.action_is("copy_from_stripe", ActionStatus.DONE)
    stored = next(iter((await scene.shown()).approvals.values()))
    members = {group: frozenset({"U0DEV", "U0BEN"}) for group in stored.request.policy.groups}
    person = await scene.sandbox.bot.desk.directory.person(dev.id)
    ballot = await scene.sandbox.bot.desk.people.vote(
        stored.request.id, stored.request.digest, person, Choice.APPROVE, members
    )
    assert not ballot.accepted
    assert "already approved" in ballot.sentence


async def test_a_run_ends_with_its_summary(scene: Scene) -> None:
    """When nothing is left to do, the summary is posted: cause, change, who approved."""
    ana, ben = scene.person("ana"), scene.person("ben")
    await start_011(scene)
    await ben.clicks("Approve")
    await scene.run_is(RunState.DONE)
    summary = await ana.sees("What was changed")
    assert "Copy the subscription from Stripe" in summary.text
