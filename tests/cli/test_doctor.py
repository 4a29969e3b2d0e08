"""`runbook doctor` and `runbook migrate`: what is missing, said before the bot is started, and how to mend it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from bot.cli.sandbox import MANIFEST
from bot.sandbox.postgres import Postgres
from bot.sandbox.world import World, opened
from bot.store.migrate import head
from tests.cli.command import runbook

pytestmark = pytest.mark.production


@pytest.fixture
async def world(postgres: Postgres) -> AsyncIterator[World]:
    """A world whose bot database is still empty."""
    async with opened(postgres, MANIFEST, rate_limits=False) as world:
        yield world


async def bad(world: World, **changed: str) -> dict[str, str]:
    """What doctor finds wrong, by name; its exit code has to agree."""
    ended = await runbook("doctor", "--json", env={**world.environment(), **changed})
    assert "Traceback" not in ended.err
    found = json.loads(ended.out)
    wrong = {each["name"]: f"{each['said']} | {each['mend']}" for each in found if not each["ok"]}
    assert ended.code == (1 if wrong else 0)
    return wrong


async def test_migrate_then_all_is_well(world: World) -> None:
    """An empty database is found, migrated, and migrated again without harm; then doctor finds nothing wrong."""
    wrong = {"migrations": f"The bot's database is at revision none, not {head()}. | Run: runbook migrate"}
    assert await bad(world) == wrong
    for _ in range(2):
        ended = await runbook("migrate", env=world.environment())
        assert (ended.code, ended.out) == (0, f"The database is at revision {head()}.\n")
    assert await bad(world) == {}
    ended = await runbook("doctor", env=world.environment())
    assert "ok   scopes: all" in ended.out
    assert "ok   waooaw: not set up here: none of its variables is set" in ended.out
    assert "takes a restricted test-mode key" in ended.out or "takes an unrestricted test-mode key" in ended.out
    for secret in (world.stripe.key, world.slack.bot_token, world.postgres.password):
        assert secret not in ended.out + ended.err


async def test_each_thing_that_is_wrong_is_named(world: World) -> None:
    """A wrong token, key or password and an address where nobody answers: each is named, the secret is not said."""
    await runbook("migrate", env=world.environment())
    wrong = await bad(
        world,
        SLACK_BOT_TOKEN="xoxb-wrong",
        ALACARTE_STRIPE_KEY="sk_test_wrong",
        DATABASE_URL=world.postgres.url(world.database).replace(world.postgres.password, "wrong"),
        ALACARTE_SMTP_HOST="",
    )
    assert wrong["slack"].startswith("refuses the token: invalid_auth")
    assert "Renew ALACARTE_STRIPE_KEY" in wrong["alacarte stripe"]
    assert wrong["database"].startswith("The bot's database does not answer (InvalidPasswordError). | Check host")
    assert wrong["alacarte"].startswith("not set: ALACARTE_SMTP_HOST")
    assert "wrong" not in "".join(wrong.values()).replace("is wrong", "")
    wrong = await bad(world, ALACARTE_ALERTS_TOKEN="")
    assert wrong["alacarte alerts"].startswith("nobody is let in for want of: ALACARTE_ALERTS_TOKEN |")
    wrong = await bad(world, WAOOAW_READ_URL="postgresql://nobody@127.0.0.1:9/none")
    assert wrong["waooaw"].startswith("not set: WAOOAW_")
    wrong = await bad(world, SLACK_API_URL="http://127.0.0.1:9/api/", ALACARTE_STRIPE_URL="http://127.0.0.1:9")
    assert "does not answer" in wrong["slack"]
    assert "does not answer" in wrong["alacarte stripe"]


async def test_who_cannot_get_their_votes_is_named(world: World) -> None:
    """User groups without enough people: what can never be approved is said, and what becomes of support people."""
    await runbook("migrate", env=world.environment())
    world.slack.regroup("database-approvers")
    world.slack.regroup("helpdesk")
    wrong = await bad(world)
    assert sorted(wrong) == ["alacarte approvers", "alacarte support"]
    assert wrong["alacarte approvers"].startswith("too few people for RB-0")
    assert "Nobody is in database, helpdesk." in wrong["alacarte approvers"]
    assert wrong["alacarte support"].startswith("nobody is in helpdesk, so whoever is not on call")
    world.slack.regroup("helpdesk", "eve")
    (evidence,) = (each for each in world.slack.space.channels.values() if each.name == "incident-evidence")
    evidence.sharing = "shared"
    wrong = await bad(world)
    assert wrong["alacarte support"].startswith("full results are kept nowhere: #incident-evidence is shared")


async def test_a_missing_scope_is_named(postgres: Postgres, tmp_path: Path) -> None:
    """A workspace that granted less than the manifest asks for."""
    less = tmp_path / "manifest.yml"
    less.write_text(MANIFEST.read_text(encoding="utf-8").replace("- pins:write\n", "\n"), encoding="utf-8")
    async with opened(postgres, less, rate_limits=False) as world:
        assert (await bad(world))["scopes"].startswith("missing pins:write | Update the app from app_manifest.yml")


async def test_the_database_of_a_newer_release_is_refused(world: World) -> None:
    """A revision that this code does not know stops the bot with a sentence, not in the middle of a run."""
    await runbook("migrate", env=world.environment())
    connection = await asyncpg.connect(world.postgres.url(world.database))
    await connection.execute("UPDATE alembic_version SET version_num = 'from_tomorrow'")
    await connection.close()
    assert "from_tomorrow" in (await bad(world))["migrations"]
    for command in ("serve", "worker", "migrate"):
        ended = await runbook(command, env=world.environment())
        assert (ended.code, ended.out) == (3, "")
        assert ended.err.splitlines()[0].endswith("from_tomorrow, which this release does not know.")
