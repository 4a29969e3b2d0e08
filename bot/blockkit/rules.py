"""Rules that tie several fields of one object together; the engine runs those of the object's type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from bot.blockkit import limits
from bot.blockkit.problem import Code, Report, join

ObjectRule: TypeAlias = Callable[[Mapping[object, object], str, Report], None]


def items(value: object) -> Sequence[object]:
    """The items of a list, or nothing for any other value."""
    return value if isinstance(value, list | tuple) else ()


def text_characters(value: object) -> int:
    """How many characters a table cell shows: the sum of all `text` strings inside it."""
    total, rest = 0, [value]
    while rest:
        item = rest.pop()
        if isinstance(item, Mapping):
            text = item.get("text")
            if isinstance(text, str):
                total += len(text)
            rest.extend(content for content in item.values() if isinstance(content, Mapping | list | tuple))
        else:
            rest.extend(items(item))
    return total


def table_characters(block: Mapping[object, object]) -> int:
    """How many characters all cells of a table show together."""
    return text_characters(block.get("rows"))


def _table_size(block: Mapping[object, object], pointer: str, report: Report) -> None:
    size = table_characters(block)
    if size > limits.TABLE_CHARACTERS:
        said = f"the cells of a table may hold {limits.TABLE_CHARACTERS} characters in all, not {size}"
        report.add(Code.TOO_BIG, said, join(pointer, "rows"), {"max": limits.TABLE_CHARACTERS, "actual": size})


def _cells_not_blank(block: Mapping[object, object], pointer: str, report: Report) -> None:
    for place, cell in _cells(block, join(pointer, "rows")):
        if isinstance(cell, Mapping) and cell.get("type") == "rich_text" and not _shows(cell):
            report.add(Code.TOO_SHORT, "a cell must not be empty", place, {"min": 1, "actual": 0})


def _cells(block: Mapping[object, object], pointer: str) -> Iterator[tuple[str, object]]:
    for number, row in enumerate(items(block.get("rows"))):
        for column, cell in enumerate(items(row)):
            yield join(join(pointer, number), column), cell


def _shows(cell: Mapping[object, object]) -> bool:
    """Whether rich text shows anything: some inline element in some of its parts."""
    rest: list[object] = list(items(cell.get("elements")))
    while rest:
        item = rest.pop()
        if not isinstance(item, Mapping):
            continue
        if "elements" not in item:
            return True
        rest.extend(items(item["elements"]))
    return False


def _same_width(block: Mapping[object, object], pointer: str, report: Report) -> None:
    rows = [row for row in items(block.get("rows")) if isinstance(row, list | tuple)]
    width = len(rows[0]) if rows else 0
    for number, row in enumerate(rows):
        if len(row) != width:
            said = f"every row must have as many cells as the header, {width}, not {len(row)}"
            place = join(join(pointer, "rows"), number)
            report.add(Code.INVALID_VALUE, said, place, {"wanted": width, "actual": len(row)})


def _plain_header(block: Mapping[object, object], pointer: str, report: Report) -> None:
    for place, cell in _cells({"rows": items(block.get("rows"))[:1]}, join(pointer, "rows")):
        if isinstance(cell, Mapping) and cell.get("type") == "rich_text":
            report.add(Code.NOT_ALLOWED_HERE, "a header cell must not be rich_text", join(place, "type"))


def _initial_among_options(element: Mapping[object, object], pointer: str, report: Report) -> None:
    offered = list(items(element.get("options")))
    for group in items(element.get("option_groups")):
        if isinstance(group, Mapping):
            offered.extend(items(group.get("options")))
    chosen = [("initial_option", element["initial_option"])] if "initial_option" in element else []
    several = [(f"initial_options/{i}", option) for i, option in enumerate(items(element.get("initial_options")))]
    for place, option in (*chosen, *several):
        if option not in offered:
            report.add(Code.INVALID_VALUE, "must be exactly one of the options", f"{pointer}/{place}")


def _ordered(low: str, high: str) -> ObjectRule:
    def rule(element: Mapping[object, object], pointer: str, report: Report) -> None:
        least, most = _number(element.get(low)), _number(element.get(high))
        if least is not None and most is not None and least > most:
            report.add(Code.CONFLICT, f"{low} is greater than {high}", join(pointer, low))

    return rule


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _collapsed_needs_collapsible(block: Mapping[object, object], pointer: str, report: Report) -> None:
    if block.get("default_collapsed") is True and block.get("is_collapsible") is not True:
        report.add(Code.CONFLICT, "default_collapsed needs is_collapsible", join(pointer, "default_collapsed"))


RULES: Final[Mapping[str, tuple[ObjectRule, ...]]] = {
    "table": (_table_size, _cells_not_blank),
    "data_table": (_table_size, _cells_not_blank, _same_width, _plain_header),
    "static_select": (_initial_among_options,),
    "multi_static_select": (_initial_among_options,),
    "checkboxes": (_initial_among_options,),
    "radio_buttons": (_initial_among_options,),
    "plain_text_input": (_ordered("min_length", "max_length"),),
    "number_input": (_ordered("min_value", "max_value"),),
    "container": (_collapsed_needs_collapsible,),
}
