"""Cards, alerts, tasks, plans, videos and remote files as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from markupsafe import Markup

from bot.sandbox.slack.render import mrkdwn
from bot.sandbox.slack.render.controls import Place, control, picture
from bot.sandbox.slack.render.html import anchor, el, join
from bot.sandbox.slack.render.names import Scene
from bot.sandbox.slack.render.reading import Json, obj, seq, string
from bot.sandbox.slack.render.richtext import rich_text

_LEVELS: Final = {
    "default": "💬",
    "info": "\N{INFORMATION SOURCE}\ufe0f",
    "warning": "⚠️",
    "error": "⛔",
    "success": "✅",
}
_STATES: Final = {"pending": "○", "in_progress": "◔", "complete": "✓", "error": "✕"}


def alert(block: Json, scene: Scene) -> Markup:
    """A coloured note; its level is also said in words for those who don't see the colour."""
    level = string(block, "level") if string(block, "level") in _LEVELS else "default"
    sign = el("span", {"class": "alert-sign", "role": "img", "aria-label": level}, _LEVELS[level])
    words = el("div", None, mrkdwn.text(obj(block, "text"), scene.names))
    return el("div", {"class": f"alert alert-{level}", "role": "note"}, sign, words)


def card(block: Json, scene: Scene) -> Markup:
    """A picture, a title, a few words and buttons in a box."""
    hero, icon = obj(block, "hero_image"), obj(block, "icon")
    place = Place(string(block, "block_id"), scene.names)
    buttons = [control(button, place, scene) for button in seq(block, "actions")]
    words = [
        el("div", {"class": f"card-{key}"}, mrkdwn.text(obj(block, key), scene.names))
        for key in ("title", "subtitle", "body")
        if obj(block, key)
    ]
    return el(
        "article",
        {"class": "card"},
        el("div", {"class": "card-hero"}, picture(hero)) if hero else None,
        el("div", {"class": "card-icon"}, picture(icon)) if icon else None,
        *words,
        el("div", {"class": "card-actions"}, join(buttons)) if buttons else None,
    )


def task_card(block: Json, scene: Scene) -> Markup:
    """One task with its state, details, output and sources."""
    status = string(block, "status") if string(block, "status") in _STATES else "pending"
    sign = el("span", {"class": "task-sign", "role": "img", "aria-label": status.replace("_", " ")}, _STATES[status])
    parts = [rich_text(obj(block, key), scene.names) for key in ("details", "output") if obj(block, key)]
    sources = [anchor(string(source, "url"), string(source, "text")) for source in seq(block, "sources")]
    return el(
        "div",
        {"class": f"task task-{status.replace('_', '-')}"},
        el("div", {"class": "task-title"}, sign, string(block, "title")),
        *parts,
        el("div", {"class": "task-sources"}, join(sources, Markup(" · "))) if sources else None,
    )


def plan(block: Json, scene: Scene) -> Markup:
    """A titled list of tasks."""
    tasks = [el("li", None, task_card(task, scene)) for task in seq(block, "tasks") if isinstance(task, Mapping)]
    return el(
        "section",
        {"class": "plan"},
        el("div", {"class": "plan-title"}, string(block, "title")),
        el("ol", None, join(tasks)),
    )


def video(block: Json, scene: Scene) -> Markup:
    """A video as its title and thumbnail with a link; nothing is embedded."""
    title = mrkdwn.text(obj(block, "title"), scene.names)
    thumbnail = picture({"image_url": string(block, "thumbnail_url"), "alt_text": string(block, "alt_text")})
    about = " · ".join(filter(None, (string(block, "author_name"), string(block, "provider_name"))))
    return el(
        "figure",
        {"class": "video"},
        el("figcaption", None, anchor(string(block, "title_url") or string(block, "video_url"), title)),
        el("div", {"class": "video-about"}, about) if about else None,
        el("div", None, mrkdwn.text(obj(block, "description"), scene.names)) if obj(block, "description") else None,
        anchor(string(block, "video_url"), thumbnail),
    )


def file(block: Json, scene: Scene) -> Markup:
    """A remote file by its id; local Slack stores no remote files."""
    return el("div", {"class": "remote-file"}, "📄 Remote file ", el("code", None, string(block, "external_id")))
