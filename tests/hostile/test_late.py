"""Whatever comes too late, or after something else has changed: the vote counts for nothing and the reason is said."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.domain.approval import RequestState
from bot.domain.run import ActionStatus, RunState
from bot.sandbox.slack.transport import Acked
from bot.sandbox.world import World
from bot.settings import SlackMode
from tests.hostile.conftest import KEY, TWO_VOTES, Gate, Json, LeapingClock, Runbooks, filled, living

pytestmark = pytest.mark.approval


async def approved(gate: Gate) -> None:
    """Dev is faster, and the fix is done."""
    await gate.person("dev").clicks("Approve")
    await gate.action_is(KEY, ActionStatus.DONE)


async def denied(gate: Gate) -> None:
    """Dev says no."""
    await gate.person("dev").clicks("Deny…")
    await gate.person("dev").submits(reason="Not now")
    await gate.action_is(KEY, ActionStatus.DENIED)


async def expired(gate: Gate) -> None:
    """Nobody answered in time, and the worker has closed the request."""
    gate.clock.ahead += timedelta(minutes=31)
    await gate.sandbox.bot.worker.advance((await gate.shown()).run.id)
    await gate.action_is(KEY, ActionStatus.EXPIRED)


async def withdrawn(gate: Gate) -> None:
    """Ana stops the run."""
    await gate.person("ana").clicks("Cancel the run")
    await gate.run_is(RunState.CANCELLED)


async def voided(gate: Gate) -> None:
    """The row has changed: Dev's yes is void, and what would happen now is asked for anew."""
    first = (await gate.shown()).approvals[KEY].request.id
    await gate.change("UPDATE businesses SET subscription_status = 'unpaid' WHERE subscription_tier = 'free'")
    await gate.person("dev").clicks("Approve")

    async def again() -> bool | None:
        return True if (await gate.shown()).approvals[KEY].request.id != first else None

    await gate.until(again, "the new request")


Deciding = Callable[[Gate], Awaitable[None]]
LATE: Mapping[Deciding, tuple[RequestState, int]] = {
    approved: (RequestState.APPROVED, 1),
    denied: (RequestState.DENIED, 0),
    expired: (RequestState.EXPIRED, 0),
    withdrawn: (RequestState.WITHDRAWN, 0),
    voided: (RequestState.VOIDED, 0),
}


@pytest.mark.parametrize("how", LATE)
async def test_a_vote_after_the_decision(gate: Gate, how: Deciding) -> None:
    """Failure modes 5, 7, 11, 22 and 32: Approve and the Deny form of a request that was approved, denied, has expired,
    was withdrawn or voided (its message superseded): each is refused with which of these it was, on record, and the
    target is as it was before."""
    await gate.asked()
    ben, press = gate.person("ben"), gate.press("ben", "Approve")
    await ben.clicks("Deny…")
    await ben.modal()
    form = filled(gate.submission("ben"), "reason", "Too late")
    await how(gate)
    state, receipts = LATE[how]
    votes, run = await gate.votes(), (await gate.shown()).run
    assert f"already {state}" in await gate.answered("ben", press)
    outcome = await gate.deliver(form)
    assert isinstance(outcome, Acked)
    assert f"already {state}" in json.dumps(outcome.body)
    refused = await gate.refusals()
    assert [(line.actor, line.data["choice"]) for line in refused] == [("U0BEN", "approve"), ("U0BEN", "deny")]
    assert (await gate.votes(), await gate.receipts()) == (votes, receipts)
    assert (await gate.shown()).run.actions[KEY].status is run.actions[KEY].status
    assert not any("already" in said for name in ("ana", "dev") for said in gate.told(name))


async def test_what_was_voided_needs_a_new_yes(http: Gate) -> None:
    """Failure mode 12: after drift it is the new request alone that counts: a yes to it does what it shows, once."""
    await http.asked()
    old = http.press("ben", "Approve")
    await voided(http)
    await http.answered("ben", old)
    assert await http.receipts() == 0
    new = await http.ref()
    press = await http.slack.wait_for(lambda: _asked_for(http, new.request))
    await http.deliver(press)
    await http.action_is(KEY, ActionStatus.DONE)
    assert await http.receipts() == 1


def _asked_for(gate: Gate, request: str) -> Json | None:
    """Ben's click on this request's Approve, once its card is there."""
    with contextlib.suppress(AssertionError):
        press = gate.press("ben", "Approve")
        return press if request in press["actions"][0]["value"] else None
    return None


# -- runbooks ----------------------------------------------------------------------------------------------------------

OTHER_TEXT = ("tier: stripe.active.plan\n", "tier: \"'growth'\"\n")


