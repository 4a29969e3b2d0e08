"""Valid samples of every block and element, built plainly so that a test can break one thing at a time."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]


def plain(text: str = "Text") -> JSON:
    """A plain_text object."""
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "*Text*") -> JSON:
    """A mrkdwn object."""
    return {"type": "mrkdwn", "text": text}


def option(value: str = "a") -> JSON:
    """An option whose text is its value."""
    return {"text": plain(value), "value": value}


def raw(text: str = "cell") -> JSON:
    """A raw_text table cell."""
    return {"type": "raw_text", "text": text}


def rich(text: str = "rich") -> JSON:
    """A rich_text block with one line."""
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}],
    }


CONFIRM: JSON = {
    "title": plain("Sure?"),
    "text": mrkdwn("It *changes* a row."),
    "confirm": plain("Do"),
    "deny": plain("No"),
}
IMAGE: JSON = {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "A picture"}
BUTTON: JSON = {
    "type": "button",
    "action_id": "approve",
    "text": plain("Approve"),
    "value": "run-1",
    "style": "primary",
    "confirm": CONFIRM,
    "accessibility_label": "Approve the fix",
}
OPTIONS = [option("a"), option("b")]
GROUPS = [{"label": plain("Letters"), "options": OPTIONS}]

IN_ACTIONS: dict[str, JSON] = {
    "button": BUTTON,
    "workflow_button": {
        "type": "workflow_button",
        "action_id": "w",
        "text": plain("Start"),
        "workflow": {
            "trigger": {
                "url": "https://slack.com/shortcuts/x",
                "customizable_input_parameters": [{"name": "a", "value": "b"}],
            }
        },
    },
    "overflow": {"type": "overflow", "action_id": "o", "options": [{**option(), "url": "https://example.com"}]},
    "static_select": {"type": "static_select", "action_id": "s", "options": OPTIONS, "initial_option": OPTIONS[0]},
    "external_select": {"type": "external_select", "action_id": "e", "min_query_length": 2},
    "users_select": {"type": "users_select", "action_id": "u", "initial_user": "U1"},
    "conversations_select": {
        "type": "conversations_select",
        "action_id": "c",
        "filter": {"include": ["public"]},
        "default_to_current_conversation": True,
    },
    "channels_select": {"type": "channels_select", "action_id": "ch", "initial_channel": "C1"},
    "checkboxes": {"type": "checkboxes", "action_id": "cb", "options": [{"text": mrkdwn(), "value": "a"}]},
    "radio_buttons": {"type": "radio_buttons", "action_id": "r", "options": OPTIONS, "initial_option": OPTIONS[1]},
    "datepicker": {"type": "datepicker", "action_id": "d", "initial_date": "2026-11-21", "placeholder": plain("Day")},
    "timepicker": {"type": "timepicker", "action_id": "t", "initial_time": "14:32"},
    "datetimepicker": {"type": "datetimepicker", "action_id": "dt", "initial_date_time": 1795000000},
}
IN_INPUT: dict[str, JSON] = {
    "plain_text_input": {
        "type": "plain_text_input",
        "action_id": "p",
        "multiline": True,
        "min_length": 1,
        "max_length": 36,
    },
    "number_input": {
        "type": "number_input",
        "action_id": "n",
        "is_decimal_allowed": False,
        "min_value": "1",
        "max_value": "9",
    },
    "email_text_input": {"type": "email_text_input", "action_id": "m", "focus_on_load": True},
    "url_text_input": {
        "type": "url_text_input",
        "action_id": "l",
        "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
    },
    "rich_text_input": {"type": "rich_text_input", "action_id": "rt", "initial_value": rich()},
    "file_input": {"type": "file_input", "action_id": "f", "filetypes": ["csv"], "max_files": 3},
    "multi_static_select": {
        "type": "multi_static_select",
        "action_id": "ms",
        "option_groups": GROUPS,
        "initial_options": OPTIONS[:1],
    },
    "multi_external_select": {"type": "multi_external_select", "action_id": "me"},
    "multi_users_select": {"type": "multi_users_select", "action_id": "mu", "max_selected_items": 2},
    "multi_conversations_select": {"type": "multi_conversations_select", "action_id": "mc"},
    "multi_channels_select": {"type": "multi_channels_select", "action_id": "mch", "initial_channels": ["C1"]},
}

_CARD: JSON = {"type": "card", "title": plain("Card"), "body": mrkdwn(), "actions": [BUTTON], "icon": IMAGE}
_TASK: JSON = {
    "type": "task_card",
    "task_id": "t1",
    "title": "Look",
    "status": "complete",
    "details": rich(),
    "sources": [{"type": "url", "url": "https://example.com", "text": "source"}],
}
RICH_TEXT: JSON = {
    "type": "rich_text",
    "block_id": "rich",
    "elements": [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "text", "text": "bold", "style": {"bold": True, "italic": True, "strike": True, "code": True}},
                {"type": "link", "url": "https://example.com", "text": "a link"},
                {"type": "user", "user_id": "U1"},
                {"type": "usergroup", "usergroup_id": "S1"},
                {"type": "channel", "channel_id": "C1"},
                {"type": "emoji", "name": "tada"},
                {"type": "date", "timestamp": 1795000000, "format": "{date_short}", "fallback": "then"},
                {"type": "broadcast", "range": "here"},
                {"type": "color", "value": "#ff0000"},
            ],
        },
        {
            "type": "rich_text_list",
            "style": "ordered",
            "indent": 1,
            "elements": [{"type": "rich_text_section", "elements": []}],
        },
        {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said"}]},
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "code"}], "border": 0},
    ],
}

EVERYWHERE: dict[str, JSON] = {
    "section": {"type": "section", "text": mrkdwn(), "fields": [plain(), mrkdwn()], "accessory": BUTTON},
    "header": {"type": "header", "text": plain("Title"), "level": 2},
    "divider": {"type": "divider", "block_id": "line"},
    "image": {**IMAGE, "title": plain("Title")},
    "context": {"type": "context", "elements": [IMAGE, mrkdwn(), plain()]},
    "actions": {"type": "actions", "elements": list(IN_ACTIONS.values())},
    "input": {
        "type": "input",
        "label": plain("Business"),
        "hint": plain("A uuid"),
        "element": IN_INPUT["plain_text_input"],
    },
    "rich_text": RICH_TEXT,
    "video": {
        "type": "video",
        "title": plain("Film"),
        "alt_text": "A film",
        "video_url": "https://example.com/v",
        "thumbnail_url": "https://example.com/t.png",
    },
}
MESSAGES_ONLY: dict[str, JSON] = {
    "context_actions": {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "fb",
                "positive_button": {"text": plain("Good"), "value": "1"},
                "negative_button": {"text": plain("Bad"), "value": "0"},
            },
            {"type": "icon_button", "action_id": "ib", "icon": "trash", "text": plain("Delete")},
        ],
    },
    "markdown": {"type": "markdown", "text": "# Hello"},
    "table": {
        "type": "table",
        "rows": [[raw("column"), raw("before")], [rich(), {"type": "raw_number", "value": 1.5, "text": "1.5"}]],
        "column_settings": [None, {"align": "right", "is_wrapped": True}],
    },
    "data_table": {"type": "data_table", "caption": "Rows", "page_size": 5, "rows": [[raw("a")], [raw("1")]]},
    "card": _CARD,
    "carousel": {"type": "carousel", "elements": [_CARD]},
    "container": {"type": "container", "title": plain("Box"), "child_blocks": [{"type": "divider"}], "width": "wide"},
    "task_card": _TASK,
    "plan": {"type": "plan", "title": "Plan", "tasks": [_TASK]},
    "file": {"type": "file", "external_id": "x", "source": "remote"},
}
MODALS_ONLY: dict[str, JSON] = {"alert": {"type": "alert", "text": mrkdwn("Careful"), "level": "warning"}}
BLOCKS: dict[str, JSON] = {**EVERYWHERE, **MESSAGES_ONLY, **MODALS_ONLY}
