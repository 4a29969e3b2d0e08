"""An incident's own screens: the pinned headline, the topic, the status, the final summary and its forms."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.approval import Choice
from bot.domain.escalation import Climb
from bot.domain.events import BOT
from bot.domain.incident import Incident, IncidentState, Suggestion, topic
from bot.domain.run import ActionRun, ActionStatus
from bot.domain.system import spoken_name
from bot.domain.timeline import Recorded, timeline
from bot.runs.shown import RunShown
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit, spell
from bot.slack.views.kit import Block, Element, File, Message, Part, TextFile
from bot.slack.views.plain import notice, text_of
from bot.slack.views.text import clip, clip_cost, escape, one_line
from bot.slack.views.titles import action_title
from bot.slack.views.words import plain_sentence, sentence

_RUNS, _LINES = 8, 12


@dataclass(frozen=True, slots=True)
class Around:
    """The incidents around one: its duplicates, those it is linked with, and the one it was merged into."""

    merged: Sequence[Incident] = ()
    related: Sequence[Incident] = ()
    into: Incident | None = None


def headline(
    incident: Incident,
    runs: Sequence[RunShown],
    now: datetime,
    climb: Climb | None = None,
    around: Around | None = None,
) -> Message:
    """The pinned message: state, clock, who is on it or who is called next, what was found, what is waited for and by
    whom, when the next digest comes, and the incidents around it."""
    parts = [Part([kit.header(f"{incident.label} {incident.title}"), kit.context(clock_line(incident, now))], 100)]
    taken = incident.acknowledged_at is not None
    if incident.state is IncidentState.OPEN and not taken:
        parts.append(Part([kit.rich(kit.line(*_untaken(climb)))], 98))
    parts += [Part(_run_blocks(shown), 80 - place) for place, shown in enumerate(runs[:_RUNS])]
    if len(runs) > _RUNS:
        parts.append(Part([kit.context(f"… and {spell.count(len(runs) - _RUNS, 'more run')}.")], 40))
    beside = _beside(incident, around or Around())
    parts += [Part([kit.context(*beside)], 45)] if beside else []
    started = {shown.run.runbook for shown in runs}
    offered = [each for each in incident.suggestions if each.runbook not in started]
    if not runs and not offered:
        parts.append(Part([kit.context("No runbook is running. Start one with /runbook.")], 50))
    if incident.state is IncidentState.OPEN:
        parts += [Part(_suggested(each), 60 - place) for place, each in enumerate(offered)]
        ref = Ref(incident=incident.id)
        buttons = [
            None if taken else kit.button("I'm on it", Verb.ACKNOWLEDGE, ref, style="primary"),
            kit.button("Add a note…", Verb.NOTE, ref),
            kit.button("Escalate…", Verb.ESCALATE, ref),
            kit.button("Update…", Verb.UPDATE, ref),
            kit.button("Resolve", Verb.RESOLVE, ref, confirm=_sure_resolved()),
        ]
        parts.append(Part(kit.actions(buttons), 99))
    said = f"{incident.label} {incident.title}: {incident.severity}, {incident.state}"
    return Message(kit.fitted(parts), notice(said))


def _beside(incident: Incident, around: Around) -> list[str]:
    """When the next digest comes, and which incidents belong to this one."""
    said = []
    if incident.state is IncidentState.OPEN and incident.digest_due is not None:
        said.append(f"Next digest {kit.moment_mrkdwn(incident.digest_due)}, if something has happened.")
    if around.into is not None:
        said.append(f"Goes on in {_place(around.into)}.")
    if around.merged:
        said.append(f"Merged into this one: {', '.join(map(_place, around.merged))}.")
    if around.related:
        said.append(f"Related: {', '.join(f'{_place(each)} ({each.state})' for each in around.related)}.")
    return said


def _place(incident: Incident) -> str:
    """An incident by its label and its channel."""
    return f"{incident.label} <#{incident.channel}>" if incident.channel else incident.label


def _suggested(suggestion: Suggestion) -> list[Block]:
    """A runbook that what opened the incident speaks for, and the button that starts it."""
    ref = Ref(runbook=suggestion.runbook, inputs=json.dumps(dict(suggestion.inputs)) if suggestion.inputs else "")
    why = f": {clip(one_line(suggestion.why), 200)}" if suggestion.why else ""
    said = kit.rich(kit.line(kit.t(f"Suggested  {suggestion.runbook}", bold=True), kit.t(why)))
    return [said, *kit.actions([kit.button(f"Start {suggestion.runbook}", Verb.TAKE_UP, ref, style="primary")])]


def _untaken(climb: Climb | None) -> list[Element]:
    """That nobody is on it, and whom the clock calls next."""
    said = [kit.t("Nobody is on it yet. ", bold=True)]
    if climb is None:
        return [*said, kit.t("Nobody else is called by itself.")]
    return [*said, kit.t(f"Called next: {called(climb.rung.to)}, at "), kit.moment(climb.at), kit.t(".")]


def called(to: Sequence[str]) -> str:
    """Contacts and groups as people say them: "engineering manager, CTO"."""
    return ", ".join(clip(one_line(spoken_name(each)), 100) for each in to)


def _sure_resolved() -> Block:
    return kit.confirmation("Resolve the incident?", "The clock stops and the summary is posted.", "Resolve")


def clock_line(incident: Incident, now: datetime) -> str:
    """Severity, state, the clock against the target, who opened and who leads it, in one line of mrkdwn."""
    spent = (incident.resolved_at or now) - incident.opened_at
    lead = f" · led by {kit.mention(incident.commander)}" if incident.commander else ""
    by = "the bot" if incident.opened_by == BOT else kit.mention(incident.opened_by)
    opened = f"opened by {by} {kit.moment_mrkdwn(incident.opened_at, '{date_short} {time}')}"
    return f"{incident.severity} · *{incident.state}* · {spell.against(spent, incident.target)} · {opened}{lead}"


def topic_text(incident: Incident, runs: Sequence[RunShown], now: datetime) -> str:
    """The channel's topic, at most 250 characters; it says nothing that changes by the minute."""
    waited = next((said for shown in runs if (said := waited_for(shown))), "")
    found = next((one_line(shown.run.conclusions[0].say) for shown in runs if shown.run.conclusions), "")
    target = f"target {spell.utc(incident.due_at())}"
    return topic(incident, clip(" · ".join(filter(None, (one_line(incident.title), target, waited, found))), 240))


