"""What a person can do with a run: each function is one transaction, and what it returns is what they are told."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.domain import outcomes as o
from bot.domain.approval import (
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
from bot.domain.facts import Fact, FactStatus
from bot.domain.run import ActionStatus, CheckRun, Run
from bot.domain.runbook import Runbook
from bot.errors import Mistake, Refusal
from bot.runs.changes import apply, locked
from bot.runs.library import Library
from bot.store import approvals, runs
from bot.store.session import Store, Transaction


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
) -> Run:
    """A new run, in the caller's transaction. The same `request_key` starts one run however often it comes."""
    await runs.keep_version(tx, library.documents(runbook))
    run = Run(
        id=str(uuid.uuid4()),
        number=0,
        runbook=runbook.id,
        version=runbook.version,
        system=runbook.system,
        title=runbook.title,
        severity=runbook.severity,
        resolve_within=runbook.resolve_within,
        incident=incident,
        inputs=dict(inputs),
        requested_by=requested_by,
        requested_at=tx.now,
        checks={key: CheckRun(key) for key in runbook.checks},
    )
    stored = await runs.insert(tx, run, request_key)
    if stored is None:
        raise Refusal("This command has been taken already; the run is under way.")
    about = {"runbook": run.runbook, "title": run.title, "version": run.version, "inputs": dict(inputs)}
    tx.record(Event(Happened.RUN_REQUESTED, requested_by, about), run_id=run.id, incident_id=incident)
    tx.announce("run", run_id=run.id, incident_id=incident)
    tx.enqueue(run.id)
    return stored


