"""The `command` kind against a real program: only what is declared, no shell, surely ended, nothing secret said."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.change import Preview
from bot.domain.facts import Fact, FactStatus
from bot.domain.runbook import Effect, Section
from bot.domain.system import Command
from bot.errors import Misconfigured, Mistake
from bot.steps.base import Done, Failed, InDoubt, StepContext
from bot.steps.command import Command as Kind
from bot.steps.command import CommandSpec
from bot.steps.processes import OUTPUT_BYTES
from tests.steps.conftest import KEY, SYSTEM, MakeContext

pytestmark = pytest.mark.runbooks
TOKEN = "Bearer secret-token-123"
PROGRAM = """#!{python}
import json, os, subprocess, sys, time
word, *rest = sys.argv[1:]
if word == "status":
    print(json.dumps({{"argv": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd(),
                      "input": sys.stdin.read()}}))
elif word == "show":
    print("\\n".join(rest[0].split(",")))
elif word == "logs":
    sys.stdout.write("x" * 3_000_000)
elif word == "restart":
    with open(os.environ["SHOP_CTL_DONE"], "a") as done:
        done.write(rest[0] + "\\n")
elif word == "die":
    sys.stderr.write("first\\nno such shop: token " + os.environ["SHOP_CTL_TOKEN"] + "\\n")
    sys.exit(int(rest[0]))
elif word == "hang":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open(os.environ["SHOP_CTL_DONE"], "w") as done:
        done.write(str(child.pid))
    time.sleep(600)
elif word == "spawn":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    with open(os.environ["SHOP_CTL_DONE"], "w") as done:
        done.write(str(child.pid))
    print("started")
elif word == "restart-server":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open(os.environ["SHOP_CTL_DONE"], "w") as done:
        done.write(str(child.pid))
"""


def spec(*argv: str, **more: Any) -> CommandSpec:
    """A rendered step."""
    return CommandSpec(argv=["shopctl", *argv], **more)


@pytest.fixture
def done(tmp_path: Path) -> Path:
    """Where the program writes what it has done."""
    return tmp_path / "done"


@pytest.fixture
def here(tmp_path: Path, done: Path, make_context: MakeContext) -> StepContext:
    """A system with the program."""
    program = tmp_path / "shopctl"
    program.write_text(PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    declared = SYSTEM.commands["shopctl"]
    own = {**declared.environment, "SHOP_CTL_DONE": str(done)}
    changed = Command(
        "shopctl",
        str(program),
        (*declared.looks, ("spawn",)),
        (*declared.changes, ("restart-server",)),
        own,
        str(tmp_path),
    )
    return make_context(system=replace(SYSTEM, commands={"shopctl": changed}))


def there(done: Path) -> bool:
    """Whether the program did anything."""
    return done.exists()


def text_of(done: Path) -> str:
    """What the program did."""
    return done.read_text()


async def looked(context: StepContext, *argv: str, **more: Any) -> Fact:
    """The fact of a look."""
    found = await Kind().look(spec(*argv, **more), context)
    assert isinstance(found, Fact)
    return found


async def test_a_program_gets_its_arguments_and_a_clean_environment(
    here: StepContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each argument is one argument, there is nothing to read, and of the bot's environment nothing is there."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-not-for-programs")
    fact = await looked(here, "status")
    said = fact.value["json"]
    assert (fact.status, fact.summary, said["argv"], said["input"]) == (FactStatus.DONE, "1 line", ["status"], "")
    assert {"SHOP_CTL_TOKEN", "SHOP_CTL_DONE", "PATH", "LANG"} >= set(said["environment"]) - {"LC_CTYPE"}
    assert said["folder"] == str(tmp_path)
    assert TOKEN not in repr(fact)


@pytest.mark.parametrize("value", ["a; touch /tmp/x", "$(id)", "`id`", "a b", "é😀", "", "*", "a\nb", "' OR 1=1"])
async def test_a_value_is_one_argument(here: StepContext, value: str) -> None:
    """No shell takes it apart."""
    fact = await looked(here, "show", value)
    assert (fact.status, fact.value["out"]) == (FactStatus.DONE, f"{value}\n")


@pytest.mark.parametrize(
    "argv", [("restart", "web"), ("show", "--all"), ("show",), ("show", "a", "b"), ("drop", "x"), (), ("show", "a\0b")]
)
async def test_a_check_runs_nothing_else(here: StepContext, done: Path, argv: tuple[str, ...]) -> None:
    """A change, an option in a value's place, one argument less or more, an unknown word: refused, and not run."""
    fact = await looked(here, *argv)
    assert fact.status is FactStatus.FAILED
    assert not there(done)


