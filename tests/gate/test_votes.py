"""More than a click: second proofs, broken glass, quiet hours, one vote for a plan, windows, targets that moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from bot.domain.approval import RequestState
from bot.domain.run import ActionStatus, RunState
from bot.runs.factors import Factors
from tests.acceptance.conftest import Scene
from tests.conftest import ManualClock
from tests.gate.conftest import BUSINESS, Made

pytestmark = pytest.mark.approval

ROW = "SELECT name, subscription_tier, is_frozen FROM businesses WHERE id = $1"


async def asked(scene: Scene) -> None:
    """Ana asks for the runbook, and its first action waits for approval on the card."""
    await scene.person("ana").types(f"/runbook RB-900 business_id={BUSINESS}")
    await scene.action_is("upgrade", ActionStatus.REQUESTED)
    await scene.person("ben").sees("Waiting for ")


async def tier(scene: Scene) -> object:
    """The tier in the target."""
    return (await scene.sql(ROW, BUSINESS))["subscription_tier"]


async def kinds(scene: Scene) -> list[str]:
    """Everything that happened to the newest run."""
    run = (await scene.shown()).run
    return [line.kind for line in await scene.sandbox.bot.desk.reads.audit(run_id=run.id)]


async def test_typing_the_name(gate: Made) -> None:
    """A step-up by name: Approve opens a form, a wrong name is told in it, the right one approves; both on record."""
    scene = await gate("{group: billing, step_up: name}")
    ben = scene.person("ben")
    await asked(scene)
    await ben.clicks("Approve…")
    await ben.modal()
    errors = await ben.submits(name="Corner Bakery")
    assert errors == {"name": "That is not the name; it is business Juniper Florist."}
    assert await tier(scene) == "free"
    assert await ben.submits(name="business  Juniper Florist") == {}
    await scene.action_is("upgrade", ActionStatus.DONE)
    assert "vote.refused" in await kinds(scene)
    (vote,) = (await scene.shown()).approvals["upgrade"].votes
    assert vote.proof == "name"


async def test_a_code_is_good_once(gate: Made) -> None:
    """A step-up by code: without an authenticator nobody approves, a wrong code is told, and a used one is no good."""
    scene = await gate("{group: billing, votes: 2, step_up: code}")
    ben, dev = scene.person("ben"), scene.person("dev")
    await asked(scene)
    await ben.clicks("Approve…")
    await ben.modal()
    assert "no authenticator" in (await ben.submits(code="000000"))["code"]
    factors: Factors = scene.sandbox.bot.desk.people.factors
    secrets = {}
    for user in ("U0BEN", "U0DEV"):
        async with scene.sandbox.bot.store.transaction() as tx:
            uri = await factors.enrol(tx, user, user)
        made = pyotp.parse_uri(uri)
        assert isinstance(made, pyotp.TOTP)
        secrets[user] = made
    wrong = str((int(secrets["U0BEN"].now()) + 1) % 1_000_000).zfill(6)
    assert "wrong or was used" in (await ben.submits(code=wrong))["code"]
    code = secrets["U0BEN"].now()
    assert await ben.submits(code=code) == {}
    await dev.clicks("Approve…")
    await dev.modal()
    assert "wrong or was used" in (await dev.submits(code=code))["code"]
    assert await dev.submits(code=secrets["U0DEV"].now()) == {}
    await scene.action_is("upgrade", ActionStatus.DONE)
    async with scene.sandbox.bot.store.transaction() as tx:
        assert "used before" in await factors.objection(tx, "U0BEN", code)


async def test_breaking_the_glass(gate: Made) -> None:
    """In an emergency one of the leads goes ahead alone, with a reason; the leads are called at once, on record."""
    scene = await gate("{group: billing, votes: 2, break_glass: leads}")
    ana, chloe = scene.person("ana"), scene.person("chloe")
    await asked(scene)
    await ana.clicks("Break the glass…")
    await ana.sees("Only @leads may break the glass")
    run, slack = (await scene.shown()).run, scene.sandbox.world.slack
    await chloe.joins(str((await scene.sandbox.bot.desk.incidents.get(str(run.incident))).channel))
    await chloe.clicks("Break the glass…")
    await chloe.modal()
    slack.regroup("leads", "dev")
    await slack.delivery.settled()
    await chloe.submits(reason="Every customer is locked out")
    await chloe.sees("Only @leads may break the glass")
    assert await tier(scene) == "free"
    slack.regroup("leads", "dev", "chloe")
    await slack.delivery.settled()
    await chloe.closes()
    await chloe.clicks("Break the glass…")
    await chloe.modal()
    await chloe.submits(reason="Every customer is locked out")
    await scene.action_is("upgrade", ActionStatus.DONE)
    await scene.person("dev").sees(lambda seen: "glass was broken" in seen.text and "locked out" in seen.text)
    assert "approval.glass_broken" in await kinds(scene)


async def test_quiet_hours(gate: Made, clock: ManualClock) -> None:
    """In quiet hours a yes is refused with the hours, and nothing changes; a no is taken."""
    quiet = '{start: "01:00", end: "06:00", zone: UTC}'
    scene = await gate(f"{{group: billing, quiet_hours: {quiet}}}", frozen_time=True)
    ben = scene.person("ben")
    await asked(scene)
    await ben.clicks("Approve")
    await ben.sees("Only emergencies are approved between 01:00 and 06:00 UTC.")
    assert await tier(scene) == "free"
    clock.pass_(hours=3, minutes=1)
    run = (await scene.shown()).run
    await scene.sandbox.bot.worker.advance(run.id)
    assert (await scene.shown()).run.actions["upgrade"].status is ActionStatus.EXPIRED


async def test_one_vote_for_a_plan(gate: Made) -> None:
    """A plan decided together is shown whole, approved by one vote, and done in order; what does not
    apply is no part of the vote and is left out with its reason."""
    scene = await gate(together=True)
    ben = scene.person("ben")
    await asked(scene)
    card = await ben.sees(lambda seen: "2 actions, decided by one vote" in seen.text)
    assert "Put it on starter" in card.text
    assert "Freeze it" in card.text
    await ben.clicks("Approve")
    await scene.run_is(RunState.DONE)
    row = await scene.sql(ROW, BUSINESS)
    assert (row["subscription_tier"], row["is_frozen"]) == ("starter", True)
    shown = await scene.shown()
    assert shown.approvals["upgrade"].request.id == shown.approvals["freeze"].request.id
    assert (await kinds(scene)).count("vote.cast") == 1
    left = shown.run.actions["mark"]
    assert (left.status, "account.row.is_frozen does not hold" in left.reason) == (ActionStatus.SKIPPED, True)
    await ben.sees(lambda seen: "Mark it" in seen.text and "does not apply here" in seen.text)


async def test_a_plan_stops_where_it_no_longer_fits(gate: Made) -> None:
    """When the second action of an approved plan would do something else by now, it is asked for anew."""
    scene = await gate(together=True)
    ben = scene.person("ben")
    await asked(scene)
    for statement in (
        "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "UPDATE businesses SET frozen_reason = 'by hand' WHERE id = NEW.id; RETURN NULL; END $$",
        "CREATE TRIGGER meddle AFTER INSERT ON runbook_receipts FOR EACH ROW EXECUTE FUNCTION meddle()",
    ):
        await scene.change(statement.replace("NEW.id", f"'{BUSINESS}'"))
    await ben.clicks("Approve")
    await scene.action_is("freeze", ActionStatus.REQUESTED)
    shown = await scene.shown()
    assert shown.run.actions["upgrade"].status is ActionStatus.DONE
    assert "frozen_reason before the change is by hand" in shown.run.actions["freeze"].reason
    assert not (await scene.sql(ROW, BUSINESS))["is_frozen"]
    await ben.sees(lambda seen: "Asked again" in seen.text and "Freeze it" in seen.text)
    await ben.clicks("Approve")
    await scene.action_is("freeze", ActionStatus.DONE)


async def test_a_plan_is_denied_whole(gate: Made) -> None:
    """A no ends the whole plan; nothing of it is done."""
    scene = await gate(together=True)
    ben = scene.person("ben")
    await asked(scene)
    await ben.clicks("Deny…")
    await ben.modal()
    await ben.submits(reason="Not now")
    run = await scene.action_is("upgrade", ActionStatus.DENIED)
    assert run.actions["freeze"].status is ActionStatus.QUEUED
    assert not run.actions["freeze"].granted
    assert await tier(scene) == "free"


async def test_planned_for_a_window(gate: Made, clock: ManualClock) -> None:
    """Work planned ahead is approved for its window, waits for it, and is done once in it."""
    scene = await gate(frozen_time=True)
    ben = scene.person("ben")
    await asked(scene)
    opens = clock.now() + timedelta(hours=5)
    run = (await scene.shown()).run
    people = scene.sandbox.bot.desk.people
    first = (await scene.shown()).approvals["upgrade"].request
    await people.schedule(run.id, "upgrade", "U0ANA", opens, opens + timedelta(hours=1))
    await ben.sees("To be done once, between")
    second = (await scene.shown()).approvals["upgrade"].request
    assert second.digest != first.digest
    await ben.clicks("Approve")
    await ben.sees("to be done once, between")
    await scene.sandbox.bot.worker.advance(run.id)
    assert await tier(scene) == "free"
    clock.pass_(hours=5, minutes=1)
    await scene.sandbox.bot.worker.advance(run.id)
    assert await tier(scene) == "starter"


async def test_a_window_that_is_over(gate: Made, clock: ManualClock) -> None:
    """Work that could not be done in its window is not done after it."""
    scene = await gate(frozen_time=True)
    await asked(scene)
    run = (await scene.shown()).run
    opens = clock.now() + timedelta(hours=5)
    await scene.sandbox.bot.desk.people.schedule(run.id, "upgrade", "U0ANA", opens, opens + timedelta(hours=1))
    await scene.person("ben").sees("To be done once, between")
    await scene.person("ben").clicks("Approve")
    await scene.person("ben").sees("to be done once, between")
    clock.pass_(hours=7)
    await scene.sandbox.bot.worker.advance(run.id)
    shown = await scene.shown()
    assert shown.run.actions["upgrade"].status is ActionStatus.FAILED
    assert "window it was approved for is over" in shown.run.actions["upgrade"].reason
    assert shown.approvals["upgrade"].request.state is RequestState.VOIDED
    assert await tier(scene) == "free"


async def test_a_window_by_its_form(gate: Made) -> None:
    """The form for a window refuses one that lies in the past, and plans a good one."""
    scene = await gate()
    ana = scene.person("ana")
    await asked(scene)
    await ana.clicks("Show everything")
    await ana.modal()
    await ana.clicks("Plan for later…")
    await ana.sees(lambda seen: seen.surface == "modal" and "Not before" in seen.text)
    past = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    assert "in the future" in (await ana.submits(opens=past, closes=past + 60))["closes"]
    soon = int(datetime.now(UTC).timestamp()) + 7_200
    assert await ana.submits(opens=soon, closes=soon + 3_600) == {}
    await ana.sees("To be done once, between")


async def test_a_request_is_shown_anew_when_its_target_has_moved(gate: Made) -> None:
    """Another run acts on the same target: what waits there is previewed again, and the old button is void."""
    scene = await gate()
    ben, dev = scene.person("ben"), scene.person("dev")
    await asked(scene)
    first = (await scene.shown()).run
    await dev.types(f"/runbook RB-900 business_id={BUSINESS}")

    async def second_asked() -> bool | None:
        newest = (await scene.shown()).run
        action = newest.actions.get("upgrade")
        return True if newest.id != first.id and action and action.status is ActionStatus.REQUESTED else None

    await scene.until(second_asked, "the second run's request")
    old = (await scene.sandbox.bot.desk.reads.shown(first.id)).approvals["upgrade"].request
    await ben.sees(lambda seen: "run 2" in seen.text and "vote of" in seen.text)
    await ben.clicks("Approve")
    await scene.action_is("upgrade", ActionStatus.DONE)

    async def voided() -> bool | None:
        now = await scene.sandbox.bot.desk.reads.request(old.id)
        return True if now.request.state is RequestState.VOIDED else None

    await scene.until(voided, "the first run's request void")
    lines = await scene.sandbox.bot.desk.reads.audit(run_id=first.id)
    reasons = [line.data["reason"] for line in lines if line.kind == "approval.voided"]
    assert reasons == ["Another run has changed business Juniper Florist since this was shown."]


@pytest.mark.parametrize(
    ("fresh_for", "status", "why"),
    [
        ("1ms", ActionStatus.FAILED, "State has changed since this was approved: No finding holds any more."),
        ("1h", ActionStatus.REQUESTED, "subscription_tier before the change is growth, not free"),
    ],
)
async def test_evidence_is_as_fresh_as_its_action_asks(
    gate: Made, fresh_for: str, status: ActionStatus, why: str
) -> None:
    """After the deciding vote, facts older than the action allows are read again, and a disagreement voids the request;
    whatever their age, what would be done is previewed again."""
    scene = await gate(fresh_for=fresh_for)
    await asked(scene)
    first = (await scene.shown()).approvals["upgrade"].request.id
    await scene.change("UPDATE businesses SET subscription_tier = 'growth' WHERE id = $1", BUSINESS)
    await scene.person("ben").clicks("Approve")

    async def voided() -> bool | None:
        action = (await scene.shown()).run.actions["upgrade"]
        return True if action.status is status and action.reason else None

    await scene.until(voided, "the request void")
    shown = await scene.shown()
    assert why in shown.run.actions["upgrade"].reason
    assert (await scene.sandbox.bot.desk.reads.request(first)).request.state is RequestState.VOIDED
    assert await tier(scene) == "growth"
