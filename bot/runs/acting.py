"""Carrying out an approved action: looked at again, done at most once, verified, and honest where it cannot know."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

import structlog

from bot.authoring.templates import TemplateError, UndefinedFact, compile_expression
from bot.domain import outcomes as o
from bot.domain.approval import RequestState, name_of
from bot.domain.change import EffectKey, carried
from bot.domain.compare import drift
from bot.domain.facts import Fact
from bot.domain.run import ActionRun, Run
from bot.domain.runbook import Action, Effect, Section
from bot.errors import BotError
from bot.runs.concluding import conclusions, holds
from bot.runs.following import Begin, followed
from bot.runs.justifying import evidence_of, finding_of, follows
from bot.runs.looking import reread
from bot.runs.proposing import Proposal, policy_of, previewed, proposal, request_digest, revive, target_of
from bot.runs.scope import scope_of
from bot.runs.work import Work
from bot.steps.base import AwaitCondition, AwaitPerson, Done, Failed, InDoubt, Outcome, Starts
from bot.steps.durations import span
from bot.steps.registry import KINDS
from bot.store import approvals
from bot.store.approvals import DONE, NOT_DONE, UNKNOWN, StoredRequest
from bot.store.session import Transaction

log = structlog.get_logger(__name__)

LOOK_EVERY = timedelta(seconds=2)


async def act(work: Work, run: Run, key: str) -> None:
    """An approved action: fresh evidence, the same preview, the target alone, the intent on record, then the effect."""
    going = run.actions[key]
    action = work.runbook.actions[going.undo_of or key]
    if going.closes is not None and work.clock.now() >= going.closes:
        reason = "The window it was approved for is over; nothing was changed."
        await work.record(o.NotEffected(key, reason), also=_voiding(going, reason))
        return
    run, facts = await reread(work, run, evidence_of(work, going, action), fresh_for=action.fresh_for)
    if not await _still_justified(work, run, going, facts):
        return
    async with work.store.reading() as connection:
        request = None if going.request is None else await approvals.get(connection, going.request)
    asked = None if request is None else request.parts.get(key)
    ready = await _unchanged(work, run, going, facts, request)
    if ready is None:
        return
    # What needs no approval changes nothing outside the bot, so it may be begun again under a key of its own.
    effect = EffectKey(run.id, key, asked.digest if asked is not None else f"ungated-{uuid.uuid4().hex}")
    async with work.store.reading() as connection:
        effect = replace(effect, attempt=await approvals.attempts(connection, effect))
    if not await _claim(work, run, going, ready, effect, facts):
        return
    await work.milestone("intended")
    await work.hold()
    try:
        preview = (
            asked.preview if asked is not None else await ready.kind.preview(ready.spec, work.context(action.timeout))
        )
        outcome = await ready.kind.act(ready.spec, preview, effect, work.context(action.timeout, going.by))
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("act broke", run=run.id, action=key, reference=reference)
        outcome = InDoubt(f"The bot itself failed while it was changing something (reference {reference}).")
    await work.milestone("acted")
    await _conclude(work, ready.action, going, effect, outcome)


async def settle(work: Work, run: Run, key: str) -> None:
    """An act that was interrupted: what became of it is looked up, and asked when it cannot be."""
    going = run.actions[key]
    async with work.store.reading() as connection:
        stored = (await approvals.effects(connection, run.id)).get(key)
    if stored is None:
        await work.record(o.NotEffected(key, "The bot stopped before anything was done."))
        return
    action = work.runbook.actions[going.undo_of or key]
    if going.undo_of:
        action = replace(action, verify=None)
    kind = KINDS[action.kind]
    spec = revive(kind, stored.spec)
    effect = _key_of(run, key, stored.key)
    try:
        outcome = await kind.settle(spec, effect, work.context(action.timeout, going.by))
    except BotError as error:
        outcome = InDoubt(str(error))
    await _conclude(work, action, going, effect, outcome)


def _key_of(run: Run, action: str, stored: str) -> EffectKey:
    """The key an effect was intended under."""
    digest, _, attempt = stored.rpartition(":")[2].partition("~")
    return EffectKey(run.id, action, digest, int(attempt or 0))


async def _conclude(work: Work, action: Action, going: ActionRun, effect: EffectKey, outcome: Outcome) -> None:
    """Record how an act ended: the effect's own row, its request's and the run in one transaction."""
    key = going.key
    begin: Begin | None = None
    if isinstance(outcome, Starts):
        outcome, begin = await followed(work, going, effect, outcome)
    ended = outcome

    async def end(tx: Transaction) -> None:
        match ended:
            case Done(receipt=receipt):
                await approvals.end_effect(tx, str(effect), DONE, receipt)
                await _outdate(tx, work, key)
                if begin is not None:
                    await begin(tx)
                if "slack" in receipt.detail:
                    tx.announce(
                        "notice", run_id=work.lease.run_id, body={"effect": str(effect), **receipt.detail["slack"]}
                    )
            case Failed(reason=reason, drift=drift):
                await approvals.end_effect(tx, str(effect), NOT_DONE)
                if drift:
                    await _voiding(going, reason)(tx)
            case InDoubt():
                await approvals.end_effect(tx, str(effect), UNKNOWN)
            case AwaitPerson() | AwaitCondition():
                pass
            case _:
                assert_never(ended)

    await work.record(_ended(key, action, ended, work.clock.now()), also=end)


def _ended(
    key: str, action: Action, outcome: Done | Failed | InDoubt | AwaitPerson | AwaitCondition, now: datetime
) -> o.RunOutcome:
    """What the end of an act means for its run."""
    match outcome:
        case Done(receipt=receipt):
            return o.Effected(key, receipt, action.verify_within if action.verify else None)
        case Failed(reason=reason, drift=True):
            return o.Voided(key, reason, again=True)
        case Failed(reason=reason):
            return o.NotEffected(key, reason)
        case InDoubt(why=why):
            return o.Doubted(key, why)
        case AwaitPerson(instructions=instructions):
            return o.WaitsFor(key, instructions)
        case AwaitCondition(until=_, every=every, at_most=at_most):
            return o.WaitsFor(key, action.title, min(now + every, now + at_most), now + at_most)
        case _:
            assert_never(outcome)


async def outdated(work: Work, run: Run) -> bool:
    """Whether what waits for approval was shown before another run acted on its target; then it is shown anew."""
    going = run.current
    if going is None or going.request is None:
        return False
    async with work.store.reading() as connection:
        stored = await approvals.get(connection, going.request)
    if stored is None or not stored.stale:
        return False
    await work.record(o.Voided(going.key, stored.stale, again=True), also=_voiding(going, stored.stale))
    return True


async def _outdate(tx: Transaction, work: Work, key: str) -> None:
    """What other runs show of the same target was seen before this one acted there."""
    mine = (await approvals.latest(tx.connection, work.lease.run_id)).get(key)
    if mine is None or not mine.request.target:
        return
    reason = f"Another run has changed {mine.request.named} since this was shown."
    for other in await approvals.outdate(tx, mine.request.target, work.lease.run_id, reason):
        tx.enqueue(other)


async def look_again(work: Work, run: Run, key: str, *, verifying: bool) -> None:
    """A verification or a wait that is due: its checks are read again and its condition judged."""
    going = run.actions[key]
    action = work.runbook.actions[going.undo_of or key]
    condition, every = (action.verify or "true", LOOK_EVERY) if verifying else await _waiting_for(work, run, going)
    needs = compile_expression(condition).names & set(work.runbook.checks)
    run, facts = await reread(work, run, needs)
    now = work.clock.now()
    why = ""
    try:
        met = bool(compile_expression(condition).evaluate(scope_of(run, facts, now)))
    except (UndefinedFact, TemplateError) as error:
        met, why = False, f"It could not be judged: {error}"
    await work.record(o.Looked(key, met, now + every, why))


async def _still_justified(work: Work, run: Run, going: ActionRun, facts: Mapping[str, Fact]) -> bool:
    finding = finding_of(work, going)
    now_held = conclusions(run, work.runbook, facts, work)
    if finding is None or going.undo_of or follows(run, going) or holds(run, finding, facts, work):
        if now_held != run.conclusions:
            await work.record(o.Restated(now_held))
        return True
    said = " ".join(each.say for each in now_held) or "No finding holds any more."
    reason = f"State has changed since this was approved: {said}"
    await work.record(o.Voided(going.key, reason, again=False), o.Concluded(now_held), also=_voiding(going, reason))
    return False


async def _unchanged(
    work: Work, run: Run, going: ActionRun, facts: Mapping[str, Fact], request: StoredRequest | None
) -> Proposal | None:
    """The action as approved, or None after the approval was voided because something is different now."""
    try:
        ready = await proposal(work, run, going, facts)
        asked = request.parts.get(going.key) if request is not None else None
        if request is None or asked is None or request.request.state is not RequestState.APPROVED:
            # Only what changes nothing outside the bot goes without a request: the executor insists, not the surface.
            if ready.kind.effect(ready.spec, Section.ACTIONS) is not Effect.NONE:
                await work.record(o.NotEffected(going.key, "There is no approval for this."))
                return None
            return ready
        preview = await previewed(work, ready, going)
        preview = replace(preview, changes=carried(preview.changes, asked.preview.changes))
    except BotError as error:
        reason = f"It cannot be done any more: {error}"
        await work.record(o.Voided(going.key, reason, again=False), also=_voiding(going, reason))
        return None
    policy = policy_of(ready.action, preview)
    if request_digest(run, going, ready, preview, policy) == asked.digest:
        return ready
    reason = f"What was approved is not what would happen now: {drift(asked.preview, preview)}."
    await work.record(o.Voided(going.key, reason, again=True), also=_voiding(going, reason))
    return None


async def _claim(
    work: Work, run: Run, going: ActionRun, ready: Proposal, effect: EffectKey, facts: Mapping[str, Fact]
) -> bool:
    """Take the target and record the intent; False when another run acts there, or this very effect was intended."""
    target = target_of(work, run, ready, facts)
    busy = ""
    async with work.store.transaction() as tx:
        if target:
            busy = await approvals.take_target(tx, target, run.id, going.key) or ""
    if busy:
        reason = f"Another run is acting on {name_of(target)} right now; ask again when it has ended."
        await work.record(o.Voided(going.key, reason, again=False), also=_voiding(going, reason))
        return False
    intended = False

    async def intend(tx: Transaction) -> None:
        nonlocal intended
        intended = await approvals.intend(tx, effect, ready.plain())

    await work.record(o.Intended(going.key), also=intend)
    if not intended:
        await work.record(
            o.Doubted(going.key, "This very change was begun before; whether it took effect is not known.")
        )
    return intended


def _voiding(going: ActionRun, reason: str) -> Callable[[Transaction], Awaitable[None]]:
    async def void(tx: Transaction) -> None:
        if going.request is not None:
            await approvals.void(tx, going.request, reason)

    return void


async def _waiting_for(work: Work, run: Run, going: ActionRun) -> tuple[str, timedelta]:
    """The condition of a wait and how often it is looked at, from its own rendered spec."""
    async with work.store.reading() as connection:
        stored = (await approvals.effects(connection, run.id)).get(going.key)
    spec = dict(stored.spec) if stored is not None else {}
    return str(spec.get("until", "false")), span(spec["every"]) if "every" in spec else LOOK_EVERY
