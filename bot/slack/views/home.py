"""The Home tab: what waits for me, open incidents, recent runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.blockkit import limits
from bot.domain.incident import Incident
from bot.domain.run import Run
from bot.runs.shown import RunShown
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit, spell
from bot.slack.views.incident import incident_line
from bot.slack.views.kit import Block, View
from bot.slack.views.run import run_line
from bot.slack.views.text import clip_cost, one_line
from bot.slack.views.titles import action_title

_WAITING, _INCIDENTS, _RUNS = 10, 15, 10


def home_view(
    user: str, waiting: Sequence[RunShown], incidents: Sequence[Incident], recent: Sequence[Run], now: datetime
) -> View:
    """The Home tab of `user`; `waiting` are the runs with a request they may vote on."""
    blocks: list[Block] = [kit.header("What waits for you")]
    for shown in waiting[:_WAITING]:
        blocks += _asked(shown, user)
    if len(waiting) > _WAITING:
        blocks.append(kit.context(f"… and {len(waiting) - _WAITING} more."))
    if not waiting:
        blocks.append(kit.context("Nothing."))
    blocks.append(kit.header("Open incidents"))
    blocks += [kit.section(incident_line(each, now)) for each in incidents[:_INCIDENTS]] or [kit.context("None.")]
    blocks.append(kit.header("Recent runs"))
    blocks += [kit.section(f"{run_line(run)} · {spell.ago(run.requested_at, now)}") for run in recent[:_RUNS]]
    if not recent:
        blocks.append(kit.context("None yet. `/runbook` lists what can be run."))
    return {"type": "home", "blocks": blocks[: limits.VIEW_BLOCKS]}


def _asked(shown: RunShown, user: str) -> list[Block]:
    """A request: Show everything leads to its preview, where Approve and Deny stand beside what they are about."""
    run, current = shown.run, shown.run.current
    if current is None or current.key not in shown.approvals:
        return []
    request = shown.approvals[current.key].request
    mine = " (you asked for it)" if request.requested_by == user else ""
    title = f"{run.runbook} {one_line(run.title)}: {action_title(shown, current.key)}"
    pieces = [
        kit.t(clip_cost(title, 300), bold=True),
        kit.t(f"\n{clip_cost(one_line(current.headline), 300)}{mine}, until "),
    ]
    ref = Ref(run=run.id, action=current.key)
    return [
        kit.rich(kit.line(*pieces, kit.moment(request.expires_at))),
        *kit.actions([kit.button("Show everything", Verb.DETAILS, ref, style="primary")]),
    ]
