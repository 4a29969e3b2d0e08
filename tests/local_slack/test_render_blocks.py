"""Blocks, controls, modals and Home as HTML: complete, accessible, and closed to injected markup."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blockkit.blocks import BLOCKS, KINDS
from bot.blockkit.elements import IN_ACTIONS, IN_INPUT
from bot.sandbox.slack.render import render_home, render_message, render_view
from tests.local_slack import blockkit_samples as samples
from tests.local_slack.render_names import FewNames, Reading

pytestmark = pytest.mark.local_slack

NAMES = FewNames()
ELEMENTS = {**samples.IN_ACTIONS, **samples.IN_INPUT}
EVERYTHING = [
    *samples.BLOCKS.values(),
    *[{"type": "input", "label": samples.plain(), "element": ELEMENTS[name]} for name in IN_INPUT],
]
ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</textarea><script>x</script>",
    '<https://a.example"onclick=alert(1)|x>',
    "*<b>*`</code><i>`\n&gt; <svg onload=alert(1)>",
]


def _message(*blocks: Any) -> str:
    return render_message({"ts": "1.5", "blocks": list(blocks)}, NAMES)


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_every_block_of_the_validator_is_rendered(name: str) -> None:
    """A block that Slack takes is never shown as unsupported, and its HTML is well-formed."""
    html = _message(samples.BLOCKS[name])
    assert "unsupported" not in html
    assert Reading(html).faults == []


@pytest.mark.parametrize("name", sorted({*IN_ACTIONS, *IN_INPUT}))
def test_every_element_of_the_validator_is_rendered(name: str) -> None:
    """Every interactive element becomes a control that carries its ids and type."""
    html = _message({"type": "actions", "block_id": "the/block", "elements": [ELEMENTS[name]]})
    reading = Reading(html)
    assert "unsupported" not in html
    own = {"data-block-id": "the/block", "data-action-id": ELEMENTS[name]["action_id"], "data-type": name}
    carriers = [attributes for _, attributes in reading.tags if own.items() <= attributes.items()]
    deferred = [json.loads(a["data-control"] or "") for _, a in reading.tags if a.get("data-control")]
    assert carriers or any(own.items() <= control.items() for control in deferred)


@pytest.mark.parametrize("block", [{"type": "hologram"}, {"type": 7}, {}, None, "text", ["x"], {"type": ["x"]}])
def test_an_unknown_block_is_a_visible_box(block: Any) -> None:
    """What the page does not know is named, never left out."""
    reading = Reading(_message(block))
    assert reading.text.startswith("unsupported block: ")
    assert any("unsupported" in (attributes.get("class") or "") for _, attributes in reading.tags)


def test_values_confirm_and_style_stand_on_the_button() -> None:
    """A button's value, confirm object and label are attributes, its style a class."""
    button = {**samples.BUTTON, "value": 'a"b', "style": "danger"}
    (found,) = Reading(_message({"type": "actions", "block_id": "b", "elements": [button]})).all("button")
    assert (found["data-value"], found["class"]) == ('a"b', "button button-danger")
    confirm = json.loads(found["data-confirm"] or "")
    assert {key: confirm[key] for key in samples.CONFIRM} == samples.CONFIRM
    assert confirm["html"] == "It <strong>changes</strong> a row."


def test_options_stand_on_their_elements() -> None:
    """Selects, radio buttons and overflow entries carry the whole option for the click."""
    elements = [samples.IN_ACTIONS[name] for name in ("static_select", "radio_buttons", "overflow")]
    reading = Reading(_message({"type": "actions", "elements": elements}))
    carried = [json.loads(a["data-option"] or "") for _, a in reading.tags if "data-option" in a]
    assert carried == [*samples.OPTIONS, *samples.OPTIONS, *elements[2]["options"]]
    chosen = [a["value"] for tag, a in reading.tags if "selected" in a or "checked" in a]
    assert chosen == ["a", "b"]


def test_an_input_is_tied_to_its_label_hint_and_error() -> None:
    """Screen readers hear label, hint and error; the control is marked as wrong."""
    view = {"id": "V1", "blocks": [{**samples.EVERYWHERE["input"], "block_id": "b"}]}
    reading = Reading(render_view(view, NAMES, {"b": "Not a <uuid>."}))
    (field,), (label,) = reading.all("textarea"), reading.all("label")
    assert field["name"] == "b/p"
    assert label["for"] == field["id"]
    assert (field["aria-invalid"], field["aria-required"], field["maxlength"]) == ("true", "true", "36")
    described = {a["id"]: a for _, a in reading.tags if a.get("id") in (field["aria-describedby"] or "").split()}
    assert len(described) == 2
    error = next(a for a in described.values() if a["class"] == "input-error")
    assert "hidden" not in error
    assert "Not a <uuid>." in reading.text


def test_an_input_without_error_keeps_an_empty_hidden_place_for_one() -> None:
    """The page can show a new error without drawing the form again."""
    reading = Reading(render_view({"id": "V1", "blocks": [samples.EVERYWHERE["input"]]}, NAMES))
    assert [("hidden" in a, a.get("role")) for a in reading.all("p")] == [(True, "alert"), (False, None)]
    assert "aria-invalid" not in reading.all("textarea")[0]


def test_ids_are_unique_on_the_page() -> None:
    """Two views and a message with the same fields never share an element id."""
    html = "".join(render_view({"id": name, "blocks": EVERYTHING}, NAMES) for name in ("V1", "V2")) + _message(
        *EVERYTHING
    )
    ids = [attributes["id"] for _, attributes in Reading(html).tags if "id" in attributes]
    assert len(ids) == len(set(ids)) > 20


