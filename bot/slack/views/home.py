"""The Home tab: what waits for me, open incidents, monitors in trouble, times to resolve, my recent runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.blockkit import limits
from bot.domain.incident import Incident
from bot.domain.insight import Resolution
from bot.domain.items import Item
from bot.domain.monitoring import Standing
from bot.domain.run import Run
from bot.runs.shown import RunShown
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit, spell
from bot.slack.views.incident import incident_line
from bot.slack.views.items import item_blocks
from bot.slack.views.kit import Block, View
from bot.slack.views.monitors import monitor_line
from bot.slack.views.run import run_line
from bot.slack.views.text import clip, clip_cost, one_line
from bot.slack.views.titles import action_title

_WAITING, _ITEMS, _INCIDENTS, _MONITORS, _RUNS = 10, 8, 12, 15, 8
_LEVELS, _BARS = "▁▂▃▄▅▆▇█", 30


@dataclass(frozen=True, slots=True)
class Lobby:
    """What a Home tab shows: runs with a request that this person may vote on, their action items and runs, and what
    everybody sees: open incidents, monitors in trouble, and how the last thirty days' incidents were resolved."""

    waiting: Sequence[RunShown] = ()
    items: Sequence[Item] = ()
    incidents: Sequence[Incident] = ()
    trouble: Sequence[Standing] = ()
    resolved: Sequence[Resolution] = ()
    recent: Sequence[Run] = ()


def home_view(user: str, lobby: Lobby, now: datetime) -> View:
    """The Home tab of `user`."""
    waiting, items = lobby.waiting, lobby.items
    blocks: list[Block] = [kit.header("What waits for you")]
    for shown in waiting[:_WAITING]:
        blocks += _asked(shown, user)
    for item in items[:_ITEMS]:
        blocks += item_blocks(item, now)
    blocks += _more(len(waiting) + len(items), min(len(waiting), _WAITING) + min(len(items), _ITEMS))
    if not waiting and not items:
        blocks.append(kit.context("Nothing."))
    blocks.append(kit.header("Open incidents"))
    blocks += [kit.section(incident_line(each, now)) for each in lobby.incidents[:_INCIDENTS]]
    blocks += _more(len(lobby.incidents), _INCIDENTS) if lobby.incidents else [kit.context("None.")]
    if lobby.trouble:
        blocks.append(kit.header("Monitors in trouble"))
        lines = [monitor_line(each, said=False) for each in lobby.trouble[:_MONITORS]]
        blocks += [kit.section(clip("\n".join(lines), 2_900)), *_more(len(lobby.trouble), _MONITORS)]
    if lobby.resolved:
        blocks.append(kit.header("Time to resolve, last 30 days"))
        blocks.append(kit.section("\n".join(map(_resolution, lobby.resolved))))
    blocks.append(kit.header("Your recent runs"))
    blocks += [kit.section(f"{run_line(run)} · {spell.ago(run.requested_at, now)}") for run in lobby.recent[:_RUNS]]
    if not lobby.recent:
        blocks.append(kit.context("None yet. `/runbook` lists what can be run."))
    return {"type": "home", "blocks": blocks[: limits.VIEW_BLOCKS]}


def _more(count: int, shown: int) -> list[Block]:
    return [kit.context(f"… and {count - shown} more.")] if count > shown else []


def _resolution(found: Resolution) -> str:
    """A severity in one line: its median, how many were within their target, and each against it, a full block being
    the whole target and more."""
    took = spell.coarse(timedelta(seconds=found.median_seconds))
    bars = "".join(_LEVELS[min(len(_LEVELS) - 1, int(share * (len(_LEVELS) - 1)))] for share in found.shares[-_BARS:])
    count = spell.count(found.count, "incident")
    return f"*{found.severity}*  median {took} · {found.within} of {count} within the target  {bars}"


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
