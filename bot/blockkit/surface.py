"""The public validators of whole surfaces: a list of blocks, a view, a message."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from bot.blockkit import limits
from bot.blockkit.problem import Code, Problem, Report, join
from bot.blockkit.rules import items, table_characters
from bot.blockkit.spec import Flag, Rule, Str, Surface, Text
from bot.blockkit.walk import Walker

_VIEW: Mapping[str, Rule] = {
    "callback_id": Str(limits.CALLBACK_ID),
    "private_metadata": Str(limits.PRIVATE_METADATA, min=0),
    "external_id": Str(limits.EXTERNAL_ID, min=0),
}
_MODAL: Mapping[str, Rule] = {
    **_VIEW,
    "title": Text(limits.VIEW_TITLE, plain=True),
    "submit": Text(limits.VIEW_BUTTON, plain=True),
    "close": Text(limits.VIEW_BUTTON, plain=True),
    "clear_on_close": Flag(),
    "notify_on_close": Flag(),
    "submit_disabled": Flag(),
}


def validate(blocks: object, surface: Surface) -> list[Problem]:
    """Every problem of a list of blocks on a surface; pointers begin with `/blocks`. Never raises on JSON."""
    report = Report()
    _blocks(Walker(surface, report), blocks)
    if surface == "message":
        _message_totals([("/blocks", blocks)], report)
    return report.problems


def validate_view(view: object) -> list[Problem]:
    """Every problem of a modal or Home view as `views.open` and `views.publish` take it. Never raises on JSON."""
    report = Report()
    kind = view.get("type") if isinstance(view, Mapping) else None
    if not isinstance(view, Mapping):
        report.add(Code.WRONG_TYPE, "a view must be an object", "")
    elif kind == "modal" or kind == "home":  # spelt out so that the type narrows to a surface
        _view(view, kind, report)
    else:
        report.add(Code.INVALID_VALUE, "must be one of modal, home", "/type", {"choices": ["modal", "home"]})
    return report.problems


def validate_message(payload: Mapping[str, object]) -> list[Problem]:
    """Every problem of a message's text, markdown_text, blocks and attachments; other arguments are not read."""
    report = Report()
    walker = Walker("message", report)
    placed = []
    for key, longest in (("text", limits.MESSAGE_TEXT), ("markdown_text", limits.MARKDOWN_CHARACTERS)):
        if payload.get(key) is not None:
            walker.value(payload[key], Str(longest, min=0), join("", key))
    if payload.get("blocks") is not None:
        _blocks(walker, payload["blocks"])
        placed.append(("/blocks", payload["blocks"]))
    if payload.get("attachments") is not None:
        placed.extend(_attachments(walker, payload["attachments"], report))
    _content(payload, report)
    _message_totals(placed, report)
    return report.problems


def _blocks(walker: Walker, blocks: object) -> None:
    match walker.surface:
        case "message":
            walker.blocks(blocks, "/blocks", limits.MESSAGE_BLOCKS)
        case "modal" | "home":
            walker.blocks(blocks, "/blocks", limits.VIEW_BLOCKS, 1)


def _view(view: Mapping[object, object], kind: Surface, report: Report) -> None:
    walker = Walker(kind, report)
    known = _MODAL if kind == "modal" else _VIEW
    for key, value in view.items():
        if isinstance(key, str) and key in known:
            walker.value(value, known[key], join("", key))
        elif key not in ("type", "blocks"):
            report.add(Code.UNKNOWN_FIELD, f"unknown field {key!r} in a {kind}", join("", key))
    for key in ("title", "blocks") if kind == "modal" else ("blocks",):
        if key not in view:
            report.add(Code.MISSING_FIELD, f"{key} is missing", join("", key))
    if "blocks" in view:
        _blocks(walker, view["blocks"])
    asks = any(isinstance(block, Mapping) and block.get("type") == "input" for block in items(view.get("blocks")))
    if kind == "modal" and asks and "submit" not in view:
        report.add(Code.MISSING_FIELD, "submit is missing: a modal with inputs needs it", "/submit")


