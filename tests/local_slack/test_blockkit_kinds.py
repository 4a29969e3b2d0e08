"""Every kind of block and element: valid samples pass, each broken limit is found at its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bot.blockkit import Code, Surface, limits, validate
from bot.blockkit.blocks import BLOCKS as KNOWN_BLOCKS
from bot.blockkit.elements import IN_ACTIONS, IN_CONTEXT_ACTIONS, IN_INPUT, IN_SECTION
from tests.local_slack import blockkit_samples as samples

pytestmark = pytest.mark.local_slack

BY_SURFACE: dict[Surface, dict[str, samples.JSON]] = {
    "message": {**samples.EVERYWHERE, **samples.MESSAGES_ONLY},
    "modal": {**samples.EVERYWHERE, **samples.MODALS_ONLY},
    "home": samples.EVERYWHERE,
}
ALLOWED = [(surface, name) for surface, blocks in BY_SURFACE.items() for name in blocks]
REFUSED = [(surface, name) for surface, blocks in BY_SURFACE.items() for name in samples.BLOCKS if name not in blocks]
ELEMENTS = {**samples.IN_ACTIONS, **samples.IN_INPUT}


def test_every_known_block_and_element_has_a_sample() -> None:
    """A kind added to the tables without a sample here fails."""
    assert set(samples.BLOCKS) == set(KNOWN_BLOCKS)
    sampled = set(ELEMENTS) | {"image", "feedback_buttons", "icon_button"}
    assert sampled == {*IN_SECTION, *IN_ACTIONS, *IN_INPUT, *IN_CONTEXT_ACTIONS}


@pytest.mark.parametrize(("surface", "name"), ALLOWED)
def test_a_valid_block_passes(surface: Surface, name: str) -> None:
    """Every sample is accepted on every surface that allows its kind."""
    assert validate([samples.BLOCKS[name]], surface) == []


@pytest.mark.parametrize(("surface", "name"), REFUSED)
def test_a_block_is_refused_on_other_surfaces(surface: Surface, name: str) -> None:
    """A kind that a surface lacks is a problem at its type."""
    problems = validate([samples.BLOCKS[name]], surface)
    assert (Code.NOT_ALLOWED_HERE, "/blocks/0/type") in {(problem.code, problem.pointer) for problem in problems}


@pytest.mark.parametrize("name", IN_SECTION)
def test_a_section_takes_every_accessory(name: str) -> None:
    """Each element that may be an accessory is accepted as one."""
    element = samples.IMAGE if name == "image" else ELEMENTS[name]
    assert validate([{"type": "section", "text": samples.mrkdwn(), "accessory": element}], "message") == []


@pytest.mark.parametrize("name", IN_INPUT)
def test_an_input_takes_every_input_element(name: str) -> None:
    """Each input element is accepted in a modal."""
    assert validate([{"type": "input", "label": samples.plain(), "element": ELEMENTS[name]}], "modal") == []


@pytest.mark.parametrize("name", sorted(set(ELEMENTS) - set(IN_ACTIONS)))
def test_actions_refuse_what_only_an_input_may_hold(name: str) -> None:
    """A text field in an actions block is refused."""
    (problem,) = validate([{"type": "actions", "elements": [ELEMENTS[name]]}], "message")
    assert (problem.code, problem.pointer) == (Code.NOT_ALLOWED_HERE, "/blocks/0/elements/0/type")


def _put(block: samples.JSON, path: str, value: Any) -> samples.JSON:
    """A copy of `block` with the value at a slash-separated path replaced."""
    changed = copy.deepcopy(block)
    *way, last = [int(part) if part.isdecimal() else part for part in path.split("/")]
    place: Any = changed
    for part in way:
        place = place[part]
    place[last] = value
    return changed


def _buttons(count: int) -> list[samples.JSON]:
    return [{**samples.BUTTON, "action_id": f"a{number}"} for number in range(count)]


B = samples.BLOCKS
LONGEST: list[tuple[samples.JSON, str, int]] = [
    (B["section"], "text/text", limits.SECTION_TEXT),
    (B["section"], "fields/0/text", limits.SECTION_FIELD),
    (B["header"], "text/text", limits.HEADER_TEXT),
    (B["divider"], "block_id", limits.BLOCK_ID),
    (B["image"], "alt_text", limits.IMAGE_ALT),
    (B["image"], "title/text", limits.IMAGE_TITLE),
    (B["context"], "elements/1/text", limits.TEXT),
    (B["input"], "label/text", limits.INPUT_LABEL),
    (B["input"], "hint/text", limits.INPUT_HINT),
    (B["section"], "accessory/text/text", limits.BUTTON_TEXT),
    (B["section"], "accessory/value", limits.BUTTON_VALUE),
    (B["section"], "accessory/action_id", limits.ACTION_ID),
    (B["section"], "accessory/accessibility_label", limits.ACCESSIBILITY_LABEL),
    (B["section"], "accessory/confirm/title/text", limits.CONFIRM_TITLE),
    (B["section"], "accessory/confirm/text/text", limits.CONFIRM_TEXT),
    (B["section"], "accessory/confirm/confirm/text", limits.CONFIRM_BUTTON),
    (B["section"], "accessory/confirm/deny/text", limits.CONFIRM_BUTTON),
    (B["actions"], "elements/2/options/0/text/text", limits.OPTION_TEXT),
    (B["actions"], "elements/2/options/0/value", limits.OPTION_VALUE),
    (B["actions"], "elements/10/placeholder/text", limits.PLACEHOLDER),
    (B["video"], "title/text", limits.VIDEO_TITLE),
    (B["card"], "title/text", limits.CARD_TITLE),
    (B["card"], "body/text", limits.CARD_BODY),
    (B["container"], "title/text", limits.CONTAINER_TITLE),
    (B["markdown"], "text", limits.MARKDOWN_CHARACTERS),
]


@pytest.mark.parametrize(
    ("block", "path", "longest"), LONGEST, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_text_may_be_exactly_as_long_as_allowed(block: samples.JSON, path: str, longest: int) -> None:
    """The limit itself passes; one character more is one problem that names both numbers."""
    assert validate([_put(block, path, "x" * longest)], "message") == []
    (problem,) = validate([_put(block, path, "x" * (longest + 1))], "message")
    assert (problem.code, problem.pointer) == (Code.TOO_LONG, f"/blocks/0/{path}")
    assert problem.constraint == {"max": longest, "actual": longest + 1}
    assert problem.field == path.rsplit("/", 1)[-1]


ROW = [samples.raw("x")]
MOST: list[tuple[samples.JSON, str, list[Any], int]] = [
    (B["section"], "fields", [samples.plain()], limits.SECTION_FIELDS),
    (B["context"], "elements", [samples.mrkdwn()], limits.CONTEXT_ELEMENTS),
    (B["actions"], "elements/2/options", [samples.option()], limits.OVERFLOW_OPTIONS),
    (B["actions"], "elements/8/options", [samples.option()], limits.CHOICES),
    (B["table"], "rows", [ROW], limits.TABLE_ROWS),
    (B["table"], "rows/0", ROW, limits.TABLE_COLUMNS),
    (B["data_table"], "rows", [ROW], limits.DATA_TABLE_ROWS),
    (B["carousel"], "elements", [{"type": "card", "title": samples.plain()}], limits.CAROUSEL_CARDS),
    (B["container"], "child_blocks", [{"type": "divider"}], limits.CONTAINER_BLOCKS),
]


@pytest.mark.parametrize(("block", "path", "item", "most"), MOST)
def test_a_list_may_hold_exactly_as_many_as_allowed(block: samples.JSON, path: str, item: list[Any], most: int) -> None:
    """The limit itself passes; one item more is a problem at the list."""
    assert validate([_put(block, path, item * most)], "message") == []
    (problem,) = validate([_put(block, path, item * (most + 1))], "message")
    assert (problem.code, problem.pointer) == (Code.TOO_MANY, f"/blocks/0/{path}")


def test_actions_hold_25_elements() -> None:
    """Twenty-five buttons pass, the twenty-sixth does not."""
    assert validate([{"type": "actions", "elements": _buttons(25)}], "modal") == []
    (problem,) = validate([{"type": "actions", "elements": _buttons(26)}], "modal")
    assert problem.code == Code.TOO_MANY


def test_a_select_holds_100_options() -> None:
    """A hundred options pass, a hundred and one do not."""
    for count, codes in ((100, []), (101, [Code.TOO_MANY])):
        options = [samples.option(str(number)) for number in range(count)]
        element = {"type": "static_select", "action_id": "s", "options": options}
        assert [problem.code for problem in validate([{"type": "actions", "elements": [element]}], "modal")] == codes


BROKEN: list[tuple[str, samples.JSON, str, Any, Code, str]] = [
    ("empty text", B["section"], "text/text", "", Code.TOO_SHORT, "text/text"),
    ("header in mrkdwn", B["header"], "text", samples.mrkdwn(), Code.NOT_ALLOWED_HERE, "text/type"),
    ("empty cell", B["table"], "rows/0/0", samples.raw(""), Code.TOO_SHORT, "rows/0/0/text"),
    (
        "blank rich cell",
        B["table"],
        "rows/1/0",
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]},
        Code.TOO_SHORT,
        "rows/1/0",
    ),
    ("text for number", B["header"], "level", "2", Code.WRONG_TYPE, "level"),
    ("boolean for number", B["header"], "level", True, Code.WRONG_TYPE, "level"),
    ("level out of range", B["header"], "level", 5, Code.INVALID_VALUE, "level"),
    ("null", B["section"], "accessory", None, Code.WRONG_TYPE, "accessory"),
    ("unknown field", B["section"], "colour", "red", Code.UNKNOWN_FIELD, "colour"),
    ("script url", B["image"], "image_url", "javascript:alert(1)", Code.INVALID_VALUE, "image_url"),
    ("two sources", B["image"], "slack_file", {"id": "F1"}, Code.CONFLICT, ""),
    ("style", B["section"], "accessory/style", "primry", Code.INVALID_VALUE, "accessory/style"),
    ("mrkdwn button", B["section"], "accessory/text", samples.mrkdwn(), Code.NOT_ALLOWED_HERE, "accessory/text/type"),
    ("both option sources", B["actions"], "elements/3/option_groups", samples.GROUPS, Code.CONFLICT, "elements/3"),
    (
        "initial not offered",
        B["actions"],
        "elements/3/initial_option",
        samples.option("z"),
        Code.INVALID_VALUE,
        "elements/3/initial_option",
    ),
    ("date", B["actions"], "elements/10/initial_date", "21.11.2026", Code.INVALID_VALUE, "elements/10/initial_date"),
    ("time", B["actions"], "elements/11/initial_time", "24:00", Code.INVALID_VALUE, "elements/11/initial_time"),
    ("min over max", B["input"], "element/min_length", 37, Code.CONFLICT, "element/min_length"),
    ("ragged rows", B["data_table"], "rows/1", [samples.raw(), samples.raw()], Code.INVALID_VALUE, "rows/1"),
    ("rich header", B["data_table"], "rows/0/0", samples.rich(), Code.NOT_ALLOWED_HERE, "rows/0/0/type"),
    (
        "nested container",
        B["container"],
        "child_blocks/0",
        B["container"],
        Code.NOT_ALLOWED_HERE,
        "child_blocks/0/type",
    ),
    ("task status", B["task_card"], "status", "done", Code.INVALID_VALUE, "status"),
    ("not a block in a list", B["carousel"], "elements/0", "card", Code.WRONG_TYPE, "elements/0"),
    ("collapsed", B["container"], "default_collapsed", True, Code.CONFLICT, "default_collapsed"),
]


@pytest.mark.parametrize(
    ("block", "path", "value", "code", "place"), [row[1:] for row in BROKEN], ids=[r[0] for r in BROKEN]
)
def test_a_broken_block_is_found_at_its_place(
    block: samples.JSON, path: str, value: Any, code: Code, place: str
) -> None:
    """Each single fault gives exactly one problem with its code and JSON pointer."""
    (problem,) = validate([_put(block, path, value)], "message")
    assert (problem.code, problem.pointer) == (code, f"/blocks/0/{place}".rstrip("/"))


REQUIRED = [(name, key) for name, spec in KNOWN_BLOCKS.items() for key in (*spec.required, "type")]


@pytest.mark.parametrize(("name", "key"), REQUIRED)
def test_a_missing_field_is_named(name: str, key: str) -> None:
    """Leaving out a required field is a problem that points at it."""
    block = {field: value for field, value in B[name].items() if field != key}
    surface: Surface = "modal" if name in samples.MODALS_ONLY else "message"
    problems = validate([block], surface)
    assert (Code.MISSING_FIELD, f"/blocks/0/{key}") in {(problem.code, problem.pointer) for problem in problems}
