"""Blocks as data: every block's fields, limits and surfaces; `KINDS` is everything that stands inside one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.blockkit import elements, limits, objects
from bot.blockkit.spec import Flag, Int, Kind, ListOf, Rule, Shape, Spec, Str, Surface, Text

_MESSAGE: Final[frozenset[Surface]] = frozenset({"message"})
_MODAL: Final[frozenset[Surface]] = frozenset({"modal"})
_BLOCK: Final[Mapping[str, Rule]] = {"block_id": Str(limits.BLOCK_ID)}
_IMAGE: Final[Mapping[str, Rule]] = {
    "image_url": objects.HTTP_URL,
    "slack_file": objects.SLACK_FILE,
    "alt_text": Str(limits.IMAGE_ALT),
}
_RICH_TEXT: Final = Kind(("rich_text",))
_PICTURE: Final = Kind(("image",))
_CELL: Final = Kind(("raw_text", "raw_number", "rich_text"))
_ROW: Final = ListOf(_CELL, limits.TABLE_COLUMNS)
_TASK: Final[Mapping[str, Rule]] = {
    "task_id": Str(),
    "title": Str(),
    "details": _RICH_TEXT,
    "output": _RICH_TEXT,
    "sources": ListOf(Kind(("url",)), min=0),
    "status": Str(choices=("pending", "in_progress", "complete", "error")),
}

_LAYOUT: Final[Mapping[str, Spec]] = {
    "section": Spec(
        {
            **_BLOCK,
            "text": Text(limits.SECTION_TEXT),
            "fields": ListOf(Text(limits.SECTION_FIELD), limits.SECTION_FIELDS),
            "accessory": Kind(elements.IN_SECTION),
            "expand": Flag(),
        },
        at_least_one=(("text", "fields"),),
    ),
    "header": Spec(
        {**_BLOCK, "text": Text(limits.HEADER_TEXT, plain=True), "level": Int(1, limits.HEADER_LEVEL)},
        required=("text",),
    ),
    "divider": Spec({**_BLOCK}),
    "image": Spec(
        {**_BLOCK, **_IMAGE, "title": Text(limits.IMAGE_TITLE, plain=True)},
        required=("alt_text",),
        exactly_one=(("image_url", "slack_file"),),
    ),
    "context": Spec(
        {**_BLOCK, "elements": ListOf(Kind(("mrkdwn", "plain_text", "image")), limits.CONTEXT_ELEMENTS)},
        required=("elements",),
    ),
    "actions": Spec(
        {**_BLOCK, "elements": ListOf(Kind(elements.IN_ACTIONS), limits.ACTIONS_ELEMENTS)}, required=("elements",)
    ),
    "context_actions": Spec(
        {**_BLOCK, "elements": ListOf(Kind(elements.IN_CONTEXT_ACTIONS), limits.CONTEXT_ACTIONS_ELEMENTS)},
        required=("elements",),
        surfaces=_MESSAGE,
    ),
    "input": Spec(
        {
            **_BLOCK,
            "label": Text(limits.INPUT_LABEL, plain=True),
            "element": Kind(elements.IN_INPUT),
            "hint": Text(limits.INPUT_HINT, plain=True),
            "optional": Flag(),
            "dispatch_action": Flag(),
        },
        required=("label", "element"),
    ),
    "rich_text": Spec(
        {
            **_BLOCK,
            "elements": ListOf(
                Kind(("rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"))
            ),
        },
        required=("elements",),
    ),
    "markdown": Spec({**_BLOCK, "text": Str(limits.MARKDOWN_CHARACTERS)}, required=("text",), surfaces=_MESSAGE),
}
_TABLES: Final[Mapping[str, Spec]] = {
    "table": Spec(
        {
            **_BLOCK,
            "rows": ListOf(_ROW, limits.TABLE_ROWS),
            "column_settings": ListOf(Shape(objects.COLUMN_SETTING.spec), limits.TABLE_COLUMNS, 0, nullable=True),
        },
        required=("rows",),
        surfaces=_MESSAGE,
    ),
    "data_table": Spec(
        {
            **_BLOCK,
            "caption": Str(),
            "rows": ListOf(_ROW, limits.DATA_TABLE_ROWS, min=2),
            "page_size": Int(1, limits.DATA_TABLE_PAGE),
            "row_header_column_index": Int(0, limits.TABLE_COLUMNS - 1),
        },
        required=("caption", "rows"),
        surfaces=_MESSAGE,
    ),
}
_RICH: Final[Mapping[str, Spec]] = {
    "alert": Spec(
        {
            **_BLOCK,
            "text": Text(limits.ALERT_TEXT),
            "level": Str(choices=("default", "info", "warning", "error", "success")),
        },
        required=("text",),
        surfaces=_MODAL,
    ),
    "card": Spec(
        {
            **_BLOCK,
            "hero_image": _PICTURE,
            "icon": _PICTURE,
            "title": Text(limits.CARD_TITLE),
            "subtitle": Text(limits.CARD_SUBTITLE),
            "body": Text(limits.CARD_BODY),
            "actions": ListOf(Kind(("button",)), limits.CARD_ACTIONS),
        },
        at_least_one=(("hero_image", "title", "actions", "body"),),
        surfaces=_MESSAGE,
    ),
    "carousel": Spec(
        {**_BLOCK, "elements": ListOf(Kind(("card",)), limits.CAROUSEL_CARDS)},
        required=("elements",),
        surfaces=_MESSAGE,
    ),
    "task_card": Spec({**_BLOCK, **_TASK}, required=("task_id", "title", "status"), surfaces=_MESSAGE),
    "plan": Spec(
        {**_BLOCK, "title": Str(), "tasks": ListOf(Kind(("task_card",)), min=0)},
        required=("title",),
        surfaces=_MESSAGE,
    ),
    "video": Spec(
        {
            **_BLOCK,
            "alt_text": Str(limits.IMAGE_ALT),
            "title": Text(limits.VIDEO_TITLE, plain=True),
            "title_url": objects.HTTP_URL,
            "video_url": objects.HTTP_URL,
            "thumbnail_url": objects.HTTP_URL,
            "description": Text(limits.VIDEO_DESCRIPTION, plain=True),
            "author_name": Str(limits.VIDEO_AUTHOR),
            "provider_name": Str(),
            "provider_icon_url": objects.HTTP_URL,
        },
        required=("alt_text", "title", "video_url", "thumbnail_url"),
    ),
    "file": Spec(
        {**_BLOCK, "external_id": Str(), "source": Str(choices=("remote",))},
        required=("external_id", "source"),
        surfaces=_MESSAGE,
    ),
}
_IN_CONTAINER: Final = (*_LAYOUT, *_TABLES, "card", "task_card", "video")
_CONTAINER: Final = Spec(
    {
        **_BLOCK,
        "title": Text(limits.CONTAINER_TITLE, plain=True),
        "rich_text_title": _RICH_TEXT,
        "subtitle": Text(limits.CONTAINER_SUBTITLE),
        "icon": _PICTURE,
        "width": Str(choices=("narrow", "standard", "wide", "full")),
        "is_collapsible": Flag(),
        "default_collapsed": Flag(),
        "has_header_divider": Flag(),
        "child_blocks": ListOf(Kind(_IN_CONTAINER, block=True), limits.CONTAINER_BLOCKS),
    },
    required=("child_blocks",),
    at_least_one=(("title", "rich_text_title"),),
    surfaces=_MESSAGE,
)

BLOCKS: Final[Mapping[str, Spec]] = {**_LAYOUT, **_TABLES, **_RICH, "container": _CONTAINER}
IMAGE_ELEMENT: Final = Spec(_IMAGE, required=("alt_text",), exactly_one=(("image_url", "slack_file"),))
KINDS: Final[Mapping[str, Spec]] = {**BLOCKS, **objects.KINDS, **elements.KINDS, "image": IMAGE_ELEMENT}