def _attachments(walker: Walker, attachments: object, report: Report) -> Iterator[tuple[str, object]]:
    if not isinstance(attachments, list | tuple):
        report.add(Code.WRONG_TYPE, "must be a list", "/attachments")
        return
    if len(attachments) > limits.MESSAGE_ATTACHMENTS:
        constraint = {"max": limits.MESSAGE_ATTACHMENTS, "actual": len(attachments)}
        said = f"must have at most {limits.MESSAGE_ATTACHMENTS} items, not {len(attachments)}"
        report.add(Code.TOO_MANY, said, "/attachments", constraint)
    for index, attachment in enumerate(attachments):
        place = f"/attachments/{index}"
        if not isinstance(attachment, Mapping):
            report.add(Code.WRONG_TYPE, "must be an object", place)
        elif attachment.get("blocks") is not None:
            walker.blocks(attachment["blocks"], join(place, "blocks"), limits.MESSAGE_BLOCKS)
            yield join(place, "blocks"), attachment["blocks"]


def _content(payload: Mapping[str, object], report: Report) -> None:
    if not any(payload.get(key) for key in ("text", "markdown_text", "blocks", "attachments")):
        report.add(Code.MISSING_FIELD, "a message needs text, blocks or attachments", "/text")
    if payload.get("markdown_text") and (payload.get("text") or payload.get("blocks")):
        report.add(Code.CONFLICT, "markdown_text excludes text and blocks", "/markdown_text")


def _message_totals(placed: Sequence[tuple[str, object]], report: Report) -> None:
    """What a message may hold in all, its attachments included."""
    found = [pair for pointer, blocks in placed for pair in _every_block(blocks, pointer)]
    tables = [(block, place) for block, place in found if block.get("type") in ("table", "data_table")]
    for _, place in tables[limits.MESSAGE_TABLES :]:
        report.add(Code.TOO_MANY, "only one table is allowed in a message", place, {"max": limits.MESSAGE_TABLES})
    cells = sum(table_characters(block) for block, _ in tables)
    if len(tables) > 1 and cells > limits.TABLE_CHARACTERS:
        said = f"the tables of a message may hold {limits.TABLE_CHARACTERS} characters in all, not {cells}"
        report.add(Code.TOO_BIG, said, tables[0][1], {"max": limits.TABLE_CHARACTERS, "actual": cells})
    written = [
        text for block, _ in found if block.get("type") == "markdown" and isinstance(text := block.get("text"), str)
    ]
    length = sum(map(len, written))
    if len(written) > 1 and length > limits.MARKDOWN_CHARACTERS:
        said = f"markdown blocks may hold {limits.MARKDOWN_CHARACTERS} characters in all, not {length}"
        report.add(Code.TOO_BIG, said, placed[0][0], {"max": limits.MARKDOWN_CHARACTERS, "actual": length})
    # A table of the documented 100 rows by 20 cells could never be sent if its JSON counted, so only its text does.
    frames = sum(json_characters(block) - table_characters(block) for block, _ in tables)
    size = sum(json_characters(blocks) for _, blocks in placed) - frames
    if size > limits.MESSAGE_BLOCKS_CHARACTERS:
        said = f"the blocks of a message may hold {limits.MESSAGE_BLOCKS_CHARACTERS} characters in all, not {size}"
        report.add(Code.TOO_BIG, said, placed[0][0], {"max": limits.MESSAGE_BLOCKS_CHARACTERS, "actual": size})


def _every_block(blocks: object, pointer: str) -> Iterator[tuple[Mapping[object, object], str]]:
    """Every block of a list and of the containers in it, with its place."""
    for index, block in enumerate(items(blocks)):
        if isinstance(block, Mapping):
            place = join(pointer, index)
            yield block, place
            if block.get("type") == "container":
                inner = enumerate(items(block.get("child_blocks")))
                yield from ((child, f"{place}/child_blocks/{i}") for i, child in inner if isinstance(child, Mapping))


_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def json_characters(value: object) -> int:
    """How many characters `value` takes as compact JSON; what is no JSON, or too deep, is counted piece by piece."""
    try:
        return len(_COMPACT.encode(value))
    except (TypeError, ValueError, RecursionError):
        return _counted(value)


def _counted(value: object) -> int:
    total, rest = 0, [value]
    while rest:
        item = rest.pop()
        if isinstance(item, Mapping):
            total += 2 + max(0, 2 * len(item) - 1)
            rest.extend(item.keys())
            rest.extend(item.values())
        elif isinstance(item, list | tuple):
            total += 2 + max(0, len(item) - 1)
            rest.extend(item)
        elif isinstance(item, str | int | float | bool | None):
            total += len(json.dumps(item, ensure_ascii=False))
        else:
            total += len(str(item))
    return total