async def test_lines_and_output_without_end(here: StepContext) -> None:
    """Lines are counted; three million characters are cut, and the program is not held up by it."""
    fact = await looked(here, "show", "a,b,c")
    assert (fact.value["out"], fact.summary) == ("a\nb\nc\n", "3 lines")
    fact = await looked(here, "logs", "--since=1h")
    assert fact.status is FactStatus.DONE
    assert fact.value["cut"] is True
    assert len(fact.value["out"]) <= OUTPUT_BYTES


async def test_only_names_are_kept(here: StepContext) -> None:
    """With `keep: names` nothing leaves the worker but the first word of a line that is written like a variable's name:
    no value, wherever it stands."""
    lines = [
        "OPENAI_API_KEY=sk-secret_VALUE",
        "RESEND_API_KEY is not set (SECOND_NAME)",
        "ok: WEBHOOK_SECRET",
        "x=AKIA_LOOKS_LIKE_ONE",
        "sk-AB_CD-ef",
        "PLAIN words",
    ]
    fact = await looked(here, "show", ",".join(lines), keep="names")
    assert fact.value["out"].split("\n") == ["OPENAI_API_KEY", "RESEND_API_KEY", "WEBHOOK_SECRET"]
    assert "secret" not in str(fact)
    assert fact.value["json"] is None


async def test_what_it_leaves_behind_holds_nobody_up(here: StepContext, done: Path) -> None:
    """A program that starts another one, which keeps its output open, has ended all the same."""
    fact = await looked(here, "spawn", timeout="4s")
    os.kill(int(text_of(done)), signal.SIGKILL)
    assert (fact.status, fact.value["out"]) == (FactStatus.DONE, "started\n")


async def test_what_it_starts_lives_on(here: StepContext, done: Path) -> None:
    """A program that restarts a server and ends leaves the server running, though both are of one session."""
    outcome = await Kind().act(spec("restart-server"), Preview("", {}), KEY, here)
    assert isinstance(outcome, Done)
    assert _alive(int(text_of(done)))
    os.kill(int(text_of(done)), signal.SIGKILL)


def _alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] != "Z"
    return False


async def _gone(pid: int) -> None:
    async with asyncio.timeout(5):
        while _alive(pid):  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0.02)


async def test_one_that_hangs_is_ended_with_its_children(here: StepContext, done: Path) -> None:
    """At its limit the whole group is ended; an act is in doubt then."""
    outcome = await Kind().act(spec("hang", timeout="1s"), Preview("", {}), KEY, here)
    assert isinstance(outcome, InDoubt)
    assert "1 s" in outcome.why
    await _gone(int(text_of(done)))


async def test_one_that_nobody_waits_for_is_ended(here: StepContext, done: Path) -> None:
    """When the run is taken away the program does not go on alone."""
    acting = asyncio.ensure_future(Kind().act(spec("hang"), Preview("", {}), KEY, here))
    async with asyncio.timeout(10):
        while not (there(done) and text_of(done)):  # noqa: ASYNC110 - the program tells nobody
            await asyncio.sleep(0.02)
    acting.cancel()
    await asyncio.wait({acting}, timeout=10)
    assert acting.cancelled()
    await _gone(int(text_of(done)))


