"""Monitors as people see them: what each shows and has shown, since when, and when it is looked at next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.monitoring import Point, Standing, State, Watched, as_text, figure
from bot.domain.runbook import Chart, ChartKind
from bot.slack.views import kit, spell
from bot.slack.views.charts import MAX_ALT, MOST_POINTS, Picture, picture
from bot.slack.views.kit import Message, Part
from bot.slack.views.plain import notice
from bot.slack.views.rows import Seen
from bot.slack.views.text import clip, escape, one_line

_LEVELS = "▁▂▃▄▅▆▇█"
_DRAWN, _FEWEST = 20, 3
_A_SECTION = 2_800
_SAME_DAY, _DAY = timedelta(hours=12), "{date_short} {time}"
_THRESHOLD = re.compile(r"value\s*(>=|>|<=|<)\s*(\d+(?:\.\d+)?)")
_SIDES = {">": "above", ">=": "from", "<": "below", "<=": "up to"}


def sparkline(points: Iterable[Point]) -> str:
    """The last values as a line of blocks, a dot for each that could not be read; "" when there is none."""
    values = [point.value for point in points][-_DRAWN:]
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, span = min(known), max(known) - min(known)
    top = len(_LEVELS) - 1
    level = [None if value is None else round((value - low) / span * top) if span else 0 for value in values]
    return "".join("·" if place is None else _LEVELS[place] for place in level)


def standing_word(standing: Standing) -> str:
    """How a monitor stands, in one word for lists and machines."""
    watched = standing.watched
    if standing.monitor.alert is not None:
        return "elsewhere"
    if standing.stale:
        return "stale"
    if watched.broken_since is not None and watched.state is not State.PAGING:
        return "failed"
    if watched.state is State.WARNING and watched.pending_since is not None:
        return "pending"
    return str(watched.state)


_MARKS: Mapping[str, str] = {
    "paging": "🔴",
    "failed": "🟣",
    "stale": "🟣",
    "pending": "🟠",
    "warning": "🟡",
    "ok": "🟢",
    "new": "⚪",
    "elsewhere": "⚪",
}
_TROUBLE = ("paging", "failed", "stale", "pending", "warning")
_COUNTED: Mapping[str, str] = {
    "paging": "paging",
    "failed": "unreadable",
    "stale": "not looked at",
    "pending": "about to page",
    "warning": "warning",
    "ok": "calm",
    "new": "new",
    "elsewhere": "watched elsewhere",
}


def monitors_message(standings: Sequence[Standing], titles: Mapping[str, str], *, masked: frozenset[str]) -> Message:
    """The monitors of one system, each with its line, or of several, those in trouble. In the systems that are `masked`
    for the reader, only that there is trouble is said, and not with whom."""
    by_system = {id: [each for each in standings if each.system == id] for id in titles}
    whole = len(titles) == 1
    parts = []
    for place, (id, own) in enumerate(by_system.items()):
        ordered = sorted(own, key=lambda each: list(_MARKS).index(standing_word(each)))
        shown = ordered if whole else [each for each in ordered if standing_word(each) in _TROUBLE]
        lines = [monitor_line(each, said=id not in masked) for each in shown]
        head = f"*{escape(clip(one_line(titles[id]), 100))}*  {_counted(own)}"
        parts += [Part([kit.section(text)], 99 - place) for text in _sections([head, *lines])]
    if not parts:
        return Message([kit.rich(kit.line(kit.t("No monitor is known.")))], "No monitor is known.")
    said = ", ".join(f"{titles[id]}: {_counted(own)}" for id, own in by_system.items())
    return Message(kit.fitted(parts), notice(f"Monitors. {said}"))


def _counted(standings: Sequence[Standing]) -> str:
    words = [standing_word(each) for each in standings]
    return " · ".join(f"{words.count(word)} {said}" for word, said in _COUNTED.items() if word in words) or "none"


def _sections(lines: Sequence[str]) -> list[str]:
    """Lines in as few paragraphs as Slack takes."""
    texts = [""]
    for line in lines:
        if len(texts[-1]) + len(line) + 1 > _A_SECTION:
            texts.append("")
        texts[-1] += f"\n{line}" if texts[-1] else line
    return texts


def monitor_line(standing: Standing, *, said: bool = True) -> str:
    """A monitor in one line of mrkdwn, with a second one for what it says while it is in trouble."""
    monitor, watched = standing.monitor, standing.watched
    word = standing_word(standing)
    value = escape(clip(one_line(f"{watched.value} {monitor.unit}".strip() if watched.value else ""), 60))
    shown = "  ".join(
        filter(None, (f"*{escape(clip(one_line(monitor.title), 120))}*", value, sparkline(watched.history)))
    )
    rest = [_since(standing, word)]
    if standing.muted:
        rest.append(f"muted by {escape(clip(one_line(standing.muted), 80))}")
    if watched.next_at is not None and monitor.alert is None:
        rest.append(f"next {_moment(watched.next_at, watched)}")
    if monitor.runbook and word in _TROUBLE:
        rest.append(monitor.runbook)
    line = f"{_MARKS[word]} {shown} · {' · '.join(rest)}"
    trouble = watched.failed if word == "failed" else watched.said if word in _TROUBLE else ""
    return f"{line}\n> {escape(clip(one_line(trouble), 300))}" if said and trouble else line


def _since(standing: Standing, word: str) -> str:  # noqa: PLR0911 - one arm a standing
    """What it does, and since when."""
    watched, monitor = standing.watched, standing.monitor
    since = f" since {_moment(watched.since, watched)}" if watched.since is not None else ""
    match word:
        case "elsewhere":
            return f"arrives as the alert «{escape(clip(one_line(monitor.alert or ''), 80))}»"
        case "stale":
            seen = watched.last_at
            return f"not looked at{'' if seen is None else f' since {kit.moment_mrkdwn(seen, _DAY)}'}"
        case "failed":
            assert watched.broken_since is not None
            return f"cannot be read since {_moment(watched.broken_since, watched)}"
        case "paging":
            return f"pages{since}{'' if watched.told else ', nobody was told'}{_unread(standing)}"
        case "pending":
            assert watched.pending_since is not None
            at = watched.pending_since + monitor.hold
            return f"pages at {_moment(at, watched)} if it lasts{_unread(standing)}"
        case "warning":
            return f"warns{since}{_unread(standing)}"
        case "ok":
            return f"calm{_unread(standing)}"
        case _:
            return "not looked at yet"


def _moment(at: datetime, watched: Watched) -> str:
    """A time, with its day when that is not the day of the last look."""
    last = watched.last_at or at
    return kit.moment_mrkdwn(at, "{time}" if abs(at - last) < _SAME_DAY else _DAY)


def _unread(standing: Standing) -> str:
    failures = standing.watched.failures
    return f", unread for {spell.count(failures, 'look')}" if failures else ""


def monitor_picture(standing: Standing) -> Picture | None:
    """The last values with the threshold as a second line where it is a plain figure; None for too few to draw."""
    monitor, points = standing.monitor, standing.watched.history[-MOST_POINTS:]
    if len([point for point in points if point.value is not None]) < _FEWEST:
        return None
    found = _THRESHOLD.search(monitor.page or "")
    name = monitor.unit or "value"
    limit = "" if found is None else f"pages {_SIDES[found[1]]} {found[2]}"
    rows = [
        {"at": point.at.replace(second=0, microsecond=0), name: point.value}
        | ({} if found is None else {limit: figure(float(found[2]))})
        for point in points
    ]
    values = (name,) if found is None else (name, limit)
    drawn = picture(Chart(ChartKind.LINE, ("at",), values), clip(one_line(monitor.title), 150), Seen(rows))
    return replace(drawn, alt=_alt(standing, points, limit)) if isinstance(drawn, Picture) else None


def _alt(standing: Standing, points: Sequence[Point], limit: str) -> str:
    """The picture for those who do not see it: the threshold is a figure, and no line of its own."""
    known = [point.value for point in points if point.value is not None]
    first, last, low, high = (as_text(each) for each in (known[0], known[-1], min(known), max(known)))
    course = f"from {first} to {last}, lowest {low}, highest {high}"
    unit = f" ({one_line(standing.monitor.unit)})" if standing.monitor.unit else ""
    span = spell.coarse(points[-1].at - points[0].at)
    said = f"Line chart: {one_line(standing.monitor.title)}{unit}: {course} in {span}"
    return clip(f"{said}; it {limit}." if limit else f"{said}.", MAX_ALT)


def picture_words(standing: Standing) -> str:
    """What stands over the chart of a monitor, as mrkdwn."""
    points = standing.watched.history[-MOST_POINTS:]
    span = points[-1].at - points[0].at if points else timedelta(0)
    return f"{escape(one_line(standing.monitor.title))}: the last {spell.coarse(span)}"
