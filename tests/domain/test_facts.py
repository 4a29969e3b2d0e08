"""Facts keep their types through storage and stay bounded."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.change import Preview, RowChange, digest_of, shown
from bot.domain.compare import changed, drift
from bot.domain.facts import MAX_CELL, MAX_ROWS, Fact, FactStatus, bounded, from_json, to_json

pytestmark = pytest.mark.main_job

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text().filter(lambda text: "\x00" not in text)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.datetimes(timezones=st.just(UTC))
    | st.dates()
    | st.times()
    | st.uuids()
    | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(["$time", "$plain", "$decimal"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(values)
def test_values_survive_storage(value: object) -> None:
    """Times, decimals, identifiers, bytes and foreign data that looks like our tags come back as they were."""
    assert from_json(to_json(value)) == value


def test_each_kind_of_value_is_tagged() -> None:
    """The types a database gives keep their type."""
    row = {
        "at": datetime(2026, 1, 2, tzinfo=UTC),
        "day": date(2026, 1, 2),
        "clock": time(3, 4),
        "span": timedelta(seconds=5),
        "amount": Decimal("1.50"),
        "id": UUID(int=7),
        "raw": b"\x00\xff",
    }
    assert from_json(to_json(row)) == row


def test_big_results_are_cut_and_say_so() -> None:
    """10,000 rows and a cell of two megabytes stay within bounds."""
    rows = bounded([{"n": n, "text": "x" * 2_000_000} for n in range(MAX_ROWS + 1)])
    assert len(rows) == MAX_ROWS
    assert len(rows[0]["text"]) < MAX_CELL + 40
    assert "2,000,000 characters" in rows[0]["text"]


def test_changes_since_the_last_run_are_said_by_column() -> None:
    """A fact that differs from the last run's says which columns, in words."""
    before = Fact(FactStatus.DONE, {"row": {"tier": "free", "name": "A"}, "count": 1})
    after = Fact(FactStatus.DONE, {"row": {"tier": "starter", "name": "A"}, "count": 1})
    assert changed(before, after) == "tier was free"
    assert changed(None, after) == ""
    assert changed(after, after) == ""
    assert changed(after, Fact(FactStatus.FAILED)) == "was done, now failed"


def _preview(tier: str = "free", **changes: object) -> Preview:
    row = RowChange("businesses", {"id": 1}, {"tier": tier, "at": 1}, {"tier": "starter", "at": 2}, volatile=("at",))
    return Preview("1 row", {"sql": "UPDATE …"}, changes=(row,), counts={"businesses": 1}, **changes)  # type: ignore[arg-type]  # named fields


def test_digest_covers_what_would_happen_and_not_decoration() -> None:
    """A warning more leaves the digest alone; another before-image or statement does not."""
    plain = digest_of(shown(_preview()))
    assert digest_of(shown(_preview(warnings=("careful",)))) == plain
    assert digest_of(shown(_preview("past_due"))) != plain
    assert digest_of(shown(_preview(lines=("one more session",)))) != plain


def test_drift_is_said_in_words() -> None:
    """What differs between the approved and the present preview is named by column."""
    assert drift(_preview(), _preview("past_due")) == "tier before the change is past_due, not free"
