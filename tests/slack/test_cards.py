"""The run card in every state: what it says, held in golden files, and which buttons it carries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.blockkit import json_characters, validate_message, validate_view
from bot.domain.run import ActionRun, ActionStatus, RunState
from bot.slack.verbs import Ref, Verb, verb_of
from bot.slack.views.approval import approval_modal, approval_thread
from bot.slack.views.checks import checks_modal
from bot.slack.views.kit import MESSAGE_BUDGET
from bot.slack.views.plain import text_of
from bot.slack.views.run import plain_card, run_card
from tests import builders as b

GOLDEN = Path(__file__).parent.parent / "golden"
STATES = b.states()
FINISHED = ("done", "undone", "closed", "cancelled", "failed")


def elements(blocks: list[dict[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Every button and menu of a message."""
    for block in blocks:
        yield from block["elements"] if block["type"] == "actions" else ()


def verbs(name: str) -> list[Verb]:
    """The verbs of a state's card, in order."""
    return [verb_of(element["action_id"]) for element in elements(run_card(STATES[name]).blocks)]


def words(name: str) -> str:
    """A state's card in plain words."""
    return plain_card(STATES[name])


@pytest.mark.parametrize("name", sorted(STATES))
def test_golden_card(name: str, request: pytest.FixtureRequest) -> None:
    """Each state's card is exactly what its golden file says, valid for Slack and within the budget."""
    card = run_card(STATES[name])
    payload = {"text": card.text, "blocks": card.blocks}
    assert validate_message(payload) == []
    assert json_characters(card.blocks) <= MESSAGE_BUDGET
    path = GOLDEN / f"card_{name}.json"
    written = json.dumps({**payload, "files": [file.name for file in card.files]}, indent=1, ensure_ascii=False) + "\n"
    if request.config.getoption("--golden", default=False):
        path.write_text(written, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == written


@pytest.mark.parametrize("name", sorted(STATES))
def test_details_of_every_state_are_valid_forms(name: str) -> None:
    """Show everything opens a valid form in every state, for the request and for the checks."""
    shown = STATES[name]
    assert validate_view(checks_modal(shown)) == []
    for key in (*shown.approvals, ""):
        assert validate_view(approval_modal(shown, key)) == []
    for key in shown.approvals:
        thread = approval_thread(shown, key)
        assert validate_message({"text": thread.text, "blocks": thread.blocks}) == []


@pytest.mark.parametrize("name", FINISHED)
def test_finished_runs_keep_no_stale_buttons(name: str) -> None:
    """Failure mode 22: a run that has ended offers nothing that would only be refused."""
    allowed = {Verb.DETAILS, Verb.UNDO} if name in ("done", "undone", "closed") else {Verb.DETAILS, Verb.RECHECK}
    assert set(verbs(name)) <= allowed


def test_awaiting_approval_reads_like_the_design() -> None:
    """The card says cause, looks, fix, the difference, the policy and until when, with its three buttons."""
    said = words("awaiting_approval")
    assert "P2 · 4 of 20 min · diagnosing → deciding → waiting" in said
    assert "Cause  Stripe has an active Starter subscription" in said
    assert "What our database says: 1 row · 12 ms" in said
    assert "Fix  Copy the subscription from Stripe\n1 row of businesses changes. Can be undone: the rows get" in said
    assert "• subscription_tier  free → starter\n• subscription_status  past_due → active" in said
    assert "Waiting for 1 vote of @billing, asked by @U0ANA 1 min ago, until 14:32 UTC" in said
    assert verbs("awaiting_approval")[:3] == [Verb.APPROVE, Verb.DENY, Verb.DETAILS]


def test_approve_carries_request_and_digest() -> None:
    """Failure mode 12: the button names the request and the digest of what was shown, nothing else decides."""
    approve = next(iter(elements(run_card(STATES["awaiting_approval"]).blocks)))
    ref = Ref.decode(approve["value"])
    assert (ref.run, ref.request, ref.digest) == (b.RUN_ID, b.request().id, "ab" * 32)


def test_irreversible_actions_say_so_twice() -> None:
    """What cannot be undone says so in strong words on the card and asks once more on Approve."""
    card = run_card(STATES["irreversible"])
    assert "CANNOT BE UNDONE" in words("irreversible")
    approve = next(element for element in elements(card.blocks) if element["action_id"] == "approve")
    assert "cannot be undone" in approve["confirm"]["text"]["text"]
    assert "could not be rehearsed" in words("irreversible")


def test_large_previews_attach_a_file_and_say_so() -> None:
    """Failure mode 13: more than the card shows is said, and the file holds every row and value and the statement."""
    card = run_card(STATES["too_big"])
    assert "This is more than the card shows" in words("too_big")
    file, rows = card.files
    text = file.content.decode()
    assert all(f"row {number}" in text for number in range(1, 10))
    lines = rows.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "table,row,column,before,after"
    assert sum(",subscription_tier,free,starter" in line for line in lines) == 9
    assert rows.name == file.name.replace(".txt", ".csv")
    assert "UPDATE businesses\nSET subscription_tier" in text
    assert file.name.endswith(f"{'ab' * 6}.txt")


@pytest.mark.parametrize("attached", [True, False])
def test_a_large_preview_is_opened_before_it_is_approved(attached: bool) -> None:
    """Failure mode 13: nobody approves from a card that does not show it all; the form behind Show everything does and
    has the button."""
    card = run_card(STATES["too_big"], attached=attached)
    on_card = [element["action_id"] for element in elements(card.blocks)]
    assert ("approve" in on_card, "deny" in on_card, "details" in on_card) == (False, True, True)
    view = approval_modal(STATES["too_big"], b.KEY)
    assert "approve" in [element["action_id"] for element in elements(view["blocks"])]
    assert all(f"row {number}" in text_of(view["blocks"]) for number in range(1, 10))


def test_a_preview_that_is_cut_counts_as_large() -> None:
    """One long value that does not fit its line is enough for the file, also where the difference is past the cut."""
    long = b.change(subscription_status="x" * 200 + "!")
    shown = replace(STATES["awaiting_approval"], approvals={b.KEY: b.approval(of=b.preview(long))})
    (file,) = run_card(shown).files
    assert b"x" * 200 + b"!" in file.content


def test_rows_beyond_the_preview_count_as_large() -> None:
    """A preview that holds fewer rows than would change is never taken for whole."""
    shown = replace(
        STATES["awaiting_approval"], approvals={b.KEY: b.approval(of=b.preview(counts={"businesses": 5_000}))}
    )
    assert run_card(shown).files


def test_blanks_that_differ_are_seen() -> None:
    """A difference of blanks only is not folded away in the file."""
    spaced = b.change(subscription_status="past  due")
    shown = replace(STATES["awaiting_approval"], approvals={b.KEY: b.approval(of=b.preview(spaced))})
    (file,) = run_card(shown).files
    assert '"past  due"' in file.content.decode()


def test_votes_so_far_and_votes_that_do_not_count() -> None:
    """With two votes needed, the card shows the one that counts and why the other does not."""
    said = words("awaiting_second_vote")
    assert "Waiting for 1 vote" in said
    assert "✓ @U0BEN approved" in said
    assert "the vote of @U0ANA does not count: You asked for this" in said


def test_in_doubt_asks_a_person() -> None:
    """An unknown outcome says so plainly and offers what a person found, and a look, never a retry."""
    assert "It is not known whether this happened" in words("in_doubt")
    offered = verbs("in_doubt")
    assert offered[:3] == [Verb.SETTLE_HAPPENED, Verb.SETTLE_NOT, Verb.VERIFY_AGAIN]
    assert Verb.RETRY not in offered


def test_no_finding_offers_the_manual_path() -> None:
    """Without a finding the card says so and offers the actions by hand, escalation, another look and the end."""
    assert "No known cause fits what was found" in words("no_finding")
    assert verbs("no_finding") == [Verb.CHOOSE, Verb.ESCALATE, Verb.RECHECK, Verb.CLOSE, Verb.DETAILS]
    menu = next(element for element in elements(run_card(STATES["no_finding"]).blocks))
    assert [Ref.decode(option["value"]).action for option in menu["options"]] == [b.KEY, "resend", "apologise"]


@pytest.mark.parametrize("name", ["denied", "expired", "action_failed"])
def test_refused_actions_say_why_and_can_be_tried_again(name: str) -> None:
    """Denied, expired and failed are told apart, each with its reason and Try again (failure mode 32)."""
    assert Verb.RETRY in verbs(name)
    assert next(iter(STATES[name].run.actions.values())).reason in words(name)


def test_denied_expired_and_failed_read_differently() -> None:
    """Failure mode 32: denied ≠ failed ≠ expired on the card."""
    assert "Denied  Copy" in words("denied")
    assert "Expired  Copy" in words("expired")
    assert "not done:" in words("action_failed")


def test_verified_is_said_only_of_what_was_verified() -> None:
    """An action settled by a person, or one without a verification, is done but not verified."""
    assert "✓ Verified" in words("done")
    settled = replace(
        STATES["done"],
        run=b.run(RunState.DONE, b.action(ActionStatus.DONE, reason="A person found that it had happened.")),
    )
    assert "Verified" not in plain_card(settled)
    assert "A person found" in plain_card(settled)


def test_over_time_is_said_plainly() -> None:
    """A run past its target says by how much."""
    assert "26 min, 6 min over the target of 20 min" in words("over_time")


def test_failed_checks_come_with_their_sentence() -> None:
    """A failed check's error stands on the card, and a changed one is marked against the run before."""
    said = words("failed_check")
    assert "✗ What Stripe says: Stripe did not answer within 15 s. · 210 ms" in said
    assert "changed since run 12: status was active" in said


def test_a_question_is_answered_by_one_pick() -> None:
    """A choice question is a menu whose block carries the reference of the check."""
    card = run_card(STATES["asking"])
    block = next(block for block in card.blocks if block.get("block_id"))
    assert Ref.decode(block["block_id"].partition("#")[2]) == Ref(run=b.RUN_ID, check="webhooks")
    assert [option["value"] for option in block["elements"][0]["options"]] == ["cus_1", "cus_2"]


def test_undo_is_tried_again_as_an_undo() -> None:
    """A failed undo offers the undo again, not the choosing of an action no runbook has."""
    undo = ActionRun("undo:" + b.KEY, ActionStatus.FAILED, reason="locked", undo_of=b.KEY)
    card = run_card(b.shown(b.run(RunState.DECIDING, b.action(ActionStatus.DONE), undo)))
    again = [e for e in elements(card.blocks) if e.get("text", {}).get("text") == "Try again"]
    assert [(verb_of(e["action_id"]), Ref.decode(e["value"]).action) for e in again] == [(Verb.UNDO, b.KEY)]