class People:
    """The things people do to runs under way, by button, command or terminal."""

    def __init__(self, store: Store, library: Library) -> None:
        self._store = store
        self._library = library

    async def vote(
        self, request_id: str, digest: str, person: Person, choice: Choice, members: Members, reason: str = ""
    ) -> Ballot:
        """One person's say on exactly what they were shown, recorded with its effect in one commit; a refusal is
        recorded too and changes nothing."""
        async with self._store.transaction() as tx:
            known = await approvals.get(tx.connection, request_id)
            if known is None:
                raise Mistake("This request is not known here.")
            # The run is locked before its request, in the order in which workers lock them.
            run = await locked(tx, known.request.run)
            stored = await approvals.get(tx.connection, request_id, lock=True)
            assert stored is not None
            request = stored.request
            cast = await approvals.votes(tx.connection, request_id)
            reasons = list(objections(request, person, members, tx.now))
            if digest != request.digest:
                reasons.append("What you clicked on is not what would be done now; look at the newest message.")
            counted = evaluate(request, cast, members, tx.now).counted
            if not reasons and any((vote.person.id, vote.choice) == (person.id, choice) for vote in counted):
                reasons.append("Your vote is counted already.")
            about = {"request": request_id, "action": request.action, "choice": choice, "digest": request.digest}
            if reasons:
                refused = Event(Happened.VOTE_REFUSED, person.id, {**about, "reasons": reasons})
                tx.record(refused, run_id=run.id, incident_id=run.incident)
                await self._run_out(tx, run, request)
                return Ballot(False, None, tuple(reasons))
            vote = Vote(person, choice, request.digest, tx.now, reason)
            await approvals.add_vote(tx, request_id, vote)
            tx.record(
                Event(Happened.VOTE_CAST, person.id, {**about, "reason": reason}),
                run_id=run.id,
                incident_id=run.incident,
            )
            verdict = evaluate(request, (*cast, vote), members, tx.now)
            if verdict.state is RequestState.PENDING:
                tx.announce("run", run_id=run.id, incident_id=run.incident)
            else:
                await approvals.decide(tx, request_id, verdict.state, " ".join(verdict.reasons))
                await apply(tx, run, o.Decided(request.action, verdict))
                tx.enqueue(run.id)
            return Ballot(True, verdict, verdict.reasons)

    async def turn_away(self, request_id: str, person: Person) -> None:
        """Put on record that somebody who may not use the bot at all tried to act on a request."""
        async with self._store.transaction() as tx:
            known = await approvals.get(tx.connection, request_id)
            if known is None:
                return
            run = await locked(tx, known.request.run)
            reasons = list(objections(known.request, person, {}, tx.now))
            about = {"request": request_id, "action": known.request.action, "reasons": reasons}
            tx.record(Event(Happened.VOTE_REFUSED, person.id, about), run_id=run.id, incident_id=run.incident)

    async def choose(self, run_id: str, action: str, by: str) -> Run:
        """Ask for an action: it is previewed and put to the approvers."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            runbook, _ = await self._library.of_run(run)
            if action not in runbook.actions:
                raise Mistake(f"This runbook has no action «{action}».")
            return await self._apply(tx, run, o.Chosen(action, by))

    async def undo(self, run_id: str, action: str, by: str) -> Run:
        """Ask for an action to be taken back: an action of its own, with preview and approval."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            runbook, _ = await self._library.of_run(run)
            rule = runbook.actions[action].undo if action in runbook.actions else None
            if rule is None or (not rule.automatic and rule.action is None):
                raise Refusal("This cannot be undone.", *([rule.reason] if rule and rule.reason else []))
            if rule.action is not None:
                return await self._apply(tx, run, o.Chosen(rule.action, by))
            return await self._apply(tx, run, o.Chosen(f"undo:{action}", by, undo_of=action))

    async def answer(self, run_id: str, check: str, values: Mapping[str, Any], by: str) -> Run:
        """Answer a question; the answer is a fact with a name beside it."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            words = ", ".join(f"{key} {value}" for key, value in values.items())
            fact = Fact(FactStatus.DONE, {**values, "by": by}, summary=words[:200])
            outcome = o.CheckEnded(check, fact, by=by)
            after = await self._apply(tx, run, outcome)
            await runs.put_fact(tx, run.id, check, fact)
            return after

    async def edit(self, run_id: str, action: str, by: str, edits: Mapping[str, str]) -> Run:
        """Change the words of a message that waits for its yes: the request is withdrawn and a new one made."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            runbook, _ = await self._library.of_run(run)
            known = runbook.actions.get(action)
            if known is None or known.kind != "notify" or not edits.keys() <= {"subject", "body"}:
                raise Refusal("Only the words of a message can be edited.")
            going = run.actions.get(action)
            if going is not None and going.request is not None:
                await approvals.decide(tx, going.request, RequestState.WITHDRAWN, "edited")
            return await self._apply(tx, run, o.Edited(action, by, dict(edits)))

    async def skip(self, run_id: str, action: str, by: str) -> Run:
        """Leave an action out and go on with the plan; a pending request for it is withdrawn."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            going = run.actions.get(action)
            if going is not None and going.status is ActionStatus.REQUESTED and going.request is not None:
                await approvals.decide(tx, going.request, RequestState.WITHDRAWN, "left out")
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

    async def look_now(self, run_id: str, action: str, by: str) -> Run:
        """Look at a verification or a wait at once."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            runbook, _ = await self._library.of_run(run)
            known = runbook.actions.get(action)
            within = known.verify_within if known is not None else timedelta(seconds=30)
            return await self._apply(tx, run, o.LookNow(action, by, within))

    async def recheck(self, run_id: str, by: str) -> Run:
        """Run all checks again."""
        async with self._store.transaction() as tx:
            return await self._apply(tx, await locked(tx, run_id), o.Recheck(by))

    async def close(self, run_id: str, by: str, note: str = "") -> Run:
        """End a run in which nothing more is to be done."""
        async with self._store.transaction() as tx:
            return await self._apply(tx, await locked(tx, run_id), o.Closed(by, note))

    async def cancel(self, run_id: str, by: str, reason: str = "") -> Run:
        """Stop a run; a change that is being made cannot be called back."""
        async with self._store.transaction() as tx:
            run = await locked(tx, run_id)
            current = run.current
            if current is not None and current.status is ActionStatus.REQUESTED and current.request is not None:
                await approvals.decide(tx, current.request, RequestState.WITHDRAWN, "the run was cancelled")
            return await self._apply(tx, run, o.Cancelled(by, reason))

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
