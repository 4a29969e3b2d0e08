"""The contract that every kind keeps, whatever it does; a new kind adds its examples to `contract.py`."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from bot.domain.change import Preview, digest_of, shown
from bot.domain.facts import Fact, to_json
from bot.domain.runbook import Effect, Section
from bot.errors import BotError, Misconfigured, Refusal
from bot.steps.base import (
    AwaitCondition,
    AwaitPerson,
    Complaint,
    Done,
    Failed,
    InDoubt,
    Question,
    Spec,
    Starts,
    StepContext,
    StepKind,
)
from bot.steps.registry import KINDS
from tests.steps.conftest import KEY, NOWHERE, PASSWORD, SYSTEM, MakeContext
from tests.steps.contract import EXAMPLES, Example

pytestmark = pytest.mark.runbooks
SECRETS = (PASSWORD, "shop-Pass%2Fword%401", "secret-token-123", "sk_test_nowhere123")
CHECKS = [each for each in EXAMPLES if each.section is Section.CHECKS]
ACTIONS = [each for each in EXAMPLES if each.section is Section.ACTIONS]


def kind_of(example: Example) -> tuple[StepKind, Spec]:
    """The kind with its rendered spec."""
    kind = KINDS[example.kind]
    return kind, kind.spec.model_validate(example.spec)


@pytest.fixture
def nowhere(make_context: MakeContext) -> StepContext:
    """A world in which nothing answers."""
    return make_context(seconds=1.0)


@asynccontextmanager
async def silence() -> AsyncIterator[int]:
    """A port that takes connections and never says a word."""
    held: list[asyncio.StreamWriter] = []

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in held:
            writer.transport.abort()


def test_every_kind_has_examples_and_its_own_name() -> None:
    """The registry is alphabetical, its names are the kinds' own, and each section of each kind has an example."""
    assert list(KINDS) == sorted(KINDS)
    assert all(kind.name == name for name, kind in KINDS.items())
    wanted = {(name, section) for name, kind in KINDS.items() for section in kind.sections}
    assert {(each.kind, each.section) for each in EXAMPLES} == wanted


def test_a_kind_is_one_module_and_no_kind_knows_another() -> None:
    """The module is called like the kind, and imports none of the other kinds' modules."""
    for name in KINDS:
        module = importlib.import_module(f"bot.steps.{name}")
        others = {f"bot.steps.{other}" for other in KINDS if other != name}
        found = {getattr(value, "__module__", "") for value in vars(module).values()}
        assert not found & others


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_spec_survives_storage(example: Example) -> None:
    """Dumped and read back it is the same."""
    kind, spec = kind_of(example)
    assert kind.spec.model_validate(spec.model_dump()) == spec
    to_json(spec.model_dump())


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_unknown_field_is_refused(example: Example) -> None:
    """A misspelt field is an error and not ignored."""
    with pytest.raises(ValidationError):
        KINDS[example.kind].spec.model_validate({**example.spec, "no_such_field": 1})


@pytest.mark.parametrize("name", KINDS)
def test_the_shorthand_is_a_field(name: str) -> None:
    """What stands right after the kind's name goes into a field that exists, and the spec has a JSON Schema."""
    kind = KINDS[name]
    assert kind.shorthand in kind.spec.model_fields
    assert kind.spec.model_json_schema()["additionalProperties"] is False


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_lint_collects(example: Example) -> None:
    """Nothing against a good spec; a sentence and a field that exists against a bad one."""
    kind, spec = kind_of(example)
    assert [each for each in kind.lint(spec, example.section, SYSTEM) if not each.warning] == []
    complaints = list(kind.lint(kind.spec.model_construct(**example.wrong), example.section, SYSTEM))
    assert complaints
    for complaint in complaints:
        assert isinstance(complaint, Complaint)
        assert complaint.message.endswith((".", "»", ")")) or complaint.message[-1].isalnum()
        first = complaint.field.split(".")[0]
        assert not first or first in kind.spec.model_fields


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_check_never_writes(example: Example) -> None:
    """In checks a kind's effect is never a change."""
    kind, spec = kind_of(example)
    effect = kind.effect(spec, example.section)
    assert effect is not Effect.WRITE or example.section is Section.ACTIONS


