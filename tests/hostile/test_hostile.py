"""What reaches the bot is forged, changed, old, replayed or made by hand: nothing changes, and it is said why."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.domain.run import ActionStatus, RunState
from bot.sandbox.slack import payloads
from bot.sandbox.slack.requests import signature
from bot.sandbox.slack.transport import Acked
from tests.hostile.conftest import KEY, Gate, body_of, carrying, filled, of_user, valued

pytestmark = pytest.mark.approval


# -- the signature -----------------------------------------------------------------------------------------------------


async def test_a_forged_signature_opens_nothing(http: Gate) -> None:
    """A vote signed with another secret, without a signature or with half of one is refused before it is read."""
    business = await http.asked()
    lines = await http.lines()
    body = body_of(http.press("ben", "Approve"))
    good = signature(http.slack.signing_secret, str(int(time.time())), body)
    assert await http.post(body, secret="somebody else's secret") == 401
    for forged in ("", "v0=", "v0=0" + "0" * 63, good.removeprefix("v0="), good[:-1], "v1" + good[2:]):
        assert await http.post(body, X_Slack_Signature=forged) == 401, forged
    for moment in ("", "yesterday", "1e9", "-1"):
        assert await http.post(body, X_Slack_Request_Timestamp=moment) in (400, 401, 500), moment
    await http.untouched(business)
    assert await http.lines() == lines


async def test_a_changed_body_does_not_fit_its_signature(http: Gate) -> None:
    """The right signature over a body that was changed on its way (another voter, another digest) is refused."""
    business = await http.asked()
    payload = http.press("ana", "Approve")
    moment = str(int(time.time()))
    signed = signature(http.slack.signing_secret, moment, body_of(payload))
    for changed in (of_user(payload, "U0BEN"), carrying(payload, q="x"), {**payload, "trigger_id": "1.2.3"}):
        assert await http.post(body_of(changed), at=int(moment), X_Slack_Signature=signed) == 401
    assert await http.post(body_of(payload) + "&x=1", at=int(moment), X_Slack_Signature=signed) == 401
    await http.untouched(business)
    assert await http.refusals() == []


# A moment ahead of the clock comes nearer while the request is on its way: that one keeps a distance.
@pytest.mark.parametrize("seconds", [-301, -86_400, 420, 86_400])
async def test_a_signature_lives_five_minutes(http: Gate, seconds: int) -> None:
    """Rightly signed, and older (or further in the future) than five minutes: refused."""
    business = await http.asked()
    assert await http.post(body_of(http.press("ben", "Approve")), at=int(time.time()) + seconds) == 401
    await http.untouched(business)


# -- replays -----------------------------------------------------------------------------------------------------------


async def test_a_replayed_vote_is_one_vote(pair: Gate) -> None:
    """Ben's signed Approve arrives five times within five minutes: one vote, the second person is still missing, and
    each replay is refused on record."""
    business = await pair.asked()
    payload = pair.press("ben", "Approve")
    body, moment = body_of(payload), int(time.time())
    assert [await pair.post(body, at=moment) for _ in range(5)] == [200] * 5
    assert await pair.votes() == 1
    assert [line.data["reasons"] for line in await pair.refusals()] == [["Your vote is counted already."]] * 4
    assert (await pair.shown()).run.actions[KEY].status is ActionStatus.REQUESTED
    assert await pair.receipts() == 0
    await pair.person("dev").clicks("Approve")
    await pair.action_is(KEY, ActionStatus.DONE)
    assert await pair.post(body, at=moment) == 200
    assert (await pair.refusals())[-1].data["reasons"][0] == "This request is already approved."
    assert await pair.receipts() == 1
    row = await pair.sql("SELECT subscription_tier FROM businesses WHERE id = $1::uuid", business)
    assert row["subscription_tier"] == "starter"


async def test_a_replayed_command_starts_one_run(http: Gate) -> None:
    """The same signed command three times: one run, one incident."""
    planted = await http.plant("webhook_missed")
    space = http.slack.space
    general = space.find_channel("general")
    assert general is not None
    text = f"RB-011 business_id={planted.business_id}"
    body, moment = urlencode(payloads.slash_command(space, "U0ANA", general, "/runbook", text)), int(time.time())
    assert [await http.post(body, at=moment) for _ in range(3)] == [200] * 3
    await http.action_is(KEY, ActionStatus.REQUESTED)
    assert len(await http.sandbox.bot.desk.reads.recent()) == 1
    assert len(await http.sandbox.bot.desk.incidents.open_ones()) == 1


async def test_a_replayed_undo_is_asked_once(http: Gate) -> None:
    """The same signed Undo three times: one request to take it back, the others are on record."""
    await http.asked()
    await http.person("ben").clicks("Approve")
    await http.action_is(KEY, ActionStatus.DONE)
    await _end(http)
    await http.person("ana").sees("Undo…")
    body, moment = body_of(http.press("ana", "Undo…")), int(time.time())
    assert [await http.post(body, at=moment) for _ in range(3)] == [200] * 3
    await http.action_is(f"undo:{KEY}", ActionStatus.REQUESTED)
    assert await _counted(http, "action.chosen", "press.repeated") == [1, 2]


async def test_a_replayed_press_asks_for_nothing_denied(http: Gate) -> None:
    """Ana's signed press asked for an action, which Ben denied; the same press again leaves it denied, on record."""
    await http.asked()
    await http.person("ben").clicks("Deny…")
    await http.person("ben").submits(reason="Not now, please")
    await http.action_is(KEY, ActionStatus.DENIED)
    await http.person("ana").sees("Try again")
    body, moment = body_of(http.press("ana", "Try again")), int(time.time())
    assert await http.post(body, at=moment) == 200
    await http.action_is(KEY, ActionStatus.REQUESTED)
    await http.person("ben").clicks("Deny…")
    await http.person("ben").submits(reason="Still not now")
    await http.action_is(KEY, ActionStatus.DENIED)
    assert await http.post(body, at=moment) == 200
    await http.slack.delivery.settled()
    assert (await http.shown()).run.actions[KEY].status is ActionStatus.DENIED
    assert await _counted(http, "action.chosen", "press.repeated") == [1, 1]


