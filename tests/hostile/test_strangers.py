"""Whoever clicks is somebody who may not: nothing is counted, they alone are told, and it is on record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.domain.run import ActionStatus, RunState
from bot.sandbox.slack.records import User
from bot.sandbox.slack.state import Workspace
from tests.hostile.conftest import KEY, Gate, filled, of_user

pytestmark = pytest.mark.approval

OUTSIDE = "Only people of this workspace can use the bot."


def a_bot(space: Workspace) -> str:
    """A bot that somebody put into the group of approvers."""
    space.users["U0ROBOT"] = User("U0ROBOT", "robot", "Robot", is_bot=True)
    space.usergroups["S0BILLINGAPPROVERS"].users.append("U0ROBOT")
    return "U0ROBOT"


def deactivated(space: Workspace) -> str:
    """Ben after he has left the company, still in the group."""
    space.users["U0BEN"].deleted = True
    return "U0BEN"


def of_another_team(space: Workspace) -> str:
    """Ben as somebody of a partner's workspace in a shared channel, in the group by mistake."""
    space.users["U0BEN"].team = "T0PARTNER"
    return "U0BEN"


def unknown(_space: Workspace) -> str:
    """An id that Slack does not know."""
    return "U0NOBODY"


@pytest.mark.parametrize("who", [a_bot, deactivated, of_another_team, unknown])
async def test_whoever_may_not_use_the_bot_is_turned_away(gate: Gate, who: Callable[[Workspace], str]) -> None:
    """Failure modes 26 and 27: a bot, a deactivated user, somebody of another workspace and an unknown id can neither
    approve, deny, edit, undo, cancel nor start; their tries at the request are on its record under their own id."""
    business = await gate.asked()
    press = gate.press("ben", "Approve")
    user = who(gate.slack.space)
    for number, verb in enumerate(("approve", "deny", "edit"), 1):
        payload = of_user(press, user)
        payload["actions"][0]["action_id"] = verb
        await gate.deliver(payload)
        refused = await gate.refusals()
        assert [line.actor for line in refused] == [user] * number
        assert refused[-1].data["reasons"]
    for verb in ("cancel", "skip", "undo", "choose"):
        payload = of_user(press, user)
        payload["actions"][0]["action_id"] = verb
        await gate.deliver(payload)
    assert (await gate.shown()).run.actions[KEY].status is ActionStatus.REQUESTED
    assert not any(OUTSIDE in said for name in ("ana", "dev", "chloe") for said in gate.told(name))
    if user == "U0BEN":
        await gate.slack.wait_for(lambda: True if gate.told("ben")[-1:] == [OUTSIDE] else None)
    await gate.untouched(business)


async def test_a_deny_form_of_somebody_who_has_left(gate: Gate) -> None:
    """Ben opens the Deny form and is deactivated before he submits it: it decides nothing and is on record."""
    await gate.asked()
    ben = gate.person("ben")
    await ben.clicks("Deny…")
    await ben.modal()
    gate.slack.space.users["U0BEN"].deleted = True
    gate.clock.ahead = timedelta(seconds=31)
    await gate.deliver(filled(gate.submission("ben"), "reason", "No"))
    assert [line.actor for line in await gate.refusals()] == ["U0BEN"]
    assert (await gate.shown()).run.actions[KEY].status is ActionStatus.REQUESTED


async def test_a_member_of_no_group_and_the_requester(gate: Gate) -> None:
    """Failure modes 7, 9, 10 and 25: Eve of support and Ana who asked can neither approve nor deny. Each hears her
    own reason, nobody else does, and each refusal stands under her own name, whatever the payload says of a name."""
    business = await gate.asked()
    press = gate.press("ben", "Approve")
    eve = await gate.answered("eve", of_user(press, "U0EVE", username="ben", name="ben", real_name="Ben Okoro"))
    ana = await gate.answered("ana", of_user(press, "U0ANA"))
    assert "may approve this" in eve
    assert "somebody else has to approve it" in ana
    assert [line.actor for line in await gate.refusals()] == ["U0EVE", "U0ANA"]
    for name in ("ben", "dev", "chloe"):
        assert not {eve, ana} & set(gate.told(name))
    await gate.person("eve").joins(str((await gate.shown()).incident.channel))  # type: ignore[union-attr]  # there is one
    await gate.person("ben").clicks("Deny…")
    await gate.person("ben").modal()
    form = filled(gate.submission("ben"), "reason", "I do not want it")
    for name, user, why in (("eve", "U0EVE", "may deny this"), ("ana", "U0ANA", "leave it out instead")):
        assert why in await gate.answered(name, of_user(gate.press("ben", "Deny…"), user))
        await gate.deliver(of_user(form, user))
    assert [(line.actor, line.data["choice"]) for line in await gate.refusals()][2:] == [
        *[("U0EVE", "deny")] * 2,
        *[("U0ANA", "deny")] * 2,
    ]
    assert (await gate.shown()).run.actions[KEY].status is ActionStatus.REQUESTED
    await gate.untouched(business)


async def test_the_group_as_it_is_now_decides(gate: Gate) -> None:
    """Failure mode 8: who was put into the group may approve at once, who was taken out or whose group is gone may not;
    an empty group is nobody, never everybody."""
    business = await gate.asked()
    for members, name in ((["dev"], "ben"), ([], "dev")):
        gate.slack.regroup("billing-approvers", *members)
        await gate.slack.delivery.settled()
        assert "may approve this" in await gate.answered(
            name, of_user(gate.press("ben", "Approve"), f"U0{name.upper()}")
        )
    await gate.untouched(business)
    gate.slack.regroup("billing-approvers", "eve")
    await gate.slack.delivery.settled()
    await gate.deliver(of_user(gate.press("ben", "Approve"), "U0EVE"))
    await gate.action_is(KEY, ActionStatus.DONE)


async def test_names_in_a_payload_mean_nothing(gate: Gate) -> None:
    """Failure mode 9: a reference that claims an approver, an approval or a person is refused as damaged; only the
    signed user id says who somebody is."""
    business = await gate.asked()
    press = gate.press("ben", "Approve")
    claims = {"user": "U0BEN", "approved": "true", "person": "U0BEN", "votes": "9"}
    for key, value in claims.items():
        payload = of_user(press, "U0EVE")
        payload["actions"][0]["value"] = payload["actions"][0]["value"][:-1] + f',"{key}":"{value}"}}'
        assert "damaged" in await gate.answered("eve", payload)
    await gate.untouched(business)


async def test_a_bystander_takes_nothing_away(gate: Gate) -> None:
    """Failure mode 25: Eve of support neither asked nor may approve; she can neither cancel the run nor leave the
    action out nor change or plan it while it waits. Ana, who asked, can cancel."""
    await gate.asked()
    press = gate.press("ben", "Approve")
    for number, verb in enumerate(("cancel", "skip"), 1):
        payload = of_user(press, "U0EVE")
        payload["actions"][0]["action_id"] = verb
        assert "Only who asked for this" in await gate.answered("eve", payload)
        assert [line.actor for line in await gate.refusals()] == ["U0EVE"] * number
    assert (await gate.shown()).run.actions[KEY].status is ActionStatus.REQUESTED
    payload = of_user(press, "U0ANA")
    payload["actions"][0]["action_id"] = "cancel"
    await gate.deliver(payload)
    await gate.run_is(RunState.CANCELLED)
