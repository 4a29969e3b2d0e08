"""Alerts of other systems as people see them: the counts of an incident's alerts, and an alert that opens nothing."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.alert import AlertState, Tally, Tracked, severity_of
from bot.domain.incident import Incident, IncidentState
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit, spell
from bot.slack.views.kit import Element, Message, Part
from bot.slack.views.plain import notice
from bot.slack.views.text import clip, escape, one_line

_NAMES = 12


def alerts_message(found: Sequence[Tally]) -> Message:
    """The alerts of an incident: how many there are, how often each was said to fire, and what still does."""
    alerts, firing = sum(each.alerts for each in found), sum(each.firing for each in found)
    said = f"{spell.count(alerts, 'alert')}, received {_times(sum(each.count for each in found))}; {_firing(firing)}"
    rows = [_row(each) for each in found[:_NAMES]]
    more = found[_NAMES:]
    if more:
        times = _times(sum(each.count for each in more))
        rows.append([kit.t(f"… and {spell.count(len(more), 'more name')}, received {times}")])
    return Message([kit.rich(kit.line(kit.t(said, bold=True)), kit.bullets(rows))], notice(said))


def _row(each: Tally) -> list[Element]:
    name = clip(one_line(each.name), 100)
    link: Element = {"type": "link", "url": each.url, "text": name, "style": {"bold": True}}
    many = f" · {spell.count(each.alerts, 'alert')}" if each.alerts > 1 else ""
    return [
        link if each.url and name else kit.t(name, bold=True),
        kit.t(f" {_times(each.count)}{many} · {_firing(each.firing)} · {clip(each.source, 40)} · last "),
        kit.moment(each.last_at),
    ]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _firing(count: int) -> str:
    return "none fires any more" if count == 0 else f"{count:,} still firing"


def alert_message(tracked: Tracked, incident: Incident | None) -> Message:
    """An alert that opens no incident by itself, and the button that opens one."""
    alert = tracked.alert
    fires = tracked.state is AlertState.FIRING
    about = f"{severity_of(alert.severity)} · {'fires' if fires else 'has ended'} · received {_times(tracked.count)}"
    blocks = [
        kit.rich(kit.line(kit.t(clip(one_line(alert.title), 150), bold=True))),
        kit.context(f"{escape(clip(tracked.source, 60))} · {about} · last {kit.moment_mrkdwn(tracked.last_at)}"),
    ]
    if alert.text:
        blocks.append(kit.rich(kit.line(kit.t(clip(alert.text, 500)))))
    if alert.url:
        blocks.append(kit.context(f"<{escape(alert.url)}|Open it where it comes from>"))
    if incident is not None and incident.state is IncidentState.OPEN:
        blocks.append(kit.context(f"{incident.label} is open about it."))
    else:
        blocks += kit.actions([kit.button("Open an incident…", Verb.OPEN, Ref(alert=str(tracked.id)))])
    return Message(kit.fitted([Part(blocks)]), notice(f"Alert: {alert.title}"))
