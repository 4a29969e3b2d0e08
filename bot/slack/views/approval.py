"""Asking for a yes: what would change, who may decide and how the votes stand, in cards, forms and threads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.approval import ApprovalRequest, Choice, RequestState, Verdict, who
from bot.domain.change import Preview, rows_to_say
from bot.domain.policy import StepUp
from bot.runs.shown import ApprovalShown, RunShown
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit, spell
from bot.slack.views.checks import checks_modal
from bot.slack.views.difference import CHANGE_COLUMNS, change_rows, difference
from bot.slack.views.kit import Block, CsvFile, Element, File, Message, Part, TextFile, View
from bot.slack.views.plain import notice
from bot.slack.views.preview import payload_text, request_text, undo_words
from bot.slack.views.tables import as_csv
from bot.slack.views.text import DASH, clip, clip_cost, json_cost, one_line
from bot.slack.views.titles import action_title

_CARD_REQUEST, _DIFFERENCE = 900, 4_000
_LINES, _LINE, _WARNINGS = 8, 300, 4
_MODAL_BUDGET = 160_000
_STRONG = "🔴 "
_TABLED = 5
_MASKED = "⚠ Some of this is masked for support; whoever may decide sees it: "
_WINDOW = "{date_short_pretty} {time}"


def whole_in_card(preview: Preview) -> bool:
    """Whether the card shows everything that would happen, so that nobody approves what they have not seen."""
    counted = sum(preview.counts.values())
    lines = len(preview.lines) <= _LINES and all(json_cost(one_line(line)) <= _LINE for line in preview.lines)
    if preview.changes:
        differs = difference(preview.changes)
        return lines and counted <= len(preview.changes) and differs.whole and json_cost(differs.text) <= _DIFFERENCE
    return lines and _request_fits(preview)


def wholly_in_card(approval: ApprovalShown) -> bool:
    """The same for everything that one vote decides; where something is masked, the card does not show it."""
    return not approval.masked and len(approval.previews) <= 3 and all(map(whole_in_card, approval.previews.values()))


def _request_fits(preview: Preview) -> bool:
    return json_cost(payload_text(preview.payload)) <= _CARD_REQUEST


def everything_text(shown: RunShown, approval: ApprovalShown) -> str:
    """Everything that a vote is bound to, uncut: each action of the request in order."""
    titled = [
        (f"{shown.run.runbook}: {action_title(shown, key)}", preview) for key, preview in approval.previews.items()
    ]
    return request_text(titled, approval.request.digest)


def preview_files(shown: RunShown, key: str) -> tuple[File, ...]:
    """Everything the vote is bound to, and the rows that would change as a table; names change with the digest. Where
    something is masked, nothing of it becomes a file that everybody can read."""
    approval = shown.approvals[key]
    if approval.masked:
        return ()
    safe = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "-" for sign in key)[:60]
    name = f"run-{shown.run.number}-{safe}-{approval.request.digest[:12]}"
    whole = TextFile(f"{name}.txt", everything_text(shown, approval).encode("utf-8", "replace"))
    changes = [change for preview in approval.previews.values() for change in preview.changes]
    if len(changes) < _TABLED:
        return (whole,)
    return (whole, CsvFile(f"{name}.csv", as_csv(change_rows(changes), CHANGE_COLUMNS)))


# -- in the card -------------------------------------------------------------------------------------------------------


def preview_blocks(preview: Preview, title: str, label: str = "Fix") -> list[Block]:
    """The headline, the differences, the facts and the warnings of a preview, bounded in size."""
    parts = [kit.line(kit.t(f"{label}  ", bold=True), kit.t(clip(one_line(title), 150)))]
    said = clip_cost(one_line(preview.headline).rstrip("."), 300)
    undo = clip(one_line(undo_words(preview)).rstrip("."), 200)
    lead = [kit.t(f"{said}. ")] if said else []
    strong = not preview.reversible
    parts.append(kit.line(*lead, kit.t(f"{_STRONG if strong else ''}{undo}.", bold=strong)))
    if preview.changes:
        parts += difference(preview.changes).parts()
    if preview.lines:
        parts.append(kit.bullets([[kit.t(clip_cost(one_line(line), _LINE))] for line in preview.lines[:_LINES]]))
        if len(preview.lines) > _LINES:
            parts.append(kit.line(kit.t(f"… and {len(preview.lines) - _LINES} more")))
    if not preview.changes and preview.payload:
        parts.append(kit.preformatted(clip_cost(payload_text(preview.payload, 2_000), _CARD_REQUEST)))
    warnings = [one_line(warning) for warning in preview.warnings[:_WARNINGS]]
    if not preview.exact:
        warnings.insert(0, "This could not be rehearsed: what is shown is worked out, not tried.")
    parts += [kit.line(kit.t("⚠ "), kit.t(clip_cost(warning, 300), bold=True)) for warning in warnings]
    return [kit.rich(*parts)]


def _plan_blocks(shown: RunShown, approval: ApprovalShown) -> list[Block]:
    """What one vote decides: an action, or several in order."""
    if len(approval.previews) == 1:
        return preview_blocks(approval.preview, action_title(shown, approval.request.action))
    count = len(approval.previews)
    said = f"{count} actions, decided by one vote, done in this order; the first that fails ends it."
    blocks = [kit.rich(kit.line(kit.t("Plan  ", bold=True), kit.t(said)))]
    for place, (key, preview) in enumerate(approval.previews.items(), 1):
        blocks += preview_blocks(preview, action_title(shown, key), f"{place} of {count}")
    return blocks


def approval_parts(shown: RunShown, key: str, *, attached: bool = True) -> list[Part]:
    """The request of an action as parts of the card. What the card cannot show whole has its Approve behind Show
    everything."""
    approval = shown.approvals[key]
    whole = wholly_in_card(approval)
    parts = [Part(_plan_blocks(shown, approval), 95)]
    if not whole:
        where = "; all of it is in the file in this thread too" if attached and not approval.masked else ""
        lead = _MASKED if approval.masked else "⚠ This is more than the card shows: "
        many = rows_to_say(approval.previews.values()) is not None
        read = "read the request and say how many rows it changes" if many else "read it whole"
        said = f"open Show everything to {read} and to approve it{where}."
        parts.append(Part([kit.rich(kit.line(kit.t(lead, bold=True), kit.t(said)))], 99))
    parts.append(Part(votes_blocks(approval, shown.now), 96))
    if approval.request.state is RequestState.PENDING:
        parts.append(Part(vote_buttons(shown, key, approve=whole), 100))
    return parts


def votes_blocks(approval: ApprovalShown, now: datetime) -> list[Block]:
    """Who has to decide until when, and how everybody has voted so far."""
    request, verdict = approval.request, approval.verdict
    pieces = policy_line(request, verdict, now)
    lines = [kit.line(*pieces)]
    for vote in (vote for vote in verdict.counted[:5] if vote.choice is Choice.APPROVE):
        said = kit.t(f" approved {spell.ago(vote.at, now)}")
        lines.append(kit.line(kit.t("✓ "), kit.person(vote.person.id), said))
    for dismissed in verdict.dismissed[:3]:
        reason = kit.spoken(clip(one_line(dismissed.reason), 200))
        voter = kit.person(dismissed.vote.person.id)
        lines.append(kit.line(kit.t("– the vote of "), voter, kit.t(" does not count: "), *reason))
    return [kit.rich(*lines)]


def policy_line(request: ApprovalRequest, verdict: Verdict, now: datetime) -> list[Element]:
    """ "Waiting for 1 vote of @billing, asked by @ana 1 min ago, until 14:32"."""
    missing = verdict.missing or max(1, request.policy.votes)
    if verdict.state is not RequestState.PENDING:
        return kit.spoken(clip(" ".join(verdict.reasons) or f"This request is {verdict.state}.", 300))
    names = kit.spoken(clip(who(request.policy), 200))
    pieces = [
        kit.t(f"Waiting for {spell.count(missing, 'vote')} of ", bold=True),
        *names,
        kit.t(", asked by "),
        kit.person(request.requested_by),
        kit.t(f" {spell.ago(request.requested_at, now)}, until "),
        kit.moment(request.expires_at),
    ]
    if request.climbed(now):
        pieces.append(kit.t(f"; @{request.policy.backup} may decide as well now"))
    if request.opens_at is not None and request.closes_at is not None:
        window = [kit.moment(request.opens_at, _WINDOW), kit.t(" and "), kit.moment(request.closes_at, _WINDOW)]
        pieces += [kit.t(". To be done once, between "), *window]
    quiet = request.policy.quiet_hours
    if quiet is not None and quiet.covers(now):
        pieces.append(kit.t(f". Only emergencies are approved {quiet}"))
    return pieces


def vote_buttons(shown: RunShown, key: str, *, approve: bool, inside: bool = False) -> list[Block]:
    """Approve, Deny and the way to see everything (`inside` of which they stand); a message can be edited before it
    goes out, and what nobody wants is left out without a vote."""
    approval = shown.approvals[key]
    request = approval.request
    ref = Ref(run=shown.run.id, action=request.action, request=request.id, digest=request.digest)
    confirm = None
    final = [preview for preview in approval.previews.values() if not preview.reversible]
    if final:
        text = f"{final[0].headline or action_title(shown, key)}. This cannot be undone."
        confirm = kit.confirmation("This cannot be undone", text, "Approve", danger=True)
    action = shown.runbook.actions.get(request.action)
    editable = action is not None and action.kind == "notify" and not request.also
    asks = request.policy.step_up is not StepUp.NONE or rows_to_say(approval.previews.values()) is not None
    yes = "Approve…" if asks else "Approve"
    return kit.actions(
        [
            kit.button(yes, Verb.APPROVE, ref, style="primary", confirm=confirm) if approve else None,
            kit.button("Deny…", Verb.DENY, ref, style="danger"),
            kit.button("Edit…", Verb.EDIT, ref) if editable else None,
            kit.button("Break the glass…", Verb.BREAK_GLASS, ref) if request.policy.break_glass else None,
            kit.button("Plan for later…", Verb.SCHEDULE, ref) if inside and not request.also else None,
            None if inside else kit.button("Show everything", Verb.DETAILS, Ref(run=shown.run.id, action=key)),
            None if inside else _leave_out(Ref(run=shown.run.id, action=request.action)),
        ]
    )


def _leave_out(ref: Ref) -> Element | None:
    sure = kit.confirmation("Leave it out?", "The request is withdrawn, and the run goes on without it.", "Leave out")
    return kit.button("Leave out", Verb.SKIP, ref, confirm=sure)


# -- everything --------------------------------------------------------------------------------------------------------


def approval_modal(shown: RunShown, key: str) -> View:
    """All of a request: differences, exact statement and values, policy and votes.

    Approve stands here only when nothing had to be left out or masked. Of more rows than anybody reads the first are
    enough: all are in the file, and whoever approves has to say how many they are. For an action that was never asked
    for, or no action at all, it is what the checks saw.
    """
    approval = shown.approvals.get(key)
    if approval is None:
        return checks_modal(shown)
    text, exactly = everything_text(shown, approval), _exactly(approval)
    fits = json_cost(text) <= _MODAL_BUDGET
    counted = rows_to_say(approval.previews.values()) is not None
    whole = (fits or counted) and not approval.masked
    blocks = (
        [kit.alert("This cannot be undone.")] if any(not each.reversible for each in approval.previews.values()) else []
    )
    blocks += _plan_blocks(shown, approval)
    blocks.append(kit.divider())
    lead = f"{exactly}\n\n" if not fits and json_cost(exactly) <= _MODAL_BUDGET // 2 else ""
    blocks += [kit.rich(kit.preformatted(part)) for part in _sliced(clip_cost(f"{lead}{text}", _MODAL_BUDGET))]
    if approval.masked:
        blocks.append(kit.context("What is masked here is seen by whoever may decide on it, and only they approve it."))
    elif not fits:
        file = "" if shown.run.support else "all of it is in the file in the run's thread, and "
        blocks.append(kit.context(f"These are not all rows: {file}`runbook approve` shows them on a terminal."))
    blocks += votes_blocks(approval, shown.now)
    if approval.request.state is RequestState.PENDING:
        blocks += vote_buttons(shown, key, approve=whole, inside=True)
    return kit.modal(Verb.DETAILS, "Show everything", blocks, ref=Ref(run=shown.run.id, action=key))


def _exactly(approval: ApprovalShown) -> str:
    """The exact request of each action, in order."""
    return "\n\n".join(payload_text(preview.payload) for preview in approval.previews.values())


def _sliced(text: str, size: int = 2_900) -> list[str]:
    """Text in pieces that break at line ends where they can."""
    pieces, piece = [], ""
    for line in text.split("\n"):
        if piece and len(piece) + len(line) > size:
            pieces.append(piece)
            piece = ""
        piece = f"{piece}\n{line}" if piece else line
        while len(piece) > size:
            pieces.append(piece[:size])
            piece = piece[size:]
    return [*pieces, piece] if piece.strip() else pieces or [DASH]


def approval_thread(shown: RunShown, key: str, groups: Sequence[str] = ()) -> Message:
    """The call to the approvers in the run's thread: who is asked (user groups by Slack id), and the exact statement
    with its values, as a file when they do not fit."""
    approval = shown.approvals[key]
    text = _exactly(approval)
    fits = json_cost(text) <= 5_000
    people = map(kit.person, approval.request.policy.people)
    called = [*map(kit.group, groups), *people]
    spaced = [element for each in called for element in (each, kit.t(" "))]
    asked = kit.t(f"{spell.count(approval.request.policy.votes, 'vote')} needed" if called else "Needs a yes")
    blocks = [kit.rich(kit.line(*spaced, asked))]
    blocks += _plan_blocks(shown, approval)
    blocks.append(kit.rich(kit.line(kit.t("Exactly this", bold=True)), kit.preformatted(clip_cost(text, 5_000))))
    files = () if fits and wholly_in_card(approval) else preview_files(shown, key)
    if files:
        blocks.append(kit.context("All of it is in the file."))
    return Message(
        kit.fitted([Part(blocks)]), notice(f"{action_title(shown, key)}: {approval.preview.headline}"), files
    )
