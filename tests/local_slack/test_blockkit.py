"""Whole surfaces: totals, unique ids, views, and a validator that never raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blockkit import Code, json_characters, limits, validate, validate_message, validate_view
from bot.blockkit.blocks import KINDS
from tests.local_slack import blockkit_samples as samples

pytestmark = pytest.mark.local_slack

SECTION: samples.JSON = {"type": "section", "text": samples.plain()}


def _modal(**changes: Any) -> samples.JSON:
    view: samples.JSON = {
        "type": "modal",
        "callback_id": "start",
        "private_metadata": "{}",
        "title": samples.plain("Start a run"),
        "submit": samples.plain("Start"),
        "close": samples.plain("Cancel"),
        "notify_on_close": True,
        "blocks": [samples.EVERYWHERE["input"]],
    }
    return {**view, **changes}


@pytest.mark.parametrize(("surface", "most"), [("message", 50), ("modal", 100), ("home", 100)])
def test_a_surface_holds_so_many_blocks(surface: Any, most: int) -> None:
    """The most blocks a surface allows pass; one more does not."""
    assert validate([SECTION] * most, surface) == []
    (problem,) = validate([SECTION] * (most + 1), surface)
    assert (problem.code, problem.pointer) == (Code.TOO_MANY, "/blocks")
    assert problem.constraint == {"max": most, "actual": most + 1}


def test_an_unknown_type_is_a_problem_with_a_hint() -> None:
    """An unknown block is refused, and a near miss names what was meant."""
    (problem,) = validate([{"type": "sectoin"}], "message")
    assert (problem.code, problem.pointer) == (Code.UNSUPPORTED_TYPE, "/blocks/0/type")
    assert "did you mean 'section'?" in problem.message


def test_all_problems_come_at_once() -> None:
    """Three faults in three blocks are three problems in document order."""
    blocks = [{"type": "header"}, {"type": "nope"}, {"type": "section", "text": samples.plain("")}]
    pointers = [problem.pointer for problem in validate(blocks, "message")]
    assert pointers == ["/blocks/0/text", "/blocks/1/type", "/blocks/2/text/text"]


def test_block_ids_are_unique_in_a_surface() -> None:
    """The second use of a block_id is a problem, in attachments too."""
    block = {"type": "divider", "block_id": "x"}
    (problem,) = validate([block, block], "modal")
    assert (problem.code, problem.pointer) == (Code.DUPLICATE, "/blocks/1/block_id")
    (problem,) = validate_message({"blocks": [block], "attachments": [{"blocks": [block]}]})
    assert problem.pointer == "/attachments/0/blocks/0/block_id"


def test_action_ids_are_unique_in_a_block_only() -> None:
    """The same action_id twice in one block is a problem, in two blocks it is not."""
    actions = {"type": "actions", "elements": [samples.BUTTON]}
    assert validate([actions, actions], "message") == []
    (problem,) = validate([{"type": "actions", "elements": [samples.BUTTON] * 2}], "message")
    assert (problem.code, problem.pointer) == (Code.DUPLICATE, "/blocks/0/elements/1/action_id")


def test_only_one_element_takes_the_focus() -> None:
    """A second focus_on_load in one view is a problem."""
    blocks = [{**samples.EVERYWHERE["input"], "element": samples.IN_INPUT["email_text_input"]}] * 2
    (problem,) = validate(blocks, "modal")
    assert (problem.code, problem.field) == (Code.DUPLICATE, "focus_on_load")


def test_a_message_holds_one_table() -> None:
    """The second table of a message is refused, of either kind and wherever it stands."""
    table, data = samples.BLOCKS["table"], samples.BLOCKS["data_table"]
    (problem,) = validate([table, data], "message")
    assert (problem.code, problem.pointer) == (Code.TOO_MANY, "/blocks/1")
    (problem,) = validate_message({"blocks": [table], "attachments": [{"blocks": [data]}]})
    assert problem.pointer == "/attachments/0/blocks/0"
    container = {**samples.BLOCKS["container"], "child_blocks": [data]}
    (problem,) = validate([table, container], "message")
    assert problem.pointer == "/blocks/1/child_blocks/0"


def test_a_table_holds_ten_thousand_characters() -> None:
    """Exactly ten thousand characters of cells pass; one more is too big."""
    rows = [[samples.raw("x" * 5_000)], [samples.rich("y" * 5_000)]]
    assert validate([{"type": "table", "rows": rows}], "message") == []
    (problem,) = validate([{"type": "table", "rows": [*rows, [samples.raw("z")]]}], "message")
    assert (problem.code, problem.pointer) == (Code.TOO_BIG, "/blocks/0/rows")
    assert problem.constraint == {"max": 10_000, "actual": 10_001}


def test_a_message_has_a_total_budget() -> None:
    """Blocks that are each valid but exceed the undocumented total are refused; a view has no such total."""
    blocks = [{"type": "section", "text": samples.plain("x" * 2_900)}] * 5
    (problem,) = validate(blocks, "message")
    assert (problem.code, problem.pointer) == (Code.TOO_BIG, "/blocks")
    assert validate(blocks, "modal") == []


def test_a_full_table_fits_the_total_budget() -> None:
    """A hundred rows of twenty cells pass, for only the text of cells counts; text beside a big table counts too."""
    table = {"type": "table", "rows": [[samples.raw("12345")] * 20] * 100}
    assert validate([table], "message") == []
    section = {"type": "section", "text": samples.plain("x" * 2_900)}
    assert validate([table, section], "message") == []
    assert [problem.code for problem in validate([table, section, section], "message")] == [Code.TOO_BIG]


def test_markdown_blocks_share_one_limit() -> None:
    """Two markdown blocks within their own limits may still be too long together."""
    blocks = [{"type": "markdown", "text": "x" * 6_001}] * 2
    assert Code.TOO_BIG in {problem.code for problem in validate(blocks, "message")}


def test_a_message_needs_something_to_say() -> None:
    """No text, blocks or attachments is a problem; any one of them is enough."""
    assert [problem.code for problem in validate_message({"channel": "C1"})] == [Code.MISSING_FIELD]
    assert validate_message({"text": "hello", "channel": "C1"}) == []
    assert validate_message({"blocks": [SECTION]}) == []
    assert validate_message({"attachments": [{"text": "old"}]}) == []


def test_markdown_text_stands_alone() -> None:
    """markdown_text with text or blocks is a conflict."""
    (problem,) = validate_message({"markdown_text": "# x", "text": "x"})
    assert (problem.code, problem.field) == (Code.CONFLICT, "markdown_text")


def test_attachments_and_text_have_limits() -> None:
    """A hundred attachments and forty thousand characters of text are the most."""
    assert validate_message({"text": "x" * 40_000, "attachments": [{}] * 100}) == []
    problems = validate_message({"text": "x" * 40_001, "attachments": [{}] * 101})
    assert [problem.pointer for problem in problems] == ["/text", "/attachments"]


def test_a_modal_passes_and_its_inputs_need_submit() -> None:
    """A modal with an input must have a submit button."""
    view = _modal()
    assert validate_view(view) == []
    del view["submit"]
    (problem,) = validate_view(view)
    assert (problem.code, problem.pointer) == (Code.MISSING_FIELD, "/submit")


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("title", samples.plain("x" * (limits.VIEW_TITLE + 1)), "/title/text"),
        ("submit", samples.plain("x" * (limits.VIEW_BUTTON + 1)), "/submit/text"),
        ("close", samples.plain("x" * (limits.VIEW_BUTTON + 1)), "/close/text"),
        ("title", samples.mrkdwn(), "/title/type"),
        ("callback_id", "x" * (limits.CALLBACK_ID + 1), "/callback_id"),
        ("private_metadata", "x" * (limits.PRIVATE_METADATA + 1), "/private_metadata"),
        ("blocks", [], "/blocks"),
        ("blocks", {}, "/blocks"),
        ("hash", "1", "/hash"),
        ("type", "window", "/type"),
    ],
)
def test_a_broken_view_is_found_at_its_place(field: str, value: object, pointer: str) -> None:
    """Each limit of a view is a problem at its place."""
    (problem,) = validate_view(_modal(**{field: value}))
    assert problem.pointer == pointer


def test_a_home_view_has_no_title() -> None:
    """A Home tab is blocks alone; a modal's fields in it are unknown."""
    assert validate_view({"type": "home", "blocks": [SECTION]}) == []
    (problem,) = validate_view({"type": "home", "blocks": [SECTION], "title": samples.plain()})
    assert (problem.code, problem.pointer) == (Code.UNKNOWN_FIELD, "/title")