def test_a_table_scrolls_has_a_header_and_aligns_numbers() -> None:
    """The first row is the header; columns of numbers are right-aligned; settings win over guessing."""
    rows = [["name", "took", "forced"], ["db", "12 ms", "x"], ["stripe", "1,210 ms", "y"]]
    table = {
        "type": "table",
        "column_settings": [None, None, {"align": "center"}],
        "rows": [[samples.raw(cell) for cell in row] for row in rows],
    }
    reading = Reading(_message(table))
    assert [cell["scope"] for cell in reading.all("th")] == ["col"] * 3
    assert [cell["class"] for cell in reading.all("td")[:3]] == ["align-left", "align-right", "align-center"]
    box = next(a for tag, a in reading.tags if a.get("class") == "table-scroll")
    assert (box["tabindex"], box["role"]) == ("0", "region")


def test_a_data_table_has_a_caption_and_row_headers() -> None:
    """The caption names the table, the row header column heads each row."""
    rows = [
        [samples.raw("id"), samples.raw("plan")],
        [{"type": "raw_number", "value": 7, "text": "7"}, samples.raw("x")],
    ]
    reading = Reading(_message({"type": "data_table", "caption": "Rows", "row_header_column_index": 1, "rows": rows}))
    assert [cell["scope"] for cell in reading.all("th")] == ["col", "col", "row"]
    assert "Rows" in reading.text


def test_home_names_its_view() -> None:
    """A click in Home has to tell the view's id, so the HTML holds it."""
    reading = Reading(render_home({"id": "V7", "blocks": [samples.EVERYWHERE["header"]]}, NAMES))
    assert reading.tags[0] == ("div", {"class": "home-view", "data-view-id": "V7"})


def test_blocks_inside_blocks_answer_to_the_outer_id() -> None:
    """A button in a card of a carousel carries the carousel's block id."""
    reading = Reading(_message({**samples.BLOCKS["carousel"], "block_id": "outer"}))
    assert [button["data-block-id"] for button in reading.all("button")] == ["outer"]


def test_attachments_and_plain_text_are_shown() -> None:
    """Text without blocks, and attachments of the older kind, are rendered too."""
    attachment = {
        "color": "danger",
        "title": "T",
        "text": "*x*",
        "fields": [{"title": "F", "value": "v", "short": True}],
    }
    html = render_message({"ts": "1", "text": "*hi*", "attachments": [attachment]}, NAMES)
    assert "<strong>hi</strong>" in html
    assert 'data-color="#e01e5a"' in html
    assert "Fv" in Reading(html).text
    assert render_message({"ts": "1", "text": "*hi*", "mrkdwn": False}, NAMES) == '<div class="message-text">*hi*</div>'


def _poisoned(node: Any, attack: str) -> Any:
    """The same document with every string that is not a type replaced by the attack."""
    if isinstance(node, dict):
        return {key: node[key] if key == "type" else _poisoned(node[key], attack) for key in node}
    if isinstance(node, list):
        return [_poisoned(item, attack) for item in node]
    return attack if isinstance(node, str) else node


def _one_at_a_time(node: Any, attack: str) -> Iterator[Any]:
    """Documents with one string replaced each."""
    for path in _strings(node):
        changed = copy.deepcopy(node)
        place = changed
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = attack
        yield changed


def _strings(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(node, str):
        yield path
    elif isinstance(node, dict | list):
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _strings(child, (*path, key))


def _assert_harmless(html: str) -> None:
    reading = Reading(html)
    assert reading.faults == []
    for tag, attributes in reading.tags:
        assert tag not in ("script", "svg", "iframe", "object", "style", "b", "i", "embed", "link", "meta", "form")
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcdoc", "formaction")]
        for name in ("href", "src"):
            address = attributes.get(name)
            assert address is None or address.lower().startswith(("http://", "https://", "mailto:", "/_local/file/"))


@pytest.mark.parametrize("attack", [*ATTACKS, "javascript:alert(1)"])
def test_markup_in_any_field_stays_text(attack: str) -> None:
    """Every string of every block and element, poisoned together and one by one, never makes a tag or a handler."""
    _assert_harmless(_message(*_poisoned(EVERYTHING, attack)))
    for block in EVERYTHING:
        for poisoned in _one_at_a_time(block, attack):
            _assert_harmless(_message(poisoned))


@pytest.mark.parametrize("attack", ATTACKS)
def test_markup_in_names_errors_and_ids_stays_text(attack: str) -> None:
    """Names from the workspace, error texts and a view's id are escaped like everything else."""

    class Hostile(FewNames):
        def user(self, id: str) -> str | None:
            return attack

        channel = usergroup = user

    blocks = [{**samples.EVERYWHERE["input"], "block_id": attack}, samples.RICH_TEXT]
    _assert_harmless(render_view({"id": attack, "blocks": blocks}, Hostile(), {attack: attack}))
    _assert_harmless(render_message({"ts": attack, "text": "<@U1> <#C1> <!subteam^S1> `<@U1>`"}, Hostile()))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(ATTACKS)
FIELDS = st.sampled_from(sorted({field for spec in KINDS.values() for field in spec.fields} | {"type"}))
JSON = st.recursive(
    SCALARS | st.sampled_from(list(KINDS)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=5),
    max_leaves=20,
)


@given(st.lists(JSON, max_size=3) | JSON, JSON)
def test_any_json_is_rendered_without_raising(blocks: Any, attachments: Any) -> None:
    """The renderer draws whatever a server stored, and it is always harmless."""
    message = {"ts": "1", "blocks": blocks, "attachments": attachments, "text": blocks}
    _assert_harmless(render_message(message, NAMES))
    _assert_harmless(render_view({"id": "V", "blocks": blocks}, NAMES))