async def _counted(gate: Gate, *kinds: str) -> list[int]:
    """How often each of these happened to the newest run."""
    lines = await gate.sandbox.bot.desk.reads.audit(run_id=(await gate.shown()).run.id)
    return [sum(line.kind == kind for line in lines) for kind in kinds]


async def _end(gate: Gate) -> None:
    """The rest of the plan leads to another runbook, which waits for a vote of its own."""
    await gate.run_is(RunState.DONE)
    await gate.led_to("RB-005", RunState.AWAITING_APPROVAL)


# -- values made by hand -----------------------------------------------------------------------------------------------

DEEP = "[" * 900 + "]" * 900
NONSENSE: Mapping[str, Any] = {
    "empty": "",
    "an empty object": "{}",
    "2,000 characters": "x" * 2_000,
    "2,001 characters of JSON": json.dumps({"q": "x" * 1_993}),
    "not JSON": "approve everything",
    "deep nesting": DEEP,
    "deep nesting in a field": '{"q":' + DEEP + "}",
    "null": "null",
    "a number": "7",
    "a list": '["q"]',
    "a number for an id": '{"q": 5}',
    "a list for an id": '{"q": ["a"]}',
    "an object for an id": '{"q": {"q": "a"}}',
    "true": '{"q": true}',
    "an unknown key": '{"approved": "true"}',
    "a request that is no id": '{"q": "1; DROP TABLE votes"}',
    "a character that no database takes": '{"q": "\\u0000", "r": "\\u0000"}',
    "half a character": '{"q": "\\ud800"}',
    "an unknown request": json.dumps({"q": str(uuid.UUID(int=7)), "r": str(uuid.UUID(int=8)), "d": "00"}),
    "infinity": '{"q": Infinity}',
}

OTHERS = ("deny", "details", "undo", "skip", "edit", "cancel", "choose", "settle_happened", "report")


