"""A check's rows as a chart: what is to be drawn, and what it shows in words. Drawing it is the business of others."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from bot.domain.runbook import Chart, ChartKind
from bot.runs.shown import RunShown
from bot.slack.views import kit, spell
from bot.slack.views.checks import file_name
from bot.slack.views.kit import Message
from bot.slack.views.plain import notice
from bot.slack.views.rows import Seen, seen
from bot.slack.views.text import DASH, clip, escape, one_line
from bot.slack.views.titles import check_title

MOST_POINTS, MOST_BARS = 50, 120
MAX_ALT = 1_000
_LABEL, _WORDS, _TITLE = 26, 60, 150
_LISTED = 12  # as many points of a line are told one by one
_LARGEST = 1e100


@dataclass(frozen=True, slots=True)
class Series:
    """The figures of one column, None where there is none, and each as it is written."""

    name: str
    values: tuple[float | None, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn. `positions` are where the points of a line lie when their labels are times or numbers; `note` says
    what is left out, `alt` the essential in words."""

    kind: ChartKind
    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    positions: tuple[float, ...] = ()
    note: str = ""
    alt: str = ""

    def as_json(self) -> str:
        """The picture as it is given to the pen."""
        return json.dumps(asdict(self), ensure_ascii=True)

    @property
    def digest(self) -> str:
        """The same for the same picture."""
        return hashlib.sha256(self.as_json().encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Undrawn:
    """Why the rows of a check make no chart."""

    title: str
    reason: str


Charted: TypeAlias = Picture | Undrawn | None


@dataclass(frozen=True, slots=True)
class _Point:
    at: tuple[Any, ...]
    values: tuple[float | None, ...]
    texts: tuple[str, ...]


def charted(shown: RunShown, key: str) -> Charted:
    """The chart of a check; None where it has none or saw no rows."""
    if shown.left.get(key):
        # Support people see some of the rows only: a curve through those would be another one.
        return None
    check = shown.runbook.checks.get(key)
    found = seen(shown, key)
    if check is None or check.chart is None or not found.rows:
        return None
    title = clip(one_line(check.chart.title or check_title(shown, key)), _TITLE)
    return picture(check.chart, title, found)


def picture(chart: Chart, title: str, found: Seen) -> Picture | Undrawn:
    """What is drawn of these rows, or why nothing can be."""
    columns = {column for row in found.rows for column in row}
    missing = [name for name in (*chart.labels, *chart.values) if name not in columns]
    if missing:
        return Undrawn(title, f"the rows have no column «{one_line(missing[0])}»")
    points = [_point(chart, row) for row in found.rows]
    if not any(value is not None for point in points for value in point.values):
        return Undrawn(title, f"there is no figure in {spell.listed([_spaced(name) for name in chart.values])}")
    positions = _positions(points) if chart.kind is ChartKind.LINE else ()
    if positions:
        order = sorted(range(len(points)), key=positions.__getitem__)
        points, positions = [points[each] for each in order], tuple(positions[each] for each in order)
    most = MOST_POINTS if chart.kind is ChartKind.LINE else min(MOST_POINTS, MOST_BARS // len(chart.values))
    note = _note(len(points), most, latest=bool(positions), more=found.more)
    # Of a trend the newest points count, of everything else those that the author put first.
    points, positions = (points[-most:], positions[-most:]) if positions else (points[:most], positions)
    return _drawn(chart, title, points, positions, note)


def _drawn(
    chart: Chart, title: str, points: Sequence[_Point], positions: tuple[float, ...], note: str
) -> Picture | Undrawn:
    parts = _labels([point.at for point in points])
    words = [" · ".join(each) for each in parts]
    series = tuple(
        Series(
            clip(_spaced(name), _LABEL),
            tuple(point.values[place] for point in points),
            tuple(point.texts[place] for point in points),
        )
        for place, name in enumerate(chart.values)
    )
    drawn = Picture(chart.kind, title, tuple(map(_beside, parts)), series, positions, note)
    return Picture(**{**_fields(drawn), "alt": _alt(drawn, [clip(each, _WORDS) for each in words])})


def _fields(drawn: Picture) -> dict[str, Any]:
    return {name: getattr(drawn, name) for name in Picture.__dataclass_fields__}


# -- figures and labels ------------------------------------------------------------------------------------------------


def _point(chart: Chart, row: Mapping[str, Any]) -> _Point:
    values = tuple(_number(row.get(name)) for name in chart.values)
    return _Point(tuple(row.get(name) for name in chart.labels), values, tuple(map(_figure, values)))


def _number(data: Any) -> float | None:
    """A figure that can be drawn; a text that looks like one is a text."""
    if isinstance(data, bool) or not isinstance(data, int | float | Decimal):
        return None
    try:
        number = float(data)
    except (OverflowError, ValueError):
        return None
    return number if math.isfinite(number) and abs(number) < _LARGEST else None


def _figure(number: float | None) -> str:
    if number is None:
        return DASH
    if number == 0 or 1 <= abs(number) < 1e15:
        said = f"{number:,.2f}"
        return said.rstrip("0").rstrip(".")
    return f"{number:.3g}"


def _positions(points: Sequence[_Point]) -> tuple[float, ...]:
    """Where the points lie, if their labels are times or numbers without exception."""
    found = [_position(point.at[0]) if len(point.at) == 1 else None for point in points]
    return tuple(each for each in found if each is not None) if None not in found else ()


def _position(data: Any) -> float | None:
    match data:
        case datetime():
            return _utc(data).timestamp() if data.year > 1 else None
        case date():
            return datetime(data.year, data.month, data.day, tzinfo=UTC).timestamp()
        case _:
            return _number(data)


def _beside(parts: Sequence[str]) -> str:
    """A name as it stands beside its bar: in one line if it fits, else a part a line."""
    whole = " · ".join(parts)
    return whole if len(whole) <= _LABEL else "\n".join(clip(part, _LABEL) for part in parts)


def _labels(rows: Sequence[tuple[Any, ...]]) -> list[list[str]]:
    moments = [_utc(data) for row in rows for data in row if isinstance(data, datetime)]
    clocks = any(moment.hour or moment.minute or moment.second for moment in moments)
    years = len({data.year for row in rows for data in row if isinstance(data, date)}) > 1
    return [[_label(data, clocks=clocks, years=years) for data in row] for row in rows]


def _label(data: Any, *, clocks: bool, years: bool) -> str:
    match data:
        case date():
            day = _utc(data) if isinstance(data, datetime) else data
            said = f"{day.day} {_MONTHS[day.month - 1]}" + (f" {day.year}" if years else "")
            return f"{said} {day:%H:%M}" if clocks and isinstance(day, datetime) else said
        case _:
            return one_line(spell.value(data)) or DASH


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return moment.replace(tzinfo=UTC)


def _spaced(name: str) -> str:
    """A column's name as words."""
    return one_line(name.replace("_", " ")) or DASH


# -- in words ----------------------------------------------------------------------------------------------------------


def _note(total: int, most: int, *, latest: bool, more: bool) -> str:
    if total <= most and not more:
        return ""
    which, held = "last" if latest else "first", f"more than {total:,}" if more else f"{total:,}"
    return f"The {which} {min(total, most):,} of {held} rows"


def _alt(drawn: Picture, words: Sequence[str]) -> str:
    """The essential for those who do not see the picture: every figure while there is room, then how many are left."""
    lead = f"{'Bar' if drawn.kind is ChartKind.BAR else 'Line'} chart: {drawn.title}. "
    tail = f" {drawn.note} are drawn." if drawn.note else ""
    if drawn.kind is ChartKind.LINE and len(words) > _LISTED:
        said = " ".join(_course(series, words) for series in drawn.series)
        return clip(lead + said, MAX_ALT - len(tail)) + tail
    pieces = [_row(drawn.series, place, label) for place, label in enumerate(words)]
    between = ", " if len(drawn.series) == 1 else "; "
    room, kept = MAX_ALT - len(lead) - len(tail) - 24, 0
    while kept < len(pieces) and len(pieces[kept]) + len(between) <= room:
        room -= len(pieces[kept]) + len(between)
        kept += 1
    left = len(pieces) - kept
    return lead + between.join(pieces[:kept]) + (f" and {left} more" if left else "") + "." + tail


def _row(series: Sequence[Series], place: int, label: str) -> str:
    said = [each.texts[place] if each.values[place] is not None else "no figure" for each in series]
    if len(series) == 1:
        return f"{label} {said[0]}"
    return f"{label}: " + ", ".join(f"{each.name} {figure}" for each, figure in zip(series, said, strict=True))


def _course(series: Series, words: Sequence[str]) -> str:
    """How a line goes: where it begins and ends, its lowest and its highest point."""
    known = [(value, place) for place, value in enumerate(series.values) if value is not None]
    if not known:
        return f"{series.name}: no figures."
    gaps = len(series.values) - len(known)
    low, high = min(known)[1], max(known, key=lambda each: (each[0], -each[1]))[1]
    said = [f"{series.texts[place]} at {words[place]}" for place in (known[0][1], known[-1][1], low, high)]
    without = f", {spell.count(gaps, 'point')} without a figure" if gaps else ""
    return f"{series.name}: from {said[0]} to {said[1]}, lowest {said[2]}, highest {said[3]}{without}."


# -- beside the picture ------------------------------------------------------------------------------------------------


def picture_name(shown: RunShown, key: str) -> str:
    """The name of a chart's file."""
    return f"{file_name(shown, key)}.png"


def picture_comment(drawn: Picture) -> str:
    """What stands over a chart, as mrkdwn."""
    return escape(drawn.title) + (f": {escape(drawn.note.lower())}." if drawn.note else "")


def undrawn_message(undrawn: Undrawn) -> Message:
    """The line that stands in the thread where a chart would."""
    said = f"The chart «{undrawn.title}» could not be drawn: {undrawn.reason}. The table has its figures."
    return Message([kit.context(escape(said))], notice(said))
