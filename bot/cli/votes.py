"""`runbook approve`, `deny` and `enrol`: a vote from a terminal, proven by a code of the voter's authenticator."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import typer

from bot.cli.console import out
from bot.clock import SystemClock
from bot.domain.approval import ApprovalRequest, Choice, RequestState
from bot.domain.change import rows_to_say
from bot.errors import Mistake, Refusal
from bot.main import Bot, running
from bot.runs.factors import Factors
from bot.runs.proof import Proof
from bot.runs.shown import ApprovalShown, RunShown
from bot.settings import Settings
from bot.slack.views.approval import everything_text
from bot.store.migrate import require_head
from bot.store.session import Store, engine_of


async def vote(
    settings: Settings, environment: Mapping[str, str], number: int, user: str, choice: Choice, reason: str
) -> None:
    """Show what waits in a run, ask for the code, and vote as `user`. Raises `Mistake`, and `Refusal` with reasons."""
    async with running(settings, environment, listen=False, work=False, announce=False) as bot:
        run = await bot.desk.reads.by_number(number)
        shown = await bot.desk.reads.shown(run.id, whole=True)
        request = _pending(shown)
        out.print(everything_text(shown, shown.approvals[request.action]), markup=False)
        proof = await asyncio.to_thread(_prompted, shown.approvals[request.action], user, choice)
        ballot = await _cast(bot, shown, request, user, choice, reason, proof)
        out.print(ballot, markup=False)


async def enrol(settings: Settings, user: str) -> None:
    """Give somebody an authenticator secret, and print what they scan or type."""
    store = Store(engine_of(settings.database_url.get_secret_value()), SystemClock())
    try:
        await require_head(store.engine)
        factors = Factors(settings.second_factor_key.get_secret_value())
        async with store.transaction() as tx:
            address = await factors.enrol(tx, user, user)
    finally:
        await store.close()
    out.print(f"Show this to {user} only, as a QR code or to be typed; it replaces an earlier one:\n", markup=False)
    out.print(address, markup=False)


def _pending(shown: RunShown) -> ApprovalRequest:
    for approval in shown.approvals.values():
        if approval.request.state is RequestState.PENDING:
            return approval.request
    raise Mistake(f"Nothing in run {shown.run.number} waits for approval.")


def _prompted(approval: ApprovalShown, user: str, choice: Choice) -> Proof:
    """What a voter types on a terminal; the code comes last, as it is good for half a minute only."""
    counted = choice is Choice.APPROVE and rows_to_say(approval.previews.values()) is not None
    rows = typer.prompt("How many rows does it change?") if counted else ""
    code = typer.prompt(f"Code of {user}'s authenticator")
    return Proof(code=str(code) or "-", rows=str(rows))


async def _cast(
    bot: Bot, shown: RunShown, request: ApprovalRequest, user: str, choice: Choice, reason: str, proof: Proof
) -> str:
    _, system = await bot.desk.library.of_run(shown.run)
    groups = {name: group for name, group in system.groups.items() if name in request.policy.everybody}
    members = await bot.desk.directory.members(groups)
    person = await bot.desk.directory.person(user)
    ballot = await bot.desk.people.vote(request.id, request.digest, person, choice, members, reason, proof)
    if not ballot.accepted:
        raise Refusal(*ballot.reasons)
    return ballot.sentence
