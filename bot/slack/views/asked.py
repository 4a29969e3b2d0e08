"""A request for approval as it reaches somebody outside the incident's channel: asked, asked again, in an emergency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.approval import ApprovalRequest
from bot.runs.shown import RunShown
from bot.slack.views import kit, spell
from bot.slack.views.actions import parts_of
from bot.slack.views.kit import Element, Message, Part
from bot.slack.views.plain import notice
from bot.slack.views.text import clip_cost, escape, one_line
from bot.slack.views.titles import action_title


def ask_message(shown: RunShown, request: ApprovalRequest, channel: str) -> Message:
    """The request as it stands now, for one approver; the same buttons as on the card."""
    run, going = shown.run, shown.run.actions.get(request.action)
    title = action_title(shown, request.action)
    about = f"{escape(run.runbook)} {escape(one_line(run.title))} · run {run.number} · {run.severity} · <#{channel}>"
    parts = [Part([kit.header(f"Approval: {title}")], 100), Part([kit.context(about)], 100)]
    if run.conclusions:
        proposing = (each for each in run.conclusions if going is not None and each.key == going.finding)
        cause = kit.t(clip_cost(one_line(next(proposing, run.conclusions[0]).say), 500))
        parts.append(Part([kit.rich(kit.line(kit.t("Cause  ", bold=True), cause))], 90))
    if going is not None and going.request == request.id:
        parts += parts_of(shown, going, attached=False)
    else:
        said = "This request no longer stands. If it is still wanted, there is a newer one."
        parts.append(Part([kit.rich(kit.line(kit.t(said)))], 95))
    return Message(kit.fitted(parts), notice(f"{run.runbook} {title}: {going.headline if going else ''}"))


def nudge_message(shown: RunShown, request: ApprovalRequest, called: Sequence[Element], now: datetime) -> Message:
    """Nobody has decided: who is asked, since when, and until when it can be decided."""
    spaced = [element for each in called for element in (each, kit.t(" "))]
    said = f"«{action_title(shown, request.action)}» has been waiting for {spell.coarse(now - request.requested_at)}"
    until = [kit.t(" and expires at "), kit.moment(request.expires_at), kit.t("; nothing is changed then.")]
    return Message(
        [kit.rich(kit.line(kit.t("⏰ "), *spaced, kit.t(said, bold=True), *until))],
        notice(f"Still waiting for approval: {action_title(shown, request.action)}"),
    )


def glass_message(shown: RunShown, action: str, by: str, reason: str, called: Sequence[Element]) -> Message:
    """Somebody went ahead alone: the leads are called at once."""
    spaced = [element for each in called for element in (each, kit.t(" "))]
    lines = [
        kit.line(kit.t("🔴 The glass was broken  ", bold=True), *spaced),
        kit.line(kit.person(by), kit.t(f" goes ahead alone with «{action_title(shown, action)}».")),
        kit.line(kit.t("Why  ", bold=True), kit.t(clip_cost(reason, 1_000))),
    ]
    words = f"The glass was broken for {action_title(shown, action)} (run {shown.run.number})"
    return Message([kit.rich(*lines)], notice(words))


def unreachable_message(shown: RunShown, lacking: Sequence[str]) -> Message:
    """Nobody could approve some of what this runbook may propose."""
    rows = [[kit.t(clip_cost(each, 300))] for each in lacking[:10]]
    said = kit.t("⚠ Some of this could not be approved now: ", bold=True)
    return Message([kit.rich(kit.line(said), kit.bullets(rows))], notice(f"Not enough approvers: {lacking[0]}"))
