"""What a person can do with a run: each function is one transaction, and what it returns is what they are told."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain import outcomes as o
from bot.domain.approval import (
    SHORTEST_REASON,
    ApprovalRequest,
    Choice,
    Members,
    Person,
    RequestState,
    Verdict,
    Vote,
    evaluate,
    objections,
)
from bot.domain.events import Event, Happened
from bot.domain.policy import StepUp
from bot.domain.run import ActionRun, ActionStatus, CheckRun, Run
from bot.domain.runbook import Runbook
from bot.errors import Mistake, Refusal
from bot.runs.changes import announce_request, apply, locked
from bot.runs.factors import Factors
from bot.runs.library import Library
from bot.runs.proof import MISCOUNTED, Proof, number_typed, to_type
from bot.store import approvals, presses, runs
from bot.store.session import Store, Transaction

LONGEST_WINDOW, FURTHEST_WINDOW = timedelta(days=1), timedelta(days=14)
MOST_SHOWN_AGAIN = 200


@dataclass(frozen=True, slots=True)
class Ballot:
    """What became of a vote. `accepted` is False when it was refused, with the reasons; both are on record."""

    accepted: bool
    verdict: Verdict | None
    reasons: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What the voter is told."""
        return " ".join(self.reasons)


async def start(
    tx: Transaction,
    library: Library,
    runbook: Runbook,
    inputs: Mapping[str, Any],
    *,
    requested_by: str,
    request_key: str,
    incident: str | None,
    askers: tuple[str, ...] = (),
    support: bool = False,
    channel: str | None = None,
    origin: str = "",
    title: str = "",
) -> Run:
    """A new run, in the caller's transaction. The same `request_key` starts one run however often it comes. `askers`
    decide on none of its actions, as if they had asked for it themselves. `support` holds for the run's whole life, and
    so does the `channel` of one that has no incident; it may have a `title` of its own."""
    await runs.keep_version(tx, library.documents(runbook))
    run = Run(
        id=str(uuid.uuid4()),
        number=0,
        runbook=runbook.id,
        version=runbook.version,
        system=runbook.system,
        title=title or runbook.title,
        severity=runbook.severity,
        resolve_within=runbook.resolve_within,
        incident=incident,
        inputs=dict(inputs),
        requested_by=requested_by,
        requested_at=tx.now,
        checks={key: CheckRun(key) for key in runbook.checks},
        askers=askers,
        support=support,
        channel=channel,
        origin=origin,
    )
    stored = await runs.insert(tx, run, request_key)
    if stored is None:
        raise Refusal("This command has been taken already; the run is under way.")
    mode = {"support": True} if support else {}
    about = {"runbook": run.runbook, "title": run.title, "version": run.version, "inputs": dict(inputs), **mode}
    tx.record(Event(Happened.RUN_REQUESTED, requested_by, about), run_id=run.id, incident_id=incident)
    tx.announce("run", run_id=run.id, incident_id=incident)
    tx.enqueue(run.id)
    return stored


