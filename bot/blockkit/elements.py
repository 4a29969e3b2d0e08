"""Interactive elements as data: every field, its limit, and which block may hold which element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.blockkit import limits, objects
from bot.blockkit.spec import Flag, Int, Kind, ListOf, Rule, Spec, Str, Text

_ACTION: Final[Mapping[str, Rule]] = {"action_id": Str(limits.ACTION_ID)}
_CONFIRMED: Final[Mapping[str, Rule]] = {**_ACTION, "confirm": objects.CONFIRM}
_INPUT: Final[Mapping[str, Rule]] = {
    **_ACTION,
    "placeholder": Text(limits.PLACEHOLDER, plain=True),
    "focus_on_load": Flag(),
}
_SELECT: Final[Mapping[str, Rule]] = {**_INPUT, "confirm": objects.CONFIRM}
_MULTI: Final[Mapping[str, Rule]] = {**_SELECT, "max_selected_items": Int(1)}
_OPTIONS: Final[Mapping[str, Rule]] = {
    "options": ListOf(objects.SELECT_OPTION, limits.SELECT_OPTIONS),
    "option_groups": ListOf(objects.OPTION_GROUP, limits.OPTION_GROUPS),
}
_ONE_SOURCE: Final = (("options", "option_groups"),)
_INITIAL: Final[Mapping[str, Rule]] = {"initial_option": objects.SELECT_OPTION}
_INITIALS: Final[Mapping[str, Rule]] = {"initial_options": ListOf(objects.SELECT_OPTION, limits.SELECT_OPTIONS)}
_CONVERSATIONS: Final[Mapping[str, Rule]] = {
    "default_to_current_conversation": Flag(),
    "filter": objects.CONVERSATION_FILTER,
}
_IDS: Final = ListOf(Str(), limits.SELECT_OPTIONS)
_CHOICE: Final = objects.option(markdown=True)
_CHOICES: Final = ListOf(_CHOICE, limits.CHOICES)
_DISPATCH: Final[Mapping[str, Rule]] = {"dispatch_action_config": objects.DISPATCH}
_VISIBLE: Final = ListOf(Str(), limits.VISIBLE_TO)
DATE: Final = Str(pattern=r"\d{4}-\d{2}-\d{2}", example="2026-11-21")
NUMERAL: Final = Str(pattern=r"-?\d+(\.\d+)?", example="42")
TIME: Final = Str(pattern=r"([01]\d|2[0-3]):[0-5]\d", example="14:32")

_BUTTONS: Final[Mapping[str, Spec]] = {
    "button": Spec(
        {
            **_CONFIRMED,
            "text": Text(limits.BUTTON_TEXT, plain=True),
            "url": objects.HTTP_URL,
            "value": Str(limits.BUTTON_VALUE),
            "style": Str(choices=objects.STYLES),
            "accessibility_label": Str(limits.ACCESSIBILITY_LABEL),
            "agent_prompt": Str(limits.AGENT_PROMPT),
            "visible_to_user_ids": _VISIBLE,
        },
        required=("text",),
    ),
    "workflow_button": Spec(
        {
            **_ACTION,
            "text": Text(limits.BUTTON_TEXT, plain=True),
            "workflow": objects.WORKFLOW,
            "style": Str(choices=objects.STYLES),
            "accessibility_label": Str(limits.ACCESSIBILITY_LABEL),
        },
        required=("text", "workflow"),
    ),
    "icon_button": Spec(
        {
            **_CONFIRMED,
            "icon": Str(),
            "text": Text(limits.BUTTON_TEXT, plain=True),
            "value": Str(limits.BUTTON_VALUE),
            "accessibility_label": Str(limits.ACCESSIBILITY_LABEL),
            "visible_to_user_ids": _VISIBLE,
        },
        required=("icon", "text"),
    ),
    "feedback_buttons": Spec(
        {**_ACTION, "positive_button": objects.FEEDBACK_BUTTON, "negative_button": objects.FEEDBACK_BUTTON},
        required=("positive_button", "negative_button"),
    ),
    "overflow": Spec(
        {**_CONFIRMED, "options": ListOf(objects.option(url=True), limits.OVERFLOW_OPTIONS)}, required=("options",)
    ),
}
_SELECTS: Final[Mapping[str, Spec]] = {
    "static_select": Spec({**_SELECT, **_OPTIONS, **_INITIAL}, exactly_one=_ONE_SOURCE),
    "external_select": Spec({**_SELECT, **_INITIAL, "min_query_length": Int(0)}),
    "users_select": Spec({**_SELECT, "initial_user": Str()}),
    "conversations_select": Spec(
        {**_SELECT, **_CONVERSATIONS, "initial_conversation": Str(), "response_url_enabled": Flag()}
    ),
    "channels_select": Spec({**_SELECT, "initial_channel": Str(), "response_url_enabled": Flag()}),
}
_MULTI_SELECTS: Final[Mapping[str, Spec]] = {
    "multi_static_select": Spec({**_MULTI, **_OPTIONS, **_INITIALS}, exactly_one=_ONE_SOURCE),
    "multi_external_select": Spec({**_MULTI, **_INITIALS, "min_query_length": Int(0)}),
    "multi_users_select": Spec({**_MULTI, "initial_users": _IDS}),
    "multi_conversations_select": Spec({**_MULTI, **_CONVERSATIONS, "initial_conversations": _IDS}),
    "multi_channels_select": Spec({**_MULTI, "initial_channels": _IDS}),
}
_CHOOSERS: Final[Mapping[str, Spec]] = {
    "checkboxes": Spec(
        {
            **_CONFIRMED,
            "options": _CHOICES,
            "initial_options": _CHOICES,
            "focus_on_load": Flag(),
        },
        required=("options",),
    ),
    "radio_buttons": Spec(
        {**_CONFIRMED, "options": _CHOICES, "initial_option": _CHOICE, "focus_on_load": Flag()}, required=("options",)
    ),
    "datepicker": Spec({**_SELECT, "initial_date": DATE}),
    "timepicker": Spec({**_SELECT, "initial_time": TIME, "timezone": Str()}),
}
_INSTANT: Final[Mapping[str, Spec]] = {
    "datetimepicker": Spec({**_CONFIRMED, "initial_date_time": Int(0, 9_999_999_999), "focus_on_load": Flag()}),
}
_FIELDS: Final[Mapping[str, Spec]] = {
    "plain_text_input": Spec(
        {
            **_INPUT,
            **_DISPATCH,
            "initial_value": Str(limits.PLAIN_TEXT_INPUT, min=0),
            "multiline": Flag(),
            "min_length": Int(0, limits.PLAIN_TEXT_INPUT),
            "max_length": Int(1, limits.PLAIN_TEXT_INPUT),
        }
    ),
    "number_input": Spec(
        {
            **_INPUT,
            **_DISPATCH,
            "is_decimal_allowed": Flag(),
            "initial_value": NUMERAL,
            "min_value": NUMERAL,
            "max_value": NUMERAL,
        },
        required=("is_decimal_allowed",),
    ),
    "email_text_input": Spec({**_INPUT, **_DISPATCH, "initial_value": Str(min=0)}),
    "url_text_input": Spec({**_INPUT, **_DISPATCH, "initial_value": Str(min=0)}),
    "rich_text_input": Spec({**_INPUT, **_DISPATCH, "initial_value": Kind(("rich_text",))}),
    "file_input": Spec({**_ACTION, "filetypes": ListOf(Str()), "max_files": Int(1, limits.FILE_INPUT_FILES)}),
}

KINDS: Final[Mapping[str, Spec]] = {**_BUTTONS, **_SELECTS, **_MULTI_SELECTS, **_CHOOSERS, **_INSTANT, **_FIELDS}

IN_SECTION: Final = (
    "image",
    "button",
    "workflow_button",
    "overflow",
    *_SELECTS,
    *_MULTI_SELECTS,
    *_CHOOSERS,
)
IN_ACTIONS: Final = ("button", "workflow_button", "overflow", *_SELECTS, *_CHOOSERS, *_INSTANT)
IN_INPUT: Final = (*_SELECTS, *_MULTI_SELECTS, *_CHOOSERS, *_INSTANT, *_FIELDS)
IN_CONTEXT_ACTIONS: Final = ("feedback_buttons", "icon_button")
