"""Interactive elements as real form controls; each carries its ids, type and values as data- attributes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from bot.sandbox.slack.render import mrkdwn
from bot.sandbox.slack.render.html import Attribute, Child, el, image_url, join, safe_url
from bot.sandbox.slack.render.names import Names, Scene
from bot.sandbox.slack.render.reading import Json, flag, obj, seq, string, text_of
from bot.sandbox.slack.render.richtext import unsupported

_STYLES: Final = {"primary": "button button-primary", "danger": "button button-danger"}
_FIELDS: Final = {
    "plain_text_input": "text",
    "number_input": "text",
    "email_text_input": "email",
    "url_text_input": "url",
    "datepicker": "date",
    "timepicker": "time",
    "datetimepicker": "datetime-local",
}
_INITIAL: Final = {"datepicker": "initial_date", "timepicker": "initial_time", "datetimepicker": "initial_date_time"}
# Their options are the workspace's own people and channels, which the page knows and fills in.
_SOURCES: Final = ("users", "conversations", "channels", "external")
_ICONS: Final = {"trash": "🗑️"}


@dataclass(frozen=True)
class Place:
    """Where an element stands: its block's id, and inside an input block also the field's ids and state."""

    block_id: str
    names: Names
    field_id: str = ""
    described_by: str = ""
    invalid: bool = False
    required: bool = False
    input: bool = False
    dispatches: bool = False

    def attributes(self, element: Json, **more: Attribute) -> dict[str, Attribute]:
        """The data- attributes that every control carries, and an input's link to its label and error."""
        action = string(element, "action_id")
        kind = string(element, "type")
        confirm = obj(element, "confirm")
        found: dict[str, Attribute] = {
            "data-block-id": self.block_id,
            "data-action-id": action,
            "data-type": kind,
            "data-confirm": self._confirm(confirm) if confirm else None,
        }
        if self.input:
            found |= {"data-dispatch": self.dispatches or None, **self._field(element, action)}
        elif kind not in ("button", "icon_button", "workflow_button", "overflow", "feedback_buttons"):
            found["name"] = f"{self.block_id}/{action}"
            found["aria-label"] = text_of(element, "placeholder") or kind.replace("_", " ")
        return found | {name.replace("_", "-"): value for name, value in more.items()}

    def _confirm(self, confirm: Json) -> str:
        """The confirm object as JSON, its text also as HTML for the page to show."""
        shown = mrkdwn.text(obj(confirm, "text"), self.names)
        return json.dumps({**confirm, "html": str(shown)}, ensure_ascii=False)

    def _field(self, element: Json, action: str) -> dict[str, Attribute]:
        return {
            "name": f"{self.block_id}/{action}",
            "id": self.field_id or None,
            "aria-describedby": self.described_by or None,
            "aria-invalid": "true" if self.invalid else None,
            "aria-required": "true" if self.required else None,
            "autofocus": flag(element, "focus_on_load"),
        }


def control(element: Any, place: Place, scene: Scene) -> Markup:
    """Any element that may stand in a section, an actions block, an input or a context block."""
    kind = string(element, "type")
    if kind == "image":
        return picture(element)
    maker = _MAKERS.get(kind)
    return maker(element, place, scene) if maker else unsupported(kind)


def picture(element: Any) -> Markup:
    """A picture; one that cannot be loaded shows its description."""
    stored = obj(element, "slack_file")
    address = image_url(string(element, "image_url") or string(stored, "url"))
    identity = string(stored, "id")
    if address is None and identity.isalnum():
        address = f"/_local/file/{identity}"
    described = string(element, "alt_text")
    if address is None:
        return el("span", {"class": "no-picture", "role": "img", "aria-label": described}, described or "no picture")
    return el("img", {"src": address, "alt": described, "loading": "lazy", "class": "picture"})


def _button(element: Json, place: Place, scene: Scene) -> Markup:
    label = mrkdwn.text(obj(element, "text"), scene.names)
    attributes = place.attributes(
        element,
        type="button",
        data_value=string(element, "value"),
        data_url=safe_url(element.get("url")),
        data_visible_to=" ".join(map(str, seq(element, "visible_to_user_ids"))) or None,
        aria_label=string(element, "accessibility_label") or None,
    )
    return el("button", attributes | {"class": _STYLES.get(string(element, "style"), "button")}, label)