class People:
    """The things people do to runs under way, by button, command or terminal. A `press` is taken once: the same one
    again leaves the run as it is, and that is on record."""

    def __init__(self, store: Store, library: Library, factors: Factors | None = None) -> None:
        self._store = store
        self._library = library
        self.factors = factors or Factors()

    async def vote(
        self,
        request_id: str,
        digest: str,
        person: Person,
        choice: Choice,
        members: Members,
        reason: str = "",
        proof: Proof | None = None,
    ) -> Ballot:
        """One person's say on exactly what they were shown, recorded with its effect in one commit; a refusal is
        recorded too and changes nothing."""
        async with self._store.transaction() as tx:
            put = await _put(tx, request_id)
            run, request = put.run, put.request
            reasons = put.against(digest, person, choice, members, tx.now)
            if choice is Choice.BREAK_GLASS and len(reason.strip()) < SHORTEST_REASON:
                reasons.append("Say why it cannot wait, in a sentence.")
            shown = StepUp.NONE
            if not reasons and (choice is not Choice.DENY or proof is not None):
                shown, wrong = await self._proven(tx, put, person, choice, proof)
                reasons += [wrong] if wrong else []
            if reasons:
                await self._refuse(tx, put, person, choice, reasons)
                return Ballot(False, None, tuple(reasons))
            vote = Vote(person, choice, request.digest, tx.now, reason, shown)
            await approvals.add_vote(tx, request_id, vote)
            said = {"rows": put.rows} if put.rows is not None and choice is not Choice.DENY else {}
            tx.record(
                Event(Happened.VOTE_CAST, person.id, {**put.about(choice), "reason": reason, "proof": shown, **said}),
                run_id=run.id,
                incident_id=run.incident,
            )
            verdict = evaluate(request, (*put.cast, vote), members, tx.now)
            if verdict.state is RequestState.PENDING:
                announce_request(tx, run, request.id)
            else:
                await approvals.decide(tx, request_id, verdict.state, " ".join(verdict.reasons))
                await apply(tx, run, o.Decided(request.action, verdict))
                tx.enqueue(run.id)
            return Ballot(True, verdict, verdict.reasons)

    async def held_against(
        self, request_id: str, digest: str, person: Person, choice: Choice, members: Members
    ) -> tuple[str, ...]:
        """Why this person could not vote so, told before a form is shown to them; a refusal like that of a vote."""
        async with self._store.transaction() as tx:
            put = await _put(tx, request_id)
            reasons = put.against(digest, person, choice, members, tx.now)
            if reasons:
                await self._refuse(tx, put, person, choice, reasons)
            return tuple(reasons)

    async def _refuse(self, tx: Transaction, put: _Put, person: Person, choice: Choice, reasons: list[str]) -> None:
        """Put on record that a vote was not taken, and why."""
        refused = Event(Happened.VOTE_REFUSED, person.id, {**put.about(choice), "reasons": reasons})
        tx.record(refused, run_id=put.run.id, incident_id=put.run.incident)
        await self._run_out(tx, put.run, put.request)

    async def _proven(
        self, tx: Transaction, put: _Put, person: Person, choice: Choice, proof: Proof | None
    ) -> tuple[StepUp, str]:
        """Which second proof was given, and what is wrong with it or that it is missing."""
        request, wanted = put.request, put.request.policy.step_up
        if (
            choice is not Choice.DENY
            and put.rows is not None
            and (proof is None or number_typed(proof.rows) != put.rows)
        ):
            return StepUp.NONE, MISCOUNTED
        if proof is not None and proof.code:
            wrong = await self.factors.objection(tx, person.id, proof.code)
            return (StepUp.NONE, wrong) if wrong else (StepUp.CODE, "")
        if wanted is StepUp.NONE:
            return StepUp.NONE, ""
        if wanted is StepUp.CODE or proof is None or not proof.name:
            return StepUp.NONE, "This needs a second proof; press Approve and give it there."
        if " ".join(proof.name.split()) != to_type(request):
            return StepUp.NONE, f"That is not the name; it is {to_type(request)}."
        return StepUp.NAME, ""

    async def schedule(
        self, run_id: str, action: str, by: str, opens: datetime, closes: datetime, *, press: str = ""
    ) -> Run:
        """Plan an action for a window: the request is withdrawn, and a new one made for that window only."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            if await _repeated(tx, run, by, press):
                return run
            if opens <= tx.now:
                raise Refusal("The window has to begin in the future.")
            if not timedelta(0) < closes - opens <= LONGEST_WINDOW:
                raise Refusal("The window has to end after it begins, within a day.")
            if opens - tx.now > FURTHEST_WINDOW:
                raise Refusal("The window has to begin within two weeks.")
            await _withdraw(tx, run.actions.get(action), "planned for later")
            return await self._apply(tx, run, o.Scheduled(action, by, opens, closes))

    async def announce_everything(self) -> None:
        """Have every card, copy and headline of what is under way shown as it stands: at a start, when messages may
        have been missed."""
        async with self._store.transaction() as tx:
            for run in await runs.recent(tx.connection, MOST_SHOWN_AGAIN, live=True):
                tx.announce("run", run_id=run.id, incident_id=run.incident)
                if run.incident is not None:
                    tx.announce("incident", incident_id=run.incident)
            for stored in await approvals.pending(tx.connection, MOST_SHOWN_AGAIN):
                tx.announce("copies", run_id=stored.request.run, body={"request": stored.request.id})

    async def turn_away(self, request_id: str, person: Person, reason: str = "") -> None:
        """Put on record that somebody who may not tried to act on a request."""
        async with self._store.transaction() as tx:
            known = await approvals.get(tx.connection, request_id)
            if known is None:
                return
            run = await locked(tx, known.request.run)
            reasons = [reason] if reason else list(objections(known.request, person, {}, tx.now))
            about = {"request": request_id, "action": known.request.action, "reasons": reasons}
            tx.record(Event(Happened.VOTE_REFUSED, person.id, about), run_id=run.id, incident_id=run.incident)

    async def choose(self, run_id: str, action: str, by: str, *, press: str = "") -> Run:
        """Ask for an action: it is previewed and put to the approvers."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            if await _repeated(tx, run, by, press):
                return run
            runbook, _ = await self._library.of_run(run)
            if action not in runbook.actions:
                raise Mistake(f"This runbook has no action «{action}».")
            return await self._apply(tx, run, o.Chosen(action, by))

    async def undo(self, run_id: str, action: str, by: str, *, press: str = "") -> Run:
        """Ask for an action to be taken back: an action of its own, with preview and approval."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            if await _repeated(tx, run, by, press):
                return run
            runbook, _ = await self._library.of_run(run)
            rule = runbook.actions[action].undo if action in runbook.actions else None
            if rule is None or (not rule.automatic and rule.action is None):
                raise Refusal("This cannot be undone.", *([rule.reason] if rule and rule.reason else []))
            if rule.action is not None:
                return await self._apply(tx, run, o.Chosen(rule.action, by))
            return await self._apply(tx, run, o.Chosen(f"undo:{action}", by, undo_of=action))

    async def edit(self, run_id: str, action: str, by: str, edits: Mapping[str, str], *, press: str = "") -> Run:
        """Change the words of a message that waits for its yes: the request is withdrawn and a new one made."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            if await _repeated(tx, run, by, press):
                return run
            runbook, _ = await self._library.of_run(run)
            known = runbook.actions.get(action)
            if known is None or known.kind != "notify" or not edits.keys() <= {"subject", "body"}:
                raise Refusal("Only the words of a message can be edited.")
            await _withdraw(tx, run.actions.get(action), "edited")
            return await self._apply(tx, run, o.Edited(action, by, dict(edits)))

    async def skip(self, run_id: str, action: str, by: str, *, press: str = "") -> Run:
        """Leave an action out and go on with the plan; a pending request for it is withdrawn."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            if await _repeated(tx, run, by, press):
                return run
            await _withdraw(tx, run.actions.get(action), "left out")
            return await self._apply(tx, run, o.Skipped(action, by))

    async def report(self, run_id: str, action: str, by: str, note: str) -> Run:
        """Say that a manual step is done; it is verified like any other."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            runbook, _ = await self._library.of_run(run)
            known = runbook.actions.get(action)
            within = known.verify_within if known is not None and known.verify else None
            return await self._apply(tx, run, o.Reported(action, by, note, within))

    async def settle(self, run_id: str, action: str, by: str, *, happened: bool) -> Run:
        """Say what became of an action that was interrupted."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            effect = (await approvals.effects(tx.connection, run_id)).get(action)
            if effect is not None:
                state = approvals.DONE if happened else approvals.DENIED_BY_PERSON
                await approvals.end_effect(tx, effect.key, state, effect.receipt)
            return await self._apply(tx, run, o.Settled(action, by, happened))

    async def look_now(self, run_id: str, action: str, by: str, *, press: str = "") -> Run:
        """Look at a verification or a wait at once."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            if await _repeated(tx, run, by, press):
                return run
            runbook, _ = await self._library.of_run(run)
            known = runbook.actions.get(action)
            within = known.verify_within if known is not None else timedelta(seconds=30)
            return await self._apply(tx, run, o.LookNow(action, by, within))

    async def recheck(self, run_id: str, by: str, *, press: str = "") -> Run:
        """Run all checks again."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            if await _repeated(tx, run, by, press):
                return run
            return await self._apply(tx, run, o.Recheck(by))

    async def close(self, run_id: str, by: str, note: str = "") -> Run:
        """End a run in which nothing more is to be done."""
        async with self._store.transaction() as tx:
            return await self._apply(tx, await locked(tx, run_id), o.Closed(by, note))

    async def cancel(self, run_id: str, by: str, reason: str = "") -> Run:
        """Stop a run; a change that is being made cannot be called back."""
        async with self._store.transaction() as tx:
            return await cancel(tx, await locked(tx, run_id), by, reason)

    async def _run_out(self, tx: Transaction, run: Run, request: ApprovalRequest) -> None:
        """A request that a click finds past its time is expired for good, wherever the clock goes afterwards."""
        if request.state is RequestState.PENDING and tx.now >= request.expires_at:
            verdict = evaluate(request, (), {}, tx.now)
            await approvals.decide(tx, request.id, verdict.state, " ".join(verdict.reasons))
            await self._apply(tx, run, o.Decided(request.action, verdict))

    async def _apply(self, tx: Transaction, run: Run, outcome: o.RunOutcome) -> Run:
        after = await apply(tx, run, outcome)
        tx.enqueue(run.id, delay=timedelta(0))
        return after


async def cancel(tx: Transaction, run: Run, by: str, reason: str) -> Run:
    """Stop a run that is locked, in the caller's transaction. Raises `OutOfTurn` where a change is being made."""
    after = await apply(tx, run, o.Cancelled(by, reason))
    await _withdraw(tx, run.current, "the run was cancelled")
    tx.enqueue(run.id)
    return after


