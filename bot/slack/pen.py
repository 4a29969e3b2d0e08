"""Draws one chart: a process of its own, since drawing takes a second in which nobody's click would be acknowledged.

It is given a file that says what to draw (`bot.slack.views.charts.Picture` as JSON) and the file to write, and knows
nothing else. Every text is literal: no mathematics is read into a dollar sign.
"""

from __future__ import annotations

import json
import math
import os
import sys
import textwrap
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import get_font_names
from matplotlib.ticker import FuncFormatter, MaxNLocator

# Okabe and Ito's colours, which people with any colour vision tell apart; hatches and markers tell them apart in grey.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9")
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "++")
MARKERS, STROKES = ("o", "s", "^", "D", "v", "P"), ("-", "--", "-.", ":", "-", "--")
# The first comes with matplotlib; the others have the signs that it lacks, where the machine has them.
FONTS = ("DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "PingFang SC", "Noto Sans")
WIDTH, DPI = 5.0, 216  # 1,080 pixels: as wide as a phone, with letters that can be read there
INK, PALE = "#1d1c1d", "#616061"
TICKS, END_FIGURES = 5, 3  # the figures at the ends of more lines than three would lie on each other
SETTINGS: dict[Any, Any] = {
    "text.parse_math": False,
    "text.usetex": False,
    "font.size": 11.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "hatch.linewidth": 0.6,
}


def style() -> AbstractContextManager[None]:
    """The settings under which a picture is made and written: some texts are only made while it is written."""
    known = set(get_font_names())
    return matplotlib.rc_context({**SETTINGS, "font.family": [name for name in FONTS if name in known]})


def draw(picture: dict[str, Any]) -> Figure:
    """The picture as a figure."""
    if picture["kind"] == "course":
        return _course(picture)
    figure = Figure(figsize=(WIDTH, _height(picture)), dpi=DPI, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(textwrap.fill(picture["title"], 42), x=0.02, ha="left", fontsize=12.5, fontweight="bold")
    axes = figure.add_subplot()
    axes.set_facecolor("white")
    axes.spines[["top", "right"]].set_visible(False)
    drawn = _bars(axes, picture) if picture["kind"] == "bar" else _lines(axes, picture)
    if len(picture["series"]) > 1:
        # A legend leaves out what begins with an underscore.
        names = [f" {series['name']}" for series in picture["series"]]
        figure.legend(drawn, names, loc="outside lower left", ncols=2, frameon=False, handlelength=1.6)
    if picture["note"]:
        axes.set_xlabel(picture["note"], loc="left", fontsize=10, color=PALE)
    return figure


def _height(picture: dict[str, Any]) -> float:
    lines = len(textwrap.wrap(picture["title"], 42))
    legend = 0.24 * math.ceil(len(picture["series"]) / 2) if len(picture["series"]) > 1 else 0.0
    rest = 0.24 * lines + legend + (0.25 if picture["note"] else 0.0)
    if picture["kind"] == "line":
        return 2.9 + rest
    words: float = max(label.count("\n") + 1 for label in picture["labels"]) * 0.19 + 0.06
    group = max(words, _thickness(picture) * len(picture["series"]) * 1.3)
    return 0.75 + rest + len(picture["labels"]) * group


def _thickness(picture: dict[str, Any]) -> float:
    """Of one bar, in inches."""
    return 0.24 if len(picture["series"]) == 1 else 0.2


def _bars(axes: Axes, picture: dict[str, Any]) -> list[Any]:
    """Bars lie: the names beside them can be read without turning the phone."""
    series, places = picture["series"], range(len(picture["labels"]))
    thick = 0.78 / len(series)
    drawn = []
    for at, each in enumerate(series):
        offset = (at - (len(series) - 1) / 2) * thick
        widths = [value or 0.0 for value in each["values"]]
        bars = axes.barh(
            [place + offset for place in places],
            widths,
            thick * 0.94,
            color=COLOURS[at],
            hatch=HATCHES[at] if len(series) > 1 else "",
            edgecolor="white",
            linewidth=0,
        )
        axes.bar_label(bars, labels=each["texts"], padding=3, fontsize=10 if len(series) == 1 else 9)
        drawn.append(bars)
    axes.set_yticks(list(places), picture["labels"])
    axes.set_ylim(len(picture["labels"]) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(*_room(series, max(len(line) for label in picture["labels"] for line in label.split("\n"))))
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=_whole(series)))
    axes.xaxis.set_major_formatter(FuncFormatter(_short))
    axes.grid(axis="x", color="#e8e8e8", linewidth=0.8)
    axes.set_axisbelow(True)
    return drawn


def _room(series: list[dict[str, Any]], letters: int) -> tuple[float, float]:
    """From where to where bars reach, with room for the figures at their ends; the longer the names beside the bars,
    the narrower is what is left for both."""
    values = [value for each in series for value in each["values"] if value is not None]
    low, high = min(0.0, *values), max(0.0, *values)
    longest = max(len(text) for each in series for text in each["texts"])
    room = (high - low or 1.0) * max(0.12, (0.035 + 0.0012 * letters) * longest)
    return (low - room if low < 0 else low), high + room


def _whole(series: list[dict[str, Any]]) -> bool:
    """Whether all figures are whole numbers, so that the axis has no others either."""
    return all(value is None or value == int(value) for each in series for value in each["values"])


def _lines(axes: Axes, picture: dict[str, Any]) -> list[Any]:
    labels = picture["labels"]
    places = picture["positions"] or list(range(len(labels)))
    drawn = []
    for at, each in enumerate(picture["series"]):
        values = [math.nan if value is None else value for value in each["values"]]
        style: dict[str, Any] = {"color": COLOURS[at], "marker": MARKERS[at], "linestyle": STROKES[at]}
        drawn += axes.plot(places, values, linewidth=2, markersize=4.5, **style)
        last = next((spot for spot in reversed(range(len(values))) if not math.isnan(values[spot])), None)
        if last is not None and len(picture["series"]) <= END_FIGURES:
            spot = (places[last], values[last])
            axes.annotate(each["texts"][last], spot, (5, 4), textcoords="offset points", fontsize=10)
    if all(value is None or value >= 0 for each in picture["series"] for value in each["values"]):
        axes.set_ylim(bottom=0)
    axes.margins(x=0.08)
    step = max(1, math.ceil(len(labels) / TICKS))
    shown = list(range(0, len(labels), step))
    slanted = max(len(labels[place]) for place in shown) > 8
    turned: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    axes.set_xticks([places[place] for place in shown], [labels[place] for place in shown], **turned)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=_whole(picture["series"])))
    axes.yaxis.set_major_formatter(FuncFormatter(_short))
    axes.grid(axis="y", color="#e8e8e8", linewidth=0.8)
    return drawn


