"""`runbook enrol`, `approve` and `deny`: the same gate from a terminal, with a proven identity."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pyotp
import pytest

from bot.cli.sandbox import ROOT, populated
from bot.domain.run import ActionStatus
from bot.runs.factors import new_key
from bot.sandbox.postgres import Postgres
from tests.acceptance.conftest import Scene
from tests.cli.command import answered, runbook

pytestmark = pytest.mark.approval

KEY = new_key()


@pytest.fixture
async def scene(postgres: Postgres) -> AsyncIterator[Scene]:
    """A bot with a key for second factors."""
    async with populated(postgres, rate_limits=False, overrides={"SECOND_FACTOR_KEY": KEY}) as sandbox:
        yield Scene(sandbox)


async def waiting(scene: Scene) -> dict[str, str]:
    """A run that waits for approval; the environment of an operator."""
    planted = await scene.plant("webhook_missed")
    await scene.person("ana").types(f"/runbook RB-011 business_id={planted.business_id}")
    await scene.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    environment = scene.sandbox.world.environment()
    return {**environment, "SECOND_FACTOR_KEY": KEY, "RUNBOOKS_PATH": str(ROOT / "runbooks")}


async def authenticator(user: str, env: dict[str, str]) -> pyotp.TOTP:
    """Enrol somebody, and read what is to be scanned."""
    ended = await runbook("enrol", user, env=env)
    address = re.search(r"otpauth://\S+", ended.out)
    assert address is not None, ended
    made = pyotp.parse_uri(address.group())
    assert isinstance(made, pyotp.TOTP)
    return made


async def test_a_vote_from_a_terminal(scene: Scene) -> None:
    """It shows the whole preview, refuses a wrong code and somebody who may not, and approves with a good one."""
    env = await waiting(scene)
    ben, eve = await authenticator("U0BEN", env), await authenticator("U0EVE", env)
    wrong = await answered("approve", "1", "--as", "U0BEN", typed="nonsense", env=env)
    assert (wrong.code, "wrong or was used before" in wrong.err) == (1, True)
    outsider = await answered("approve", "1", "--as", "U0EVE", typed=eve.now(), env=env)
    assert (outsider.code, "Only @billing may approve this." in outsider.err) == (1, True)
    good = await answered("approve", "1", "--as", "U0BEN", typed=ben.now(), env=env)
    assert (good.code, good.err) == (0, "")
    for shown in ("subscription_tier", "UPDATE businesses", "Digest: ", "Approved."):
        assert shown in good.out
    await scene.action_is("copy_from_stripe", ActionStatus.DONE)
    again = await answered("approve", "1", "--as", "U0BEN", typed=ben.now(), env=env)
    assert (again.code, again.err) == (2, "Nothing in run 1 waits for approval.\n")


async def test_a_denial_from_a_terminal(scene: Scene) -> None:
    """A no needs the code too, and comes with its reason."""
    env = await waiting(scene)
    ben = await authenticator("U0BEN", env)
    forged = await answered("deny", "1", "--as", "U0BEN", "--reason", "I am not Ben", typed="", env=env)
    assert forged.code != 0
    forged = await answered("deny", "1", "--as", "U0BEN", "--reason", "I am not Ben", typed="123456", env=env)
    assert forged.code == 1
    assert (await scene.shown()).run.actions["copy_from_stripe"].status is ActionStatus.REQUESTED
    denied = await answered("deny", "1", "--as", "U0BEN", "--reason", "Not now", typed=ben.now(), env=env)
    assert (denied.code, denied.err) == (0, "")
    run = await scene.action_is("copy_from_stripe", ActionStatus.DENIED)
    assert "Not now" in run.actions["copy_from_stripe"].reason
