"""The part of the run card that changes things: each action with where it stands and what a person may do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from bot.blockkit import limits
from bot.domain.approval import Choice
from bot.domain.run import ActionRun, ActionStatus, Run, RunState
from bot.runs.shown import RunShown
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit, spell
from bot.slack.views.approval import approval_parts
from bot.slack.views.kit import Block, Element, Part
from bot.slack.views.text import clip, clip_cost, one_line
from bot.slack.views.titles import action_title

SETTLED_BY_PERSON = "A person found that it had happened."
_SHOWN = 6
_TAKE_UP = "somebody on call, or who approves changes of this system, can take this up"


def action_parts(shown: RunShown, *, attached: bool = True) -> list[Part]:
    """All actions of a run that matter now, in the order of the plan; the one under way is kept longest."""
    run = shown.run
    ordered = [run.actions[key] for key in run.plan if key in run.actions]
    ordered += [action for key, action in run.actions.items() if key not in run.plan]
    told = [action for action in ordered if _worth_telling(run, action)]
    open_ones = [action for action in told if not _over(action)]
    over = [action for action in told if _over(action)]
    parts = []
    if len(over) > _SHOWN:
        hidden = over[:-_SHOWN]
        parts.append(Part([kit.context(f"{spell.count(len(hidden), 'earlier action')} not shown.")], 20))
    for action in [*over[-_SHOWN:], *open_ones[:_SHOWN]]:
        parts += parts_of(shown, action, attached=attached)
    if len(open_ones) > _SHOWN:
        parts.append(Part([kit.context(f"… and {spell.count(len(open_ones) - _SHOWN, 'more action')}.")], 30))
    return parts


def _worth_telling(run: Run, action: ActionRun) -> bool:
    """Left out without a word are actions nobody asked for in a run that is over."""
    idle = action.status in (ActionStatus.OFFERED, ActionStatus.QUEUED)
    return not (idle and run.state.final)


def _over(action: ActionRun) -> bool:
    return action.status in (ActionStatus.DONE, ActionStatus.SKIPPED)


def parts_of(shown: RunShown, action: ActionRun, *, attached: bool) -> list[Part]:  # noqa: C901, PLR0911, PLR0912 - one arm a status
    """One action as it stands."""
    status = action.status
    match status:
        case ActionStatus.OFFERED:
            return _offered(shown, action)
        case ActionStatus.QUEUED:
            said = "approved with the plan, waits for its turn" if action.granted else "waits for its turn"
            return [] if _asked_with(shown, action) else [_told(shown, action, "Next", said, keep=40)]
        case ActionStatus.PREVIEWING:
            why = f" Asked again because: {_reason(action)}" if action.reason else ""
            return [_told(shown, action, "Fix", f"working out exactly what would change …{why}")]
        case ActionStatus.REQUESTED:
            if action.key in shown.approvals:
                return [*_again(action), *approval_parts(shown, action.key, attached=attached)]
            return [_told(shown, action, "Fix", "waits for approval")]
        case ActionStatus.APPROVED | ActionStatus.ACTING:
            return [_under_way(shown, action)]
        case ActionStatus.WAITING:
            told = _told(shown, action, "Waiting", _reason(action), after=_until(action))
            looking = _buttons(shown, action, Verb.VERIFY_AGAIN, Verb.SKIP) if action.due is not None else []
            return [told, *_report(shown, action), *looking]
        case ActionStatus.VERIFYING:
            said = f"✓ {_done(shown, action)} Checking that it worked"
            after = [*_until(action), *_approvers(shown, action)]
            return [_told(shown, action, "Done", said, after=after)]
        case ActionStatus.DONE:
            after = _approvers(shown, action)
            return [_told(shown, action, "Done", _verified(shown, action), after=after, keep=70), *_undo(shown, action)]
        case ActionStatus.UNVERIFIED:
            said = f"{_done(shown, action)} ⚠ It was changed, but it is not verified: {_reason(action)}"
            told = _told(shown, action, "Done", said, after=_approvers(shown, action))
            return [told, *_buttons(shown, action, Verb.VERIFY_AGAIN), *_undo(shown, action)]
        case ActionStatus.FAILED | ActionStatus.DENIED | ActionStatus.EXPIRED:
            return _refused(shown, action)
        case ActionStatus.SKIPPED:
            return [_told(shown, action, "Left out", _reason(action), keep=35)]
        case ActionStatus.UNKNOWN:
            return _in_doubt(shown, action)
        case _:
            assert_never(status)


def _offered(shown: RunShown, action: ActionRun) -> list[Part]:
    said = _TAKE_UP if shown.run.support else ""
    return [_told(shown, action, "Proposed", said), *_buttons(shown, action, Verb.CHOOSE, Verb.SKIP)]


def _under_way(shown: RunShown, action: ActionRun) -> Part:
    """Approved: planned for later, about to be done, or being done."""
    if action.status is ActionStatus.APPROVED and action.due is not None and action.closes is not None:
        return _told(shown, action, "Planned", _headline(action), after=_planned(shown, action))
    doing = "about to be done" if action.status is ActionStatus.APPROVED else "being done now"
    return _told(shown, action, "Fix", f"{_headline(action)}{doing}", after=_approvers(shown, action))


def _asked_with(shown: RunShown, action: ActionRun) -> bool:
    """Whether the request under way shows this action already."""
    current = shown.run.current
    asking = current is not None and current.status is ActionStatus.REQUESTED
    return asking and current is not None and action.request is not None and action.request == current.request


def _refused(shown: RunShown, action: ActionRun) -> list[Part]:
    """Failed, denied or expired: three different things, and nothing was changed by any of them."""
    reason = _reason(action)
    label, said = {
        ActionStatus.DENIED: ("Denied", f"{reason}. Nothing was changed."),
        ActionStatus.EXPIRED: ("Expired", reason or "Nobody decided in time."),
    }.get(action.status, ("Fix", f"not done: {reason}"))
    return [_told(shown, action, label, f"✗ {said}"), *_buttons(shown, action, Verb.RETRY, Verb.SKIP)]


# -- words -------------------------------------------------------------------------------------------------------------


def _told(
    shown: RunShown, action: ActionRun, label: str, said: str, *, after: Sequence[Element] = (), keep: int = 95
) -> Part:
    title = action_title(shown, action.key)
    pieces = [kit.t(f"{label}  ", bold=True), kit.t(title)]
    words = clip_cost(said, 700)
    if words:
        pieces += [kit.t(": "), *kit.spoken(words)]
    return Part([kit.rich(kit.line(*pieces, *after))], keep)


def _again(action: ActionRun) -> list[Part]:
    """Why what was approved before is asked again."""
    if not action.reason:
        return []
    return [Part([kit.rich(kit.line(kit.t("Asked again  ", bold=True), kit.t(_reason(action))))], 96)]


def _reason(action: ActionRun) -> str:
    return clip(one_line(action.reason), 400)


def _headline(action: ActionRun) -> str:
    return f"{clip(one_line(action.headline), 250)}, " if action.headline else ""


def _done(shown: RunShown, action: ActionRun) -> str:
    receipt = shown.receipts.get(action.key)
    said = clip(one_line(receipt.headline if receipt else action.headline), 300)
    return f"{said}." if said and not said.endswith((".", "…")) else said


def _verified(shown: RunShown, action: ActionRun) -> str:
    """ "Verified" is said only of what was: not of what has no check, nor of what a person answered for."""
    spec = shown.runbook.actions.get(action.key)
    if action.undone_by:
        return f"{_done(shown, action)} ↩ It was taken back."
    if action.reason == SETTLED_BY_PERSON:
        return f"✓ {_done(shown, action)} {SETTLED_BY_PERSON}"
    if spec is not None and spec.verify is not None:
        return f"✓ {_done(shown, action)} ✓ Verified."
    return f"✓ {_done(shown, action)}"


def _approvers(shown: RunShown, action: ActionRun) -> list[Element]:
    approval = shown.approvals.get(action.key)
    if approval is None:
        return []
    votes = approval.verdict.counted or approval.votes
    counted = [vote for vote in votes if vote.choice is not Choice.DENY and vote.digest == approval.request.digest]
    pieces: list[Element] = []
    for place, vote in enumerate({vote.person.id: vote for vote in counted[:5]}.values()):
        said = "the glass broken by " if vote.choice is Choice.BREAK_GLASS else "approved by "
        pieces += [kit.t(f" · {said}" if place == 0 else ", "), kit.person(vote.person.id)]
        pieces += [kit.t(" at "), kit.moment(vote.at)]
    return pieces


def _planned(shown: RunShown, action: ActionRun) -> list[Element]:
    """When an approved action is to be done."""
    assert action.due is not None
    assert action.closes is not None
    form = "{date_short_pretty} {time}"
    window = [kit.moment(action.due, form), kit.t(" and "), kit.moment(action.closes, form)]
    return [kit.t("to be done once, between "), *window, *_approvers(shown, action)]


def _until(action: ActionRun) -> list[Element]:
    return [kit.t(", until "), kit.moment(action.deadline)] if action.deadline is not None else []


def _in_doubt(shown: RunShown, action: ActionRun) -> list[Part]:
    said = f"⚠ It is not known whether this happened. {_reason(action)}"
    lead = "Look at the target, then say what you found. Nothing is tried again by itself."
    parts = [_told(shown, action, "In doubt", said), Part([kit.rich(kit.line(kit.t(lead)))], 94)]
    ref = Ref(run=shown.run.id, action=action.key)
    buttons = [
        kit.button("It happened", Verb.SETTLE_HAPPENED, ref, confirm=_sure("It happened")),
        kit.button("It did not", Verb.SETTLE_NOT, ref, confirm=_sure("It did not happen")),
        kit.button("Check again", Verb.VERIFY_AGAIN, ref),
    ]
    return [*parts, Part(kit.actions(buttons), 100)]


def _sure(claim: str) -> Block:
    return kit.confirmation("Are you sure?", f"«{claim}» is recorded in your name.", claim)


# -- buttons -----------------------------------------------------------------------------------------------------------

_LABELS = {
    Verb.CHOOSE: "Run this…",
    Verb.SKIP: "Leave out",
    Verb.RETRY: "Try again",
    Verb.VERIFY_AGAIN: "Verify again",
}


def _buttons(shown: RunShown, action: ActionRun, *verbs: Verb) -> list[Part]:
    if shown.run.state.final or (shown.run.current is not None and shown.run.current.key != action.key):
        return []
    ref = Ref(run=shown.run.id, action=action.key)
    buttons = []
    for verb in verbs:
        if verb is Verb.RETRY and action.undo_of:
            buttons.append(kit.button(_LABELS[verb], Verb.UNDO, Ref(run=shown.run.id, action=action.undo_of)))
        else:
            buttons.append(kit.button(_LABELS[verb], verb, ref))
    return [Part(kit.actions(buttons), 90)]


def _undo(shown: RunShown, action: ActionRun) -> list[Part]:
    busy = shown.run.current is not None or shown.run.state in (RunState.CANCELLED, RunState.PARKED)
    if not action.reversible or action.undone_by or action.undo_of or busy:
        return []
    return [Part(kit.actions([kit.button("Undo…", Verb.UNDO, Ref(run=shown.run.id, action=action.key))]), 85)]


def _report(shown: RunShown, action: ActionRun) -> list[Part]:
    if action.key not in shown.reports:
        return []
    ref = Ref(run=shown.run.id, action=action.key)
    buttons = [
        kit.button("Done, report…", Verb.REPORT, ref, style="primary"),
        kit.button("Cancel the run", Verb.CANCEL, ref),
    ]
    return [Part(kit.actions(buttons), 95)]


def other_actions(shown: RunShown) -> list[Block]:
    """The actions no finding proposes, for whoever knows better; each is previewed and approved like any other."""
    titles = {key: action_title(shown, key) for key in manual_keys(shown)}
    options = []
    for key, title in titles.items():
        carried = kit.encoded(Ref(run=shown.run.id, action=key), limits.OPTION_VALUE)
        options += [kit.option(title, carried)] if carried else []
    while options and not kit.fits_in_card(options):
        options.pop()
    if not options:
        return []
    left = len(titles) - len(options)
    more = [kit.context(f"{spell.count(left, 'more action')} can be chosen on the command line.")] if left else []
    return [*kit.actions([kit.select(Verb.CHOOSE, "Choose an action…", options)]), *more]


def manual_keys(shown: RunShown) -> list[str]:
    """The actions of the runbook that could be chosen by hand now and have no button of their own."""
    known = shown.run.actions
    return [key for key in shown.runbook.actions if key not in known or known[key].status is ActionStatus.SKIPPED]
