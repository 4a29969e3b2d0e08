"""What an incident tells by itself: digests, where it stands for newcomers, updates for stakeholders, its timeline."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.domain.incident import Incident
from bot.domain.timeline import Recorded, timeline
from bot.runs.shown import RunShown
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit, spell
from bot.slack.views.incident import clock_line, event_line, titles, waited_for
from bot.slack.views.kit import Block, Element, Message, Part
from bot.slack.views.plain import notice
from bot.slack.views.text import clip, clip_cost, escape, one_line
from bot.slack.views.words import sentence

_NEWS, _ENTRIES, _CAUSES = 8, 40, 3
_MENTION = re.compile(r"<@([UW][A-Z0-9]{2,20})>")


def digest(
    incident: Incident,
    runs: Sequence[RunShown],
    lines: Sequence[Recorded],
    now: datetime,
    names: Mapping[str, str] | None = None,
) -> Message:
    """What has happened since the last digest (`lines`), and what stands now. People are called by `names`, by id: a
    mention would ring at each of them every time."""
    news = timeline(lines)
    left = len(news) - _NEWS
    said = [event_line(line, titles(runs)) for line in news[-_NEWS:]]
    said = [f"… and {spell.count(left, 'earlier entry', 'earlier entries')}", *said] if left > 0 else said
    parts = [Part([kit.context(f"*Digest* · {clock_line(incident, now)}")], 100)]
    parts += [Part([kit.section(clip("\n".join(said), 2_800))], 90)] if said else []
    parts += [Part([kit.rich(*stands)], 95)] if (stands := _stands(runs)) else []
    blocks: list[Block] = _quiet(kit.fitted(parts), names or {})
    return Message(blocks, notice(f"{incident.label} {incident.title}: {_shortly(incident, runs, now)}"))


def _quiet(data: Any, names: Mapping[str, str]) -> Any:
    """The same with people's names in place of mentions."""
    match data:
        case str():
            return _MENTION.sub(lambda found: f"@{escape(one_line(names.get(found[1], found[1])))}", data)
        case list():
            return [_quiet(each, names) for each in data]
        case dict():
            return {key: _quiet(value, names) for key, value in data.items()}
        case _:
            return data


def where_we_are(incident: Incident, runs: Sequence[RunShown], lines: Sequence[Recorded], now: datetime) -> Message:
    """For somebody who has just come: what is wrong, what is known, what is waited for, and the last entries."""
    entries = [event_line(line, titles(runs)) for line in timeline(lines)][-5:]
    head = f"Where we are: {incident.label} {incident.title}"
    parts = [Part([kit.header(head), kit.context(clock_line(incident, now))], 100)]
    parts += [Part([kit.rich(*stands)], 95)] if (stands := _stands(runs)) else []
    parts += [Part([kit.section("*What happened last*\n" + clip("\n".join(entries), 2_700))], 80)] if entries else []
    parts.append(Part([kit.context("Only you see this. The pinned message always says how it stands.")], 70))
    return Message(kit.fitted(parts), notice(f"{head}: {_shortly(incident, runs, now)}"))


def timeline_message(incident: Incident, runs: Sequence[RunShown], lines: Sequence[Recorded]) -> Message:
    """The timeline with what was said before a correction, and the button that corrects."""
    entries = timeline(lines)
    told = [piece for line in entries[-_ENTRIES:] for piece in _with_history(line, titles(runs))]
    head = f"The timeline of {incident.label}"
    left = len(entries) - _ENTRIES
    more = [kit.context(f"… and {left} before these; the summary's file has all of them.")] if left > 0 else []
    parts = [Part([kit.header(head), *more], 100)]
    parts += [Part([kit.section(piece)], 10 + place) for place, piece in enumerate(_in_pieces(told))]
    parts.append(Part(kit.actions([kit.button("Correct an entry…", Verb.CORRECT, Ref(incident=incident.id))]), 99))
    return Message(kit.fitted(parts), notice(head))


def _in_pieces(lines: Sequence[str]) -> list[str]:
    """The lines in as few sections as they fit into."""
    pieces: list[str] = []
    for line in lines:
        if pieces and len(pieces[-1]) + len(line) < 2_800:
            pieces[-1] += f"\n{line}"
        else:
            pieces.append(clip(line, 2_800))
    return pieces


