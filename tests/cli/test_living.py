"""Commands that stay: what they print first, that they work, and that Ctrl-C or a termination leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from bot.cli.sandbox import MANIFEST, ROOT
from bot.sandbox.alacarte import plant
from bot.sandbox.postgres import Postgres, free_port
from bot.sandbox.world import World, opened
from tests.cli.command import Command, runbook, started

pytestmark = pytest.mark.production


@pytest.fixture
def home() -> Iterator[Path]:
    """A place for a sandbox's data that an unprivileged account reaches too."""
    base = Path(tempfile.mkdtemp(prefix="runbook-cli-", dir="/var/tmp" if os.geteuid() == 0 else None))
    base.chmod(0o755)
    yield base / "sandbox"
    shutil.rmtree(base, ignore_errors=True)


@pytest.fixture
async def world(postgres: Postgres) -> AsyncIterator[World]:
    """A world without a bot, its bot database migrated."""
    async with opened(postgres, MANIFEST, rate_limits=False) as world:
        assert (await runbook("migrate", env=world.environment())).code == 0
        yield world


async def page_of(sandbox: Command) -> str:
    """The address that the sandbox prints."""
    address = re.search(r"http://\S+", await sandbox.says("  Open http"))
    assert address is not None
    return address.group()


def belonging_to(home: Path) -> list[str]:
    """Processes that work in this directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(home) in words and process.name != str(os.getpid()):
            found.append(words)
    return found


@pytest.mark.main_job
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_sandbox_opens_and_leaves_nothing(home: Path, number: signal.Signals) -> None:
    """It says where to look and whom to be, shows the page, ends at once with code 0, and can be started again."""
    for _ in range(2):
        sandbox = await started("sandbox", "--port", "0", "--no-browser", "--data", str(home))
        page = await page_of(sandbox)
        async with aiohttp.ClientSession() as session, session.get(page) as response:
            assert response.status == 200
            assert "A La Carte Chat" in await response.text()
        assert "/runbook RB-011 business_id=" in await sandbox.says("You are Ana")
        assert belonging_to(home)
        ended = await sandbox.stopped(number)
        assert ended.code == 0
        assert "Traceback" not in ended.out
        assert belonging_to(home) == []
        assert not (home / "data" / "postmaster.pid").exists()


@pytest.mark.main_job
async def test_a_running_sandbox_is_broken_and_healed(home: Path) -> None:
    """Faults are listed with their runbooks; one is planted from another terminal, told by what it concerns, and the
    system is healed; without a sandbox, and for a fault that is none, there is a sentence."""
    listed = await runbook("fault", "list", "alacarte")
    assert re.search(r"^alacarte/webhook_missed +RB-011$", listed.out, re.MULTILINE)
    nobody = await runbook("fault", "plant", "alacarte/webhook_missed", "--data", str(home))
    assert (nobody.code, "No sandbox is running here." in nobody.err) == (3, True)
    sandbox = await started("sandbox", "--port", "0", "--no-browser", "--data", str(home))
    await page_of(sandbox)
    planted = await runbook("fault", "plant", "alacarte/idle-in-transaction", "--data", str(home))
    assert (planted.code, planted.err) == (0, "")
    assert re.match(r"Planted alacarte/idle_in_transaction\. pid=\d+\n", planted.out)
    assert (home / "control.json").stat().st_mode & 0o077 == 0
    healed = await runbook("fault", "heal", "alacarte", "--data", str(home))
    assert (healed.code, healed.out) == (0, "alacarte is healthy again.\n")
    unknown = await runbook("fault", "plant", "alacarte/nonsense", "--data", str(home))
    assert (unknown.code, "There is no fault «alacarte/nonsense»." in unknown.err) == (2, True)
    assert (await sandbox.stopped()).code == 0
    assert not (home / "control.json").exists()
    assert belonging_to(home) == []


@pytest.mark.main_job
async def test_what_a_sandbox_cannot_use_is_said(home: Path) -> None:
    """A port in use, a directory in use, and a place where nothing can be written: one sentence, exit code 3."""
    sandbox = await started("sandbox", "--port", "0", "--no-browser", "--data", str(home))
    await page_of(sandbox)
    second = await runbook("sandbox", "--port", "0", "--no-browser", "--data", str(home))
    assert (second.code, "Traceback" in second.err) == (3, False)
    assert "already runs the PostgreSQL in" in second.err
    assert (await sandbox.stopped()).code == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = await runbook("sandbox", "--port", port, "--no-browser", "--data", str(home))
    assert (refused.code, "Traceback" in refused.err) == (3, False)
    assert port in refused.err
    nowhere = await runbook("sandbox", "--no-browser", "--data", "/proc/nowhere")
    assert (nowhere.code, "Traceback" in nowhere.err) == (3, False)
    assert "/proc" in nowhere.err
    assert belonging_to(home) == []


async def test_serve_over_http(world: World) -> None:
    """Behind a request URL: healthy, signed requests answered, a run worked on; ended by a termination in order."""
    port = free_port()
    env = {**world.environment(), "SLACK_MODE": "http", "PORT": str(port), "RUNBOOKS_PATH": str(ROOT / "runbooks")}
    serving = await started("serve", env=env)
    await serving.says("ready")
    await world.slack.use_request_url(f"http://127.0.0.1:{port}/slack/events")
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/health") as response:
            assert (response.status, (await response.json())["ok"]) == (200, True)
        async with session.post(f"http://127.0.0.1:{port}/slack/events", data=b"command=/runbook") as response:
            assert response.status == 401
    planted = await plant("webhook_missed", world.alacarte, world.stripe)
    await world.slack.person("ana").types(f"/runbook RB-011 business_id={planted.business_id}")
    await world.slack.person("ana").sees(lambda seen: "vote of" in seen.text, within=20)
    ended = await serving.stopped(signal.SIGTERM)
    assert (ended.code, "Traceback" in ended.out) == (0, False)


async def test_serve_and_worker_apart(world: World) -> None:
    """One process listens over Socket Mode, another works; each ends in order."""
    env = {**world.environment(), "RUNBOOKS_PATH": str(ROOT / "runbooks")}
    serving = await started("serve", "--no-worker", env=env)
    await serving.says("ready")
    working = await started("worker", env=env)
    await working.says("ready")
    planted = await plant("webhook_missed", world.alacarte, world.stripe)
    await world.slack.person("ana").types(f"/runbook RB-011 business_id={planted.business_id}")
    await world.slack.person("ana").sees(lambda seen: "vote of" in seen.text, within=20)
    for command in (working, serving):
        ended = await command.stopped(signal.SIGTERM)
        assert (ended.code, "Traceback" in ended.out) == (0, False)


async def test_serve_on_a_taken_port(world: World) -> None:
    """The port of the bot itself, when somebody else has it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        env = {**world.environment(), "PORT": port, "RUNBOOKS_PATH": str(ROOT / "runbooks")}
        ended = await runbook("serve", env=env)
    assert (ended.code, "Traceback" in ended.err) == (3, False)
    assert f"Port {port}" in ended.err


