"""Text, tables, durations and references: the small parts every screen is made of."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blockkit import validate
from bot.domain.events import Happened
from bot.domain.runbook import Input, InputType
from bot.errors import BadInputs, Mistake
from bot.slack import forms
from bot.slack.verbs import Ref, Verb, action_id, verb_of
from bot.slack.views import kit, spell
from bot.slack.views.question import inputs
from bot.slack.views.start import start_modal
from bot.slack.views.tables import table
from bot.slack.views.text import clip, clip_cost, escape, json_cost, neutral
from bot.slack.views.words import plain_sentence, sentence
from tests import builders as b

FAMILY = "👩\u200d👩\u200d👧\u200d👦"


@given(st.text(max_size=300), st.integers(0, 310))
def test_clipped_text_fits(text: str, limit: int) -> None:
    """Cut text is never longer than asked for and begins like the whole."""
    cut = clip(text, limit)
    assert len(cut) <= limit or cut == text
    assert cut == text or text.startswith(cut.removesuffix("…"))


@pytest.mark.parametrize("sign", [FAMILY, "🇩🇪", "👍🏽", "e\u0301", "&amp;", "&lt;"])
def test_no_sign_is_cut_in_two(sign: str) -> None:
    """Failure mode 16: a cut falls between whole characters, never inside an emoji, an accent or an entity."""
    text = "ab" + sign * 5
    for limit in range(1, len(text)):
        assert clip(text, limit).removesuffix("…").removeprefix("ab").replace(sign, "") in ("", "a", "ab")


@given(st.text(max_size=200), st.integers(3, 250))
def test_clipped_cost_fits(text: str, budget: int) -> None:
    """Text cut by its JSON length stays within it, however much of it has to be escaped."""
    assert json_cost(clip_cost(text * 3, budget)) <= max(budget, 5)


@given(st.text(max_size=200))
def test_escaped_text_holds_no_marks(text: str) -> None:
    """Nothing that Slack reads as mark-up survives, and nothing that cannot be seen."""
    said = escape(text)
    assert not set("<>`*~") & set(said)
    assert neutral(said) == said


def test_identifiers_keep_their_underscores() -> None:
    """A mark inside a word means nothing to Slack and stays as it is."""
    assert escape("user_id = a_b_c, _x_") == "user_id = a_b_c, ＿x＿"


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(milliseconds=12), "12 ms"),
        (timedelta(seconds=4.2), "4.2 s"),
        (timedelta(minutes=65), "1 h 5 min"),
        (timedelta(days=3, hours=2), "3 d 2 h"),
    ],
)
def test_durations_in_words(span: timedelta, said: str) -> None:
    """A duration is said in at most two units."""
    assert spell.duration(span) == said


def test_huge_numbers_are_said_not_printed() -> None:
    """A whole number too long for Python to print is described instead."""
    assert spell.value(10**5_000) == "a whole number of 16,610 bits"


def test_small_tables_need_no_file() -> None:
    """Rows that fit are one table: numbers right-aligned and real numbers, empty cells a dash."""
    rows: list[dict[str, Any]] = [
        {"id": 1, "amount": Decimal("12.50"), "note": ""},
        {"id": 2, "amount": None, "note": "ok"},
    ]
    made = table(rows, "x")
    assert made is not None
    assert made.file is None
    assert validate([made.block], "message") == []
    assert [setting["align"] for setting in made.block["column_settings"]] == ["right", "right", "left"]
    assert made.block["rows"][1][1] == {"type": "raw_number", "value": 12.5, "text": "12.50"}
    assert [cell["text"] for cell in made.block["rows"][2]] == ["2", "–", "ok"]


def test_formulas_in_a_csv_file_stay_text() -> None:
    """A cell that a spreadsheet would run is quoted, and every row is there in UTF-8."""
    rows: list[dict[str, Any]] = [{"name": "=HYPERLINK(1)", "n": -1}, *({"name": "é", "n": 0} for _ in range(300))]
    made = table(rows, "x")
    assert made is not None
    assert made.file is not None
    read = list(csv.reader(io.StringIO(made.file.content.decode("utf-8-sig"))))
    assert read[1] == ["'=HYPERLINK(1)", "-1"]
    assert len(read) == 302
    assert f"first {made.shown} of 301 rows" in made.note


@given(st.builds(Ref, *[st.text(max_size=40)] * 8))
def test_references_survive_the_way(ref: Ref) -> None:
    """A reference comes back as it went, and fits a button."""
    assert Ref.decode(ref.encode()) == ref


@pytest.mark.parametrize("bad", ["", "x", "[]", "null", '{"z":"1"}', '{"r":1}', '{"r":""}', "[" * 9_999, '"r"'])
def test_strange_references_are_mistakes(bad: str) -> None:
    """What the bot did not write is refused with a sentence."""
    with pytest.raises(Mistake):
        Ref.decode(bad)


def test_every_verb_comes_back() -> None:
    """An action id names its verb, with and without a discriminator; an unknown one is a mistake."""
    for verb in Verb:
        assert verb_of(action_id(verb)) is verb_of(action_id(verb, "x.y")) is verb
    with pytest.raises(Mistake):
        verb_of("launch")


def test_a_reference_too_long_costs_the_button_and_not_the_card() -> None:
    """A button whose reference cannot be carried is left out instead of making the message invalid."""
    assert kit.button("x", Verb.SKIP, Ref(action="k" * 3_000)) is None


def test_every_event_has_a_sentence() -> None:
    """Each kind of event is told, with who and what it was about."""
    for kind in Happened:
        assert sentence({"kind": kind, "actor": "U0ANA", "data": {}}).strip().endswith((".", ":", "."))
    voted = {"kind": "vote.cast", "actor": "U0BEN", "data": {"action": "copy", "choice": "deny", "reason": "not now"}}
    assert sentence(voted, {"copy": "Copy it"}) == "<@U0BEN> denied «Copy it»: not now"
    assert plain_sentence(voted) == "@U0BEN denied «copy»: not now"


FORM = (
    Input("business_id", InputType.UUID, "Business", default="3f2b8c1e-5a77-4d09-9b1e-0c6f2a4d8e11"),
    Input("seats", InputType.INTEGER, "Seats", default=4, minimum=1, maximum=9),
    Input("urgent", InputType.BOOLEAN, "Urgent", default=True),
    Input("plan", InputType.CHOICE, "Plan", choices=("free", "x" * 200), default="x" * 200),
    Input("since", InputType.TIMESTAMP, "Since", default=datetime(2026, 11, 21, 14, 0, tzinfo=UTC)),
    Input("mail", InputType.EMAIL, "Mail", required=False),
)


def test_a_form_gives_back_what_it_shows() -> None:
    """Untouched defaults come back as the raw text that the runbook's inputs are read from."""
    state = {}
    for block in inputs(FORM):
        element = block["element"]
        given = {
            "value": element.get("initial_value"),
            "selected_option": element.get("initial_option"),
            "selected_date_time": element.get("initial_date_time"),
        }
        state[block["block_id"]] = {element["action_id"]: {"type": element["type"], **given}}
    assert forms.values_of(state, FORM) == {
        "business_id": "3f2b8c1e-5a77-4d09-9b1e-0c6f2a4d8e11",
        "seats": "4",
        "urgent": "true",
        "plan": "x" * 200,
        "since": "2026-11-21T14:00:00+00:00",
    }


def test_what_was_typed_and_what_is_wrong_with_it() -> None:
    """The start form keeps what was typed, says what does not fit, and inline errors go to their input."""
    view = start_modal(b.runbook(), {"business_id": "nope", "other": "1"}, "C1", {"business_id": "is not a UUID"})
    block = next(block for block in view["blocks"] if block.get("block_id") == "business_id")
    assert block["element"]["initial_value"] == "nope"
    assert Ref.decode(view["private_metadata"]) == Ref(runbook="RB-011", channel="C1")
    said = str(view["blocks"])
    assert "is not a UUID" in said
    assert "Not an input of this runbook: other" in said
    wrong = BadInputs({"business_id": "is not a UUID", "other": "is unknown"})
    assert forms.errors_of(wrong, {"business_id": {}}) == {"business_id": "is not a UUID other: is unknown"}
    assert forms.errors_of(wrong) == wrong.problems