def test_pointers_are_escaped() -> None:
    """A slash or tilde in a key is written as RFC 6901 asks."""
    (problem,) = validate([{**SECTION, "a/b~c": 1}], "message")
    assert (problem.pointer, problem.field) == ("/blocks/0/a~1b~0c", "a/b~c")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
KEYS = st.sampled_from(sorted({field for spec in KINDS.values() for field in spec.fields} | {"type"})) | st.text(
    max_size=3
)
VALUES = SCALARS | st.sampled_from([*KINDS, "modal", "home"])
JSON = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)
TYPED = st.fixed_dictionaries(
    {"type": st.sampled_from(list(KINDS))},
    optional=dict.fromkeys(
        ("text", "elements", "rows", "options", "element", "accessory", "child_blocks", "block_id", "action_id"), JSON
    ),
)


@given(st.lists(TYPED | JSON, max_size=4) | JSON, st.sampled_from(["message", "modal", "home"]))
def test_validate_never_raises(blocks: object, surface: Any) -> None:
    """Any JSON gets an answer, and every problem in it points below /blocks."""
    for problem in validate(blocks, surface):
        assert problem.pointer.startswith("/blocks")
        assert problem.message


@given(
    JSON, st.dictionaries(KEYS | st.sampled_from(["blocks", "attachments", "text"]), JSON | st.lists(TYPED), max_size=4)
)
def test_views_and_messages_never_raise(view: object, payload: dict[str, object]) -> None:
    """Any JSON as a view or a message payload gets an answer."""
    validate_view(view)
    validate_view({**payload, "type": "modal"})
    validate_message(payload)


def test_absurd_depth_does_not_raise() -> None:
    """A document nested deeper than Python recurses is measured and refused, not crashed on."""
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    assert validate(deep, "message")
    assert validate([{"type": "section", "text": deep}], "message")
    assert validate([{"type": "table", "rows": deep}], "message")


@given(JSON)
def test_size_is_that_of_compact_json(value: object) -> None:
    """The budget counts exactly the characters of compact JSON."""
    assert json_characters(value) == len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
