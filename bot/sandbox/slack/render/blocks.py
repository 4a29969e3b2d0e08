"""Blocks as accessible HTML, one function a kind; a kind it doesn't know becomes a visible box, never silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from markupsafe import Markup

from bot.sandbox.slack.render import mrkdwn
from bot.sandbox.slack.render.cards import alert, card, file, plan, task_card, video
from bot.sandbox.slack.render.controls import Place, control, picture
from bot.sandbox.slack.render.html import el, join
from bot.sandbox.slack.render.markdown import markdown
from bot.sandbox.slack.render.names import Scene
from bot.sandbox.slack.render.reading import Json, flag, obj, seq, string
from bot.sandbox.slack.render.richtext import rich_text, unsupported
from bot.sandbox.slack.render.tables import data_table, table

_Block: TypeAlias = Callable[[Json, Scene], Markup]
_LEVELS: Final = {1: "h2", 2: "h3", 3: "h4", 4: "h5"}
_DEEPEST: Final = 3


def blocks(found: Sequence[Any], scene: Scene, depth: int = 0, outer: str = "") -> Markup:
    """Blocks one below the other; a block without an id answers to the id of the block around it."""
    return join(_block(block, outer or f"block-{index}", scene, depth) for index, block in enumerate(found))


def _block(block: Any, identity: str, scene: Scene, depth: int) -> Markup:
    kind = string(block, "type")
    known = {"block_id": identity, **block} if isinstance(block, Mapping) else {}
    if kind == "container" and depth < _DEEPEST:
        inner = _container(known, scene, depth)
    elif kind in _KINDS:
        inner = _KINDS[kind](known, scene)
    else:
        return el("div", {"class": "block"}, unsupported(kind))
    return el("div", {"class": f"block block-{kind.replace('_', '-')}", "data-block": string(known, "block_id")}, inner)


def _section(block: Json, scene: Scene) -> Markup:
    text = obj(block, "text")
    fields = [
        el("div", {"class": "section-field"}, mrkdwn.text(field, scene.names)) for field in _objects(block, "fields")
    ]
    accessory = obj(block, "accessory")
    words = el(
        "div",
        {"class": "section-words"},
        el("div", {"class": "section-text"}, mrkdwn.text(text, scene.names)) if text else None,
        el("div", {"class": "section-fields"}, join(fields)) if fields else None,
    )
    if not accessory:
        return words
    side = control(accessory, Place(string(block, "block_id"), scene.names), scene)
    return el("div", {"class": "section-row"}, words, el("div", {"class": "section-accessory"}, side))


def _header(block: Json, scene: Scene) -> Markup:
    level = block.get("level")
    tag = _LEVELS.get(level, "h3") if isinstance(level, int) else "h3"
    return el(tag, {"class": "header-text"}, mrkdwn.text(obj(block, "text"), scene.names))


def _divider(block: Json, scene: Scene) -> Markup:
    return el("hr")


def _image(block: Json, scene: Scene) -> Markup:
    title = obj(block, "title")
    caption = el("figcaption", None, mrkdwn.text(title, scene.names)) if title else None
    return el("figure", None, caption, picture(block))


def _context(block: Json, scene: Scene) -> Markup:
    shown = []
    for element in _objects(block, "elements"):
        if string(element, "type") == "image":
            shown.append(picture(element))
        elif string(element, "type") in ("mrkdwn", "plain_text"):
            shown.append(el("span", {"class": "context-text"}, mrkdwn.text(element, scene.names)))
        else:
            shown.append(unsupported(string(element, "type")))
    return join(shown)


def _actions(block: Json, scene: Scene) -> Markup:
    place = Place(string(block, "block_id"), scene.names)
    return join(control(element, place, scene) for element in seq(block, "elements"))


def _input(block: Json, scene: Scene) -> Markup:
    """A label, a control, its error and its hint, tied together for screen readers."""
    block_id, identity = string(block, "block_id"), scene.new_id()
    error, hint = scene.errors.get(block_id, ""), obj(block, "hint")
    optional = flag(block, "optional")
    described = [f"{identity}-error"] + ([f"{identity}-hint"] if hint else [])
    place = Place(
        block_id,
        scene.names,
        field_id=identity,
        described_by=" ".join(described),
        invalid=bool(error),
        required=not optional,
        input=True,
        dispatches=flag(block, "dispatch_action"),
    )
    label = [
        mrkdwn.text(obj(block, "label"), scene.names),
        el("span", {"class": "optional"}, " (optional)") if optional else None,
    ]
    return join(
        [
            el("label", {"for": identity, "id": f"{identity}-label", "class": "input-label"}, *label),
            control(obj(block, "element"), place, scene),
            el("p", {"class": "input-error", "id": described[0], "role": "alert", "hidden": not error}, error),
            el("p", {"class": "input-hint", "id": described[1]}, mrkdwn.text(hint, scene.names)) if hint else None,
        ]
    )


def _container(block: Json, scene: Scene, depth: int) -> Markup:
    rich = obj(block, "rich_text_title")
    title = rich_text(rich, scene.names) if rich else mrkdwn.text(obj(block, "title"), scene.names)
    subtitle = obj(block, "subtitle")
    icon = obj(block, "icon")
    head = [
        picture(icon) if icon else None,
        el("span", {"class": "container-title"}, title),
        el("span", {"class": "container-subtitle"}, mrkdwn.text(subtitle, scene.names)) if subtitle else None,
    ]
    inner = el(
        "div",
        {"class": "container-blocks"},
        blocks(seq(block, "child_blocks"), scene, depth + 1, string(block, "block_id")),
    )
    if not flag(block, "is_collapsible"):
        return el("section", {"class": "container"}, el("div", {"class": "container-head"}, *head), inner)
    opened = not flag(block, "default_collapsed")
    return el(
        "details", {"class": "container", "open": opened}, el("summary", {"class": "container-head"}, *head), inner
    )


def _carousel(block: Json, scene: Scene) -> Markup:
    outer = {"block_id": string(block, "block_id")}
    cards = [card({**outer, **element}, scene) for element in _objects(block, "elements")]
    return el("div", {"class": "carousel", "tabindex": "0", "role": "region", "aria-label": "Cards"}, join(cards))


def _objects(block: Json, key: str) -> list[Json]:
    return [item for item in seq(block, key) if isinstance(item, Mapping)]


_KINDS: Final[Mapping[str, _Block]] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "image": _image,
    "context": _context,
    "actions": _actions,
    "context_actions": _actions,
    "input": _input,
    "carousel": _carousel,
    "alert": alert,
    "card": card,
    "task_card": task_card,
    "plan": plan,
    "video": video,
    "file": file,
    "rich_text": lambda block, scene: rich_text(block, scene.names),
    "markdown": lambda block, scene: markdown(string(block, "text")),
    "table": lambda block, scene: table(block, scene.names),
    "data_table": lambda block, scene: data_table(block, scene.names),
}
