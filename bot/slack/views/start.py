"""Finding and starting runbooks: list, search, suggestions for what was misspelt, help, and the form of inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.blockkit import limits
from bot.domain.incident import Incident
from bot.domain.proof import Proven
from bot.domain.run import Run
from bot.domain.runbook import Runbook
from bot.domain.system import System
from bot.slack import forms
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit, spell
from bot.slack.views.kit import Block, Message, Part, View
from bot.slack.views.plain import notice
from bot.slack.views.proven import MARK, proven_head, proven_line
from bot.slack.views.question import inputs
from bot.slack.views.run import run_line
from bot.slack.views.text import clip, clip_cost, escape, one_line

_LISTED, _FOUND = 100, 8


class StartedRun(Protocol):
    """A run that was started and its incident; `again` when it had been started before by the same command."""

    @property
    def run(self) -> Run: ...
    @property
    def incident(self) -> Incident: ...
    @property
    def again(self) -> bool: ...


# -- lists -------------------------------------------------------------------------------------------------------------


def list_message(
    runbooks: Sequence[Runbook], systems: Mapping[str, System], proven: Mapping[str, Proven] | None = None
) -> Message:
    """Every runbook by system, one line each; those whose proof is stale are marked."""
    known = proven or {}
    stale = {id for id, each in known.items() if each.stale}
    parts = []
    for system in dict.fromkeys(runbook.system for runbook in runbooks):
        own = [runbook for runbook in runbooks if runbook.system == system]
        title = systems[system].title if system in systems else system
        lines = [kit.line(kit.t(clip_cost(one_line(title), 150), bold=True))]
        lines.append(kit.bullets([[kit.t(_line(each, each.id in stale))] for each in own[:_LISTED]]))
        if len(own) > _LISTED:
            lines.append(kit.line(kit.t(f"… and {len(own) - _LISTED} more: search by symptom")))
        parts.append(Part([kit.rich(*lines)], 50))
    count = spell.count(len(runbooks), "runbook")
    hint = "Start one with `/runbook RB-011`, or search with words: `/runbook search still on the free tier`."
    head = Part([kit.header(count), kit.context(*filter(None, (hint, proven_head(known))))], 100)
    return Message(kit.fitted([head, *parts]), notice(f"{count}. {hint.replace('`', '')}"))


def found_message(words: str, found: Sequence[Runbook]) -> Message:
    """What fits a symptom, best first, each with its button."""
    asked = clip(one_line(words), 100)
    parts = [Part([kit.rich(kit.line(kit.t("Runbooks for "), kit.t(f"«{asked}»", bold=True)))], 100)]
    parts += [Part(_offered(runbook), 90 - place) for place, runbook in enumerate(found[:_FOUND])]
    if len(found) > _FOUND:
        parts.append(Part([kit.context(f"… and {len(found) - _FOUND} more: add a word to narrow it down.")], 95))
    names = ", ".join(f"{runbook.id} {runbook.title}" for runbook in found[:3])
    return Message(kit.fitted(parts), notice(f"Runbooks for «{asked}»: {names}"))


def suggest_message(words: str, close: Sequence[Runbook]) -> Message:
    """Nothing of that name: the nearest ones."""
    asked = clip(one_line(words), 100)
    if not close:
        said = f"No runbook fits «{asked}». /runbook list shows all of them."
        return Message([kit.rich(kit.line(kit.t(said)))], notice(said))
    lead = f"There is no runbook «{asked}». Did you mean one of these?"
    parts = [Part([kit.rich(kit.line(kit.t(lead)))], 100)]
    parts += [Part(_offered(runbook), 90 - place) for place, runbook in enumerate(close[:5])]
    return Message(kit.fitted(parts), notice(f"{lead} {', '.join(runbook.id for runbook in close[:5])}"))


def _line(runbook: Runbook, stale: bool = False) -> str:
    minutes = spell.coarse(runbook.resolve_within)
    said = clip_cost(one_line(f"{runbook.id}  {runbook.title}  ({runbook.severity}, {minutes})"), 160)
    return f"{said} {MARK}" if stale else said


def _offered(runbook: Runbook) -> list[Block]:
    symptoms = "; ".join(map(one_line, runbook.symptoms[:3]))
    pieces = [kit.t(_line(runbook), bold=True)]
    pieces += [kit.t(f"\n{clip_cost(symptoms, 240)}")] if symptoms else []
    ref = Ref(runbook=runbook.id)
    buttons = [kit.button("Start…", Verb.START, ref, style="primary"), kit.button("Show", Verb.SHOW, ref)]
    return [kit.rich(kit.line(*pieces)), *kit.actions(buttons)]


def runbook_message(runbook: Runbook, proven: Proven | None = None) -> Message:
    """What a runbook is for, looks at and can change, and how far it is proven."""
    lines = [kit.line(kit.t(clip_cost(one_line(runbook.summary), 600)))] if runbook.summary else []
    if runbook.symptoms:
        lines.append(kit.line(kit.t("Symptoms", bold=True)))
        lines.append(kit.bullets([[kit.t(clip_cost(one_line(each), 200))] for each in runbook.symptoms[:8]]))
    if runbook.checks:
        looks = [clip(one_line(check.title), 80) for check in runbook.checks.values()]
        lines.append(kit.line(kit.t("Looks at  ", bold=True), kit.t(clip_cost(spell.listed(looks, 12), 900))))
    if runbook.actions:
        changes = [clip(one_line(action.title), 80) for action in runbook.actions.values()]
        lines.append(kit.line(kit.t("Can change  ", bold=True), kit.t(clip_cost(spell.listed(changes, 12), 900))))
        lines.append(kit.line(kit.t("Nothing is changed without approval.", italic=True)))
    if runbook.inputs:
        asks = [clip(one_line(each.name), 60) for each in runbook.inputs]
        lines.append(kit.line(kit.t("Asks for  ", bold=True), kit.t(clip_cost(spell.listed(asks, 12), 600))))
    target = f"{runbook.severity} · to be resolved within {spell.coarse(runbook.resolve_within)}"
    blocks = [kit.header(f"{runbook.id} {runbook.title}"), kit.context(target)]
    blocks += _proven(proven)
    blocks += [kit.rich(*lines)] if lines else []
    blocks += kit.actions([kit.button("Start…", Verb.START, Ref(runbook=runbook.id), style="primary")])
    return Message(kit.fitted([Part(blocks)]), notice(f"{runbook.id} {runbook.title}: {target}"))


# -- starting ----------------------------------------------------------------------------------------------------------


def _proven(proven: Proven | None) -> list[Block]:
    return [] if proven is None else [kit.context(proven_line(proven))]


def start_modal(
    runbook: Runbook,
    values: Mapping[str, str],
    channel: str,
    problems: Mapping[str, str] | None = None,
    proven: Proven | None = None,
) -> View:
    """The inputs of a runbook; what was typed already is filled in, what is wrong with it is said above."""
    blocks: list[Block] = [kit.rich(kit.line(kit.t(_line(runbook), bold=True)))]
    if runbook.summary:
        blocks.append(kit.rich(kit.line(kit.t(clip_cost(one_line(runbook.summary), 600)))))
    blocks += _proven(proven)
    for name, problem in list((problems or {}).items())[:5]:
        said = kit.t(clip_cost(f"⚠ {one_line(name)}: {one_line(problem)}", 300), bold=True)
        blocks.append(kit.rich(kit.line(said)))
    unknown = [name for name in values if runbook.input(name) is None]
    if unknown:
        blocks.append(kit.context(f"⚠ Not an input of this runbook: {escape(clip(spell.listed(unknown), 300))}"))
    blocks += inputs(runbook.inputs, values)
    if not runbook.inputs:
        blocks.append(kit.context("This runbook asks for nothing."))
    blocks.append(kit.context("Only looks at first; changes need approval."))
    ref = Ref(runbook=runbook.id, channel=channel)
    return kit.modal(Verb.START, f"Start {runbook.id}", blocks, ref=ref, submit="Start", close="Cancel")


def message_modal(runbooks: Sequence[Runbook], text: str, channel: str) -> View:
    """ "Run a runbook on this": which one? The ones that fit the message come first."""
    quoted = clip_cost(one_line(text), 400)
    blocks: list[Block] = []
    if quoted:
        blocks.append(kit.rich({"type": "rich_text_quote", "elements": [kit.t(quoted)]}))
    options = [kit.option(_line(runbook), forms.option_value(runbook.id)) for runbook in runbooks]
    if not options:
        return kit.modal(Verb.SHOW, "Run a runbook", [kit.context("There are no runbooks.")], ref=Ref(channel=channel))
    menu = {"type": "static_select", "action_id": "value", "options": options[: limits.SELECT_OPTIONS]}
    blocks.append(kit.input_block("runbook", "Runbook", menu))
    ref = Ref(channel=channel)
    return kit.modal(Verb.RUNBOOK_ON_MESSAGE, "Run a runbook", blocks, ref=ref, submit="Next", close="Cancel")


def loading_modal(title: str) -> View:
    """Something to open while what it will show is being read, as a trigger lives three seconds only."""
    return kit.modal(Verb.SHOW, title, [kit.context("One moment …")], ref=Ref())


def started_message(started: StartedRun, proven: Proven | None = None) -> Message:
    """A run is on its way, and where to see it; and how far its runbook is proven."""
    run, incident = started.run, started.incident
    where = f" in <#{incident.channel}>" if incident.channel else ""
    said = f"{'Already started' if started.again else 'Started'}: {run_line(run)}{where}."
    return Message(
        [kit.section(said), *_proven(proven)], notice(f"Started {run.runbook} {run.title}, run {run.number}")
    )


def status_message(runs: Sequence[Run]) -> Message:
    """Runs, one line each."""
    if not runs:
        said = "No run is under way."
        return Message([kit.rich(kit.line(kit.t(said)))], said)
    parts = [
        Part([kit.section(f"{run_line(run)}{_reasoned(run)}")], 100 - place) for place, run in enumerate(runs[:40])
    ]
    more = len(runs) - len(parts)
    parts += [Part([kit.context(f"… and {more} more.")], 1)] if more > 0 else []
    first = runs[0]
    said = f"{first.runbook} {first.title}, run {first.number}: {first.state}"
    return Message(kit.fitted(parts), notice(said if len(runs) == 1 else f"{spell.count(len(runs), 'run')} under way"))


def _reasoned(run: Run) -> str:
    current = run.current
    reason = current.reason if current is not None and current.reason else run.reason
    return f"\n{escape(clip(one_line(reason), 200))}" if reason else ""


def help_message() -> Message:
    """Everything the bot understands."""
    lines = [
        "*Runbook Bot* runs incident runbooks: it looks, says what it found, and changes nothing without a yes.",
        "`/runbook` lists all · `/runbook RB-011 business_id=…` starts one · `/runbook search words` finds one",
        "`/runbook triage email=…` looks for the cause when nobody knows which runbook it is",
        "`/runbook show RB-011` · `/runbook status` · `/runbook status 12` · `/runbook cancel 12`",
        "`/runbook monitors` shows what is watched · `/runbook maintenance` the windows that mute it",
        "`/runbook calendar` says what comes round next and what is open of the time before",
        "`/incident` status · `/incident note …` · `/incident escalate …` · `/incident resolve`",
        "In a thread, where commands do not work: mention me with the symptom, or use the message shortcut.",
    ]
    return Message([kit.section("\n".join(lines))], "Runbook Bot: /runbook lists all, /incident shows the incident.")
