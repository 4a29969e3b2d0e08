"""How a monitor stands: what holds long enough counts, what is over counts only after a while, and all is said once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.monitoring import (
    KEPT,
    Change,
    Reading,
    State,
    Watched,
    as_text,
    calm_for,
    due,
    fails_for,
    figure,
    judged,
    severity_of_failure,
    stale,
)
from bot.domain.operations import Monitor
from bot.domain.runbook import Severity

BEGIN = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POOL = Monitor("pool", "Pool", Severity.P1, every=MINUTE, page="value > 80", hold=timedelta(minutes=5))
AT_ONCE = replace(POOL, hold=timedelta(0))
CALM, WARNS = Reading(10, said="10 %"), Reading(70, warns=True, said="70 %")
PAGES = Reading(90, warns=True, pages=True, said="90 %")
FAILS = Reading(failed="The database does not answer.")


def watched(
    readings: list[Reading], monitor: Monitor = POOL, *, muted: frozenset[int] = frozenset()
) -> tuple[Watched, list[tuple[int, Change]]]:
    """The monitor after these readings, a minute apart, and what was said in which minute."""
    now, said = Watched("alacarte", "pool"), []
    for minute, reading in enumerate(readings):
        now, changes = judged(now, monitor, reading, BEGIN + minute * MINUTE, muted=minute in muted)
        said += [(minute, change) for change in changes]
    return now, said


def test_it_pages_once_it_has_held() -> None:
    """Five minutes over the threshold are a page, four are none; until then it is a warning."""
    now, said = watched([CALM, *[PAGES] * 5])
    assert (now.state, said) == (State.WARNING, [(1, Change.WARNS)])
    assert now.pending_since == BEGIN + MINUTE
    now, said = watched([CALM, *[PAGES] * 30])
    assert (now.state, said) == (State.PAGING, [(1, Change.WARNS), (6, Change.PAGES)])
    assert now.since == BEGIN + 6 * MINUTE
    assert now.told


def test_a_schedule_that_comes_a_little_early_costs_no_look() -> None:
    """Five minutes less a moment are five minutes."""
    now, _ = judged(Watched("alacarte", "pool"), POOL, PAGES, BEGIN + timedelta(seconds=0.9))
    now, changes = judged(now, POOL, PAGES, BEGIN + timedelta(minutes=5, seconds=0.1))
    assert changes == (Change.PAGES,)


def test_a_dip_begins_the_time_anew() -> None:
    """What does not hold without a break does not count."""
    _, said = watched([*[PAGES] * 4, CALM, *[PAGES] * 5])
    assert Change.PAGES not in [change for _, change in said]


def test_without_a_duration_it_pages_at_once() -> None:
    """The first look is enough."""
    assert watched([PAGES], AT_ONCE)[1] == [(0, Change.PAGES)]


def test_it_is_over_after_a_calm_while() -> None:
    """As long as it had to hold, and two looks at least; a relapse begins that time anew and says nothing."""
    sick = [PAGES] * 6
    now, said = watched([*sick, *[CALM] * 5])
    assert (now.state, now.calm_since) == (State.PAGING, BEGIN + 6 * MINUTE)
    now, said = watched([*sick, *[CALM] * 6])
    assert (now.state, said[-1], now.told) == (State.OK, (11, Change.OVER), False)
    now, said = watched([*sick, *[CALM] * 4, PAGES, *[CALM] * 5])
    assert (now.state, [change for _, change in said]) == (State.PAGING, [Change.WARNS, Change.PAGES])
    assert calm_for(AT_ONCE) == 2 * MINUTE
    assert [each[0] for each in watched([PAGES, CALM, CALM, CALM], AT_ONCE)[1]] == [0, 3]


def test_what_flaps_says_nothing_twice() -> None:
    """An hour of pages and calm in turn is one page and no end."""
    _, said = watched([PAGES, CALM] * 30, AT_ONCE)
    assert said == [(0, Change.PAGES)]


def test_it_may_page_again_when_it_was_over() -> None:
    """The next time is told as the first one was."""
    _, said = watched([PAGES, *[CALM] * 3, PAGES], AT_ONCE)
    assert [change for _, change in said] == [Change.PAGES, Change.OVER, Change.PAGES]


def test_a_warning_is_shown_and_has_an_end_too() -> None:
    """A target that is missed is a state, which ends as slowly; from a page it may go down to a warning."""
    now, said = watched([WARNS, CALM, WARNS, *[CALM] * 6])
    assert (now.state, said) == (State.OK, [(0, Change.WARNS), (8, Change.CALM)])
    now, said = watched([PAGES, *[WARNS] * 3], AT_ONCE)
    assert (now.state, said[-1]) == (State.WARNING, (3, Change.OVER))


def test_what_cannot_be_read_is_told_after_a_while() -> None:
    """Three looks, or the monitor's own duration if that is longer; and once. It is over when it reads again."""
    now, said = watched([CALM, FAILS, FAILS], AT_ONCE)
    assert (said, now.failures, now.failed) == ([], 2, FAILS.failed)
    now, said = watched([CALM, *[FAILS] * 30], AT_ONCE)
    assert (said, now.broken_since, now.told_broken) == ([(3, Change.BROKE)], BEGIN + 3 * MINUTE, True)
    assert watched([CALM, *[FAILS] * 9])[1] == [(6, Change.BROKE)]
    assert fails_for(POOL) == POOL.hold
    now, said = watched([CALM, *[FAILS] * 9, CALM])
    assert (said[-1], now.failed, now.told_broken) == ((10, Change.READS), "", False)