def say_nothing_secret(said: Any) -> None:
    """No secret value is anywhere in what a kind says."""
    text = repr(said)
    for secret in SECRETS:
        assert secret not in text


@pytest.mark.parametrize("example", CHECKS, ids=str)
async def test_a_look_never_raises(example: Example, nowhere: StepContext) -> None:
    """Whatever the world does, a look is a fact or a question, and says nothing secret."""
    kind, spec = kind_of(example)
    found = await kind.look(spec, nowhere)
    assert isinstance(found, Fact | Question)
    if isinstance(found, Fact) and found.error:
        assert found.error[0].isupper()
        assert found.error.endswith(".")
    say_nothing_secret(found)


@pytest.mark.parametrize("example", ACTIONS, ids=str)
async def test_a_preview_refuses_or_shows(example: Example, nowhere: StepContext) -> None:
    """With nothing there a preview refuses with a sentence, or shows what needs no target; twice the same."""
    kind, spec = kind_of(example)
    refused: list[BotError] = []
    try:
        preview = await kind.preview(spec, nowhere)
    except (Refusal, Misconfigured) as said:
        refused.append(said)
    if refused:
        assert refused[0].sentence
        say_nothing_secret(refused)
        return
    say_nothing_secret(preview)
    assert digest_of(shown(preview)) == digest_of(shown(await kind.preview(spec, nowhere)))


@pytest.mark.parametrize("example", ACTIONS, ids=str)
async def test_an_act_never_raises(example: Example, nowhere: StepContext) -> None:
    """With nothing there nothing was done, and it is said; no secret goes out."""
    kind, spec = kind_of(example)
    outcome = await kind.act(
        spec, Preview("", {"sessions": [{"pid": 1, "since": "x", "query_since": "y"}]}), KEY, nowhere
    )
    assert isinstance(outcome, Done | Failed | InDoubt | AwaitPerson | AwaitCondition | Starts)
    say_nothing_secret(outcome)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
async def test_settle_always_answers(example: Example, nowhere: StepContext) -> None:
    """An interrupted act gets an answer even when nothing can be reached; it is never made up."""
    kind, spec = kind_of(example)
    outcome = await kind.settle(spec, KEY, nowhere)
    assert isinstance(outcome, Failed | InDoubt | AwaitCondition | Starts)
    say_nothing_secret(outcome)


def silent_world(make_context: MakeContext, port: int, seconds: float) -> StepContext:
    """A context whose every target is the silent port."""
    environment = {name: value.replace("127.0.0.1:1", f"127.0.0.1:{port}") for name, value in NOWHERE.items()}
    return make_context({**environment, "SHOP_MAIL_PORT": str(port)}, seconds=seconds)


@pytest.mark.parametrize("example", CHECKS, ids=str)
async def test_a_look_that_is_given_up_ends(example: Example, make_context: MakeContext) -> None:
    """Cancelled against a target that is silent, a look ends at once and nothing stays behind."""
    kind, spec = kind_of(example)
    async with silence() as port:
        context = silent_world(make_context, port, 30.0)
        running = asyncio.ensure_future(kind.look(spec, context))
        await asyncio.wait({running}, timeout=0.1)
        if not running.done():
            running.cancel()
            await asyncio.wait({running}, timeout=2)
            assert running.cancelled()
        await context.targets.close()


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
async def test_silence_ends_at_the_limit(example: Example, make_context: MakeContext) -> None:
    """Against a target that never answers, everything ends by itself within its time (connecting: five seconds)."""
    kind, spec = kind_of(example)
    async with silence() as port:
        context = silent_world(make_context, port, 0.3)
        async with asyncio.timeout(timedelta(seconds=8).total_seconds()):
            if example.section is Section.CHECKS:
                say_nothing_secret(await kind.look(spec, context))
            else:
                say_nothing_secret(await kind.act(spec, Preview("", {}), KEY, context))
        await context.targets.close()