async def test_an_act_and_its_preview(here: StepContext, done: Path) -> None:
    """The preview shows the exact arguments and runs nothing; the act runs it once; what it did cannot be undone."""
    preview = await Kind().preview(spec("restart", "web"), here)
    assert not there(done)
    assert preview.headline == "Runs shopctl restart web"
    assert preview.payload["arguments"] == ["restart", "web"]
    assert preview.payload["environment"] == {
        "SHOP_CTL_TOKEN": "•••",
        "SHOP_CTL_DONE": str(done),
        **{name: each for name, each in SYSTEM.commands["shopctl"].environment.items() if isinstance(each, str)},
    }
    assert not preview.exact
    assert preview.undo == "cannot be undone by the bot"
    assert TOKEN not in repr(preview)
    outcome = await Kind().act(spec("restart", "web"), preview, KEY, here)
    assert isinstance(outcome, Done)
    assert text_of(done) == "web\n"
    assert Kind().inverse(spec("restart", "web"), outcome.receipt) is None
    assert isinstance(await Kind().settle(spec("restart", "web"), KEY, here), InDoubt)


async def test_a_bad_end(here: StepContext) -> None:
    """A wrong exit code is a failed look and an act in doubt, with the program's last words and without the token."""
    outcome = await Kind().act(spec("die", "3"), Preview("", {}), KEY, here)
    assert isinstance(outcome, InDoubt)
    assert "ended with exit code 3: no such shop: token •••" in outcome.why
    assert isinstance(await Kind().act(spec("die", "3", expect_exit=[0, 3]), Preview("", {}), KEY, here), Done)
    fact = await looked(here, "show", "a", expect_exit=1)
    assert (fact.status, fact.value["exit"], fact.summary) == (FactStatus.FAILED, 0, "exit 0")


async def test_what_is_not_declared_is_not_done(here: StepContext, done: Path) -> None:
    """An action may not go beyond the declaration either; its preview refuses before anybody is asked."""
    for argv in (("drop", "web"), ("restart", "-f"), ("restart", "web", "now")):
        with pytest.raises(Mistake, match="not declared"):
            await Kind().preview(spec(*argv), here)
        assert isinstance(await Kind().act(spec(*argv), Preview("", {}), KEY, here), Failed)
    assert not there(done)


async def test_a_program_that_is_not_there(make_context: MakeContext, tmp_path: Path) -> None:
    """Not installed, not a program, relative: a sentence, and nothing was done."""
    plain = tmp_path / "plain"
    plain.write_text("no program")
    plain.chmod(0o755)
    for place in ("/nowhere/shopctl", str(plain), "../shopctl", "no-such-program-anywhere"):
        outcome = await Kind().act(spec("restart", "web"), Preview("", {}), KEY, make_context({"SHOP_CTL": place}))
        assert isinstance(outcome, Failed)


async def test_a_program_that_runs_others(make_context: MakeContext, tmp_path: Path) -> None:
    """A shell is refused when the environment names it, by another name as well."""
    other = tmp_path / "shopctl"
    other.symlink_to("/bin/sh")
    for place in ("/bin/sh", str(other), "/usr/bin/env"):
        here = make_context({"SHOP_CTL": place})
        with pytest.raises(Misconfigured, match="runs anything"):
            await Kind().preview(spec("restart", "web"), here)
        assert isinstance(await Kind().act(spec("restart", "web"), Preview("", {}), KEY, here), Failed)


def test_lint_knows_values_from_words() -> None:
    """A template may stand where a * takes its value, and nowhere else."""
    kind = Kind()

    def complaints(section: Section, *argv: str) -> list[str]:
        return [each.message for each in kind.lint(CommandSpec(argv=list(argv)), section, SYSTEM)]

    assert complaints(Section.CHECKS, "shopctl", "show", "{{ inputs.shop }}") == []
    assert complaints(Section.CHECKS, "shopctl", "logs", "--since={{ inputs.since }}") == []
    assert complaints(Section.ACTIONS, "shopctl", "restart", "{{ inputs.shop }}") == []
    assert complaints(Section.CHECKS, "shopctl", "{{ inputs.word }}", "web") != []
    assert complaints(Section.CHECKS, "shopctl", "restart", "{{ inputs.shop }}") != []
    assert complaints(Section.CHECKS, "shopctl", "show", "--all") != []
    assert complaints(Section.CHECKS, "otherctl", "show") == ["There is no command «otherctl»."]
    assert kind.effect(spec("status"), Section.ACTIONS) is Effect.WRITE
