"""The `secret` kind: everything is told of a secret but the secret."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from bot.domain.facts import Fact, FactStatus
from bot.domain.runbook import Section
from bot.steps.base import StepContext
from bot.steps.secret import AcceptedBy, Secret, SecretSpec
from tests.steps.conftest import SYSTEM, MakeContext
from tests.steps.services import api

pytestmark = pytest.mark.runbooks
HOOK, OTHER = "whsec_5up3r-s3cret", "whsec_another-one"


async def looked(context: StepContext, name: str = "hook", **fields: Any) -> Fact:
    """The fact of a look; no value is anywhere in it."""
    found = await Secret().look(SecretSpec(name=name, **fields), context)
    assert isinstance(found, Fact)
    for value in (HOOK, OTHER, "s3cret", "another-one"):
        assert value not in repr(found)
    return found


@pytest.mark.parametrize(
    ("hook", "deployed", "same", "said"),
    [
        (HOOK, HOOK, True, "set, begins as it should, the same"),
        (HOOK, OTHER, False, "set, begins as it should, not the same"),
        (HOOK, HOOK + "\n", False, "set, begins as it should, not the same"),
        (HOOK, "", False, "set, begins as it should, not the same"),
        ("", HOOK, False, "not set"),
        ("", "", False, "not set"),
        ("sk_live_wrong", HOOK, False, "set, begins with something else, not the same"),
    ],
)
async def test_set_right_and_the_same(
    make_context: MakeContext, hook: str, deployed: str, same: bool, said: str
) -> None:
    """Two that are both missing are not the same: nothing works then either."""
    context = make_context({"SHOP_HOOK": hook, "SHOP_HOOK_DEPLOYED": deployed})
    fact = await looked(context, same_as="deployed_hook", begins="whsec_")
    assert (fact.status, fact.value["set"], fact.value["same"], fact.summary) == (
        FactStatus.DONE,
        bool(hook),
        same,
        said,
    )


@pytest.mark.parametrize(
    ("of", "kept", "same"),
    [(HOOK, 64, True), (HOOK, 12, True), (HOOK, 11, False), (OTHER, 64, False), ("", 64, False), (HOOK, 0, False)],
)
async def test_the_digest_of_what_it_has_to_be(make_context: MakeContext, of: str, kept: int, same: bool) -> None:
    """A platform tells the SHA-256 of what it keeps; too short a piece of it, or none, proves nothing."""
    context = make_context({"SHOP_HOOK": HOOK})
    fact = await looked(context, digest=hashlib.sha256(of.encode()).hexdigest().upper()[:kept])
    assert (fact.value["same"], fact.summary) == (same, "set, the same" if same else "set, not the same")
    assert (await looked(make_context(), digest="0" * 64)).value["same"] is False


@pytest.mark.parametrize(("status", "accepted"), [(200, True), (401, False), (403, False), (500, None), (302, None)])
async def test_accepted(make_context: MakeContext, status: int, accepted: bool | None) -> None:
    """The service is asked with this secret and no other; what says nothing about it is neither yes nor no."""
    async with api() as service:
        service.status = status
        context = make_context({"SHOP_HOOK": HOOK, "SHOP_API": service.url})
        fact = await looked(context, accepted_by=AcceptedBy(service="api", path="/me"))
        assert fact.value["accepted"] is accepted
        assert service.seen[0]["path"] == "/me"
        assert service.seen[0]["headers"]["Authorization"] == f"Bearer {HOOK}"


async def test_what_cannot_be_tried(make_context: MakeContext) -> None:
    """A service that is away, a secret with a line break, and one that is not set: sentences without a value."""
    asked = AcceptedBy(service="api")
    fact = await looked(make_context({"SHOP_HOOK": HOOK}), accepted_by=asked)
    assert fact.error == "Who accepts «hook» cannot be reached."
    fact = await looked(make_context({"SHOP_HOOK": HOOK + "\n"}), accepted_by=asked)
    assert fact.error == "«hook» holds a line break: it was set with one too many."
    fact = await looked(make_context(), accepted_by=asked)
    assert (fact.summary, fact.value["accepted"]) == ("not set", None)
    assert (await looked(make_context(), name="nothing")).error == "There is no secret «nothing»."


def test_lint() -> None:
    """Names that do not exist, and a twin that is none."""
    kind = Secret()

    def said(**fields: Any) -> list[str]:
        return [each.message for each in kind.lint(SecretSpec(**{"name": "hook", **fields}), Section.CHECKS, SYSTEM)]

    assert said(same_as="deployed_hook") == []
    assert said(name="huk") == ["There is no secret «huk»."]
    assert said(same_as="huk") == ["There is no secret «huk»."]
    assert said(same_as="hook") == ["A secret is always the same as itself."]
    assert said(same_as="deployed_hook", digest="0" * 64) == ["Say either `same_as` or `digest`."]
    assert said(accepted_by={"service": "gone"}) == ["There is no service «gone»."]
    assert said(accepted_by={"service": "api", "path": "me"}) != []
