"""Charts: what is drawn of any rows, what is said of it, and a drawing that goes wrong harms nobody."""

from __future__ import annotations

import asyncio
import json
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from matplotlib.text import Text

from bot.domain.facts import Fact, FactStatus
from bot.domain.runbook import Chart, ChartKind, Check
from bot.runs.shown import RunShown
from bot.slack import drawing, pen
from bot.slack.drawing import NotDrawn, png
from bot.slack.views.charts import MAX_ALT, MOST_POINTS, Picture, Undrawn, charted, picture, undrawn_message
from bot.slack.views.checks import check_rows
from bot.slack.views.plain import text_of
from bot.slack.views.rows import Seen
from tests import builders as b
from tests.slack import strategies as some

pytestmark = pytest.mark.runbooks

BARS = Chart(ChartKind.BAR, ("tier",), ("members",))
LINE = Chart(ChartKind.LINE, ("day",), ("made", "failed"))
TIERS = [{"tier": "Free", "members": 812}, {"tier": "Starter", "members": 140}]
NASTY = (
    *("$\\frac{1}{0}$", "<!channel> *b* _i_", "=HYPERLINK(1)", "a" * 5_000),
    *("line\nbreak\x00\x1b[2J", "", "_hidden", "\u202eevil"),
)


def seen(rows: Sequence[Mapping[str, Any]], *, more: bool = False, chart: Chart = BARS) -> RunShown:
    """A run whose check saw these rows and has this chart."""
    columns = list(rows[0]) if rows else []
    value = {"rows": rows, "row": rows[0] if rows else None, "count": len(rows), "more": more, "columns": columns}
    shown = b.shown(facts={"tiers": Fact(FactStatus.DONE, value)})
    check = Check("tiers", "Tiers", "sql", {}, chart=chart)
    return replace(shown, runbook=replace(shown.runbook, checks={**shown.runbook.checks, "tiers": check}))


def drawn(rows: Sequence[Mapping[str, Any]], *, more: bool = False, chart: Chart = BARS) -> Picture:
    """What is drawn of these rows."""
    found = charted(seen(rows, more=more, chart=chart), "tiers")
    assert isinstance(found, Picture)
    return found


def size(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", content[16:24])


def test_a_chart_says_what_it_shows() -> None:
    """The alternative text has every figure, by its name."""
    assert drawn(TIERS).alt == "Bar chart: Tiers. Free 812, Starter 140."


def test_no_rows_make_no_chart() -> None:
    """A check that saw nothing has no chart, and neither has one that has not looked."""
    assert charted(seen([]), "tiers") is None
    assert charted(replace(seen(TIERS), facts={}), "tiers") is None
    assert charted(seen(TIERS), "account") is None


def test_one_row() -> None:
    """One row is one bar, though its table is a list of fields."""
    assert drawn(TIERS[:1]).alt == "Bar chart: Tiers. Free 812."


def test_nulls_are_gaps() -> None:
    """What has no figure is said to have none, and is not drawn as nought; a name that is not there is a dash."""
    found = drawn([{"tier": None, "members": 3}, {"tier": "Free", "members": None}])
    assert found.series[0].values == (3.0, None)
    assert found.alt == "Bar chart: Tiers. – 3, Free no figure."


@pytest.mark.parametrize("value", [None, "12", True, float("nan"), float("inf"), Decimal("NaN"), 10**400, "•••"])
def test_without_a_figure_there_is_a_reason(value: Any) -> None:
    """Rows in whose column stands no figure, masked ones among them, are told as such."""
    found = charted(seen([{"tier": "Free", "members": value}]), "tiers")
    assert found == Undrawn("Tiers", "there is no figure in members")


def test_a_column_that_is_not_there() -> None:
    """A statement whose columns only the database knows may lack the chart's."""
    found = charted(seen([{"tier": "Free", "users": 1}]), "tiers")
    assert isinstance(found, Undrawn)
    assert text_of(undrawn_message(found).blocks) == (
        "The chart «Tiers» could not be drawn: the rows have no column «members». The table has its figures."
    )


def test_ten_thousand_rows() -> None:
    """Fifty are drawn, and the words say how many there are; a file has all that the fact holds."""
    rows = [{"tier": f"customer {n}", "members": n} for n in range(1_000)]
    found = drawn(rows, more=True)
    assert len(found.labels) == MOST_POINTS
    assert found.alt.endswith("The first 50 of more than 1,000 rows are drawn.")
    assert len(found.alt) <= MAX_ALT
    file = check_rows(seen(rows, more=True), "tiers")
    assert file is not None
    assert file.content.count(b"\r\n") == 1_001


def test_of_a_trend_the_newest_are_drawn() -> None:
    """Points lie where their times are, in order, and the newest are kept; the words say how the line goes."""
    first = date(2026, 1, 1)
    rows = [{"day": first + timedelta(days=n), "made": n, "failed": None if n == 70 else n % 7} for n in range(80)]
    found = drawn(rows[::-1], chart=LINE)
    assert found.labels[-1] == "21 Mar"
    assert list(found.positions) == sorted(found.positions)
    assert found.alt == (
        "Line chart: Tiers. made: from 30 at 31 Jan to 79 at 21 Mar, lowest 30 at 31 Jan, highest 79 at 21 Mar. "
        "failed: from 2 at 31 Jan to 2 at 21 Mar, lowest 0 at 5 Feb, highest 6 at 4 Feb, 1 point without a figure. "
        "The last 50 of 80 rows are drawn."
    )


def test_a_day_that_is_missing_leaves_room() -> None:
    """A line whose days have a hole is not drawn as if they followed each other."""
    days = [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 9)]
    one, two, nine = drawn([{"day": day, "made": 1, "failed": 0} for day in days], chart=LINE).positions
    assert nine - two == 7 * (two - one)