async def test_values_that_the_bot_never_wrote(gate: Gate) -> None:
    """Whatever stands in the value of Approve, Deny…, Undo, Skip, Edit or Cancel: acknowledged, answered in a sentence
    to the clicker alone, nothing changed, and the bot does not break."""
    business = await gate.asked()
    before = (await gate.shown()).run
    press = gate.press("ben", "Approve")
    others = {name: len(gate.told(name)) for name in ("ana", "chloe", "dev", "eve")}
    cases = [("approve", what) for what in NONSENSE]
    cases += [(verb, what) for verb in OTHERS for what in ("an empty object", "a request that is no id", "a list")]
    for verb, what in cases:
        payload = valued(press, NONSENSE[what])
        payload["actions"][0]["action_id"] = verb
        said = await gate.answered("ben", payload)
        assert "failed" not in said, f"{verb} with {what}: {said}"
    await gate.untouched(business)
    after = (await gate.shown()).run
    assert (after.state, after.actions) == (before.state, before.actions)
    assert {name: len(gate.told(name)) for name in others} == others


async def test_a_verb_that_the_bot_does_not_know(gate: Gate) -> None:
    """An action id of nobody's is answered, and nothing happens."""
    business = await gate.asked()
    for verb in ("approve_all", "", "APPROVE", "approve\u0000", "x" * 255):
        payload = gate.press("ben", "Approve")
        payload["actions"][0]["action_id"] = verb
        assert "another version" in await gate.answered("ben", payload)
    await gate.untouched(business)


async def test_another_runs_request_is_not_approved_by_this_digest(gate: Gate) -> None:
    """Ben's click carries the request of another run, or another run beside this request: refused on the record of
    the run it would have decided, told to him alone, and neither run's target changes."""
    first = await gate.asked()
    one = await gate.ref()
    second = await gate.asked("tier_differs")
    other = await gate.ref()
    press = gate.press("ben", "Approve")
    mixed = {
        "this run, the other request, this digest": carrying(press, r=one.run, a=KEY, q=other.request, d=one.digest),
        "the other request with its own digest": carrying(press, r=one.run, a=KEY, q=other.request, d=other.digest),
        "another action of the same run": carrying(
            press, r=other.run, a="close_account", q=other.request, d=other.digest
        ),
        "no digest": carrying(press, r=other.run, a=KEY, q=other.request),
        "a digest in capitals": carrying(press, r=other.run, a=KEY, q=other.request, d=other.digest.upper()),
        "half a digest": carrying(press, r=other.run, a=KEY, q=other.request, d=other.digest[:32]),
    }
    for number, (what, payload) in enumerate(mixed.items(), 1):
        said = await gate.answered("ben", payload)
        assert "not what would be done now" in said, what
        assert len(await gate.refusals(other.run)) == number, what
    assert await gate.refusals(one.run) == []
    assert not any("not what would be done" in each for name in ("ana", "dev") for each in gate.told(name))
    await gate.untouched(first)
    assert second != first


async def test_an_action_that_was_never_proposed(gate: Gate) -> None:
    """An action that the runbook does not have is refused; one that it has and nobody proposed comes before the
    approvers like any other, or is refused by its own condition."""
    business = await gate.asked()
    ref = await gate.ref()
    press = gate.press("ben", "Approve")
    for verb, key, said in (
        ("choose", "drop_everything", "no action"),
        ("choose", f"undo:{KEY}", "no action"),
        ("choose", "close_account", "under way"),
        ("undo", "close_account", "under way"),
        ("skip", "drop_everything", "can no longer be left out"),
        ("undo", KEY, "under way"),
        ("settle_happened", KEY, "already requested"),
        ("settle_not", KEY, "already requested"),
    ):
        payload = carrying(press, r=ref.run, a=key)
        payload["actions"][0]["action_id"] = verb
        assert said in await gate.answered("ben", payload), (verb, key)
    await gate.untouched(business)


async def test_a_reference_of_another_verb(gate: Gate) -> None:
    """Approve with the reference of Show everything, of a question or of an incident decides nothing."""
    business = await gate.asked()
    ref = await gate.ref()
    incident = (await gate.shown()).run.incident
    press = gate.press("ben", "Approve")
    for wrong in ({"r": ref.run, "a": KEY}, {"r": ref.run, "c": "account"}, {"i": str(incident)}, {"b": "RB-011"}):
        assert "not known here" in await gate.answered("ben", carrying(press, **wrong))
    await gate.untouched(business)


