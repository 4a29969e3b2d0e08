"""What people can do besides approving: ask, answer, note, escalate, resolve, look at home, edit, leave out, end."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from bot.domain.incident import IncidentState
from bot.domain.run import ActionStatus, RunState
from bot.sandbox.alacarte import Planted
from tests.acceptance.conftest import Scene

pytestmark = pytest.mark.incidents


async def started(scene: Scene, fault: str, runbook: str = "RB-011") -> Planted:
    """A fault and a run that looks at it."""
    planted = await scene.plant(fault)
    await scene.person("ana").types(f"/runbook {runbook} business_id={planted.business_id}")
    return planted


async def channel_of(scene: Scene) -> str:
    """The incident's channel."""
    incident = (await scene.shown()).incident
    assert incident is not None
    return str(incident.channel)


async def test_incident_status_note_and_resolve(scene: Scene) -> None:
    """In its channel an incident tells how it stands, takes notes, and is resolved with a summary that holds them."""
    ana = scene.person("ana")
    await started(scene, "webhook_missed")
    await scene.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    channel = await channel_of(scene)
    await ana.types("/incident", channel)
    await ana.sees(lambda seen: seen.surface == "ephemeral" and "INC-" in seen.text)
    await ana.types("/incident note the provider confirms the outage", channel)
    await ana.sees("Noted on the timeline")
    await ana.types("/incident resolve", channel)
    await ana.sees(lambda seen: seen.surface == "message" and "the provider confirms the outage" in seen.text)
    incident = (await scene.shown()).incident
    assert incident is not None
    assert incident.state is IncidentState.RESOLVED
    await ana.types("/incident resolve", channel)
    await ana.sees("resolved already")


async def test_escalation_names_the_next_rung(scene: Scene) -> None:
    """Escalating calls whoever the severity's rule names, with the reason, in the channel."""
    ana = scene.person("ana")
    await started(scene, "webhook_missed")
    await scene.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    await ana.types("/incident escalate the customer is very large", await channel_of(scene))
    await ana.sees(lambda seen: seen.surface == "message" and "the customer is very large" in seen.text)


async def test_incident_outside_a_channel_says_where(scene: Scene) -> None:
    """/incident note in #general says that it belongs into an incident's channel."""
    ana = scene.person("ana")
    await ana.types("/incident note hello")
    await ana.sees("belongs to no incident")


async def test_home_shows_what_waits_for_whom(scene: Scene) -> None:
    """Ben's Home tab has the request he may vote on; Eve's has not."""
    await started(scene, "webhook_missed")
    await scene.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    home = await scene.person("ben").opens_home()
    assert "Copy the subscription from Stripe" in home.text
    other = await scene.person("eve").opens_home()
    assert "Copy the subscription from Stripe" not in other.text


async def test_a_mention_and_the_shortcut_find_runbooks(scene: Scene) -> None:
    """Where commands do not work, a mention with a symptom and the message shortcut lead to the runbook."""
    ana = scene.person("ana")
    await ana.types(f"<@{scene.sandbox.world.slack.space.bot_user}> customer is still on the free tier")
    await ana.sees(lambda seen: seen.surface == "ephemeral" and "RB-011" in seen.text)
    await ana.types("A customer paid and is still on the free tier")
    message = await ana.sees("A customer paid and is still on the free tier")
    await ana.uses_shortcut("runbook_on_message", message)
    view = await ana.modal()
    assert "RB-011" in str(view.payload)


async def test_a_message_is_edited_before_it_goes_out(scene: Scene) -> None:
    """The words to a customer are edited, asked for anew, and it is the edited words that arrive."""
    ana = scene.person("ana")
    await started(scene, "payment_failed", "RB-001")
    await scene.action_is("ask_to_pay", ActionStatus.REQUESTED)
    await ana.clicks("Edit…")
    await ana.submits(subject="A word about your payment", body="Dear Blue Door, please have a look.")
    shown = await scene.until(lambda: _edited(scene), "the edited request")
    assert shown
    await ana.clicks("Approve")
    mails = await scene.sandbox.world.mail.received(1)
    assert mails[0].subject == "A word about your payment"
    assert "please have a look" in mails[0].text


async def _edited(scene: Scene) -> bool | None:
    card = (await scene.shown()).approvals.get("ask_to_pay")
    seen = scene.person("ana").screen()
    there = card is not None and "A word about your payment" in repr(card.preview)
    return True if there and any("A word about your payment" in each.text for each in seen) else None


async def test_leaving_out_and_ending(scene: Scene) -> None:
    """An action can be left out; a run without one can be closed; a run can be cancelled, and then stays so."""
    ana = scene.person("ana")
    await started(scene, "webhook_missed")
    await scene.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    await ana.clicks("Cancel the run")
    await scene.run_is(RunState.CANCELLED)
    await ana.types("/runbook cancel 1")
    await ana.sees("already cancelled")
    await ana.types("/runbook status 1")
    await ana.sees("cancelled")


async def test_what_changed_since_the_last_run_is_marked(scene: Scene) -> None:
    """A second run of the same runbook with the same inputs marks what it sees differently."""
    ana = scene.person("ana")
    planted = await started(scene, "in_step")
    await scene.run_is(RunState.DECIDING)
    await ana.clicks("Close")
    await scene.run_is(RunState.DONE)
    await scene.change("UPDATE businesses SET subscription_tier = 'growth' WHERE id = $1", planted.business_id)
    await ana.types(f"/runbook RB-011 business_id={planted.business_id}")
    await scene.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    shown = await scene.shown()
    assert shown.previous == 1
    assert "subscription_tier was starter" in shown.run.checks["account"].changed
    await ana.sees("subscription_tier was starter")


async def test_an_unanswered_request_expires_and_is_not_a_yes(scene: Scene) -> None:
    """Failure modes 11 and 34: a late Approve is refused, the request is expired from then on, nothing was changed."""
    ben = scene.person("ben")
    planted = await started(scene, "webhook_missed")
    run = await scene.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    async with scene.sandbox.bot.store.transaction() as tx:
        await tx.connection.execute(text("UPDATE approvals SET expires_at = now() - interval '1 second'"))
    await ben.clicks("Approve")
    await ben.sees("expired")
    row = await scene.sql("SELECT subscription_tier FROM businesses WHERE id = $1", planted.business_id)
    assert row["subscription_tier"] == "free"
    assert run.state is RunState.AWAITING_APPROVAL
    assert (await scene.shown()).run.actions["copy_from_stripe"].status is ActionStatus.EXPIRED


async def test_the_bots_database_going_away_is_told_and_survived(scene: Scene) -> None:
    """The bot's own database refuses everybody: the click is answered with an error; back again, it works."""
    ben = scene.person("ben")
    await started(scene, "webhook_missed")
    await scene.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    await ben.sees("vote of")
    name = scene.sandbox.world.database
    admin = await scene.sandbox.world.postgres.connect()
    try:
        await admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        await ben.clicks("Approve")
        told = "The bot's database does not answer"
        await ben.sees(lambda seen: seen.surface != "modal" and told in seen.text, within=20)
    finally:
        await admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
        await admin.close()
    own = await scene.sandbox.world.postgres.connect(name)
    assert await own.fetchval("SELECT count(*) FROM votes") == 0
    await own.close()
    await ben.clicks("Approve")
    await scene.action_is("copy_from_stripe", ActionStatus.DONE)