def test_the_same_figures_are_the_same_picture() -> None:
    """A picture is known by what it shows."""
    assert drawn(TIERS).digest == drawn(list(TIERS)).digest
    assert drawn(TIERS).digest != drawn(TIERS[:1]).digest


@given(some.runs_shown())
def test_any_rows_make_a_chart_or_a_reason(shown: RunShown) -> None:
    """Whatever a fact holds, what comes of it is within the limits and can be sent."""
    for key, fact in shown.facts.items():
        columns = [str(column) for column in (fact.value.get("row") or {"a": 1, "b": 2})][:2] or ["a"]
        check = Check(key, "x", "sql", {}, chart=Chart(ChartKind.LINE, (columns[0],), (columns[-1],)))
        found = charted(replace(shown, runbook=replace(shown.runbook, checks={key: check})), key)
        if isinstance(found, Picture):
            assert len(found.labels) <= MOST_POINTS
            assert 0 < len(found.alt) <= MAX_ALT
            found.as_json().encode()


# -- drawing -----------------------------------------------------------------------------------------------------------


async def test_hostile_names_are_drawn_as_they_are() -> None:
    """Mark-up, formulas, mathematics, controls, endless and empty names: a picture as wide as any other."""
    chart = Chart(ChartKind.BAR, ("tier", "$x_1$"), ("_members", "used"))
    rows = [{"tier": each, "$x_1$": each, "_members": place * 1e9, "used": -place} for place, each in enumerate(NASTY)]
    found = picture(chart, NASTY[0], Seen(rows))
    assert isinstance(found, Picture)
    assert "\x1b" not in found.alt
    assert "\u202e" not in found.alt
    width, _ = size(await png(found))
    assert width == 1_080


@pytest.mark.parametrize("chart", [BARS, Chart(ChartKind.LINE, ("tier",), ("members",))], ids=["bar", "line"])
@pytest.mark.parametrize("members", [[3], [0, 0], [None, 5, -5], [1e99, -1e99, 1e-99], list(range(60))], ids=len)
async def test_odd_figures_are_drawn(chart: Chart, members: list[float | None]) -> None:
    """One row, noughts, nothing, signs, the largest and the smallest: there is a picture."""
    found = picture(chart, "Members", Seen([{"tier": n, "members": each} for n, each in enumerate(members)]))
    assert isinstance(found, Picture)
    assert size(await png(found))[0] == 1_080


def test_no_text_is_mathematics() -> None:
    """A dollar sign is a dollar sign, on every text of the figure."""
    found = picture(Chart(ChartKind.BAR, ("t",), ("$a$", "b")), "$x$", Seen([{"t": "$y$", "$a$": 1, "b": 2}]))
    assert isinstance(found, Picture)
    with pen.style():
        figure = pen.draw(json.loads(found.as_json()))
        figure.draw_without_rendering()
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    assert {"$x$", "$y$", " $a$"} <= {text.get_text() for text in texts}
    assert [text.get_text() for text in texts if text.get_parse_math()] == []


async def test_drawing_is_given_up_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is late is ended, and its folder is gone."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(NotDrawn, match=r"took longer than 0\.05 s"):
        await png(drawn(TIERS), seconds=0.05)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("kill -9 $$", "was ended by signal 9"),
        ("exit 3", "failed"),
        ("exit 0", "left nothing"),
        ('echo "no picture" > "$5"', "gave no picture"),
    ],
)
async def test_a_process_that_ends_badly(
    program: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed, failed, or without a picture: a sentence, no exception of another kind."""
    other = tmp_path / "python"
    other.write_text(f"#!/bin/sh\n{program}\n")
    other.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(other))
    with pytest.raises(NotDrawn, match=why):
        await png(drawn(TIERS))


async def test_one_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an interpreter there is a sentence too."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(NotDrawn, match="could not be started"):
        await png(drawn(TIERS))


async def test_a_drawing_that_nobody_wants_any_more_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the bot stops in the middle of a drawing, the process goes with it."""
    told = tmp_path / "told"
    os.mkfifo(told)
    other = tmp_path / "python"
    other.write_text(f"#!/bin/sh\necho $$ > {told}\nexec sleep 600\n")
    other.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(other))
    drawing_it = asyncio.create_task(png(drawn(TIERS)))
    process = int(await asyncio.to_thread(told.read_text))
    drawing_it.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing_it
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


async def test_the_process_knows_nothing_of_the_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets of the bot's environment do not reach it."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    assert "xoxb-secret" not in str(drawing._environment("/tmp"))


def test_a_bot_that_draws_nothing_loads_nothing_to_draw_with() -> None:
    """matplotlib and numpy are loaded by the process that draws and by nobody else."""
    asked = "import bot.main, sys; sys.exit(any(each in sys.modules for each in ('matplotlib', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


def test_times_of_a_day_are_told_with_their_clock() -> None:
    """Hours are told apart; days have no clock."""
    hours = [{"day": datetime(2026, 1, 1, n, tzinfo=UTC), "made": n, "failed": 0} for n in (8, 9)]
    assert drawn(hours, chart=LINE).labels == ("1 Jan 08:00", "1 Jan 09:00")
