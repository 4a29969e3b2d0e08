"""Monitors and maintenance windows as golden files, their small charts, and any data in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.blockkit import validate_message
from bot.domain.maintenance import Occurrence, Stage
from bot.domain.monitoring import Point, Standing, State, Watched
from bot.domain.operations import Monitor, Window
from bot.domain.runbook import Severity
from bot.slack.drawing import png
from bot.slack.views.kit import Message
from bot.slack.views.maintenance import changed_message, window_message, windows_message
from bot.slack.views.monitors import monitor_picture, monitors_message, sparkline, standing_word
from tests import builders as b
from tests.slack.test_screens import golden

MINUTE = timedelta(minutes=1)
POOL = Monitor("pool", "Connections at work", Severity.P1, MINUTE, unit="%", page="value > 80", runbook="RB-004")


def points(*values: float | None) -> tuple[Point, ...]:
    """Values, a minute apart, the last of them now."""
    return tuple(Point(b.NOW - (len(values) - 1 - place) * MINUTE, value) for place, value in enumerate(values))


def standing(monitor: Monitor = POOL, **known: Any) -> Standing:
    """A monitor that is calm, or what is said of it."""
    about = {"state": State.OK, "since": b.START, "value": "42", "last_at": b.NOW, "next_at": b.NOW + MINUTE, **known}
    muted, stale = about.pop("muted", ""), about.pop("stale", False)
    return Standing("shop", monitor, Watched("shop", monitor.key, **about), muted, stale)


CALM = standing(history=points(40, 41, 42))
PAGING = standing(state=State.PAGING, value="95", told=True, said="95 % are at work.", history=points(40, 60, 95, None))
MUTED = replace(standing(state=State.PAGING, value="95", said="95 % are at work."), muted="Upkeep")
PENDING = standing(replace(POOL, hold=5 * MINUTE), state=State.WARNING, pending_since=b.NOW, said="90 % are at work.")
WARNING = standing(state=State.WARNING, value="70", failures=1, said="70 % are at work.")
BROKEN = standing(broken_since=b.NOW, failed="The database <does> not answer.")
STALE = replace(CALM, stale=True)
NEW = Standing("shop", POOL, Watched("shop", "pool"))
ELSEWHERE = Standing("shop", Monitor("cpu", "CPU", Severity.P1, alert="CpuHigh"), Watched("shop", "cpu"))
ALL = (CALM, PAGING, MUTED, PENDING, WARNING, BROKEN, STALE, NEW, ELSEWHERE)
UPKEEP = Occurrence("1", "shop", "upkeep", "Upkeep", (), b.NOW, b.NOW + timedelta(hours=2), opened_by="bot")
BY_HAND = replace(UPKEEP, title="A <deployment>", mutes=("pool", "cpu"), opened_by="U0ANA", started_at=b.NOW)
LATER = b.NOW - timedelta(hours=3)

MESSAGES = {
    "monitors": monitors_message(ALL, {"shop": "The shop"}, masked=frozenset()),
    "monitors_masked": monitors_message(ALL, {"shop": "The shop"}, masked=frozenset({"shop"})),
    "monitors_of_all": monitors_message(ALL, {"shop": "The shop", "bakery": "The bakery"}, masked=frozenset()),
    "window_announced": window_message(UPKEEP, Stage.ANNOUNCED, "The shop", "The shop is *closed* <!here>."),
    "window_started": window_message(BY_HAND, Stage.STARTED, "The shop"),
    "window_ended": window_message(
        replace(BY_HAND, ended_at=b.NOW + MINUTE, ended_by="U0BEN"), Stage.ENDED, "The shop"
    ),
    "window_called_off": window_message(replace(UPKEEP, ended_at=LATER, ended_by="U0BEN"), Stage.ENDED, "The shop"),
    "window_opened": changed_message(BY_HAND, opened=True),
    "windows": windows_message(
        [BY_HAND, replace(UPKEEP, starts_at=b.NOW + timedelta(days=1))],
        {"shop": {"upkeep": Window("upkeep", "Upkeep", timedelta(hours=2)), "now": Window("now", "At once")}},
        b.NOW,
    ),
    "windows_none": windows_message([], {}, b.NOW),
}


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_golden_message(name: str, request: pytest.FixtureRequest) -> None:
    """Each message is exactly what its golden file says, and valid for Slack."""
    message = MESSAGES[name]
    payload = {"text": message.text, "blocks": message.blocks}
    assert validate_message(payload) == []
    golden(f"message_{name}", payload, request)


def test_each_standing_has_its_word() -> None:
    """What is in trouble comes with its own; one that pages and cannot be read still pages."""
    words = ["ok", "paging", "paging", "pending", "warning", "failed", "stale", "new", "elsewhere"]
    assert [standing_word(each) for each in ALL] == words
    assert standing_word(standing(state=State.PAGING, broken_since=b.NOW)) == "paging"


def test_whom_a_monitor_is_about_is_not_said_to_everybody() -> None:
    """Sentences may name people; who sees a system masked sees figures only."""
    assert "are at work." in str(MESSAGES["monitors"].blocks)
    assert "are at work." not in str(MESSAGES["monitors_masked"].blocks)


def test_a_small_chart() -> None:
    """From the lowest to the highest of the last twenty; what could not be read is a dot."""
    assert sparkline(points(0, 1, 2, 3, 4, 5, 6, 7)) == "▁▂▃▄▅▆▇█"
    assert sparkline(points(5, None, 5)) == "▁·▁"
    assert sparkline(points(None, None)) == ""
    assert sparkline(points(*range(100))) == "▁▁▂▂▂▃▃▄▄▄▅▅▅▆▆▇▇▇██"


async def test_a_picture_with_its_threshold() -> None:
    """The last values, and the threshold where it is a plain figure; too few are no picture."""
    drawn = monitor_picture(PAGING)
    assert drawn is not None
    assert [each.name for each in drawn.series] == ["%", "pages above 80"]
    assert drawn.series[0].values == (40.0, 60.0, 95.0, None)
    assert (
        drawn.alt
        == "Line chart: Connections at work (%): from 40 to 95, lowest 40, highest 95 in 3 min; it pages above 80."
    )
    assert (await png(drawn)).startswith(b"\x89PNG")
    plain = monitor_picture(standing(replace(POOL, page="not value"), history=points(1, 1, 0)))
    assert plain is not None
    assert [each.name for each in plain.series] == ["%"]
    assert monitor_picture(standing(history=points(1, None, 2))) is None


def test_any_number_of_any_monitors_fits() -> None:
    """Two hundred monitors with long and hostile words are a message that Slack takes."""
    words = "<!channel> *bold* `code` \u202e" * 40
    nasty = Monitor("k" * 200, words, Severity.P1, unit=words, runbook="RB-004", page=words)
    known = {"state": State.PAGING, "value": words, "said": words, "muted": words, "history": points(1, 2, 3)}
    for titles in ({"shop": words}, {"shop": words, "bakery": "b"}):
        message: Message = monitors_message([standing(nasty, **known)] * 200, titles, masked=frozenset())
        assert validate_message({"text": message.text, "blocks": message.blocks}) == []
        assert "<!channel>" not in str(message.blocks)
    long = replace(BY_HAND, title=words, system=words)
    for told in (window_message(long, Stage.STARTED, words, words * 20), windows_message([long] * 60, {}, b.NOW)):
        assert validate_message({"text": told.text, "blocks": told.blocks}) == []