def _icon_button(element: Json, place: Place, scene: Scene) -> Markup:
    label = text_of(element, "text")
    attributes = place.attributes(
        element, type="button", data_value=string(element, "value"), aria_label=label, title=label
    )
    icon = _ICONS.get(string(element, "icon"), label)
    return el("button", attributes | {"class": "button button-icon"}, icon)


def _workflow_button(element: Json, place: Place, scene: Scene) -> Markup:
    attributes = place.attributes(element, type="button", disabled=True, title="Workflows do not run here")
    return el("button", attributes | {"class": "button"}, mrkdwn.text(obj(element, "text"), scene.names))


def _feedback(element: Json, place: Place, scene: Scene) -> Markup:
    shown = []
    for key, sign in (("positive_button", "👍"), ("negative_button", "👎")):
        button = obj(element, key)
        label = string(button, "accessibility_label") or text_of(button, "text")
        attributes = place.attributes(
            element, type="button", data_value=string(button, "value"), aria_label=label, title=label
        )
        shown.append(el("button", attributes | {"class": "button button-icon"}, sign))
    return el("span", {"class": "feedback", "role": "group"}, join(shown))


def _overflow(element: Json, place: Place, scene: Scene) -> Markup:
    items = []
    for option in seq(element, "options"):
        attributes = place.attributes(
            element,
            type="button",
            role="menuitem",
            data_value=string(option, "value"),
            data_option=json.dumps(option, ensure_ascii=False),
            data_url=safe_url(option.get("url")) if isinstance(option, Mapping) else None,
        )
        described = text_of(option, "description")
        label = [mrkdwn.text(obj(option, "text"), scene.names), el("small", None, described) if described else None]
        items.append(el("button", attributes | {"class": "menu-item"}, *label))
    summary = el("summary", {"class": "button button-icon", "aria-label": "More actions", "aria-haspopup": "menu"}, "⋯")
    return el("details", {"class": "overflow"}, summary, el("div", {"class": "menu", "role": "menu"}, join(items)))


def _files(element: Json, place: Place, scene: Scene) -> Markup:
    accept = ",".join(f".{name}" for name in seq(element, "filetypes") if isinstance(name, str))
    several = element.get("max_files", 10) != 1
    return el("input", place.attributes(element, type="file", accept=accept or None, multiple=several))


def _field(element: Json, place: Place, scene: Scene) -> Markup:
    """A field to type in, or to pick a day or time in."""
    kind = string(element, "type")
    initial = string(element, _INITIAL.get(kind, "initial_value"))
    attributes = place.attributes(element, placeholder=text_of(element, "placeholder") or None)
    for key in ("min_length", "max_length"):
        attributes[key.replace("_", "")] = string(element, key) or None
    attributes["class"] = "field"
    if flag(element, "multiline") or kind == "rich_text_input":
        return el("textarea", attributes | {"rows": 5}, initial)
    attributes |= {"type": _FIELDS[kind], "autocomplete": "off"}
    if kind == "datetimepicker":
        return el("input", attributes | {"data-epoch": initial or None})
    if kind == "number_input":
        attributes |= {"inputmode": "decimal" if flag(element, "is_decimal_allowed") else "numeric"}
    return el("input", attributes | {"value": initial or None})


def _choices(element: Json, place: Place, scene: Scene) -> Markup:
    """Checkboxes or radio buttons, one under the other."""
    kind = "radio" if string(element, "type") == "radio_buttons" else "checkbox"
    chosen = [element.get("initial_option"), *seq(element, "initial_options")]
    base = place.attributes(element)
    group = _group(base, place)
    shown = []
    for option in seq(element, "options"):
        own = {**base, "type": kind, "value": string(option, "value"), "checked": option in chosen}
        described = obj(option, "description")
        words: list[Child] = [mrkdwn.text(obj(option, "text"), scene.names)]
        if described:
            words.append(el("small", None, mrkdwn.text(described, scene.names)))
        box = el("input", own | {"data-option": json.dumps(option, ensure_ascii=False)})
        shown.append(el("label", {"class": "choice"}, box, el("span", None, *words)))
    return el("div", {**group, "class": "choices", "role": "radiogroup" if kind == "radio" else "group"}, join(shown))


