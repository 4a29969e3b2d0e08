"""Questions to a person: in the card where one pick answers them, else as a form made of the runbook's inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, assert_never

from bot.blockkit import limits
from bot.blockkit.elements import NUMERAL
from bot.domain.runbook import Input, InputType
from bot.runs.shown import QuestionShown, RunShown
from bot.slack import forms
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit, spell
from bot.slack.views.checklist import checklist_blocks
from bot.slack.views.kit import Block, Element, View
from bot.slack.views.text import clip, clip_cost, neutral, one_line
from bot.slack.views.titles import action_title, check_title

_MOST_FIELDS = 90


def question_blocks(shown: RunShown, question: QuestionShown) -> list[Block]:
    """A question in the card: its words, and a menu where one pick is the whole answer, else a button to the form."""
    if question.items:
        return checklist_blocks(shown, question)
    ref = Ref(run=shown.run.id, check=question.check)
    words = clip_cost(one_line(question.text) or check_title(shown, question.check), 800)
    blocks = [kit.rich(kit.line(kit.t("Question  ", bold=True), kit.t(words)))]
    options, place = _choices(question), kit.select_place(Verb.PICK, ref)
    if options and kit.fits_in_card(options) and place:
        return [*blocks, *kit.actions([kit.select(Verb.PICK, "Answer…", options)], place)]
    return [*blocks, *kit.actions([kit.button("Answer…", Verb.ANSWER, ref, style="primary")])]


def _choices(question: QuestionShown) -> list[Element]:
    """The options of a question that one pick answers."""
    parts = map(forms.option_parts, question.options)
    return [kit.option(label, forms.option_value(value), about) for value, label, about in parts]


def answer_modal(shown: RunShown, question: QuestionShown) -> View:
    """The form of a question; options that did not fit into the card are picked here under the name "answer"."""
    blocks = [kit.rich(kit.line(kit.t(clip_cost(neutral(question.text), 4_000))))]
    if question.options:
        options = _choices(question)
        left = len(options) - limits.SELECT_OPTIONS
        hint = f"{left} more options are not shown; look again with a narrower question." if left > 0 else ""
        element = _menu(options[: limits.SELECT_OPTIONS], None)
        blocks.append(kit.input_block("answer", "Answer", element, hint=hint))
    else:
        blocks += inputs(question.form)
    if not question.options and not question.form:
        blocks.append(kit.text_input("answer", "Answer", multiline=True, max_length=limits.PLAIN_TEXT_INPUT))
    ref = Ref(run=shown.run.id, check=question.check)
    return kit.modal(Verb.ANSWER, "Answer", blocks, ref=ref, submit="Answer", close="Not now")


def report_modal(shown: RunShown, key: str) -> View:
    """What somebody did by hand, in their words; recorded in their name."""
    question = shown.reports.get(key)
    text = question.text if question else ""
    blocks = [kit.rich(kit.line(kit.t(clip_cost(neutral(text) or action_title(shown, key), 4_000))))]
    blocks += inputs(question.form) if question else []
    hint = "What you did and what you saw; it goes into the record in your name."
    blocks.append(kit.text_input("note", "Report", hint=hint, multiline=True, optional=True, max_length=2_000))
    ref = Ref(run=shown.run.id, action=key)
    return kit.modal(Verb.REPORT, "Report it done", blocks, ref=ref, submit="It is done", close="Not yet")


# -- inputs ------------------------------------------------------------------------------------------------------------


def inputs(form: Sequence[Input], values: Mapping[str, str] | None = None) -> list[Block]:
    """An input block for each field, its block id the field's name; `values` were typed before. At most 90."""
    given = values or {}
    return [_input(field, given.get(field.name, field.default)) for field in form[:_MOST_FIELDS]]


def _input(field: Input, value: Any) -> Block:
    element = _element(field, None if value is None or value == "" else value)
    label = field.label or field.name
    return kit.input_block(field.name, label, element, hint=_hint(field), optional=not field.required)


def _element(field: Input, value: Any) -> Element:  # noqa: PLR0911 - one arm a type
    text = None if value is None else clip(neutral(spell.value(value)), limits.PLAIN_TEXT_INPUT)
    match field.type:
        case InputType.TEXT | InputType.UUID:
            return _typed("plain_text_input", text, max_length=limits.PLAIN_TEXT_INPUT)
        case InputType.INTEGER | InputType.NUMBER:
            return _number(field, text)
        case InputType.BOOLEAN:
            options = [kit.option("Yes", "true"), kit.option("No", "false")]
            chosen = {"true": options[0], "false": options[1]}.get(text or "")
            radio: Element = {"type": "radio_buttons", "action_id": "value", "options": options}
            return radio | ({"initial_option": chosen} if chosen else {})
        case InputType.CHOICE:
            if not 0 < len(field.choices) <= limits.SELECT_OPTIONS:
                return _typed("plain_text_input", text)
            options = [kit.option(choice, forms.option_value(choice)) for choice in field.choices]
            return _menu(options, None if value is None else forms.option_value(spell.value(value)))
        case InputType.EMAIL:
            return _typed("email_text_input", text)
        case InputType.URL:
            return _typed("url_text_input", text)
        case InputType.TIMESTAMP:
            at = _instant(value)
            return {"type": "datetimepicker", "action_id": "value"} | ({} if at is None else {"initial_date_time": at})
        case _:
            assert_never(field.type)


def _typed(kind: str, text: str | None, **settings: Any) -> Element:
    element: Element = {"type": kind, "action_id": "value", **settings}
    return element | ({"initial_value": text} if text else {})


def _menu(options: Sequence[Element], chosen: str | None) -> Element:
    element: Element = {"type": "static_select", "action_id": "value", "options": list(options)}
    initial = next((option for option in options if option["value"] == chosen), None)
    return element | ({"initial_option": initial} if initial else {})


def _number(field: Input, text: str | None) -> Element:
    element: Element = {
        "type": "number_input",
        "action_id": "value",
        "is_decimal_allowed": field.type is InputType.NUMBER,
    }
    low, high = field.minimum, field.maximum
    possible = low is None or high is None or low <= high
    for name, bound in (("min_value", low), ("max_value", high)) if possible else ():
        said = "" if bound is None else spell.value(bound)
        if said and re.fullmatch(NUMERAL.pattern, said):
            element[name] = said
    fits = text is not None and re.fullmatch(NUMERAL.pattern, text)
    return element | ({"initial_value": text} if fits else {})


def _instant(value: Any) -> int | None:
    """A moment as Slack's picker takes it: whole seconds since 1970, between then and 2286."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        seconds = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds <= 9_999_999_999 else None


def _hint(field: Input) -> str:
    words = [one_line(field.help)] if field.help else []
    if field.type is InputType.UUID:
        words.append("For example 3f2b8c1e-5a77-4d09-9b1e-0c6f2a4d8e11.")
    if field.type is InputType.CHOICE and len(field.choices) > limits.SELECT_OPTIONS:
        words.append(f"One of {spell.listed(list(field.choices), 10)}.")
    if field.type is InputType.TIMESTAMP:
        words.append("In your own time zone.")
    return clip(" ".join(words), 300)
