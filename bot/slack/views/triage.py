"""What triage came to: the runbooks whose findings hold, each with what it found and a button to start it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.domain.triage import Suspect, Triaged
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit, spell
from bot.slack.views.kit import Block, Message, Part
from bot.slack.views.plain import notice
from bot.slack.views.text import clip, clip_cost, escape, one_line

_SHOWN, _SAID, _FAILED = 8, 3, 4


def triage_message(triaged: Triaged) -> Message:
    """The suspects in their order; what could not be looked at, so that "nothing found" is never taken for more."""
    named = ", ".join(f"{name} {spell.value(value)}" for name, value in triaged.known.items()) or "nobody in particular"
    tried = f"{spell.count(triaged.runbooks, 'runbook')}, {spell.count(triaged.checks, 'check')}"
    about = f"{escape(clip(one_line(named), 400))} · {tried} in {spell.duration(triaged.took)}"
    found = triaged.suspects
    count = spell.count(len(found), "cause") if found else "no cause"
    lead = f"{triaged.system}: {count} found"
    parts = [Part([kit.header(lead), kit.context(about)], 100)]
    parts += [Part(_suspect(place, each), 90 - place) for place, each in enumerate(found[:_SHOWN], 1)]
    if len(found) > _SHOWN:
        parts.append(Part([kit.context(f"… and {len(found) - _SHOWN} more.")], 60))
    if not found:
        hint = "No finding of the runbooks that could be tried calls for anything. Search with /runbook and a symptom."
        parts.append(Part([kit.rich(kit.line(kit.t(hint)))], 95))
    parts += _not_seen(triaged)
    names = ", ".join(f"{each.runbook.id} {each.runbook.title}" for each in found[:3])
    return Message(kit.fitted(parts), notice(f"{lead}{f': {names}' if names else ''}"))


def _suspect(place: int, suspect: Suspect) -> list[Block]:
    runbook = suspect.runbook
    title = kit.line(
        kit.t(f"{place}. {runbook.id} ", bold=True),
        kit.t(clip(one_line(runbook.title), 120), bold=True),
        kit.t(f" · {runbook.severity}"),
    )
    lines = [kit.line(kit.t(clip_cost(one_line(each.say), 400))) for each in suspect.conclusions[:_SAID]]
    ref = Ref(runbook=runbook.id, inputs=_carried(suspect))
    begin = kit.button(f"Start {runbook.id}", Verb.TAKE_UP, ref, discriminator=runbook.id, style="primary")
    return [kit.rich(title, *lines), *kit.actions([begin], block_id=f"triage-{runbook.id}")]


def _carried(suspect: Suspect) -> str:
    """The inputs as they would be typed."""
    given = {
        name: value.isoformat() if hasattr(value, "isoformat") else str(value)
        for name, value in suspect.inputs.items()
        if value is not None
    }
    return json.dumps(given, ensure_ascii=False) if given else ""


def _not_seen(triaged: Triaged) -> list[Part]:
    said: Sequence[str] = [clip(one_line(each), 200) for each in triaged.failed[:_FAILED]]
    more = len(triaged.failed) - len(said)
    lines = [f"⚠ {escape(each)}" for each in said] + ([f"… and {more} more looks failed"] if more > 0 else [])
    if triaged.unfinished:
        lines.append(f"⚠ {spell.count(triaged.unfinished, 'runbook')} took too long and told nothing")
    return [Part([kit.context("\n".join(lines))], 97)] if lines else []