def _group(base: dict[str, Attribute], place: Place) -> dict[str, Attribute]:
    """The attributes that belong to a group of boxes as a whole, taken from those of each box."""
    taken = {key: base.pop(key, None) for key in ("id", "aria-describedby", "aria-invalid", "aria-label")}
    return {**taken, "aria-labelledby": f"{place.field_id}-label" if place.input else None}


def _one(element: Json, place: Place, scene: Scene) -> Markup:
    """A menu to choose one thing from."""
    family = string(element, "type").removesuffix("_select")
    attributes = place.attributes(element) | {"class": "select", "data-source": family if family in _SOURCES else None}
    initial = element.get("initial_option")
    if family in _SOURCES and family != "external":
        attributes["data-initial"] = string(element, f"initial_{family.removesuffix('s')}") or None
    nothing = el("option", {"value": ""}, text_of(element, "placeholder") or "Select an option")
    offered = [initial] if family == "external" and isinstance(initial, Mapping) else seq(element, "options")
    groups = [
        el("optgroup", {"label": text_of(group, "label")}, _menu(seq(group, "options"), initial))
        for group in seq(element, "option_groups")
    ]
    menu = el("select", attributes, nothing, _menu(offered, initial), join(groups))
    if family != "external":
        return menu
    search = {"type": "search", "class": "field", "placeholder": "Search…", "aria-label": "Search options"}
    return el(
        "span",
        {"class": "external", "data-minimum": string(element, "min_query_length") or "3"},
        el("input", search),
        menu,
    )


def _menu(options: Sequence[Any], chosen: object) -> Markup:
    return join(
        el(
            "option",
            {
                "value": string(option, "value"),
                "selected": option == chosen,
                "data-option": json.dumps(option, ensure_ascii=False),
            },
            text_of(option, "text"),
        )
        for option in options
    )


def _several(element: Json, place: Place, scene: Scene) -> Markup:
    """A menu to choose several things from: a box of checkboxes behind a summary."""
    family = string(element, "type").removeprefix("multi_").removesuffix("_select")
    base = place.attributes(element)
    group = _group(base, place)
    options = [*seq(element, "options"), *(o for g in seq(element, "option_groups") for o in seq(g, "options"))]
    initial = seq(element, "initial_options") or seq(element, f"initial_{family}")
    if family == "external":
        options = list(initial)
    boxes = [
        el(
            "label",
            {"class": "choice"},
            el(
                "input",
                {
                    **base,
                    "type": "checkbox",
                    "value": string(option, "value"),
                    "checked": option in initial,
                    "data-option": json.dumps(option, ensure_ascii=False),
                },
            ),
            el("span", None, text_of(option, "text")),
        )
        for option in options
    ]
    source = {
        "data-source": family if family in _SOURCES else None,
        "data-initial": " ".join(map(str, initial)) if family in ("users", "channels", "conversations") else None,
        "data-maximum": string(element, "max_selected_items") or None,
        "data-control": json.dumps(base) if family in _SOURCES else None,
    }
    return el(
        "details",
        {**group, **source, "class": "several"},
        el("summary", {"class": "select"}, text_of(element, "placeholder") or "Select options"),
        el("div", {"class": "menu", "role": "group"}, join(boxes)),
    )


_MAKERS: Final[Mapping[str, Callable[[Json, Place, Scene], Markup]]] = {
    "button": _button,
    "icon_button": _icon_button,
    "workflow_button": _workflow_button,
    "feedback_buttons": _feedback,
    "overflow": _overflow,
    "checkboxes": _choices,
    "radio_buttons": _choices,
    "file_input": _files,
    **dict.fromkeys((*_FIELDS, "rich_text_input"), _field),
    **dict.fromkeys((f"{family}_select" for family in ("static", *_SOURCES)), _one),
    **dict.fromkeys((f"multi_{family}_select" for family in ("static", *_SOURCES)), _several),
}