# -- forms and triggers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("button", ["Deny…", "Break the glass…"])
async def test_a_form_whose_reference_was_edited(gate: Gate, button: str) -> None:
    """The form comes back about something else: it decides nothing there, and it is said in its place."""
    business = await gate.asked()
    ben = gate.person("ben")
    await ben.clicks(button)
    await ben.modal()
    for ref in ({"d": "0" * 64}, {"r": str(uuid.UUID(int=9))}, {"a": "close_account"}, {"q": str(uuid.UUID(int=9))}):
        form = filled(gate.submission("ben", **ref), "reason", "It cannot go on like this")
        outcome = await gate.deliver(form)
        assert isinstance(outcome, Acked)
        said = json.dumps(outcome.body, ensure_ascii=False)
        assert "not what would be done now" in said or "not known here" in said, ref
    for raw in ("", "{", "[]", '{"q": 1}', "x" * 3_000):
        payload = gate.submission("ben")
        payload["view"]["private_metadata"] = raw
        outcome = await gate.deliver(payload)
        assert isinstance(outcome, Acked)
        assert outcome.body is not None, raw
        assert "failed" not in json.dumps(outcome.body), raw
    assert len(await gate.refusals()) == 3
    await gate.untouched(business)
    assert (await gate.shown()).run.actions[KEY].status is ActionStatus.REQUESTED


async def test_a_broken_glass_of_others_and_twice(gate: Gate) -> None:
    """The form of a lead, sent by somebody who is none, by the requester, and by the lead twice: the glass is broken
    once, by the lead alone, and every other try is on record under the name of who tried."""
    await gate.asked()
    ben = gate.person("ben")
    await ben.clicks("Break the glass…")
    await ben.modal()
    form = filled(gate.submission("ben"), "reason", "Every customer is locked out")
    for user in ("U0EVE", "U0ANA"):
        outcome = await gate.deliver(of_user(form, user))
        assert isinstance(outcome, Acked)
        assert "may break the glass" in json.dumps(outcome.body)
    assert await gate.receipts() == 0
    await gate.deliver(form)
    await gate.action_is(KEY, ActionStatus.DONE)
    await gate.deliver(form)
    assert [line.actor for line in await gate.refusals()] == ["U0EVE", "U0ANA", "U0BEN"]
    assert await gate.receipts() == 1


async def test_a_plan_for_later_of_others(gate: Gate) -> None:
    """The form of who asked, sent by somebody who has nothing to do with it, or with a window that is none: nothing is
    planned, and the request stands as it was."""
    business = await gate.asked()
    ana, asked = gate.person("ana"), (await gate.shown()).run.actions[KEY].request
    await ana.clicks("Show everything")
    await ana.modal()
    await ana.clicks("Plan for later…")
    await ana.sees(lambda seen: seen.surface == "modal" and "Not before" in seen.text)
    form = gate.submission("ana")
    assert isinstance(await gate.deliver(of_user(form, "U0EVE")), Acked)
    assert [line.actor for line in await gate.refusals()] == ["U0EVE"]
    for moment in (None, 0, -1, 10**12, "x", {"a": 1}):
        wrong = deepcopy(form)
        for state in wrong["view"]["state"]["values"].values():
            for each in state.values():
                each["selected_date_time"] = moment
        outcome = await gate.deliver(wrong)
        assert isinstance(outcome, Acked), moment
        assert outcome.body is not None, moment
        assert "failed" not in json.dumps(outcome.body), moment
    assert (await gate.shown()).run.actions[KEY].request == asked
    await gate.untouched(business)


async def test_somebody_elses_trigger(gate: Gate) -> None:
    """A click with another person's trigger decides nothing for anybody: whoever submits the form is judged as
    themselves."""
    business = await gate.asked()
    payload = gate.press("ben", "Deny…")
    payload["trigger_id"] = gate.slack.space.new_trigger("U0EVE").id
    await gate.deliver(payload)
    eve = gate.person("eve")
    await eve.submits(reason="I want to")
    assert (await gate.refusals())[-1].actor == "U0EVE"
    assert (await gate.shown()).run.actions[KEY].status is ActionStatus.REQUESTED
    await gate.untouched(business)
