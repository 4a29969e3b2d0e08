"""`runbook list`, `show` and `run` in the terminal: the same words as in Slack, with live progress."""

from __future__ import annotations

import asyncio
import getpass
import uuid
from collections.abc import Mapping

from rich.live import Live
from rich.prompt import Prompt
from rich.text import Text

from bot.authoring.loader import catalogue_at
from bot.cli.console import out
from bot.cli.listing import known
from bot.cli.sandbox import OPTIONS, ROOT, Sandbox, populated
from bot.domain.approval import RequestState
from bot.domain.run import CheckStatus, RunState
from bot.main import Bot, running
from bot.runs.shown import RunShown
from bot.sandbox.postgres import Postgres
from bot.settings import Settings
from bot.slack.verbs import Verb
from bot.slack.views.run import plain_card

LOOK_EVERY = 0.2


async def run_in_sandbox(id: str, inputs: Mapping[str, str], *, fault: str, approve_all: bool) -> None:
    """Run a runbook against a throw-away sandbox: you ask as Ana, and approve as somebody who may."""
    runbook = known(catalogue_at(ROOT / "runbooks"), id)
    with Postgres.temporary(options=OPTIONS) as postgres:
        async with populated(postgres, systems=(runbook.system,), rate_limits=False) as sandbox:
            if fault:
                planted = await sandbox.world.plant(runbook.system, fault)
                wanted = {each.name for each in runbook.inputs}
                inputs = {**{name: value for name, value in planted.ids.items() if name in wanted}, **inputs}
            await _in_slack(sandbox, id, inputs, approve_all=approve_all)


async def _in_slack(sandbox: Sandbox, id: str, inputs: Mapping[str, str], *, approve_all: bool) -> None:
    """Everything goes over Slack's wire; the terminal only watches and asks."""
    catalogue = sandbox.bot.desk.library.catalogue
    runbook = known(catalogue, id)
    started = await sandbox.bot.desk.response.start(runbook, inputs, by="U0ANA", request_key=f"terminal:{uuid.uuid4()}")
    asked: set[str] = set()
    while True:
        seen = await _watched(sandbox.bot, started.run.id)
        waiting = [each for each in seen.approvals.values() if each.request.state is RequestState.PENDING]
        if not waiting or waiting[0].request.id in asked:
            return
        approval = waiting[0]
        asked.add(approval.request.id)
        voter = _voter(sandbox, seen)
        question = f"Approve this as {voter}?"
        answer = "y" if approve_all else await asyncio.to_thread(Prompt.ask, question, choices=["y", "n"], default="n")
        person = sandbox.world.slack.person(voter)
        if answer == "y":
            await person.clicks(Verb.APPROVE)
        else:
            await person.clicks(Verb.DENY)
            await person.submits(reason="Denied in the terminal.")


def _voter(sandbox: Sandbox, seen: RunShown) -> str:
    """Somebody in the sandbox who may approve what is asked."""
    approval = next(each for each in seen.approvals.values() if each.request.state is RequestState.PENDING)
    policy = approval.request.policy
    if policy.confirm:
        return "ana"
    system = sandbox.bot.desk.library.system(seen.runbook)
    handles = {system.groups[group].slack for group in policy.groups}
    space = sandbox.world.slack.space
    voted = {vote.person.id for vote in approval.votes} | {"U0ANA"}
    members = [user for group in space.usergroups.values() if group.handle in handles for user in group.users]
    return next(space.users[user].name for user in members if user not in voted)


async def run_for_real(settings: Settings, environment: Mapping[str, str], id: str, inputs: Mapping[str, str]) -> None:
    """Run a runbook where the environment says; approval is asked of the approvers in Slack."""
    # It works only until the run has ended: the night's work is left to those that stay.
    settings = settings.model_copy(update={"runbook_canary_at": "", "runbook_monitors": False})
    async with running(settings, environment, listen=False) as bot:
        runbook = known(bot.desk.library.catalogue, id)
        by = f"terminal:{getpass.getuser()}"
        started = await bot.desk.response.start(runbook, inputs, by=by, request_key=f"terminal:{uuid.uuid4()}")
        seen = await _watched(bot, started.run.id)
        if any(each.request.state is RequestState.PENDING for each in seen.approvals.values()):
            out.print("Waiting for the approvers in Slack; Ctrl-C leaves the run as it is.")
        while not seen.run.state.final and seen.run.state is not RunState.PARKED:
            await asyncio.sleep(LOOK_EVERY)
            seen = await bot.desk.reads.shown(started.run.id)
        out.print(plain_card(seen), markup=False)


async def _watched(bot: Bot, run_id: str) -> RunShown:
    """Show the run as it goes, until it waits for people or has ended."""
    with Live(console=out, refresh_per_second=8, transient=True) as live:
        while True:
            seen = await bot.desk.reads.shown(run_id)
            live.update(Text(plain_card(seen)))
            if _waits(seen):
                break
            await asyncio.sleep(LOOK_EVERY)
    out.print(plain_card(seen), markup=False)
    return seen


def _waits(seen: RunShown) -> bool:
    """Whether nothing goes on before a person does something."""
    run = seen.run
    if run.state.final or run.state is RunState.PARKED or run.state is RunState.AWAITING_APPROVAL:
        return True
    asking = any(check.status is CheckStatus.ASKING for check in run.checks.values())
    return run.state is RunState.DECIDING and (run.current is None or asking)
