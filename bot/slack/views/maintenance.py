"""Maintenance windows as people are told of them, and as they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.events import BOT
from bot.domain.maintenance import Occurrence, Stage
from bot.domain.operations import Window
from bot.slack.views import kit, spell
from bot.slack.views.kit import Element, Message, Part
from bot.slack.views.plain import notice
from bot.slack.views.text import clip, clip_cost, escape, one_line

_WHEN = "{date_short} {time}"
_HEADS: Mapping[Stage, str] = {
    Stage.ANNOUNCED: "Maintenance ahead",
    Stage.STARTED: "Maintenance has begun",
    Stage.ENDED: "Maintenance is over",
}


def window_message(occurrence: Occurrence, stage: Stage, system: str, text: str = "") -> Message:
    """What is said of a window at one of its stages, with the system's own words for it, if it has any."""
    never = stage is Stage.ENDED and occurrence.ended_at is not None and occurrence.ended_at < occurrence.starts_at
    head = "Maintenance is called off" if never else _HEADS[stage]
    title = f"{head}: {occurrence.title}, {system}"
    lines = [kit.line(*_when(occurrence, stage))]
    if stage is not Stage.ENDED:
        lines.append(kit.line(kit.t(_muting(occurrence))))
    blocks = [kit.header(title), kit.rich(*lines)]
    if text.strip():
        blocks.append(kit.rich({"type": "rich_text_quote", "elements": [kit.t(clip_cost(text.strip(), 2_500))]}))
    return Message(kit.fitted([Part([block], 90 - place) for place, block in enumerate(blocks)]), notice(title))


def _when(occurrence: Occurrence, stage: Stage) -> list[Element]:
    if stage is Stage.ENDED:
        by = [kit.t(", ended by "), kit.person(occurrence.ended_by)] if occurrence.ended_by not in ("", BOT) else []
        return [*_span(occurrence), *by, kit.t(".")]
    by = [kit.t(", opened by "), kit.person(occurrence.opened_by)] if occurrence.opened_by not in ("", BOT) else []
    return [*_span(occurrence), *by, kit.t(".")]


def _span(occurrence: Occurrence) -> list[Element]:
    until = min(occurrence.ended_at or occurrence.ends_at, occurrence.ends_at)
    if until < occurrence.starts_at:
        return [kit.t("It was planned for "), kit.moment(occurrence.starts_at, _WHEN)]
    return [kit.moment(occurrence.starts_at, _WHEN), kit.t(" to "), kit.moment(until, _WHEN)]


def _muting(occurrence: Occurrence) -> str:
    if not occurrence.mutes:
        return "While it lasts no monitor pages anybody."
    return f"While it lasts {spell.count(len(occurrence.mutes), 'monitor pages', 'monitors page')} nobody."


def windows_message(
    occurrences: Sequence[Occurrence], known: Mapping[str, Mapping[str, Window]], now: datetime
) -> Message:
    """What is open and what is announced, and what can be opened by hand; `known` are the windows by system."""
    lines = [_line(each, now) for each in occurrences] or ["No maintenance is held or announced."]
    hands = [
        f"`/runbook maintenance {escape(system)} {escape(key)}`  {escape(clip(one_line(window.title), 80))}"
        + ("" if window.lasts is None else f", {spell.coarse(window.lasts)}")
        for system, windows in known.items()
        for key, window in windows.items()
    ]
    parts = [Part([kit.section("\n".join(lines)[:2_900])], 90)]
    parts += [Part([kit.section(("*Opened by hand*\n" + "\n".join(hands))[:2_900])], 80)] if hands else []
    return Message(
        kit.fitted(parts), notice(f"Maintenance: {spell.count(len(occurrences), 'window')} open or announced")
    )


def _line(each: Occurrence, now: datetime) -> str:
    state = "open until" if each.open(now) else "announced for"
    at = each.ends_at if each.open(now) else each.starts_at
    by = f", opened by {kit.mention(each.opened_by)}" if each.opened_by not in ("", BOT) else ""
    title = escape(clip(one_line(each.title), 80))
    return f"*{title}* of {escape(each.system)}: {state} {kit.moment_mrkdwn(at, _WHEN)}{by}"


def changed_message(occurrence: Occurrence, *, opened: bool) -> Message:
    """The answer to whoever opened or ended a window."""
    title = escape(clip(one_line(occurrence.title), 80))
    if opened:
        said = f"«{title}» is open until {kit.moment_mrkdwn(occurrence.ends_at, _WHEN)}. {_muting(occurrence)}"
    else:
        said = f"«{title}» is ended. What is still wrong pages at its next look."
    return Message([kit.section(said)], said)
