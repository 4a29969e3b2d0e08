"""The http kind against a real service on a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.facts import MAX_CELL, Fact, FactStatus, to_json
from bot.domain.runbook import Effect, Section
from bot.steps.base import Done, Failed, InDoubt, StepContext
from bot.steps.http import Http, HttpSpec
from tests.steps.conftest import KEY, SYSTEM, MakeContext
from tests.steps.services import Api, api

pytestmark = pytest.mark.runbooks
HTTP = Http()


@pytest.fixture
async def service() -> AsyncIterator[Api]:
    """A running service."""
    async with api() as running:
        yield running


@pytest.fixture
def reach(make_context: MakeContext, service: Api) -> StepContext:
    """A context whose service is the running one."""
    return make_context({"SHOP_API": f"{service.url}/v1"})


async def look(context: StepContext, **fields: Any) -> Fact:
    """Run one check."""
    fact = await HTTP.look(HttpSpec(**fields), context)
    assert isinstance(fact, Fact)
    to_json(fact.value)
    return fact


async def test_a_reading(reach: StepContext, service: Api) -> None:
    """Status, latency and body are facts; the service's secret went along and is nowhere to be seen."""
    service.body = b'{"state": "up", "echo": "Bearer secret-token-123"}'
    fact = await look(reach, get="/health", query={"deep": "1&2=3"})
    assert (fact.status, fact.summary) == (FactStatus.DONE, "200")
    assert fact.value["json"]["state"] == "up"
    assert fact.value["ok_status"] is True
    assert fact.value["latency_ms"] > 0
    assert service.seen[0]["path"].startswith("/v1/health?")
    assert service.seen[0]["query"] == {"deep": "1&2=3"}
    assert service.seen[0]["headers"]["Authorization"] == "Bearer secret-token-123"
    assert "secret-token-123" not in repr(fact)


async def test_an_unwell_service_is_a_failed_fact_with_everything_it_said(reach: StepContext, service: Api) -> None:
    """A wrong status fails the check and keeps status and body; an expected one does not."""
    service.status = 503
    fact = await look(reach, get="/health")
    assert fact.status is FactStatus.FAILED
    assert fact.error == "The service answered with status 503."
    assert fact.value["status"] == 503
    assert fact.value["json"]["state"] == "up"
    assert (await look(reach, get="/health", expect_status=[200, 503])).status is FactStatus.DONE


async def test_large_and_odd_bodies(reach: StepContext, service: Api) -> None:
    """A body is cut at 256 kB and the text at a cell; what is no JSON is text."""
    service.body = b"x" * 3_000_000
    fact = await look(reach, get="/")
    assert len(fact.value["text"]) < MAX_CELL + 50
    assert fact.value["json"] is None
    service.body = b"\xff\xfe\x00 not text"
    assert (await look(reach, get="/")).value["json"] is None
    service.body = b"[" * 100_000
    assert (await look(reach, get="/")).value["json"] is None


async def test_redirects_stay_at_home(reach: StepContext, service: Api) -> None:
    """A redirect on the same host is followed; one to another host, where the secret would go, is not."""
    service.location = "/landed"
    assert (await look(reach, get="/")).value["status"] == 200
    async with api() as other:
        service.location = f"{other.url}/landed"
        fact = await look(reach, get="/")
        assert fact.status is FactStatus.FAILED
        assert "redirects elsewhere" in fact.error
        assert other.seen == []
    service.location = "/again"
    assert "in circles" in (await look(reach, get="/")).error


@pytest.mark.parametrize("value", ["../../admin", "a/b", "x?y=1", "#z", "%2e%2e", "ü 💥", "..", "@evil.test/"])
async def test_a_value_in_the_path_is_one_part_of_it(reach: StepContext, service: Api, value: str) -> None:
    """A parameter can never leave its place in the path, nor its host."""
    fact = await look(reach, get="/users/{id}/state", params={"id": value})
    if fact.status is FactStatus.DONE:
        path = service.seen[-1]["path"]
        assert path.startswith("/v1/users/")
        assert path.endswith("/state")
        assert path.count("/") == 4
        assert "?" not in path
    else:
        assert "leads away" in fact.error
        assert service.seen == []


@pytest.mark.parametrize("path", ["//evil.test/x", "/../admin", "@evil.test", "/a/../../b"])
async def test_a_path_never_leaves_the_service(reach: StepContext, service: Api, path: str) -> None:
    """Whatever the template gives, only the service is asked."""
    fact = await look(reach, get=path)
    assert fact.status is FactStatus.FAILED or service.seen[-1]["path"].startswith("/v1/")


async def test_headers_cannot_be_smuggled(reach: StepContext, service: Api) -> None:
    """A line break or a framing header is refused before anything is sent."""
    for headers in ({"X": "a\r\nHost: evil"}, {"Host": "evil"}, {"Content-Length": "0"}):
        assert "cannot be sent" in (await look(reach, get="/", headers=headers)).error
    assert service.seen == []


async def test_only_declared_posts_in_checks(reach: StepContext, service: Api) -> None:
    """A POST in a check is refused unless the service calls it safe."""
    assert "A check does not POST." in (await look(reach, post="/change")).error
    assert service.seen == []
    assert (await look(reach, post="/probe", json={"ping": 1})).status is FactStatus.DONE
    assert service.seen[0]["body"] == '{"ping": 1}'