def waited_for(shown: RunShown) -> str:
    """Who owes what in a run, in a few words."""
    current = shown.run.current
    if current is not None and current.status is ActionStatus.REQUESTED:
        return f"run {shown.run.number} waits for approval{_of_whom(shown, current.key)}"
    if current is not None and current.status is ActionStatus.UNKNOWN:
        return f"run {shown.run.number} is in doubt: a person has to look"
    if shown.run.questions:
        return f"run {shown.run.number} waits for an answer"
    return ""


def _of_whom(shown: RunShown, key: str) -> str:
    """On whose word a request waits, and how many of them are still needed."""
    waiting = shown.approvals.get(key)
    if waiting is None:
        return ""
    policy = waiting.request.policy
    groups = " or ".join(name.replace("_", " ") for name in policy.groups)
    return f" by {spell.count(max(waiting.verdict.missing, 1), 'person', 'people')} of {groups}" if groups else ""


def _run_blocks(shown: RunShown) -> list[Block]:
    run = shown.run
    pieces: list[Element] = [kit.t(f"{run.runbook} ", bold=True), kit.t(clip(one_line(run.title), 120))]
    pieces.append(kit.t(f" · run {run.number} · {run.state}"))
    lines = [kit.line(*pieces)]
    lines += [kit.line(kit.t(clip_cost(one_line(each.say), 300))) for each in run.conclusions[:2]]
    owed = waited_for(shown)
    lines += [kit.line(kit.t(f"⏳ {owed}", bold=True))] if owed else []
    return [kit.rich(*lines)]


# -- status ------------------------------------------------------------------------------------------------------------


def status_of(incident: Incident, runs: Sequence[RunShown], audit: Sequence[Recorded], now: datetime) -> Message:
    """How an incident stands, for whoever asks: its headline and the last things that happened."""
    top = headline(incident, runs, now)
    happened = [event_line(line, titles(runs)) for line in timeline(audit)][-_LINES:]
    parts = [Part([block], 90) for block in top.blocks if block["type"] != "actions"]
    parts += [Part([kit.section("\n".join(happened)[:2_900])], 95)] if happened else []
    return Message(kit.fitted(parts), top.text)


def open_incidents_message(incidents: Sequence[Incident], now: datetime) -> Message:
    """Every open incident, one line each."""
    if not incidents:
        said = "No incident is open."
        return Message([kit.rich(kit.line(kit.t(said)))], said)
    parts = [Part([kit.section(incident_line(each, now))], 90 - place) for place, each in enumerate(incidents[:40])]
    return Message(kit.fitted(parts), notice(f"{spell.count(len(incidents), 'open incident')}"))


