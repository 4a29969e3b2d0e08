"""Computing, asking, manual steps and waiting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.facts import Fact, FactStatus
from bot.domain.runbook import Effect, InputType, Section
from bot.steps.ask import Ask, AskSpec
from bot.steps.base import AwaitCondition, AwaitPerson, InDoubt, Question, StepContext
from bot.steps.compute import Compute, ComputeSpec
from bot.steps.durations import span
from bot.steps.manual import Manual, ManualSpec
from bot.steps.wait import Wait, WaitSpec
from tests.steps.conftest import KEY, SYSTEM, MakeContext

pytestmark = pytest.mark.runbooks


@pytest.fixture
def nowhere(make_context: MakeContext) -> StepContext:
    """A context whose every target is down: these kinds need none."""
    return make_context()


async def test_computed_facts(nowhere: StepContext) -> None:
    """One result is `value`; several have their names; both are bounded, and said in words."""
    one = await Compute().look(ComputeSpec(expression=42), nowhere)
    assert isinstance(one, Fact)
    assert (one.value, one.summary) == ({"value": 42}, "42")
    many = await Compute().look(ComputeSpec(values={"total": 3, "list": list(range(5000))}), nowhere)
    assert isinstance(many, Fact)
    assert many.value["total"] == 3
    assert len(many.value["list"]) == 1000
    assert many.summary == "total 3, list 1,000 items"
    said = await Compute().look(ComputeSpec(values={"new": True, "made": False, "by": None}), nowhere)
    assert isinstance(said, Fact)
    assert said.summary == "new yes, made no, by nothing"


def test_compute_lint() -> None:
    """Exactly one way to say it; no name that every fact has."""

    def fields(**spec: Any) -> list[str]:
        return [each.field for each in Compute().lint(ComputeSpec(**spec), Section.CHECKS, SYSTEM)]

    assert fields(expression="1") == []
    assert fields() == ["expression"]
    assert fields(expression="1", values={"a": "1"}) == ["expression"]
    assert fields(values={"ok": "1"}) == ["values.ok"]


async def test_a_question_with_a_form(nowhere: StepContext) -> None:
    """Fields become typed inputs in order; without a form the answer is one text."""
    form = {"since": {"type": "timestamp", "help": "UTC"}, "plan": {"choices": ["a", "b"], "required": False}}
    asked = await Ask().look(AskSpec.model_validate({"question": "Since when?", "form": form}), nowhere)
    assert isinstance(asked, Question)
    assert [(each.name, each.type, each.label) for each in asked.form] == [
        ("since", InputType.TIMESTAMP, "Since"),
        ("plan", InputType.CHOICE, "Plan"),
    ]
    plain = await Ask().look(AskSpec(question="Why?"), nowhere)
    assert isinstance(plain, Question)
    assert [each.name for each in plain.form] == ["answer"]


async def test_a_choice_among_rows(nowhere: StepContext) -> None:
    """The value is the answer, the labels are what people see; an empty list is a failed check."""
    rows = [{"id": "pi_1", "text": "12.50 EUR"}, {"id": "pi_2", "text": None}, "plain"]
    choose = {"from": rows, "value": "id", "label": ["id", "text"]}
    asked = await Ask().look(AskSpec.model_validate({"question": "Which?", "choose": choose}), nowhere)
    assert isinstance(asked, Question)
    assert asked.options[0] == {"value": "pi_1", "label": "pi_1 · 12.50 EUR"}
    assert asked.options[2] == {"value": "plain", "label": "plain"}
    assert asked.form[0].choices == ("pi_1", "pi_2", "plain")
    stored = AskSpec.model_validate(AskSpec.model_validate({"question": "?", "choose": choose}).model_dump())
    assert stored.choose is not None
    assert stored.choose.from_ == rows
    nothing: tuple[Any, ...] = ([], "text", None)
    for rows_ in nothing:
        spec = AskSpec.model_validate({"question": "Which?", "choose": {"from": rows_}})
        failed = await Ask().look(spec, nowhere)
        assert isinstance(failed, Fact)
        assert failed.status is FactStatus.FAILED


@pytest.mark.parametrize("more", [{}, {"choose": {"from": ["a", "b"]}}])
async def test_a_question_that_insists_holds_the_run(nowhere: StepContext, more: dict[str, Any]) -> None:
    """Only where its author says so."""
    for insist in (True, False):
        asked = await Ask().look(AskSpec.model_validate({"question": "Which?", "insist": insist, **more}), nowhere)
        assert isinstance(asked, Question)
        assert asked.holds is insist


def test_ask_lint() -> None:
    """A form or a choice, and no reserved field."""
    spec = AskSpec.model_validate({"question": "?", "form": {"failed": {}}, "choose": {"from": "rows"}})
    assert [each.field for each in Ask().lint(spec, Section.CHECKS, SYSTEM)] == ["choose", "form.failed"]


async def test_a_manual_check_and_a_manual_action(nowhere: StepContext) -> None:
    """In checks a question; in actions, after approval, an instruction that somebody reports as done."""
    spec = ManualSpec.model_validate(
        {
            "instructions": "Turn the webhook on.\nThen wait.",
            "link": "https://dashboard.test/hooks",
            "form": {"note": {"label": "What happened?"}},
        }
    )
    asked = await Manual().look(spec, nowhere)
    assert isinstance(asked, Question)
    assert asked.text.endswith("https://dashboard.test/hooks")
    preview = await Manual().preview(spec, nowhere)
    assert preview.headline == "A person does this: Turn the webhook on."
    assert not preview.exact
    outcome = await Manual().act(spec, preview, KEY, nowhere)
    assert isinstance(outcome, AwaitPerson)
    assert outcome.form[0].label == "What happened?"
    assert isinstance(await Manual().settle(spec, KEY, nowhere), InDoubt)
    assert Manual().effect(spec, Section.ACTIONS) is Effect.WRITE
    assert [
        each.field for each in Manual().lint(ManualSpec(instructions="x", link="ftp:x"), Section.CHECKS, SYSTEM)
    ] == ["link"]


async def test_waiting(nowhere: StepContext) -> None:
    """The condition stays text; waiting changes nothing and needs no approval."""
    spec = WaitSpec(until="health.status == 200", every="30s", at_most="5m")
    assert Wait().effect(spec, Section.ACTIONS) is Effect.NONE
    expected = AwaitCondition("health.status == 200", timedelta(seconds=30), timedelta(minutes=5))
    assert await Wait().act(spec, await Wait().preview(spec, nowhere), KEY, nowhere) == expected
    assert await Wait().settle(spec, KEY, nowhere) == expected
    late = WaitSpec(until="x", every="1h", at_most="5m")
    assert [each.field for each in Wait().lint(late, Section.ACTIONS, SYSTEM)] == ["every"]
    with pytest.raises(ValueError, match="time span"):
        WaitSpec(until="x", every="soon")


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("1h 30m", 5400), ("1.5m", 90), (" 2 d ", 172800), (5, 5), ("250ms", 0.25)]
)
def test_spans(text: str | float, seconds: float) -> None:
    """Spans as people write them."""
    assert span(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "soon", "5", "5 x", "m5", "0s", "5m!"])
def test_what_is_no_span(text: str) -> None:
    """Everything else is said with an example."""
    with pytest.raises(ValueError, match="30s"):
        span(text)
