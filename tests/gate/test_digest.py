"""What a vote is bound to: every part of it changes the digest, and nothing that only decorates does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.change import Preview
from bot.domain.policy import ApprovalPolicy, StepUp
from bot.domain.run import ActionRun, Run
from bot.runs.proposing import Proposal, request_digest
from bot.steps.registry import KINDS
from tests import builders as b

pytestmark = pytest.mark.approval

QUERY = "UPDATE businesses SET subscription_tier = :tier WHERE id = :id"
SPEC = {"query": QUERY, "bind": {"tier": "'starter'"}}
Parts = tuple[Run, ActionRun, Proposal, Preview, ApprovalPolicy]


def parts() -> Parts:
    """Everything a request is made of."""
    kind = KINDS["sql"]
    ready = Proposal(b.runbook().actions[b.KEY], kind, kind.spec.model_validate(SPEC))
    return b.run(), ActionRun(b.KEY), ready, b.preview(), ApprovalPolicy(groups=("billing",))


def spec(ready: Proposal, **changes: Any) -> Proposal:
    """The action with other words in its rendered spec."""
    return replace(ready, spec=ready.kind.spec.model_validate({**SPEC, **changes}))


WINDOW = timedelta(hours=1)
OTHER = {"subscription_status": "trialing"}
BOUND: dict[str, Callable[[Parts], Parts]] = {
    "another run": lambda p: (replace(p[0], id="00000000-0000-4000-8000-000000000000"), *p[1:]),
    "another version of the runbook": lambda p: (replace(p[0], version="v2"), *p[1:]),
    "another input": lambda p: (replace(p[0], inputs={"business_id": "another"}), *p[1:]),
    "another action": lambda p: (p[0], replace(p[1], key="apologise"), *p[2:]),
    "another statement": lambda p: (*p[:2], spec(p[2], query=f"{QUERY} OR true"), *p[3:]),
    "another bound value": lambda p: (*p[:2], spec(p[2], bind={"tier": "'growth'"}), *p[3:]),
    "another number of rows expected": lambda p: (*p[:2], spec(p[2], expect_rows=2), *p[3:]),
    "another kind of step": lambda p: (*p[:2], replace(p[2], kind=KINDS["manual"]), *p[3:]),
    "another row in the preview": lambda p: (*p[:3], b.preview(b.change(2)), p[4]),
    "another value after it": lambda p: (*p[:3], b.preview(b.change(**OTHER)), p[4]),
    "another count": lambda p: (*p[:3], replace(p[3], counts={"businesses": 2}), p[4]),
    "another thing to see": lambda p: (*p[:3], replace(p[3], lines=("Takes 3 rows of messages along.",)), p[4]),
    "another payload": lambda p: (*p[:3], replace(p[3], payload={"statements": ["DELETE"]}), p[4]),
    "a preview that was not tried": lambda p: (*p[:3], replace(p[3], exact=False), p[4]),
    "fewer votes": lambda p: (*p[:4], replace(p[4], votes=2)),
    "other approvers": lambda p: (*p[:4], replace(p[4], groups=("leads",))),
    "no second proof": lambda p: (*p[:4], replace(p[4], step_up=StepUp.CODE)),
    "a window": lambda p: (p[0], replace(p[1], opens=b.NOW, closes=b.NOW + WINDOW), *p[2:]),
}
FREE: dict[str, Callable[[Parts], Parts]] = {
    "the headline": lambda p: (*p[:3], replace(p[3], headline="One row"), p[4]),
    "a warning": lambda p: (*p[:3], replace(p[3], warnings=("Mind the step.",)), p[4]),
    "where the run stands": lambda p: (replace(p[0], reason="asked again", concluded=not p[0].concluded), *p[1:]),
    "who asked": lambda p: (p[0], replace(p[1], by="U0EVE", askers=("U0EVE",)), *p[2:]),
}


@pytest.mark.parametrize("what", BOUND)
def test_the_digest_covers(what: str) -> None:
    """A vote for one is no vote for the other."""
    print(f"{what}: another digest")
    assert request_digest(*BOUND[what](parts())) != request_digest(*parts())


@pytest.mark.parametrize("what", FREE)
def test_the_digest_leaves_out(what: str) -> None:
    """What only decorates the request voids no vote; the same request has the same digest every time."""
    print(f"{what}: the same digest")
    assert request_digest(*FREE[what](parts())) == request_digest(*parts())
