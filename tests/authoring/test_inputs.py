"""Inputs of runbooks and fields of forms: typed values, or one sentence for each that does not fit."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.authoring.inputs import parse_fields, parse_inputs
from bot.domain.runbook import Input, InputType
from bot.errors import BadInputs
from tests.authoring.samples import a_runbook

pytestmark = pytest.mark.authoring

UUID = "0a1aca27-0001-4000-8000-000000000001"


def field(type: InputType, **more: Any) -> Input:
    return Input("it", type, "It", **more)


@pytest.mark.parametrize(
    ("one", "raw", "expected"),
    [
        (field(InputType.TEXT), "  plain words ", "plain words"),
        (field(InputType.UUID), UUID.upper(), UUID),
        (field(InputType.UUID), f"`{UUID}`", UUID),
        (field(InputType.INTEGER), "1,200", 1200),
        (field(InputType.NUMBER), "12.50", Decimal("12.50")),
        (field(InputType.BOOLEAN), "Yes", True),
        (field(InputType.BOOLEAN), "off", False),
        (field(InputType.CHOICE, choices=("Starter", "Growth")), "growth", "Growth"),
        (field(InputType.EMAIL), "<mailto:a@b.test|a@b.test>", "a@b.test"),
        (field(InputType.URL), "<https://x.test/a?b=1|x.test>", "https://x.test/a?b=1"),
        (field(InputType.TIMESTAMP), "2026-11-21T09:00+01:00", datetime(2026, 11, 21, 8, tzinfo=UTC)),
        (field(InputType.TIMESTAMP), "2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        (field(InputType.TEXT, pattern="pi_[A-Za-z0-9]+"), "pi_1", "pi_1"),
        (field(InputType.INTEGER, required=False), "", None),
        (field(InputType.INTEGER, default=5), "", 5),
        (field(InputType.BOOLEAN, default=False), " ", False),
    ],
)
def test_what_people_write_becomes_a_value(one: Input, raw: str, expected: Any) -> None:
    """Each type takes what people write, with the quotes and links that Slack puts around it."""
    assert parse_fields((one,), {"it": raw}) == {"it": expected}


@pytest.mark.parametrize(
    ("one", "raw", "said"),
    [
        (field(InputType.UUID), "123", "is not a UUID"),
        (field(InputType.INTEGER), "1.5", "whole number"),
        (field(InputType.INTEGER), "१२", "whole number"),
        (field(InputType.INTEGER), "9" * 400, "whole number"),
        (field(InputType.INTEGER, minimum=5), "4", "at least 5"),
        (field(InputType.NUMBER, maximum=100), "100.01", "at most 100"),
        (field(InputType.NUMBER), "NaN", "number"),
        (field(InputType.NUMBER), "1e999999", "number"),
        (field(InputType.NUMBER), "Infinity", "number"),
        (field(InputType.BOOLEAN), "maybe", "neither yes nor no"),
        (field(InputType.CHOICE, choices=("starter", "growth")), "grwth", "Did you mean «growth»?"),
        (field(InputType.EMAIL), "a@b@c", "e-mail"),
        (field(InputType.EMAIL), "a b@c.test", "e-mail"),
        (field(InputType.URL), "javascript:alert(1)", "web address"),
        (field(InputType.URL), "https://[", "web address"),
        (field(InputType.TIMESTAMP), "tomorrow", "time"),
        (field(InputType.TIMESTAMP), "0001-01-01T00:00+23:59", "time"),
        (field(InputType.TEXT), "x" * 2001, "longer than 2,000"),
        (field(InputType.TEXT), "a\x00b", "control characters"),
        (field(InputType.TEXT, pattern="pi_[a-z]+", help="Begins with pi_"), "ch_1", "Begins with pi_"),
        (field(InputType.TEXT, pattern="a+"), "a" * 201, "longer than 200"),
        (field(InputType.TEXT), "", "It is needed"),
    ],
)
def test_what_does_not_fit_is_one_sentence(one: Input, raw: str, said: str) -> None:
    """What does not fit is answered with one short sentence under the input's name."""
    with pytest.raises(BadInputs) as refused:
        parse_fields((one,), {"it": raw})
    assert said in refused.value.problems["it"]
    assert len(refused.value.problems["it"]) < 200


def test_all_inputs_are_judged_at_once() -> None:
    """A missing, a mistyped and an unknown input are all reported, the unknown one with the name that was meant."""
    runbook = a_runbook()
    with pytest.raises(BadInputs) as refused:
        parse_inputs(runbook, {"busines_id": UUID, "colour": "red"})
    assert set(refused.value.problems) == {"business_id", "busines_id", "colour"}
    assert "business_id" in refused.value.problems["busines_id"]
    assert parse_inputs(runbook, {"business_id": UUID}) == {"business_id": UUID}


@given(st.sampled_from(list(InputType)), st.text(max_size=300))
def test_any_text_gives_a_value_or_a_sentence(type: InputType, raw: str) -> None:
    """Nothing that can be typed raises anything but `BadInputs`."""
    one = field(type, choices=("a", "b") if type is InputType.CHOICE else (), minimum=-5, maximum=5)
    with contextlib.suppress(BadInputs):
        assert set(parse_fields((one,), {"it": raw})) == {"it"}