def _course(picture: dict[str, Any]) -> Figure:
    """An incident: a lane a run with its stages, a row of marks for each thing people did, the line of the target."""
    lanes, longest = picture["lanes"], max(picture["length"], picture["target"], 1.0)
    names = list(dict.fromkeys(name for name, _ in picture["marks"]))
    rows = max(1, len(lanes) + len(names))
    height = 1.7 + 0.36 * rows + 0.24 * len(textwrap.wrap(picture["title"], 42))
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(textwrap.fill(picture["title"], 42), x=0.02, ha="left", fontsize=12.5, fontweight="bold")
    axes = figure.add_subplot()
    axes.spines[["top", "right", "left"]].set_visible(False)
    for name, at in picture["marks"]:
        place = names.index(name)
        axes.plot(at, len(lanes) + place, MARKERS[place % len(MARKERS)], color=INK, markersize=6, clip_on=False)
    drawn = _stages(axes, picture, longest)
    for at, colour, stroke in ((picture["target"], COLOURS[3], "--"), (picture["length"], PALE, "-")):
        axes.plot((at, at), (-0.75, rows - 0.5), stroke, color=colour, linewidth=1.4, zorder=0)
    words: dict[str, Any] = {"textcoords": "offset points", "fontsize": 9, "va": "bottom"}
    axes.annotate("target", (picture["target"], -0.75), (0, 1), ha="center", color=COLOURS[3], **words)
    axes.set_yticks(range(len(lanes) + len(names)), [*(lane["label"] for lane in lanes), *names])
    axes.set_ylim(rows - 0.5, -0.75)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, longest * 1.04)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=longest >= TICKS))
    axes.set_xlabel(" · ".join(filter(None, ("minutes since it began", picture["note"]))), loc="left", fontsize=10)
    if drawn:
        # As many columns as fit beside each other.
        figure.legend(list(drawn.values()), list(drawn), loc="outside lower left", ncols=3, frameon=False, fontsize=9.5)
    return figure


def _stages(axes: Axes, picture: dict[str, Any], longest: float) -> dict[str, Any]:
    """The bars of all lanes; one of each stage, for the legend. What was too short to be seen is drawn as a line."""
    drawn: dict[str, Any] = {}
    for row, lane in enumerate(picture["lanes"]):
        for each in lane["stretches"]:
            at = picture["stages"].index(each["stage"])
            width = max(each["end"] - each["begin"], longest / 300)
            look: dict[str, Any] = {"color": COLOURS[at], "hatch": HATCHES[at], "edgecolor": "white", "linewidth": 0}
            drawn[each["stage"]] = axes.barh(row, width, 0.6, left=each["begin"], **look)
    return {stage: drawn[stage] for stage in picture["stages"] if stage in drawn}


def _short(number: float, _place: int | None = None) -> str:
    """A figure on the axis: 950, 1.5k, 2M."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:,.3g}{letter}" if abs(number) < 1e15 else f"{number:.2g}"
    return f"{number:.3g}"


def main(source: str, target: str) -> None:
    """Draw what the file says into the other file, out of everybody's way."""
    os.nice(10)
    picture = json.loads(Path(source).read_text(encoding="utf-8"))
    with style():
        draw(picture).savefig(target, format="png")


if __name__ == "__main__":
    main(*sys.argv[1:])