def test_a_failed_look_neither_confirms_nor_ends_a_page() -> None:
    """It stays what it was: it is not over while nobody sees it, and a page needs a reading."""
    now, said = watched([PAGES, *[CALM] * 2, *[FAILS] * 2, *[CALM] * 2], AT_ONCE)
    assert (now.state, [change for _, change in said]) == (State.PAGING, [Change.PAGES])
    now, said = watched([*[PAGES] * 3, *[FAILS] * 3, PAGES])
    assert (now.state, said[-1]) == (State.PAGING, (6, Change.PAGES))
    assert watched([*[PAGES] * 3, *[FAILS] * 4])[0].state is State.WARNING


def test_how_bad_it_is_not_to_see() -> None:
    """P3, or as bad as what might be missed."""
    assert severity_of_failure(POOL) is Severity.P1
    assert severity_of_failure(replace(POOL, severity=Severity.P3)) is Severity.P3


def test_muted_it_goes_on_and_tells_nobody() -> None:
    """What still pages when the window ends is told then; what is over by then never is."""
    now, said = watched([PAGES] * 4, AT_ONCE, muted=frozenset(range(4)))
    assert (now.state, now.told, said) == (State.PAGING, False, [(0, Change.PAGES)])
    now, said = watched([PAGES] * 6, AT_ONCE, muted=frozenset(range(4)))
    assert (now.told, said) == (True, [(0, Change.PAGES), (4, Change.PAGES)])
    now, said = watched([PAGES, *[CALM] * 6], AT_ONCE, muted=frozenset(range(3)))
    assert (now.told, [change for _, change in said]) == (False, [Change.PAGES, Change.OVER])
    _, said = watched([FAILS] * 6, AT_ONCE, muted=frozenset(range(4)))
    assert said == [(2, Change.BROKE), (4, Change.BROKE)]


def test_when_it_is_looked_at_next() -> None:
    """By whole minutes, so that a schedule that is late by seconds loses no minute; half a minute is one."""
    now, _ = judged(Watched("alacarte", "pool"), POOL, CALM, BEGIN + timedelta(seconds=3))
    assert now.next_at == BEGIN + MINUTE
    assert due(now, BEGIN + MINUTE)
    assert not due(now, BEGIN + timedelta(seconds=59))
    hasty = replace(POOL, every=timedelta(seconds=30))
    assert judged(Watched("alacarte", "pool"), hasty, CALM, BEGIN)[0].next_at == BEGIN + MINUTE


def test_a_dead_schedule_shows() -> None:
    """What should have been looked at long ago is stale; what has never been is new."""
    now, _ = judged(Watched("alacarte", "pool"), POOL, CALM, BEGIN)
    assert not stale(now, POOL, BEGIN + 8 * MINUTE)
    assert stale(now, POOL, BEGIN + 9 * MINUTE)
    assert not stale(Watched("alacarte", "pool"), POOL, BEGIN)


def test_values_in_words_and_figures() -> None:
    """What is shown and what is drawn of a value."""
    values = [12.5, Decimal("3.20"), True, "abc", None, float("nan"), 10**400]
    assert [as_text(each) for each in values[:5]] == ["12.5", "3.2", "yes", "abc", ""]
    assert [figure(each) for each in values] == [12.5, 3.2, 1.0, None, None, None, None]
    assert as_text(float("nan")) == "nan"
    assert as_text(1000) == "1,000"
    now, _ = watched([CALM] * (KEPT + 5))
    assert len(now.history) == KEPT


@pytest.mark.parametrize("hold", [0, 3])
@given(looks=st.lists(st.tuples(st.sampled_from([CALM, WARNS, PAGES, FAILS]), st.booleans()), max_size=60))
def test_whatever_comes_everything_told_has_its_end(hold: int, looks: list[tuple[Reading, bool]]) -> None:
    """Pages and ends alternate, nobody is told while it is muted, and nobody is told twice."""
    monitor, now, open_ = replace(POOL, hold=hold * MINUTE), Watched("alacarte", "pool"), False
    for minute, (reading, muted) in enumerate(looks):
        before = now
        now, changes = judged(before, monitor, reading, BEGIN + minute * MINUTE, muted=muted)
        assert len(set(changes)) == len(changes)
        if now.told and not before.told:
            assert not muted
            assert reading.pages
            assert Change.PAGES in changes
        if Change.OVER in changes:
            assert open_
        open_ = now.state is State.PAGING
        assert now.told <= open_
        assert (Change.BROKE in changes) <= bool(reading.failed)