async def test_a_changed_runbook_changes_no_run_under_way(
    world: World, leaping: LeapingClock, runbooks: Runbooks
) -> None:
    """The file is edited (one vote instead of two, another value) and the bot restarted under a pending request: the
    request, its digest, its policy and what it does are those of the version that the run began with."""
    async with living(world, SlackMode.HTTP, leaping, runbooks(*TWO_VOTES)) as gate:
        business = await gate.asked()
        before = await gate.ref()
        press = gate.press("ben", "Approve")
        version = (await gate.shown()).run.version
    async with living(world, SlackMode.HTTP, leaping, runbooks(*OTHER_TEXT)) as gate:
        current = gate.sandbox.bot.desk.library.catalogue.get("RB-011")
        assert current is not None
        assert current.version != version
        await gate.deliver(press)
        assert (await gate.shown()).run.actions[KEY].status is ActionStatus.REQUESTED
        assert await gate.ref() == before
        await gate.person("chloe").joins(str((await gate.shown()).incident.channel))  # type: ignore[union-attr]  # there is one
        await gate.person("chloe").clicks("Approve")
        await gate.action_is(KEY, ActionStatus.DONE)
        assert (await gate.shown()).run.version == version
        row = await gate.sql("SELECT subscription_tier FROM businesses WHERE id = $1::uuid", business)
        assert row["subscription_tier"] == "starter"


async def test_an_approval_is_bound_to_the_runbook_version(
    world: World, leaping: LeapingClock, runbooks: Runbooks
) -> None:
    """A run that is moved to another version of its runbook between the question and the yes: the approval is void,
    because what was approved is not what would be done now, and nothing changes."""
    async with living(world, SlackMode.HTTP, leaping, runbooks("notes:\n", "notes:\n  - Another remark.\n")) as gate:
        planted = await gate.plant("webhook_missed")
        await gate.person("ana").types(f"/runbook RB-011 business_id={planted.business_id}")
        await gate.action_is(KEY, ActionStatus.REQUESTED)
        other = (await gate.shown()).run.version
        await withdrawn(gate)
    async with living(world, SlackMode.HTTP, leaping) as gate:
        business = await gate.asked()
        asked = await gate.ref()
        async with gate.sandbox.bot.store.transaction() as tx:
            moved = text(
                "UPDATE runs SET body = jsonb_set(body, '{version}', to_jsonb(CAST(:other AS text))) WHERE id = :run"
            )
            await tx.connection.execute(moved, {"other": other, "run": asked.run})
        await gate.person("dev").clicks("Approve")

        async def again() -> bool | None:
            return True if (await gate.ref()).request != asked.request else None

        await gate.until(again, "the new request")
        assert await gate.receipts() == 0
        row = await gate.sql("SELECT subscription_tier FROM businesses WHERE id = $1::uuid", business)
        assert row["subscription_tier"] == "free"


# -- the clock ---------------------------------------------------------------------------------------------------------


async def test_a_request_never_un_expires(gate: Gate) -> None:
    """Failure modes 11 and 34: the clock leaps past the end of the request and back: the click that found it expired
    has closed it for good, and nothing is done, neither then nor when the clock is right again."""
    business = await gate.asked()
    press = gate.press("ben", "Approve")
    gate.clock.ahead = timedelta(days=1)
    assert "has expired" in await gate.answered("ben", press)
    assert (await gate.shown()).run.actions[KEY].status is ActionStatus.EXPIRED
    gate.clock.ahead = timedelta(0)
    assert "already expired" in await gate.answered("ben", press)
    gate.clock.ahead = -timedelta(days=1)
    assert "already expired" in await gate.answered("ben", press)
    await gate.untouched(business)


async def test_a_vote_counts_within_its_lifetime_only(pair: Gate) -> None:
    """Two of the leads are needed, each vote good for five minutes: six minutes apart they are never two, whichever
    way the clock leaps in between; two within their time are."""
    await pair.asked()
    await pair.person("chloe").joins(str((await pair.shown()).incident.channel))  # type: ignore[union-attr]  # there is one
    clicks = {name: pair.press("ben", "Approve") for name in ("ben", "dev", "chloe")}
    for name, payload in clicks.items():
        payload["user"]["id"] = f"U0{name.upper()}"
    await pair.deliver(clicks["ben"])
    pair.clock.ahead = timedelta(minutes=6)
    await pair.deliver(clicks["dev"])
    assert (await pair.votes(), await pair.receipts()) == (2, 0)
    assert (await pair.shown()).run.actions[KEY].status is ActionStatus.REQUESTED
    pair.clock.ahead = -timedelta(hours=1)
    await pair.deliver(clicks["chloe"])
    assert (await pair.votes(), await pair.receipts()) == (3, 0)
    assert (await pair.shown()).run.actions[KEY].status is ActionStatus.REQUESTED
    pair.clock.ahead = timedelta(minutes=7)
    await pair.deliver(clicks["chloe"])
    assert (await pair.shown()).run.actions[KEY].status is not ActionStatus.REQUESTED
    await pair.action_is(KEY, ActionStatus.DONE)
    assert await pair.receipts() == 1