def incident_line(incident: Incident, now: datetime) -> str:
    """An incident in one line of mrkdwn, for anybody: of a private one not what it is about."""
    named = "" if incident.private else escape(incident.channel_name)
    where = f"<#{incident.channel}>" if incident.channel else named
    clock = spell.against((incident.resolved_at or now) - incident.opened_at, incident.target)
    title = "a private incident" if incident.private else escape(clip(one_line(incident.title), 100))
    return f"*{incident.label}* {title} · {incident.severity} · {incident.state} · {clock} {where}".rstrip()


def event_line(line: Recorded, named: Mapping[str, str]) -> str:
    """An entry of the timeline in one line of mrkdwn."""
    event = {"kind": line.kind, "actor": line.actor, "data": line.data}
    return f"{kit.moment_mrkdwn(line.at)}  {clip(sentence(event, named), 400)}"


def titles(runs: Sequence[RunShown]) -> dict[str, str]:
    """What checks and actions of these runs are called, by key."""
    named: dict[str, str] = {}
    for shown in runs:
        named |= {key: check.title for key, check in shown.runbook.checks.items()}
        named |= {key: action_title(shown, key) for key in (*shown.runbook.actions, *shown.run.actions)}
    return named


# -- the end -----------------------------------------------------------------------------------------------------------


def summary(incident: Incident, runs: Sequence[RunShown], audit: Sequence[Recorded], now: datetime) -> Message:
    """What happened, its cause, what was changed by whom and approved by whom, whether that was verified, how long it
    took against the target, and what is left to do. The whole timeline is in the file."""
    spent = (incident.resolved_at or now) - incident.opened_at
    met = "within the target" if spent <= incident.target else "over the target"
    took = f"{spell.against(spent, incident.target)}, {met}"
    causes = _unique(one_line(each.say) for shown in runs for each in shown.run.conclusions)
    changes = [row for shown in runs for action in shown.run.actions.values() if (row := _change(shown, action))]
    follow_ups = _unique(one_line(each) for shown in runs for each in shown.runbook.follow_ups)
    happened = [event_line(line, titles(runs)) for line in timeline(audit)]
    parts = [
        Part([kit.header(f"{incident.label} {incident.title}"), kit.context(clock_line(incident, now))], 100),
        Part(_listed("How long it took", [[kit.t(took)]]), 95),
        Part(_listed("Cause", [[kit.t(clip_cost(said, 400))] for said in causes] or [[kit.t("not found")]]), 94),
        Part(_listed("What was changed", changes or [[kit.t("nothing")]]), 93),
        Part(_listed("What is left to do", [[kit.t(clip_cost(said, 300))] for said in follow_ups]), 92),
    ]
    lines = happened[:4] + ([f"… {len(happened) - 10} more …"] if len(happened) > 10 else []) + happened[4:][-6:]
    if lines:
        parts.append(Part([kit.section("*What happened*\n" + clip("\n".join(lines), 2_800))], 60))
    blocks = kit.fitted(parts)
    whole = "\n".join(_plain_line(line, titles(runs)) for line in audit)
    text = f"{text_of(blocks)}\n\nTimeline\n{whole}\n"
    file = TextFile(f"{incident.label}-summary.txt", text.encode("utf-8", "replace"))
    words = f"{incident.label} {incident.title}: {incident.state}, {took}"
    return Message(blocks, notice(words), (file,))


def review_message(incident: Incident, files: Sequence[File]) -> Message:
    """The draft of the post-incident review and the evidence, as files, for people to finish together."""
    said = f"{incident.label}: the post-incident review is drafted"
    lines = [
        kit.line(kit.t(said, bold=True)),
        kit.line(
            kit.t(
                "It holds the timeline, what was found and what the runbooks recommend. Please add who was affected, "
            ),
            kit.t("what contributed, and an owner and a date to every action item."),
        ),
    ]
    return Message([kit.rich(*lines)], notice(said), tuple(files))


def plain_summary(message: Message) -> str:
    """The summary with its whole timeline as plain text."""
    return next((file.content.decode("utf-8") for file in message.files), text_of(message.blocks))


def _unique(texts: Any) -> list[str]:
    return list(dict.fromkeys(filter(None, texts)))


def _listed(title: str, rows: Sequence[Sequence[Element]]) -> list[Block]:
    if not rows:
        return []
    shown = list(rows[:10])
    more = [kit.line(kit.t(f"… and {len(rows) - 10} more"))] if len(rows) > 10 else []
    return [kit.rich(kit.line(kit.t(title, bold=True)), kit.bullets(shown), *more)]


