"""Composition objects and rich text: text, option, confirm, table cells, and what rich text is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.blockkit import limits
from bot.blockkit.spec import Flag, Int, Kind, ListOf, Num, Rule, Shape, Spec, Str, Text

STYLES: Final = ("primary", "danger")
HTTP_URL: Final = Str(limits.URL, pattern=r"(?i)https?://\S+", example="https://example.com")
LINK_URL: Final = Str(limits.URL)

CONFIRM: Final = Shape(
    Spec(
        {
            "title": Text(limits.CONFIRM_TITLE, plain=True),
            "text": Text(limits.CONFIRM_TEXT),
            "confirm": Text(limits.CONFIRM_BUTTON, plain=True),
            "deny": Text(limits.CONFIRM_BUTTON, plain=True),
            "style": Str(choices=STYLES),
        },
        required=("title", "text", "confirm", "deny"),
    )
)


def option(*, markdown: bool = False, url: bool = False) -> Shape:
    """An option; checkboxes and radio buttons allow mrkdwn, overflow menus allow a url."""
    text = Text(limits.OPTION_TEXT, plain=not markdown)
    fields: dict[str, Rule] = {"text": text, "value": Str(limits.OPTION_VALUE), "description": text}
    if url:
        fields["url"] = HTTP_URL
    return Shape(Spec(fields, required=("text", "value")))


SELECT_OPTION: Final = option()
OPTION_GROUP: Final = Shape(
    Spec(
        {"label": Text(limits.OPTION_TEXT, plain=True), "options": ListOf(SELECT_OPTION, limits.SELECT_OPTIONS)},
        required=("label", "options"),
    )
)
CONVERSATION_FILTER: Final = Shape(
    Spec(
        {
            "include": ListOf(Str(choices=("im", "mpim", "private", "public")), 4),
            "exclude_external_shared_channels": Flag(),
            "exclude_bot_users": Flag(),
        },
        at_least_one=(("include", "exclude_external_shared_channels", "exclude_bot_users"),),
    )
)
DISPATCH: Final = Shape(
    Spec({"trigger_actions_on": ListOf(Str(choices=("on_enter_pressed", "on_character_entered")), 2)})
)
SLACK_FILE: Final = Shape(Spec({"id": Str(), "url": HTTP_URL}, exactly_one=(("id", "url"),)))
COLUMN_SETTING: Final = Shape(Spec({"align": Str(choices=("left", "center", "right")), "is_wrapped": Flag()}))
WORKFLOW: Final = Shape(
    Spec(
        {
            "trigger": Shape(
                Spec(
                    {
                        "url": HTTP_URL,
                        "customizable_input_parameters": ListOf(
                            Shape(Spec({"name": Str(), "value": Str(min=0)}, required=("name", "value")))
                        ),
                    },
                    required=("url",),
                )
            )
        },
        required=("trigger",),
    )
)
FEEDBACK_BUTTON: Final = Shape(
    Spec(
        {
            "text": Text(limits.BUTTON_TEXT, plain=True),
            "value": Str(limits.BUTTON_VALUE),
            "accessibility_label": Str(limits.ACCESSIBILITY_LABEL),
        },
        required=("text", "value"),
    )
)

_STYLE: Final = Shape(
    Spec(
        dict.fromkeys(
            ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"), Flag()
        )
    )
)
INLINE: Final = ("text", "link", "user", "usergroup", "channel", "team", "emoji", "date", "broadcast", "color")
_BORDER: Final = Int(0, 1)
_SECTION: Final = Kind(("rich_text_section",))

KINDS: Final[Mapping[str, Spec]] = {
    "plain_text": Spec({"text": Str(limits.TEXT), "emoji": Flag()}, required=("text",)),
    "mrkdwn": Spec({"text": Str(limits.TEXT), "verbatim": Flag()}, required=("text",)),
    "raw_text": Spec({"text": Str()}, required=("text",)),
    "raw_number": Spec({"value": Num(), "text": Str()}, required=("value", "text")),
    "url": Spec({"url": HTTP_URL, "text": Str()}, required=("url", "text")),
    "text": Spec({"text": Str(), "style": _STYLE}, required=("text",)),
    "link": Spec({"url": LINK_URL, "text": Str(min=0), "unsafe": Flag(), "style": _STYLE}, required=("url",)),
    "user": Spec({"user_id": Str(), "style": _STYLE}, required=("user_id",)),
    "usergroup": Spec({"usergroup_id": Str(), "style": _STYLE}, required=("usergroup_id",)),
    "channel": Spec({"channel_id": Str(), "style": _STYLE}, required=("channel_id",)),
    "team": Spec({"team_id": Str(), "style": _STYLE}, required=("team_id",)),
    "emoji": Spec({"name": Str(), "unicode": Str(), "skin_tone": Int(1, 6), "style": _STYLE}, required=("name",)),
    "date": Spec(
        {"timestamp": Int(), "format": Str(), "url": HTTP_URL, "fallback": Str(), "style": _STYLE},
        required=("timestamp", "format"),
    ),
    "broadcast": Spec({"range": Str(choices=("here", "channel", "everyone")), "style": _STYLE}, required=("range",)),
    "color": Spec({"value": Str(), "style": _STYLE}, required=("value",)),
    "rich_text_section": Spec({"elements": ListOf(Kind(INLINE), min=0)}, required=("elements",)),
    "rich_text_quote": Spec({"elements": ListOf(Kind(INLINE), min=0), "border": _BORDER}, required=("elements",)),
    "rich_text_preformatted": Spec(
        {"elements": ListOf(Kind(("text", "link")), min=0), "border": _BORDER, "language": Str()},
        required=("elements",),
    ),
    "rich_text_list": Spec(
        {
            "elements": ListOf(_SECTION),
            "style": Str(choices=("bullet", "ordered")),
            "indent": Int(0, 8),
            "offset": Int(0),
            "border": _BORDER,
        },
        required=("elements", "style"),
    ),
}
