"""The run card: one message that evolves with its run, from the first check to the verified fix."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_never

from bot.domain.run import ActionStatus, CheckRun, CheckStatus, Run, RunState
from bot.runs.shown import RunShown
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit, spell
from bot.slack.views.actions import action_parts, other_actions
from bot.slack.views.approval import preview_files, wholly_in_card
from bot.slack.views.kit import Block, Element, Message, Part
from bot.slack.views.plain import notice, text_of
from bot.slack.views.question import question_blocks
from bot.slack.views.text import clip, clip_cost, escape, one_line
from bot.slack.views.titles import check_title

_CAUSES, _CAUSE = 6, 500
_CHECKS = 24


def run_card(shown: RunShown, *, attached: bool = True) -> Message:
    """The card of a run. Its files, if any, hold what does not fit: upload them into its thread before it is shown.

    What the card cannot show whole has no Approve on it. With `attached=False` the upload failed.
    """
    parts = [
        Part([kit.header(f"{shown.run.runbook} {shown.run.title}")], 100),
        Part([kit.context(clock_line(shown))], 100),
        Part(_cause(shown), 90),
        Part(_looked(shown), 80),
        *(Part(question_blocks(shown, question), 97) for question in shown.questions[:3] if not shown.run.state.final),
        *action_parts(shown, attached=attached),
        Part(_standing(shown), 93),
        Part(_ways_on(shown), 92),
    ]
    asked = [key for key, action in shown.run.actions.items() if action.status is ActionStatus.REQUESTED]
    large = [key for key in asked if key in shown.approvals and not wholly_in_card(shown.approvals[key])]
    return Message(
        kit.fitted(parts), notice(headline(shown)), tuple(file for key in large for file in preview_files(shown, key))
    )


def plain_card(shown: RunShown) -> str:
    """The card in plain words, for the terminal."""
    return text_of(run_card(shown).blocks) + "\n"


def headline(shown: RunShown) -> str:
    """The card in one line, for notifications and lists."""
    run = shown.run
    said = run.conclusions[0].say if run.conclusions else ""
    current = run.current
    if current is not None and current.status is ActionStatus.REQUESTED:
        said = f"approval needed: {current.headline}"
    elif current is not None and current.status is ActionStatus.UNKNOWN:
        said = f"in doubt: {current.reason}"
    return f"{run.runbook} {run.title} ({run.severity}, run {run.number}): {run.state}" + (f". {said}" if said else "")


# -- the head ----------------------------------------------------------------------------------------------------------


def clock_line(shown: RunShown) -> str:
    """ "P2 · 4 of 20 min · diagnosing → deciding → waiting", as mrkdwn."""
    run = shown.run
    spent = (run.finished_at or shown.now) - run.requested_at
    clock = spell.against(max(spent, timedelta(0)), run.resolve_within)
    over = run.resolve_within > timedelta(0) and spent > run.resolve_within
    chain = stages(run)
    chain[-1] = f"*{chain[-1]}*"
    mode = " · for support: personal data is masked" if run.support else ""
    return f"{run.severity} · {f'⏱ *{clock}*' if over else clock} · {' → '.join(chain)} · run {run.number}{mode}"


def stages(run: Run) -> list[str]:  # noqa: PLR0911 - one arm a state
    """The way a run has come, in words; the last is where it stands."""
    looked, asked = ["diagnosing"], ["diagnosing", "deciding"]
    effected = any(action.status.effected for action in run.actions.values())
    match run.state:
        case RunState.REQUESTED:
            return ["starting"]
        case RunState.DIAGNOSING:
            return looked
        case RunState.DECIDING:
            return [*asked, "acted", "deciding"] if effected else asked
        case RunState.AWAITING_APPROVAL:
            return [*asked, "waiting"]
        case RunState.ACTING:
            return [*asked, "approved", "acting"]
        case RunState.VERIFYING:
            return [*asked, "approved", "acting", "verifying"]
        case RunState.DONE:
            return [*asked, "acted", "done"] if effected else [*asked, "done, nothing changed"]
        case RunState.FAILED | RunState.CANCELLED:
            return [*(asked if run.concluded else looked), str(run.state)]
        case RunState.PARKED:
            return [*(asked if run.concluded else looked), "in doubt" if run.current else "stopped"]
        case _:
            assert_never(run.state)


# -- what was seen -----------------------------------------------------------------------------------------------------


def _cause(shown: RunShown) -> list[Block]:
    run = shown.run
    lead = kit.t("Cause  ", bold=True)
    if run.conclusions:
        says = [kit.t(clip_cost(one_line(conclusion.say) or conclusion.key, _CAUSE)) for conclusion in run.conclusions]
        more = len(says) - _CAUSES
        if len(says) == 1:
            return [kit.rich(kit.line(lead, says[0]))]
        rest = [kit.line(kit.t(f"… and {more} more"))] if more > 0 else []
        return [kit.rich(kit.line(lead), kit.bullets([[said] for said in says[:_CAUSES]]), *rest)]
    if run.concluded and not (run.questions and not run.state.final):
        said = "No known cause fits what was found. Choose an action yourself, escalate, or look again."
        return [kit.rich(kit.line(lead, kit.t("No known cause fits what was found." if run.state.final else said)))]
    if run.state.final or run.state is RunState.PARKED:
        return []
    running = [check_title(shown, check.key) for check in shown.checks if check.status is CheckStatus.PENDING]
    if running:
        said = f"still looking: {spell.listed(running)}"
    else:
        said = _awaited(shown) if run.questions else "being worked out …"
    return [kit.rich(kit.line(lead, kit.t(clip_cost(said, 600), italic=True)))]


def _awaited(shown: RunShown) -> str:
    """What people owe before anything can be said."""
    ticks = [bool(question.items) for question in shown.questions]
    return "waits for ticks" if ticks and all(ticks) else "waits for an answer"


def _looked(shown: RunShown) -> list[Block]:
    checks = list(shown.checks)
    ended = [check for check in checks if check.status.ended]
    if not ended:
        return []
    # Failures first: they are what a person must not overlook when the list is cut.
    ended.sort(key=lambda check: check.status is not CheckStatus.FAILED)
    rows = [_check(shown, check) for check in ended[:_CHECKS]]
    lead = [kit.t("Looked", bold=True)]
    if shown.previous is not None and any(check.changed for check in ended):
        lead.append(kit.t(f"  (↻ changed since run {shown.previous})"))
    more = [kit.line(kit.t(f"… and {len(ended) - _CHECKS} more"))] if len(ended) > _CHECKS else []
    return [kit.rich(kit.line(*lead), kit.bullets(rows), *more)]


def _check(shown: RunShown, check: CheckRun) -> list[Element]:
    """One line: mark, title, time, what was found or what went wrong, what changed, who answered."""
    title, time = check_title(shown, check.key), f" · {spell.duration(check.duration)}" if check.duration else ""
    match check.status:
        case CheckStatus.DONE:
            said = f": {clip(one_line(check.summary), 120)}" if check.summary else ""
            pieces = [kit.t(f"✓ {title}{clip_cost(said, 200)}{time}")]
        case CheckStatus.FAILED:
            said = clip_cost(one_line(check.error) or "it failed without saying why", 260)
            pieces = [kit.t(f"✗ {title}: ", bold=True), kit.t(f"{said}{time}")]
        case CheckStatus.SKIPPED:
            pieces = [kit.t(f"– {title}: not needed")]
        case CheckStatus.PENDING | CheckStatus.ASKING:
            pieces = [kit.t(f"… {title}")]
        case _:
            assert_never(check.status)
    if check.changed:
        since = "" if shown.previous is None else f"changed since run {shown.previous}: "
        pieces.append(kit.t(f" ↻ {since}{clip_cost(one_line(check.changed), 120)}", italic=True))
    if check.answered_by:
        pieces += [kit.t(" – said "), kit.person(check.answered_by)]
    return pieces


# -- how it goes on ----------------------------------------------------------------------------------------------------


def _standing(shown: RunShown) -> list[Block]:
    """Why a run stands still or has ended, where its actions do not say so."""
    run = shown.run
    reason = clip_cost(one_line(run.reason), 400)
    match run.state:
        case RunState.PARKED if run.current is None:
            words = f"⚠ The run has stopped and waits for a person. {reason}"
        case RunState.CANCELLED:
            words = f"The run was cancelled: {reason}" if reason else "The run was cancelled."
        case RunState.FAILED:
            words = f"✗ The run failed. {reason}"
        case RunState.DONE:
            words = f"Closed: {reason}" if reason else ""
        case _:
            words = ""
    return [kit.rich(kit.line(*kit.spoken(words.strip())))] if words.strip() else []


def _ways_on(shown: RunShown) -> list[Block]:  # noqa: PLR0911 - one arm a state
    """The buttons for the run as a whole; a run that has ended keeps none that would do nothing."""
    run = shown.run
    ref = Ref(run=run.id)
    see = kit.button("Show everything", Verb.DETAILS, ref, discriminator="run")
    again = kit.button("Look again", Verb.RECHECK, ref)
    calls = Ref(run=run.id, incident=run.incident or "")
    escalate = kit.button("Escalate…", Verb.ESCALATE, calls) if run.incident else None
    close = kit.button("Close", Verb.CLOSE, ref, confirm=_sure_close())
    cancel = kit.button("Cancel the run", Verb.CANCEL, ref, discriminator="run", confirm=_sure_cancel())
    match run.state:
        case RunState.REQUESTED | RunState.DIAGNOSING:
            return kit.actions([see, escalate, cancel])
        case RunState.DECIDING if run.current is None:
            return [*other_actions(shown), *kit.actions([escalate, again, close, see])]
        case RunState.AWAITING_APPROVAL:
            return kit.actions([escalate, cancel])
        case RunState.PARKED:
            return kit.actions([escalate, see])
        case RunState.DECIDING | RunState.ACTING | RunState.VERIFYING:
            return kit.actions([see, escalate])
        case RunState.DONE:
            return kit.actions([see])
        case RunState.FAILED | RunState.CANCELLED:
            return kit.actions([again, see])
        case _:
            assert_never(run.state)


def _sure_cancel() -> Block:
    return kit.confirmation("Cancel the run?", "Nothing more is looked at or changed.", "Cancel the run", danger=True)


def _sure_close() -> Block:
    return kit.confirmation("Close the run?", "Nothing more is to be done in it.", "Close")


def run_line(run: Run) -> str:
    """A run in one line of mrkdwn, for lists."""
    title = escape(clip(one_line(run.title), 100))
    return f"*{escape(run.runbook)}* {title} · run {run.number} · {run.severity} · {run.state}"
