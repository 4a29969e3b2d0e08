"""How far a runbook is proven, in one line: when its drill and its live checks last passed, and what is stale."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from bot.domain.proof import Proven, Standing, Stands
from bot.slack.views import spell
from bot.slack.views.text import clip, escape, one_line

MARK = "⚠"
_NOTHING = "Not proven here yet"


def proven_line(proven: Proven) -> str:
    """The line of one runbook, as mrkdwn."""
    if proven.unrecorded:
        return f"{_NOTHING}: no drill and no live check is on record."
    return f"Last proven: {_drill(proven.drill, proven.now)} · {_live(proven.live, proven.now)}"


def proven_head(proven: Mapping[str, Proven]) -> str:
    """The line over a list of runbooks, as mrkdwn; "" when all are proven."""
    if not proven or all(each.unrecorded for each in proven.values()):
        return f"{_NOTHING}." if proven else ""
    stale = sum(each.stale for each in proven.values())
    return f"{MARK} {stale} not proven as they stand: `/runbook show` says why." if stale else ""


def _drill(stands: Stands, now: datetime) -> str:
    match stands.standing:
        case Standing.GOOD:
            return f"drill {_ago(stands.last_passed, now)}"
        case Standing.OLD:
            return f"{MARK} last drilled {_ago(stands.last_passed, now)}"
        case Standing.FAILED:
            return f"{MARK} drill failed {_failed(stands, now)}"
        case Standing.CHANGED:
            return f"{MARK} changed since it was drilled {_ago(stands.last_passed, now)}"
        case Standing.NEVER:
            return f"{MARK} never drilled"
        case Standing.UNRECORDED | Standing.OUT_OF_REACH:
            return "no drill on record"
        case _:
            assert_never(stands.standing)


def _live(stands: Stands, now: datetime) -> str:  # noqa: PLR0911 - one arm a standing
    match stands.standing:
        case Standing.GOOD:
            return f"live checks {_ago(stands.last_passed, now)}"
        case Standing.OLD:
            return f"{MARK} live checks last passed {_ago(stands.last_passed, now)}"
        case Standing.FAILED:
            return f"{MARK} live checks failed {_failed(stands, now)}"
        case Standing.CHANGED:
            return f"{MARK} changed since its live checks passed {_ago(stands.last_passed, now)}"
        case Standing.NEVER:
            return f"{MARK} live checks never passed"
        case Standing.UNRECORDED:
            return "no live check on record"
        case Standing.OUT_OF_REACH:
            return f"live checks cannot be tried: {escape(clip(one_line(stands.detail), 200))}"
        case _:
            assert_never(stands.standing)


def _failed(stands: Stands, now: datetime) -> str:
    before = f"last passed {_ago(stands.last_passed, now)}" if stands.last_passed else "never passed"
    detail = escape(clip(one_line(stands.detail), 300)).rstrip(".")
    return f"{_ago(stands.tried, now)}, {before}: {detail}"


def _ago(then: datetime | None, now: datetime) -> str:
    return "–" if then is None else spell.lately(then, now)