def _change(shown: RunShown, action: ActionRun) -> list[Element]:
    """What an action did, who asked, who approved, and whether it was verified; nothing for what had no effect."""
    if not action.status.effected and action.status is not ActionStatus.UNKNOWN:
        return []
    receipt = shown.receipts.get(action.key)
    did = one_line(receipt.headline if receipt else action.headline)
    pieces = [kit.t(action_title(shown, action.key), bold=True), kit.t(f": {clip_cost(did, 300)}" if did else "")]
    approval = shown.approvals.get(action.key)
    asked = action.by or (approval.request.requested_by if approval else "")
    pieces += [kit.t(" · asked by "), kit.person(asked)] if asked else []
    votes = (approval.verdict.counted or approval.votes) if approval else ()
    yes = dict.fromkeys(vote.person.id for vote in votes if vote.choice is Choice.APPROVE)
    for place, user in enumerate(list(yes)[:5]):
        pieces += [kit.t(" · approved by " if place == 0 else ", "), kit.person(user)]
    pieces.append(kit.t(f" · {_proof(shown, action)}"))
    return [piece for piece in pieces if piece.get("text") != ""]


def _proof(shown: RunShown, action: ActionRun) -> str:
    if action.status is ActionStatus.UNKNOWN:
        return "not known whether it happened"
    if action.undone_by:
        return "taken back"
    if action.status is not ActionStatus.DONE:
        return "not verified"
    spec = shown.runbook.actions.get(action.key)
    return "verified" if spec is not None and spec.verify is not None and not action.reason else "done"


def _plain_line(line: Recorded, named: Mapping[str, str]) -> str:
    event = {"kind": line.kind, "actor": line.actor, "data": line.data}
    return f"{spell.day_and_time(line.at)}  {plain_sentence(event, named)}"


# -- forms -------------------------------------------------------------------------------------------------------------


def escalation(
    incident: Incident,
    runs: Sequence[RunShown],
    to: Sequence[Element],
    why: str,
    waited: timedelta,
    now: datetime,
    *,
    reached: bool = True,
) -> Message:
    """The call to the next people of a ladder: who is called, why, and how things stand, so that they need not ask.
    `why` is a person's reason, or empty when the clock calls them after `waited`; `reached` is whether there is anybody
    to hear it."""
    unasked = f"nobody is on it after {spell.coarse(waited)}" if waited >= timedelta(minutes=1) else "nobody is on it"
    listed = [element for place, each in enumerate(to) for element in ([kit.t(", ")] if place else []) + [each]]
    lines = [
        [kit.t("Called  ", bold=True), *listed],
        [kit.t("Why  ", bold=True), kit.t(clip(why, 1_000) or f"{unasked[:1].upper()}{unasked[1:]}.")],
    ]
    if not reached:
        lines.append([kit.t("Nobody of them can be reached: there is no active member. The next are called at once.")])
    lines += [
        [kit.t("Cause  ", bold=True), kit.t(clip(each.say, 500))]
        for shown in runs
        for each in shown.run.conclusions[:2]
    ]
    lines += [[kit.t("Open  ", bold=True), *kit.spoken(owed)] for shown in runs if (owed := waited_for(shown))]
    blocks = [kit.header(f"{incident.label} {incident.title}"), kit.context(clock_line(incident, now))]
    blocks += [kit.rich(kit.line(*line)) for line in lines]
    if incident.acknowledged_at is None and incident.state is IncidentState.OPEN:
        ref = Ref(incident=incident.id)
        blocks += kit.actions([kit.button("I'm on it", Verb.ACKNOWLEDGE, ref, style="primary")])
    elif incident.acknowledged_by:
        blocks.append(kit.rich(kit.line(kit.person(incident.acknowledged_by), kit.t(" is on it."))))
    return Message(kit.fitted([Part(blocks)]), notice(f"{incident.label} {incident.title}: {why or unasked}"))


def incident_help() -> Message:
    """What /incident understands."""
    said = (
        "`/incident open` opens one · in the incident's own channel: `/incident` shows how it stands · "
        "`/incident ack` says that you are on it · `/incident note …` puts your words on the timeline · "
        "`/incident escalate …` calls the next people of its ladder · `/incident assign @somebody` asks them to lead · "
        "`/incident severity P1` changes how bad it is · `/incident timeline` shows and corrects what happened · "
        "`/incident update` tells the stakeholders · `/incident items` shows what is left to do · "
        "`/incident merge 12` makes it a duplicate of another · "
        "`/incident link 12` points at a related one · `/incident resolve` ends it, `/incident reopen …` goes on."
    )
    return Message([kit.section(said)], notice(said.replace("`", "")))
