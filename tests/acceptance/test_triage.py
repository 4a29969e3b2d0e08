"""Triage: a support person with nothing but an e-mail address gets the cause, and starts the runbook by its button."""

from __future__ import annotations

import pytest

from bot.domain.run import ActionStatus
from bot.domain.triage import Triaged
from tests.acceptance.conftest import Scene

pytestmark = pytest.mark.main_job


async def triaged(scene: Scene, *words: str, **given: str) -> Triaged:
    """What triage of À La Carte Chat comes to."""
    desk = scene.sandbox.bot.desk
    return await desk.triage.triage(desk.triage.system("alacarte"), given, words, "U0EVE")


async def address(scene: Scene, business: object) -> str:
    """The e-mail address of a business."""
    row = await scene.sql("SELECT contact_email FROM businesses WHERE id = $1", business)
    return str(row["contact_email"])


async def test_an_address_leads_to_the_cause(scene: Scene) -> None:
    """Eve of support types an address: the cause comes first, in words, and its button starts the runbook with the
    business that belongs to the address."""
    planted = await scene.plant("webhook_missed")
    eve = scene.person("eve")
    email = await address(scene, planted.business_id)
    await eve.types(f"/runbook triage {email}")
    await eve.sees("Looking at everything of A La Carte Chat")
    seen = await eve.sees(lambda seen: "1. RB-011" in seen.text and "Start RB-011" in seen.text)
    assert "the database still says past_due" in seen.text
    # The event that was missed is owed to everybody's webhook too.
    assert "2 causes found" in seen.text
    assert "2. RB-005" in seen.text
    await eve.clicks("Start RB-011")
    run = await scene.action_is("copy_from_stripe", ActionStatus.OFFERED)
    assert (run.requested_by, run.inputs["business_id"]) == ("U0EVE", str(planted.business_id))
    lines = await scene.sandbox.bot.desk.reads.audit()
    (found,) = [line.data["runbooks"] for line in lines if line.kind == "triage.done"]
    assert found[0] == "RB-011"


@pytest.mark.parametrize(
    ("fault", "runbook"),
    [
        ("paid_but_frozen", "RB-001"),
        ("webhook_missed", "RB-011"),
        ("tier_differs", "RB-011"),
        ("overcharged", "RB-012"),
    ],
)
async def test_the_planted_fault_ranks_first(scene: Scene, fault: str, runbook: str) -> None:
    """Whatever the customer is called by, the runbook of the fault comes first."""
    planted = await scene.plant(fault)
    customer = str(
        (await scene.sql("SELECT stripe_customer_id FROM businesses WHERE id = $1", planted.business_id))[
            "stripe_customer_id"
        ]
    )
    for found in (
        await triaged(scene, business_id=str(planted.business_id)),
        await triaged(scene, customer),
        await triaged(scene, await address(scene, planted.business_id)),
    ):
        assert [each.runbook.id for each in found.suspects][:1] == [runbook]
        assert str(found.known["business_id"]) == str(planted.business_id)
        assert found.failed == ()


async def test_a_healthy_customer_ranks_nothing(scene: Scene) -> None:
    """Nothing is wrong: no runbook is proposed, and what was looked at is counted."""
    planted = await scene.plant("in_step")
    found = await triaged(scene, business_id=str(planted.business_id))
    assert found.suspects == ()
    assert found.runbooks >= 4
    ana = scene.person("ana")
    await ana.types(f"/runbook triage alacarte business_id={planted.business_id}")
    await ana.sees("no cause found")


async def test_each_check_is_asked_once(scene: Scene) -> None:
    """Several runbooks ask Stripe for the same subscriptions: Stripe hears it once."""
    planted = await scene.plant("webhook_missed")
    journal = scene.sandbox.world.stripe.journal
    journal.clear()
    await triaged(scene, business_id=str(planted.business_id))
    asked = [(each.path, str(each.params)) for each in journal]
    assert asked
    assert len(asked) == len(set(asked))


async def test_what_does_not_answer_is_said(scene: Scene) -> None:
    """Stripe is down: what could not be looked at is named, so that nothing found is not taken for all is well."""
    planted = await scene.plant("webhook_missed")
    await scene.sandbox.world.stripe.stop()
    found = await triaged(scene, business_id=str(planted.business_id))
    assert any("Stripe" in each for each in found.failed)
    ana = scene.person("ana")
    await ana.types(f"/runbook triage business_id={planted.business_id}")
    await ana.sees(lambda seen: "⚠" in seen.text and "Stripe" in seen.text and "cause" in seen.text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("alacarte business_id=12", "business_id:"),
        ("alacarte busines=12", "is no identifier of this system; those are business_id, email, customer."),
        ("alacarte 12", "«12» may be anything."),
        ("nowhere x@y.test", "«nowhere» may be anything."),
        ("alacarte nobody@nowhere.test", "no cause found"),
        ("alacarte cus_'; DROP TABLE businesses --", "may be anything."),
    ],
)
async def test_what_is_not_understood(scene: Scene, words: str, said: str) -> None:
    """A wrong type, an unknown name, a word that may be anything, somebody nobody knows: a sentence each."""
    ana = scene.person("ana")
    await ana.types(f"/runbook triage {words}")
    await ana.sees(said)
