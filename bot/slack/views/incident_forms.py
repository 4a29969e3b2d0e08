"""The forms of an incident: open it, call people, note, correct an entry, tell the stakeholders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.blockkit import limits
from bot.domain.runbook import Severity
from bot.domain.system import System
from bot.domain.timeline import Recorded
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit, spell
from bot.slack.views.kit import Element, View
from bot.slack.views.text import clip, one_line
from bot.slack.views.words import plain_sentence

LONGEST_UPDATE = 2_500


def open_modal(
    systems: Mapping[str, System],
    title: str = "",
    severity: str = "",
    system: str = "",
    ref: Ref | None = None,
) -> View:
    """What an incident needs to be opened: what is wrong, where, and how bad it is. `ref` is what made somebody open
    it: an alert, or a message."""
    offered = [kit.option(each.title, each.id) for each in systems.values()][: limits.SELECT_OPTIONS]
    levels = [kit.option(str(each), str(each)) for each in Severity]
    blocks = [
        kit.text_input("title", "What is wrong?", max_length=150, initial_value=clip(title, 150)),
        kit.input_block("system", "Where?", _choice(offered, system)),
        kit.input_block("severity", "How bad is it?", _choice(levels, severity or "P1")),
        kit.context("Its people are called as its ladder says, until somebody is on it."),
    ]
    return kit.modal(Verb.OPEN, "Open an incident", blocks, ref=ref or Ref(), submit="Open it", close="Go back")


def _choice(options: Sequence[Element], value: str) -> Element:
    """A menu of a form with one of its options picked."""
    picked = next((each for each in options if each["value"] == value), options[0] if len(options) == 1 else None)
    element: Element = {"type": "static_select", "action_id": "value", "options": list(options)}
    return {**element, "initial_option": picked} if picked is not None else element


def escalate_modal(ref: Ref) -> View:
    """What to tell the people who are called."""
    hint = "They get the incident's headline as well."
    blocks = [kit.text_input("reason", "What do they need to know?", hint=hint, multiline=True, max_length=1_000)]
    return kit.modal(Verb.ESCALATE, "Escalate", blocks, ref=ref, submit="Call them", close="Go back")


def note_modal(ref: Ref) -> View:
    """Somebody's words for the timeline."""
    blocks = [kit.text_input("text", "Note", multiline=True, max_length=2_000)]
    return kit.modal(Verb.NOTE, "Add a note", blocks, ref=ref, submit="Add", close="Go back")


def correct_modal(ref: Ref, entries: Sequence[Recorded], named: Mapping[str, str]) -> View:
    """Which entry of the timeline is to say what instead; the newest stand first."""
    listed = [
        kit.option(f"{spell.utc(line.at)} {_said(line, named)}", str(line.seq))
        for line in list(reversed(entries))[: limits.SELECT_OPTIONS]
    ]
    hint = "What it said before stays in the record, and in the review."
    blocks = [
        kit.input_block("entry", "Which entry?", {"type": "static_select", "action_id": "value", "options": listed}),
        kit.text_input("text", "What is right?", hint=hint, multiline=True, max_length=2_000),
    ]
    return kit.modal(Verb.CORRECT, "Correct the timeline", blocks, ref=ref, submit="Correct it", close="Go back")


def _said(line: Recorded, named: Mapping[str, str]) -> str:
    return one_line(plain_sentence({"kind": line.kind, "actor": line.actor, "data": line.data}, named))


def update_modal(ref: Ref, channel: str, text: str, problem: str = "") -> View:
    """What the stakeholders are told, for a person to change and to confirm."""
    blocks = [kit.context(f"It goes to #{channel.removeprefix('#')} as it stands here, under your name.")]
    blocks += [kit.alert(f"The system's template cannot be filled in: {problem}")] if problem else []
    blocks.append(
        kit.text_input(
            "text",
            "What do they need to know?",
            multiline=True,
            initial_value=clip(text, LONGEST_UPDATE),
            max_length=LONGEST_UPDATE,
        )
    )
    return kit.modal(Verb.UPDATE, "Tell the stakeholders", blocks, ref=ref, submit="Send it", close="Go back")