def _with_history(line: Recorded, named: Mapping[str, str]) -> list[str]:
    return [event_line(line, named), *(f"        before: {each}" for each in before(line, named))]


def before(line: Recorded, named: Mapping[str, str]) -> list[str]:
    """What a corrected entry said before, oldest first, as mrkdwn."""
    said = []
    for each in line.data.get("before") or ():
        words = sentence(each, named) if "kind" in each else f"{escape(str(each.get('text')))} ({_who(each)})"
        said.append(clip(words, 300))
    return said


def _who(each: Mapping[str, Any]) -> str:
    return f"corrected by {kit.mention(str(each.get('actor')))}"


def _stands(runs: Sequence[RunShown]) -> list[Element]:
    """What was found and what is waited for, a line each."""
    causes = list(dict.fromkeys(one_line(each.say) for shown in runs for each in shown.run.conclusions))
    lines = [kit.line(kit.t("Cause  ", bold=True), kit.t(clip_cost(said, 400))) for said in causes[:_CAUSES]]
    waits = [said for shown in runs if (said := waited_for(shown))]
    return [*lines, *(kit.line(kit.t("Open  ", bold=True), kit.t(said)) for said in waits[:_CAUSES])]


def _shortly(incident: Incident, runs: Sequence[RunShown], now: datetime) -> str:
    """How it stands in half a sentence."""
    spent = spell.against((incident.resolved_at or now) - incident.opened_at, incident.target)
    found = next((one_line(each.say) for shown in runs for each in shown.run.conclusions), "the cause is not known yet")
    return f"{incident.severity}, {incident.state}, {spent}; {found}"


def update_text(title: str, incident: Incident, runs: Sequence[RunShown], now: datetime) -> str:
    """What stakeholders are told about an incident of the system `title` where it has no template of its own. It holds
    no ids and no names of parts: whoever sends it adds what it means for customers."""
    known = next((one_line(each.say) for shown in runs for each in shown.run.conclusions), "")
    since = spell.coarse(now - incident.opened_at)
    lines = [
        f"{title}: {one_line(incident.title)}",
        f"Since {spell.day_and_time(incident.opened_at)} ({since}). Severity {incident.severity}, {incident.state}.",
        f"What we know: {known or 'we are looking for the cause.'}",
        "What it means for customers: ",
    ]
    if incident.digest_due is not None:
        lines.append(f"Next update by {spell.utc(incident.digest_due)} UTC.")
    return "\n".join(lines)


def update_message(incident: Incident, text: str, by: str) -> Message:
    """What somebody has told the stakeholders, where they read it."""
    parts = [Part([kit.section(clip(escape(text), 2_900))], 100)]
    parts.append(Part([kit.context(f"{incident.label} · {incident.severity} · told by {kit.mention(by)}")], 90))
    return Message(kit.fitted(parts), notice(text))


def moved_message(incident: Incident, why: str) -> Message:
    """The first words in the new channel of an incident whose old one was closed."""
    said = f"{incident.label} goes on here: its channel {incident.channel_name} {why}."
    more = " What was said there stays there; the timeline is whole."
    return Message([kit.rich(kit.line(kit.t("⚠ "), kit.t(clip(said, 300), bold=True), kit.t(more)))], notice(said))


def merged_message(incident: Incident, into: Incident) -> Message:
    """Said in the channel of an incident that has become part of another."""
    place = f"<#{into.channel}>" if into.channel else into.label
    said = f"{incident.label} is a duplicate of {into.label} and goes on in {place}. What runs here ends here."
    return Message([kit.section(said)], notice(said))


def unreached_message(to: str, via: str, problem: str) -> Message:
    """Somebody who was called does not know it."""
    said = f"{to} could not be reached by {via}: {problem} Please call them yourselves."
    return Message([kit.section(f"⚠ {escape(said)}")], notice(said))


def assigned_message(to: str, by: str, incident: Incident) -> Message:
    """Somebody is asked to lead."""
    said = f"{kit.mention(to)}, {kit.mention(by)} asks you to lead {incident.label}."
    ref = Ref(incident=incident.id)
    taken = kit.actions([kit.button("I'm on it", Verb.ACKNOWLEDGE, ref, style="primary")])
    return Message([kit.section(said), *taken], notice(f"You are asked to lead {incident.label}"))
