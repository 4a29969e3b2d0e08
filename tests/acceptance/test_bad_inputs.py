"""What people type wrong: every input of every shipped runbook, with a wrong type, far too much, and an id that nobody
has."""

from __future__ import annotations

import math

import pytest
from hypothesis import find
from hypothesis.strategies import characters, from_regex

from bot.authoring.inputs import parse_fields, parse_inputs
from bot.authoring.loader import catalogue_at
from bot.cli.drills import SHIPPED
from bot.cli.sandbox import populated
from bot.domain.runbook import ASKING, Input, InputType, Runbook
from bot.errors import BadInputs
from bot.runs.concluding import UNSAID, concluded
from bot.runs.sight import Sight
from bot.sandbox.postgres import Postgres
from bot.sandbox.systems import SYSTEMS
from bot.steps.targets import Targets

pytestmark = pytest.mark.runbooks

CATALOGUE = catalogue_at(SHIPPED)
WITH_INPUTS = [runbook for runbook in CATALOGUE if runbook.inputs]
WRONG = {
    InputType.UUID: "not-a-uuid",
    InputType.INTEGER: "many",
    InputType.NUMBER: "1,5 apples",
    InputType.BOOLEAN: "perhaps",
    InputType.CHOICE: "none of these",
    InputType.EMAIL: "nobody at all",
    InputType.URL: "example",
    InputType.TIMESTAMP: "yesterday",
}
CHANGING = frozenset({"sql", "http", "stripe", "command", "manual"})
ASCII = characters(min_codepoint=33, max_codepoint=126)
NOBODY = {
    InputType.UUID: "00000000-dead-4000-8000-000000000000",
    InputType.EMAIL: "nobody@nowhere.example",
    InputType.URL: "https://nowhere.example/",
    InputType.TIMESTAMP: "2026-11-01T00:00Z",
    InputType.BOOLEAN: "no",
}


def nobody(field: Input) -> str:
    """A value of the right form that nothing has."""
    if field.type is InputType.CHOICE:
        return field.choices[0]
    if field.type in (InputType.INTEGER, InputType.NUMBER):
        return str(math.ceil(field.minimum if field.minimum is not None else 1))
    if field.type is not InputType.TEXT:
        return NOBODY[field.type]
    if field.pattern is None:
        return "nobody"
    # The simplest text of the form, with enough of it that nothing in a sample system is called so.
    return find(from_regex(field.pattern, fullmatch=True, alphabet=ASCII), lambda text: fits(field, text))


def named(runbook: Runbook) -> bool:
    """Whether the runbook is about somebody or something that is named by an id."""
    ids = (InputType.UUID, InputType.EMAIL)
    return any(each.required and (each.pattern or each.type in ids) for each in runbook.inputs)


def fits(field: Input, text: str) -> bool:
    """Whether the bot takes the text for the field."""
    try:
        parse_fields((field,), {field.name: text})
    except BadInputs:
        return False
    return True


@pytest.mark.parametrize("runbook", WITH_INPUTS, ids=lambda runbook: runbook.id)
def test_a_wrong_type_and_far_too_much_are_refused_in_words(runbook: Runbook) -> None:
    """The input is named, the sentence quotes at most a piece of what was typed, and nothing runs."""
    good = {field.name: nobody(field) for field in runbook.inputs}
    parse_inputs(runbook, good)
    for field in runbook.inputs:
        typed = ["x" * 100_000, "nul\x00"] + ([WRONG[field.type]] if field.type in WRONG else [])
        for text in typed:
            with pytest.raises(BadInputs) as refused:
                parse_inputs(runbook, {**good, field.name: text})
            assert list(refused.value.problems) == [field.name]
            assert 10 < len(refused.value.problems[field.name]) < 400


@pytest.mark.parametrize("system", sorted(SYSTEMS))
async def test_an_id_that_nobody_has_is_said(system: str, postgres: Postgres) -> None:
    """Each runbook answers with a finding in words that proposes no change, and no check breaks over it."""
    wrong = []
    async with (
        populated(postgres, systems=(system,), rate_limits=False) as sandbox,
        Targets(sandbox.world.environment()) as targets,
    ):
        planted = await sandbox.world.plant(system, "healthy")
        desk = sandbox.bot.desk
        about = desk.library.catalogue.systems[system]
        for runbook in (each for each in WITH_INPUTS if each.system == system and named(each)):
            sight = Sight(targets, about, desk.clock, "")
            inputs = parse_inputs(runbook, {field.name: nobody(field) for field in runbook.inputs})
            facts = await sight.facts(runbook.checks, inputs)
            found = concluded(runbook.findings, sight.scope(inputs, facts))
            if not found and not any(check.kind in ASKING for check in runbook.checks.values()):
                wrong.append(f"{runbook.id} says nothing")
            wrong += [f"{runbook.id} {each.key}: {each.say}" for each in found if UNSAID in each.say]
            for each in found:
                wrong += [
                    f"{runbook.id} {each.key} proposes {key}"
                    for key in each.propose
                    if runbook.actions[key].kind in CHANGING
                ]
            wrong += [f"{runbook.id}: {each}" for each in sight.failed if "bot itself" in each]
        await planted.close()
    assert wrong == []
