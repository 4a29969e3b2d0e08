"""The course of an incident: which stages its runs went through, what is said of it in words, and that it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.events import Happened
from bot.slack.drawing import png
from bot.slack.views.charts import MAX_ALT
from bot.slack.views.course import CHANGING, DECIDING, LOOKING, VERIFYING, WAITING, Course, course
from tests import builders as b

ENDED = b.incident(resolved_at=b.START + timedelta(minutes=34))


@dataclass(frozen=True)
class Line:
    """A recorded event, so many minutes after the beginning."""

    kind: str
    minute: float = 0.0
    run_id: str | None = None
    seq: int = 1
    actor: str = "bot"
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        """Its time."""
        return b.START + timedelta(minutes=self.minute)


FIXED = [
    Line("incident.escalated", 0.5),
    Line("run.requested", 1, "a"),
    Line("check.ended", 2, "a"),
    Line("findings.concluded", 3, "a"),
    Line("incident.acknowledged", 4),
    Line("approval.requested", 5, "a"),
    Line("run.requested", 6, "other"),
    Line("approval.granted", 11, "a"),
    Line("action.done", 11.5, "a"),
    Line("action.verified", 16, "a"),
    Line("run.done", 20, "a"),
]


def told(drawn: Course) -> list[tuple[str, float, float]]:
    """The stages of the first run."""
    return [(each.stage, each.begin, each.end) for each in drawn.lanes[0].stretches]


def test_stages_follow_the_record() -> None:
    """From the request to its end, each stage begins where the one before ends; other runs' lines are theirs."""
    drawn = course(ENDED, {"a": "RB-011 run 1"}, FIXED, b.NOW)
    assert told(drawn) == [
        (LOOKING, 1, 3),
        (DECIDING, 3, 5),
        (WAITING, 5, 11),
        (CHANGING, 11, 11.5),
        (VERIFYING, 11.5, 16),
        (DECIDING, 16, 20),
    ]
    assert drawn.marks == (("called", 0.5), ("on it", 4.0), ("approved", 11.0))
    assert (drawn.length, drawn.target) == (34, 20)
    for words in (
        "14 min over the target of 20 min",
        "waiting for approval 6 min",
        "changing 30 s",
        "on it at minute 4",
    ):
        assert words in drawn.alt


def test_a_run_that_has_not_ended_goes_to_the_end() -> None:
    """What is under way when the incident ends reaches as far as the incident."""
    drawn = course(ENDED, {"a": "RB-011 run 1"}, FIXED[:4], b.NOW)
    assert told(drawn)[-1] == (DECIDING, 3, 34)


async def test_it_is_drawn_with_and_without_anything() -> None:
    """A whole one, one in which nothing ran, and names that look like mathematics."""
    for drawn in (
        course(ENDED, {"a": "RB-011 $\\frac{1}{0}$"}, FIXED, b.NOW),
        course(b.incident(title="<!channel> $x$"), {}, [], b.START),
    ):
        assert (await png(drawn)).startswith(b"\x89PNG")


def test_more_runs_than_have_room() -> None:
    """Eight are drawn, the others are counted."""
    drawn = course(ENDED, {f"{place}": f"RB-{place:03d}" for place in range(12)}, [], b.NOW)
    assert (len(drawn.lanes), drawn.note) == (8, "… and 4 more runs")


@given(
    st.lists(
        st.builds(
            Line,
            kind=st.sampled_from([*map(str, Happened), "of.another.release"]),
            minute=st.floats(-100, 10_000),
            run_id=st.sampled_from([None, "a", "b"]),
        ),
        max_size=40,
    )
)
def test_any_record_makes_a_course(lines: list[Line]) -> None:
    """Whatever stands there, in whatever order: stretches do not run backwards, and the words keep to their length."""
    ordered = sorted(lines, key=lambda line: line.minute)
    drawn = course(ENDED, {"a": "one", "b": "two"}, ordered, b.NOW)
    assert all(0 <= each.begin <= each.end <= drawn.length for lane in drawn.lanes for each in lane.stretches)
    assert len(drawn.alt) <= MAX_ALT
