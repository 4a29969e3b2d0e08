"""The forms of a vote: why not, why at once, with which proof, for when, and other words for a message."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.blockkit import limits
from bot.domain.approval import SHORTEST_REASON, ApprovalRequest
from bot.domain.policy import StepUp
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit
from bot.slack.views.kit import Block, View
from bot.slack.views.text import clip, one_line

CODE, NAME, ROWS = "code", "name", "rows"


def deny_modal(ref: Ref, title: str) -> View:
    """Why not? Only a submitted reason denies; closing the form decides nothing."""
    blocks = [
        kit.rich(kit.line(kit.t(clip(one_line(title), 300)))),
        kit.text_input(
            "reason",
            "Why not?",
            hint="Everybody in the incident sees it; nothing is changed.",
            multiline=True,
            min_length=1,
            max_length=500,
        ),
    ]
    return kit.modal(Verb.DENY, "Deny", blocks, ref=ref, submit="Deny", close="Go back")


def approve_modal(ref: Ref, title: str, request: ApprovalRequest, to_type: str, rows: int | None) -> View:
    """The second proof that the policy or the size of the change asks for; only a submitted one approves."""
    blocks = [kit.rich(kit.line(kit.t(clip(one_line(title), 300), bold=True))), *_proofs(request, to_type, rows)]
    return kit.modal(Verb.APPROVE, "Approve", blocks, ref=ref, submit="Approve", close="Go back")


def break_glass_modal(ref: Ref, title: str, request: ApprovalRequest, to_type: str, rows: int | None) -> View:
    """Why can it not wait? Only a submitted reason breaks the glass."""
    leads = " and @".join(request.policy.break_glass)
    said = f"You go ahead alone. @{leads} are called at once, and the review asks about it."
    blocks = [
        kit.alert(said),
        kit.rich(kit.line(kit.t(clip(one_line(title), 300), bold=True))),
        kit.text_input(
            "reason",
            "Why can it not wait?",
            hint="It stands in the record and goes to the leads.",
            multiline=True,
            min_length=SHORTEST_REASON,
            max_length=500,
        ),
        *_proofs(request, to_type, rows),
    ]
    return kit.modal(Verb.BREAK_GLASS, "Break the glass", blocks, ref=ref, submit="Go ahead", close="Go back")


def schedule_modal(ref: Ref, title: str, now: datetime) -> View:
    """When is it to be done? It is asked for anew, for this window only."""
    first = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    blocks = [
        kit.rich(kit.line(kit.t(clip(one_line(title), 300), bold=True))),
        kit.input_block("opens", "Not before", _moment(first)),
        kit.input_block(
            "closes", "And not after", _moment(first + timedelta(hours=1)), hint="A window lasts a day at most."
        ),
        kit.context("Exactly what is shown is done once in this window, or nothing if anything is different then."),
    ]
    return kit.modal(Verb.SCHEDULE, "Plan for later", blocks, ref=ref, submit="Ask again", close="Go back")


def edit_modal(ref: Ref, subject: str, body: str) -> View:
    """The text of a message before it goes out; it is asked for again with the new text."""
    longest = limits.PLAIN_TEXT_INPUT
    blocks = [
        kit.text_input("subject", "Subject", optional=True, initial_value=clip(one_line(subject), 200), max_length=200),
        kit.text_input("body", "Text", multiline=True, initial_value=clip(body, longest), max_length=longest),
    ]
    return kit.modal(Verb.EDIT, "Edit the message", blocks, ref=ref, submit="Use this text")


def _proofs(request: ApprovalRequest, to_type: str, rows: int | None) -> list[Block]:
    """What is asked for; the number of `rows` is not shown here, so that it is looked up where they are."""
    either = request.policy.step_up is StepUp.EITHER
    blocks = []
    if rows is not None:
        hint = "More than anybody reads one by one. The preview says the number; all of them are in the file."
        blocks.append(kit.text_input(ROWS, "How many rows does it change?", hint=hint, max_length=20))
    if request.policy.step_up in (StepUp.CODE, StepUp.EITHER):
        blocks.append(kit.text_input(CODE, "Code of your authenticator", optional=either, max_length=10))
    if request.policy.step_up in (StepUp.NAME, StepUp.EITHER):
        label = "… or type what is changed" if either else "Type what is changed"
        hint = clip(f"Exactly: {to_type}", 300)
        blocks.append(kit.text_input(NAME, label, hint=hint, optional=either, max_length=300))
    return blocks


def _moment(at: datetime) -> Block:
    return {"type": "datetimepicker", "action_id": "value", "initial_date_time": int(at.timestamp())}