async def _withdraw(tx: Transaction, going: ActionRun | None, reason: str) -> None:
    if going is None or going.request is None:
        return
    if going.status is ActionStatus.REQUESTED:
        await approvals.decide(tx, going.request, RequestState.WITHDRAWN, reason)
    elif going.status is ActionStatus.APPROVED:
        await approvals.void(tx, going.request, reason)


async def _repeated(tx: Transaction, run: Run, by: str, press: str) -> bool:
    return await presses.repeated(tx, press, by, run_id=run.id, incident_id=run.incident)


@dataclass(frozen=True, slots=True)
class _Put:
    """A request as it is put to people, with its run, both locked, the votes cast so far, and the number of rows that
    who approves it has to say."""

    run: Run
    request: ApprovalRequest
    cast: tuple[Vote, ...]
    rows: int | None

    def about(self, choice: Choice) -> dict[str, Any]:
        """What the record says of a vote on it."""
        request = self.request
        return {"request": request.id, "action": request.action, "choice": choice, "digest": request.digest}

    def against(self, digest: str, person: Person, choice: Choice, members: Members, now: datetime) -> list[str]:
        """Why a vote is not taken."""
        reasons = list(objections(self.request, person, members, now, choice))
        if digest != self.request.digest:
            reasons.append("What you clicked on is not what would be done now; look at the newest message.")
        counted = evaluate(self.request, self.cast, members, now).counted
        if not reasons and any((vote.person.id, vote.choice) == (person.id, choice) for vote in counted):
            reasons.append("Your vote is counted already.")
        return reasons


async def _put(tx: Transaction, request_id: str) -> _Put:
    """Raises Mistake for one that is not known."""
    known = await approvals.get(tx.connection, request_id)
    if known is None:
        raise Mistake("This request is not known here.")
    # The run is locked before its request, in the order in which workers lock them.
    run = await locked(tx, known.request.run)
    stored = await approvals.get(tx.connection, request_id, lock=True)
    assert stored is not None
    return _Put(run, stored.request, await approvals.votes(tx.connection, request_id), stored.rows_to_say)