async def test_silence_refusal_and_nonsense(reach: StepContext, service: Api, make_context: MakeContext) -> None:
    """No answer, nobody there, no such service: failed facts in plain words, without the address."""
    service.silent = asyncio.Event()
    quick = replace(reach, timeout=timedelta(seconds=0.2))
    assert (await look(quick, get="/")).error == "The service did not answer within 0.2 s."
    nowhere = make_context()
    assert (
        await look(nowhere, get="/", service="api")
    ).error == "The service api cannot be reached: connection refused."
    assert "has no service «gone»" in (await look(nowhere, get="/", service="gone")).error


async def test_giving_up_in_time(reach: StepContext, service: Api) -> None:
    """A look that is cancelled ends at once."""
    service.silent = asyncio.Event()
    running = asyncio.create_task(look(reach, get="/"))
    async with asyncio.timeout(5):
        while not service.seen:  # noqa: ASYNC110 - the service keeps a list
            await asyncio.sleep(0.01)
    running.cancel()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_a_change_is_shown_exactly_and_sent_once(reach: StepContext, service: Api) -> None:
    """The preview is the request with secrets masked; acting sends it with the effect's key."""
    spec = HttpSpec.model_validate({"post": "/orders/{id}/cancel", "params": {"id": 7}, "json": {"why": "it's 3 a.m."}})
    preview = await HTTP.preview(spec, reach)
    assert not preview.exact
    assert preview.payload["method"] == "POST"
    assert preview.payload["url"].endswith("/v1/orders/7/cancel")
    assert preview.payload["json"] == {"why": "it's 3 a.m."}
    assert "secret-token-123" not in repr(preview)
    assert service.seen == []
    outcome = await HTTP.act(spec, preview, KEY, reach)
    assert isinstance(outcome, Done)
    assert outcome.receipt.detail["status"] == 200
    (sent,) = service.seen
    assert sent["headers"]["Idempotency-Key"] == str(KEY)
    assert HTTP.inverse(spec, outcome.receipt) is None


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
async def test_a_lost_answer_is_in_doubt_and_never_sent_again(reach: StepContext, service: Api, method: str) -> None:
    """A line that breaks after the request is in doubt, and the service saw it once (2)."""
    spec = HttpSpec(**{method: "/x"})
    preview = await HTTP.preview(spec, reach)
    await look(reach, get="/warm")
    service.seen.clear()
    service.drop = True
    assert isinstance(await HTTP.act(spec, preview, KEY, reach), InDoubt)
    assert len(service.seen) == 1
    assert isinstance(await HTTP.settle(spec, KEY, reach), InDoubt)


async def test_refusals_and_errors_of_the_service(reach: StepContext, service: Api, make_context: MakeContext) -> None:
    """4xx did not happen, 5xx is in doubt, nobody there did not happen."""
    spec = HttpSpec(post="/x")
    preview = await HTTP.preview(spec, reach)
    service.status = 409
    assert isinstance(await HTTP.act(spec, preview, KEY, reach), Failed)
    service.status = 502
    assert isinstance(await HTTP.act(spec, preview, KEY, reach), InDoubt)
    service.status, service.location = 200, "/landed"
    assert isinstance(await HTTP.act(spec, preview, KEY, reach), Failed)
    assert isinstance(await HTTP.act(spec, preview, KEY, make_context()), Failed)


def test_effect_and_lint() -> None:
    """GET looks, the rest changes; sections, services and paths are checked."""

    def fields(section: Section, **spec: Any) -> list[str]:
        return [each.field for each in HTTP.lint(HttpSpec(**spec), section, SYSTEM)]

    assert HTTP.effect(HttpSpec(get="/"), Section.ACTIONS) is Effect.READ
    assert HTTP.effect(HttpSpec(put="/"), Section.ACTIONS) is Effect.WRITE
    assert fields(Section.CHECKS, get="/health") == []
    assert fields(Section.CHECKS, post="/probe") == []
    assert fields(Section.CHECKS, post="/change") == ["post"]
    assert fields(Section.ACTIONS, post="/change") == []
    assert fields(Section.CHECKS, get="https://evil.test/?a=b", service="gone") == ["service", "get", "get"]
    with pytest.raises(ValueError, match="exactly one of"):
        HttpSpec(get="/", post="/")


async def test_values_are_fields_of_the_body_that_are_no_texts(reach: StepContext, service: Api) -> None:
    """A list and a number arrive as they are, beside the texts of `json`."""
    said = {"delete": "/objects", "json": {"reason": "old"}, "values": {"names": ["a/1", "b/2"], "limit": 2}}
    spec = HttpSpec.model_validate(said)
    preview = await HTTP.preview(spec, reach)
    assert preview.payload["json"] == {"reason": "old", "names": ["a/1", "b/2"], "limit": 2}
    assert isinstance(await HTTP.act(spec, preview, KEY, reach), Done)
    assert json.loads(service.seen[-1]["body"]) == preview.payload["json"]


def test_values_belong_to_a_record() -> None:
    """They cannot stand beside a form or a body that is none."""
    for beside in ({"form": {"a": "b"}}, {"json": ["a"]}):
        said = [
            each.message
            for each in HTTP.lint(HttpSpec(delete="/x", values={"n": 1}, **beside), Section.ACTIONS, SYSTEM)
        ]
        assert "`values` are fields of a `json` record." in said