@pytest.mark.main_job
async def test_run_in_the_terminal() -> None:
    """A whole run without a browser: asked as Ana, approved as somebody who may, verified."""
    ended = await runbook("run", "RB-011", "--sandbox", "--fault", "webhook_missed", "--yes")
    assert (ended.code, ended.err) == (0, "")
    assert "✓ Verified. · approved by @U0BEN" in ended.out


async def test_drills_in_two_processes() -> None:
    """Each branch is played once, by whichever process; the report is the same as that of one."""
    ended = await runbook("drill", "RB-013", "RB-014", "--branch", "healthy", "--processes", "2", "--json")
    said = json.loads(ended.out)
    assert (ended.code, said["passed"], ended.err) == (0, True, "")
    assert [each["runbook"] for each in said["drills"]] == ["RB-013", "RB-014"]


@pytest.mark.main_job
async def test_run_against_what_the_environment_says(world: World) -> None:
    """Started in a terminal, approved in Slack by somebody else: the terminal sees it through and ends with 0."""
    env = {**world.environment(), "RUNBOOKS_PATH": str(ROOT / "runbooks")}
    serving = await started("serve", env=env)
    await serving.says("ready")
    planted = await plant("webhook_missed", world.alacarte, world.stripe)
    asking = await started("run", "RB-011", f"business_id={planted.business_id}", env=env)
    await asking.says("Waiting for the approvers in Slack")
    ben = world.slack.person("ben")
    await ben.sees(lambda seen: "vote of" in seen.text, within=20)
    await ben.clicks("Approve")
    ended = await asking.ended()
    assert ended.code == 0
    assert "✓ Verified. · approved by @U0BEN" in ended.out
    assert (await serving.stopped()).code == 0


async def test_bench_measures() -> None:
    """Every figure is there, positive, and beside its floor where it has one."""
    from bot.cli.bench import bench

    figures = await bench(2)
    assert len(figures) == 5
    for figure in figures:
        assert figure.ours > 0, figure
        assert figure.floor is None or figure.floor > 0, figure
        assert figure.name in figure.line()
    assert [figure.data()["met"] for figure in figures].count(None) == 4
